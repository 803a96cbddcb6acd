//! Owns the numbers that edits put in the place of others: those at the ends of ranges, and near what was there.

use arbitrary::Arbitrary;

/// One, given what was there.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Number {
    Zero,
    Most,
    Any(u64),
    Small(u8),
    PowerOfTwo(u8),
    Flip(u8),
    Add(i8),
}

impl Number {
    /// Those that sums, bounds and conversions get wrong.
    #[cfg(test)]
    pub(crate) const ENDS: [Number; 3] = [Number::Zero, Number::Most, Number::Add(1)];

    /// What comes of what was there.
    pub fn over(self, was: u64) -> u64 {
        match self {
            Number::Zero => 0,
            Number::Most => u64::MAX,
            Number::Any(word) => word,
            Number::Small(number) => number.into(),
            Number::PowerOfTwo(bit) => 1 << (bit % 64),
            Number::Flip(bit) => was ^ 1 << (bit % 64),
            Number::Add(by) => was.wrapping_add_signed(by.into()),
        }
    }
}
