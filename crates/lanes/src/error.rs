//! Owns the reasons why lanes cannot be built or found.

use thiserror::Error;

/// Why lanes cannot be built.
///
/// ```
/// use glasshouse_lanes::BuildError;
/// let error = BuildError::ZeroLimit { lane: "io".into() };
/// assert_eq!(error.to_string(), "lane `io` has a limit of 0 and would never run anything: set 1 or more");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BuildError {
    /// A lane without permits.
    #[error("lane `{lane}` has a limit of 0 and would never run anything: set 1 or more")]
    ZeroLimit {
        /// The lane.
        lane: String,
    },
    /// No permits over all.
    #[error("the limit over all lanes is 0 and nothing would ever run: set 1 or more, or none")]
    ZeroGlobalLimit,
    /// Two lanes of one name.
    #[error("there are two lanes named `{lane}`: rename or remove one")]
    Duplicate {
        /// The name.
        lane: String,
    },
}

/// There is no lane of this name.
///
/// ```
/// use glasshouse_lanes::UnknownLane;
/// let error = UnknownLane { name: "oi".into(), known: vec!["io".into(), "cpu".into()] };
/// assert_eq!(error.to_string(), "there is no lane `oi`: define it, or use one of: io, cpu");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there is no lane `{name}`: define it, or use one of: {}", known.join(", "))]
pub struct UnknownLane {
    /// The name that was asked for.
    pub name: String,
    /// The names that there are.
    pub known: Vec<String>,
}
