//! Owns the row whose tasks yield beside one that does much in each of its ticks.

use super::Setting;
use crate::versus::runtime::Runtime;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Tasks that do next to nothing in a tick.
const TASKS: usize = 1000;
/// What the heavy task computes in each tick of its own.
const HEAVY_TICK: Duration = Duration::from_millis(1);
const WINDOW: Duration = Duration::from_millis(300);

/// How often the busiest of the light tasks ran for each time that the least busy one ran, the same of
/// the 99th and the first percentile, and how much of one worker the heavy task had, in per cent.
pub async fn beside_a_heavy_task<R: Runtime>(setting: Setting) -> Vec<f64> {
    let window = setting.size.of_time(WINDOW);
    let is_over = Arc::new(AtomicBool::new(false));
    let light: Vec<_> = (0..TASKS)
        .map(|_| R::spawn(ticks_until::<R>(is_over.clone(), || {})))
        .collect();
    let heavy = R::spawn(ticks_until::<R>(is_over.clone(), compute));
    // A thread ends it, as a timer of the runtime might itself be late.
    let end = thread::spawn(move || {
        thread::sleep(window);
        is_over.store(true, Ordering::Relaxed);
    });
    let heavy_ticks = heavy.await;
    let mut ticks = Vec::with_capacity(TASKS);
    for task in light {
        ticks.push(task.await as f64);
    }
    end.join().expect("a thread that sleeps ends by itself");
    ticks.sort_by(f64::total_cmp);
    let rank = |part: usize| ticks[(TASKS - 1) * part / 100];
    let heavy_part = HEAVY_TICK.as_secs_f64() * heavy_ticks as f64 / window.as_secs_f64();
    vec![rank(100) / rank(0), rank(99) / rank(1), heavy_part * 100.0]
}

/// The ticks that the task has had when it sees the end, which it looks for in each; at least one.
async fn ticks_until<R: Runtime>(is_over: Arc<AtomicBool>, tick: fn()) -> u64 {
    let mut ticks = 0;
    loop {
        tick();
        ticks += 1;
        if is_over.load(Ordering::Relaxed) {
            return ticks;
        }
        R::yield_now().await;
    }
}

fn compute() {
    let begun = Instant::now();
    while begun.elapsed() < HEAVY_TICK {
        std::hint::spin_loop();
    }
}
