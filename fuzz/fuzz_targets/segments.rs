//! A real directory of segments, with parts changed at places that mean something.

#![no_main]

use glasshouse_fuzz::ask::ask_path;
use glasshouse_fuzz::dir::HostileDir;
use glasshouse_fuzz::limits::Limits;
use glasshouse_fuzz::segments::TamperedSegments;
use libfuzzer_sys::fuzz_target;
use std::cell::RefCell;

thread_local! {
    static DIR: RefCell<HostileDir> = RefCell::new(HostileDir::new());
}

fuzz_target!(|tampered: TamperedSegments| {
    let segments = tampered.bytes();
    let limits = Limits::of_segments(segments.iter().map(Vec::len).sum());
    DIR.with_borrow_mut(|dir| ask_path(dir.with(&segments), &limits));
});
