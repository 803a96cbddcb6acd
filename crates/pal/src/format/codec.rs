//! Owns the translation between typed events and the words of a record.
//!
//! An event that does not fit in word 3 goes on in a record of the kind `continued`, whose words
//! 1 to 3 are payload. Decoding never panics: words that no event makes are `None`.

use super::kind;
use crate::cause::{Failure, FailureKind, Interest, IoTarget, WakeSource};
use crate::event::TaskEvent;
use crate::id::TaskId;
use crate::text_id::{SiteId, TextId};
use crate::ways_out::without;
use std::time::Duration;

/// An event as words: the record's, and those of its continuation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Encoded {
    pub(crate) kind: u8,
    /// Word 2.
    pub(crate) task: u64,
    /// Word 3.
    pub(crate) arg: u64,
    pub(crate) more: Option<[u64; 3]>,
}

/// In the lower half of a spawn's argument: there is no parent.
const NO_PARENT: u32 = 0;
/// In the same place: the parent is in the continuation.
const FAR_PARENT: u32 = 1 << 31;

#[inline(always)]
pub(crate) fn encode(event: &TaskEvent) -> Encoded {
    let simple = |kind, task: TaskId, arg| Encoded {
        kind,
        task: task.number(),
        arg,
        more: None,
    };
    match *event {
        TaskEvent::Spawned { tid, parent, site } => encode_spawned(tid, parent, site),
        TaskEvent::Running { tid } => simple(kind::RUNNING, tid, 0),
        TaskEvent::Yield { tid, by } => simple(kind::YIELD, tid, by.to_word()),
        TaskEvent::Throttled { tid, by } => simple(kind::THROTTLED, tid, by.to_word()),
        TaskEvent::Sleep { tid, dur } => simple(kind::SLEEP, tid, saturating_ns(dur)),
        TaskEvent::IoWait { tid, io } => simple(kind::IO_WAIT, tid, io_word(io)),
        TaskEvent::JoinWait { tid, on } => simple(kind::JOIN_WAIT, tid, on.number()),
        TaskEvent::LaneWait { tid, lane } => simple(kind::LANE_WAIT, tid, u64::from(lane.0)),
        TaskEvent::Wait { tid } => simple(kind::WAIT, tid, 0),
        TaskEvent::Wake { tid, by } => simple(kind::WAKE, tid, by.to_word()),
        TaskEvent::Done { tid } => simple(kind::DONE, tid, 0),
        TaskEvent::Failed { tid, error } => simple(kind::FAILED, tid, failure_word(error)),
        TaskEvent::SpawnDenied {
            parent,
            site,
            capacity,
        } => Encoded {
            kind: kind::SPAWN_DENIED,
            task: number(parent),
            arg: u64::from(site.0) << 32 | u64::from(capacity),
            more: None,
        },
        TaskEvent::ShutdownBegin { timeout } => Encoded {
            kind: kind::SHUTDOWN_BEGIN,
            task: 0,
            arg: saturating_ns(timeout),
            more: None,
        },
        TaskEvent::ShutdownComplete { clean } => Encoded {
            kind: kind::SHUTDOWN_COMPLETE,
            task: 0,
            arg: u64::from(clean),
            more: None,
        },
        TaskEvent::Stalled {
            tid,
            worker,
            busy,
            queued,
            others,
        } => Encoded {
            kind: kind::STALLED,
            task: tid.number(),
            arg: saturating_ns(busy),
            more: Some([
                u64::from(worker),
                u64::from(others) << 32 | u64::from(queued),
                0,
            ]),
        },
    }
}

/// `site:32 | distance:32`: how far the parent's number lies before the child's, so that a spawn
/// nearly always fits in one record.
#[inline(always)]
fn encode_spawned(tid: TaskId, parent: Option<TaskId>, site: SiteId) -> Encoded {
    let (distance, more) = match parent {
        None => (NO_PARENT, None),
        Some(parent) => {
            let distance = tid.number().wrapping_sub(parent.number()) as i64;
            match i32::try_from(distance) {
                Ok(near) if near != 0 && near != i32::MIN => (near as u32, None),
                _ => (FAR_PARENT, Some([parent.number(), 0, 0])),
            }
        }
    };
    Encoded {
        kind: kind::SPAWNED,
        task: tid.number(),
        arg: u64::from(site.0) << 32 | u64::from(distance),
        more,
    }
}

/// How many records of payload follow a record; `None` for a kind whose own words do not tell.
pub(crate) fn continuations(kind: u8, arg: u64) -> Option<usize> {
    match kind {
        kind::SPAWNED => Some(usize::from(arg as u32 == FAR_PARENT)),
        kind::STALLED => Some(1),
        1..=kind::FAILED | kind::SPAWN_DENIED..=kind::SHUTDOWN_COMPLETE => Some(0),
        _ => None,
    }
}

/// The event that these words stand for; `None` for words that no event makes. `more` are the
/// continuation's words, or zeros.
pub(crate) fn decode(kind: u8, task: u64, arg: u64, more: [u64; 3]) -> Option<TaskEvent> {
    if kind >= kind::SPAWN_DENIED {
        return decode_process(kind, task, arg, more);
    }
    let tid = TaskId::new(task)?;
    let source = || WakeSource::from_word(arg);
    Some(match kind {
        kind::SPAWNED => TaskEvent::Spawned {
            tid,
            parent: decode_parent(tid, arg as u32, more[0])?,
            site: SiteId((arg >> 32) as u32),
        },
        kind::RUNNING => TaskEvent::Running { tid },
        kind::YIELD => TaskEvent::Yield { tid, by: source()? },
        kind::THROTTLED => TaskEvent::Throttled { tid, by: source()? },
        kind::SLEEP => TaskEvent::Sleep {
            tid,
            dur: Duration::from_nanos(arg),
        },
        kind::IO_WAIT => TaskEvent::IoWait {
            tid,
            io: io_target(arg)?,
        },
        kind::JOIN_WAIT => TaskEvent::JoinWait {
            tid,
            on: TaskId::new(without(arg))?,
        },
        kind::LANE_WAIT => TaskEvent::LaneWait {
            tid,
            lane: TextId(u32::try_from(without(arg)).ok()?),
        },
        kind::WAIT => TaskEvent::Wait { tid },
        kind::WAKE => TaskEvent::Wake { tid, by: source()? },
        kind::DONE => TaskEvent::Done { tid },
        kind::FAILED => TaskEvent::Failed {
            tid,
            error: failure(arg)?,
        },
        _ => return None,
    })
}

fn decode_process(kind: u8, task: u64, arg: u64, more: [u64; 3]) -> Option<TaskEvent> {
    Some(match kind {
        kind::SPAWN_DENIED => TaskEvent::SpawnDenied {
            parent: optional_task(task)?,
            site: SiteId((arg >> 32) as u32),
            capacity: arg as u32,
        },
        kind::SHUTDOWN_BEGIN => TaskEvent::ShutdownBegin {
            timeout: Duration::from_nanos(arg),
        },
        kind::SHUTDOWN_COMPLETE if arg <= 1 => TaskEvent::ShutdownComplete { clean: arg == 1 },
        kind::STALLED => TaskEvent::Stalled {
            tid: TaskId::new(task)?,
            worker: u16::try_from(more[0]).ok()?,
            busy: Duration::from_nanos(arg),
            queued: more[1] as u32,
            others: u16::try_from(more[1] >> 32).ok()?,
        },
        _ => return None,
    })
}

fn decode_parent(tid: TaskId, distance: u32, far: u64) -> Option<Option<TaskId>> {
    match distance {
        NO_PARENT => Some(None),
        FAR_PARENT => TaskId::new(far).map(Some),
        near => {
            let distance = i64::from(near as i32);
            TaskId::new(tid.number().wrapping_sub(distance as u64)).map(Some)
        }
    }
}

/// A task's number, or zero for none.
pub(crate) const fn number(task: Option<TaskId>) -> u64 {
    match task {
        Some(task) => task.number(),
        None => 0,
    }
}

/// The reverse of [`number`]; `None` for a number that no task has.
pub(crate) fn optional_task(number: u64) -> Option<Option<TaskId>> {
    match number {
        0 => Some(None),
        number => TaskId::new(number).map(Some),
    }
}

fn saturating_ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn io_word(io: IoTarget) -> u64 {
    let interest: u64 = match io.interest {
        Interest::Read => 1,
        Interest::Write => 2,
    };
    interest << 32 | u64::from(io.fd as u32)
}

fn io_target(word: u64) -> Option<IoTarget> {
    let interest = match word >> 32 {
        1 => Interest::Read,
        2 => Interest::Write,
        _ => return None,
    };
    Some(IoTarget {
        fd: word as u32 as i32,
        interest,
    })
}

fn failure_word(failure: Failure) -> u64 {
    let kind: u64 = match failure.kind {
        FailureKind::Panic => 1,
        FailureKind::Cancelled => 2,
        FailureKind::Error => 3,
    };
    kind << 32 | u64::from(failure.text.0)
}

fn failure(word: u64) -> Option<Failure> {
    let kind = match word >> 32 {
        1 => FailureKind::Panic,
        2 => FailureKind::Cancelled,
        3 => FailureKind::Error,
        _ => return None,
    };
    Some(Failure {
        kind,
        text: TextId(word as u32),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::any_task_event;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_event_survives_its_words(event in any_task_event()) {
            let words = encode(&event);
            let back = decode(words.kind, words.task, words.arg, words.more.unwrap_or([0; 3]));
            prop_assert_eq!(back, Some(event));
            prop_assert_eq!(
                continuations(words.kind, words.arg),
                Some(usize::from(words.more.is_some()))
            );
        }

        #[test]
        fn any_words_decode_without_panic(
            kind: u8, task: u64, arg: u64, more: [u64; 3],
        ) {
            if let Some(event) = decode(kind, task, arg, more) {
                prop_assert_eq!(encode(&event).kind, kind);
            }
        }
    }

    #[test]
    fn each_event_has_the_words_that_format_1_says() {
        let id = |number| TaskId::new(number).expect("in range");
        let (tid, ns) = (id(6), Duration::from_nanos(50));
        let by = WakeSource::Lane(Some(id(2)));
        let io = IoTarget {
            fd: -1,
            interest: Interest::Write,
        };
        let error = Failure {
            kind: FailureKind::Error,
            text: TextId(5),
        };
        let (parent, site) = (Some(id(4)), SiteId(8));
        let (on, lane) = (id(3), TextId(7));
        let lane_word = 5 << 56 | 2;
        let words = [
            (TaskEvent::Spawned { tid, parent, site }, 1, 6, 8 << 32 | 2),
            (TaskEvent::Running { tid }, 2, 6, 0),
            (TaskEvent::Yield { tid, by }, 3, 6, lane_word),
            (TaskEvent::Throttled { tid, by }, 4, 6, lane_word),
            (TaskEvent::Sleep { tid, dur: ns }, 5, 6, 50),
            (TaskEvent::IoWait { tid, io }, 6, 6, 2 << 32 | 0xffff_ffff),
            (TaskEvent::JoinWait { tid, on }, 7, 6, 3),
            (TaskEvent::LaneWait { tid, lane }, 8, 6, 7),
            (TaskEvent::Wait { tid }, 9, 6, 0),
            (TaskEvent::Wake { tid, by }, 10, 6, lane_word),
            (TaskEvent::Done { tid }, 11, 6, 0),
            (TaskEvent::Failed { tid, error }, 12, 6, 3 << 32 | 5),
            (
                TaskEvent::SpawnDenied {
                    parent,
                    site,
                    capacity: 9,
                },
                16,
                4,
                8 << 32 | 9,
            ),
            (TaskEvent::ShutdownBegin { timeout: ns }, 17, 0, 50),
            (TaskEvent::ShutdownComplete { clean: true }, 18, 0, 1),
            (
                TaskEvent::Stalled {
                    tid,
                    worker: 3,
                    busy: ns,
                    queued: 4,
                    others: 1,
                },
                19,
                6,
                50,
            ),
        ];
        for (event, kind, task, arg) in words {
            let more = matches!(event, TaskEvent::Stalled { .. }).then_some([3, 1 << 32 | 4, 0]);
            let expected = Encoded {
                kind,
                task,
                arg,
                more,
            };
            assert_eq!(encode(&event), expected, "{event:?}");
        }
    }

    #[test]
    fn a_spawn_by_a_near_parent_takes_one_record() {
        let id = |number| TaskId::new(number).expect("in range");
        for (tid, parent) in [(10, 3), (3, 10), (5_000_000_000, 4_999_000_000)] {
            let event = TaskEvent::Spawned {
                tid: id(tid),
                parent: Some(id(parent)),
                site: SiteId(9),
            };
            assert_eq!(encode(&event).more, None);
        }
        let far = TaskEvent::Spawned {
            tid: id(5_000_000_000),
            parent: Some(id(1)),
            site: SiteId(9),
        };
        assert_eq!(encode(&far).more, Some([1, 0, 0]));
    }
}
