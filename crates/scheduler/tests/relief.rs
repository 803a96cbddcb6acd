//! Tasks whose worker is at one long tick after another, while its sibling is busy with short ones.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

use futures::channel::oneshot;
use glasshouse_scheduler::{Builder, spawn, task};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Too short for the watchdog to act on.
const LONG_TICK: Duration = Duration::from_millis(1);
const LONG_TICKS: u32 = 200;
const PEERS: usize = 50;

/// Takes real time: by that a worker judges its siblings' ticks, and beside one worker in virtual time there is
/// no sibling.
fn compute() {
    let begun = Instant::now();
    while begun.elapsed() < LONG_TICK {
        std::hint::spin_loop();
    }
}

#[test]
fn tasks_behind_long_ticks_are_taken_over_by_a_sibling_that_is_never_idle() {
    let scheduler = Builder::new().workers(2).build().unwrap();
    let least = scheduler.block_on(async {
        spawn(async {
            let is_over = Arc::new(AtomicBool::new(false));
            let peers: Vec<_> = (0..PEERS)
                .map(|_| {
                    let is_over = is_over.clone();
                    spawn(async move {
                        let mut ticks = 0;
                        while !is_over.load(Ordering::Relaxed) {
                            ticks += 1;
                            task::yield_now().await;
                        }
                        ticks
                    })
                })
                .collect();
            let heavy = spawn(async {
                for _ in 0..LONG_TICKS {
                    compute();
                    task::yield_now().await;
                }
            });
            heavy.await.unwrap();
            is_over.store(true, Ordering::Relaxed);
            let mut least = u32::MAX;
            for peer in peers {
                least = least.min(peer.await.unwrap());
            }
            least
        })
        .await
        .unwrap()
    });
    // Left behind the heavy task, a peer has as many ticks as it; taken over, some thousands on a quiet machine.
    assert!(least > 2 * LONG_TICKS, "the last peer had {least} ticks");
}

#[test]
fn what_a_long_tick_wakes_is_run_meanwhile_by_a_sibling_that_is_never_idle() {
    let scheduler = Builder::new().workers(2).build().unwrap();
    let meanwhile = scheduler.block_on(async {
        let busy = spawn(async {
            loop {
                task::yield_now().await;
            }
        });
        let heavy = spawn(async {
            let mut meanwhile = 0;
            for _ in 0..LONG_TICKS {
                let (send, receive) = oneshot::channel();
                let [waits, has_run] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
                let (is_waiting, runs) = (waits.clone(), has_run.clone());
                let woken = spawn(async move {
                    is_waiting.store(true, Ordering::Relaxed);
                    receive.await.unwrap();
                    runs.store(true, Ordering::Relaxed);
                });
                while !waits.load(Ordering::Relaxed) {
                    task::yield_now().await;
                }
                // It is next, and nothing else is behind this tick.
                send.send(()).unwrap();
                compute();
                meanwhile += u32::from(has_run.load(Ordering::Relaxed));
                woken.await.unwrap();
            }
            meanwhile
        });
        let meanwhile = heavy.await.unwrap();
        busy.abort();
        meanwhile
    });
    // Left where it is, it runs before the tick ends by chance only; taken over, as often as the sibling is let run.
    assert!(meanwhile > LONG_TICKS / 10, "{meanwhile} times");
}
