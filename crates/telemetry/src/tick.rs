//! Owns a tick: what it carries from its start to its record, and the transitions at its two ends.
//!
//! ```text
//! start_tick ──► Tick ──poll_returned──► Tick ──leave──► Draft ──commit──► recorded
//!                                                         │ ▲
//!                                                         └─┘ leave_instead, when a wake came in between
//! ```

use crate::ENABLED;
use crate::meter::Sample;
use crate::spans::TickSpan;
use crate::trace::TaskTrace;
use crate::worker::Worker;
use glasshouse_pal::{
    EncodedEvent, Failure, FailureKind, IoTarget, TaskEvent, TaskId, TaskState, TextId, WakeSource,
    WaysOut, may_be_heard,
};
use std::mem;
use std::time::Duration;
use tracing::level_filters::LevelFilter;

/// A tick under way. Must be committed; dropped otherwise, its span closes without a state.
///
/// ```
/// # use glasshouse_telemetry::{Hub, Leave, Settings, SpawnSite, pal::{Clock, Pal}};
/// # use std::panic::Location;
/// # let clock = Clock::virtual_time();
/// # let pal = Some(Pal::memory_with(clock.clone()));
/// # let hub = Hub::new(Settings { pal, workers: 1, ..Settings::default() });
/// # let worker = hub.worker(0);
/// # let task = worker.spawned(&SpawnSite { location: Location::caller(), name: None }, None);
/// let mut tick = worker.start_tick(&task);
/// clock.advance_ns(1_500);
/// assert_eq!(worker.poll_returned(&mut tick), 1_500);
/// assert_eq!((tick.start(), tick.run()), (0, 1_500));
/// # let draft = worker.leave(&task, &tick, Leave::Done);
/// # worker.commit(tick, draft);
/// ```
#[derive(Debug)]
#[must_use = "a tick ends with Worker::commit"]
pub struct Tick {
    tid: TaskId,
    start: u64,
    end: u64,
    /// Whether a subscriber or a recorder may be told of it. Asked as it starts: a subscriber that comes in the midst
    /// of a tick is told from the next one on.
    is_watched: bool,
    span: TickSpan,
}

impl Tick {
    /// The task that runs.
    pub fn tid(&self) -> TaskId {
        self.tid
    }

    /// When it began to run, in raw clock ticks.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// How long it ran, in raw clock ticks; zero before the poll has returned.
    pub fn run(&self) -> u64 {
        self.end - self.start
    }
}

/// What a task leaves Running for.
///
/// ```
/// use glasshouse_telemetry::Leave;
/// use std::time::Duration;
/// let leave = Leave::Sleep { dur: Duration::from_millis(20) };
/// assert_ne!(leave, Leave::Wait);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// It was woken while it ran.
    Yield(Woken),
    /// The same, and its quantum is used up.
    Throttled(Woken),
    /// It waits for a deadline.
    Sleep {
        /// How far ahead the deadline lay when it was armed.
        dur: Duration,
    },
    /// It waits for a descriptor.
    Io(IoTarget),
    /// It waits for another task to end.
    Join(TaskId),
    /// It waits for a lane's permit.
    Lane(TextId),
    /// It waits, and no reason was claimed.
    Wait,
    /// It ended with a value.
    Done,
    /// It ended without one.
    Failed {
        /// How.
        kind: FailureKind,
        /// The panic message or error text, as `Pal::text` interned it.
        text: TextId,
    },
}

impl Leave {
    /// The record's words and the state that the task enters. Where the variant is known, both are constants
    /// but for the task and the cause.
    #[inline(always)]
    fn encode(self, tid: TaskId, task: &TaskTrace) -> (EncodedEvent, TaskState) {
        let by = |woken| match woken {
            Woken::ByItself => WakeSource::Task(tid),
            // Whoever wakes a running task notes himself first; one who does not is no task of ours.
            Woken::AsNoted => task.noted_waker().unwrap_or(WakeSource::External),
        };
        let encoded = |event: TaskEvent| {
            // Each variant of `Leave` becomes a transition.
            let state = event.state().unwrap_or(TaskState::Waiting);
            (EncodedEvent::of(&event), state)
        };
        match self {
            Leave::Yield(woken) => {
                let by = by(woken);
                encoded(TaskEvent::Yield { tid, by })
            }
            Leave::Throttled(woken) => {
                let by = by(woken);
                encoded(TaskEvent::Throttled { tid, by })
            }
            Leave::Sleep { dur } => encoded(TaskEvent::Sleep { tid, dur }),
            Leave::Io(io) => encoded(TaskEvent::IoWait { tid, io }),
            Leave::Join(on) => encoded(TaskEvent::JoinWait { tid, on }),
            Leave::Lane(lane) => encoded(TaskEvent::LaneWait { tid, lane }),
            Leave::Wait => encoded(TaskEvent::Wait { tid }),
            Leave::Done => encoded(TaskEvent::Done { tid }),
            Leave::Failed { kind, text } => {
                let error = Failure { kind, text };
                encoded(TaskEvent::Failed { tid, error })
            }
        }
    }
}

/// Who woke a task while it ran.
///
/// ```
/// use glasshouse_telemetry::{Leave, Woken};
/// assert_ne!(Leave::Yield(Woken::ByItself), Leave::Yield(Woken::AsNoted));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// Its own poll did.
    ByItself,
    /// Its trace has noted who did.
    AsNoted,
}

/// A transition out of Running that is not recorded yet: all that its record needs beside the tick.
///
/// ```
/// # use glasshouse_telemetry::{Hub, Leave, Settings, SpawnSite, TaskEvent, pal::Pal};
/// # use std::panic::Location;
/// # let hub = Hub::new(Settings { pal: Some(Pal::memory()), workers: 1, ..Settings::default() });
/// # let worker = hub.worker(0);
/// # let task = worker.spawned(&SpawnSite { location: Location::caller(), name: None }, None);
/// # let mut tick = worker.start_tick(&task);
/// # worker.poll_returned(&mut tick);
/// let draft = worker.leave(&task, &tick, Leave::Wait);
/// assert_eq!(draft.event(), TaskEvent::Wait { tid: task.id() });
/// worker.commit(tick, draft);
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "a draft is recorded by Worker::commit"]
pub struct Draft {
    event: EncodedEvent,
    state: TaskState,
    aux: u8,
}

impl Draft {
    /// The same, of a wait that may also end so.
    #[inline(always)]
    pub fn with_ways_out(self, ways_out: WaysOut) -> Draft {
        let event = self.event.with_ways_out(ways_out);
        Draft { event, ..self }
    }

    /// The event that will be recorded.
    pub fn event(&self) -> TaskEvent {
        self.event.event()
    }
}

impl Worker {
    /// The task begins to run, at the boundary.
    #[inline(always)]
    pub fn start_tick(&self, task: &TaskTrace) -> Tick {
        let since = task.since();
        let start = self.hub.not_before(since, self.pulse.boundary());
        let ready = start - since;
        let tid = task.id();
        self.pulse.start(tid, start);
        let aux = task.advance(start);
        if let Some(slot) = self.slot(task) {
            slot.add_ready(ready);
            slot.count_poll();
            slot.enter(TaskState::Running, start);
        }
        let mut is_watched = false;
        let mut span = TickSpan::NONE;
        if ENABLED {
            self.ring.start_task(start, aux, tid);
            self.meter.sample(Sample::Ready, ready);
            // Who hears the span, at TRACE, hears DEBUG too.
            is_watched = self.pushes | may_be_heard(LevelFilter::DEBUG);
            if is_watched {
                span = self.tell_start(tid, ready);
            }
        }
        Tick {
            tid,
            start,
            end: start,
            is_watched,
            span,
        }
    }

    #[cold]
    #[inline(never)]
    fn tell_start(&self, tid: TaskId, ready: u64) -> TickSpan {
        self.ring
            .tell(EncodedEvent::of(&TaskEvent::Running { tid }));
        if self.pushes {
            self.push(TaskState::Running, Sample::Ready, ready);
        }
        TickSpan::enter(tid)
    }

    /// The poll has returned: reads the clock, the tick's end and the next one's start. Returns the run
    /// time in raw clock ticks.
    #[inline(always)]
    pub fn poll_returned(&self, tick: &mut Tick) -> u64 {
        let now = self.clock.now();
        tick.end = self.hub.not_before(tick.start, now);
        self.pulse.end(tick.end);
        if ENABLED && tick.end >= self.next_pair.get() {
            self.date_and_refresh(tick.end);
        }
        tick.run()
    }

    /// The task is about to leave Running, at the tick's end: stamps it and its slot. To be called once a
    /// tick, before the state is published.
    #[inline(always)]
    pub fn leave(&self, task: &TaskTrace, tick: &Tick, leave: Leave) -> Draft {
        let aux = task.advance(tick.end);
        let (event, state) = leave.encode(tick.tid, task);
        if let Some(slot) = self.slot(task) {
            slot.add_run(tick.run());
            slot.enter(state, tick.end);
        }
        Draft { event, state, aux }
    }

    /// The task is about to leave Running otherwise than `draft` says, because a wake came in between.
    pub fn leave_instead(
        &self,
        task: &TaskTrace,
        tick: &Tick,
        draft: Draft,
        leave: Leave,
    ) -> Draft {
        let (event, state) = leave.encode(tick.tid, task);
        if let Some(slot) = self.slot(task) {
            slot.enter(state, tick.end);
        }
        let aux = draft.aux;
        Draft { event, state, aux }
    }

    /// Records the transition, and closes the tick's span. Of a wait the state is published by then: the task
    /// may be elsewhere, or gone.
    #[inline(always)]
    pub fn commit(&self, tick: Tick, draft: Draft) {
        if ENABLED {
            self.ring.end_task(tick.end, draft.aux, draft.event);
            self.meter.entered(draft.state);
            self.meter.sample(Sample::Run, tick.run());
            if tick.is_watched {
                self.ring.tell(draft.event);
                self.tell_end(draft.state, tick.run(), tick.span);
            } else {
                // There is none, and so nothing to look for.
                mem::forget(tick.span);
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn tell_end(&self, state: TaskState, run: u64, span: TickSpan) {
        if self.pushes {
            self.push(state, Sample::Run, run);
        }
        span.close(state);
    }
}
