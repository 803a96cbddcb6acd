//! Any bytes at all, as a log.

#![no_main]

use glasshouse_fuzz::ask::ask_everything;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| ask_everything(bytes));
