//! Owns the row whose work is to be woken from a thread that the runtime does not know.

use super::Setting;
use crate::versus::runtime::Runtime;
use crate::versus::statistics::{median, quantile};
use std::hint;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long the runtime has had nothing to do when the next wake comes: long enough that its workers
/// sleep in the kernel.
const IDLE: Duration = Duration::from_micros(100);

/// Median and 99th percentile, in nanoseconds, from before the wake to the woken task's first step.
///
/// The other thread turns in a loop between its wakes, as one that computes would; were it to sleep, the
/// figure would hold the price of waking a second processor.
pub async fn from_thread<R: Runtime>(setting: Setting) -> Vec<f64> {
    let wakes = setting.size.of(1500);
    let (send, receive) = async_channel::bounded(1);
    let woken = Arc::new(AtomicU64::new(0));
    let waker = thread::spawn({
        let woken = woken.clone();
        move || {
            for wake in 0..wakes {
                while woken.load(Ordering::Acquire) < wake {
                    hint::spin_loop();
                }
                let idle = Instant::now();
                while idle.elapsed() < IDLE {
                    hint::spin_loop();
                }
                send.try_send(Instant::now())
                    .expect("the task has taken the one before");
            }
        }
    });
    let task = R::spawn(async move {
        let mut delays = Vec::with_capacity(wakes as usize);
        while let Ok(sent) = receive.recv().await {
            delays.push(sent.elapsed().as_nanos() as f64);
            woken.fetch_add(1, Ordering::Release);
        }
        delays
    });
    let delays = task.await;
    waker.join().expect("the waking thread ends by itself");
    [median(&delays), quantile(&delays, 0.99)]
        .map(|delay| delay.expect("there was a wake"))
        .to_vec()
}
