//! Owns what can be wrong with a flow file, said in one line.

use crate::quantity::QuantityError;
use std::fmt;
use thiserror::Error;

/// A place in a file; both counts start at one, and columns count characters.
///
/// ```
/// let error = glasshouse_flow::Flow::from_str("nmae = \"x\"", "f.toml").expect_err("misspelt");
/// let place = error.place().expect("it is in the file");
/// assert_eq!((place.line, place.column), (1, 1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// A flow that cannot be used. Displayed as one line: `FILE:LINE:COLUMN: what; remedy`, or
/// `FILE: what; remedy` where the whole file is meant.
///
/// ```
/// use glasshouse_flow::Flow;
/// let text = "[[node]]\nname = \"a\"\nrun = \"true\"\ntimout = \"1s\"";
/// let error = Flow::from_str(text, "f.toml").expect_err("misspelt");
/// let line = "f.toml:4:1: unknown key `timout` in [[node]]; did you mean `timeout`?";
/// assert_eq!(error.to_string(), line);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct FlowError {
    file: String,
    place: Option<Place>,
    /// Boxed, so that results stay small where nothing is wrong.
    problem: Box<Problem>,
}

impl FlowError {
    pub(crate) fn new(file: &str, place: Option<Place>, problem: Problem) -> FlowError {
        FlowError {
            file: file.to_owned(),
            place,
            problem: Box::new(problem),
        }
    }

    /// The file, as it was named.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Where in the file; `None` where the whole file is meant.
    pub const fn place(&self) -> Option<Place> {
        self.place
    }

    /// What is wrong.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }
}

impl fmt::Display for FlowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_one_line(f, &self.file)?;
        if let Some(Place { line, column }) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        f.write_str(": ")?;
        write_one_line(f, &self.problem.to_string())
    }
}

/// A file's name and its texts may hold line breaks and worse; the message may not.
fn write_one_line(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    for part in text.split_inclusive(breaks) {
        let plain = part.trim_end_matches(breaks);
        f.write_str(plain)?;
        for c in part[plain.len()..].chars() {
            write!(f, "{}", c.escape_debug())?;
        }
    }
    Ok(())
}

/// What is wrong with a flow, and the remedy.
///
/// ```
/// use glasshouse_flow::{Flow, Problem};
/// let text = "[[node]]\nname = \"a\"\nrun = \"true\"\nneeds = [\"a\"]";
/// let error = Flow::from_str(text, "f.toml").expect_err("it needs itself");
/// assert_eq!(error.problem(), &Problem::Cycle { members: vec!["a".into()] });
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// The file cannot be read.
    #[error("cannot be read: {cause}; name a flow file that exists and can be read")]
    Unreadable {
        /// What the operating system says.
        cause: String,
    },
    /// The file is longer than a flow may be.
    #[error("is longer than {limit_bytes} bytes; split the flow")]
    TooLong {
        /// The most bytes a flow may have.
        limit_bytes: usize,
    },
    /// The text is no TOML.
    #[error("not TOML: {message}; correct the text here")]
    Syntax {
        /// What the TOML reader says.
        message: String,
    },
    /// A key that means nothing here.
    #[error("unknown key `{key}` in {section}; {}", hint(suggestion, || known_keys(known)))]
    UnknownKey {
        /// The key.
        key: String,
        /// Where it stands.
        section: &'static str,
        /// The key that was probably meant.
        suggestion: Option<String>,
        /// The keys that mean something here.
        known: &'static [&'static str],
    },
    /// A key that must be there is not.
    #[error("{section} has no `{key}`; add {example}")]
    MissingKey {
        /// The key.
        key: &'static str,
        /// Where it is missing.
        section: &'static str,
        /// A line that would do.
        example: &'static str,
    },
    /// A value of the wrong type.
    #[error("`{key}` is of type {found}; write {example}")]
    WrongType {
        /// The key.
        key: String,
        /// The type it has.
        found: &'static str,
        /// A value that would do.
        example: &'static str,
    },
    /// A number outside its range.
    #[error("`{key}` is {value}; write a whole number from {min} to {max}")]
    OutOfRange {
        /// The key.
        key: &'static str,
        /// The number as written.
        value: String,
        /// The least it may be.
        min: u64,
        /// The most it may be.
        max: u64,
    },
    /// A duration or size that cannot be read.
    #[error("`{key}` = {value:?} {reason}; write {example}")]
    Quantity {
        /// The key.
        key: &'static str,
        /// The text as written.
        value: String,
        /// Why it cannot be read.
        reason: QuantityError,
        /// Values that would do.
        example: &'static str,
    },
    /// A text that may not be empty, or holds what it may not.
    #[error("`{key}` {fault}; {remedy}")]
    Text {
        /// The key.
        key: String,
        /// What is wrong with it.
        fault: String,
        /// What would do.
        remedy: &'static str,
    },
    /// Two nodes of one name.
    #[error("node `{name}` is defined twice, first on line {first_line}; rename one of the two")]
    DuplicateNode {
        /// The name.
        name: String,
        /// The line of the first one's name.
        first_line: usize,
    },
    /// A lane that is not declared.
    #[error("unknown lane `{lane}`; {}", hint(suggestion, || format!("add [lanes.{lane}] with a `limit`")))]
    UnknownLane {
        /// The lane.
        lane: String,
        /// The lane that was probably meant.
        suggestion: Option<String>,
    },
    /// A need that is no node.
    #[error(
        "node `{node}` needs `{need}`, which is no node; {}",
        hint(suggestion, || "add a node of this name or remove the need".into())
    )]
    UnknownNeed {
        /// The node that needs it.
        node: String,
        /// What it needs.
        need: String,
        /// The node that was probably meant.
        suggestion: Option<String>,
    },
    /// A need written twice.
    #[error("node `{node}` needs `{need}` twice; name it once")]
    RepeatedNeed {
        /// The node that needs it.
        node: String,
        /// What it needs.
        need: String,
    },
    /// Nodes that wait for one another.
    #[error(
        "the nodes form a cycle: {}; remove one of these needs",
        chain(members)
    )]
    Cycle {
        /// Each needs the next, and the last the first.
        members: Vec<String>,
    },
    /// A flow without a node.
    #[error("the flow has no nodes; add a [[node]] with `name` and `run`")]
    NoNodes,
}

fn hint(suggestion: &Option<String>, otherwise: impl FnOnce() -> String) -> String {
    match suggestion {
        Some(suggestion) => format!("did you mean `{suggestion}`?"),
        None => otherwise(),
    }
}

fn known_keys(known: &[&str]) -> String {
    format!("its keys are {}", known.join(", "))
}

/// The most members of a cycle that a message names one by one.
const CYCLE_SHOWN_LEN: usize = 24;

fn chain(members: &[String]) -> String {
    let needs = members.iter().zip(members.iter().cycle().skip(1));
    let mut links: Vec<String> = needs
        .map(|(node, need)| format!("{node} needs {need}"))
        .collect();
    if links.len() > CYCLE_SHOWN_LEN {
        let hidden = links.len() - CYCLE_SHOWN_LEN;
        links.splice(
            CYCLE_SHOWN_LEN - 1..links.len() - 1,
            [format!("and so on over {hidden} more")],
        );
    }
    links.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_in_names_are_escaped() {
        let problem = Problem::Unreadable {
            cause: "bad\nday\u{2028}\u{7}.".into(),
        };
        let error = FlowError::new("a\r\nb.toml", None, problem);
        let line = error.to_string();
        assert!(
            line.starts_with(r"a\r\nb.toml: cannot be read: bad\nday\u{2028}\u{7}.;"),
            "{line}"
        );
    }

    #[test]
    fn a_cycle_names_its_members_in_order_and_closes() {
        let members = ["a", "b", "c"].map(String::from);
        assert_eq!(chain(&members), "a needs b, b needs c, c needs a");
        assert_eq!(chain(&members[..1]), "a needs a");
        let many: Vec<String> = (0..1_000).map(|node| node.to_string()).collect();
        let line = chain(&many);
        let end = "22 needs 23, and so on over 976 more, 999 needs 0";
        assert!(
            line.starts_with("0 needs 1, 1 needs 2, ") && line.ends_with(end),
            "{line}"
        );
    }
}
