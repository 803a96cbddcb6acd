//! Owns how quantities are written where columns are few.

use crate::human::Span;
use glasshouse_pal::Rate;

/// A duration in at most six columns, but for those of many years: `12.3ms`.
pub fn span(ns: u64) -> String {
    Span(ns).to_string().replace(' ', "")
}

/// The same of clock ticks.
pub fn ticks(ticks: u64, rate: Rate) -> String {
    span(rate.ns(ticks))
}

/// A number in at most five columns, as long as it is below a quadrillion: `12345`, `123k`, `1.23M`.
pub fn count(number: u64) -> String {
    const UNITS: [&str; 6] = ["k", "M", "G", "T", "P", "E"];
    if number < 100_000 {
        return number.to_string();
    }
    let power = number.ilog10() / 3;
    let unit = 10_u64.pow(power * 3);
    let (whole, rest) = (number / unit, number % unit);
    let hundredths = u128::from(rest) * 100 / u128::from(unit);
    let unit = UNITS[power as usize - 1];
    match whole {
        0..10 => format!("{whole}.{hundredths:02}{unit}"),
        10..100 => format!("{whole}.{}{unit}", hundredths / 10),
        _ => format!("{whole}{unit}"),
    }
}

/// A rate in a second; `-` where it is not known.
pub fn per_s(rate: Option<f64>) -> String {
    // A rate is never below zero.
    rate.map_or("-".to_owned(), |rate| count(rate.round() as u64))
}

/// A share from 0 to 1; `-` where it is not known.
pub fn share(share: Option<f64>) -> String {
    share.map_or("-".to_owned(), |share| format!("{:.0}%", share * 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fit_five_columns() {
        let shown = [0, 99_999, 100_000, 1_234_567, 98_765_432, u64::MAX].map(count);
        assert_eq!(shown, ["0", "99999", "100k", "1.23M", "98.7M", "18.4E"]);
        assert_eq!(span(12_345_678), "12.3ms");
        assert_eq!([share(Some(0.996)), share(None)], ["100%", "-"]);
        assert_eq!([per_s(Some(0.6)), per_s(None)], ["1", "-"]);
    }
}
