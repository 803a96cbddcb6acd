//! The budget of a tick: a task whose leaf futures are always ready lets its peers run all the same.

#![cfg(feature = "telemetry")]
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

mod common;

use common::wakes::CountsWakes;
use common::{deterministic, life, threads};
use futures::{AsyncReadExt, AsyncWriteExt};
use glasshouse_pal::{Pal, TaskId};
use glasshouse_scheduler::net::{UdpSocket, UnixStream};
use glasshouse_scheduler::task::coop;
use glasshouse_scheduler::{JoinHandle, Scheduler, spawn, task, time};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What one tick may do.
const BUDGET: u32 = 128;

/// A peer that says that it has run.
fn flag() -> (JoinHandle<()>, Arc<AtomicBool>) {
    let flag = Arc::new(AtomicBool::new(false));
    let set = flag.clone();
    (
        spawn(async move { set.store(true, Ordering::SeqCst) }),
        flag,
    )
}

/// A stream with as many bytes to read as the kernel takes without a reader.
fn full_stream() -> (UnixStream, UnixStream) {
    let (near, far) = UnixStream::pair().unwrap();
    while near.try_write(&[0; 4096]).is_ok() {}
    (near, far)
}

/// Runs `greedy` as the only worker's task, which spawns a peer and counts how often it went on before the
/// peer ran; gives that count, and the task's id.
fn steps_before_a_peer_ran<F>(
    scheduler: &Scheduler,
    greedy: impl FnOnce(Arc<AtomicBool>) -> F,
) -> (u32, TaskId)
where
    F: Future<Output = u32> + Send + 'static,
{
    scheduler.block_on(async {
        // The flag's task is spawned by the greedy one, so it waits in the queue of the busy worker.
        let flag = Arc::new(AtomicBool::new(false));
        let set = flag.clone();
        let greedy = greedy(flag);
        let task = spawn(async move {
            let peer = spawn(async move { set.store(true, Ordering::SeqCst) });
            let steps = greedy.await;
            peer.await.unwrap();
            steps
        });
        let id = task.id();
        (task.await.unwrap(), id)
    })
}

/// The log has it that the task woke itself, and not that it ever waited for a descriptor.
fn assert_yields_without_a_wait(pal: &Pal, id: TaskId) {
    let life = life(pal, id);
    let itself = format!("yield woken by task {id}");
    assert!(life.contains(&itself), "{life:#?}");
    let waits = |line: &String| line.starts_with("io_wait");
    assert!(!life.iter().any(waits), "{life:#?}");
}

#[test]
fn a_task_that_reads_what_is_always_there_lets_its_peers_run() {
    let (scheduler, pal) = threads(1);
    let (steps, id) = steps_before_a_peer_ran(&scheduler, |flag| async move {
        let (_near, mut far) = full_stream();
        let mut steps = 0;
        while !flag.load(Ordering::SeqCst) {
            assert_eq!(far.read(&mut [0; 1]).await.unwrap(), 1);
            steps += 1;
        }
        steps
    });
    assert_eq!(steps, BUDGET + 1, "the last of them after the peer");
    assert_yields_without_a_wait(&pal, id);
}

#[test]
fn so_does_one_that_sends_datagrams() {
    let (scheduler, _pal) = threads(1);
    let (steps, _) = steps_before_a_peer_ran(&scheduler, |flag| async move {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let to = socket.local_addr().unwrap();
        let mut steps = 0;
        while !flag.load(Ordering::SeqCst) && steps < 2 * BUDGET {
            socket.send_to(b"", to).await.unwrap();
            steps += 1;
        }
        steps
    });
    assert_eq!(steps, BUDGET + 1, "the last of them after the peer");
}

#[test]
fn so_does_one_that_writes_to_a_stream_that_always_has_room() {
    let (scheduler, pal) = threads(1);
    let (steps, id) = steps_before_a_peer_ran(&scheduler, |flag| async move {
        let (mut near, far) = UnixStream::pair().unwrap();
        let mut steps = 0;
        while !flag.load(Ordering::SeqCst) && steps < 2 * BUDGET {
            assert_eq!(near.write(b"x").await.unwrap(), 1);
            assert_eq!(far.try_read(&mut [0; 2]).unwrap(), 1);
            steps += 1;
        }
        steps
    });
    assert_eq!(steps, BUDGET + 1, "the last of them after the peer");
    assert_yields_without_a_wait(&pal, id);
}

#[test]
fn so_does_one_that_joins_what_has_ended() {
    let (scheduler, pal) = deterministic();
    let id = scheduler.block_on(async {
        let mut ended = Vec::new();
        for _ in 0..1000 {
            ended.push(spawn(async {}));
        }
        while !ended.iter().all(JoinHandle::is_finished) {
            task::yield_now().await;
        }
        let joiner = spawn(async move {
            for task in ended {
                task.await.unwrap();
            }
        });
        let id = joiner.id();
        joiner.await.unwrap();
        id
    });
    let yields = life(&pal, id)
        .into_iter()
        .filter(|line| line == &format!("yield woken by task {id}"))
        .count();
    assert_eq!(yields, 1000 / BUDGET as usize);
}

#[test]
fn so_does_one_whose_sleeps_are_always_due() {
    let (scheduler, pal) = deterministic();
    let id = scheduler.block_on(async {
        let sleeper = spawn(async {
            for _ in 0..1000 {
                time::sleep(Duration::ZERO).await;
            }
        });
        let id = sleeper.id();
        sleeper.await.unwrap();
        id
    });
    let yields = life(&pal, id)
        .into_iter()
        .filter(|line| line == &format!("yield woken by task {id}"))
        .count();
    assert_eq!(yields, 1000 / BUDGET as usize);
}

#[test]
fn a_timeout_ends_a_future_that_is_always_ready_to_go_on() {
    let (scheduler, _pal) = threads(1);
    scheduler.block_on(async {
        spawn(async {
            let (near, mut far) = full_stream();
            let for_ever = async {
                let mut buf = [0; 64];
                loop {
                    far.read_exact(&mut buf).await.unwrap();
                    while near.try_write(&buf).is_ok() {}
                }
            };
            let end: Result<(), _> = time::timeout(Duration::from_millis(20), for_ever).await;
            end.unwrap_err();
        })
        .await
        .unwrap();
    });
}

#[test]
fn one_that_is_unconstrained_does_not() {
    let (scheduler, _pal) = deterministic();
    scheduler.block_on(async {
        let (peer, flag) = flag();
        let free = coop::unconstrained(async {
            for _ in 0..10 * BUDGET {
                coop::consume_budget().await;
            }
        });
        free.await;
        assert!(!flag.load(Ordering::SeqCst));
        peer.await.unwrap();
    });
}

#[test]
fn a_loop_without_leaves_takes_part_by_a_call() {
    let (scheduler, _pal) = deterministic();
    scheduler.block_on(async {
        let (peer, flag) = flag();
        let mut steps = 0;
        while !flag.load(Ordering::SeqCst) {
            coop::consume_budget().await;
            steps += 1;
        }
        // The seed may choose this task again before its peer.
        assert_eq!(steps % BUDGET, 1, "one more, after the yield");
        peer.await.unwrap();
    });
}

#[test]
fn an_executor_inside_a_task_comes_to_its_end() {
    let (scheduler, _pal) = threads(1);
    let joined = scheduler.block_on(async {
        spawn(async {
            let mut ended = Vec::new();
            for _ in 0..1000 {
                ended.push(spawn(async {}));
            }
            while !ended.iter().all(JoinHandle::is_finished) {
                task::yield_now().await;
            }
            futures::executor::block_on(async {
                let mut joined = 0;
                for task in ended {
                    task.await.unwrap();
                    joined += 1;
                }
                joined
            })
        })
        .await
        .unwrap()
    });
    assert_eq!(joined, 1000);
}

#[test]
fn outside_of_tasks_nothing_is_limited_and_nothing_stays_so() {
    let (scheduler, _pal) = threads(1);
    let ended: Vec<_> = (0..1000).map(|_| scheduler.spawn(async {})).collect();
    scheduler.block_on(async {
        for _ in 0..BUDGET / 2 {
            coop::consume_budget().await;
        }
    });
    assert!(coop::has_budget_remaining());
    let (wakes, waker) = CountsWakes::with_waker();
    let mut cx = std::task::Context::from_waker(&waker);
    while !ended.iter().all(JoinHandle::is_finished) {
        std::thread::yield_now();
    }
    for mut task in ended {
        assert!(std::pin::Pin::new(&mut task).poll(&mut cx).is_ready());
    }
    assert_eq!(wakes.count(), 0);
}
