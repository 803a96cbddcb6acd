//! The same work on Glasshouse and on the runtimes that one would otherwise pick, side by side.
//!
//! `scripts/versus` builds what this needs and runs it. `versus/mod.rs` says how it measures.

#[path = "versus/mod.rs"]
mod versus;

fn main() -> std::process::ExitCode {
    versus::main()
}
