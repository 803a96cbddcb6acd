//! Owns the signals that can be sent to a session, by name.

/// A signal for a session's group of processes.
///
/// ```
/// use glasshouse_pty::Signal;
/// assert_eq!(Signal::Terminate.number(), 15);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// SIGHUP: the terminal is gone.
    HangUp,
    /// SIGINT: what Ctrl-C sends.
    Interrupt,
    /// SIGQUIT: what Ctrl-\ sends; ends with a core dump.
    Quit,
    /// SIGTERM: please end.
    Terminate,
    /// SIGKILL: ends, and cannot be refused.
    Kill,
    /// SIGSTOP: stops, and cannot be refused.
    Stop,
    /// SIGCONT: goes on after a stop.
    Continue,
    /// SIGUSR1: what the program makes of it.
    User1,
    /// SIGUSR2: what the program makes of it.
    User2,
}

impl Signal {
    /// The signal's number.
    pub fn number(self) -> i32 {
        self.raw().as_raw()
    }

    pub(crate) fn raw(self) -> rustix::process::Signal {
        use rustix::process::Signal as Raw;
        match self {
            Signal::HangUp => Raw::HUP,
            Signal::Interrupt => Raw::INT,
            Signal::Quit => Raw::QUIT,
            Signal::Terminate => Raw::TERM,
            Signal::Kill => Raw::KILL,
            Signal::Stop => Raw::STOP,
            Signal::Continue => Raw::CONT,
            Signal::User1 => Raw::USR1,
            Signal::User2 => Raw::USR2,
        }
    }
}
