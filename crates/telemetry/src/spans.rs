//! Owns what the seam tells `tracing`: the loop's span, each tick's span, and the spawn events.
//!
//! Both spans have the level TRACE and the target `glasshouse::scheduler`; spawn events have the level
//! INFO and a target of their own, so that a filter can hide them. Where nobody listens at that level,
//! each costs one relaxed load.

use crate::settings::SpawnSite;
use glasshouse_pal::{TaskId, TaskState};
use tracing::level_filters::LevelFilter;
use tracing::span::EnteredSpan;
use tracing::{Level, field};

/// The target of the spans `scheduler.loop` and `sched.tick`.
pub const SPAN_TARGET: &str = "glasshouse::scheduler";
/// The target of the events that tell of spawns.
pub const SPAWN_TARGET: &str = "glasshouse::spawn";

/// Whether anybody may listen at `level`. Left to inline: it is all that a tick pays when nobody does.
#[inline]
fn may_listen(level: LevelFilter) -> bool {
    level <= tracing::level_filters::STATIC_MAX_LEVEL && level <= LevelFilter::current()
}

/// Runs `f` inside the span `scheduler.loop{worker}`; a thread that is no worker has none.
pub(crate) fn in_loop<R>(worker: Option<usize>, f: impl FnOnce() -> R) -> R {
    match worker {
        Some(worker) => {
            tracing::span!(target: SPAN_TARGET, Level::TRACE, "scheduler.loop", worker).in_scope(f)
        }
        None => f(),
    }
}

/// One tick's span; nothing when nobody listens. Boxed, so that a tick is short to hand over when
/// nobody does.
#[derive(Debug)]
pub(crate) struct TickSpan(Option<Box<EnteredSpan>>);

impl TickSpan {
    pub(crate) const NONE: TickSpan = TickSpan(None);

    /// Enters `sched.tick{tid,state}`; the state is recorded when the span is closed.
    #[inline]
    pub(crate) fn enter(tid: TaskId) -> TickSpan {
        if may_listen(LevelFilter::TRACE) {
            TickSpan::enter_heard(tid)
        } else {
            TickSpan::NONE
        }
    }

    #[cold]
    fn enter_heard(tid: TaskId) -> TickSpan {
        let span = tracing::span!(
            target: SPAN_TARGET,
            Level::TRACE,
            "sched.tick",
            tid = tid.number(),
            state = field::Empty,
        );
        TickSpan((!span.is_disabled()).then(|| Box::new(span.entered())))
    }

    /// Records the state that the tick ended in, and leaves the span.
    #[inline]
    pub(crate) fn close(self, state: TaskState) {
        if let Some(span) = self.0 {
            close_heard(&span, state);
        }
    }
}

#[cold]
fn close_heard(span: &EnteredSpan, state: TaskState) {
    span.record("state", state.name());
}

/// Tells of a spawn.
#[inline]
pub(crate) fn spawned(tid: TaskId, site: &SpawnSite<'_>) {
    if may_listen(LevelFilter::INFO) {
        tell_spawned(tid, site);
    }
}

#[cold]
fn tell_spawned(tid: TaskId, site: &SpawnSite<'_>) {
    tracing::event!(
        target: SPAWN_TARGET,
        Level::INFO,
        tid = tid.number(),
        name = site.name,
        location = %site.location,
        "spawned",
    );
}
