//! How a scheduler ends, and how it contains what ends badly in it.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

use glasshouse_scheduler::{Builder, Shutdown, spawn, task, time};
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

#[test]
fn a_shutdown_is_clean_when_every_default_task_ends_by_itself() {
    for scheduler in [
        Builder::deterministic(1).build().unwrap(),
        Builder::new().workers(2).build().unwrap(),
    ] {
        let done = Arc::new(AtomicUsize::new(0));
        let count = done.clone();
        scheduler
            .handle()
            .spawn_system(std::future::pending::<()>());
        scheduler.spawn(async move {
            time::sleep(Duration::from_millis(20)).await;
            count.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(scheduler.shutdown(Duration::from_secs(60)), Shutdown::Clean);
        assert_eq!(done.load(Ordering::Relaxed), 1);
    }
}

#[test]
fn a_shutdown_times_out_and_cancels_what_is_left() {
    for scheduler in [
        Builder::deterministic(1).build().unwrap(),
        Builder::new().workers(2).build().unwrap(),
    ] {
        let task = scheduler.spawn(std::future::pending::<()>());
        let handle = scheduler.handle().clone();
        assert_eq!(
            scheduler.shutdown(Duration::from_millis(1)),
            Shutdown::Timeout
        );
        assert!(task.is_finished());
        let late = handle.spawn(async {});
        assert!(late.is_finished(), "a spawn after the end resolves at once");
    }
}

#[test]
fn tasks_that_let_no_virtual_time_pass_do_not_hold_a_shutdown_up() {
    let scheduler = Builder::deterministic(1).build().unwrap();
    let task = scheduler.spawn(async {
        loop {
            task::yield_now().await;
        }
    });
    assert_eq!(
        scheduler.shutdown(Duration::from_secs(1)),
        Shutdown::Timeout
    );
    assert!(task.is_finished());
}

#[test]
fn dropping_a_scheduler_drops_every_future_it_holds() {
    struct Count(Arc<AtomicUsize>);
    impl Drop for Count {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    for workers in [1, 2] {
        let dropped = Arc::new(AtomicUsize::new(0));
        let scheduler = Builder::new().workers(workers).build().unwrap();
        for n in 0..1000_u64 {
            let count = Count(dropped.clone());
            scheduler.spawn(async move {
                let _count = count;
                match n % 3 {
                    0 => std::future::pending().await,
                    1 => time::sleep(Duration::from_secs(3600)).await,
                    _ => loop {
                        task::yield_now().await;
                    },
                }
            });
        }
        drop(scheduler);
        assert_eq!(dropped.load(Ordering::Relaxed), 1000);
    }
}

#[test]
fn a_spawn_in_a_drop_during_the_end_is_refused_and_harms_nobody() {
    struct Spawner;
    impl Drop for Spawner {
        fn drop(&mut self) {
            let handle = spawn(async { unreachable!("the scheduler has ended") });
            assert!(handle.is_finished());
        }
    }
    let scheduler = Builder::new().workers(1).build().unwrap();
    let task = scheduler.spawn(async {
        let _spawner = Spawner;
        std::future::pending::<()>().await;
    });
    // Let it start, so that the value lives in it.
    scheduler.block_on(async { spawn(async {}).await.unwrap() });
    drop(scheduler);
    assert!(task.is_finished());
}

#[test]
fn a_scheduler_that_one_of_its_tasks_drops_ends_without_waiting_for_itself() {
    let scheduler = Arc::new(Builder::new().workers(2).build().unwrap());
    let (send, receive) = mpsc::channel::<()>();
    let held = scheduler.clone();
    let (go, may_go) = mpsc::channel::<()>();
    let task = scheduler.spawn(async move {
        may_go.recv().unwrap();
        drop(held);
        send.send(()).unwrap();
    });
    let other = scheduler.spawn(std::future::pending::<()>());
    drop(scheduler);
    go.send(()).unwrap();
    receive.recv().unwrap();
    for end in [task, other] {
        while !end.is_finished() {
            std::thread::yield_now();
        }
    }
}

#[test]
fn a_panic_in_a_task_or_in_its_drop_ends_that_task_alone() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                panic!("drop");
            }
        }
    }
    let scheduler = Builder::new().workers(1).build().unwrap();
    scheduler.block_on(async {
        assert!(
            spawn(async { panic!("poll") })
                .await
                .is_err_and(|e: task::JoinError| e.is_panic())
        );
        let bomb = spawn(async {
            let _bomb = Bomb;
            std::future::pending::<()>().await;
        });
        spawn(async {}).await.unwrap();
        bomb.abort();
        assert!(bomb.await.unwrap_err().is_panic());
        assert_eq!(spawn(async { 1 }).await.unwrap(), 1);
    });
}

#[test]
fn the_roots_panic_goes_to_its_caller() {
    for scheduler in [
        Builder::deterministic(1).build().unwrap(),
        Builder::new().workers(1).build().unwrap(),
    ] {
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            scheduler.block_on(async { panic!("root") });
        }));
        assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"root"));
        assert_eq!(scheduler.block_on(async { 5 }), 5, "the scheduler goes on");
    }
}

#[test]
fn a_block_on_that_outlives_its_scheduler_panics_instead_of_hanging() {
    let scheduler = Builder::new().workers(1).build().unwrap();
    let handle = scheduler.handle().clone();
    let (send, receive) = mpsc::channel();
    let guest = std::thread::spawn(move || {
        handle.block_on(async {
            send.send(()).unwrap();
            time::sleep(Duration::from_secs(3600)).await;
        });
    });
    receive.recv().unwrap();
    drop(scheduler);
    let message = *guest.join().unwrap_err().downcast::<&str>().unwrap();
    assert!(
        message.contains("shut down while block_on ran"),
        "{message}"
    );
}

#[test]
fn a_shutdown_may_be_given_all_the_time_there_is() {
    for scheduler in [
        Builder::deterministic(1).build().unwrap(),
        Builder::new().workers(1).build().unwrap(),
    ] {
        scheduler.spawn(async { time::sleep(Duration::from_millis(1)).await });
        assert_eq!(scheduler.shutdown(Duration::MAX), Shutdown::Clean);
    }
}

#[test]
fn a_foreign_waker_that_panics_takes_no_worker_with_it() {
    #[derive(Default)]
    struct Bomb(AtomicBool);
    impl std::task::Wake for Bomb {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
            panic!("a foreign waker");
        }
    }
    let scheduler = Builder::new().workers(1).build().unwrap();
    scheduler.block_on(async {
        let mut bombed = Box::pin(time::sleep(Duration::from_millis(1)));
        let bomb = Arc::new(Bomb::default());
        let waker = std::task::Waker::from(bomb.clone());
        let mut cx = std::task::Context::from_waker(&waker);
        assert!(bombed.as_mut().poll(&mut cx).is_pending());
        while !bomb.0.load(Ordering::Relaxed) {
            task::yield_now().await;
        }
        assert_eq!(spawn(async { 3 }).await.unwrap(), 3);
    });
}

#[test]
fn a_task_that_is_always_ready_ends_with_its_deterministic_scheduler() {
    let busy = || async {
        loop {
            time::advance(Duration::from_millis(1));
            task::yield_now().await;
        }
    };
    let dropped = Builder::deterministic(1).build().unwrap();
    let task = dropped.spawn(busy());
    drop(dropped);
    assert!(task.is_finished());
    let shut_down = Builder::deterministic(1).build().unwrap();
    let task = shut_down.spawn(busy());
    let ended = shut_down.shutdown(Duration::from_millis(50));
    assert_eq!(ended, Shutdown::Timeout);
    assert!(task.is_finished());
}
