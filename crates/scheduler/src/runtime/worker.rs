//! Owns a worker's loop: which task runs next, and where a ready task is pushed.

use crate::queue::LocalQueue;
use crate::runtime::context::Worker;
use crate::runtime::ending;
use crate::runtime::entered;
use crate::runtime::root::Root;
use crate::runtime::shared::{Remote, Shared};
use crate::runtime::tick::After;
use crate::task::{Class, Task};
use glasshouse_pal::WakeSource;
use std::sync::Arc;

/// Turns between two looks at the shared queue and the driver while the own queue has work. Prime, so
/// that it does not fall into step with a task pattern; its size is common practice.
pub(crate) const SHARED_INTERVAL: u32 = 61;
/// Tasks that a worker takes from the shared queue into its own at once, at most, so that others find some: a guess.
const SHARE_MAX: usize = 128;
/// System tasks that run in a row while default ones are ready: they come first, but not for ever. A guess.
const SYSTEM_RUN: u32 = 32;
/// Tasks that run in a row because the one before woke them, while others wait in the queue. As many as tokio's.
const NEXT_RUN: u32 = 3;

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
            let Some(task) = self.turn() else {
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

    /// What is due beside the tasks (timers at every turn, the driver now and then), and the next ready task of
    /// this worker, in order: system before default, own before shared.
    #[inline(always)]
    pub(crate) fn turn(&self) -> Option<Task> {
        let left = self.turns_left.get();
        let is_own = left > 1;
        if is_own {
            self.turns_left.set(left - 1);
        } else {
            self.end_round(left);
        }
        if let Some(own) = &self.own {
            self.disarm_spare();
            own.timers.fire(self.seam.now());
        }
        // Most turns are like this: only default tasks are ready, and it is the own queue's turn.
        if is_own
            && self.system_run.get() == 0
            && let Some(own) = &self.queues
            && own.system.is_empty_for_owner()
            && self.shared.injector.is_empty_of(Class::System)
            && let Some(task) = self.pop_default(own)
        {
            // A lone worker's queue takes no exchange, and it has nobody to wake.
            if !self.is_alone && self.shared.idle.is_overlooked() && own.ready() > 0 {
                self.shared.wake_a_worker();
            }
            return Some(self.taken(task));
        }
        self.next_task()
    }

    /// Every so many turns the driver is looked at, and the shared queue before the own one.
    #[cold]
    fn end_round(&self, left: u32) {
        if left == 0 {
            self.turns_left.set(SHARED_INTERVAL - 1);
            return;
        }
        self.turns_left.set(0);
        if let Some(driver) = &self.shared.driver {
            driver.poll_now();
        }
        if !self.is_alone {
            self.relieve_siblings();
        }
    }

    /// The next ready task, in order.
    #[inline(never)]
    pub(crate) fn next_task(&self) -> Option<Task> {
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
                if let Some(own) = &self.queues
                    && !self.is_alone
                    && own.ready() > 0
                {
                    self.shared.wake_a_worker();
                }
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
        let remote = self.own.as_ref()?;
        let own = || match class {
            Class::System => remote.system.pop(),
            Class::Default => self.pop_default(remote),
        };
        let shared = || self.pop_shared(class, remote.queue(class));
        if shared_first {
            shared().or_else(own)
        } else {
            own().or_else(shared)
        }
    }

    /// What the last task woke comes before the queue, but not for ever.
    #[inline(always)]
    fn pop_default(&self, own: &Remote) -> Option<Task> {
        if !self.is_alone {
            if let Some(task) = own.default.next().take() {
                self.next_run.set(self.next_run.get() + 1);
                return Some(task);
            }
            self.next_run.set(0);
        }
        own.default.pop()
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
        match &self.queues {
            Some(own) => {
                self.seam.pushed();
                own.queue(task.class()).push(task);
                self.offer(own);
            }
            None => self.push_elsewhere(task),
        }
    }

    /// A task that `by` woke on this thread. What another task woke is next, while what both work on lies in the
    /// caches; if the tick under way turns out long, a busy sibling or the watchdog takes it over. A lone worker keeps
    /// the order of the queue, from which it takes without an exchange.
    #[inline(always)]
    pub(crate) fn push_woken_by(&self, task: Task, by: WakeSource) {
        match &self.queues {
            Some(own)
                if !self.is_alone
                    && matches!(by, WakeSource::Task(_))
                    && task.class() == Class::Default
                    && self.next_run.get() < NEXT_RUN =>
            {
                self.seam.pushed();
                if let Some(before) = own.default.next().put(task) {
                    own.default.push(before);
                }
                self.offer(own);
            }
            _ => self.push_woken(task),
        }
    }

    /// What is woken from here on stands in the queue, until that has had its turn.
    #[inline(always)]
    pub(crate) fn queue_goes_next(&self) {
        self.next_run.set(NEXT_RUN);
    }

    /// A task that came back ready from its own tick.
    #[inline(always)]
    pub(crate) fn push_back(&self, task: Task, throttled: bool) {
        if throttled {
            self.push_throttled(task);
        } else {
            self.push_woken(task);
        }
    }

    /// By a worker whose tasks the seed picks, which is alone, and by a guest, which has no queue.
    #[inline(never)]
    fn push_elsewhere(&self, task: Task) {
        match &self.seeded {
            Some(seeded) => {
                self.seam.pushed();
                seeded.borrow_mut().push(task);
            }
            None => {
                self.seam.pushed_as_guest();
                self.shared.injector.push(task);
                self.shared.wake_a_worker();
            }
        }
    }

    #[cold]
    fn push_throttled(&self, task: Task) {
        if task.class() == Class::System {
            // It used up its quantum: default tasks get their turn before the next system task.
            self.system_run.set(SYSTEM_RUN);
        }
        if let Some(seeded) = &self.seeded {
            self.seam.pushed();
            seeded.borrow_mut().push_throttled(task);
        } else if self.shared.injector.is_empty_of(task.class()) {
            self.push_woken(task);
        } else {
            // Its peers may have been put there while it ran: behind the last of them.
            self.seam.pushed();
            self.shared.inject(task);
        }
    }

    /// Alone in the queue, what was pushed is this worker's next tick: waking another would only move it
    /// about, at the price of a system call and of caches that are cold. Beside others, a sleeper could
    /// serve them. Should the tick under way never end, the watchdog hands on what waits behind it.
    #[inline(always)]
    fn offer(&self, own: &Remote) {
        if !self.is_alone && self.shared.idle.is_wanted() && own.ready() > 1 {
            self.shared.wake_a_worker();
        }
    }

    /// To this worker's own queue, neither counted nor told to anybody: it was taken from another's.
    pub(crate) fn push_taken(&self, task: Task) {
        match &self.queues {
            Some(own) => own.queue(task.class()).push(task),
            None => self.shared.injector.push(task),
        }
    }
}
