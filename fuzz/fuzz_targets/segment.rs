//! Any bytes at all, as a segment: as they are, and with checksums that fit.

#![no_main]

use glasshouse_fuzz::ask::ask_path;
use glasshouse_fuzz::file::HostileFile;
use glasshouse_fuzz::limits::Limits;
use glasshouse_fuzz::segment::seal;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static FILE: HostileFile = HostileFile::new();
}

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::of_segments(bytes.len());
    let mut sealed = bytes.to_vec();
    seal(&mut sealed);
    FILE.with(|file| {
        ask_path(file.with(&sealed), &limits);
        if sealed != bytes {
            ask_path(file.with(bytes), &limits);
        }
    });
});
