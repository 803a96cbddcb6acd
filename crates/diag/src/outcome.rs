//! Owns the words for how one execution of a node ended.

use serde::Serialize;
use std::fmt;

/// How one execution (one attempt) of a node ended. Everything but `Success` is a failure, by its
/// category.
///
/// ```
/// use glasshouse_diag::NodeOutcome;
/// assert_eq!(NodeOutcome::ExitCode.name(), "exit_code");
/// assert!(NodeOutcome::ExitCode.is_failure() && !NodeOutcome::Success.is_failure());
/// assert_eq!(NodeOutcome::from_number(2), Some(NodeOutcome::ExitCode));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum NodeOutcome {
    /// The command exited with code zero.
    Success = 1,
    /// It exited with another code.
    ExitCode = 2,
    /// A signal that nobody here sent ended it.
    Signal = 3,
    /// It ran past its timeout and was ended.
    Timeout = 4,
    /// It could not be started.
    SpawnError = 5,
    /// It was ended because its flow was cancelled.
    Cancelled = 6,
    /// The code around the command panicked: a bug, not the command's failure.
    Panic = 7,
}

impl NodeOutcome {
    /// Every outcome, in the order of its number.
    pub const ALL: [NodeOutcome; 7] = [
        NodeOutcome::Success,
        NodeOutcome::ExitCode,
        NodeOutcome::Signal,
        NodeOutcome::Timeout,
        NodeOutcome::SpawnError,
        NodeOutcome::Cancelled,
        NodeOutcome::Panic,
    ];

    /// The outcome with this number, as the log stores it.
    pub const fn from_number(number: u8) -> Option<NodeOutcome> {
        match number {
            1..=7 => Some(NodeOutcome::ALL[number as usize - 1]),
            _ => None,
        }
    }

    /// The outcome's name in metric labels and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            NodeOutcome::Success => "success",
            NodeOutcome::ExitCode => "exit_code",
            NodeOutcome::Signal => "signal",
            NodeOutcome::Timeout => "timeout",
            NodeOutcome::SpawnError => "spawn_error",
            NodeOutcome::Cancelled => "cancelled",
            NodeOutcome::Panic => "panic",
        }
    }

    /// Whether the execution failed.
    pub const fn is_failure(self) -> bool {
        !matches!(self, NodeOutcome::Success)
    }
}

impl fmt::Display for NodeOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_distinct_and_numbers_come_back() {
        let mut names: Vec<&str> = NodeOutcome::ALL
            .iter()
            .map(|outcome| outcome.name())
            .collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), NodeOutcome::ALL.len());
        for outcome in NodeOutcome::ALL {
            assert_eq!(NodeOutcome::from_number(outcome as u8), Some(outcome));
        }
        assert_eq!(NodeOutcome::from_number(0), None);
        assert_eq!(NodeOutcome::from_number(8), None);
    }
}
