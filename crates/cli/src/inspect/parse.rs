//! Owns how options that several commands take are read.

use glasshouse_pal::TaskId;
use jiff::SignedDuration;
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
}
