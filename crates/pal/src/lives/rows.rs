//! Owns how far the rows of a log's task table are to be believed beside its gaps.

use super::Lives;

impl Lives {
    /// The same for a log that holds copies of the task table's rows, noted at this stamp or later. Without it rows are
    /// read as they are now.
    ///
    /// ```
    /// use glasshouse_pal::{lives::Lives, reader::{Gap, GapCause}};
    /// let gap = Gap { from: 100, to: 250, records: 7, causes: vec![GapCause::Overrun] };
    /// let lives = Lives::whole().with_gaps(&[gap]).with_rows_noted(90);
    /// assert!(lives.has_rows_as_of(120) && !lives.has_rows_as_of(300));
    /// ```
    #[must_use]
    pub fn with_rows_noted(mut self, stamp: u64) -> Lives {
        self.rows_noted = Some(stamp);
        self
    }

    /// Whether the rows of the task table, and the records behind them, tell how each task was at this stamp: no gap lies
    /// between. Behind one a row tells only what was so when it was noted, and who has none may live.
    pub fn has_rows_as_of(&self, stamp: u64) -> bool {
        self.rows_noted
            .is_none_or(|noted| !self.has_gap_between(noted, stamp))
    }

    /// Up to when a log tells of tasks whose newest record has this stamp: its rows may have been noted behind a gap that
    /// no record follows.
    ///
    /// ```
    /// use glasshouse_pal::{lives::Lives, reader::{Gap, GapCause}};
    /// let gap = Gap { from: 100, to: 250, records: 7, causes: vec![GapCause::Overrun] };
    /// let lives = Lives::whole().with_gaps(&[gap]);
    /// assert_eq!(lives.told_to(100), 100);
    /// assert_eq!(lives.with_rows_noted(260).told_to(100), 260);
    /// ```
    pub fn told_to(&self, newest: u64) -> u64 {
        let noted = self.rows_noted.unwrap_or(newest);
        match self.has_gap_between(newest, noted) {
            true => noted,
            false => newest,
        }
    }
}
