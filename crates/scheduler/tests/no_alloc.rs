//! No allocation happens in a transition: 100,000 ticks, counted by the allocator itself.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]
#![cfg(feature = "telemetry")]

use glasshouse_pal::Pal;
use glasshouse_scheduler::{Builder, spawn, task, time};
use glasshouse_telemetry::prometheus::Exporter;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call goes to the system's allocator unchanged; counting touches no memory of its callers.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's contract is the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(ptr, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Returns when nobody has allocated for a while.
async fn settled() {
    loop {
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        time::sleep(Duration::from_millis(30)).await;
        if ALLOCATIONS.load(Ordering::Relaxed) == before {
            return;
        }
    }
}

/// Ten tasks that yield 10,000 times each: allocations while they run.
fn allocations_of_100_000_ticks(builder: Builder) -> u64 {
    let scheduler = builder.workers(1).pal(Pal::memory()).build().unwrap();
    scheduler.block_on(async {
        spawn(async {
            // The watchdog's thread may be about to start.
            settled().await;
            let tasks: Vec<_> = (0..10)
                .map(|_| {
                    spawn(async {
                        for _ in 0..10_000 {
                            task::yield_now().await;
                        }
                    })
                })
                .collect();
            // One lap, so that everything that is made once is made.
            task::yield_now().await;
            let before = ALLOCATIONS.load(Ordering::Relaxed);
            for task in tasks {
                task.await.unwrap();
            }
            ALLOCATIONS.load(Ordering::Relaxed) - before
        })
        .await
        .unwrap()
    })
}

// One test, because the count is the process's.
#[test]
fn a_transition_allocates_nothing_with_pull_and_with_no_recorder() {
    assert_eq!(
        allocations_of_100_000_ticks(Builder::new()),
        0,
        "no recorder"
    );
    let exporter = Exporter::new();
    assert_eq!(
        allocations_of_100_000_ticks(Builder::new().exporter(exporter.clone())),
        0,
        "pull"
    );
    assert!(exporter.render().contains("task_run_latency_seconds_count"));
}
