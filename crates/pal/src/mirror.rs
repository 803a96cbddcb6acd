//! Owns the `tracing` events that accompany records when the target `pal` is enabled at DEBUG.
//!
//! The check costs a load or two when nobody listens. When somebody does, the events are made on
//! the recording thread: a subscriber that emits into the log from there is refused and counted, and one
//! that panics is contained.

use crate::cause::WakeSource;
use crate::contain::{Foreign, contain};
use crate::domain::{DomainEvent, FieldType};
use crate::event::TaskEvent;
use crate::id::TaskId;
use crate::pal::Pal;
use crate::text_id::TextId;
use std::fmt::Write;
use tracing::level_filters::{LevelFilter, STATIC_MAX_LEVEL};

/// Whether a subscriber may listen at `level`: the cheap question, a load or two, before the exact one.
#[inline(always)]
pub fn may_be_heard(level: LevelFilter) -> bool {
    level <= STATIC_MAX_LEVEL && level <= LevelFilter::current()
}

/// Whether anybody listens.
#[inline(always)]
pub(crate) fn is_enabled() -> bool {
    may_be_heard(LevelFilter::DEBUG) && is_heard()
}

/// Asks who listens at the level.
#[cold]
#[inline(never)]
fn is_heard() -> bool {
    let ask = || tracing::enabled!(target: "pal", tracing::Level::DEBUG);
    contain(Foreign::Subscriber, ask).unwrap_or(false)
}

/// The fields of a task event that are not on every one of them.
#[derive(Default)]
struct Own {
    parent: Option<u64>,
    site: Option<u32>,
    by: Option<&'static str>,
    by_task: Option<u64>,
    dur_ns: Option<u64>,
    fd: Option<i32>,
    interest: Option<&'static str>,
    on: Option<u64>,
    lane: Option<String>,
    kind: Option<&'static str>,
    error: Option<String>,
    capacity: Option<u32>,
    timeout_ns: Option<u64>,
    clean: Option<bool>,
    worker: Option<u16>,
    busy_ns: Option<u64>,
    queued: Option<u32>,
    others: Option<u16>,
}

#[cold]
#[inline(never)]
pub(crate) fn task_event(pal: &Pal, event: &TaskEvent) {
    let own = own_fields(pal, event);
    contain(Foreign::Subscriber, || tell_task_event(event, own));
}

fn tell_task_event(event: &TaskEvent, own: Own) {
    tracing::debug!(
        target: "pal",
        event = event.name(),
        tid = event.tid().map(TaskId::number),
        state = event.state().map(crate::TaskState::name),
        parent = own.parent,
        site = own.site,
        by = own.by,
        by_task = own.by_task,
        dur_ns = own.dur_ns,
        fd = own.fd,
        interest = own.interest,
        on = own.on,
        lane = own.lane,
        kind = own.kind,
        error = own.error,
        capacity = own.capacity,
        timeout_ns = own.timeout_ns,
        clean = own.clean,
        worker = own.worker,
        busy_ns = own.busy_ns,
        queued = own.queued,
        others = own.others,
        "PAL"
    );
}

fn own_fields(pal: &Pal, event: &TaskEvent) -> Own {
    let text = |id: TextId| Some(pal.with_text(id, str::to_owned));
    let ns = |duration: std::time::Duration| u64::try_from(duration.as_nanos()).ok();
    let none = Own::default();
    match *event {
        TaskEvent::Spawned { parent, site, .. } => Own {
            parent: parent.map(TaskId::number),
            site: Some(site.0),
            ..none
        },
        TaskEvent::Yield { by, .. }
        | TaskEvent::Throttled { by, .. }
        | TaskEvent::Wake { by, .. } => woken_by(by),
        TaskEvent::Sleep { dur, .. } => Own {
            dur_ns: ns(dur),
            ..none
        },
        TaskEvent::IoWait { io, .. } => Own {
            fd: Some(io.fd),
            interest: Some(io.interest.name()),
            ..none
        },
        TaskEvent::JoinWait { on, .. } => Own {
            on: Some(on.number()),
            ..none
        },
        TaskEvent::LaneWait { lane, .. } => Own {
            lane: text(lane),
            ..none
        },
        TaskEvent::Failed { error, .. } => Own {
            kind: Some(error.kind.name()),
            error: text(error.text),
            ..none
        },
        TaskEvent::SpawnDenied {
            parent,
            site,
            capacity,
        } => Own {
            parent: parent.map(TaskId::number),
            site: Some(site.0),
            capacity: Some(capacity),
            ..none
        },
        TaskEvent::ShutdownBegin { timeout } => Own {
            timeout_ns: ns(timeout),
            ..none
        },
        TaskEvent::ShutdownComplete { clean } => Own {
            clean: Some(clean),
            ..none
        },
        TaskEvent::Stalled {
            worker,
            busy,
            queued,
            others,
            ..
        } => Own {
            worker: Some(worker),
            busy_ns: ns(busy),
            queued: Some(queued),
            others: Some(others),
            ..none
        },
        TaskEvent::Running { .. } | TaskEvent::Wait { .. } | TaskEvent::Done { .. } => none,
    }
}

fn woken_by(by: WakeSource) -> Own {
    Own {
        by: Some(by.name()),
        by_task: by.task().map(TaskId::number),
        ..Own::default()
    }
}

#[cold]
#[inline(never)]
pub(crate) fn domain_event(pal: &Pal, event: &DomainEvent) {
    let mut fields = String::new();
    let described = event.spec().map_or(&[][..], |spec| spec.fields);
    for (field, word) in described.iter().zip(event.args()) {
        let gap = if fields.is_empty() { "" } else { " " };
        // Writing to a string never fails.
        let _ = match field.ty {
            FieldType::I64 => write!(fields, "{gap}{}={}", field.name, *word as i64),
            FieldType::Bool => write!(fields, "{gap}{}={}", field.name, *word != 0),
            FieldType::Text => pal.with_text(TextId(*word as u32), |text| {
                write!(fields, "{gap}{}={text:?}", field.name)
            }),
            FieldType::U64 | FieldType::Ns | FieldType::Task => {
                write!(fields, "{gap}{}={word}", field.name)
            }
        };
    }
    contain(Foreign::Subscriber, || tell_domain_event(event, &fields));
}

fn tell_domain_event(event: &DomainEvent, fields: &str) {
    tracing::debug!(
        target: "pal",
        event = event.spec().map_or("unknown", |spec| spec.name),
        tid = event.task().map(TaskId::number),
        fields,
        "PAL"
    );
}
