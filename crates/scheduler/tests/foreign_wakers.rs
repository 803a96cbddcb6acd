//! Wakers that are not the scheduler's, and do harm: they panic when they are cloned, woken or dropped, or come
//! back into what they were left in. Each is given to everything that keeps a waker.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

mod common;

use common::faults;
use futures::future::poll_fn;
use futures::io::AsyncReadExt;
use glasshouse_scheduler::io::AsyncFd;
use glasshouse_scheduler::task::JoinSet;
use glasshouse_scheduler::{Builder, Handle, Shutdown, net, spawn, task, time};
use std::future::Future;
use std::io::Write;
use std::mem::ManuallyDrop;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Once, mpsc};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker};
use std::time::Duration;
use tokio::sync::oneshot;

const FAULT: &str = "the waker's own fault";

fn fault() -> ! {
    panic!("{FAULT}");
}

fn noop(_: *const ()) {}

static PANICS_IN_CLONE: RawWakerVTable = RawWakerVTable::new(|_| fault(), noop, noop, noop);
static PANICS_IN_DROP: RawWakerVTable = RawWakerVTable::new(
    |data| RawWaker::new(data, &PANICS_IN_DROP),
    // Woken by value it is dropped as well.
    |_| fault(),
    noop,
    |_| fault(),
);

/// A waker of this kind; the test's own is not dropped.
fn hostile(vtable: &'static RawWakerVTable) -> ManuallyDrop<Waker> {
    // SAFETY: the functions of the two tables above use no data, from whatever thread.
    ManuallyDrop::new(unsafe { Waker::from_raw(RawWaker::new(ptr::null(), vtable)) })
}

type Leaf = Pin<Box<dyn Future<Output = ()> + Send>>;
/// A future that keeps a waker, and what lets it come to its end.
type MakeLeaf = fn() -> (Leaf, Box<dyn FnOnce() + Send>);

const LEAVES: [(&str, MakeLeaf); 7] = [
    ("a sleep", || {
        let nap = Duration::from_millis(5);
        (Box::pin(time::sleep(nap)), Box::new(|| {}))
    }),
    ("an interval", || {
        let mut ticks = time::interval(Duration::from_millis(5));
        let ticks = async move {
            ticks.tick().await;
            ticks.tick().await;
        };
        (Box::pin(ticks), Box::new(|| {}))
    }),
    ("a join", || {
        let (send, receive) = oneshot::channel::<()>();
        let task = spawn(receive);
        let join = async move { task.await.unwrap().unwrap() };
        (Box::pin(join), Box::new(|| send.send(()).unwrap()))
    }),
    ("a set of joins", || {
        let (send, receive) = oneshot::channel::<()>();
        let mut set = JoinSet::new();
        set.spawn(receive);
        let join = async move { set.join_next().await.unwrap().unwrap().unwrap() };
        (Box::pin(join), Box::new(|| send.send(()).unwrap()))
    }),
    ("a blocking function", || {
        let (send, receive) = mpsc::channel::<()>();
        let task = Handle::current().spawn_blocking(move || {
            let _ = receive.recv();
        });
        let join = async move { task.await.unwrap() };
        (Box::pin(join), Box::new(move || send.send(()).unwrap()))
    }),
    ("a descriptor's readiness", || {
        let (mut near, far) = UnixStream::pair().unwrap();
        far.set_nonblocking(true).unwrap();
        let ready = async move {
            let far = AsyncFd::new(far).unwrap();
            drop(far.readable().await.unwrap());
        };
        let write = move || {
            near.write_all(b"x").unwrap();
        };
        (Box::pin(ready), Box::new(write))
    }),
    ("a stream's read", || {
        let (mut near, far) = UnixStream::pair().unwrap();
        far.set_nonblocking(true).unwrap();
        let mut far = net::UnixStream::from_std(far).unwrap();
        let read = async move {
            far.read_exact(&mut [0]).await.unwrap();
        };
        let write = move || {
            near.write_all(b"x").unwrap();
        };
        (Box::pin(read), Box::new(write))
    }),
];

/// Polls with this waker; `None` if it panicked.
fn poll_with(leaf: &mut Leaf, waker: &Waker) -> Option<Poll<()>> {
    let mut cx = Context::from_waker(waker);
    catch_unwind(AssertUnwindSafe(|| leaf.as_mut().poll(&mut cx))).ok()
}

fn drop_contained(leaf: Leaf) {
    let _ = catch_unwind(AssertUnwindSafe(move || drop(leaf)));
}

/// Polls with the task's own waker, and tells whether it is pending.
async fn is_pending(leaf: &mut Leaf) -> bool {
    poll_fn(|cx| Poll::Ready(leaf.as_mut().poll(cx).is_pending())).await
}

/// Runs a test of each leaf in a task, on one and on two workers, and asserts that all workers go on.
fn for_each_leaf<F: Future<Output = ()> + Send + 'static>(test: fn(&'static str, MakeLeaf) -> F) {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| faults::print_none(|panic| panic.payload_as_str() == Some(FAULT)));
    for workers in [1, 2] {
        let scheduler = Builder::new().workers(workers).build().unwrap();
        for (name, make) in LEAVES {
            scheduler
                .block_on(scheduler.spawn(test(name, make)))
                .unwrap();
            let others: Vec<_> = (0..workers)
                .map(|n| scheduler.spawn(async move { n }))
                .collect();
            for (n, other) in others.into_iter().enumerate() {
                assert_eq!(scheduler.block_on(other).unwrap(), n);
            }
        }
        assert_eq!(scheduler.shutdown(Duration::from_secs(60)), Shutdown::Clean);
    }
}

#[test]
fn a_waker_that_panics_when_it_is_cloned_harms_only_the_poll_that_brought_it() {
    for_each_leaf(|name, make| async move {
        let waker = hostile(&PANICS_IN_CLONE);
        let (mut leaf, end) = make();
        let first = poll_with(&mut leaf, &waker);
        drop_contained(leaf);
        // An `async` block that panicked is at its end; a leaf of ours by itself is not.
        assert_ne!(first, Some(Poll::Ready(())), "{name}");
        end_quietly(end);
        let (mut leaf, end) = make();
        assert!(is_pending(&mut leaf).await, "{name}");
        let _ = poll_with(&mut leaf, &waker);
        drop_contained(leaf);
        end_quietly(end);
        let (leaf, end) = make();
        end();
        leaf.await;
    });
}

/// Whoever was to be told may be gone.
fn end_quietly(end: Box<dyn FnOnce() + Send>) {
    let _ = catch_unwind(AssertUnwindSafe(end));
}

#[test]
fn a_sleep_and_a_join_go_on_after_a_waker_that_panics_when_it_is_cloned() {
    let scheduler = Builder::new().workers(1).build().unwrap();
    scheduler.block_on(async {
        let waker = hostile(&PANICS_IN_CLONE);
        let (send, receive) = oneshot::channel::<()>();
        let sleep = time::sleep(Duration::from_millis(5));
        let mut sleep = Box::pin(sleep);
        let mut join = spawn(receive);
        let mut cx = Context::from_waker(&waker);
        for _ in 0..2 {
            let poll = AssertUnwindSafe(|| sleep.as_mut().poll(&mut cx).is_ready());
            assert!(catch_unwind(poll).is_err());
            let poll = AssertUnwindSafe(|| Pin::new(&mut join).poll(&mut cx).is_ready());
            assert!(catch_unwind(poll).is_err());
        }
        sleep.await;
        send.send(()).unwrap();
        join.await.unwrap().unwrap();
    });
}

/// Panics when it is woken, and says before that it was.
#[derive(Default)]
struct PanicsInWake(AtomicBool);

impl Wake for PanicsInWake {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
        fault();
    }
}

#[test]
fn a_waker_that_panics_when_it_is_woken_takes_no_worker_with_it() {
    for_each_leaf(|name, make| async move {
        let (mut leaf, end) = make();
        let hostile = Arc::new(PanicsInWake::default());
        let polled = poll_with(&mut leaf, &Waker::from(hostile.clone()));
        assert_eq!(polled, Some(Poll::Pending), "{name}");
        end();
        // Not looked at before: another waker would take the place of the hostile one.
        while !hostile.0.load(Ordering::Acquire) {
            task::yield_now().await;
        }
        leaf.await;
    });
}

#[test]
fn a_waker_that_panics_when_it_is_dropped_harms_nobody_when_its_future_goes() {
    for_each_leaf(|name, make| async move {
        let (mut leaf, end) = make();
        let polled = poll_with(&mut leaf, &hostile(&PANICS_IN_DROP));
        assert_eq!(polled, Some(Poll::Pending), "{name}");
        drop_contained(leaf);
        end_quietly(end);
    });
}

#[test]
fn a_waker_that_panics_when_it_is_dropped_harms_nobody_when_another_takes_its_place() {
    for_each_leaf(|name, make| async move {
        let (mut leaf, end) = make();
        let polled = poll_with(&mut leaf, &hostile(&PANICS_IN_DROP));
        assert_eq!(polled, Some(Poll::Pending), "{name}");
        // The panic may come out here, where the old waker is dropped: then an `async` block is at its end.
        let again = poll_fn(|cx| Poll::Ready(poll_with(&mut leaf, cx.waker()))).await;
        end_quietly(end);
        match again {
            Some(Poll::Pending) => leaf.await,
            Some(Poll::Ready(())) => {}
            None => drop_contained(leaf),
        }
    });
}

#[test]
fn a_waker_that_panics_when_it_is_dropped_harms_nobody_when_its_task_is_cancelled() {
    for_each_leaf(|name, make| async move {
        let (mut leaf, end) = make();
        let polled = poll_with(&mut leaf, &hostile(&PANICS_IN_DROP));
        assert_eq!(polled, Some(Poll::Pending), "{name}");
        let task = spawn(async move {
            std::future::pending::<()>().await;
            leaf.await;
        });
        task.abort();
        assert!(task.await.is_err());
        end_quietly(end);
    });
}

/// A waker that drops a future as it goes.
struct Carries(Mutex<Option<Leaf>>);

impl Wake for Carries {
    fn wake(self: Arc<Self>) {
        drop(self.0.lock().unwrap().take());
    }
}

#[test]
fn a_waker_may_drop_a_future_of_the_same_kind_wherever_it_is_dropped_itself() {
    for_each_leaf(|name, make| async move {
        let carrying = || {
            let (mut inner, end) = make();
            let polled = poll_with(&mut inner, Waker::noop());
            assert_eq!(polled, Some(Poll::Pending), "{name}");
            (Arc::new(Carries(Mutex::new(Some(inner)))), end)
        };
        // As another takes its place.
        let (mut leaf, end) = make();
        let (carries, _inner_end) = carrying();
        let waker = Waker::from(carries);
        assert_eq!(poll_with(&mut leaf, &waker), Some(Poll::Pending), "{name}");
        drop(waker);
        assert!(is_pending(&mut leaf).await, "{name}");
        // As its future goes.
        let (carries, _inner_end) = carrying();
        let waker = Waker::from(carries);
        assert_eq!(poll_with(&mut leaf, &waker), Some(Poll::Pending), "{name}");
        drop(waker);
        drop(leaf);
        end_quietly(end);
        // As it is woken.
        let (mut leaf, end) = make();
        let (carries, _inner_end) = carrying();
        let waker = Waker::from(carries.clone());
        assert_eq!(poll_with(&mut leaf, &waker), Some(Poll::Pending), "{name}");
        drop(waker);
        end();
        while carries.0.lock().unwrap().is_some() {
            task::yield_now().await;
        }
        leaf.await;
    });
}

#[test]
fn a_waker_may_drop_another_wait_for_the_descriptor_that_it_waits_for() {
    let scheduler = Builder::new().workers(1).build().unwrap();
    scheduler.block_on(async {
        let (_near, far) = UnixStream::pair().unwrap();
        far.set_nonblocking(true).unwrap();
        let far = Arc::new(AsyncFd::new(far).unwrap());
        let wait = || -> Leaf {
            let far = far.clone();
            Box::pin(async move { drop(far.readable().await) })
        };
        let (mut outer, mut inner) = (wait(), wait());
        assert!(is_pending(&mut inner).await);
        let waker = Waker::from(Arc::new(Carries(Mutex::new(Some(inner)))));
        assert_eq!(poll_with(&mut outer, &waker), Some(Poll::Pending));
        drop(waker);
        // This drops the waker, which drops the inner wait.
        assert!(is_pending(&mut outer).await);
    });
}
