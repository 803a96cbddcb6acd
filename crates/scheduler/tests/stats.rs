//! What a program can ask about its tasks' times. None of it needs a record: the tests hold without telemetry.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

mod common;

use common::{deterministic, threads, wait_until};
use glasshouse_pal::{Pal, TaskState, lives::Lives};
use glasshouse_scheduler::task::{self, Stats, WakeSource};
use glasshouse_scheduler::{Builder, spawn, time};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn run_wait_and_ready_time_are_told_apart_and_add_up_to_the_life() {
    let (scheduler, _pal) = deterministic();
    scheduler.block_on(async {
        let begun = time::Instant::now();
        let (send, receive) = async_channel::bounded(1);
        let task = spawn(async move {
            time::advance(ms(3));
            receive.recv().await.unwrap();
            time::advance(ms(2));
            task::yield_now().await;
            let stats = task::stats();
            assert_eq!(stats.life(), begun.elapsed());
            stats
        });
        time::sleep(ms(20)).await;
        send.send(()).await.unwrap();
        time::advance(ms(8));
        let stats = task.await.unwrap();
        assert_eq!((stats.polls, stats.life()), (3, ms(30)));
        assert_eq!((stats.run, stats.wait, stats.ready), (ms(5), ms(17), ms(8)));
        assert_eq!(stats.last_waker, Some(WakeSource::Task(task::id())));
    });
}

#[test]
fn what_is_under_way_counts_until_now() {
    let (scheduler, _pal) = deterministic();
    scheduler.block_on(async {
        let task = spawn(async {
            let before = task::stats();
            time::advance(ms(4));
            let after = task::stats();
            assert_eq!((before.run, after.run), (Duration::ZERO, ms(4)));
            std::future::pending::<()>().await;
        });
        time::advance(ms(1));
        let ready = task.stats().unwrap();
        assert_eq!((ready.polls, ready.ready), (0, ms(1)));
        time::sleep(ms(1)).await;
        time::advance(ms(7));
        let waiting = task.stats().unwrap();
        let expected = (1, ms(4), ms(7), ms(1));
        let Stats {
            polls, run, wait, ..
        } = waiting;
        assert_eq!((polls, run, wait, waiting.ready), expected);
        task.abort();
    });
}

#[test]
fn the_last_waker_is_who_ended_the_last_wait() {
    let (scheduler, _pal) = deterministic();
    scheduler.block_on(async {
        let (send, receive) = async_channel::unbounded::<()>();
        let task = spawn(async move {
            let mut seen = vec![task::stats().last_waker];
            receive.recv().await.unwrap();
            seen.push(task::stats().last_waker);
            time::sleep(ms(1)).await;
            seen.push(task::stats().last_waker);
            // Not a wait: what it says stays.
            task::yield_now().await;
            seen.push(task::stats().last_waker);
            seen
        });
        task::yield_now().await;
        let sender = spawn(async move { send.send(()).await.unwrap() });
        let by_sender = Some(WakeSource::Task(sender.id()));
        let timer = Some(WakeSource::Timer);
        assert_eq!(task.await.unwrap(), [None, by_sender, timer, timer]);
    });
}

#[test]
fn a_handle_tells_of_a_live_task_and_of_no_other() {
    let (scheduler, _pal) = deterministic();
    scheduler.block_on(async {
        let task = spawn(task::yield_now());
        let abort = task.abort_handle();
        assert_eq!(task.stats().unwrap().polls, 0);
        time::sleep(ms(1)).await;
        assert!(abort.is_finished());
        // Its slot is given to the next task, which is not confused with it.
        let next = spawn(std::future::pending::<()>());
        assert_eq!((task.stats(), abort.stats()), (None, None));
        assert_eq!(next.abort_handle().stats(), next.stats());
        assert_eq!(next.stats().unwrap().polls, 0);
        next.abort();
    });
    let refusing = Builder::deterministic(1).capacity(1).build().unwrap();
    let _task = refusing.spawn(std::future::pending::<()>());
    assert_eq!(refusing.spawn(async {}).stats(), None);
}

#[test]
fn roots_and_local_tasks_have_stats_too() {
    let local = Builder::deterministic(1).build_local().unwrap();
    local.block_on(async {
        task::yield_now().await;
        assert_eq!(task::stats().polls, 2);
        let task = task::spawn_local(async { task::stats().polls });
        assert_eq!(task.await.unwrap(), 1);
    });
    let (scheduler, pal) = threads(1);
    let (tell, told) = mpsc::channel();
    let (send, receive) = async_channel::bounded(1);
    let sending = thread::spawn(move || {
        let root = told.recv().unwrap();
        wait_until(&pal, root, TaskState::Waiting);
        send.try_send(()).unwrap();
    });
    let stats = scheduler.block_on(async {
        tell.send(task::id()).unwrap();
        receive.recv().await.unwrap();
        task::stats()
    });
    sending.join().unwrap();
    assert_eq!(
        (stats.polls, stats.last_waker),
        (2, Some(WakeSource::External))
    );
    assert!(stats.wait > Duration::ZERO);
}

#[test]
fn a_future_has_stats_while_it_is_dropped() {
    struct Asks(mpsc::Sender<Option<Stats>>);
    impl Drop for Asks {
        fn drop(&mut self) {
            self.0.send(task::try_stats()).unwrap();
        }
    }
    let (scheduler, _pal) = threads(1);
    let (send, receive) = mpsc::channel();
    let asks = Asks(send);
    let task = scheduler.spawn(async move {
        let _asks = asks;
        std::future::pending::<()>().await;
    });
    task.abort();
    assert!(scheduler.block_on(task).unwrap_err().is_cancelled());
    assert!(receive.recv().unwrap().is_some());
}

#[test]
fn outside_of_a_task_there_are_none_and_asking_panics_with_the_remedy() {
    assert_eq!(task::try_stats(), None);
    let (scheduler, _pal) = threads(1);
    let apart = scheduler.handle().spawn_blocking(task::try_stats);
    assert_eq!(scheduler.block_on(apart).unwrap(), None);
    let panic = thread::spawn(task::stats).join().unwrap_err();
    let message = panic.downcast::<&str>().unwrap();
    assert!(message.contains("use try_stats()"), "{message}");
}

#[test]
fn without_a_log_they_are_there_all_the_same() {
    let scheduler = Builder::new().workers(1).pal(Pal::off()).build().unwrap();
    let (send, receive) = async_channel::bounded(1);
    let task = scheduler.spawn(async move {
        receive.recv().await.unwrap();
        task::stats()
    });
    while task.stats().unwrap().wait.is_zero() {
        thread::yield_now();
    }
    send.try_send(()).unwrap();
    let stats = scheduler.block_on(task).unwrap();
    assert_eq!(
        (stats.polls, stats.last_waker),
        (2, Some(WakeSource::External))
    );
    assert!(stats.wait > Duration::ZERO);
}

#[test]
fn another_thread_reads_what_the_log_says() {
    let (scheduler, pal) = threads(2);
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            scheduler.spawn(async move {
                for _ in 0..n {
                    task::yield_now().await;
                    time::sleep(Duration::from_micros(100)).await;
                }
                std::future::pending::<()>().await;
            })
        })
        .collect();
    let read: Vec<_> = tasks
        .iter()
        .map(|task| {
            wait_until(&pal, task.id(), TaskState::Waiting);
            let stats = task.stats().unwrap();
            (task.id(), stats)
        })
        .collect();
    drop(scheduler);
    for (n, (id, stats)) in (0..).zip(&read) {
        // A sleep whose time has passed at its first poll takes no second one.
        assert!(
            (n + 1..=2 * n + 1).contains(&stats.polls),
            "task {id}: {stats}"
        );
    }
    if !cfg!(feature = "telemetry") {
        return;
    }
    // Up to the abort at the end, which adds a wait and a tick.
    let log = pal.log();
    let mut lives = Lives::whole();
    let mut told = Vec::new();
    for entry in log.records() {
        let glasshouse_pal::Event::Task(event) = entry.event else {
            continue;
        };
        let id = event.tid();
        lives.feed(entry.stamp, entry.aux, &event);
        if event.state() == Some(TaskState::Waiting) {
            let life = lives.of(id.unwrap()).unwrap();
            told.push((id, life.polls, life.run_ticks, life.ready_ticks));
        }
    }
    for (id, stats) in &read {
        let (_, polls, run, ready) = *told.iter().find(|life| life.0 == Some(*id)).unwrap();
        assert_eq!(u64::from(stats.polls), polls);
        assert_eq!(stats.run, pal.clock().duration(run));
        assert_eq!(stats.ready, pal.clock().duration(ready));
    }
}

#[test]
fn they_print_as_a_sentence() {
    let (scheduler, _pal) = deterministic();
    scheduler.block_on(async {
        let task = spawn(async {
            time::sleep(ms(20)).await;
            time::advance(ms(3));
            task::stats().to_string()
        });
        assert_eq!(
            task.await.unwrap(),
            "2 polls, ran 3ms, waited 20ms, was ready for 0ns, last woken by timer"
        );
    });
}
