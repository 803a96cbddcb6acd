//! Owns how options that several commands take are read.

use glasshouse_pal::TaskId;
use glasshouse_pal::reader::RingId;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// A task's number.
pub fn task(text: &str) -> Result<TaskId, String> {
    let number = text.parse().ok();
    let task = number.and_then(TaskId::new);
    task.ok_or_else(|| format!("a task is a whole number from 1 to {}", TaskId::MAX))
}

/// A duration as people write it.
pub fn duration(text: &str) -> Result<Duration, String> {
    let parsed: Result<SignedDuration, _> = text.parse();
    let positive = parsed
        .ok()
        .and_then(|signed| Duration::try_from(signed).ok());
    positive.ok_or_else(|| "write a duration such as `250ms`, `5s` or `1m30s`".to_owned())
}

/// A moment in a log as people write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// So long before its newest record.
    BeforeEnd(Duration),
    /// So long after it began, as `glasshouse log` prints it.
    AfterBeginning(Duration),
    /// A date, in nanoseconds since 1970 UTC.
    Wall(u64),
}

/// A moment in a log.
pub fn moment(text: &str) -> Result<Moment, String> {
    let date = || {
        let at = text.parse::<Timestamp>().ok()?;
        let ns = u64::try_from(at.as_nanosecond()).ok()?;
        Some(Moment::Wall(ns))
    };
    // As a duration it would be hours, minutes and seconds: nobody means to go back by that.
    let span = |text: &str| duration(text).ok().filter(|_| !text.contains([':', '+']));
    let read = match text.strip_prefix('+') {
        Some(after) => {
            let seconds: Option<f64> = after.parse().ok();
            let seconds = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            seconds.or_else(|| span(after)).map(Moment::AfterBeginning)
        }
        None => span(text).map(Moment::BeforeEnd).or_else(date),
    };
    read.ok_or_else(|| match text.contains(':') && !text.starts_with('+') {
        true => "write a time of day with its date and zone, such as `2026-01-31T03:00:00Z` in UTC or \
                 `2026-01-31T03:00:00+02:00`"
            .to_owned(),
        false => "write a duration before the end such as `250ms`, `5s` or `1m30s`, one after the beginning such as \
                  `+1.5`, `+500ms` or `+1m30s`, or a date such as `2026-01-31T03:00:00Z`"
            .to_owned(),
    })
}

/// A ring: a worker's by its number, or another thread's as the log calls it.
pub fn ring(text: &str) -> Result<RingId, String> {
    let external = text.strip_prefix("ext");
    let ring = match external {
        Some(number) => number.parse().ok().map(RingId::External),
        None => text.parse().ok().map(RingId::Worker),
    };
    ring.ok_or_else(|| {
        "a worker is a number such as `0`, another thread is such as `ext0`".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, ms) in [
            ("250ms", 250),
            ("5s", 5_000),
            ("1m30s", 90_000),
            ("1h 2m", 3_720_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in [
            "",
            "5",
            "-5s",
            "five seconds",
            "5s ago",
            "99999999999999999999h",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_task_is_a_number_that_a_task_can_have() {
        assert_eq!(task("7"), Ok(TaskId::new(7).expect("in range")));
        for text in ["0", "-1", "x", "72057594037927936"] {
            assert!(task(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_moment_is_before_the_end_after_the_beginning_or_a_date() {
        let ms = Duration::from_millis;
        assert_eq!(moment("5s"), Ok(Moment::BeforeEnd(ms(5_000))));
        for (text, after) in [
            ("+1.25", 1_250),
            ("+1s", 1_000),
            ("+500ms", 500),
            ("+1m30s", 90_000),
        ] {
            assert_eq!(
                moment(text),
                Ok(Moment::AfterBeginning(ms(after))),
                "{text}"
            );
        }
        assert_eq!(
            moment("1970-01-01T00:00:02Z"),
            Ok(Moment::Wall(2_000_000_000))
        );
        for text in [
            "",
            "+",
            "+-1",
            "+inf",
            "+-1s",
            "++1s",
            "+0:00:01",
            "5",
            "yesterday",
            "1960-01-01T00:00:00Z",
        ] {
            assert!(moment(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_of_day_is_no_length_and_wants_its_date_and_zone() {
        for text in [
            "09:24:31",
            "9:24:31",
            "2026-01-31T03:00:00",
            "2026-01-31 03:00",
        ] {
            let refused = moment(text).expect_err(text);
            assert!(
                refused.contains("`2026-01-31T03:00:00Z` in UTC"),
                "{text}: {refused}"
            );
        }
        let in_zone = [
            "2026-01-31T03:00:00Z",
            "2026-01-31T05:00:00+02:00",
            "2026-01-31 03:00:00Z",
        ];
        let [one, other, third] = in_zone.map(moment);
        assert!(
            one.is_ok() && one == other && one == third,
            "{one:?} {other:?} {third:?}"
        );
    }

    #[test]
    fn a_ring_is_called_as_the_log_prints_it() {
        for of in [RingId::Worker(0), RingId::Worker(17), RingId::External(3)] {
            assert_eq!(ring(&of.to_string()), Ok(of));
        }
        for text in ["", "ext", "-1", "worker 1", "70000"] {
            assert!(ring(text).is_err(), "{text}");
        }
    }
}
