//! What is known of a descriptor's readiness, and who is told.

use crate::common::threads;
use crate::common::wakes::CountsWakes;
use crate::{tcp_pair, with_workers};
use glasshouse_scheduler::io::{AsyncFd, Interest};
use glasshouse_scheduler::net::UnixStream;
use glasshouse_scheduler::{Builder, spawn, task};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net;
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

#[test]
fn every_task_that_waits_in_a_direction_is_told() {
    with_workers(|| async {
        let (near, far) = UnixStream::pair().unwrap();
        let far = Arc::new(far);
        let waiters: Vec<_> = (0..10)
            .map(|_| {
                let far = far.clone();
                spawn(async move { far.readable().await.unwrap() })
            })
            .collect();
        task::yield_now().await;
        near.try_write(b"!").unwrap();
        for waiter in waiters {
            waiter.await.unwrap();
        }
    });
}

#[test]
fn a_try_that_would_block_is_remembered_until_the_next_bytes() {
    with_workers(|| async {
        let (near, far) = tcp_pair().await;
        let mut buf = [0; 8];
        for byte in 0..50 {
            let error = far.try_read(&mut buf).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            assert!(futures::poll!(Box::pin(far.readable())).is_pending());
            near.try_write(&[byte]).unwrap();
            far.readable().await.unwrap();
            assert_eq!(far.try_read(&mut buf).unwrap(), 1);
            assert_eq!(buf[0], byte);
        }
    });
}

#[test]
fn either_of_two_directions_ends_a_wait_for_both() {
    with_workers(|| async {
        let (_near, far) = tcp_pair().await;
        let both = Interest::READABLE | Interest::WRITABLE;
        let ready = far.ready(both).await.unwrap();
        assert!(ready.is_writable() && !ready.is_readable(), "{ready:?}");
    });
}

#[test]
fn the_end_of_a_stream_is_told_as_such() {
    with_workers(|| async {
        let (near, far) = tcp_pair().await;
        drop(near);
        loop {
            let ready = far.ready(Interest::READABLE).await.unwrap();
            if ready.is_read_closed() {
                break;
            }
        }
        assert_eq!(far.try_read(&mut [0; 8]).unwrap(), 0);
    });
}

#[test]
fn a_poll_takes_over_the_place_of_the_one_before() {
    let (scheduler, _pal) = threads(1);
    scheduler.block_on(async {
        let (near, far) = UnixStream::pair().unwrap();
        let counts = [CountsWakes::with_waker(), CountsWakes::with_waker()];
        for (_, waker) in &counts {
            let mut cx = std::task::Context::from_waker(waker);
            assert!(far.poll_read_ready(&mut cx).is_pending());
        }
        near.try_write(b"!").unwrap();
        far.readable().await.unwrap();
        let woken = counts.map(|(wakes, _)| wakes.count());
        assert_eq!(woken, [0, 1], "the last one only");
    });
}

fn watched_pair() -> (net::UnixStream, AsyncFd<net::UnixStream>) {
    let (near, far) = net::UnixStream::pair().unwrap();
    far.set_nonblocking(true).unwrap();
    (near, AsyncFd::new(far).unwrap())
}

#[test]
fn a_guard_forgets_what_its_operation_finds_gone() {
    with_workers(|| async {
        let (mut near, far) = watched_pair();
        near.write_all(b"hello").unwrap();
        let mut guard = far.readable().await.unwrap();
        let mut buf = [0; 8];
        assert_eq!(
            guard
                .try_io(|far| far.get_ref().read(&mut buf))
                .unwrap()
                .unwrap(),
            5
        );
        let mut guard = far.readable().await.unwrap();
        guard
            .try_io(|far| far.get_ref().read(&mut buf))
            .unwrap_err();
        assert!(futures::poll!(Box::pin(far.readable())).is_pending());
        near.write_all(b"again").unwrap();
        far.readable().await.unwrap().clear_ready();
        assert!(
            futures::poll!(Box::pin(far.readable())).is_pending(),
            "it was cleared by hand, and no byte has come since"
        );
    });
}

#[test]
fn an_operation_that_would_block_after_the_other_end_went_waits_and_does_not_spin() {
    with_workers(|| async {
        let (near, far) = watched_pair();
        drop(near);
        far.readable().await.unwrap().retain_ready();
        let mut tries = 0;
        let wait = far.async_io(Interest::READABLE, |_| {
            tries += 1;
            Err::<(), _>(ErrorKind::WouldBlock.into())
        });
        assert!(futures::poll!(Box::pin(wait)).is_pending());
        assert!(tries > 0);
    });
}

#[test]
fn a_direction_that_is_not_watched_is_never_ready() {
    with_workers(|| async {
        let (near, far) = net::UnixStream::pair().unwrap();
        far.set_nonblocking(true).unwrap();
        let far = AsyncFd::with_interest(far, Interest::READABLE).unwrap();
        (&near).write_all(b"!").unwrap();
        far.readable().await.unwrap().retain_ready();
        assert!(futures::poll!(Box::pin(far.writable())).is_pending());
    });
}

#[test]
fn an_operation_may_change_what_is_watched() {
    with_workers(|| async {
        let (mut near, mut far) = watched_pair();
        near.write_all(b"hello").unwrap();
        let mut buf = [0; 5];
        far.async_io_mut(Interest::READABLE, |far| far.read_exact(&mut buf))
            .await
            .unwrap();
        assert_eq!(&buf, b"hello");
    });
}

#[test]
fn a_regular_file_cannot_be_watched() {
    with_workers(|| async {
        let file = tempfile::tempfile().unwrap();
        let error = AsyncFd::new(file).map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    });
}

#[test]
fn a_wait_that_is_polled_by_another_task_wakes_that_one() {
    with_workers(|| async {
        let (near, far) = UnixStream::pair().unwrap();
        let far = Arc::new(far);
        let mut wait = Box::pin({
            let far = far.clone();
            async move { far.readable().await.unwrap() }
        });
        assert!(matches!(futures::poll!(&mut wait), Poll::Pending));
        let moved = spawn(wait);
        task::yield_now().await;
        near.try_write(b"!").unwrap();
        moved.await.unwrap();
    });
}

#[test]
fn a_deterministic_scheduler_that_sleeps_sees_what_another_thread_watches() {
    const PATIENCE: Duration = Duration::from_secs(10);
    let scheduler = Builder::deterministic(1).allow_io().build().unwrap();
    let handle = scheduler.handle().clone();
    let (asked, is_asked) = mpsc::channel();
    let (tell, told) = async_channel::bounded(1);
    let thread = std::thread::spawn(move || {
        is_asked.recv().unwrap();
        // The scheduler has nothing to do, no timer and no descriptor: it goes to sleep.
        std::thread::sleep(Duration::from_millis(20));
        let (mut near, far) = handle.enter(watched_pair);
        near.write_all(b"!").unwrap();
        let mut readable = pin!(far.readable());
        let mut polls = Context::from_waker(Waker::noop());
        let begun = Instant::now();
        let is_seen = loop {
            if readable.as_mut().poll(&mut polls).is_ready() {
                break true;
            }
            if begun.elapsed() > PATIENCE {
                break false;
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        tell.send_blocking(is_seen).unwrap();
    });
    let is_seen = scheduler.block_on(async {
        asked.send(()).unwrap();
        told.recv().await.unwrap()
    });
    thread.join().unwrap();
    assert!(is_seen);
}
