//! Owns what the fuzz targets do: the file that a log is read from, everything that a reader can be asked,
//! and the logs that are tampered with.
//!
//! A target for another format is a function in `target.rs`, a file in `fuzz_targets/` that gives it to the fuzzer, a
//! `[[bin]]` in `Cargo.toml`, and a word in `scripts/fuzz`.
//!
//! The tampering knows only `crate::{edit, number, seeds, segment, segments}`: the tests of the command line take in those
//! files, and read the same hostile logs.

#![forbid(unsafe_code)]

pub mod ask;
pub mod dir;
pub mod edit;
pub mod file;
pub mod limits;
pub mod memory;
pub mod number;
#[cfg(test)]
pub(crate) mod seeds;
pub mod segment;
pub mod segments;
pub mod target;
