//! Owns what a worker does when its own queues are empty: steal, poll the driver, sleep.

use crate::driver::{Driver, wake_all};
use crate::runtime::context::Worker;
use crate::runtime::shared::Shape;
use crate::task::{Class, Task};
use std::time::{Duration, Instant};

impl Worker {
    /// Called with empty queues: finds a task elsewhere and runs nothing itself, or sleeps until there
    /// may be one.
    pub(crate) fn find_work(&self) {
        if let Shape::Deterministic { io, .. } = self.shared.shape {
            return self.pass_time(io);
        }
        let Some(index) = self.index else {
            return;
        };
        if self.shared.remotes.len() > 1 {
            if !self.searching.get() {
                self.searching.set(self.shared.idle.start_searching());
            }
            if self.searching.get()
                && let Some(task) = self.steal()
            {
                // It goes through the queue like any other: it is popped in its class's turn.
                return self.push_taken(task);
            }
        }
        self.sleep(index);
    }

    /// Found work: if nobody else searches, somebody must, because pushers relied on us.
    pub(crate) fn stop_searching(&self) {
        if self.searching.replace(false) && self.shared.idle.stop_searching() && !self.is_alone {
            self.shared.wake_a_worker();
        }
    }

    /// Takes half of another worker's queue; the others in a fixed round from the next one on.
    pub(crate) fn steal(&self) -> Option<Task> {
        let me = self.index?;
        let remotes = &self.shared.remotes;
        let own = self.own.as_ref()?;
        for class in [Class::System, Class::Default] {
            for step in 1..remotes.len() {
                let victim = &remotes[(me + step) % remotes.len()];
                if let Some(task) = victim.queue(class).steal_into(own.queue(class)) {
                    // It was made ready on another thread: its stamps may be later than our boundary.
                    self.seam.refresh();
                    return Some(task);
                }
            }
        }
        None
    }

    /// Says that this worker sleeps, looks once more, and sleeps.
    fn sleep(&self, index: usize) {
        let idle = &self.shared.idle;
        idle.fall_asleep(index, self.searching.replace(false));
        if self.must_stay_awake() {
            self.awake(index);
            return;
        }
        self.seam.parked();
        let own = &self.shared.remotes[index];
        let timeout = own.timers.next().map(|deadline| {
            let clock = self.shared.hub.clock();
            let now = clock.now();
            Duration::from_nanos(clock.ns(deadline).saturating_sub(clock.ns(now)))
        });
        let awake = || {
            self.seam.unparked();
            self.awake(index);
        };
        let driver = self.shared.driver.as_ref();
        let polled = driver
            .filter(|driver| driver.is_used())
            .is_some_and(|driver| {
                driver.poll_parked(&own.parker, timeout, |woken| {
                    awake();
                    wake_all(woken);
                })
            });
        if !polled {
            own.parker.park(timeout);
            awake();
        }
    }

    fn awake(&self, index: usize) {
        self.searching.set(self.shared.awoke(index));
        self.shared.watchdog.worker_awoke();
    }

    /// The look at every queue after `fall_asleep`.
    fn must_stay_awake(&self) -> bool {
        self.shared.phase.is_closed()
            || !self.shared.injector.is_empty()
            || self
                .shared
                .remotes
                .iter()
                .any(|remote| !remote.default.is_empty() || !remote.system.is_empty())
    }

    /// A deterministic scheduler has nothing ready: time jumps to the next timer.
    fn pass_time(&self, io: bool) {
        let Some(own) = &self.own else {
            return;
        };
        let next = own.timers.next();
        let driver = self.shared.driver.as_ref().filter(|_| io);
        if let Some(driver) = driver.filter(|driver| driver.has_sources() || next.is_none()) {
            self.pass_real_time(driver, next);
        } else if let Some(deadline) = next {
            let clock = self.shared.hub.clock();
            if deadline > clock.now() {
                clock.set(deadline);
            }
        } else {
            self.is_stuck.set(true);
        }
        self.seam.refresh();
    }

    /// Time never jumps while descriptors are watched: it goes on in real time instead. Without any, it stands still
    /// until another thread wakes a task, or watches a descriptor.
    fn pass_real_time(&self, driver: &Driver, next: Option<u64>) {
        let Some(own) = &self.own else {
            return;
        };
        let clock = self.shared.hub.clock();
        let goes_on = driver.has_sources();
        let timeout =
            next.map(|deadline| Duration::from_nanos(deadline.saturating_sub(clock.now())));
        let begun = Instant::now();
        driver.poll_parked(&own.parker, timeout, |woken| {
            if goes_on {
                clock.advance_ns(begun.elapsed().as_nanos() as u64);
            }
            self.seam.refresh();
            wake_all(woken);
        });
    }
}
