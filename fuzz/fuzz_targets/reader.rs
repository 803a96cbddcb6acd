//! Any bytes at all, as a log.

#![no_main]

use glasshouse_fuzz::target::reader;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| reader(bytes));
