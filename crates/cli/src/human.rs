//! Owns how quantities are written for people: durations, sizes, and text that came from elsewhere.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;
use unicode_width::UnicodeWidthChar;

/// A duration in nanoseconds, written in three or four digits and the unit that suits it.
#[derive(Clone, Copy)]
pub struct Span(pub u64);

impl From<Duration> for Span {
    /// Durations beyond five centuries are cut to what 64 bits of nanoseconds hold.
    fn from(duration: Duration) -> Span {
        Span(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }
}

const US: u64 = 1_000;
const MS: u64 = 1_000 * US;
const S: u64 = 1_000 * MS;
const MIN: u64 = 60 * S;
const H: u64 = 60 * MIN;
const DAY: u64 = 24 * H;

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ns = self.0;
        let text = match ns {
            0 => "0".to_owned(),
            1..US => format!("{ns} ns"),
            US..MS => format!("{} µs", three_digits(ns, US)),
            MS..S => format!("{} ms", three_digits(ns, MS)),
            S..MIN => format!("{} s", three_digits(ns, S)),
            MIN..H => format!("{}m {:02}s", ns / MIN, ns % MIN / S),
            H..DAY => format!("{}h {:02}m", ns / H, ns % H / MIN),
            _ => format!("{}d {:02}h", ns / DAY, ns % DAY / H),
        };
        f.pad(&text)
    }
}

/// `amount / unit` cut, never rounded up, to three digits, or to the whole units where there are more.
fn three_digits(amount: u64, unit: u64) -> String {
    let whole = amount / unit;
    let thousandths = u128::from(amount % unit) * 1000 / u128::from(unit);
    match whole {
        0..10 => format!("{whole}.{:02}", thousandths / 10),
        10..100 => format!("{whole}.{}", thousandths / 100),
        _ => whole.to_string(),
    }
}

/// A moment in nanoseconds since the log began, as seconds in a column.
pub fn at(ns: u64) -> String {
    format!("{:>5}.{:09}", ns / S, ns % S)
}

/// A size in bytes, in binary units.
#[derive(Clone, Copy)]
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        if self.0 < 1024 {
            return f.pad(&format!("{} B", self.0));
        }
        let power = self.0.ilog2() / 10;
        let amount = three_digits(self.0, 1 << (10 * power));
        f.pad(&format!("{amount} {}", UNITS[power as usize - 1]))
    }
}

/// `text` with control characters written as escapes, so that a name out of a log or a flow can
/// neither break a line nor steer a terminal.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Whether `c` acts on a terminal instead of being shown: controls, and marks that turn the direction.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// The columns that `text` takes on a terminal.
pub fn width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// `text` cut to `columns`, with `…` where something was cut off.
pub fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let mut used = 1;
    let mut out = String::new();
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > columns {
            break;
        }
        out.push(c);
    }
    if columns > 0 {
        out.push('…');
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_take_the_unit_that_suits_them() {
        let shown: Vec<String> = [
            0,
            7,
            999,
            1_000,
            12_345,
            999_999,
            1_500_000,
            59_999_999_999,
            60_000_000_000,
            3_725_000_000_000,
            200_000_000_000_000,
            u64::MAX,
        ]
        .map(|ns| Span(ns).to_string())
        .to_vec();
        assert_eq!(
            shown,
            [
                "0",
                "7 ns",
                "999 ns",
                "1.00 µs",
                "12.3 µs",
                "999 µs",
                "1.50 ms",
                "59.9 s",
                "1m 00s",
                "1h 02m",
                "2d 07h",
                "213503d 23h"
            ]
        );
    }

    #[test]
    fn sizes_take_the_unit_that_suits_them() {
        let shown = [0, 1023, 1024, 1536, 10 << 20, u64::MAX].map(|b| Bytes(b).to_string());
        assert_eq!(
            shown,
            [
                "0 B", "1023 B", "1.00 KiB", "1.50 KiB", "10.0 MiB", "15.9 EiB"
            ]
        );
    }

    #[test]
    fn text_from_elsewhere_cannot_steer_the_terminal() {
        assert_eq!(plain("wc -l"), "wc -l");
        assert_eq!(plain("a\u{1b}[2Jb\nc"), "a\\u{1b}[2Jb\\nc");
        assert_eq!(plain("x\u{202e}y"), "x\\u{202e}y");
    }

    #[test]
    fn cutting_counts_columns_not_characters() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("abc", 0), "");
    }
}
