//! What a scheduler that stays on its thread promises, and its tasks that do.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

use glasshouse_scheduler::task::{self, JoinSet, spawn_local};
use glasshouse_scheduler::{
    BuildError, Builder, LocalScheduler, Shutdown, io::AsyncFd, spawn, time,
};
use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::mpsc;
use std::task::{Poll, Waker};
use std::thread::{self, ThreadId};
use std::time::Duration;

/// Both kinds: in real time, and deterministic.
fn both() -> [LocalScheduler; 2] {
    [
        Builder::new().build_local().unwrap(),
        Builder::deterministic(3).allow_io().build_local().unwrap(),
    ]
}

/// Notes the thread on which it is dropped. Not Send.
struct DropsOn(Rc<Cell<Option<ThreadId>>>);

impl Drop for DropsOn {
    fn drop(&mut self) {
        self.0.set(Some(thread::current().id()));
    }
}

/// Lets everything that is ready run, also what was spawned from outside: the shared queue comes in turn every 61
/// ticks, however long the thread was held up.
async fn settle() {
    for _ in 0..200 {
        task::yield_now().await;
    }
}

fn message(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).unwrap_err();
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => (*payload.downcast::<&str>().unwrap()).to_owned(),
    }
}

#[test]
fn tasks_and_outputs_need_not_be_send() {
    for local in both() {
        let log = Rc::new(RefCell::new(Vec::new()));
        let last = local.block_on(async {
            let mut set = JoinSet::new();
            for n in 0..5_u64 {
                let log = log.clone();
                set.spawn_local(async move {
                    time::sleep(Duration::from_millis(5 - n)).await;
                    log.borrow_mut().push(n);
                    Rc::new(n)
                });
            }
            set.build_task().name("last").spawn_local({
                let log = log.clone();
                async move { Rc::new(log.borrow().len() as u64) }
            });
            let ends = set.join_all().await;
            assert_eq!(ends.len(), 6);
            let named = task::Builder::new().name("named");
            named.spawn_local(async move { Rc::new(9) }).await.unwrap()
        });
        assert_eq!(*last, 9);
        log.borrow_mut().sort_unstable();
        assert_eq!(*log.borrow(), [0, 1, 2, 3, 4]);
    }
}

#[test]
fn handles_of_outputs_that_are_send_go_anywhere() {
    fn goes<T: Send + Sync + Unpin>(handle: T) -> T {
        handle
    }
    for local in both() {
        let own = Rc::new(5);
        let handle = goes(local.spawn_local(async move { *own }));
        let handle = thread::spawn(move || handle).join().unwrap();
        assert_eq!(local.block_on(handle).unwrap(), 5);
    }
}

#[test]
fn local_tasks_run_on_the_thread_in_block_on_and_only_then() {
    for local in both() {
        let ran = Rc::new(Cell::new(None));
        let task = local.spawn_local({
            let ran = ran.clone();
            async move { ran.set(Some(thread::current().id())) }
        });
        assert_eq!(ran.get(), None);
        local.block_on(task).unwrap();
        assert_eq!(ran.get(), Some(thread::current().id()));
    }
}

#[test]
fn a_task_left_by_one_block_on_runs_in_the_next() {
    for local in both() {
        let (send, receive) = async_channel::bounded::<u8>(1);
        let task = local.spawn_local(async move { Rc::new(receive.recv().await.unwrap()) });
        local.block_on(settle());
        send.try_send(8).unwrap();
        assert_eq!(*local.block_on(task).unwrap(), 8);
    }
}

#[test]
fn another_thread_wakes_a_local_task() {
    for local in both() {
        let (give_waker, take_waker) = mpsc::channel::<Waker>();
        let waking = thread::spawn(move || {
            for waker in take_waker {
                waker.wake();
            }
        });
        let mut waits = 0;
        local.block_on(async {
            let own = Rc::new(());
            let task = spawn_local(poll_fn(move |cx| {
                let _own = &own;
                if waits == 100 {
                    return Poll::Ready(());
                }
                waits += 1;
                give_waker.send(cx.waker().clone()).unwrap();
                Poll::Pending
            }));
            task.await.unwrap();
        });
        waking.join().unwrap();
    }
}

#[test]
fn another_thread_spawns_tasks_that_are_send_and_waits_for_them() {
    let local = Builder::new().build_local().unwrap();
    let handle = local.handle().clone();
    let (done, ended) = async_channel::bounded::<()>(1);
    let elsewhere = thread::spawn(move || {
        let task = handle.spawn(async { thread::current().id() });
        let ran_on = handle.block_on(task).unwrap();
        done.try_send(()).unwrap();
        ran_on
    });
    local.block_on(ended.recv()).unwrap();
    assert_eq!(elsewhere.join().unwrap(), thread::current().id());
}

#[test]
fn the_last_waker_of_a_local_task_dropped_on_another_thread_leaves_its_future_alone() {
    for local in both() {
        let dropped = Rc::new(Cell::new(None));
        let (give_waker, take_waker) = mpsc::channel::<Waker>();
        let held = DropsOn(dropped.clone());
        let task = local.spawn_local(async move {
            let _held = held;
            poll_fn(|cx| {
                give_waker.send(cx.waker().clone()).unwrap();
                Poll::<()>::Pending
            })
            .await;
        });
        local.block_on(settle());
        // Nobody else wakes it, and nobody waits for it.
        drop(task);
        let waker = take_waker.recv().unwrap();
        thread::spawn(move || drop(waker)).join().unwrap();
        assert_eq!(dropped.get(), None);
        drop(local);
        assert_eq!(dropped.get(), Some(thread::current().id()));
    }
}

#[test]
fn a_waker_that_outlives_its_task_and_scheduler_may_go_on_another_thread() {
    for local in both() {
        let (give_waker, take_waker) = mpsc::channel::<Waker>();
        let dropped = Rc::new(Cell::new(None));
        let held = DropsOn(dropped.clone());
        local.block_on(async {
            spawn_local(async move {
                let held = held;
                poll_fn(|cx| {
                    give_waker.send(cx.waker().clone()).unwrap();
                    Poll::Ready(())
                })
                .await;
                held
            })
            .await
            .unwrap();
        });
        assert_eq!(dropped.get(), Some(thread::current().id()));
        drop(local);
        let waker = take_waker.recv().unwrap();
        thread::spawn(move || {
            waker.wake_by_ref();
            drop(waker);
        })
        .join()
        .unwrap();
    }
}

#[test]
fn an_abort_from_another_thread_drops_the_future_on_its_own() {
    for local in both() {
        let dropped = Rc::new(Cell::new(None));
        let held = DropsOn(dropped.clone());
        let error = local.block_on(async {
            let task = spawn_local(async move {
                let _held = held;
                pending::<()>().await;
            });
            settle().await;
            let abort = task.abort_handle();
            thread::spawn(move || abort.abort()).join().unwrap();
            task.await.unwrap_err()
        });
        assert!(error.is_cancelled());
        assert_eq!(dropped.get(), Some(thread::current().id()));
    }
}

#[test]
fn dropping_the_scheduler_drops_waiting_and_ready_tasks_on_its_thread() {
    for local in both() {
        let drops: Vec<_> = (0..3).map(|_| Rc::new(Cell::new(None))).collect();
        let mut held: Vec<_> = drops.iter().map(|drop| DropsOn(drop.clone())).collect();
        local.block_on(async {
            for held in held.drain(..2) {
                spawn_local(async move {
                    let _held = held;
                    pending::<()>().await;
                });
            }
            settle().await;
        });
        let never_run = held.remove(0);
        local.spawn_local(async move {
            let _held = never_run;
            pending::<()>().await;
        });
        assert!(drops.iter().all(|drop| drop.get().is_none()));
        drop(local);
        let own = Some(thread::current().id());
        assert!(drops.iter().all(|drop| drop.get() == own));
    }
}

#[test]
fn a_shutdown_lets_tasks_end_for_its_time_and_then_cancels() {
    let quick = Builder::new().build_local().unwrap();
    let ended = Rc::new(Cell::new(false));
    quick.spawn_local({
        let ended = ended.clone();
        async move {
            time::sleep(Duration::from_millis(2)).await;
            ended.set(true);
        }
    });
    assert_eq!(quick.shutdown(Duration::from_secs(600)), Shutdown::Clean);
    assert!(ended.get());

    let stuck = Builder::new().build_local().unwrap();
    let dropped = Rc::new(Cell::new(None));
    let held = DropsOn(dropped.clone());
    stuck.spawn_local(async move {
        let _held = held;
        pending::<()>().await;
    });
    assert_eq!(stuck.shutdown(Duration::from_millis(2)), Shutdown::Timeout);
    assert_eq!(dropped.get(), Some(thread::current().id()));
}

#[test]
fn a_local_scheduler_watches_descriptors() {
    for local in both() {
        let (mut near, far) = UnixStream::pair().unwrap();
        far.set_nonblocking(true).unwrap();
        let read = local.block_on(async {
            let reader = spawn_local(async move {
                let far = Rc::new(AsyncFd::new(far).unwrap());
                let mut byte = [0];
                let mut read = |_: &UnixStream| far.get_ref().read(&mut byte);
                far.read_with(|stream| read(stream)).await.unwrap();
                Rc::new(byte[0])
            });
            settle().await;
            near.write_all(b"x").unwrap();
            reader.await.unwrap()
        });
        assert_eq!(*read, b'x');
    }
}

#[test]
fn spawn_local_elsewhere_panics_with_the_remedy() {
    let outside = message(|| drop(spawn_local(async {})));
    assert!(outside.contains("build_local"), "{outside}");
    let scheduler = Builder::new().workers(1).build().unwrap();
    let on_workers = scheduler.block_on(async {
        let inside = async { message(|| drop(spawn_local(async {}))) };
        spawn(inside).await.unwrap()
    });
    assert!(on_workers.contains("build_local"), "{on_workers}");
    // A deterministic scheduler that may leave its thread is none either.
    let deterministic = Builder::deterministic(1).build().unwrap();
    let there = deterministic.block_on(async { message(|| drop(spawn_local(async {}))) });
    assert!(there.contains("build_local"), "{there}");
    // The handle of a local scheduler, entered on another thread.
    let local = Builder::new().build_local().unwrap();
    let handle = local.handle().clone();
    let entered = thread::spawn(move || message(|| handle.enter(|| drop(spawn_local(async {})))));
    assert!(entered.join().unwrap().contains("build_local"));
}

#[test]
fn spawn_local_works_where_the_handle_is_entered_on_its_own_thread() {
    for local in both() {
        let own = Rc::new(4);
        let task = local.handle().enter(|| spawn_local(async move { own }));
        assert_eq!(*local.block_on(task).unwrap(), 4);
    }
}

#[test]
fn the_handles_block_on_on_the_owning_thread_panics_with_the_remedy() {
    let local = Builder::new().build_local().unwrap();
    let told = message(|| local.handle().block_on(async {}));
    assert!(told.contains("its own block_on"), "{told}");
}

#[test]
fn a_local_scheduler_has_one_worker() {
    let error = Builder::new().workers(2).build_local().unwrap_err();
    assert!(matches!(error, BuildError::Workers { workers: 2 }));
    Builder::new().workers(1).build_local().unwrap();
}

#[test]
fn blocking_functions_run_beside_a_local_scheduler() {
    let local = Builder::new().build_local().unwrap();
    let there = local.block_on(async {
        settle().await;
        glasshouse_scheduler::spawn_blocking(|| thread::current().id())
            .await
            .unwrap()
    });
    assert_ne!(there, thread::current().id());
}
