//! Owns the reasons why a session cannot start.

use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why a session could not be started. Nothing is left running, and no descriptor open.
///
/// ```
/// use glasshouse_pty::SpawnError;
/// let error = SpawnError::NotFound { program: "sotr".into() };
/// assert_eq!(
///     error.to_string(),
///     "there is no program `sotr`: check its spelling, install it, or add its directory to PATH",
/// );
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// The program is not there, or in no directory of `PATH`.
    #[error(
        "there is no program `{}`: check its spelling, install it, or add its directory to PATH",
        program.display()
    )]
    NotFound {
        /// The program as it was given.
        program: PathBuf,
    },
    /// The program is there, but is not a file that may be executed.
    #[error("`{}` cannot be executed: it must be a file with execute permission", program.display())]
    NotExecutable {
        /// The program as it was found.
        program: PathBuf,
    },
    /// The program is a script, and the interpreter that its first line names is not there; or it
    /// was removed meanwhile.
    #[error(
        "`{}` is there, but its interpreter is not: check the first line of the script",
        program.display()
    )]
    NoInterpreter {
        /// The program as it was found.
        program: PathBuf,
    },
    /// The directory to start in cannot be entered.
    #[error("cannot start in the directory `{}` ({source}): create it or name another", cwd.display())]
    BadDirectory {
        /// The directory as it was given.
        cwd: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A text holds a NUL byte, or a variable's name is empty or holds `=`; no program can be
    /// given such a text.
    #[error("the {what} cannot be passed to a program: remove NUL bytes, and `=` from names")]
    BadText {
        /// Which text.
        what: &'static str,
    },
    /// No pseudo-terminal could be opened.
    #[error("cannot open a pseudo-terminal ({0}): end other sessions, or raise kernel.pty.max")]
    NoTerminal(#[source] io::Error),
    /// The system would not start the program.
    #[error("cannot start `{}`: {source}", program.display())]
    Start {
        /// The program as it was found.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The terminal or the program could not be watched; a program that had started was killed.
    #[error(
        "cannot watch the terminal or its program ({0}): close descriptors, or raise their limit"
    )]
    Watch(#[source] io::Error),
    /// The scheduler refused the task that would have read the output; the program was killed.
    #[error("the scheduler takes no more tasks: raise its capacity, or start this before its end")]
    Refused,
}
