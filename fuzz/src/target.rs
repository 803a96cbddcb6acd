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
    use arbitrary::{Arbitrary, Unstructured};
    use std::fmt::Debug;
    use std::sync::{Mutex, PoisonError};

    /// As many as take a second.
    const SEEDS: u64 = 200;
    /// Of what is read and of what is refused there are more.
    const FEW: usize = 5;
    /// What a seed becomes; a dozen edits and more are made of it.
    const WORDS: u64 = 64;

    /// The heap's peak is the process's: who measures it is alone.
    static HEAP: Mutex<()> = Mutex::new(());

    /// A well mixed word for each number (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
    fn mixed(number: u64) -> u64 {
        let word = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ word >> 31
    }

    /// Bytes of which none to seven in eight are odd: an odd one says that another edit follows, or that the end is cut.
    fn noise(seed: u64) -> Vec<u8> {
        let words = (1..=WORDS).map(|word| mixed(seed * WORDS + word));
        words
            .flat_map(u64::to_le_bytes)
            .map(|byte| byte & !1 | u8::from(u64::from(byte >> 5) < seed % 8))
            .collect()
    }

    /// What seeds become.
    fn seeded<T: for<'a> Arbitrary<'a>>() -> impl Iterator<Item = T> {
        let inputs = (0..SEEDS).map(|seed| T::arbitrary(&mut Unstructured::new(&noise(seed))));
        inputs.map(|input| input.expect("there are bytes enough"))
    }

    /// Each is read or refused, and some are either. No panic: the reader keeps its bounds of memory, and does not
    /// contradict itself.
    fn hold<T: Debug>(inputs: impl Iterator<Item = T>, target: fn(&T) -> Option<Report>) {
        let _alone = HEAP.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut all, mut read) = (0, 0);
        for input in inputs {
            // Shown when it fails: the last one did it.
            println!("{input:?}");
            all += 1;
            read += usize::from(target(&input).is_some());
        }
        assert!((FEW..all - FEW).contains(&read), "{read} of {all}");
    }

    #[test]
    fn a_log_that_was_tampered_with_is_read_within_bounds_or_refused() {
        hold(seeded(), log);
    }

    #[test]
    fn a_log_is_read_within_bounds_or_refused_whichever_word_is_wrong() {
        hold(Tampered::each_word(), log);
    }

    #[test]
    fn segments_that_were_tampered_with_are_read_within_bounds_or_refused() {
        hold(seeded(), segments);
    }

    #[test]
    fn segments_are_read_within_bounds_or_refused_whichever_number_is_wrong() {
        hold(TamperedSegments::each_number(), segments);
    }
}
