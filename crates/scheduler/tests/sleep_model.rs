//! Random programs of sleeps, timeouts, resets and drops in virtual time. What each step takes is known by plain
//! arithmetic, to the nanosecond, and so is the order in which the steps of all tasks end.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

use futures::future::{join_all, select_all};
use glasshouse_scheduler::time::{self, Instant};
use glasshouse_scheduler::{Builder, spawn};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

const SEEDS: u64 = 300;
const TASKS: u64 = 12;
const STEPS: usize = 30;

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// A duration of any size up to an hour; short ones often, so that many fall on the same nanosecond.
    fn duration(&mut self) -> Duration {
        let bits = self.below(42);
        Duration::from_nanos(self.below(1 << bits))
    }

    fn durations(&mut self) -> Vec<Duration> {
        (0..1 + self.below(5)).map(|_| self.duration()).collect()
    }
}

/// Polls once, and says whether it is ready.
async fn is_ready(mut sleep: Pin<&mut time::Sleep>) -> bool {
    poll_fn(|cx| Poll::Ready(sleep.as_mut().poll(cx).is_ready())).await
}

/// Takes a step, and returns how long it must take.
async fn step(random: &mut Random) -> Duration {
    let begun = Instant::now();
    match random.below(8) {
        0 => {
            let duration = random.duration();
            time::sleep(duration).await;
            duration
        }
        1 => {
            let (ago, duration) = (random.duration(), random.duration());
            let deadline = begun.checked_sub(ago).unwrap_or(begun) + duration;
            time::sleep_until(deadline).await;
            deadline.duration_since(begun)
        }
        2 => {
            let (bound, duration) = (random.duration(), random.duration());
            let ended = time::timeout(bound, time::sleep(duration)).await;
            assert_eq!(ended.is_ok(), duration <= bound);
            bound.min(duration)
        }
        3 => {
            let mut sleep = pin!(time::sleep(random.duration()));
            let mut last = sleep.deadline();
            for duration in random.durations() {
                assert_eq!(is_ready(sleep.as_mut()).await, last <= begun);
                last = begun + duration;
                sleep.as_mut().reset(last);
            }
            sleep.await;
            last.duration_since(begun)
        }
        4 => {
            // Dropped, most of them armed.
            for duration in random.durations() {
                let mut sleep = pin!(time::sleep(duration));
                assert_eq!(is_ready(sleep.as_mut()).await, duration.is_zero());
            }
            Duration::ZERO
        }
        5 => {
            let durations = random.durations();
            let sleeps = durations
                .iter()
                .map(|&duration| Box::pin(time::sleep(duration)));
            let ((), _, rest) = select_all(sleeps).await;
            assert_eq!(rest.len(), durations.len() - 1);
            durations.into_iter().min().unwrap()
        }
        6 => {
            let durations = random.durations();
            join_all(durations.iter().map(|&duration| time::sleep(duration))).await;
            durations.into_iter().max().unwrap()
        }
        _ => {
            let period = random.duration() + Duration::from_nanos(1);
            let mut every = time::interval(period);
            let ticks = random.below(4) as u32;
            for tick in 0..=ticks {
                assert_eq!(every.tick().await, begun + period * tick);
            }
            period * ticks
        }
    }
}

/// When each step ended, and whose it was, in the order of ending.
fn run(seed: u64) -> Vec<(Instant, u64)> {
    let ended = Arc::new(Mutex::new(Vec::new()));
    let scheduler = Builder::deterministic(seed).build().unwrap();
    scheduler.block_on(async {
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| {
                let ended = ended.clone();
                let mut random = Random(seed << 8 | task);
                spawn(async move {
                    for _ in 0..STEPS {
                        let begun = Instant::now();
                        let takes = step(&mut random).await;
                        assert_eq!(begun.elapsed(), takes);
                        ended.lock().unwrap().push((Instant::now(), task));
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await
                .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        }
    });
    let ended = ended.lock().unwrap();
    ended.clone()
}

#[test]
fn every_step_of_a_random_program_takes_exactly_its_time_and_all_end_in_order() {
    for seed in 0..SEEDS {
        let ended = run(seed);
        assert_eq!(ended.len(), TASKS as usize * STEPS, "seed {seed}");
        assert!(ended.is_sorted_by_key(|&(at, _)| at), "seed {seed}");
    }
}

#[test]
fn the_same_seed_ends_the_steps_in_the_same_order() {
    for seed in 0..SEEDS / 10 {
        assert_eq!(run(seed), run(seed), "seed {seed}");
    }
}
