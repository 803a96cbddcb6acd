//! Owns the text forms of durations (`"250ms"`) and sizes (`"64KiB"`): a decimal number and a unit,
//! read exactly, and written so that they read back as the same value.

use std::time::Duration;
use thiserror::Error;

/// The longest duration a flow may name: a year. Far below where a clock's arithmetic overflows.
pub const DURATION_MAX: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The most digits after the point: their product with any unit fits in 128 bits.
const FRACTION_DIGITS_MAX: u32 = 18;

/// Largest first, so that writing finds the largest that divides.
const DURATION_UNITS_NS: [(&str, u64); 6] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

const SIZE_UNITS_BYTES: [(&str, u64); 4] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// Why a text is no quantity that can be used here, in words that follow the text.
///
/// ```
/// use glasshouse_flow::{Flow, Problem, QuantityError};
/// let text = "[[node]]\nname = \"a\"\nrun = \"true\"\ntimeout = \"-1s\"";
/// let error = Flow::from_str(text, "f.toml").expect_err("negative");
/// let Problem::Quantity { reason, .. } = error.problem() else { unreachable!() };
/// assert_eq!((reason, &*reason.to_string()), (&QuantityError::Negative, "is negative"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum QuantityError {
    /// It begins with a minus sign.
    #[error("is negative")]
    Negative,
    /// It is a number alone.
    #[error("has no unit")]
    NoUnit,
    /// It is a number and something that is no unit.
    #[error("has a unit that is not known")]
    UnknownUnit,
    /// It does not begin with a decimal number.
    #[error("is not a number and a unit")]
    NotANumber,
    /// It is no whole multiple of the smallest unit.
    #[error("is finer than the smallest unit")]
    TooFine,
    /// It is nothing, where something is asked for.
    #[error("is nothing at all")]
    Zero,
    /// It is less than is allowed here.
    #[error("is too small")]
    TooSmall,
    /// It is more than is allowed here.
    #[error("is too large")]
    TooLarge,
}

/// Reads a duration: `"250ms"`, `"1.5s"`, `"2m"`; units h, m, s, ms, us, ns.
pub(crate) fn read_duration(text: &str) -> Result<Duration, QuantityError> {
    let duration = Duration::from_nanos(read(text, &DURATION_UNITS_NS)?);
    if duration > DURATION_MAX {
        return Err(QuantityError::TooLarge);
    }
    Ok(duration)
}

/// Writes a duration of at most [`DURATION_MAX`] as [`read_duration`] reads it.
pub(crate) fn write_duration(duration: Duration) -> String {
    // At most a year, which fits; a longer one cannot be in a flow.
    let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    if ns == 0 {
        return "0s".into();
    }
    write(ns, &DURATION_UNITS_NS)
}

/// Reads a size in bytes: `"64KiB"`, `"1.5MiB"`; units GiB, MiB, KiB, B.
pub(crate) fn read_size(text: &str) -> Result<u64, QuantityError> {
    read(text, &SIZE_UNITS_BYTES)
}

/// Writes a size in bytes as [`read_size`] reads it.
pub(crate) fn write_size(bytes: u64) -> String {
    write(bytes, &SIZE_UNITS_BYTES)
}

fn read(text: &str, units: &[(&str, u64)]) -> Result<u64, QuantityError> {
    let text = text.trim();
    if text.starts_with('-') {
        return Err(QuantityError::Negative);
    }
    let digits_end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits_end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return Err(QuantityError::NotANumber);
    }
    let unit = unit.trim_start();
    if unit.is_empty() {
        return Err(QuantityError::NoUnit);
    }
    let &(_, scale) = units
        .iter()
        .find(|(name, _)| *name == unit)
        .ok_or(QuantityError::UnknownUnit)?;
    let whole: u64 = whole.parse().map_err(|_| QuantityError::TooLarge)?;
    let part = read_fraction(fraction.trim_end_matches('0'), scale)?;
    whole
        .checked_mul(scale)
        .and_then(|total| total.checked_add(part))
        .ok_or(QuantityError::TooLarge)
}

/// `0.DIGITS` of `scale`, where that is a whole number.
fn read_fraction(digits: &str, scale: u64) -> Result<u64, QuantityError> {
    let places = digits.len() as u32;
    if places > FRACTION_DIGITS_MAX {
        return Err(QuantityError::TooFine);
    }
    // No digits are left of a fraction that was all zeros.
    let digits: u128 = digits.parse().unwrap_or(0);
    let scaled = digits * u128::from(scale);
    let whole = 10_u128.pow(places);
    if !scaled.is_multiple_of(whole) {
        return Err(QuantityError::TooFine);
    }
    // Below `scale`, which is 64 bits wide, because the digits stand for less than one.
    Ok((scaled / whole) as u64)
}

fn write(count: u64, units: &[(&str, u64)]) -> String {
    let fitting = units
        .iter()
        .find(|&&(_, scale)| count.is_multiple_of(scale));
    // The last unit is one, which divides everything.
    let (name, scale) = fitting.copied().unwrap_or(("", 1));
    format!("{}{name}", count / scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_read_exactly() {
        for (text, ns) in [
            ("250ms", 250_000_000),
            ("1.5s", 1_500_000_000),
            ("2m", 120_000_000_000),
            ("0s", 0),
            ("0.1s", 100_000_000),
            ("1.000000001s", 1_000_000_001),
            (" 3 us ", 3_000),
            ("7ns", 7),
            ("8760h", 31_536_000_000_000_000),
            ("00.50h", 1_800_000_000_000),
        ] {
            assert_eq!(read_duration(text), Ok(Duration::from_nanos(ns)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_with_its_reason() {
        use QuantityError::*;
        for (text, reason) in [
            ("-1s", Negative),
            ("-", Negative),
            ("5", NoUnit),
            ("5.5", NoUnit),
            ("5 parsecs", UnknownUnit),
            ("5S", UnknownUnit),
            ("1m30s", UnknownUnit),
            ("", NotANumber),
            ("ms", NotANumber),
            (".5s", NotANumber),
            ("5.s", NotANumber),
            ("1.2.3s", NotANumber),
            ("+5s", NotANumber),
            ("\u{0665}s", NotANumber),
            ("0.5ns", TooFine),
            ("0.0000000000000000001h", TooFine),
            ("8761h", TooLarge),
            ("99999999999999999999s", TooLarge),
            ("18446744073709551615h", TooLarge),
        ] {
            assert_eq!(read_duration(text), Err(reason), "{text:?}");
        }
    }

    #[test]
    fn sizes_are_read_exactly() {
        for (text, bytes) in [
            ("64KiB", 65_536),
            ("1.5MiB", 1_572_864),
            ("512B", 512),
            ("1GiB", 1 << 30),
        ] {
            assert_eq!(read_size(text), Ok(bytes), "{text}");
        }
        assert_eq!(read_size("64kB"), Err(QuantityError::UnknownUnit));
        assert_eq!(read_size("1.5B"), Err(QuantityError::TooFine));
        assert_eq!(read_size("64"), Err(QuantityError::NoUnit));
    }

    proptest! {
        #[test]
        fn a_written_duration_reads_back(ns in 0..DURATION_MAX.as_nanos() as u64, scale in 0u32..15) {
            let ns = ns / 10_u64.pow(scale) * 10_u64.pow(scale);
            let duration = Duration::from_nanos(ns);
            prop_assert_eq!(read_duration(&write_duration(duration)), Ok(duration));
        }

        #[test]
        fn a_written_size_reads_back(bytes in any::<u64>(), shift in 0u32..40) {
            let bytes = bytes >> shift << shift;
            prop_assert_eq!(read_size(&write_size(bytes)), Ok(bytes));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*", tail in "[0-9.]{0,40}[a-zA-Z]{0,3}") {
            let _ = (read_duration(&text), read_size(&text));
            let _ = (read_duration(&tail), read_size(&tail));
        }
    }
}
