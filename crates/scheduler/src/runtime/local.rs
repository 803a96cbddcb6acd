//! Owns the end of a scheduler whose one worker is the thread in `block_on`: that thread runs what is left.

use crate::runtime::context::Worker;
use crate::task::Task;
use crate::time;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::Duration;

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
            self.take_turn();
            match self.next_task() {
                Some(task) => {
                    self.stop_searching();
                    self.run_task(task, Task::poll);
                }
                None => self.find_work(),
            }
        }
    }
}
