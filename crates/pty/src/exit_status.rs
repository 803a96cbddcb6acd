//! Owns the outcome of a child: how it ended, as its parent learns it.

use std::fmt;

/// How a session's program ended.
///
/// ```
/// use glasshouse_pty::ExitStatus;
/// assert!(ExitStatus::Exited { code: 0 }.is_success());
/// assert_eq!(ExitStatus::Exited { code: 3 }.to_string(), "exit code 3");
/// assert_eq!(ExitStatus::Killed { signal: 15 }.to_string(), "killed by signal 15 (SIGTERM)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExitStatus {
    /// It ended by itself.
    Exited {
        /// What it returned, 0 to 255; 0 says success.
        code: i32,
    },
    /// A signal ended it.
    Killed {
        /// The signal's number.
        signal: i32,
    },
    /// It has ended, but other code of this process collected its status: SIGCHLD is ignored, or
    /// something waits for any child.
    Lost,
}

impl ExitStatus {
    /// Whether it ended by itself and said success.
    pub fn is_success(self) -> bool {
        self == ExitStatus::Exited { code: 0 }
    }

    /// What it returned, where it ended by itself.
    pub fn code(self) -> Option<i32> {
        match self {
            ExitStatus::Exited { code } => Some(code),
            ExitStatus::Killed { .. } | ExitStatus::Lost => None,
        }
    }

    /// The signal that ended it, where one did.
    pub fn signal(self) -> Option<i32> {
        match self {
            ExitStatus::Killed { signal } => Some(signal),
            ExitStatus::Exited { .. } | ExitStatus::Lost => None,
        }
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            ExitStatus::Exited { code } => write!(f, "exit code {code}"),
            ExitStatus::Killed { signal } => match signal_name(signal) {
                Some(name) => write!(f, "killed by signal {signal} ({name})"),
                None => write!(f, "killed by signal {signal}"),
            },
            ExitStatus::Lost => f.write_str("ended, status collected by other code"),
        }
    }
}

/// The usual name of the signals that end programs; `None` for the rest.
fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        libc::SIGHUP => "SIGHUP",
        libc::SIGINT => "SIGINT",
        libc::SIGQUIT => "SIGQUIT",
        libc::SIGILL => "SIGILL",
        libc::SIGTRAP => "SIGTRAP",
        libc::SIGABRT => "SIGABRT",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGKILL => "SIGKILL",
        libc::SIGUSR1 => "SIGUSR1",
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGUSR2 => "SIGUSR2",
        libc::SIGPIPE => "SIGPIPE",
        libc::SIGALRM => "SIGALRM",
        libc::SIGTERM => "SIGTERM",
        libc::SIGXCPU => "SIGXCPU",
        libc::SIGXFSZ => "SIGXFSZ",
        libc::SIGSYS => "SIGSYS",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_exit_with_zero_is_success() {
        assert!(ExitStatus::Exited { code: 0 }.is_success());
        for status in [
            ExitStatus::Exited { code: 1 },
            ExitStatus::Killed { signal: 9 },
            ExitStatus::Lost,
        ] {
            assert!(!status.is_success(), "{status}");
        }
    }

    #[test]
    fn code_and_signal_exclude_each_other() {
        let exited = ExitStatus::Exited { code: 7 };
        assert_eq!((exited.code(), exited.signal()), (Some(7), None));
        let killed = ExitStatus::Killed { signal: 9 };
        assert_eq!((killed.code(), killed.signal()), (None, Some(9)));
        assert_eq!(
            (ExitStatus::Lost.code(), ExitStatus::Lost.signal()),
            (None, None)
        );
    }

    #[test]
    fn a_signal_without_a_usual_name_shows_its_number() {
        assert_eq!(
            ExitStatus::Killed { signal: 40 }.to_string(),
            "killed by signal 40"
        );
    }
}
