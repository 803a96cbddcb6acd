//! What values of a task's own promise.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

use glasshouse_scheduler::{Builder, Scheduler, spawn, task, time};
use std::cell::Cell;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

glasshouse_scheduler::task_local! {
    static NUMBER: u32;
    pub(crate) static FLAG: bool;
    static COUNT: Cell<u32>
}

fn virtual_time() -> Scheduler {
    Builder::deterministic(1).build().unwrap()
}

/// Tells on its channel which number it is dropped with.
struct TellNumber(async_channel::Sender<u32>);

impl Drop for TellNumber {
    fn drop(&mut self) {
        self.0.try_send(NUMBER.get()).unwrap();
    }
}

fn message(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).unwrap_err();
    *payload.downcast::<String>().unwrap()
}

#[test]
fn each_task_has_its_own_value_across_waits() {
    let scheduler = Builder::new().workers(2).build().unwrap();
    scheduler.block_on(async {
        let tasks: Vec<_> = (0..50)
            .map(|n| {
                spawn(NUMBER.scope(n, async move {
                    for _ in 0..20 {
                        assert_eq!(NUMBER.get(), n);
                        task::yield_now().await;
                    }
                    assert!(FLAG.try_get().is_err());
                }))
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert!(NUMBER.try_get().is_err());
    });
}

#[test]
fn the_inner_scope_counts_until_it_ends() {
    virtual_time().block_on(NUMBER.scope(1, async {
        let inner = NUMBER.scope(2, async {
            time::sleep(Duration::from_secs(1)).await;
            assert_eq!(NUMBER.sync_scope(3, || NUMBER.get()), 3);
            NUMBER.get()
        });
        assert_eq!(NUMBER.get(), 1);
        assert_eq!(inner.await, 2);
        assert_eq!(NUMBER.get(), 1);
    }));
}

#[test]
fn a_spawned_task_does_not_inherit_a_value() {
    virtual_time().block_on(NUMBER.scope(1, async {
        let inherited = spawn(async { NUMBER.try_get() });
        assert_eq!(inherited.await.unwrap().ok(), None);
    }));
}

#[test]
fn a_future_is_dropped_with_its_value_when_its_task_is_aborted() {
    virtual_time().block_on(async {
        let (send, receive) = async_channel::bounded(1);
        let held = TellNumber(send);
        let task = spawn(NUMBER.scope(42, async move {
            let _held = held;
            pending::<()>().await;
        }));
        task::yield_now().await;
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(receive.recv().await.unwrap(), 42);
    });
}

#[test]
fn a_future_is_dropped_with_its_value_when_it_ends() {
    struct Ends(TellNumber);
    impl Future for Ends {
        type Output = ();
        fn poll(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<()> {
            let _held = &self.0;
            std::task::Poll::Ready(())
        }
    }
    virtual_time().block_on(async {
        let (send, receive) = async_channel::bounded(1);
        let mut scoped = Box::pin(NUMBER.scope(7, Ends(TellNumber(send))));
        scoped.as_mut().await;
        assert_eq!(receive.try_recv().unwrap(), 7);
    });
}

#[test]
fn a_value_is_restored_after_a_panic() {
    virtual_time().block_on(NUMBER.scope(1, async {
        message(|| NUMBER.sync_scope(2, || panic!("{}", NUMBER.get())));
        assert_eq!(NUMBER.get(), 1);
    }));
}

#[test]
fn a_value_is_taken_once_and_is_gone_from_the_scope() {
    virtual_time().block_on(async {
        let mut ended = Box::pin(COUNT.scope(Cell::new(0), async {
            COUNT.with(|count| count.set(count.get() + 5));
        }));
        ended.as_mut().await;
        assert_eq!(ended.as_mut().take_value(), Some(Cell::new(5)));
        assert_eq!(ended.as_mut().take_value(), None);
        let mut early = Box::pin(NUMBER.scope(1, async { NUMBER.try_get().is_err() }));
        assert_eq!(early.as_mut().take_value(), Some(1));
        assert!(early.await);
    });
}

#[test]
fn what_cannot_be_done_panics_with_the_remedy() {
    assert!(message(|| NUMBER.with(|_| {})).contains("LocalKey::scope"));
    let nested = || NUMBER.with(|_| NUMBER.sync_scope(2, || {}));
    assert!(message(|| NUMBER.sync_scope(1, nested)).contains("clone the value out first"));
    let again = catch_unwind(|| {
        virtual_time().block_on(async {
            let mut ended = Box::pin(NUMBER.scope(1, async {}));
            ended.as_mut().await;
            ended.await;
        });
    });
    assert!(again.is_err());
}

#[test]
fn a_thread_that_ends_has_no_value() {
    struct AtEnd(std::sync::mpsc::Sender<bool>);
    impl Drop for AtEnd {
        fn drop(&mut self) {
            self.0.send(NUMBER.try_get().is_err()).unwrap();
        }
    }
    thread_local! {
        static END: Cell<Option<AtEnd>> = const { Cell::new(None) };
    }
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        END.set(Some(AtEnd(send)));
        NUMBER.sync_scope(1, || {});
    })
    .join()
    .unwrap();
    assert!(receive.recv().unwrap());
}
