//! What blocking functions promise, and the names of the threads that run them.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

mod common;

use common::wait_until_logged;
use glasshouse_pal::TaskEvent;
use glasshouse_scheduler::{
    BuildError, Builder, Handle, Scheduler, Shutdown, spawn, spawn_blocking, task,
};
use std::cell::Cell;
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

/// One worker, and this many threads for blocking functions.
fn with_threads(threads: usize) -> Scheduler {
    let builder = Builder::new().workers(1).max_blocking_threads(threads);
    builder.build().unwrap()
}

/// Tells on its channel that it is dropped.
struct Dropped(mpsc::Sender<()>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

#[test]
fn a_function_is_queued_when_it_is_spawned() {
    let scheduler = with_threads(1);
    let got = scheduler.block_on(scheduler.spawn(async {
        let (send, receive) = mpsc::channel();
        let function = spawn_blocking(move || send.send(7).unwrap());
        // The one worker is blocked: no task, that of the function included, is polled before it has run.
        let got = receive.recv().unwrap();
        function.await.unwrap();
        got
    }));
    assert_eq!(got.unwrap(), 7);
}

#[test]
fn functions_wait_for_a_thread_in_the_order_of_their_spawns() {
    let scheduler = with_threads(1);
    let (send, receive) = mpsc::channel();
    let tasks: Vec<_> = (0..50)
        .map(|n| {
            let send = send.clone();
            scheduler
                .handle()
                .spawn_blocking(move || send.send(n).unwrap())
        })
        .collect();
    for task in tasks {
        scheduler.block_on(task).unwrap();
    }
    assert_eq!(
        receive.try_iter().collect::<Vec<_>>(),
        (0..50).collect::<Vec<_>>()
    );
}

#[test]
fn no_more_threads_than_allowed_run_functions_at_a_time() {
    let scheduler = with_threads(3);
    let running = Arc::new(AtomicUsize::new(0));
    let threads = scheduler.block_on(async {
        let mut set = task::JoinSet::new();
        for _ in 0..100 {
            let running = running.clone();
            set.spawn_blocking(move || {
                let before = running.fetch_add(1, Ordering::SeqCst);
                thread::yield_now();
                running.fetch_sub(1, Ordering::SeqCst);
                assert!(before < 3);
                thread::current().id()
            });
        }
        set.join_all().await
    });
    let threads: HashSet<_> = threads.into_iter().collect();
    assert!((1..=3).contains(&threads.len()), "{threads:?}");
}

#[test]
fn as_many_threads_as_allowed_run_functions_at_a_time() {
    let scheduler = with_threads(4);
    let barrier = Arc::new(std::sync::Barrier::new(4));
    scheduler.block_on(async {
        let mut set = task::JoinSet::new();
        for _ in 0..4 {
            let barrier = barrier.clone();
            // Each waits for all of them.
            set.spawn_blocking(move || barrier.wait());
        }
        set.join_all().await;
    });
}

#[test]
fn an_idle_thread_ends_after_its_time() {
    thread_local! {
        static AT_END: Cell<Option<Dropped>> = const { Cell::new(None) };
    }
    let scheduler = Builder::new()
        .workers(1)
        .thread_keep_alive(Duration::from_millis(1))
        .build()
        .unwrap();
    let (send, receive) = mpsc::channel();
    let held = Dropped(send);
    let function = scheduler.handle().spawn_blocking(|| AT_END.set(Some(held)));
    scheduler.block_on(function).unwrap();
    receive.recv().unwrap();
    // And another is started when it is needed.
    let function = scheduler.handle().spawn_blocking(|| 3);
    assert_eq!(scheduler.block_on(function).unwrap(), 3);
}

#[test]
fn aborting_a_function_that_has_not_begun_cancels_it() {
    let scheduler = with_threads(1);
    let (release, blocked) = mpsc::channel::<()>();
    let handle = scheduler.handle();
    let first = handle.spawn_blocking(move || blocked.recv());
    let (send, receive) = mpsc::channel();
    let held = Dropped(send);
    let second = handle.spawn_blocking(move || {
        let _held = held;
        panic!("it was aborted");
    });
    second.abort_handle().abort();
    let error = scheduler.block_on(second).unwrap_err();
    assert!(error.is_cancelled(), "{error}");
    // What it held was dropped without its turn coming.
    receive.recv().unwrap();
    release.send(()).unwrap();
    scheduler.block_on(first).unwrap().unwrap();
    let third = handle.spawn_blocking(|| 3);
    assert_eq!(scheduler.block_on(third).unwrap(), 3);
}

#[test]
fn aborting_a_function_that_has_begun_leaves_its_result() {
    let scheduler = with_threads(1);
    let (begin, begun) = mpsc::channel();
    let (release, blocked) = mpsc::channel();
    let function = scheduler.handle().spawn_blocking(move || {
        begin.send(()).unwrap();
        blocked.recv().unwrap();
        8
    });
    begun.recv().unwrap();
    function.abort();
    function.abort_handle().abort();
    assert!(!function.is_finished());
    release.send(()).unwrap();
    assert_eq!(scheduler.block_on(function).unwrap(), 8);
}

#[test]
fn a_function_is_a_task_and_its_panic_is_its_own() {
    let scheduler = with_threads(2);
    scheduler.block_on(async {
        let panicked = spawn_blocking(|| panic!("blocking")).await.unwrap_err();
        assert!(panicked.is_panic());
        assert!(panicked.to_string().ends_with("panicked: blocking"));
        let nested = task::Builder::new().name("outer").spawn_blocking(|| {
            let inner = spawn(async { 4 });
            Handle::current().block_on(inner).unwrap()
        });
        assert_eq!(nested.await.unwrap(), 4);
    });
}

#[test]
fn a_function_that_is_refused_does_not_run() {
    let scheduler = Builder::new().workers(1).capacity(1).build().unwrap();
    let waiting = scheduler.spawn(std::future::pending::<()>());
    let (send, receive) = mpsc::channel();
    let refused = scheduler.handle().spawn_blocking(move || send.send(()));
    assert!(scheduler.block_on(refused).unwrap_err().is_denied());
    assert_eq!(receive.recv(), Err(mpsc::RecvError), "it was dropped");
    waiting.abort();
}

#[test]
fn a_shutdown_waits_for_functions_that_run_and_those_behind_them() {
    let scheduler = with_threads(1);
    let (release, blocked) = mpsc::channel::<()>();
    let (tell, told) = mpsc::channel();
    let handle = scheduler.handle();
    let first = handle.spawn_blocking(move || blocked.recv().unwrap());
    let second = handle.spawn_blocking(move || tell.send("ran").unwrap());
    let pal = handle.pal().clone();
    let releasing = thread::spawn(move || {
        // Without telemetry nothing tells that the shutdown has begun: then it may find nothing to wait for.
        if cfg!(feature = "telemetry") {
            let begins = |event: &TaskEvent| matches!(event, TaskEvent::ShutdownBegin { .. });
            wait_until_logged(&pal, begins);
        }
        release.send(()).unwrap();
    });
    let ended = scheduler.shutdown(Duration::from_secs(600));
    assert_eq!(ended, Shutdown::Clean);
    assert!(first.is_finished() && second.is_finished());
    assert_eq!(told.try_recv(), Ok("ran"));
    releasing.join().unwrap();
}

#[test]
fn a_name_that_cannot_be_had_leaves_the_pool_in_order() {
    let count = AtomicUsize::new(0);
    let scheduler = Builder::new()
        .workers(1)
        .thread_name_fn(move || match count.fetch_add(1, Ordering::Relaxed) {
            1 => panic!("no name"),
            _ => "with a \0 byte".to_owned(),
        })
        .build()
        .unwrap();
    let handle = scheduler.handle();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        handle.spawn_blocking(|| {})
    }));
    assert!(caught.is_err());
    let name = handle.spawn_blocking(|| thread::current().name().map(str::to_owned));
    let name = scheduler.block_on(name).unwrap();
    assert_eq!(name.as_deref(), Some("with a  byte"));
}

#[test]
fn a_function_that_waits_for_a_thread_which_does_not_come_ends_with_a_panic_that_says_so() {
    let (named, naming) = mpsc::channel();
    let (go_on, gone_on) = mpsc::channel();
    let ends = Mutex::new((named, gone_on));
    let scheduler = Builder::new()
        .workers(1)
        .max_blocking_threads(1)
        .thread_name_fn(move || {
            if thread::current().name() == Some("spawns first") {
                let (named, gone_on) = &*ends.lock().unwrap();
                named.send(()).unwrap();
                gone_on.recv().unwrap();
                panic!("no name");
            }
            "named".to_owned()
        })
        .build()
        .unwrap();
    let handle = scheduler.handle().clone();
    let first = thread::Builder::new()
        .name("spawns first".to_owned())
        .spawn(move || drop(handle.spawn_blocking(|| {})))
        .unwrap();
    naming.recv().unwrap();
    // The one thread there may be is on its way.
    let second = scheduler.handle().spawn_blocking(|| {});
    go_on.send(()).unwrap();
    assert!(first.join().is_err());
    let end = scheduler.block_on(second).unwrap_err();
    let why = end.into_panic();
    assert_eq!(
        why.downcast_ref(),
        Some(&"no thread for this blocking function could be started")
    );
    // The pool is in order: the next finds a thread.
    assert_eq!(
        scheduler
            .block_on(scheduler.handle().spawn_blocking(|| 3))
            .unwrap(),
        3
    );
    assert_eq!(
        scheduler.shutdown(Duration::from_secs(60)),
        Shutdown::Clean,
        "no task is left behind"
    );
}

#[test]
fn a_drop_cancels_what_has_not_begun_and_waits_for_what_has() {
    let scheduler = with_threads(1);
    let (begin, begun) = mpsc::channel();
    let (release, blocked) = mpsc::channel::<()>();
    let (tell, told) = mpsc::channel();
    let running = scheduler.handle().spawn_blocking({
        let tell = tell.clone();
        move || {
            begin.send(()).unwrap();
            blocked.recv().unwrap();
            tell.send("ran").unwrap();
        }
    });
    let queued = scheduler.handle().spawn_blocking(move || tell.send("late"));
    begun.recv().unwrap();
    let ending = thread::spawn(move || drop(scheduler));
    let other = Builder::new().workers(1).build().unwrap();
    assert!(other.block_on(queued).unwrap_err().is_cancelled());
    assert!(other.block_on(running).unwrap_err().is_cancelled());
    assert!(!ending.is_finished());
    release.send(()).unwrap();
    ending.join().unwrap();
    assert_eq!(told.try_iter().collect::<Vec<_>>(), ["ran"]);
}

#[test]
fn a_shutdown_leaves_a_function_behind_that_outlasts_its_time() {
    let scheduler = with_threads(1);
    let (release, blocked) = mpsc::channel::<()>();
    let (tell, told) = mpsc::channel();
    let (begin, begun) = mpsc::channel();
    let function = scheduler.handle().spawn_blocking(move || {
        begin.send(()).unwrap();
        blocked.recv().unwrap();
        tell.send(()).unwrap();
    });
    begun.recv().unwrap();
    let ended = scheduler.shutdown(Duration::from_millis(1));
    assert_eq!(ended, Shutdown::Timeout);
    assert!(function.is_finished(), "its task was cancelled");
    release.send(()).unwrap();
    told.recv().unwrap();
}

#[test]
fn a_function_may_drop_its_own_scheduler() {
    let scheduler = with_threads(1);
    let handle = scheduler.handle().clone();
    let (give, take) = mpsc::channel::<Scheduler>();
    let (tell, told) = mpsc::channel();
    handle.spawn_blocking(move || {
        drop(take.recv().unwrap());
        tell.send(()).unwrap();
    });
    give.send(scheduler).unwrap();
    told.recv().unwrap();
}

#[test]
fn threads_are_called_as_the_builder_says() {
    fn name() -> String {
        thread::current().name().unwrap().to_owned()
    }
    async fn names() -> [String; 2] {
        let on_worker = spawn(async { name() }).await.unwrap();
        [on_worker, spawn_blocking(name).await.unwrap()]
    }
    let builder = || Builder::new().workers(1);
    let plain = builder().name("edge").build().unwrap();
    assert_eq!(plain.block_on(names()), ["edge-0", "edge-blocking"]);
    let same = builder().name("edge").thread_name("pool").build().unwrap();
    assert_eq!(same.block_on(names()), ["pool", "pool"]);
    let count = AtomicUsize::new(0);
    let counted = builder()
        .thread_name_fn(move || format!("t{}", count.fetch_add(1, Ordering::Relaxed)))
        .build()
        .unwrap();
    assert_eq!(counted.block_on(names()), ["t0", "t1"]);
    // Of a long name Linux keeps the first 15 bytes.
    let long = builder()
        .thread_name("a name of twenty-one")
        .build()
        .unwrap();
    let comm = || std::fs::read_to_string("/proc/thread-self/comm").unwrap();
    let kept = long.block_on(long.handle().spawn_blocking(comm)).unwrap();
    assert_eq!(kept.trim_end(), "a name of twent");
}

#[test]
fn a_pool_without_threads_is_refused() {
    let error = Builder::new().max_blocking_threads(0).build().unwrap_err();
    assert!(matches!(error, BuildError::BlockingThreads));
}
