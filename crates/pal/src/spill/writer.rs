//! Owns what goes into segments, and in which order: header, live tasks, names, gap, status, block.

use super::named::Named;
use super::store::Store;
use crate::clock::{Clock, ClockPair};
use crate::format::header::LOSS_WORDS;
use crate::reader::Log;
use crate::segment::{
    GapFact, HEADER_BYTES, NAMES_MAX, Packed, SectionHead, SectionKind, SegmentHeader, Status,
    put_rows,
};
use crate::slot::TaskRow;
use std::io;
use std::path::Path;
use std::time::Duration;

/// Rows of the task table that a segment notes at most: a process with more tasks than this names the others by their
/// spawns alone.
const ROWS_MAX: usize = 65_536;

/// Puts segments together.
pub(super) struct Writer {
    store: Store,
    clock: Clock,
    /// What the open segment names.
    named: Named,
    /// When it was begun.
    begun: u64,
    /// What the log's own losses were when they were last written to it.
    loss: [u64; LOSS_WORDS],
}

/// A block, and what it was made of.
pub(super) struct Contents<'a> {
    pub(super) events: &'a [Packed],
    pub(super) words: &'a [u64],
    pub(super) payload: &'a [u8],
}

/// What was kept so far.
#[derive(Clone, Copy)]
pub(super) struct Before<'a> {
    /// The stamp of the last record that was kept.
    pub(super) kept_to: u64,
    /// The gap behind it.
    pub(super) gap: Option<&'a GapFact>,
    /// The stamp from which on everything was kept at first.
    pub(super) whole_from: u64,
}

impl Writer {
    pub(super) fn new(store: Store, clock: &Clock) -> Writer {
        Writer {
            store,
            clock: clock.clone(),
            named: Named::default(),
            begun: 0,
            loss: [0; LOSS_WORDS],
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.store.path()
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.store.flush()
    }

    /// Ends the open segment if it is so old.
    pub(super) fn close_if_older(&mut self, age: Duration) -> io::Result<()> {
        let since = self.clock.now().saturating_sub(self.begun);
        match self.store.is_open() && self.clock.duration(since) >= age {
            true => self.store.close(),
            false => Ok(()),
        }
    }

    /// Appends a block and all that it needs to a segment, a new one if need be; how many bytes that were.
    pub(super) fn append(
        &mut self,
        log: &Log,
        contents: &Contents<'_>,
        before: Before<'_>,
    ) -> io::Result<u64> {
        let mut bytes = Vec::new();
        if self.store.is_open() {
            self.put_contents(log, contents, before.gap, &mut bytes);
        }
        if !self.store.is_open() || self.store.is_full_with(bytes.len() as u64) {
            bytes.clear();
            self.begin(log, before, &mut bytes)?;
            // The next segment has to name it all again.
            self.put_contents(log, contents, before.gap, &mut bytes);
        }
        self.store.append(&bytes)?;
        Ok(bytes.len() as u64)
    }

    fn put_contents(
        &mut self,
        log: &Log,
        contents: &Contents<'_>,
        gap: Option<&GapFact>,
        bytes: &mut Vec<u8>,
    ) {
        self.named.add(log, contents.events, contents.words, bytes);
        put_gap(gap, bytes);
        self.put_status(log, false, bytes);
        SectionHead::put(bytes, SectionKind::Block, contents.payload);
    }

    /// Appends the last sections and ends the segment; how many bytes that were.
    pub(super) fn end(&mut self, log: &Log, before: Before<'_>) -> io::Result<u64> {
        let mut bytes = Vec::new();
        if self.store.is_open() {
            self.put_rows(log, &mut bytes);
        } else {
            self.begin(log, before, &mut bytes)?;
        }
        put_gap(before.gap, &mut bytes);
        self.put_status(log, true, &mut bytes);
        self.store.append(&bytes)?;
        self.store.close()?;
        Ok(bytes.len() as u64)
    }

    /// Begins a segment: its header, and the tasks that live.
    fn begin(&mut self, log: &Log, before: Before<'_>, bytes: &mut Vec<u8>) -> io::Result<()> {
        let number = self.store.begin()?;
        self.begun = self.clock.now();
        self.named = Named::default();
        self.loss = [0; LOSS_WORDS];
        let gap_end = before.gap.map_or(0, |gap| gap.to);
        let header = SegmentHeader {
            process: log.process(),
            command: log.command().to_owned(),
            rate: log.rate(),
            start_stamp: log.start_stamp(),
            start_pair: log.clock_pairs().first().copied().unwrap_or_default(),
            number,
            whole_from: match number {
                1 => before.whole_from,
                _ => gap_end.max(before.kept_to.saturating_add(1)),
            },
            bytes: HEADER_BYTES as u64,
        };
        header.put(bytes);
        self.put_rows(log, bytes);
        Ok(())
    }

    fn put_rows(&mut self, log: &Log, bytes: &mut Vec<u8>) {
        let mut rows: Vec<TaskRow> = log.tasks().take(ROWS_MAX).collect();
        rows.sort_unstable_by_key(|row| row.id);
        self.named.add_rows(log, &rows, bytes);
        // One section at least: that nobody lives is said as well.
        let mut rest = &rows[..];
        loop {
            let (part, next) = rest.split_at(rest.len().min(NAMES_MAX));
            SectionHead::put(bytes, SectionKind::Tasks, &put_rows(part));
            rest = next;
            if rest.is_empty() {
                return;
            }
        }
    }

    /// Says what the log lost by itself, when that has changed; and its end, always.
    fn put_status(&mut self, log: &Log, is_final: bool, bytes: &mut Vec<u8>) {
        let mut loss = [0; LOSS_WORDS];
        for (cause, count) in log.loss_counts() {
            loss[cause as usize] = count;
        }
        if loss == self.loss && !is_final {
            return;
        }
        self.loss = loss;
        let status = Status {
            is_final,
            lifecycle: log.lifecycle(),
            pair: match is_final {
                true => self.clock.pair(),
                false => ClockPair::default(),
            },
            loss,
        };
        let mut payload = Vec::new();
        status.put(&mut payload);
        SectionHead::put(bytes, SectionKind::Status, &payload);
    }
}

fn put_gap(gap: Option<&GapFact>, bytes: &mut Vec<u8>) {
    if let Some(gap) = gap {
        let mut payload = Vec::new();
        gap.put(&mut payload);
        SectionHead::put(bytes, SectionKind::Gap, &payload);
    }
}
