//! Owns the proof that a log survives its process: a busy program of several workers is killed at random
//! moments, ends by `abort`, by a panic, or for want of memory, and what it left is judged against a page that
//! it stamped after each of its records.
//!
//! Each ending is this same program, run again. `--kills N` kills it so often (20 times by default; the script
//! `scripts/survive` asks for 200), `--seed N` repeats the moments, `--skip NAME` leaves a test out.

#[cfg(feature = "telemetry")]
mod ending;
#[cfg(feature = "telemetry")]
mod judge;
#[cfg(feature = "telemetry")]
mod program;
#[cfg(feature = "telemetry")]
mod stage;
#[cfg(feature = "telemetry")]
mod witness;

#[cfg(not(feature = "telemetry"))]
fn main() {
    println!("without the feature `telemetry` nothing is recorded that could survive");
}

#[cfg(feature = "telemetry")]
fn main() {
    if std::env::var_os(program::WITNESS).is_some() {
        return ending::play();
    }
    stage::tests();
}
