//! The benchmark `versus` with mimalloc as the allocator of everything in it, so that one sees what of a
//! difference is the allocator's. `scripts/versus` builds and runs it.

#[path = "versus/mod.rs"]
mod versus;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    versus::main()
}
