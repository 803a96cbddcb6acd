//! Any bytes at all, as a log.

#![no_main]

use glasshouse_fuzz::ask::ask_everything;
use glasshouse_fuzz::file::HostileFile;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static FILE: LazyLock<HostileFile> = LazyLock::new(HostileFile::new);

fuzz_target!(|bytes: &[u8]| {
    ask_everything(FILE.with(bytes), bytes.len());
});
