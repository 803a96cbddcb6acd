//! Combinators of futures: what polls several futures in one task.

use crate::{everywhere, on_workers};
use futures::channel::oneshot;
use futures::future::{self, AbortHandle, Abortable, Either, FutureExt};
use futures::{join, pin_mut, select, select_biased, try_join};
use glasshouse_scheduler::{spawn, task, time};
use std::cell::Cell;
use std::time::Duration;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn join_all_gives_every_result_in_order_of_the_futures() {
    everywhere(|| async {
        let tasks = (0..500_u64).map(|n| {
            spawn(async move {
                time::sleep(Duration::from_micros((n * 7919) % 500)).await;
                n
            })
        });
        let results = future::join_all(tasks).await;
        let results: Vec<_> = results.into_iter().map(Result::unwrap).collect();
        assert_eq!(results, (0..500).collect::<Vec<_>>());
        // And of futures that are no tasks.
        let sleeps =
            (0..500_u64).map(|n| time::sleep(Duration::from_micros(n % 50)).map(move |()| n));
        assert_eq!(future::join_all(sleeps).await.len(), 500);
    });
}

#[test]
fn try_join_all_ends_at_the_first_error_and_drops_the_others() {
    everywhere(|| async {
        let dropped = Cell::new(0);
        struct Counts<'a>(&'a Cell<u32>);
        impl Drop for Counts<'_> {
            fn drop(&mut self) {
                self.0.set(self.0.get() + 1);
            }
        }
        let futures = (0..10).map(|n| {
            let counts = Counts(&dropped);
            async move {
                let _counts = counts;
                match n {
                    4 => {
                        task::yield_now().await;
                        Err("four")
                    }
                    n if n < 4 => Ok(n),
                    _ => future::pending().await,
                }
            }
        });
        assert_eq!(future::try_join_all(futures).await, Err("four"));
        assert_eq!(dropped.get(), 10);
        let both = try_join!(async { Ok::<_, ()>(1) }, async { Ok("b") });
        assert_eq!(both, Ok((1, "b")));
        let a_task = spawn(async { 3 });
        assert_eq!(join!(a_task, time::sleep(ms(1))).0.unwrap(), 3);
    });
}

#[test]
fn select_takes_what_is_ready_first_and_leaves_the_other_whole() {
    everywhere(|| async {
        let (send, receive) = oneshot::channel();
        let mut receive = receive.fuse();
        let sender = spawn(async move {
            time::sleep(ms(20)).await;
            send.send(7).unwrap();
        });
        let mut waited = 0;
        let got = loop {
            let sleep = time::sleep(ms(6)).fuse();
            pin_mut!(sleep);
            select! {
                () = sleep => waited += 1,
                got = receive => break got,
            }
        };
        assert_eq!(got, Ok(7));
        sender.await.unwrap();
        assert!(waited >= 1);
    });
}

#[test]
fn in_virtual_time_a_select_waits_as_long_as_it_says() {
    let (scheduler, _pal) = crate::common::deterministic();
    scheduler.block_on(async {
        let begun = time::Instant::now();
        let (slow, fast) = (time::sleep(ms(30)), time::sleep(ms(20)));
        match future::select(Box::pin(slow), Box::pin(fast)).await {
            Either::Right(((), slow)) => {
                assert_eq!(begun.elapsed(), ms(20));
                slow.await;
            }
            Either::Left(_) => panic!("30 ms passed before 20"),
        }
        assert_eq!(begun.elapsed(), ms(30));
    });
}

#[test]
fn a_biased_select_looks_in_the_order_that_is_written() {
    everywhere(|| async {
        for _ in 0..50 {
            let (mut first, mut second) = (future::ready(1), future::ready(2));
            let got = select_biased! {
                got = first => got,
                got = second => got,
            };
            assert_eq!(got, 1);
        }
    });
}

#[test]
fn handles_are_selected_among_and_those_that_lose_go_on() {
    everywhere(|| async {
        let tasks: Vec<_> = (1..=10_u64)
            .map(|n| {
                spawn(async move {
                    time::sleep(ms(n * 2)).await;
                    n
                })
            })
            .collect();
        let (first, _, rest) = future::select_all(tasks).await;
        let mut all = vec![first.unwrap()];
        assert_eq!(rest.len(), 9);
        for task in rest {
            all.push(task.await.unwrap());
        }
        all.sort();
        assert_eq!(all, (1..=10).collect::<Vec<_>>());
    });
}

#[test]
fn a_shared_future_runs_once_for_all_who_wait() {
    everywhere(|| async {
        let shared = spawn(async {
            time::sleep(ms(1)).await;
            task::id()
        })
        .map(Result::unwrap)
        .shared();
        let waiters: Vec<_> = (0..20).map(|_| spawn(shared.clone())).collect();
        let id = shared.await;
        for waiter in waiters {
            assert_eq!(waiter.await.unwrap(), id);
        }
    });
}

#[test]
fn an_abortable_future_ends_inside_its_task_which_goes_on() {
    everywhere(|| async {
        let (handle, registration) = AbortHandle::new_pair();
        let task = spawn(async {
            let inner = Abortable::new(future::pending::<()>(), registration);
            inner.await.is_err()
        });
        task::yield_now().await;
        handle.abort();
        assert!(task.await.unwrap());
    });
}

#[test]
fn a_panic_that_is_caught_inside_a_task_stays_inside() {
    everywhere(|| async {
        let task = spawn(async {
            let inner = async {
                task::yield_now().await;
                panic!("caught")
            };
            let caught = std::panic::AssertUnwindSafe(inner).catch_unwind().await;
            caught.unwrap_err().downcast_ref::<&str>().copied()
        });
        assert_eq!(task.await.unwrap(), Some("caught"));
    });
}

#[test]
fn a_remote_handle_carries_a_result_out_of_a_detached_task() {
    on_workers(|| async {
        let (remote, handle) = async {
            time::sleep(ms(1)).await;
            5
        }
        .remote_handle();
        drop(spawn(remote));
        assert_eq!(handle.await, 5);
    });
}
