//! Locks and signals of `tokio::sync`, without a runtime of tokio.

use crate::{everywhere, on_workers};
use glasshouse_scheduler::task::JoinSet;
use glasshouse_scheduler::{spawn, task, time};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use tokio::sync::{Barrier, Mutex, Notify, OnceCell, RwLock, Semaphore};

/// How many are inside, and how many were at most.
#[derive(Default)]
struct Inside {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Inside {
    async fn visit(&self) {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        task::yield_now().await;
        self.now.fetch_sub(1, Ordering::SeqCst);
    }

    fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

#[test]
fn a_mutex_lets_one_in_at_a_time_and_an_aborted_waiter_loses_its_place_only() {
    everywhere(|| async {
        let lock = Arc::new(Mutex::new(0));
        let inside = Arc::new(Inside::default());
        let held = lock.clone().lock_owned().await;
        let visitors: Vec<_> = (0..40)
            .map(|_| {
                let (lock, inside) = (lock.clone(), inside.clone());
                spawn(async move {
                    let mut count = lock.lock().await;
                    inside.visit().await;
                    *count += 1;
                })
            })
            .collect();
        time::sleep(Duration::from_millis(1)).await;
        for aborted in visitors.iter().step_by(4) {
            aborted.abort();
        }
        drop(held);
        let mut entered = 0;
        for visitor in visitors {
            entered += usize::from(visitor.await.is_ok());
        }
        assert!(entered >= 30);
        assert_eq!((*lock.lock().await, inside.most()), (entered, 1));
    });
}

#[test]
fn a_semaphore_admits_as_many_as_it_has_permits() {
    everywhere(|| async {
        let permits = Arc::new(Semaphore::new(3));
        let inside = Arc::new(Inside::default());
        let mut visitors = JoinSet::new();
        for n in 0..60 {
            let (permits, inside) = (permits.clone(), inside.clone());
            visitors.spawn(async move {
                let many = if n % 20 == 0 { 3 } else { 1 };
                let _permits = permits.acquire_many(many).await.unwrap();
                inside.visit().await;
            });
        }
        while let Some(visited) = visitors.join_next().await {
            visited.unwrap();
        }
        assert_eq!(permits.available_permits(), 3);
        assert!((1..=3).contains(&inside.most()), "{}", inside.most());
        // Three are inside at once, or this never ends.
        let together = Arc::new(Barrier::new(3));
        for _ in 0..9 {
            let (permits, together) = (permits.clone(), together.clone());
            visitors.spawn(async move {
                let _permit = permits.acquire().await.unwrap();
                together.wait().await;
            });
        }
        visitors.join_all().await;
        let late = spawn({
            let permits = permits.clone();
            async move { permits.acquire_many(4).await.is_err() }
        });
        task::yield_now().await;
        permits.close();
        assert!(late.await.unwrap());
    });
}

#[test]
fn a_lock_for_readers_and_one_writer_admits_those() {
    everywhere(|| async {
        let lock = Arc::new(RwLock::new(0));
        let (reading, writing) = (Arc::new(Inside::default()), Arc::new(Inside::default()));
        let mut visitors = JoinSet::new();
        for n in 0..60 {
            let (lock, reading, writing) = (lock.clone(), reading.clone(), writing.clone());
            visitors.spawn(async move {
                if n % 6 == 0 {
                    let mut count = lock.write().await;
                    assert_eq!(reading.now.load(Ordering::SeqCst), 0);
                    writing.visit().await;
                    *count += 1;
                } else {
                    let _count = lock.read().await;
                    assert_eq!(writing.now.load(Ordering::SeqCst), 0);
                    reading.visit().await;
                }
            });
        }
        visitors.join_all().await;
        assert_eq!((*lock.read().await, writing.most()), (10, 1));
    });
}

#[test]
fn a_notice_wakes_one_waiter_or_all_and_is_kept_for_the_next() {
    everywhere(|| async {
        let notify = Arc::new(Notify::new());
        notify.notify_one();
        notify.notified().await;
        let woken = Arc::new(AtomicUsize::new(0));
        let waiters: Vec<_> = (0..10)
            .map(|_| {
                let (notify, woken) = (notify.clone(), woken.clone());
                spawn(async move {
                    notify.notified().await;
                    woken.fetch_add(1, Ordering::SeqCst);
                })
            })
            .collect();
        // All wait once each was polled.
        while waiters
            .iter()
            .any(|task| task.stats().unwrap().wait.is_zero())
        {
            time::sleep(Duration::from_millis(1)).await;
        }
        notify.notify_one();
        while woken.load(Ordering::SeqCst) == 0 {
            time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(woken.load(Ordering::SeqCst), 1);
        notify.notify_waiters();
        for waiter in waiters {
            waiter.await.unwrap();
        }
        assert_eq!(woken.load(Ordering::SeqCst), 10);
    });
}

#[test]
fn a_barrier_lets_all_through_together_and_one_of_them_leads() {
    everywhere(|| async {
        let barrier = Arc::new(Barrier::new(8));
        let arrived = Arc::new(AtomicUsize::new(0));
        let mut parties = JoinSet::new();
        for _ in 0..8 {
            let (barrier, arrived) = (barrier.clone(), arrived.clone());
            parties.spawn(async move {
                let mut led = 0;
                for round in 1..=10 {
                    arrived.fetch_add(1, Ordering::SeqCst);
                    led += usize::from(barrier.wait().await.is_leader());
                    assert!(arrived.load(Ordering::SeqCst) >= round * 8);
                }
                led
            });
        }
        assert_eq!(parties.join_all().await.into_iter().sum::<usize>(), 10);
    });
}

#[test]
fn a_cell_is_filled_once_however_many_ask() {
    everywhere(|| async {
        let cell = Arc::new(OnceCell::new());
        let filled = Arc::new(AtomicUsize::new(0));
        let mut askers = JoinSet::new();
        for n in 0..20 {
            let (cell, filled) = (cell.clone(), filled.clone());
            askers.spawn(async move {
                let fill = async || {
                    task::yield_now().await;
                    filled.fetch_add(1, Ordering::SeqCst);
                    n
                };
                *cell.get_or_init(fill).await
            });
        }
        let values = askers.join_all().await;
        assert!(values.iter().all(|value| *value == values[0]));
        assert_eq!(filled.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_thread_outside_gives_a_lock_to_a_task_that_waits() {
    on_workers(|| async {
        let lock = Arc::new(Mutex::new(0));
        let thread = thread::spawn({
            let lock = lock.clone();
            move || {
                for _ in 0..200 {
                    *lock.blocking_lock() += 1;
                }
            }
        });
        for _ in 0..200 {
            *lock.lock().await += 1;
        }
        thread.join().unwrap();
        assert_eq!(*lock.lock().await, 400);
    });
}
