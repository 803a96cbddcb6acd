//! Owns marks: start/end pairs by name, whose durations fill one window of samples each.
//!
//! Marks have no clock of their own. Stamps are given in nanoseconds of any monotonic clock, the
//! scheduler's virtual one included. An end before its start counts as zero and as a regression.

use crate::ring::SampleRing;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// The most names one [`Marks`] tells apart; further ones are measured together as [`OTHER`]. A
/// guess: names come from code, not from data, and a program with more has made a mistake.
pub const MARK_NAMES_MAX: usize = 1024;

/// The name that stands for all those beyond a bound.
pub const OTHER: &str = "_other";

/// A pair that has been started. Give it back to [`Marks::end`]; one that is dropped instead stays
/// open in the count.
///
/// ```
/// # let mut marks = glasshouse_diag::Marks::new(1.try_into().expect("not zero"));
/// let mark: glasshouse_diag::Mark = marks.start("parse", 10);
/// assert_eq!(marks.end(mark, 15), 5);
/// ```
#[must_use = "a mark measures nothing until it is ended"]
#[derive(Debug)]
pub struct Mark {
    name: Arc<str>,
    start_ns: u64,
}

/// Named start/end pairs and the last durations of each.
///
/// ```
/// use glasshouse_diag::Marks;
/// let mut marks = Marks::new(128.try_into().expect("not zero"));
/// let mark = marks.start("link", 1_000);
/// assert_eq!(marks.open(), 1);
/// assert_eq!(marks.end(mark, 1_250), 250);
/// assert_eq!(marks.window("link").map(|window| window.summary().p50), Some(250));
/// assert_eq!(marks.open(), 0);
/// ```
#[derive(Debug)]
pub struct Marks {
    windows: BTreeMap<Arc<str>, SampleRing>,
    window_len: NonZeroUsize,
    open: u64,
    regressions: u64,
}

impl Marks {
    /// No marks yet; each name will keep its last `window_len` durations.
    pub const fn new(window_len: NonZeroUsize) -> Marks {
        Marks {
            windows: BTreeMap::new(),
            window_len,
            open: 0,
            regressions: 0,
        }
    }

    /// Starts a pair at `at_ns`.
    pub fn start(&mut self, name: &str, at_ns: u64) -> Mark {
        self.open += 1;
        let known = self
            .windows
            .get_key_value(name)
            .map(|(name, _)| name.clone());
        let name = known.unwrap_or_else(|| self.admit(name));
        Mark {
            name,
            start_ns: at_ns,
        }
    }

    /// Ends a pair at `at_ns`, keeps its duration and returns it, in nanoseconds.
    pub fn end(&mut self, mark: Mark, at_ns: u64) -> u64 {
        self.open = self.open.saturating_sub(1);
        if at_ns < mark.start_ns {
            self.regressions += 1;
        }
        let duration_ns = at_ns.saturating_sub(mark.start_ns);
        self.windows
            .entry(mark.name)
            .or_insert_with(|| SampleRing::new(self.window_len))
            .push(duration_ns);
        duration_ns
    }

    /// The last durations under this name, in nanoseconds; `None` if it was never started.
    pub fn window(&self, name: &str) -> Option<&SampleRing> {
        self.windows.get(name)
    }

    /// Every name with its last durations, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &SampleRing)> {
        self.windows.iter().map(|(name, window)| (&**name, window))
    }

    /// How many pairs are started and not ended.
    pub const fn open(&self) -> u64 {
        self.open
    }

    /// How many pairs ended before they had started, by their stamps.
    pub const fn regressions(&self) -> u64 {
        self.regressions
    }

    fn admit(&mut self, name: &str) -> Arc<str> {
        let full = self.windows.len() >= MARK_NAMES_MAX;
        let name: Arc<str> = if full { OTHER.into() } else { name.into() };
        self.windows
            .entry(name.clone())
            .or_insert_with(|| SampleRing::new(self.window_len));
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks() -> Marks {
        Marks::new(4.try_into().expect("not zero"))
    }

    #[test]
    fn overlapping_pairs_of_one_name_are_measured_apart() {
        let mut marks = marks();
        let first = marks.start("compile", 0);
        let second = marks.start("compile", 10);
        assert_eq!(marks.end(first, 100), 100);
        assert_eq!(marks.end(second, 30), 20);
        let window = marks.window("compile").expect("it was started");
        assert_eq!(window.iter().collect::<Vec<_>>(), [100, 20]);
    }

    #[test]
    fn an_end_before_its_start_is_zero_and_counted() {
        let mut marks = marks();
        let mark = marks.start("skew", 50);
        assert_eq!(marks.end(mark, 40), 0);
        assert_eq!(marks.regressions(), 1);
    }

    #[test]
    fn a_dropped_mark_stays_open_and_gives_no_sample() {
        let mut marks = marks();
        drop(marks.start("lost", 0));
        assert_eq!(marks.open(), 1);
        assert_eq!(marks.window("lost").map(SampleRing::len), Some(0));
    }

    #[test]
    fn names_beyond_the_bound_are_measured_together() {
        let mut marks = marks();
        for index in 0..MARK_NAMES_MAX + 2 {
            let mark = marks.start(&format!("name {index}"), 0);
            marks.end(mark, 1);
        }
        assert_eq!(marks.iter().count(), MARK_NAMES_MAX + 1);
        assert_eq!(marks.window(OTHER).map(SampleRing::len), Some(2));
    }
}
