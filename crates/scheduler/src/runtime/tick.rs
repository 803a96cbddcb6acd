//! Owns a tick: one poll of one task, with the records and the state changes around it.
//!
//! The order is fixed. A poll that waits: stamp, slot, publish IDLE, record; after the publication the
//! task may be another worker's, or freed, so the record is made from a draft. A poll that comes back
//! ready: stamp, slot, record, and only then is it pushed; its state word stays as it is. A poll that
//! ends: stamp, slot, record, and only then COMPLETE is published, so that who sees the result finds the
//! end in the log.

use crate::runtime::context::{self, Worker};
use crate::task::{Class, End, Outcome, Start, Task, borrowed_waker, coop};
use glasshouse_pal::{FailureKind, TextId};
use glasshouse_telemetry::{Leave, Tick, Woken};
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
        self.failure
            .set(TextId(task.failure.load(Ordering::Relaxed)));
        let outcome = match start {
            Start::Poll => {
                let waker = borrowed_waker(&task);
                match poll(&task, &mut Context::from_waker(&waker)) {
                    Outcome::Pending if task.state.load().is_aborted() => task.cancel(),
                    outcome => outcome,
                }
            }
            Start::Cancel => task.cancel(),
        };
        let woke_itself = self.end_polling();
        let run_ticks = self.seam.poll_returned(&mut tick);
        match outcome {
            Outcome::Pending => self.suspend(task, tick, run_ticks, woke_itself),
            ended => self.finish(task, tick, ended),
        }
    }

    fn suspend(&self, task: Task, tick: Tick, run_ticks: u64, woke_itself: bool) -> After {
        let failure = self.failure.get().0;
        if failure != 0 {
            task.failure.store(failure, Ordering::Relaxed);
        }
        // Before the state is published: afterwards these are another worker's.
        let used = task.quantum_used.load(Ordering::Relaxed) + run_ticks;
        if !woke_itself && !task.state.load().is_woken() {
            task.quantum_used.store(0, Ordering::Relaxed);
            let draft = self.seam.leave(task.trace(), &tick, self.reason().leave());
            if task.state.end_poll() == End::Idle {
                self.clear_current();
                self.seam.commit(tick, draft);
                return After::Idle;
            }
        }
        let throttled = used > self.shared.quantum_ticks;
        let left = if throttled { 0 } else { used };
        task.quantum_used.store(left, Ordering::Relaxed);
        let woken = if woke_itself {
            Woken::ByItself
        } else {
            Woken::AsNoted
        };
        let leave = if throttled {
            Leave::Throttled(woken)
        } else {
            Leave::Yield(woken)
        };
        let draft = self.seam.leave(task.trace(), &tick, leave);
        self.clear_current();
        self.seam.commit(tick, draft);
        After::Ready { task, throttled }
    }

    fn finish(&self, task: Task, tick: Tick, outcome: Outcome) -> After {
        let leave = match (outcome, self.failure.get()) {
            (Outcome::Panicked(text), _) => failed(FailureKind::Panic, text),
            (Outcome::Cancelled, _) => failed(FailureKind::Cancelled, TextId(0)),
            (_, TextId(0)) => Leave::Done,
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
            context::wake_contained(joiner);
        }
        self.clear_current();
        task.release();
        if counted {
            self.shared.live.finished(self.index);
            self.shared.phase.task_ended();
        }
        After::Ended
    }
}

fn failed(kind: FailureKind, text: TextId) -> Leave {
    Leave::Failed { kind, text }
}
