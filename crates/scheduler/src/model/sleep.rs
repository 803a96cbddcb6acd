//! Models of sleeps on a worker while another thread fires its timers, as the watchdog does for one that is stuck.

use super::explore_within;
use super::scene::{close, handle, scheduler_with};
use crate::runtime::{self, Shared};
use crate::task::yield_now;
use crate::time::{Instant, sleep_until, timeout_at};
use glasshouse_pal::{Clock, Pal};
use loom::thread;
use std::sync::Arc;
use std::time::Duration;

/// A scheduler of one worker whose time stands still, and the moment at which all sleeps of a model end.
fn still() -> (Arc<Shared>, Clock, Instant) {
    let clock = Clock::virtual_time();
    let shared = scheduler_with(1, Pal::memory_with(clock.clone()));
    let moment = Instant::on(&clock) + Duration::from_nanos(5);
    (shared, clock, moment)
}

/// Another thread is where that moment has come, and fires the worker's timers; the worker knows later, as one
/// does that takes the start of its tick for the present.
fn fire(shared: &Arc<Shared>, clock: Clock) -> thread::JoinHandle<()> {
    let shared = shared.clone();
    thread::spawn(move || {
        shared.remotes[0].timers.fire(5);
        clock.set(10);
    })
}

/// The one task sleeps like this, and ends the scheduler; another thread fires its worker's timers meanwhile.
fn ends_though_fired<F>(preemptions: usize, sleep: fn(Instant) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    explore_within(preemptions, move || {
        let (shared, clock, moment) = still();
        let closer = shared.clone();
        drop(handle(&shared).spawn(async move {
            sleep(moment).await;
            close(&closer);
        }));
        let firing = fire(&shared, clock);
        // Loom reports a deadlock, or a loop without end, if the sleep does not end.
        runtime::run_worker(shared.clone(), 0);
        firing.join().unwrap();
        assert_eq!(shared.remotes[0].timers.next(), None);
    });
}

#[test]
fn a_sleep_ends_though_another_thread_fires_it_as_it_is_armed() {
    ends_though_fired(3, sleep_until_lazily);
}

#[test]
fn a_sleep_that_took_over_the_timer_of_another_ends_though_that_fires_meanwhile() {
    ends_though_fired(2, |moment| async move {
        let _ = timeout_at(moment, yield_now()).await;
        sleep_until(moment).await;
    });
}

#[test]
fn a_sleep_that_is_cancelled_as_it_fires_leaves_no_timer_behind() {
    explore_within(2, || {
        let (shared, clock, moment) = still();
        let closer = shared.clone();
        let sleeper = handle(&shared).spawn(sleep_until_lazily(moment));
        drop(handle(&shared).spawn(async move {
            yield_now().await;
            sleeper.abort();
            let _ = sleeper.await;
            close(&closer);
        }));
        let firing = fire(&shared, clock);
        runtime::run_worker(shared.clone(), 0);
        firing.join().unwrap();
        assert_eq!(shared.remotes[0].timers.next(), None);
    });
}

/// A sleep is made where a scheduler is: in its task.
async fn sleep_until_lazily(moment: Instant) {
    sleep_until(moment).await;
}
