//! What each call of the seam leaves in the log, the slot and the trace.
#![cfg(feature = "record")]

mod drive;

use drive::{Drive, events_of, here, workers};
use glasshouse_telemetry::pal::{
    Clock, FailureKind, Interest, IoTarget, Pal, TaskEvent, WakeSource,
};
use glasshouse_telemetry::{Hub, Leave, Settings, SpawnSite, Woken};
use std::panic::Location;
use std::time::Duration;

#[test]
fn a_life_leaves_one_record_an_edge() {
    let drive = Drive::new(workers(1));
    let worker = drive.hub.worker(0);
    let parent = worker.spawned(&here(), None);
    let task = worker.spawned(&here(), Some(parent.id()));
    let io = IoTarget {
        fd: 9,
        interest: Interest::Write,
    };
    let dur = Duration::from_millis(2);
    drive.tick_with(&worker, &task, 5, Leave::Yield(Woken::AsNoted), || {
        task.note_waker(WakeSource::Task(task.id()))
    });
    drive.tick_with(&worker, &task, 5, Leave::Throttled(Woken::AsNoted), || {
        task.note_waker(WakeSource::Task(parent.id()));
    });
    drive.tick(&worker, &task, 5, Leave::Sleep { dur });
    worker.woke(&task, WakeSource::Timer);
    drive.tick(&worker, &task, 5, Leave::Io(io));
    worker.woke(&task, WakeSource::Io);
    drive.tick(&worker, &task, 5, Leave::Join(parent.id()));
    worker.woke(&task, WakeSource::Task(parent.id()));
    let lane = drive.pal.text("builds");
    drive.tick(&worker, &task, 5, Leave::Lane(lane));
    worker.woke(&task, WakeSource::Lane(Some(parent.id())));
    drive.tick(&worker, &task, 5, Leave::Wait);
    worker.woke(&task, WakeSource::Abort(None));
    drive.tick(&worker, &task, 5, Leave::Done);

    let tid = task.id();
    let site = match events_of(&drive.pal, tid)[0] {
        TaskEvent::Spawned { site, .. } => site,
        other => panic!("a life begins with its spawn, not {other:?}"),
    };
    let by = WakeSource::Task(parent.id());
    let running = TaskEvent::Running { tid };
    let wake = |by| TaskEvent::Wake { tid, by };
    assert_eq!(
        events_of(&drive.pal, tid),
        [
            TaskEvent::Spawned {
                tid,
                parent: Some(parent.id()),
                site
            },
            running,
            TaskEvent::Yield {
                tid,
                by: WakeSource::Task(tid)
            },
            running,
            TaskEvent::Throttled { tid, by },
            running,
            TaskEvent::Sleep { tid, dur },
            wake(WakeSource::Timer),
            running,
            TaskEvent::IoWait { tid, io },
            wake(WakeSource::Io),
            running,
            TaskEvent::JoinWait {
                tid,
                on: parent.id()
            },
            wake(by),
            running,
            TaskEvent::LaneWait { tid, lane },
            wake(WakeSource::Lane(Some(parent.id()))),
            running,
            TaskEvent::Wait { tid },
            wake(WakeSource::Abort(None)),
            running,
            TaskEvent::Done { tid },
        ]
    );
}

#[test]
fn a_failure_keeps_its_kind_and_text() {
    let drive = Drive::new(workers(1));
    let worker = drive.hub.worker(0);
    let task = worker.spawned(&here(), None);
    let kind = FailureKind::Panic;
    let said = "index out of bounds";
    let text = drive.pal.text(said);
    drive.tick(&worker, &task, 5, Leave::Failed { kind, text });
    match drive.pal.events().last() {
        Some(TaskEvent::Failed { error, .. }) => {
            assert_eq!(error.kind, kind);
            assert_eq!(drive.pal.with_text(error.text, str::to_owned), said);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn run_wait_and_ready_delay_add_up_to_the_life() {
    let drive = Drive::new(workers(1));
    let worker = drive.hub.worker(0);
    drive.pass(1_000);
    worker.refresh();
    let task = worker.spawned(&here(), None);
    let born = task.since();
    drive.pass(7);
    worker.refresh();
    drive.tick(&worker, &task, 11, Leave::Yield(Woken::AsNoted));
    drive.pass(13);
    worker.refresh();
    drive.tick(&worker, &task, 17, Leave::Wait);
    drive.pass(19);
    worker.woke(&task, WakeSource::External);
    drive.pass(23);
    worker.refresh();
    let mut tick = worker.start_tick(&task);
    drive.pass(29);
    assert_eq!(worker.poll_returned(&mut tick), 29);
    let draft = worker.leave(&task, &tick, Leave::Done);
    worker.commit(tick, draft);
    let slot = drive.pal.table().slot(task.slot().expect("there is room"));
    assert_eq!(slot.run_ticks(), 11 + 17 + 29);
    assert_eq!(slot.wait_ticks(), 19);
    assert_eq!(slot.ready_ticks(), 7 + 13 + 23);
    let life = slot.run_ticks() + slot.wait_ticks() + slot.ready_ticks();
    assert_eq!(life, task.since() - born);
    worker.free(&task);
    assert_eq!(slot.id(), None);
}

#[test]
fn a_wake_that_comes_while_the_wait_is_published_makes_it_a_yield() {
    let drive = Drive::new(workers(1));
    let worker = drive.hub.worker(0);
    let task = worker.spawned(&here(), None);
    let mut tick = worker.start_tick(&task);
    drive.pass(100);
    worker.poll_returned(&mut tick);
    let unpublished = worker.leave(&task, &tick, Leave::Wait);
    task.note_waker(WakeSource::External);
    let draft = worker.leave_instead(&task, &tick, unpublished, Leave::Yield(Woken::AsNoted));
    worker.commit(tick, draft);
    let slot = drive.pal.table().slot(task.slot().expect("there is room"));
    assert_eq!(slot.run_ticks(), 100, "the run is added once");
    let tid = task.id();
    let by = WakeSource::External;
    let events = events_of(&drive.pal, tid);
    assert_eq!(
        events[1..],
        [TaskEvent::Running { tid }, TaskEvent::Yield { tid, by }]
    );
    drive.tick(&worker, &task, 1, Leave::Done);
    drive.assert_consistent();
}

#[test]
fn a_thread_without_a_ring_leaves_its_records_to_the_worker() {
    let drive = Drive::new(workers(1));
    drive.pass(50);
    let task = std::thread::scope(|scope| {
        let spawner = scope.spawn(|| drive.hub.spawned(&here()));
        spawner.join().expect("it spawns")
    });
    assert_eq!(drive.pal.events(), []);
    drive.pass(8);
    let worker = drive.hub.worker(0);
    worker.take_in(&task);
    worker.take_in(&task);
    drive.tick(&worker, &task, 3, Leave::Wait);
    drive.pass(4);
    drive.hub.woke(&task, WakeSource::External);
    drive.pass(6);
    worker.refresh();
    worker.take_in(&task);
    drive.tick(&worker, &task, 1, Leave::Done);
    let tid = task.id();
    let stamped = drive.stamped();
    let kinds: Vec<_> = stamped
        .iter()
        .map(|(at, event)| (*at, event.state()))
        .collect();
    let running = TaskEvent::Running { tid }.state();
    let scheduled = stamped[0].1.state();
    let expected = [
        (50, scheduled),
        (58, running),
        (61, TaskEvent::Wait { tid }.state()),
        (65, scheduled),
        (71, running),
        (72, TaskEvent::Done { tid }.state()),
    ];
    assert_eq!(kinds, expected);
    let by = WakeSource::External;
    assert_eq!(stamped[3].1, TaskEvent::Wake { tid, by });
    drive.assert_consistent();
}

#[test]
fn a_tick_never_starts_before_its_task_was_ready() {
    let drive = Drive::new(workers(1));
    let worker = drive.hub.worker(0);
    drive.pass(1_000);
    // Stamped by another thread, later than this worker's boundary, which it does not refresh.
    let task = drive.hub.spawned(&here());
    worker.take_in(&task);
    assert!(worker.now() < task.since());
    drive.tick(&worker, &task, 5, Leave::Done);
    let stamps: Vec<u64> = drive.stamped().iter().map(|record| record.0).collect();
    assert_eq!(stamps, [1_000, 1_000, 1_005]);
    assert_eq!(worker.now(), 1_005, "the boundary moves along");
    assert_eq!(drive.regressions(), 1);
}

#[test]
fn a_wake_between_ticks_moves_the_boundary_and_one_inside_a_tick_does_not() {
    let drive = Drive::new(workers(1));
    let worker = drive.hub.worker(0);
    let (one, two) = (worker.spawned(&here(), None), worker.spawned(&here(), None));
    drive.tick(&worker, &two, 0, Leave::Wait);
    drive.tick_with(&worker, &one, 10, Leave::Wait, || {
        drive.pass(5);
        worker.woke(&two, WakeSource::Task(one.id()));
        assert_eq!((worker.now(), two.since()), (0, 5));
    });
    assert_eq!(worker.now(), 15);
    drive.pass(100);
    worker.woke(&one, WakeSource::Timer);
    assert_eq!((worker.now(), one.since()), (115, 115));
    drive.tick(&worker, &one, 1, Leave::Done);
    assert_eq!(drive.regressions(), 0);
}

#[test]
fn a_spawn_inside_a_tick_carries_the_ticks_stamp() {
    let drive = Drive::new(workers(1));
    let worker = drive.hub.worker(0);
    let task = worker.spawned(&here(), None);
    drive.pass(20);
    worker.refresh();
    let mut child = None;
    drive.tick_with(&worker, &task, 5, Leave::Done, || {
        drive.pass(3);
        child = Some(worker.spawned(&here(), Some(task.id())));
    });
    assert_eq!(child.map(|child| child.since()), Some(20));
}

#[test]
fn a_site_is_one_place_and_one_name() {
    let drive = Drive::new(workers(1));
    let worker = drive.hub.worker(0);
    let location = Location::caller();
    let site = |name| SpawnSite { location, name };
    for _ in 0..2 {
        for name in [None, Some("pump"), Some("drain")] {
            worker.spawned(&site(name), None);
        }
        worker.spawned(&here(), None);
    }
    let sites: Vec<_> = drive
        .pal
        .events()
        .into_iter()
        .map(|event| match event {
            TaskEvent::Spawned { site, .. } => site,
            other => panic!("{other:?}"),
        })
        .collect();
    let (first, second) = sites.split_at(4);
    assert_eq!(first, second);
    for (i, site) in first.iter().enumerate() {
        assert!(!first[..i].contains(site), "{first:?}");
    }
}

#[test]
fn a_refused_spawn_says_who_asked_and_where() {
    let drive = Drive::new(workers(1));
    let worker = drive.hub.worker(0);
    let task = worker.spawned(&here(), None);
    worker.denied(&here(), Some(task.id()), 10);
    std::thread::scope(|scope| {
        scope.spawn(|| drive.hub.denied(&here(), usize::MAX));
    });
    let denials: Vec<_> = drive.pal.events()[1..]
        .iter()
        .map(|event| match *event {
            TaskEvent::SpawnDenied {
                parent, capacity, ..
            } => (parent, capacity),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(denials, [(Some(task.id()), 10), (None, u32::MAX)]);
}

#[test]
fn the_schedulers_own_events_reach_its_log_from_any_thread() {
    let drive = Drive::new(workers(1));
    let other = Drive::new(workers(1));
    let timeout = Duration::from_secs(1);
    drive.hub.event(TaskEvent::ShutdownBegin { timeout });
    drive.pass(1);
    let worker = drive.hub.worker(0);
    drive
        .hub
        .event(TaskEvent::ShutdownComplete { clean: false });
    drive.pass(1);
    // This thread's ring is now another scheduler's.
    let _foreign = other.hub.worker(0);
    drive.hub.event(TaskEvent::ShutdownComplete { clean: true });
    drop(worker);
    assert_eq!(
        drive.pal.events(),
        [
            TaskEvent::ShutdownBegin { timeout },
            TaskEvent::ShutdownComplete { clean: false },
            TaskEvent::ShutdownComplete { clean: true },
        ]
    );
    assert_eq!(other.pal.events(), []);
}

#[test]
fn ids_of_its_own_start_at_one_and_never_repeat() {
    let drive = Drive::new(Settings {
        own_ids: true,
        ..workers(2)
    });
    let root = drive.hub.spawned(&here());
    let (one, two) = (drive.hub.worker(0), drive.hub.worker(1));
    let mut ids = vec![root.id().number()];
    for _ in 0..200 {
        ids.push(one.spawned(&here(), None).id().number());
        ids.push(two.spawned(&here(), None).id().number());
    }
    assert_eq!(ids[..2], [1, 2]);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 401);
}

#[test]
fn in_real_time_and_across_threads_the_sums_are_exact() {
    let drive = Drive::on(Clock::process(), workers(2));
    let one = drive.hub.worker(0);
    let task = one.spawned(&here(), None);
    let born = task.since();
    for _ in 0..200 {
        drive.tick(&one, &task, 0, Leave::Wait);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let two = drive.hub.worker(1);
                two.woke(&task, WakeSource::External);
                two.refresh();
                drive.tick(&two, &task, 0, Leave::Wait);
                drive.hub.woke(&task, WakeSource::External);
            });
        });
        one.refresh();
        one.take_in(&task);
    }
    let slot = drive.pal.table().slot(task.slot().expect("there is room"));
    let life = task.since() - born;
    assert_eq!(
        slot.run_ticks() + slot.wait_ticks() + slot.ready_ticks(),
        life
    );
    drive.tick(&one, &task, 0, Leave::Done);
    drive.assert_consistent();
}

#[test]
#[should_panic(expected = "worker 2 of a scheduler built for 2")]
fn a_worker_beyond_the_settings_is_a_bug() {
    let pal = Some(Pal::memory());
    Hub::new(Settings { pal, ..workers(2) }).worker(2);
}
