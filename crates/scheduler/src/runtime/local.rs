//! Owns the end of a scheduler whose one worker is the thread in `block_on`: that thread runs what is left.

use crate::runtime::context::Worker;
use crate::task::Task;
use crate::time;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::Duration;

/// Ticks in a row in which virtual time stands still and no task ends, after which a shutdown waits no longer:
/// tasks that are always ready never let time pass. A guess, since how often a task yields before it ends
/// cannot be told; large, so that one which comes to its end is not cancelled.
const STILL_TICKS: u32 = 100_000;

impl Worker {
    /// Runs what is left, as far as `allowed` reaches. Whether all default tasks ended.
    pub(crate) fn run_until_ended(self: &Rc<Worker>, allowed: Duration) -> bool {
        // A timer among the others: it ends the worker's sleep, and nobody needs to be woken by it.
        let mut end = pin!(time::sleep(allowed));
        let mut cx = Context::from_waker(Waker::noop());
        loop {
            if self.shared.live.is_empty() {
                return true;
            }
            if end.as_mut().poll(&mut cx).is_ready() {
                return false;
            }
            match self.turn() {
                Some(task) => {
                    self.stop_searching();
                    self.run_task(task, Task::poll);
                }
                None => self.find_work(),
            }
        }
    }

    /// Runs what is left in virtual time, as far as `allowed` reaches. Whether all default tasks ended.
    pub(crate) fn run_out(&self, allowed: Duration) -> bool {
        let clock = self.shared.hub.clock();
        let end = clock.now().saturating_add(clock.ticks_in(allowed));
        let mut still = 0;
        while still < STILL_TICKS && clock.now() <= end {
            if self.shared.live.is_empty() {
                return true;
            }
            if allowed.is_zero() {
                return false;
            }
            if let Some(task) = self.turn() {
                let begun = clock.now();
                let ended = self.run_task(task, Task::poll);
                let is_still = clock.now() == begun && !ended;
                still = if is_still { still + 1 } else { 0 };
            } else if let Some(deadline) = self.next_deadline().filter(|&deadline| deadline <= end)
            {
                clock.set(deadline.max(clock.now()));
                self.seam.refresh();
                still = 0;
            } else {
                clock.set(end);
                self.seam.refresh();
                break;
            }
        }
        false
    }

    fn next_deadline(&self) -> Option<u64> {
        self.own.as_ref()?.timers.next()
    }
}
