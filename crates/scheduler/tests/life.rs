//! The life of a task, as a list of events: one test for each way a task can wait and go on.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]
#![cfg(feature = "telemetry")]

mod common;

use common::{
    deterministic, life, lines, parent_of, threads, threads_with_quantum, wait_until, yield_until,
};
use futures::future::poll_fn;
use glasshouse_pal::{TaskState, WakeSource};
use glasshouse_scheduler::{Handle, io::AsyncFd, spawn, task, time, wait};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::task::{Poll, Waker};
use std::time::Duration;

#[test]
fn a_task_that_yields() {
    let (scheduler, pal) = deterministic();
    let id = scheduler.block_on(async {
        let task = spawn(task::yield_now());
        let id = task.id();
        task.await.unwrap();
        id
    });
    assert_eq!(
        life(&pal, id),
        [
            "spawned by 1",
            "running",
            "yield woken by task 2",
            "running",
            "done"
        ]
    );
}

#[test]
fn a_task_that_sleeps() {
    let (scheduler, pal) = deterministic();
    let id = scheduler.block_on(async {
        let task = spawn(time::sleep(Duration::from_millis(10)));
        let id = task.id();
        task.await.unwrap();
        id
    });
    assert_eq!(
        life(&pal, id),
        [
            "spawned by 1",
            "running",
            "sleep 10ms",
            "wake by timer",
            "running",
            "done"
        ]
    );
}

#[test]
fn a_task_that_waits_on_a_descriptor() {
    let (scheduler, pal) = threads(1);
    let (mut near, far) = UnixStream::pair().unwrap();
    far.set_nonblocking(true).unwrap();
    let id = scheduler.block_on(async {
        let reader = spawn(async move {
            let far = AsyncFd::new(far).unwrap();
            let mut byte = [0];
            far.read_with(|mut far| far.read(&mut byte)).await.unwrap();
        });
        let id = reader.id();
        // The bytes come only when the reader is seen to wait.
        let writer = spawn(async move {
            yield_until(Handle::current().pal(), id, TaskState::IoWait).await;
            near.write_all(b"x").unwrap();
            near
        });
        drop(writer.await.unwrap());
        reader.await.unwrap();
        id
    });
    let parent = parent_of(&pal, id);
    assert_eq!(
        life(&pal, id),
        [
            format!("spawned by {parent}").as_str(),
            "running",
            "io_wait Read",
            "wake by io",
            "running",
            "done"
        ]
    );
}

#[test]
fn a_task_that_joins_another() {
    let (scheduler, pal) = deterministic();
    let (outer, inner) = scheduler.block_on(async {
        let outer = spawn(async {
            let inner = spawn(time::sleep(Duration::from_millis(1)));
            let id = inner.id();
            inner.await.unwrap();
            id
        });
        let id = outer.id();
        (id, outer.await.unwrap())
    });
    assert_eq!(
        life(&pal, outer),
        [
            "spawned by 1".to_owned(),
            "running".to_owned(),
            format!("join_wait {inner}"),
            format!("wake by task {inner}"),
            "running".to_owned(),
            "done".to_owned()
        ]
    );
}

#[test]
fn a_task_that_waits_for_a_lane() {
    let (scheduler, pal) = deterministic();
    let lane = pal.text("disk");
    let (waiter, giver) = scheduler.block_on(async move {
        let (send, receive) = mpsc::channel::<Waker>();
        let waiter = spawn(async move {
            let mut asked = false;
            poll_fn(|cx| {
                if std::mem::replace(&mut asked, true) {
                    return Poll::Ready(());
                }
                send.send(cx.waker().clone()).unwrap();
                wait::claim_lane(lane);
                Poll::Pending
            })
            .await;
        });
        time::sleep(Duration::from_millis(1)).await;
        let giver = spawn(async move {
            let me = task::id();
            wait::wake_as(WakeSource::Lane(Some(me)), receive.recv().unwrap());
        });
        let ids = (waiter.id(), giver.id());
        giver.await.unwrap();
        waiter.await.unwrap();
        ids
    });
    assert_eq!(
        life(&pal, waiter),
        [
            "spawned by 1".to_owned(),
            "running".to_owned(),
            "lane_wait disk".to_owned(),
            format!("wake by lane {giver}"),
            "running".to_owned(),
            "done".to_owned()
        ]
    );
}

#[test]
fn a_task_that_waits_on_a_foreign_channel_inside_a_timeout() {
    let (scheduler, pal) = deterministic();
    let (receiver, sender) = scheduler.block_on(async {
        let (send, receive) = async_channel::bounded::<u8>(1);
        let receiver = spawn(async move {
            time::timeout(Duration::from_secs(5), receive.recv())
                .await
                .unwrap()
                .unwrap()
        });
        time::sleep(Duration::from_millis(1)).await;
        let sender = spawn(async move { send.send(7).await.unwrap() });
        let ids = (receiver.id(), sender.id());
        sender.await.unwrap();
        assert_eq!(receiver.await.unwrap(), 7);
        ids
    });
    assert_eq!(
        life(&pal, receiver),
        [
            "spawned by 1".to_owned(),
            "running".to_owned(),
            "wait".to_owned(),
            format!("wake by task {sender}"),
            "running".to_owned(),
            "done".to_owned()
        ]
    );
}

#[test]
fn a_task_that_runs_past_its_quantum() {
    let (scheduler, pal) = deterministic();
    let id = scheduler.block_on(async {
        let task = spawn(async {
            time::advance(Duration::from_millis(3));
            task::yield_now().await;
            time::advance(Duration::from_millis(3));
            task::yield_now().await;
            time::advance(Duration::from_millis(5));
            task::yield_now().await;
        });
        let id = task.id();
        task.await.unwrap();
        id
    });
    assert_eq!(
        life(&pal, id),
        [
            "spawned by 1",
            "running",
            "yield woken by task 2",
            "running",
            "throttled woken by task 2",
            "running",
            "yield woken by task 2",
            "running",
            "done"
        ]
    );
}

#[test]
fn a_throttled_task_goes_behind_its_peers() {
    let (scheduler, pal) = threads_with_quantum(1, Duration::from_millis(5));
    let order = scheduler.block_on(async {
        let (send, receive) = mpsc::channel();
        let all = spawn(async move {
            let heavy = send.clone();
            let heavy = spawn(async move {
                let begun = std::time::Instant::now();
                while begun.elapsed() < Duration::from_millis(6) {
                    std::hint::spin_loop();
                }
                task::yield_now().await;
                heavy.send("heavy").unwrap();
            });
            let peers: Vec<_> = (0..3)
                .map(|_| {
                    let send = send.clone();
                    spawn(async move { send.send("peer").unwrap() })
                })
                .collect();
            heavy.await.unwrap();
            for peer in peers {
                peer.await.unwrap();
            }
        });
        all.await.unwrap();
        receive.try_iter().collect::<Vec<_>>()
    });
    assert_eq!(order, ["peer", "peer", "peer", "heavy"]);
    assert!(lines(&pal).iter().any(|line| line.contains("throttled")));
}

#[test]
fn a_task_that_is_woken_by_another_while_it_runs() {
    let (scheduler, pal) = threads(2);
    let (sleeper, waker) = scheduler.block_on(async {
        let (lend, lent) = mpsc::channel::<Waker>();
        let (woke, is_woken) = mpsc::channel::<()>();
        let sleeper = spawn(async move {
            let mut first = true;
            poll_fn(move |cx| {
                if !std::mem::replace(&mut first, false) {
                    return Poll::Ready(());
                }
                lend.send(cx.waker().clone()).unwrap();
                // Blocks its worker until the other task, on the other worker, has woken it.
                is_woken.recv().unwrap();
                Poll::Pending
            })
            .await;
        });
        let waker = spawn(async move {
            lent.recv().unwrap().wake();
            woke.send(()).unwrap();
        });
        let ids = (sleeper.id(), waker.id());
        sleeper.await.unwrap();
        waker.await.unwrap();
        ids
    });
    let parent = parent_of(&pal, sleeper);
    assert_eq!(
        life(&pal, sleeper),
        [
            format!("spawned by {parent}"),
            "running".to_owned(),
            format!("yield woken by task {waker}"),
            "running".to_owned(),
            "done".to_owned()
        ]
    );
}

#[test]
fn a_task_that_is_woken_by_a_foreign_thread() {
    let (scheduler, pal) = threads(1);
    let (lend, lent) = mpsc::channel::<Waker>();
    let task = scheduler.spawn(async move {
        let mut first = true;
        poll_fn(|cx| {
            if !std::mem::replace(&mut first, false) {
                return Poll::Ready(());
            }
            lend.send(cx.waker().clone()).unwrap();
            Poll::Pending
        })
        .await;
    });
    let id = task.id();
    let waker = lent.recv().unwrap();
    wait_until(&pal, id, TaskState::Waiting);
    waker.wake();
    scheduler.block_on(task).unwrap();
    assert_eq!(
        life(&pal, id),
        [
            "spawned",
            "running",
            "wait",
            "wake by external",
            "running",
            "done"
        ]
    );
}

#[test]
fn the_root_is_a_task_like_any_other() {
    let (scheduler, pal) = deterministic();
    scheduler.block_on(async { time::sleep(Duration::from_secs(1)).await });
    assert_eq!(
        lines(&pal),
        [
            "1 spawned",
            "1 running",
            "1 sleep 1s",
            "1 wake by timer",
            "1 running",
            "1 done"
        ]
    );
}

#[test]
fn a_task_spawned_inside_enter_of_its_own_scheduler_has_a_parent() {
    let (scheduler, pal) = deterministic();
    let id = scheduler.block_on(async {
        let handle = glasshouse_scheduler::Handle::current();
        let task = handle.enter(|| task::Builder::new().name("named").spawn(async {}));
        let id = task.id();
        task.await.unwrap();
        id
    });
    assert_eq!(life(&pal, id), ["spawned by 1", "running", "done"]);
}
