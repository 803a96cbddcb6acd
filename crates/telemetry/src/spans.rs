//! Owns what the seam tells `tracing`: the loop's span, each tick's span, and the spawn events.
//!
//! Both spans have the level TRACE and the target `glasshouse::scheduler`; spawn events have the level
//! INFO and a target of their own, so that a filter can hide them. Where nobody listens at that level,
//! each costs a relaxed load or two, and a tick none of its own: it asks once for all. A subscriber's panic is
//! contained, call by call: a tick is not unwound for it.

use crate::settings::SpawnSite;
use glasshouse_pal::{Foreign, TaskId, TaskState, contain, may_be_heard};
use std::path::Path;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Span, field};

/// The target of the spans `scheduler.loop` and `sched.tick`.
pub const SPAN_TARGET: &str = "glasshouse::scheduler";
/// The target of the events that tell of spawns.
pub const SPAWN_TARGET: &str = "glasshouse::spawn";

/// Runs `f` inside the span `scheduler.loop{worker}`; a thread that is no worker has none.
pub(crate) fn in_loop<R>(worker: Option<usize>, f: impl FnOnce() -> R) -> R {
    let _span = worker.map(|worker| {
        Entered::enter(
            || tracing::span!(target: SPAN_TARGET, Level::TRACE, "scheduler.loop", worker),
        )
    });
    f()
}

/// A span that is kept open. What the subscriber does at its making and at its end is contained.
#[derive(Debug)]
pub(crate) struct Kept(Option<Span>);

impl Kept {
    pub(crate) fn make(make: impl FnOnce() -> Span) -> Kept {
        let made = contain(Foreign::Subscriber, make);
        Kept(made.filter(|span| !span.is_disabled()))
    }

    /// None where nobody listens.
    pub(crate) fn span(&self) -> Option<&Span> {
        self.0.as_ref()
    }
}

impl Clone for Kept {
    fn clone(&self) -> Kept {
        Kept(contain(Foreign::Subscriber, || self.0.clone()).flatten())
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(span) = self.0.take() {
            contain(Foreign::Subscriber, move || drop(span));
        }
    }
}

/// A span of ours that this thread is in, until it is dropped. The two calls that end it are contained each by
/// itself, as `tracing`'s own guard makes them in one drop.
#[derive(Debug)]
struct Entered {
    kept: Kept,
    is_inside: bool,
}

impl Entered {
    fn enter(make: impl FnOnce() -> Span) -> Entered {
        let kept = Kept::make(make);
        let is_inside = kept.span().is_some_and(go_in);
        Entered { kept, is_inside }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        if let Some(span) = self.kept.span()
            && self.is_inside
        {
            go_out(span);
        }
    }
}

/// A span that somebody else keeps open, and that this thread is in until this is dropped.
pub(crate) struct Inside<'a> {
    /// None where the subscriber did not let the thread in.
    span: Option<&'a Span>,
}

impl Inside<'_> {
    pub(crate) fn enter(span: &Span) -> Inside<'_> {
        Inside {
            span: Some(span).filter(|span| go_in(span)),
        }
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        if let Some(span) = self.span {
            go_out(span);
        }
    }
}

/// Enters the span. Whether the subscriber came to the end of that.
fn go_in(span: &Span) -> bool {
    let entered = contain(Foreign::Subscriber, || {
        span.with_subscriber(|(id, subscriber)| subscriber.enter(id))
    });
    entered.is_some()
}

fn go_out(span: &Span) {
    contain(Foreign::Subscriber, || {
        span.with_subscriber(|(id, subscriber)| subscriber.exit(id));
    });
}

/// One tick's span; nothing when nobody listens. Boxed, so that a tick is short to hand over when
/// nobody does.
#[derive(Debug)]
pub(crate) struct TickSpan(Option<Box<Entered>>);

impl TickSpan {
    pub(crate) const NONE: TickSpan = TickSpan(None);

    /// Enters `sched.tick{tid,state}`; the state is recorded when the span is closed.
    #[inline]
    pub(crate) fn enter(tid: TaskId) -> TickSpan {
        if may_be_heard(LevelFilter::TRACE) {
            TickSpan::enter_heard(tid)
        } else {
            TickSpan::NONE
        }
    }

    #[cold]
    fn enter_heard(tid: TaskId) -> TickSpan {
        let entered = Entered::enter(|| {
            tracing::span!(
                target: SPAN_TARGET,
                Level::TRACE,
                "sched.tick",
                tid = tid.number(),
                state = field::Empty,
            )
        });
        TickSpan(entered.kept.span().is_some().then(|| Box::new(entered)))
    }

    /// Records the state that the tick ended in, and leaves the span.
    #[inline]
    pub(crate) fn close(self, state: TaskState) {
        if let Some(entered) = self.0 {
            close_heard(&entered, state);
        }
    }
}

#[cold]
fn close_heard(entered: &Entered, state: TaskState) {
    if let Some(span) = entered.kept.span() {
        contain(Foreign::Subscriber, || {
            span.record("state", state.name());
        });
    }
}

/// Tells of a spawn.
#[inline]
pub(crate) fn spawned(tid: TaskId, site: &SpawnSite<'_>) {
    if may_be_heard(LevelFilter::INFO) {
        tell_spawned(tid, site);
    }
}

/// Tells that the log's task table has no room for further tasks.
pub(crate) fn table_full(log: Option<&Path>) {
    contain(Foreign::Subscriber, || {
        tracing::warn!(
            log = log.map(|path| field::display(path.display())),
            "the log's task table has no room for more tasks: they run and are recorded, and have no row in it; \
             free some memory where the log is, or have fewer tasks at a time",
        );
    });
}

#[cold]
fn tell_spawned(tid: TaskId, site: &SpawnSite<'_>) {
    contain(Foreign::Subscriber, || {
        tracing::event!(
            target: SPAWN_TARGET,
            Level::INFO,
            tid = tid.number(),
            name = site.name,
            location = %site.location,
            "spawned",
        );
    });
}
