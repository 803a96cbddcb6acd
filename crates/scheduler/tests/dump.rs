//! What a dump says of a scheduler's tasks.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

mod common;

use common::{deterministic, threads, wait_until};
use glasshouse_pal::{Clock, Pal};
use glasshouse_scheduler::dump::{Dump, Interest, IoTarget, Task, TaskState, WaitsFor};
use glasshouse_scheduler::io::AsyncFd;
use glasshouse_scheduler::{Builder, Handle, spawn, task, time, wait};
use std::collections::HashSet;
use std::future::{pending, poll_fn};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::time::Duration;

/// What exactly a task waits for is in the records.
const HAS_RECORDS: bool = cfg!(feature = "telemetry");

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn of(dump: &Dump, id: task::Id) -> &Task {
    let found = dump.tasks().iter().find(|task| task.id == id);
    found.unwrap_or_else(|| panic!("task {id} is not in:\n{dump}"))
}

fn ids(dump: &Dump) -> Vec<task::Id> {
    dump.tasks().iter().map(|task| task.id).collect()
}

#[test]
fn every_state_is_told_with_what_is_waited_for() {
    let (scheduler, pal) = deterministic();
    let lane = pal.text("disk");
    scheduler.block_on(async move {
        let root = task::id();
        let forever = spawn(pending::<()>());
        let id = forever.id();
        let sleeping = spawn(time::sleep(ms(50)));
        let joining = spawn(forever);
        let in_lane = spawn(poll_fn(move |_| {
            wait::claim_lane(lane);
            Poll::<()>::Pending
        }));
        time::sleep(ms(2)).await;
        let ready = spawn(pending::<()>());
        time::advance(ms(1));
        let dump = Handle::current().dump();
        let expected = [
            (root, TaskState::Running, 1, None),
            (id, TaskState::Waiting, 3, None),
            (
                sleeping.id(),
                TaskState::Sleeping,
                3,
                Some(WaitsFor::Deadline { ahead: ms(50) }),
            ),
            (
                joining.id(),
                TaskState::JoinWait,
                3,
                Some(WaitsFor::Task(id)),
            ),
            (
                in_lane.id(),
                TaskState::LaneWait,
                3,
                Some(WaitsFor::Lane("disk".to_owned())),
            ),
            (ready.id(), TaskState::Scheduled, 1, None),
        ];
        assert_eq!(ids(&dump), expected.clone().map(|task| task.0));
        for (id, state, since, waits_for) in expected {
            let task = of(&dump, id);
            assert_eq!((task.state, task.since), (state, ms(since)), "{task}");
            assert_eq!(task.waits_for, waits_for.filter(|_| HAS_RECORDS), "{task}");
            assert_eq!(task.parent, (id != root).then_some(root));
            assert_eq!(task.stats.life(), ms(if id == ready.id() { 1 } else { 3 }));
        }
        assert_eq!(of(&dump, root).name(), Some("block_on"));
        assert_eq!(dump.without_slot(), 0);
    });
}

#[test]
fn ready_tasks_that_yielded_or_were_throttled_are_told_apart() {
    let scheduler = Builder::deterministic(1).quantum(ms(5)).build().unwrap();
    scheduler.block_on(async {
        let short = spawn(async {
            loop {
                time::advance(ms(1));
                task::yield_now().await;
                time::sleep(ms(1)).await;
            }
        });
        let long = spawn(async {
            loop {
                time::advance(ms(6));
                task::yield_now().await;
            }
        });
        let mut seen = HashSet::new();
        for _ in 0..100 {
            let dump = Handle::current().dump();
            for id in [short.id(), long.id()] {
                let task = of(&dump, id);
                seen.insert((id == long.id(), task.state));
            }
            time::sleep(ms(1)).await;
        }
        let mut ready: Vec<_> = seen.into_iter().filter(|seen| seen.1.is_ready()).collect();
        ready.sort();
        assert_eq!(
            ready,
            [
                (false, TaskState::Scheduled),
                (false, TaskState::Yielded),
                (true, TaskState::Scheduled),
                (true, TaskState::Throttled),
            ]
        );
        short.abort();
        long.abort();
    });
}

#[test]
fn a_wait_for_a_descriptor_names_it() {
    let (scheduler, pal) = threads(1);
    let (near, _far) = UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    let fd = near.as_raw_fd();
    let reader = scheduler.spawn(async move {
        let near = AsyncFd::new(near).unwrap();
        drop(near.readable().await.unwrap());
    });
    wait_until(&pal, reader.id(), TaskState::IoWait);
    // The state is there a moment before its record.
    let mut dump = scheduler.handle().dump();
    while HAS_RECORDS && of(&dump, reader.id()).waits_for.is_none() {
        dump = scheduler.handle().dump();
    }
    let io = WaitsFor::Io(IoTarget {
        fd,
        interest: Interest::Read,
    });
    assert_eq!(of(&dump, reader.id()).waits_for, HAS_RECORDS.then_some(io));
}

#[test]
fn a_dump_is_taken_while_the_worker_is_stuck_and_names_who_holds_it() {
    let (scheduler, _pal) = threads(1);
    let (begin, begun) = mpsc::channel();
    let (release, held) = mpsc::channel::<()>();
    let handle = scheduler.handle().clone();
    let line = line!() + 3;
    let stuck = handle.enter(|| {
        let named = task::Builder::new().name("stuck");
        named.spawn(async move {
            begin.send(()).unwrap();
            held.recv().unwrap();
        })
    });
    let behind = scheduler.spawn(async {});
    begun.recv().unwrap();
    let dump = handle.dump();
    let holder = of(&dump, stuck.id());
    assert_eq!(
        (holder.state, holder.name()),
        (TaskState::Running, Some("stuck"))
    );
    let site = holder.site.as_ref().unwrap();
    assert!(site.file.ends_with("tests/dump.rs"), "{site}");
    assert_eq!(site.line, line);
    assert_eq!(of(&dump, behind.id()).state, TaskState::Scheduled);
    release.send(()).unwrap();
    scheduler.block_on(async {
        stuck.await.unwrap();
        behind.await.unwrap();
    });
}

#[test]
fn what_has_ended_is_gone_and_so_is_a_root() {
    let (scheduler, _pal) = threads(2);
    let handle = scheduler.handle().clone();
    let root = scheduler.block_on(async {
        spawn(async {}).await.unwrap();
        let _ = spawn(async { panic!("as it should") }).await;
        let dump = Handle::current().dump();
        assert_eq!(ids(&dump), [task::id()], "{dump}");
        task::id()
    });
    assert!(!ids(&handle.dump()).contains(&root));
    let left = scheduler.spawn(pending::<()>());
    assert_eq!(ids(&handle.dump()), [left.id()]);
    drop(scheduler);
    assert_eq!(handle.dump().tasks(), []);
}

#[test]
fn each_of_two_schedulers_with_one_log_dumps_its_own_tasks_while_they_come_and_go() {
    let pal = Pal::memory();
    let build = || Builder::new().workers(1).pal(pal.clone()).build().unwrap();
    let (ours, others) = (build(), build());
    let over = Arc::new(AtomicBool::new(false));
    let churn = |handle: &Handle| {
        let over = over.clone();
        handle.spawn(async move {
            let mut spawned = HashSet::from([task::id()]);
            while !over.load(Ordering::Relaxed) {
                let mut set = task::JoinSet::new();
                for _ in 0..20 {
                    spawned.insert(set.spawn(task::yield_now()).id());
                }
                set.join_all().await;
            }
            spawned
        })
    };
    let churns = [churn(ours.handle()), churn(others.handle())];
    let mut seen = HashSet::new();
    while seen.len() < 200 {
        seen.extend(ids(&ours.handle().dump()));
    }
    over.store(true, Ordering::Relaxed);
    let [of_ours, of_others] = churns.map(|churn| ours.block_on(churn).unwrap());
    assert!(seen.is_disjoint(&of_others));
    assert!(seen.is_subset(&of_ours));
}

#[test]
fn what_was_waited_for_is_left_out_when_its_record_is_overwritten() {
    let (scheduler, pal) = deterministic();
    scheduler.block_on(async {
        let sleeper = spawn(time::sleep(Duration::from_secs(1)));
        time::sleep(ms(1)).await;
        let known = Handle::current().dump();
        assert_eq!(of(&known, sleeper.id()).waits_for.is_some(), HAS_RECORDS);
        for _ in 0..70_000 {
            task::yield_now().await;
        }
        assert_eq!(pal.log().horizon().is_some(), HAS_RECORDS);
        let dump = Handle::current().dump();
        let task = of(&dump, sleeper.id());
        assert_eq!((task.state, task.since), (TaskState::Sleeping, ms(1)));
        assert_eq!(task.waits_for, None);
        sleeper.abort();
    });
}

#[test]
fn without_a_log_states_and_times_are_there_and_sites_are_not() {
    let scheduler = Builder::new().workers(1).pal(Pal::off()).build().unwrap();
    scheduler.block_on(async {
        let sleeper = spawn(time::sleep(Duration::from_secs(3600)));
        let dump = loop {
            let dump = Handle::current().dump();
            if of(&dump, sleeper.id()).state == TaskState::Sleeping {
                break dump;
            }
            task::yield_now().await;
        };
        let task = of(&dump, sleeper.id());
        assert_eq!((&task.site, &task.waits_for), (&None, &None));
        assert_eq!((task.stats.polls, task.parent), (1, Some(task::id())));
        sleeper.abort();
    });
}

#[test]
fn a_dump_prints_a_line_for_each_task() {
    let pal = Pal::memory_with(Clock::virtual_time());
    let scheduler = Builder::deterministic(1).pal(pal).build().unwrap();
    let dump = scheduler.block_on(async {
        let name = "a\u{1b}[31m \"b\"";
        let named = task::Builder::new().name(name);
        let sleeper = named.spawn(time::sleep(ms(20)));
        let joining = spawn(sleeper);
        time::sleep(ms(2)).await;
        time::advance(ms(1));
        let dump = Handle::current().dump();
        joining.await.unwrap().unwrap();
        dump
    });
    // Where in this file a task was spawned is not the matter here.
    let without_place = |line: &str| {
        let Some((head, tail)) = line.split_once(" at ") else {
            return line.to_owned();
        };
        let end = tail.find(", by ").or_else(|| tail.find(": ")).unwrap();
        head.to_owned() + &tail[end..]
    };
    let printed = dump.to_string();
    let lines: Vec<_> = printed.lines().map(without_place).collect();
    let waits = |text: &'static str| if HAS_RECORDS { text } else { "" };
    let (deadline, other) = (waits(", until 20ms had passed"), waits(", on task 2"));
    let root =
        "running for 1ms; 2 polls, ran 1ms, waited 2ms, was ready for 0ns, last woken by timer";
    let stats = "1 poll, ran 0ns, waited 3ms, was ready for 0ns";
    assert_eq!(
        lines,
        [
            "3 tasks".to_owned(),
            format!(r#"task 1 "block_on": {root}"#),
            format!(
                r#"task 2 "a\u{{1b}}[31m \"b\"", by task 1: sleeping for 3ms{deadline}; {stats}"#
            ),
            format!("task 3, by task 1: join_wait for 3ms{other}; {stats}"),
        ]
    );
}
