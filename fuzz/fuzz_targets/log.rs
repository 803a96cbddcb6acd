//! A real log, with words changed at places that mean something.

#![no_main]

use glasshouse_fuzz::ask::ask_everything;
use glasshouse_fuzz::edit::Tampered;
use glasshouse_fuzz::file::HostileFile;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static FILE: LazyLock<HostileFile> = LazyLock::new(HostileFile::new);

fuzz_target!(|tampered: Tampered| {
    let bytes = tampered.bytes();
    ask_everything(FILE.with(&bytes), bytes.len());
});
