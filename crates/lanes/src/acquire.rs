//! Owns the wait for a permit: a leaf future that claims the lane as the reason of its wait.

use crate::core::{Grant, WaiterKey};
use crate::events;
use crate::lane::Lane;
use crate::permit::Permit;
use glasshouse_scheduler::{task, wait};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The future of [`Lane::acquire`]. It queues up at its first poll. Dropped, it leaves the queue; a
/// permit that it was granted and never took up goes on to the next waiter.
///
/// ```
/// use glasshouse_lanes::Lanes;
/// use glasshouse_scheduler::{Builder, Handle, spawn};
/// let scheduler = Builder::deterministic(1).build().unwrap();
/// scheduler.block_on(async {
///     let lanes = Lanes::builder().lane("io", 1).build(&Handle::current()).unwrap();
///     let wait = lanes.lane("io").unwrap().acquire();
///     // It owns all it needs, and can wait in a task of its own.
///     let permit = spawn(wait).await.unwrap();
///     assert_eq!(permit.lane(), "io");
/// });
/// ```
#[derive(Debug)]
#[must_use = "a future does nothing unless it is awaited"]
pub struct Acquire {
    lane: Lane,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    New,
    Waiting(WaiterKey),
    Over,
}

impl Acquire {
    pub(crate) fn new(lane: Lane) -> Acquire {
        Acquire {
            lane,
            phase: Phase::New,
        }
    }
}

impl Future for Acquire {
    type Output = Permit;

    /// # Panics
    /// When it is polled after it was ready.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Permit> {
        let acquire = self.get_mut();
        let (shared, index) = (acquire.lane.shared(), acquire.lane.index());
        let result = match std::mem::replace(&mut acquire.phase, Phase::Over) {
            Phase::New => {
                let now_ns = shared.now_ns();
                let core = &mut shared.book().core;
                match core.try_take(index) {
                    true => Ok(Grant {
                        at_ns: now_ns,
                        waited_ns: 0,
                    }),
                    false => Err(core.enqueue(index, cx.waker().clone(), now_ns)),
                }
            }
            Phase::Waiting(key) => shared.book().core.take(key, cx.waker()),
            Phase::Over => panic!("an Acquire was polled after it was ready; await it once"),
        };
        let lane = shared.lane(index);
        match result {
            Ok(grant) => {
                events::acquired(lane.text, lane.limit, grant.waited_ns);
                Poll::Ready(Permit::new(shared.clone(), index, grant.at_ns))
            }
            Err(key) => {
                acquire.phase = Phase::Waiting(key);
                wait::claim_lane(lane.text);
                Poll::Pending
            }
        }
    }
}

impl Drop for Acquire {
    fn drop(&mut self) {
        if let Phase::Waiting(key) = std::mem::replace(&mut self.phase, Phase::Over) {
            let shared = self.lane.shared();
            let mut book = shared.book();
            let returned = book.core.cancel(key, task::try_id());
            shared.follow_up(book, returned);
        }
    }
}
