//! Owns the words for how a node ended.

use glasshouse_diag::NodeOutcome;
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// How a node ended; for one that was tried again, how its last attempt did. Displayed as a person would
/// say it; serialised as `outcome` with the variant's own fields beside it.
///
/// ```
/// use glasshouse_flow::Outcome;
/// let outcome = Outcome::ExitCode { exit_code: 3 };
/// assert_eq!(outcome.to_string(), "exit code 3");
/// assert_eq!(outcome.name(), "exit_code");
/// assert!(!outcome.is_success());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The command exited with code zero.
    Success,
    /// It exited with another code.
    ExitCode {
        /// The code.
        exit_code: i32,
    },
    /// A signal that this flow did not send ended it.
    Signal {
        /// The signal's number.
        signal: i32,
    },
    /// It ran past its timeout and was ended.
    Timeout {
        /// The timeout in nanoseconds.
        timeout_ns: u64,
    },
    /// It could not be started, or how it ended could not be learnt.
    SpawnError {
        /// Why.
        error: String,
    },
    /// The code around the command panicked: a bug here, not the command's failure.
    Panic {
        /// The panic's message.
        error: String,
    },
    /// It was not started, because a node that it needs did not succeed.
    Skipped {
        /// That node.
        need: String,
    },
    /// It was ended, or not started, because the run was cancelled.
    Cancelled,
}

impl Outcome {
    /// Whether the node did what it was to do.
    pub const fn is_success(&self) -> bool {
        matches!(self, Outcome::Success)
    }

    /// Whether the node was tried and failed; neither one that was skipped nor one that was cancelled.
    pub const fn is_failure(&self) -> bool {
        !matches!(
            self,
            Outcome::Success | Outcome::Skipped { .. } | Outcome::Cancelled
        )
    }

    /// The outcome's name in JSON.
    pub const fn name(&self) -> &'static str {
        match self.of_execution() {
            Some(outcome) => outcome.name(),
            None => "skipped",
        }
    }

    /// The code that the command exited with, if it did.
    pub const fn exit_code(&self) -> Option<i32> {
        match *self {
            Outcome::Success => Some(0),
            Outcome::ExitCode { exit_code } => Some(exit_code),
            _ => None,
        }
    }

    /// The signal that ended the command, if one did.
    pub const fn signal(&self) -> Option<i32> {
        match *self {
            Outcome::Signal { signal } => Some(signal),
            _ => None,
        }
    }

    /// The category under which an execution with this outcome is counted; `None` for a node that was not
    /// executed.
    pub const fn of_execution(&self) -> Option<NodeOutcome> {
        match self {
            Outcome::Success => Some(NodeOutcome::Success),
            Outcome::ExitCode { .. } => Some(NodeOutcome::ExitCode),
            Outcome::Signal { .. } => Some(NodeOutcome::Signal),
            Outcome::Timeout { .. } => Some(NodeOutcome::Timeout),
            Outcome::SpawnError { .. } => Some(NodeOutcome::SpawnError),
            Outcome::Panic { .. } => Some(NodeOutcome::Panic),
            Outcome::Cancelled => Some(NodeOutcome::Cancelled),
            Outcome::Skipped { .. } => None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Success => f.write_str("success"),
            Outcome::ExitCode { exit_code } => write!(f, "exit code {exit_code}"),
            Outcome::Signal { signal } => write!(f, "signal {signal}"),
            Outcome::Timeout { timeout_ns } => {
                write!(f, "timeout after {:?}", Duration::from_nanos(*timeout_ns))
            }
            Outcome::SpawnError { error } => write!(f, "not started: {error}"),
            Outcome::Panic { error } => write!(f, "panic: {error}"),
            Outcome::Skipped { need } => write!(f, "skipped: needs {need}"),
            Outcome::Cancelled => f.write_str("cancelled"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_tag_in_json_and_the_fields_stand_beside_it() {
        for (outcome, json) in [
            (Outcome::Success, r#"{"outcome":"success"}"#),
            (
                Outcome::ExitCode { exit_code: 3 },
                r#"{"outcome":"exit_code","exit_code":3}"#,
            ),
            (
                Outcome::Signal { signal: 9 },
                r#"{"outcome":"signal","signal":9}"#,
            ),
            (
                Outcome::Timeout { timeout_ns: 5 },
                r#"{"outcome":"timeout","timeout_ns":5}"#,
            ),
            (
                Outcome::SpawnError { error: "e".into() },
                r#"{"outcome":"spawn_error","error":"e"}"#,
            ),
            (
                Outcome::Panic { error: "e".into() },
                r#"{"outcome":"panic","error":"e"}"#,
            ),
            (
                Outcome::Skipped { need: "n".into() },
                r#"{"outcome":"skipped","need":"n"}"#,
            ),
            (Outcome::Cancelled, r#"{"outcome":"cancelled"}"#),
        ] {
            assert_eq!(serde_json::to_string(&outcome).expect("serialisable"), json);
            assert!(json.contains(&format!(r#""outcome":"{}""#, outcome.name())));
        }
    }
}
