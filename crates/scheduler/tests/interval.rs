//! Intervals: when ticks are due, what becomes of missed ones, and resets. All in virtual time.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

use glasshouse_scheduler::Builder;
use glasshouse_scheduler::time::{self, Instant, Interval, MissedTickBehavior};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn in_virtual_time<F: Future>(future: F) -> F::Output {
    let scheduler = Builder::deterministic(1).build().unwrap();
    scheduler.block_on(future)
}

/// When ticks were due and when they were taken, in ms since `begun`. Before each tick time passes by one of
/// `busy_ms`.
async fn ticks(every: &mut Interval, begun: Instant, busy_ms: &[u64]) -> Vec<(u128, u128)> {
    let mut ticks = Vec::new();
    for &busy in busy_ms {
        time::advance(ms(busy));
        let due = every.tick().await;
        let due = due.duration_since(begun).as_millis();
        ticks.push((due, begun.elapsed().as_millis()));
    }
    ticks
}

#[test]
fn the_first_tick_comes_at_once_and_the_others_by_the_period() {
    in_virtual_time(async {
        let begun = Instant::now();
        let mut every = time::interval(ms(300));
        let taken = ticks(&mut every, begun, &[0, 0, 250, 0]).await;
        assert_eq!(taken, [(0, 0), (300, 300), (600, 600), (900, 900)]);
    });
}

#[test]
fn an_interval_can_begin_later_or_have_begun_before() {
    in_virtual_time(async {
        let begun = Instant::now();
        let mut later = time::interval_at(begun + ms(70), ms(50));
        let taken = ticks(&mut later, begun, &[0, 0]).await;
        assert_eq!(taken, [(70, 70), (120, 120)]);
        let mut before = time::interval_at(begun + ms(20), ms(50));
        before.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let taken = ticks(&mut before, begun, &[0, 0]).await;
        assert_eq!(taken, [(20, 120), (170, 170)]);
    });
}

#[test]
fn missed_ticks_are_caught_up_with_put_off_or_left_out() {
    use MissedTickBehavior::{Burst, Delay, Skip};
    let rows: [(_, [(u128, u128); 6]); 3] = [
        (
            Burst,
            [
                (0, 0),
                (50, 120),
                (100, 120),
                (150, 150),
                (200, 200),
                (250, 250),
            ],
        ),
        (
            Delay,
            [
                (0, 0),
                (50, 120),
                (170, 170),
                (220, 220),
                (270, 270),
                (320, 320),
            ],
        ),
        (
            Skip,
            [
                (0, 0),
                (50, 120),
                (150, 150),
                (200, 200),
                (250, 250),
                (300, 300),
            ],
        ),
    ];
    for (behavior, expected) in rows {
        in_virtual_time(async {
            let begun = Instant::now();
            let mut every = time::interval(ms(50));
            assert_eq!(every.missed_tick_behavior(), Burst, "unless told otherwise");
            every.set_missed_tick_behavior(behavior);
            let taken = ticks(&mut every, begun, &[0, 120, 0, 0, 0, 0]).await;
            assert_eq!(taken, expected, "{behavior:?}");
        });
    }
}

#[test]
fn a_tick_that_is_five_milliseconds_late_is_not_missed() {
    for behavior in [MissedTickBehavior::Delay, MissedTickBehavior::Skip] {
        in_virtual_time(async {
            let begun = Instant::now();
            let mut every = time::interval(ms(4));
            every.set_missed_tick_behavior(behavior);
            let taken = ticks(&mut every, begun, &[0, 9, 0, 0]).await;
            assert_eq!(taken, [(0, 0), (4, 9), (8, 9), (12, 12)], "{behavior:?}");
        });
    }
}

#[test]
fn a_tick_missed_by_whole_periods_is_skipped_to_the_one_after() {
    in_virtual_time(async {
        let begun = Instant::now();
        let mut every = time::interval(ms(50));
        every.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let taken = ticks(&mut every, begun, &[0, 200, 0]).await;
        assert_eq!(taken, [(0, 0), (50, 200), (250, 250)]);
    });
}

#[test]
fn a_wait_for_a_tick_can_be_dropped_and_nothing_is_lost() {
    in_virtual_time(async {
        let begun = Instant::now();
        let mut every = time::interval(ms(50));
        every.tick().await;
        for _ in 0..3 {
            assert!(time::timeout(ms(10), every.tick()).await.is_err());
        }
        let taken = ticks(&mut every, begun, &[0, 0]).await;
        assert_eq!(taken, [(50, 50), (100, 100)]);
    });
}

#[test]
fn a_reset_moves_the_next_tick_and_those_that_follow() {
    in_virtual_time(async {
        let begun = Instant::now();
        let mut every = time::interval(ms(100));
        every.tick().await;
        time::advance(ms(30));
        every.reset();
        assert_eq!(ticks(&mut every, begun, &[0]).await, [(130, 130)]);
        every.reset_after(ms(20));
        assert_eq!(ticks(&mut every, begun, &[0]).await, [(150, 150)]);
        every.reset_immediately();
        assert_eq!(ticks(&mut every, begun, &[0]).await, [(150, 150)]);
        every.reset_at(begun + ms(400));
        let taken = ticks(&mut every, begun, &[0, 0]).await;
        assert_eq!(taken, [(400, 400), (500, 500)]);
        assert_eq!(every.period(), ms(100));
    });
}

#[test]
fn who_waits_for_a_tick_hears_of_a_reset() {
    in_virtual_time(async {
        let begun = Instant::now();
        let mut every = time::interval(ms(1000));
        every.tick().await;
        // Polled before and after the reset by the same task.
        let pending = poll_fn(|cx| Poll::Ready(every.poll_tick(cx).is_pending()));
        assert!(pending.await);
        every.reset_after(ms(10));
        poll_fn(|cx| every.poll_tick(cx)).await;
        assert_eq!(begun.elapsed(), ms(10));
    });
}

#[test]
fn a_period_beyond_the_clock_ticks_once() {
    in_virtual_time(async {
        let begun = Instant::now();
        let mut every = time::interval(Duration::MAX);
        assert_eq!(every.tick().await, begun);
        let mut second = pin!(every.tick());
        let bounded = time::timeout(ms(1 << 40), second.as_mut());
        assert!(bounded.await.is_err());
    });
}

#[test]
fn a_period_of_zero_panics_with_the_remedy() {
    in_virtual_time(async {
        let made = AssertUnwindSafe(|| time::interval(Duration::ZERO));
        let payload = catch_unwind(made).unwrap_err();
        let message = payload.downcast_ref::<&str>().unwrap();
        assert!(message.contains("give it a length"), "{message}");
    });
}
