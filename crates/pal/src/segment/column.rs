//! Owns the bytes of columns: numbers of variable length, and their compression.
//!
//! A number is written in groups of seven bits, the lowest first; all but the last have the eighth bit set. A signed
//! one is folded first, so that those near zero are short: 0, -1, 1, -2 become 0, 1, 2, 3.

/// The bytes of the longest number.
pub(crate) const NUMBER_BYTES_MAX: usize = 10;

/// Appends a number.
#[inline]
pub(crate) fn put(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Appends a difference.
#[inline]
pub(crate) fn put_signed(bytes: &mut Vec<u8>, value: i64) {
    put(bytes, (value << 1 ^ value >> 63) as u64);
}

/// What is left of a column. Every taking is `None` where the column ends before, or its words make no sense.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column<'a>(pub(crate) &'a [u8]);

impl<'a> Column<'a> {
    #[inline]
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    #[inline]
    pub(crate) fn number(&mut self) -> Option<u64> {
        let first = self.byte()?;
        if first < 0x80 {
            return Some(u64::from(first));
        }
        self.long_number(first)
    }

    #[inline]
    fn long_number(&mut self, first: u8) -> Option<u64> {
        let mut value = u64::from(first & 0x7f);
        let mut shift = 7;
        loop {
            let byte = self.byte()?;
            // The tenth byte has room for one bit.
            if shift == 63 && byte > 1 {
                return None;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
            shift += 7;
        }
    }

    /// A number that a `usize` or less holds, of at most `most`.
    pub(crate) fn count(&mut self, most: usize) -> Option<usize> {
        let count = usize::try_from(self.number()?).ok()?;
        (count <= most).then_some(count)
    }

    #[inline]
    pub(crate) fn signed(&mut self) -> Option<i64> {
        let folded = self.number()?;
        Some((folded >> 1) as i64 ^ -((folded & 1) as i64))
    }

    pub(crate) fn word(&mut self) -> Option<u64> {
        let bytes = self.bytes(8)?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    }
}

/// How a column is stored.
mod method {
    pub(super) const PLAIN: u8 = 0;
    /// One byte, as often as the column is long.
    pub(super) const SAME: u8 = 1;
    /// Compressed.
    pub(super) const PACKED: u8 = 2;
}

/// Appends a column in the form that is shortest: its length, its method, and what the method stores.
pub(crate) fn pack(bytes: &mut Vec<u8>, column: &[u8]) {
    put(bytes, column.len() as u64);
    let Some(first) = column.first() else { return };
    if column.iter().all(|byte| byte == first) {
        bytes.extend([method::SAME, *first]);
        return;
    }
    let packed = squeeze(column);
    if packed.len() + NUMBER_BYTES_MAX >= column.len() {
        bytes.push(method::PLAIN);
        bytes.extend_from_slice(column);
        return;
    }
    bytes.push(method::PACKED);
    put(bytes, packed.len() as u64);
    bytes.extend_from_slice(&packed);
}

/// Appends a column as it stands.
pub(crate) fn put_plain(bytes: &mut Vec<u8>, column: &[u8]) {
    put(bytes, column.len() as u64);
    bytes.push(method::PLAIN);
    bytes.extend_from_slice(column);
}

/// Takes a packed column of at most `most` bytes into `into`, whose content it replaces.
pub(crate) fn unpack(from: &mut Column<'_>, most: usize, into: &mut Vec<u8>) -> Option<()> {
    into.clear();
    let length = from.count(most)?;
    if length == 0 {
        return Some(());
    }
    match from.byte()? {
        method::PLAIN => into.extend_from_slice(from.bytes(length)?),
        method::SAME => into.resize(length, from.byte()?),
        method::PACKED => {
            let packed = from.count(from.0.len())?;
            into.resize(length, 0);
            expand(from.bytes(packed)?, into)?;
        }
        _ => return None,
    }
    Some(())
}

/// How hard the compressor tries, of 1 to 10. On records of a mix of tasks 4 packs an eighth better and takes a quarter
/// longer for a whole block.
const LEVEL: u8 = 1;

fn squeeze(column: &[u8]) -> Vec<u8> {
    miniz_oxide::deflate::compress_to_vec(column, LEVEL)
}

/// Fills all of `into`, or nothing is taken.
fn expand(packed: &[u8], into: &mut [u8]) -> Option<()> {
    let parts = std::iter::once(packed);
    let length =
        miniz_oxide::inflate::decompress_slice_iter_to_slice(into, parts, false, true).ok()?;
    (length == into.len()).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_come_back_as_they_were_written(numbers in prop::collection::vec(any::<u64>(), 0..50), by in 0u32..64) {
            let mut bytes = Vec::new();
            for number in &numbers {
                put(&mut bytes, number >> by);
                put_signed(&mut bytes, *number as i64 >> by);
            }
            let mut from = Column(&bytes);
            for number in &numbers {
                prop_assert_eq!(from.number(), Some(number >> by));
                prop_assert_eq!(from.signed(), Some(*number as i64 >> by));
            }
            prop_assert!(from.0.is_empty());
        }

        #[test]
        fn columns_come_back_as_they_were_packed(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            repeated in 1usize..40,
            most in 0usize..3000,
        ) {
            let column = bytes.repeat(repeated);
            let mut packed = Vec::new();
            pack(&mut packed, &column);
            let mut back = vec![1, 2, 3];
            let is_taken = unpack(&mut Column(&packed), most, &mut back).is_some();
            prop_assert_eq!(is_taken, column.len() <= most);
            prop_assert!(!is_taken || back == column);
        }

        #[test]
        fn any_bytes_are_a_column_or_none(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut into = Vec::new();
            let _ = unpack(&mut Column(&bytes), 5000, &mut into);
            prop_assert!(into.len() <= 5000);
        }
    }

    #[test]
    fn a_number_of_more_than_64_bits_is_none() {
        let mut bytes = vec![0xff; 9];
        bytes.push(1);
        assert_eq!(Column(&bytes).number(), Some(u64::MAX));
        bytes[9] = 2;
        assert_eq!(Column(&bytes).number(), None);
        assert_eq!(Column(&[0x80]).number(), None);
    }
}
