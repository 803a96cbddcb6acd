//! Owns a tick: one poll of one task, with the records and the state changes around it.
//!
//! The order is fixed. A poll that waits: stamp, slot, publish IDLE, record; after the publication the
//! task may be another worker's, or freed, so the record is made from a draft. A poll that comes back
//! ready: stamp, slot, record, and only then is it pushed; its state word stays as it is. A poll that
//! ends: stamp, slot, record, and only then COMPLETE is published, so that who sees the result finds the
//! end in the log.

use crate::runtime::context::{self, Reason, Worker};
use crate::task::{Class, End, Outcome, Start, Task, borrowed_waker, coop};
use glasshouse_pal::{FailureKind, TextId, WaysOut};
use glasshouse_telemetry::{Draft, Leave, Tick, Woken};
use std::sync::atomic::Ordering;
use std::task::Context;

/// Where a tick left its task.
#[must_use]
pub(crate) enum After {
    /// It waits; whoever wakes it takes it up.
    Idle,
    /// It is ready again, and the caller's to push.
    Ready { task: Task, throttled: bool },
    /// It ended.
    Ended,
}

impl Worker {
    /// Runs one tick. `poll` is how this task is polled: its own future, or a root's on the stack.
    #[inline]
    pub(crate) fn tick(
        &self,
        task: Task,
        poll: impl FnOnce(&Task, &mut Context<'_>) -> Outcome,
    ) -> After {
        self.seam.take_in(task.trace());
        let mut tick = self.seam.start_tick(task.trace());
        let start = task.state.start_poll(|| task.trace().forget_waker());
        self.set_current(&task);
        coop::start_tick();
        let mut outcome = match start {
            Start::Poll => {
                let waker = borrowed_waker(&task);
                poll(&task, &mut Context::from_waker(&waker))
            }
            Start::Cancel => task.cancel(),
        };
        let mut is_woken = false;
        if outcome == Outcome::Pending {
            let state = task.state.load();
            is_woken = state.is_woken();
            if state.is_aborted() {
                outcome = task.cancel();
            }
        }
        let woke_itself = self.end_polling();
        let run_ticks = self.seam.poll_returned(&mut tick);
        if outcome != Outcome::Pending {
            self.finish(task, tick, outcome);
            return After::Ended;
        }
        // Before the state is published: afterwards the task is another worker's.
        self.keep_failure(&task);
        let used = task.quantum_used.load(Ordering::Relaxed) + run_ticks;
        let throttled = used > self.shared.quantum_ticks;
        if woke_itself && !throttled {
            // What a task that yields comes to: its draft is all constants but for the stamp and the task.
            task.quantum_used.store(used, Ordering::Relaxed);
            let leave = Leave::Yield(Woken::ByItself);
            let draft = self.seam.leave(task.trace(), &tick, leave);
            self.clear_current();
            self.seam.commit(tick, draft);
            return After::Ready { task, throttled };
        }
        if woke_itself || is_woken {
            let woken = if woke_itself {
                Woken::ByItself
            } else {
                Woken::AsNoted
            };
            return self.come_back(task, tick, used, woken);
        }
        task.quantum_used.store(0, Ordering::Relaxed);
        let reason = self.reason();
        if reason == Reason::Nothing {
            return self.suspend(task, tick, used, || Leave::Wait);
        }
        self.suspend_for(task, tick, used, reason)
    }

    /// Each a function of its own, in which the record is made of constants.
    #[inline(never)]
    fn suspend_for(&self, task: Task, tick: Tick, used: u64, reason: Reason) -> After {
        match reason {
            Reason::Nothing => self.suspend(task, tick, used, || Leave::Wait),
            Reason::Bounded => {
                let ways_out = WaysOut {
                    deadline: true,
                    ..WaysOut::default()
                };
                self.suspend_beside(task, tick, used, ways_out, || Leave::Wait)
            }
            Reason::Sleep(dur) => self.suspend(task, tick, used, || Leave::Sleep { dur }),
            Reason::Join(on, ways_out) => {
                self.suspend_beside(task, tick, used, ways_out, || Leave::Join(on))
            }
            Reason::Lane(lane, ways_out) => {
                self.suspend_beside(task, tick, used, ways_out, || Leave::Lane(lane))
            }
            Reason::Io(io) => self.suspend(task, tick, used, || Leave::Io(io)),
        }
    }

    /// What `task::fail` left in this tick stays with the task until it ends.
    #[inline(always)]
    fn keep_failure(&self, task: &Task) {
        let failure = self.failure.get();
        if failure != TextId::EMPTY {
            task.trace().keep_failure(failure);
        }
    }

    /// How a task leaves that comes back ready: it has used so much of its quantum.
    fn again(&self, task: &Task, used: u64, woken: Woken) -> (Leave, bool) {
        let throttled = used > self.shared.quantum_ticks;
        let left = if throttled { 0 } else { used };
        task.quantum_used.store(left, Ordering::Relaxed);
        let leave = match throttled {
            true => Leave::Throttled(woken),
            false => Leave::Yield(woken),
        };
        (leave, throttled)
    }

    /// The task waits, unless it is woken by now.
    #[inline(always)]
    fn suspend(&self, task: Task, tick: Tick, used: u64, leave: impl FnOnce() -> Leave) -> After {
        self.suspend_beside(task, tick, used, WaysOut::default(), leave)
    }

    /// The same for a wait that may also end so.
    #[inline(always)]
    fn suspend_beside(
        &self,
        task: Task,
        tick: Tick,
        used: u64,
        ways_out: WaysOut,
        leave: impl FnOnce() -> Leave,
    ) -> After {
        let draft = self.seam.leave(task.trace(), &tick, leave());
        let draft = draft.with_ways_out(ways_out);
        if task.state.end_poll() == End::Again {
            return self.resume(task, tick, used, draft);
        }
        self.clear_current();
        self.seam.commit(tick, draft);
        After::Idle
    }

    /// The task was woken in its tick.
    #[inline(never)]
    fn come_back(&self, task: Task, tick: Tick, used: u64, woken: Woken) -> After {
        let (leave, throttled) = self.again(&task, used, woken);
        let draft = self.seam.leave(task.trace(), &tick, leave);
        self.clear_current();
        self.seam.commit(tick, draft);
        After::Ready { task, throttled }
    }

    /// A wake came before the task's state was published.
    #[cold]
    #[inline(never)]
    fn resume(&self, task: Task, tick: Tick, used: u64, draft: Draft) -> After {
        let (leave, throttled) = self.again(&task, used, Woken::AsNoted);
        let draft = self.seam.leave_instead(task.trace(), &tick, draft, leave);
        self.clear_current();
        self.seam.commit(tick, draft);
        After::Ready { task, throttled }
    }

    fn finish(&self, task: Task, tick: Tick, outcome: Outcome) {
        self.keep_failure(&task);
        let leave = match (outcome, task.trace().failure()) {
            (Outcome::Panicked(text), _) => failed(FailureKind::Panic, text),
            (Outcome::Cancelled, _) => failed(FailureKind::Cancelled, TextId::EMPTY),
            (_, TextId::EMPTY) => Leave::Done,
            (_, text) => failed(FailureKind::Error, text),
        };
        let draft = self.seam.leave(task.trace(), &tick, leave);
        self.seam.commit(tick, draft);
        let root = task.is_root();
        if !root {
            self.shared.registry.remove(&task);
            self.shared.live.leave();
        }
        self.seam.free(task.trace());
        let counted = !root && task.class() == Class::Default;
        // From here on the output may be taken. Waking the joiner is still this task's doing.
        if let Some(joiner) = task.complete() {
            // Who joins many tasks, one after the other, finds more of them ended behind the queue.
            self.queue_goes_next();
            context::wake_contained(joiner);
        }
        self.clear_current();
        task.release();
        if counted {
            self.shared.live.finished(self.index);
            self.shared.phase.task_ended();
        }
    }
}

fn failed(kind: FailureKind, text: TextId) -> Leave {
    Leave::Failed { kind, text }
}
