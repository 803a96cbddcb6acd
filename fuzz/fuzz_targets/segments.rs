//! A real directory of segments, with parts changed at places that mean something.

#![no_main]

use glasshouse_fuzz::segments::TamperedSegments;
use glasshouse_fuzz::target::segments;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|tampered: TamperedSegments| drop(segments(&tampered)));
