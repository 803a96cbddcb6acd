//! Owns a worker's loop: which task runs next, and where a ready task is pushed.

use crate::queue::LocalQueue;
use crate::runtime::context::Worker;
use crate::runtime::ending;
use crate::runtime::entered;
use crate::runtime::root::Root;
use crate::runtime::shared::Shared;
use crate::runtime::tick::After;
use crate::task::{Class, Task};
use std::sync::Arc;

/// Turns between two looks at the shared queue and the driver while the own queue has work. Prime, so
/// that it does not fall into step with a task pattern; its size is common practice.
pub(crate) const SHARED_INTERVAL: u32 = 61;
/// Tasks that a worker takes from the shared queue into its own at once, at most, so that others find some: a guess.
const SHARE_MAX: usize = 128;
/// System tasks that run in a row while default ones are ready: they come first, but not for ever. A guess.
const SYSTEM_RUN: u32 = 32;

/// The body of a worker's thread.
pub(crate) fn run_worker(shared: Arc<Shared>, index: usize) {
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
            let is_root = root.as_ref().is_some_and(|root| root.is(&task));
            // One call: the tick becomes part of this loop.
            let ended = self.run_task(task, |task, cx| match &mut root {
                Some(root) if is_root => root.poll(cx),
                _ => task.poll(cx),
            });
            if ended && is_root {
                return;
            }
        }
    }

    /// One tick, and the push of what came back ready. Whether the task ended.
    #[inline]
    pub(crate) fn run_task(
        &self,
        task: Task,
        poll: impl FnOnce(&Task, &mut std::task::Context<'_>) -> crate::task::Outcome,
    ) -> bool {
        match self.tick(task, poll) {
            After::Idle => false,
            After::Ready { task, throttled } => {
                self.push_back(task, throttled);
                false
            }
            After::Ended => true,
        }
    }

    /// What is due beside the tasks: timers at every turn, the driver now and then.
    #[inline]
    pub(crate) fn take_turn(&self) {
        let left = self.turns_left.get();
        self.turns_left.set(left.wrapping_sub(1));
        match left {
            0 => self.turns_left.set(SHARED_INTERVAL - 1),
            1 => self.look_around(),
            _ => {}
        }
        if let Some(own) = &self.own {
            self.disarm_spare();
            own.timers.fire(self.seam.now());
        }
    }

    #[cold]
    fn look_around(&self) {
        if let Some(driver) = &self.shared.driver {
            driver.poll_now();
        }
        if !self.is_alone {
            self.relieve_siblings();
        }
    }

    /// The next ready task of this worker, in order: system before default, own before shared.
    #[inline]
    pub(crate) fn next_task(&self) -> Option<Task> {
        // Most turns are like this: only default tasks are ready, and it is the own queue's turn.
        if self.turns_left.get() != 0
            && self.system_run.get() == 0
            && let (Some(own), None) = (&self.own, &self.seeded)
            && own.system.is_empty()
            && self.shared.injector.is_empty_of(Class::System)
            && let Some(task) = own.default.pop()
        {
            return Some(self.taken(task));
        }
        self.next_task_in_order()
    }

    #[inline(never)]
    fn next_task_in_order(&self) -> Option<Task> {
        let shared_first = self.turns_left.get() == 0;
        let default_first = self.system_run.get() >= SYSTEM_RUN;
        let order = if default_first {
            [Class::Default, Class::System]
        } else {
            [Class::System, Class::Default]
        };
        for class in order {
            if let Some(task) = self.pop(class, shared_first) {
                let run = match class {
                    Class::System => (self.system_run.get() + 1).min(SYSTEM_RUN),
                    Class::Default => 0,
                };
                self.system_run.set(run);
                return Some(self.taken(task));
            }
        }
        // Nothing of either class was ready: the run of system tasks held nobody up.
        self.system_run.set(0);
        None
    }

    #[inline]
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
        let own = self.own.as_ref()?.queue(class);
        if shared_first {
            self.pop_shared(class, own).or_else(|| own.pop())
        } else {
            own.pop().or_else(|| self.pop_shared(class, own))
        }
    }

    /// Takes from the shared queue: one to run, and this worker's share of the rest into its own queue.
    fn pop_shared(&self, class: Class, own: &LocalQueue<Task>) -> Option<Task> {
        let injector = &self.shared.injector;
        let first = injector.pop(class)?;
        // It was made ready on another thread: its stamps may be later than our last boundary.
        self.seam.refresh();
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
        own + self.shared.injector.len_of_all()
    }

    /// A task that another task, a timer or a descriptor made ready on this thread.
    #[inline(always)]
    pub(crate) fn push_woken(&self, task: Task) {
        self.seam.pushed();
        self.push(task);
        match self.own {
            Some(_) => self.offer(),
            // A guest has no queue.
            None => self.shared.wake_a_worker(),
        }
    }

    /// A task that came back ready from its own tick.
    #[inline(always)]
    pub(crate) fn push_back(&self, task: Task, throttled: bool) {
        self.seam.pushed();
        if throttled {
            return self.push_throttled(task);
        }
        self.push(task);
        self.offer();
    }

    #[cold]
    fn push_throttled(&self, task: Task) {
        if task.class() == Class::System {
            // It used up its quantum: default tasks get their turn before the next system task.
            self.system_run.set(SYSTEM_RUN);
        }
        if let Some(seeded) = &self.seeded {
            seeded.borrow_mut().push_throttled(task);
            return;
        }
        if self.shared.injector.is_empty_of(task.class()) {
            self.push(task);
            self.offer();
        } else {
            // Its peers may have been put there while it ran: behind the last of them.
            self.shared.inject(task);
        }
    }

    /// Alone in the queue, what was pushed is this worker's next tick: waking another would only move it
    /// about, at the price of a system call and of caches that are cold. Beside others, a sleeper could
    /// serve them. Should the tick under way never end, the watchdog hands on what waits behind it.
    #[inline]
    fn offer(&self) {
        if !self.is_alone
            && let Some(own) = &self.own
            && own.default.len() + own.system.len() > 1
        {
            self.shared.wake_a_worker();
        }
    }

    /// To this worker's own queue, where it has one; neither counted nor told to anybody.
    #[inline(always)]
    pub(crate) fn push(&self, task: Task) {
        if let Some(seeded) = &self.seeded {
            return seeded.borrow_mut().push(task);
        }
        match &self.own {
            Some(own) => own.queue(task.class()).push(task),
            None => self.shared.injector.push(task),
        }
    }
}
