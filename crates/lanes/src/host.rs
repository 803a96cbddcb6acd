//! Owns the task that hands permits over: it runs when a permit comes back that somebody waits for.
//!
//! It ends when the last handle of its lanes is gone. When its scheduler ends before that, whoever
//! gives a permit back hands it over in its stead, so that no waiter elsewhere is forgotten.

use crate::core::{HandOver, Returned};
use crate::shared::{Seat, Shared, wake};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The most permits that one tick hands over; a guess that keeps a tick in the microseconds.
const HAND_OVERS_PER_TICK: usize = 64;

/// The future of the task named "lanes".
#[derive(Debug)]
pub(crate) struct Host {
    shared: Arc<Shared>,
    /// Whom to wake once the lock is released; kept, so that handing over allocates nothing.
    batch: Vec<HandOver>,
}

impl Host {
    pub(crate) fn new(shared: Arc<Shared>) -> Host {
        Host {
            shared,
            batch: Vec::with_capacity(HAND_OVERS_PER_TICK),
        }
    }
}

impl Future for Host {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let host = self.get_mut();
        let mut book = host.shared.book();
        if book.is_closed {
            return Poll::Ready(());
        }
        match &mut book.seat {
            Seat::Waiting(known) => known.clone_from(cx.waker()),
            seat => *seat = Seat::Waiting(cx.waker().clone()),
        }
        if book.core.has_returns() {
            let now_ns = host.shared.now_ns();
            let settled = std::iter::from_fn(|| book.core.settle(now_ns));
            host.batch.extend(settled.take(HAND_OVERS_PER_TICK));
        }
        let has_more = book.core.has_returns();
        drop(book);
        host.batch.drain(..).for_each(wake);
        if has_more {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let mut book = self.shared.book();
        book.seat = Seat::Empty;
        self.shared.follow_up(book, Returned::Settle);
    }
}
