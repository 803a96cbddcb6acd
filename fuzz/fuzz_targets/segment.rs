//! Any bytes at all, as a segment: as they are, and with checksums that fit.

#![no_main]

use glasshouse_fuzz::target::segment;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| segment(bytes));
