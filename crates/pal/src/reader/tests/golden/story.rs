//! Owns what the golden logs tell: everything that a log can hold, once.

use crate::cause::{Failure, FailureKind, Interest, IoTarget, WakeSource};
use crate::domain::{DomainEvent, Field, FieldType, KindSpec, Value};
use crate::event::TaskEvent;
use crate::loss::LossCause;
use crate::owner::{RingOwner, WorkerState};
use crate::pal::Pal;
use crate::verify::tests::scene::{Actor, Scene, tid};
use std::time::Duration;

/// A kind without a field.
static RANG: KindSpec = KindSpec::new(40, "rang", &[]);
/// A kind with all the fields that there can be, one of each type and more.
static SERVED: KindSpec = KindSpec::new(
    41,
    "served_of_each_type_once",
    &[
        Field::new("count", FieldType::U64),
        Field::new("change", FieldType::I64),
        Field::new("is_hot", FieldType::Bool),
        Field::new("took_ns", FieldType::Ns),
        Field::new("what", FieldType::Text),
        Field::new("whose", FieldType::Task),
        Field::new("task", FieldType::Task),
    ],
);

/// A program that ended in an orderly way, and left one task waiting.
pub fn ended(pal: &Pal) {
    let mut scene = Scene::new(pal.clone());
    let first = scene.spawn(0, 100, 1, None);
    let children =
        [2, 3, 4, 5, 6, 7].map(|number| scene.spawn(0, 100 + number, number, Some(first.tid)));
    let far = scene.spawn(0, 120, 1 << 40, Some(first.tid));
    let waits = waits(&mut scene, first);
    endings(&mut scene, children);
    let tid = far.tid;
    let mut far = far;
    scene.step(&mut far, 1, 400, TaskEvent::Running { tid });
    scene.end(far, 1, 410);
    others(&scene, waits);
    for cause in LossCause::ALL {
        pal.count_loss(cause);
    }
    for (at, state) in [(500, WorkerState::Searching), (510, WorkerState::Parked)] {
        scene.rings[0].current(at, None, state);
    }
    // Two seconds on: a second pair of clocks.
    pal.clock().advance_ns(2_000_000_000);
    scene.rings[0].clock_pair();
    drop(scene);
    pal.close();
}

/// Every way to wait, to come back ready, and to be woken; it waits in the end.
fn waits(scene: &mut Scene, mut task: Actor) -> Actor {
    let tid = task.tid;
    let lane = scene.pal.text("disk: größer als 5 µm");
    let io = |fd, interest| TaskEvent::IoWait {
        tid,
        io: IoTarget { fd, interest },
    };
    let nobody = None;
    let leaves = [
        (
            TaskEvent::Yield {
                tid,
                by: WakeSource::Task(self::tid(2)),
            },
            nobody,
        ),
        (
            TaskEvent::Throttled {
                tid,
                by: WakeSource::External,
            },
            nobody,
        ),
        (
            TaskEvent::Sleep {
                tid,
                dur: Duration::from_nanos(25),
            },
            Some(WakeSource::Timer),
        ),
        (io(3, Interest::Read), Some(WakeSource::Io)),
        (io(-1, Interest::Write), Some(WakeSource::Abort(None))),
        (
            TaskEvent::JoinWait {
                tid,
                on: self::tid(2),
            },
            Some(WakeSource::Task(self::tid(2))),
        ),
        (
            TaskEvent::LaneWait { tid, lane },
            Some(WakeSource::Lane(Some(self::tid(3)))),
        ),
        (TaskEvent::Wait { tid }, Some(WakeSource::External)),
        (TaskEvent::Wait { tid }, None),
    ];
    for (at, (leave, wake)) in (200..).step_by(10).zip(leaves) {
        scene.step(&mut task, 0, at, TaskEvent::Running { tid });
        scene.step(&mut task, 0, at + 3, leave);
        if let Some(by) = wake {
            scene.step(&mut task, 1, at + 5, TaskEvent::Wake { tid, by });
        }
    }
    task
}

/// Every way to end.
fn endings(scene: &mut Scene, tasks: [Actor; 6]) {
    let text = scene.pal.text("the disk is full");
    let failed = |kind| Some(Failure { kind, text });
    let ends = [
        None,
        failed(FailureKind::Panic),
        failed(FailureKind::Cancelled),
        failed(FailureKind::Error),
        None,
        None,
    ];
    for ((at, mut task), error) in (300..).step_by(10).zip(tasks).zip(ends) {
        let tid = task.tid;
        scene.step(&mut task, 1, at, TaskEvent::Running { tid });
        match error {
            Some(error) => scene.end_as(task, 1, at + 4, TaskEvent::Failed { tid, error }),
            None => scene.end(task, 1, at + 4),
        }
    }
}

/// What is no transition, and what other threads record.
fn others(scene: &Scene, waiting: Actor) {
    let pal = &scene.pal;
    let site = pal.site("a.rs", 7, 21, None);
    let parent = Some(waiting.tid);
    let own = [
        TaskEvent::SpawnDenied {
            parent,
            site,
            capacity: 8,
        },
        TaskEvent::SpawnDenied {
            parent: None,
            site,
            capacity: u32::MAX,
        },
        TaskEvent::Stalled {
            tid: waiting.tid,
            worker: 1,
            busy: Duration::from_millis(150),
            queued: 3,
            others: 2,
        },
        TaskEvent::ShutdownBegin {
            timeout: Duration::from_secs(5),
        },
        TaskEvent::ShutdownComplete { clean: true },
        TaskEvent::ShutdownComplete { clean: false },
    ];
    for (at, event) in (420..).zip(&own) {
        scene.rings[1].write(at, 0, event);
    }
    let outside = pal.lease(RingOwner::External);
    outside.write_domain(430, &DomainEvent::new(&RANG, &[]));
    let what = pal.text("tea");
    let values = [
        Value::U64(u64::MAX),
        Value::I64(-5),
        Value::Bool(true),
        Value::Ns(1_500),
        Value::Text(what),
        Value::Task(None),
        Value::Task(Some(waiting.tid)),
    ];
    let served = DomainEvent::new(&SERVED, &values).about(waiting.tid);
    outside.write_domain(431, &served);
}

/// A program that was killed in the midst: a ring has wrapped, one task runs, and another was about to.
pub fn killed(pal: &Pal) -> Scene {
    let by = WakeSource::Timer;
    let mut scene = Scene::new(pal.clone());
    let mut busy = scene.spawn(0, 10, 1, None);
    let tid = busy.tid;
    for at in (20..).step_by(10).take(67) {
        scene.step(&mut busy, 0, at, TaskEvent::Running { tid });
        scene.step(&mut busy, 0, at + 2, TaskEvent::Wait { tid });
        scene.step(&mut busy, 0, at + 9, TaskEvent::Wake { tid, by });
    }
    let mut next = scene.spawn(1, 690, 2, None);
    scene.rings[0].current(700, Some(tid), WorkerState::Running);
    scene.step(&mut busy, 0, 700, TaskEvent::Running { tid });
    scene.rings[1].current(701, Some(next.tid), WorkerState::Running);
    let running = TaskEvent::Running { tid: next.tid };
    scene.enter(&mut next, 701, &running);
    scene
}
