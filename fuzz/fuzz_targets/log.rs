//! A real log, with words changed at places that mean something.

#![no_main]

use glasshouse_fuzz::ask::ask_everything;
use glasshouse_fuzz::edit::Tampered;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|tampered: Tampered| ask_everything(&tampered.bytes()));
