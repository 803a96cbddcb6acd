//! Owns the generators and the small logs that this crate's own tests share.

use crate::cause::{Failure, FailureKind, Interest, IoTarget, WakeSource};
use crate::create::over_new_file;
use crate::event::TaskEvent;
use crate::format::layout::Shape;
use crate::id::TaskId;
use crate::pal::Pal;
use crate::text_id::{SiteId, TextId};
use proptest::prelude::*;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

/// A log small enough to be overrun, cut and damaged in every place: rings of 128 records.
pub(crate) const SMALL: Shape = Shape {
    worker_rings: 3,
    worker_ring_bytes: 4096,
    external_rings: 2,
    external_ring_bytes: 4096,
    slots: 128,
};

/// The records that a ring of a small log holds.
pub(crate) const SMALL_RING: usize = 128;

/// A small log in a file.
pub(crate) fn small_file(path: &Path) -> Pal {
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(path)
        .expect("a new file");
    over_new_file(file, path.to_owned(), SMALL, true).expect("room for a small log")
}

pub(crate) fn any_task() -> impl Strategy<Value = TaskId> {
    prop_oneof![1u64..100, 1u64..1 << TaskId::BITS]
        .prop_map(|number| TaskId::new(number).expect("in range"))
}

fn any_source() -> impl Strategy<Value = WakeSource> {
    prop_oneof![
        any_task().prop_map(WakeSource::Task),
        Just(WakeSource::Timer),
        Just(WakeSource::Io),
        Just(WakeSource::External),
        proptest::option::of(any_task()).prop_map(WakeSource::Lane),
        proptest::option::of(any_task()).prop_map(WakeSource::Abort),
    ]
}

fn any_duration() -> impl Strategy<Value = Duration> {
    any::<u64>().prop_map(Duration::from_nanos)
}

fn any_failure() -> impl Strategy<Value = Failure> {
    let kinds = prop_oneof![
        Just(FailureKind::Panic),
        Just(FailureKind::Cancelled),
        Just(FailureKind::Error),
    ];
    (kinds, any::<u32>()).prop_map(|(kind, text)| Failure {
        kind,
        text: TextId(text),
    })
}

fn any_io() -> impl Strategy<Value = IoTarget> {
    (any::<i32>(), any::<bool>()).prop_map(|(fd, write)| IoTarget {
        fd,
        interest: if write {
            Interest::Write
        } else {
            Interest::Read
        },
    })
}

/// Any event, each variant as likely as the others.
pub(crate) fn any_task_event() -> impl Strategy<Value = TaskEvent> {
    let transitions = prop_oneof![
        (any_task(), proptest::option::of(any_task()), any::<u32>()).prop_map(
            |(tid, parent, site)| TaskEvent::Spawned {
                tid,
                // No task is its own parent.
                parent: parent.filter(|parent| *parent != tid),
                site: SiteId(site),
            }
        ),
        any_task().prop_map(|tid| TaskEvent::Running { tid }),
        (any_task(), any_source()).prop_map(|(tid, by)| TaskEvent::Yield { tid, by }),
        (any_task(), any_source()).prop_map(|(tid, by)| TaskEvent::Throttled { tid, by }),
        (any_task(), any_duration()).prop_map(|(tid, dur)| TaskEvent::Sleep { tid, dur }),
        (any_task(), any_io()).prop_map(|(tid, io)| TaskEvent::IoWait { tid, io }),
        (any_task(), any_task()).prop_map(|(tid, on)| TaskEvent::JoinWait { tid, on }),
        (any_task(), any::<u32>()).prop_map(|(tid, lane)| TaskEvent::LaneWait {
            tid,
            lane: TextId(lane)
        }),
    ];
    let rest = prop_oneof![
        any_task().prop_map(|tid| TaskEvent::Wait { tid }),
        (any_task(), any_source()).prop_map(|(tid, by)| TaskEvent::Wake { tid, by }),
        any_task().prop_map(|tid| TaskEvent::Done { tid }),
        (any_task(), any_failure()).prop_map(|(tid, error)| TaskEvent::Failed { tid, error }),
        (proptest::option::of(any_task()), any::<u32>(), any::<u32>()).prop_map(
            |(parent, site, capacity)| TaskEvent::SpawnDenied {
                parent,
                site: SiteId(site),
                capacity,
            }
        ),
        any_duration().prop_map(|timeout| TaskEvent::ShutdownBegin { timeout }),
        any::<bool>().prop_map(|clean| TaskEvent::ShutdownComplete { clean }),
        (
            any_task(),
            any::<u16>(),
            any_duration(),
            any::<u32>(),
            any::<u16>()
        )
            .prop_map(|(tid, worker, busy, queued, others)| TaskEvent::Stalled {
                tid,
                worker,
                busy,
                queued,
                others,
            }),
    ];
    prop_oneof![2 => transitions, 2 => rest]
}
