//! Owns a worker's loop: which task runs next, and where a ready task is pushed.

use crate::runtime::context::Worker;
use crate::runtime::ending;
use crate::runtime::entered;
use crate::runtime::root::Root;
use crate::runtime::shared::Shared;
use crate::runtime::tick::After;
use crate::task::{Class, Task};
use std::sync::Arc;

/// Ticks between two looks at the shared queue and the driver while the own queue has work. Prime, so
/// that it does not fall into step with a task pattern; its size is common practice.
const SHARED_INTERVAL: u32 = 61;
/// Tasks that a worker takes from the shared queue into its own at once, at most: so that others find some.
const SHARE_MAX: usize = 128;
/// System tasks that run in a row while default ones are ready: they come first, but not for ever.
const SYSTEM_RUN: u32 = 32;

/// The body of a worker's thread.
pub(crate) fn run_worker(shared: Arc<Shared>, index: usize) {
    shared.remotes[index].parker.claim();
    let hub = shared.hub.clone();
    hub.enter(|| {
        let worker = Worker::new(shared.clone(), hub.worker(index), Some(index), None);
        let _entered = entered::enter_worker(&worker);
        worker.seam.in_loop(|| worker.run(None));
        if let Some(last) = shared.phase.worker_left() {
            worker.drain(&last);
        }
        shared.phase.worker_ended();
        ending::left(&shared);
    });
}

impl Worker {
    /// Runs tasks until the scheduler closes, or until `root` has ended.
    pub(crate) fn run(&self, mut root: Option<&mut Root<'_>>) {
        while !self.shared.phase.is_closed() {
            self.take_turn();
            let Some(task) = self.next_task() else {
                self.find_work();
                if self.is_stuck.get()
                    && let Some(root) = &root
                {
                    // It is cancelled like any task, so that nothing of it stays; its caller hears why.
                    root.abort();
                }
                continue;
            };
            // Pushers that saw this worker search woke nobody: before it is busy, somebody takes over.
            self.stop_searching();
            match root.as_deref_mut() {
                Some(root) if root.is(&task) => {
                    if let After::Ended = self.run_task(task, |_, cx| root.poll(cx)) {
                        return;
                    }
                }
                _ => {
                    let _ = self.run_task(task, |task, cx| task.poll(cx));
                }
            }
        }
    }

    /// One tick, and the push of what came back ready.
    pub(crate) fn run_task(
        &self,
        task: Task,
        poll: impl FnOnce(&Task, &mut std::task::Context<'_>) -> crate::task::Outcome,
    ) -> After {
        match self.tick(task, poll) {
            After::Ready { task, throttled } => {
                self.push_back(task, throttled);
                After::Idle
            }
            after => after,
        }
    }

    /// What is due beside the tasks: timers at every turn, the driver now and then.
    pub(crate) fn take_turn(&self) {
        let ticks = self.ticks.get().wrapping_add(1);
        self.ticks.set(ticks);
        if let Some(remote) = self.remote() {
            self.disarm_spare();
            remote.timers.fire(self.seam.now());
        }
        if ticks.is_multiple_of(SHARED_INTERVAL) {
            if let Some(driver) = &self.shared.driver {
                driver.poll_now();
            }
            if self.shared.remotes.len() > 1 {
                self.relieve_siblings();
            }
        }
    }

    /// The next ready task of this worker, in order: system before default, own before shared.
    pub(crate) fn next_task(&self) -> Option<Task> {
        let shared_first = self.ticks.get().is_multiple_of(SHARED_INTERVAL);
        let default_first = self.system_run.get() >= SYSTEM_RUN;
        let order = if default_first {
            [Class::Default, Class::System]
        } else {
            [Class::System, Class::Default]
        };
        for class in order {
            if let Some(task) = self.pop(class, shared_first) {
                let run = match class {
                    Class::System => self.system_run.get() + 1,
                    Class::Default => 0,
                };
                self.system_run.set(run);
                return Some(self.taken(task));
            }
        }
        // Nothing of the other class was ready: the run of system tasks held nobody up.
        self.system_run.set(0);
        None
    }

    pub(crate) fn taken(&self, task: Task) -> Task {
        self.seam.popped();
        task
    }

    fn pop(&self, class: Class, shared_first: bool) -> Option<Task> {
        if let Some(seeded) = &self.seeded {
            let mut seeded = seeded.borrow_mut();
            while let Some(task) = self.shared.injector.pop(class) {
                self.seam.refresh();
                seeded.push(task);
            }
            return seeded.pop(class);
        }
        let own = self.remote()?.queue(class);
        if shared_first {
            self.pop_shared(class).or_else(|| own.pop())
        } else {
            own.pop().or_else(|| self.pop_shared(class))
        }
    }

    /// Takes from the shared queue: one to run, and this worker's share of the rest into its own queue.
    fn pop_shared(&self, class: Class) -> Option<Task> {
        let injector = &self.shared.injector;
        let first = injector.pop(class)?;
        // It was made ready on another thread: its stamps may be later than our last boundary.
        self.seam.refresh();
        let own = self.remote()?.queue(class);
        let share = injector.len(class) / self.shared.remotes.len();
        for _ in 0..share.min(SHARE_MAX) {
            let Some(task) = injector.pop(class) else {
                break;
            };
            own.push(task);
        }
        Some(first)
    }

    /// The ready tasks of a deterministic scheduler.
    pub(crate) fn seeded_len(&self) -> usize {
        let own = self
            .seeded
            .as_ref()
            .map_or(0, |seeded| seeded.borrow().len());
        let injector = &self.shared.injector;
        own + injector.len(Class::Default) + injector.len(Class::System)
    }

    /// A task that another task, a timer or a descriptor made ready on this thread.
    pub(crate) fn push_woken(&self, task: Task) {
        self.seam.pushed();
        self.push(task);
        if self.index.is_none() || self.shared.remotes.len() > 1 {
            self.shared.wake_a_worker();
        }
    }

    /// A task that came back ready from its own tick.
    pub(crate) fn push_back(&self, task: Task, throttled: bool) {
        self.seam.pushed();
        if throttled && task.class() == Class::System {
            // It used up its quantum: default tasks get their turn before the next system task.
            self.system_run.set(SYSTEM_RUN);
        }
        if let (true, Some(seeded)) = (throttled, &self.seeded) {
            seeded.borrow_mut().push_throttled(task);
            return;
        }
        self.push(task);
        // Alone in the queue it is this worker's next tick: waking another would only move it about.
        let others = self
            .remote()
            .is_some_and(|own| own.default.len() + own.system.len() > 1);
        if others && self.shared.remotes.len() > 1 {
            self.shared.wake_a_worker();
        }
    }

    fn push(&self, task: Task) {
        if let Some(seeded) = &self.seeded {
            return seeded.borrow_mut().push(task);
        }
        match self.remote() {
            Some(remote) => remote.queue(task.class()).push(task),
            None => self.shared.injector.push(task),
        }
    }
}
