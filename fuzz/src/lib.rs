//! Owns what the fuzz targets share: the file that a log is read from, everything that a reader can be asked,
//! and the logs that are tampered with.
//!
//! A target for another format is a file in `fuzz_targets/`, a `[[bin]]` in `Cargo.toml`, and a word in
//! `scripts/fuzz`.

#![forbid(unsafe_code)]

pub mod ask;
pub mod dir;
pub mod edit;
pub mod file;
pub mod limits;
pub mod memory;
pub mod number;
pub mod segment;
pub mod segments;
