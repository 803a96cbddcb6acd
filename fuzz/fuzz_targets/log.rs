//! A real log, with words changed at places that mean something.

#![no_main]

use glasshouse_fuzz::edit::Tampered;
use glasshouse_fuzz::target::log;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|tampered: Tampered| drop(log(&tampered)));
