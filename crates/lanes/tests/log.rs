//! What the log says of lanes: who waits for which, who gave the permit, and for how long it was
//! waited for and held. Whole sequences, in virtual time.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

use glasshouse_lanes::{LANE_ACQUIRED, LANE_RELEASED, Lane, Lanes};
use glasshouse_pal::reader::Log;
use glasshouse_pal::{Event, Pal, TaskEvent, TextId, WakeSource};
use glasshouse_scheduler::{Builder, Handle, Scheduler, spawn, task, time};
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

fn deterministic() -> (Scheduler, Pal) {
    let scheduler = Builder::deterministic(1).build().unwrap();
    let pal = scheduler.handle().pal().clone();
    (scheduler, pal)
}

/// All records in order, one line each, beginning with the number of the task.
fn lines(pal: &Pal) -> Vec<String> {
    let log = pal.log();
    log.records()
        .map(|entry| line(&log, &entry.event))
        .collect()
}

fn line(log: &Log, event: &Event) -> String {
    let tid = event.tid().map_or(0, |tid| tid.number());
    let text = |id: TextId| log.text(id).unwrap();
    let by = |by: WakeSource| match by.task() {
        Some(task) => format!("{} {task}", by.name()),
        None => by.name().to_owned(),
    };
    let what = match event {
        Event::Task(TaskEvent::Spawned { .. }) => "spawned".to_owned(),
        Event::Task(TaskEvent::Sleep { dur, .. }) => format!("sleep {dur:?}"),
        Event::Task(TaskEvent::JoinWait { on, .. }) => format!("join_wait {on}"),
        Event::Task(TaskEvent::LaneWait { lane, .. }) => format!("lane_wait {}", text(*lane)),
        Event::Task(TaskEvent::Wake { by: source, .. }) => format!("wake by {}", by(*source)),
        Event::Task(TaskEvent::Yield { by: source, .. }) => {
            format!("yield woken by {}", by(*source))
        }
        Event::Task(other) => other.state().unwrap().name().to_owned(),
        Event::Domain(event) => {
            let schema = log.schema(event.kind()).unwrap();
            let [lane, ns, limit @ ..] = event.args() else {
                panic!("two fields at least: {schema:?}")
            };
            let duration = Duration::from_nanos(*ns);
            let fields: Vec<_> = schema
                .fields
                .iter()
                .map(|field| field.name.as_str())
                .collect();
            let limit = limit
                .first()
                .map_or(String::new(), |limit| format!(" {}={limit}", fields[2]));
            format!(
                "{} {}={} {}={duration:?}{limit}",
                schema.name,
                fields[0],
                text(TextId(*lane as u32)),
                fields[1]
            )
        }
    };
    format!("{tid} {what}")
}

/// The lane `io`, with so many permits, and what it is one of: its host ends with the last of both.
fn io(limit: usize) -> (Lanes, Lane) {
    let lanes = Lanes::builder().lane("io", limit);
    let lanes = lanes.build(&Handle::current()).unwrap();
    let lane = lanes.lane("io").unwrap();
    (lanes, lane)
}

#[test]
fn a_permit_that_is_waited_for() {
    let (scheduler, pal) = deterministic();
    scheduler.block_on(async {
        let (lanes, lane) = io(1);
        let permit = lane.acquire().await;
        let waiter = spawn(async move {
            let _permit = lane.acquire().await;
            time::sleep(3 * MS).await;
        });
        time::sleep(10 * MS).await;
        drop(permit);
        waiter.await.unwrap();
        drop(lanes);
        time::sleep(MS).await;
    });
    assert_eq!(
        lines(&pal),
        [
            "1 spawned",
            "1 running",
            "2 spawned",
            "1 lane_acquired lane=io waited_ns=0ns limit=1",
            "3 spawned",
            "1 sleep 10ms",
            // The host has its first look before the default tasks run.
            "2 running",
            "2 waiting",
            "3 running",
            "3 lane_wait io",
            "1 wake by timer",
            "1 running",
            "1 lane_released lane=io held_ns=10ms",
            "2 wake by task 1",
            "1 join_wait 3",
            // The host hands over; the waiter's wake names who gave the permit back.
            "2 running",
            "3 wake by lane 1",
            "2 waiting",
            "3 running",
            "3 lane_acquired lane=io waited_ns=10ms limit=1",
            "3 sleep 3ms",
            "3 wake by timer",
            "3 running",
            "3 lane_released lane=io held_ns=3ms",
            "3 done",
            "1 wake by task 3",
            "1 running",
            // The last handle is gone, and the host ends.
            "2 wake by task 1",
            "1 sleep 1ms",
            "2 running",
            "2 done",
            "1 wake by timer",
            "1 running",
            "1 done",
        ]
    );
}

#[test]
fn permits_that_nobody_waits_for_do_not_wake_the_host() {
    let (scheduler, pal) = deterministic();
    scheduler.block_on(async {
        let (_lanes, lane) = io(2);
        task::yield_now().await;
        let first = lane.acquire().await;
        let second = lane.acquire().await;
        drop(first);
        drop(lane.acquire().await);
        drop(second);
    });
    let host: Vec<_> = lines(&pal)
        .into_iter()
        .filter(|line| line.starts_with("2 "))
        .collect();
    assert_eq!(host[..3], ["2 spawned", "2 running", "2 waiting"]);
    assert!(
        host[3..].iter().all(|line| line == "2 wake by task 1"),
        "{host:?}"
    );
    assert_eq!(
        host.len(),
        4,
        "only the end of the last handle wakes it: {host:?}"
    );
}

#[test]
fn a_granted_permit_that_is_passed_on_names_who_passed_it_on() {
    let (scheduler, pal) = deterministic();
    scheduler.block_on(async {
        let (_lanes, lane) = io(1);
        let permit = lane.acquire().await;
        let first = spawn(lane.acquire());
        time::sleep(MS).await;
        let second = spawn(lane.acquire());
        time::sleep(MS).await;
        // Task 3 is aborted in the very moment in which it is handed the permit.
        first.abort();
        drop(permit);
        first.await.unwrap_err();
        drop(second.await.unwrap());
    });
    let log = pal.log();
    let wakes = log.records().filter_map(|entry| match entry.event {
        Event::Task(TaskEvent::Wake { tid, by }) if tid.number() > 2 => {
            Some((tid.number(), by.name(), by.task().map(|task| task.number())))
        }
        _ => None,
    });
    let wakes: Vec<_> = wakes.collect();
    // Task 3 was ready already when the permit came, and dropped it unseen.
    assert_eq!(wakes, [(3, "abort", Some(1)), (4, "lane", Some(3))]);
    let acquired = log.records().filter(|entry| match entry.event {
        Event::Domain(event) => event.kind() == LANE_ACQUIRED.kind,
        Event::Task(_) => false,
    });
    assert_eq!(acquired.count(), 2);
    let released = log.records().filter(|entry| match entry.event {
        Event::Domain(event) => event.kind() == LANE_RELEASED.kind,
        Event::Task(_) => false,
    });
    assert_eq!(released.count(), 2);
}

#[test]
fn a_timeout_around_a_wait_for_a_permit_is_in_the_log_beside_the_lane() {
    let (scheduler, pal) = deterministic();
    scheduler.block_on(async {
        let (_lanes, lane) = io(1);
        let _permit = lane.acquire().await;
        assert!(time::timeout(MS, lane.acquire()).await.is_err());
    });
    let log = pal.log();
    let is_wait = |event| matches!(event, Event::Task(TaskEvent::LaneWait { .. }));
    let mut waits = log.records().filter(|entry| is_wait(entry.event));
    let ways_out = waits.next().unwrap().ways_out;
    assert!(ways_out.deadline && !ways_out.other, "{ways_out:?}");
}
