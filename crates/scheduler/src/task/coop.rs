//! Owns the budget of a tick: how often its leaf futures may succeed before the task lets its peers run.
//!
//! A task whose descriptors are always ready, or whose joins are always done, would never return from its
//! poll. So each success of a leaf takes one from the tick's budget; when nothing is left, leaves are pending
//! although they could go on, and wake their task at once. The log shows that as a `Yield` by the task itself.
//!
//! A leaf of your own takes part like this:
//!
//! ```
//! use glasshouse_scheduler::task::coop;
//! use std::task::{Context, Poll, ready};
//!
//! fn poll_next(queue: &mut Vec<u32>, cx: &mut Context<'_>) -> Poll<Option<u32>> {
//!     ready!(coop::poll_proceed(cx));
//!     coop::made_progress();
//!     Poll::Ready(queue.pop())
//! }
//! # let mut cx = Context::from_waker(std::task::Waker::noop());
//! # assert_eq!(poll_next(&mut vec![1], &mut cx), Poll::Ready(Some(1)));
//! ```

use pin_project_lite::pin_project;
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Successes of leaf futures in one tick. The number that tokio uses; with system calls of a microsecond it
/// is a tenth of a millisecond.
const BUDGET: i16 = 128;
/// Refusals in one tick after which the budget is filled again: whoever polls so often after a refusal is an
/// executor of its own inside the task (`futures::executor::block_on`), which cannot let peers run, and would
/// otherwise never come to its end. A guess, above the number of leaves that one tick polls in practice.
const REFUSALS: i16 = 4096;
/// Outside of a tick nothing is limited.
const UNLIMITED: i16 = i16::MAX;

thread_local! {
    /// What the tick has left; below zero, the refusals.
    static LEFT: Cell<i16> = const { Cell::new(UNLIMITED) };
}

/// A tick begins.
pub(crate) fn start_tick() {
    LEFT.set(BUDGET);
}

/// This thread runs no more ticks.
pub(crate) fn lift() {
    LEFT.set(UNLIMITED);
}

/// Whether a leaf may go on in this tick. If it must not, its task has been woken, and the leaf returns
/// pending.
pub fn poll_proceed(cx: &Context<'_>) -> Poll<()> {
    let left = LEFT.get();
    if left > 0 {
        return Poll::Ready(());
    }
    refuse(left, cx)
}

#[cold]
fn refuse(left: i16, cx: &Context<'_>) -> Poll<()> {
    LEFT.set(if left > -REFUSALS { left - 1 } else { BUDGET });
    cx.waker().wake_by_ref();
    Poll::Pending
}

/// A leaf succeeded: takes one from the tick's budget.
pub fn made_progress() {
    let left = LEFT.get();
    if (1..UNLIMITED).contains(&left) {
        LEFT.set(left - 1);
    }
}

/// Whether leaves may still go on in this tick. True outside of tasks.
pub fn has_budget_remaining() -> bool {
    LEFT.get() > 0
}

/// Takes one from the tick's budget, and lets the other ready tasks run if nothing is left. For loops that
/// wait for nothing, or for leaves that take no part.
///
/// ```
/// # let scheduler = glasshouse_scheduler::Builder::deterministic(1).build().unwrap();
/// # scheduler.block_on(async {
/// let mut sum = 0u64;
/// for number in 0..10_000 {
///     sum += number;
///     glasshouse_scheduler::task::coop::consume_budget().await;
/// }
/// # });
/// ```
pub async fn consume_budget() {
    poll_fn(|cx| {
        ready!(poll_proceed(cx));
        made_progress();
        Poll::Ready(())
    })
    .await;
}

/// Lets `future` go on as long as it can: its leaves take nothing from the budget, and are never refused.
pub fn unconstrained<F: Future>(future: F) -> Unconstrained<F> {
    Unconstrained { future }
}

pin_project! {
    /// The future of [`unconstrained`].
    ///
    /// ```
    /// use glasshouse_scheduler::task::coop::{Unconstrained, unconstrained};
    /// # let scheduler = glasshouse_scheduler::Builder::deterministic(1).build().unwrap();
    /// # scheduler.block_on(async {
    /// let free: Unconstrained<_> = unconstrained(async { 42 });
    /// assert_eq!(free.await, 42);
    /// # });
    /// ```
    #[derive(Debug)]
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct Unconstrained<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Unconstrained<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        struct Restore(i16);
        impl Drop for Restore {
            fn drop(&mut self) {
                LEFT.set(self.0);
            }
        }
        let _restore = Restore(LEFT.replace(UNLIMITED));
        self.project().future.poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    fn successes() -> i16 {
        let cx = Context::from_waker(Waker::noop());
        let mut count = 0;
        while count < 1000 && poll_proceed(&cx).is_ready() {
            made_progress();
            count += 1;
        }
        count
    }

    #[test]
    fn a_tick_has_its_budget_and_the_next_one_a_new_one() {
        for _ in 0..2 {
            start_tick();
            assert_eq!(successes(), BUDGET);
            assert!(!has_budget_remaining());
        }
        lift();
    }

    #[test]
    fn outside_of_ticks_nothing_is_limited() {
        assert_eq!(successes(), 1000);
    }

    #[test]
    fn an_executor_inside_a_tick_comes_to_its_end() {
        start_tick();
        let mut done = 0;
        let cx = Context::from_waker(Waker::noop());
        while done < 3 * BUDGET {
            if poll_proceed(&cx).is_ready() {
                made_progress();
                done += 1;
            }
        }
        lift();
    }
}
