//! Owns the steps of spilling: take in, keep or leave out, write, flush.

use super::budget::Budget;
use super::settings::{Settings, SpillError};
use super::store::Store;
use super::window::Window;
use super::writer::{Before, Contents, Writer};
use crate::clock::Clock;
use crate::contain::{Foreign, contain};
use crate::host::ProcessId;
use crate::pal::Pal;
use crate::reader::{Cursor, GapCause, Log, Snapshot};
use crate::segment::{BLOCK_RECORDS_MAX, Encoder, GapFact, Packed, spans};
use std::io;
use std::path::Path;
use std::time::Duration;

/// How full a ring may be when the next step comes, by the last one: half would do if nothing ever changed.
const RING_PERCENT: u64 = 25;
/// Steps do not come closer than this. A guess: at most a few hundred a second.
const STEP_MIN: Duration = Duration::from_millis(3);
/// The first step comes soon after the start: how fast records come is not known yet.
const STEP_FIRST: Duration = Duration::from_millis(50);
/// What a record is thought to take before any was written, in hundredths of a byte.
const BYTES_GUESS: u64 = 300;

/// Copies the records of one log of this process to segments.
///
/// ```
/// use glasshouse_pal::{Pal, RingOwner, TaskEvent, TaskId};
/// use glasshouse_pal::{reader::Log, spill::{Settings, Spiller}};
/// let place = tempfile::tempdir().expect("a temporary directory");
/// let pal = Pal::memory();
/// let mut spiller = Spiller::new(&pal, Settings::new(place.path().join("spill"))).expect("made");
/// let tid = TaskId::new(1).expect("in range");
/// pal.lease(RingOwner::Worker(0)).write(pal.clock().now(), 1, &TaskEvent::Running { tid });
/// let _ = spiller.step();
/// spiller.finish();
/// let log = Log::open(&place.path().join("spill")).expect("readable");
/// assert_eq!(log.records().count(), 1);
/// ```
pub struct Spiller {
    log: Log,
    clock: Clock,
    settings: Settings,
    cursor: Cursor,
    window: Window,
    encoder: Encoder,
    writer: Writer,
    budget: Budget,
    /// The window that is missing before the next block.
    gap: Option<GapFact>,
    /// When the step before began: what is stamped no later has settled.
    cut: u64,
    /// From here on everything was kept, but for gaps; zero for everything.
    whole_from: u64,
    /// The stamp of the last record that was kept.
    kept_to: u64,
    /// When was flushed last.
    flushed: u64,
    unreadable: u64,
    /// Hundredths of a byte that a record took lately.
    bytes_a_record: u64,
    is_first: bool,
    is_finished: bool,
    has_warned: bool,
    /// The process that made this.
    maker: u32,
}

/// What a step has come to.
///
/// ```
/// # use glasshouse_pal::{Pal, spill::{Settings, Spiller}};
/// # let place = tempfile::tempdir().expect("a temporary directory");
/// # let settings = Settings::new(place.path().join("spill"));
/// let mut spiller = Spiller::new(&Pal::memory(), settings).expect("made");
/// let step = spiller.step();
/// assert_eq!((step.kept, step.left_out, step.bytes), (0, 0, 0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Step {
    /// Records that were written.
    pub kept: u64,
    /// Records that were left out: overwritten before they were seen, beyond the budget, or not to be written.
    pub left_out: u64,
    /// Bytes that were written.
    pub bytes: u64,
    /// When the next step should come.
    pub next: Duration,
}

impl Spiller {
    /// A spiller of this log; makes its directory. The first step takes in what the log retains.
    ///
    /// # Errors
    ///
    /// When the log is off, a parent's or its time virtual, a setting cannot be followed, or the directory cannot be made, is
    /// another user's or open to others.
    pub fn new(pal: &Pal, settings: Settings) -> Result<Spiller, SpillError> {
        if pal.is_off() {
            return Err(SpillError::NoLog);
        }
        if pal.is_of_parent() {
            return Err(SpillError::OfParent);
        }
        if pal.clock().is_virtual() {
            return Err(SpillError::VirtualClock);
        }
        Spiller::over(pal, settings)
    }

    /// The same whatever the clock.
    pub(super) fn over(pal: &Pal, settings: Settings) -> Result<Spiller, SpillError> {
        settings.check()?;
        let log = pal.log();
        let begun = log.clock_pairs().first().map_or(0, |pair| pair.wall_ns);
        let store = Store::new(&settings, ProcessId::current(), begun)?;
        let clock = pal.clock().clone();
        let now = clock.now_ordered();
        Ok(Spiller {
            budget: Budget::new(settings.bytes_per_second, clock.ns(now)),
            writer: Writer::new(store, &clock),
            log,
            clock,
            settings,
            cursor: Cursor::default(),
            window: Window::default(),
            encoder: Encoder::new(),
            gap: None,
            cut: 0,
            whole_from: 0,
            kept_to: 0,
            flushed: now,
            unreadable: 0,
            bytes_a_record: BYTES_GUESS,
            is_first: true,
            is_finished: false,
            has_warned: false,
            maker: std::process::id(),
        })
    }

    /// Where this process's segments are.
    pub fn path(&self) -> &Path {
        self.writer.path()
    }

    /// Takes in what is new and writes what has settled, where a block is full or the flush is due. It may wait for the
    /// disk. What cannot be written is left out, and told as a gap; the first such error is a `tracing` warning.
    pub fn step(&mut self) -> Step {
        let now = self.clock.now_ordered();
        let mut step = Step {
            kept: 0,
            left_out: 0,
            bytes: 0,
            next: self.settings.flush.min(STEP_FIRST),
        };
        if self.is_finished || self.is_in_child() {
            return step;
        }
        let since = self.clock.duration(now.saturating_sub(self.cut));
        let was_first = self.is_first;
        let percent = self.take_in(&mut step);
        let closed = self.writer.close_if_older(self.settings.segment_age);
        self.told(closed);
        let unflushed = self.clock.duration(now.saturating_sub(self.flushed));
        let is_due = unflushed >= self.settings.flush;
        self.write(self.cut, is_due, &mut step);
        if is_due {
            self.flushed = now;
            let flushed = self.writer.flush();
            self.told(flushed);
        }
        self.cut = now;
        if !was_first {
            let unflushed = self.clock.duration(now.saturating_sub(self.flushed));
            let to_flush = self.settings.flush.saturating_sub(unflushed);
            step.next = self.next_in(since, percent, to_flush);
        }
        step
    }

    /// Writes all that is left, which tasks live, and that this is the end. Nothing is written after it.
    pub fn finish(&mut self) -> Step {
        let mut step = Step {
            kept: 0,
            left_out: 0,
            bytes: 0,
            next: Duration::MAX,
        };
        if std::mem::replace(&mut self.is_finished, true) || self.is_in_child() {
            return step;
        }
        let _ = self.take_in(&mut step);
        self.write(u64::MAX, true, &mut step);
        let before = Before {
            kept_to: self.kept_to,
            gap: self.gap.as_ref(),
            whole_from: self.whole_from,
        };
        match self.writer.end(&self.log, before) {
            Ok(bytes) => step.bytes += bytes,
            Err(error) => self.told(Err(error)),
        }
        step
    }

    /// Whether this is a child that its process has forked: the segments are its parent's, as the log is.
    fn is_in_child(&self) -> bool {
        self.maker != std::process::id()
    }

    /// When the next step should come, after one that found the rings so full after so long: no later than the flush is
    /// due.
    fn next_in(&self, since: Duration, percent: u64, to_flush: Duration) -> Duration {
        let percent = u32::try_from(percent).ok().filter(|percent| *percent > 0);
        let filled = percent.map(|percent| since.saturating_mul(RING_PERCENT as u32) / percent);
        let next = filled.map_or(to_flush, |filled| filled.min(to_flush));
        next.max(STEP_MIN.min(self.settings.flush))
    }

    /// Copies what is new in the rings; how full the fullest was, in hundredths.
    fn take_in(&mut self, step: &mut Step) -> u64 {
        let Some(snapshot) = self.log.snapshot_since(&mut self.cursor) else {
            return 0;
        };
        self.unreadable += snapshot.unreadable;
        let mut horizon = 0;
        if let Some(found) = snapshot.horizon() {
            // A ring of which there was nothing at all is whole from now on.
            horizon = found.min(self.clock.now_ordered());
            match self.is_first {
                // What went before the spiller is none of its gaps.
                true => self.whole_from = horizon,
                false => self.overrun(&snapshot, horizon, step),
            }
        }
        let mut left_out = 0;
        let gap = &mut self.gap;
        self.window.add(&snapshot, horizon, |event| {
            left_out += event.records();
            if let Some(gap) = gap {
                let newest = event.tag().seq + event.records() - 1;
                gap.add(event.ring, event.records(), newest);
            }
        });
        if !self.is_first {
            step.left_out += left_out;
        }
        self.is_first = false;
        snapshot.fullest_percent()
    }

    /// A ring was overwritten: what has settled is whole, what follows is not before `horizon`.
    fn overrun(&mut self, snapshot: &Snapshot, horizon: u64, step: &mut Step) {
        self.write(self.cut, true, step);
        let rest = std::mem::take(&mut self.window);
        self.leave_out(&rest.events, GapCause::Overrun, step);
        let cut = self.cut;
        let gap = self.gap_from(cut, GapCause::Overrun);
        gap.to = gap.to.max(horizon);
        for loss in snapshot.ring_losses() {
            if loss.overwritten > 0 {
                gap.add(loss.ring, loss.overwritten, loss.newest_seq);
                step.left_out += loss.overwritten;
            }
        }
    }

    /// The gap that is open, or a new one.
    fn gap_from(&mut self, from: u64, cause: GapCause) -> &mut GapFact {
        let gap = self.gap.get_or_insert_with(|| GapFact {
            from,
            to: from,
            ..GapFact::default()
        });
        gap.causes |= cause.bit();
        gap
    }

    /// Adds events that are not kept to the gap.
    fn leave_out(&mut self, events: &[Packed], cause: GapCause, step: &mut Step) {
        let Some(last) = events.last().map(Packed::stamp) else {
            return;
        };
        let kept_to = self.kept_to;
        let gap = self.gap_from(kept_to, cause);
        gap.to = gap.to.max(last.saturating_add(1));
        for span in spans(events) {
            gap.add(span.ring, span.records, span.newest);
            step.left_out += span.records;
        }
    }

    /// Writes what is stamped no later than `stamp`, in blocks: full ones only, unless `all` of it is due.
    fn write(&mut self, stamp: u64, all: bool, step: &mut Step) {
        let settled = self.window.settled(stamp);
        let mut done = 0;
        let window = std::mem::take(&mut self.window);
        while settled - done >= BLOCK_RECORDS_MAX || all && done < settled {
            let end = settled.min(done + BLOCK_RECORDS_MAX);
            let events = &window.events[done..end];
            if let Err(cause) = self.keep(events, &window.words, step) {
                self.leave_out(events, cause, step);
            }
            done = end;
        }
        self.window = window;
        if done > 0 {
            self.window.drop_first(done);
        }
    }

    /// Writes a block of these events, or says why not.
    fn keep(&mut self, events: &[Packed], words: &[u64], step: &mut Step) -> Result<(), GapCause> {
        let now_ns = self.clock.ns(self.clock.now());
        let guess = events.len() as u64 * self.bytes_a_record / 100;
        if !self.budget.allows(guess, now_ns) {
            return Err(GapCause::Budget);
        }
        let pair = self.clock.pair();
        let (payload, head) = self.encoder.encode(events, words, self.unreadable, pair);
        let contents = Contents {
            events,
            words,
            payload: &payload,
        };
        let before = Before {
            kept_to: self.kept_to,
            gap: self.gap.as_ref(),
            whole_from: self.whole_from,
        };
        let kept = self.writer.append(&self.log, &contents, before);
        let bytes = kept.map_err(|error| {
            self.told(Err(error));
            GapCause::Failed
        })?;
        self.gap = None;
        self.unreadable = 0;
        self.kept_to = self.kept_to.max(head.last);
        self.budget.spend(bytes);
        step.bytes += bytes;
        step.kept += events.iter().map(Packed::records).sum::<u64>();
        let took = payload.len() as u64 * 100 / events.len().max(1) as u64;
        self.bytes_a_record = (self.bytes_a_record + took) / 2;
        Ok(())
    }

    /// Says once that something cannot be written.
    fn told(&mut self, result: io::Result<()>) {
        if let Err(error) = result
            && !std::mem::replace(&mut self.has_warned, true)
        {
            let directory = self.writer.path().display();
            // It unwinds no step, which has taken records out of its hands to write them.
            contain(Foreign::Subscriber, || {
                tracing::warn!(%directory, "records cannot be spilled and are left out: {error}");
            });
        }
    }
}

impl std::fmt::Debug for Spiller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spiller")
            .field("settings", &self.settings)
            .field("path", &self.writer.path())
            .finish_non_exhaustive()
    }
}
