//! Owns nothing but the promise that the README's programs compile and run.

#[doc = include_str!("../README.md")]
struct Readme;
