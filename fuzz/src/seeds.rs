//! Owns what is made of the numbers of tests: the same inputs each time, where there is no fuzzer that finds some.

use arbitrary::{Arbitrary, Unstructured};

/// What a seed becomes; a dozen edits and more are made of it.
const WORDS: u64 = 64;

/// A well mixed word for each number (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
fn mixed(number: u64) -> u64 {
    let word = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ word >> 31
}

/// Bytes of which none to seven in eight are odd: an odd one says that another edit follows, or that the end is cut.
fn noise(seed: u64) -> Vec<u8> {
    let words = (1..=WORDS).map(|word| mixed(seed * WORDS + word));
    words
        .flat_map(u64::to_le_bytes)
        .map(|byte| byte & !1 | u8::from(u64::from(byte >> 5) < seed % 8))
        .collect()
}

/// What so many seeds become.
pub fn seeded<T: for<'a> Arbitrary<'a>>(seeds: u64) -> impl Iterator<Item = T> {
    let inputs = (0..seeds).map(|seed| T::arbitrary(&mut Unstructured::new(&noise(seed))));
    inputs.map(|input| input.expect("there are bytes enough"))
}
