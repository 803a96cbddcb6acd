//! Owns what the fuzz targets do with their inputs. The tests do the same with inputs of their own, so that a machine
//! without the fuzzer reads hostile logs, too.

use crate::ask::{ask_everything, ask_path};
use crate::dir::HostileDir;
use crate::edit::Tampered;
use crate::file::HostileFile;
use crate::limits::Limits;
use crate::segment::seal;
use crate::segments::TamperedSegments;
use glasshouse_pal::verify::Report;
use std::cell::RefCell;

/// Any bytes at all, as a log.
pub fn reader(bytes: &[u8]) {
    ask_everything(bytes);
}

/// A real log, with words changed at places that mean something. How it was judged, if it could be opened.
pub fn log(tampered: &Tampered) -> Option<Report> {
    ask_everything(&tampered.bytes())
}

/// Any bytes at all, as a segment: as they are, and with checksums that fit.
pub fn segment(bytes: &[u8]) {
    thread_local! {
        static FILE: HostileFile = HostileFile::new();
    }
    let limits = Limits::of_segments(bytes.len());
    let mut sealed = bytes.to_vec();
    seal(&mut sealed);
    FILE.with(|file| {
        ask_path(file.with(&sealed), &limits);
        if sealed != bytes {
            ask_path(file.with(bytes), &limits);
        }
    });
}

/// A real directory of segments, with parts changed at places that mean something. How it was judged, if it could be
/// opened.
pub fn segments(tampered: &TamperedSegments) -> Option<Report> {
    thread_local! {
        static DIR: RefCell<HostileDir> = RefCell::new(HostileDir::new());
    }
    let segments = tampered.bytes();
    let limits = Limits::of_segments(segments.iter().map(Vec::len).sum());
    DIR.with_borrow_mut(|dir| ask_path(dir.with(&segments), &limits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeds::seeded;
    use std::fmt::Debug;
    use std::sync::{Mutex, PoisonError};

    /// As many as take a second.
    const SEEDS: u64 = 200;
    /// Of what is read and of what is refused there are more.
    const FEW: usize = 5;

    /// The heap's peak is the process's: who measures it is alone.
    static HEAP: Mutex<()> = Mutex::new(());

    /// Each is read or refused, and no panic: the reader keeps its bounds of memory, and does not contradict itself. How
    /// many there are, and are read.
    fn hold<T: Debug>(
        inputs: impl Iterator<Item = T>,
        target: fn(&T) -> Option<Report>,
    ) -> (usize, usize) {
        let _alone = HEAP.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut all, mut read) = (0, 0);
        for input in inputs {
            // Shown when it fails: the last one did it.
            println!("{input:?}");
            all += 1;
            read += usize::from(target(&input).is_some());
        }
        (all, read)
    }

    /// The same, and some are either.
    fn hold_or_refuse<T: Debug>(inputs: impl Iterator<Item = T>, target: fn(&T) -> Option<Report>) {
        let (all, read) = hold(inputs, target);
        assert!((FEW..all - FEW).contains(&read), "{read} of {all}");
    }

    #[test]
    fn a_log_that_was_tampered_with_is_read_within_bounds_or_refused() {
        hold_or_refuse(seeded(SEEDS), log);
    }

    #[test]
    fn a_log_is_read_within_bounds_or_refused_whichever_word_is_wrong() {
        hold_or_refuse(Tampered::each_word(), log);
    }

    #[test]
    fn a_log_is_read_within_bounds_whichever_two_words_of_a_record_or_a_row_are_wrong() {
        let (all, read) = hold(Tampered::each_two_words(), log);
        assert_eq!(read, all, "what a log is known by is as it was");
    }

    #[test]
    fn segments_that_were_tampered_with_are_read_within_bounds_or_refused() {
        hold_or_refuse(seeded(SEEDS), segments);
    }

    #[test]
    fn segments_are_read_within_bounds_or_refused_whichever_number_is_wrong() {
        hold_or_refuse(TamperedSegments::each_number(), segments);
    }
}
