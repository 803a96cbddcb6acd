//! Owns the life of a session as a pure state machine: what each event means in each state.
//!
//! ```text
//! Starting ──started──► Running ──terminate──► Terminating ──kill──► Killing
//!    │                     │                    │   │  ▲                │
//!    │                     │                    │   └──┘ hang up        │
//!    │                     ├──kill──────────────┼──────────────────────►│
//!    │                     └──child ended───────┴───────────────────────┤
//!    └─(spawn failed: the session never was)                            ▼
//!                                               Ended ◄──reaped── Draining
//! ```
//!
//! Who may touch what: the state is changed under the session's lock only, and a signal is sent
//! under the same lock. The child is reaped on the edge into `Ended`; up to there its process id,
//! and so its group's, cannot be given to another process.

use crate::exit_status::ExitStatus;

/// Where a session is in its life.
///
/// ```
/// use glasshouse_pty::{ExitStatus, SessionState};
/// assert!(SessionState::Running.is_live());
/// let ended = SessionState::Ended(ExitStatus::Exited { code: 0 });
/// assert_eq!((ended.is_live(), ended.name()), (false, "exited"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionState {
    /// The terminal is being opened and the child started.
    Starting,
    /// The child runs.
    Running,
    /// The child was asked to end and has time to do so.
    Terminating,
    /// The child was sent SIGKILL.
    Killing,
    /// The child has ended; what it left in the terminal is being read.
    Draining,
    /// The child was reaped and the terminal closed.
    Ended(ExitStatus),
}

/// What happens to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The child exists.
    Started,
    /// Somebody asks the child to end.
    Terminate,
    /// It did not heed that for a while.
    HangUp,
    /// Somebody ends the child.
    Kill,
    /// The child has ended and is not reaped.
    ChildEnded,
    /// The child was reaped.
    Reaped(ExitStatus),
}

/// What the session must do about a change of its state.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Nothing.
    None,
    /// Send SIGTERM and SIGCONT to the group.
    AskGroup,
    /// Send SIGHUP and SIGCONT to the group.
    HangUpGroup,
    /// Send SIGKILL to every group of the session.
    KillSession,
    /// Kill what is left of the group, read what is left in the terminal, reap the child.
    Drain,
    /// Tell whoever waits for the end.
    Announce,
}

impl SessionState {
    /// The state after `event`, and what is to be done about it.
    ///
    /// # Panics
    /// When the event cannot happen in this state: that is a bug of this crate.
    pub(crate) fn on(self, event: Event) -> (SessionState, Action) {
        use SessionState::*;
        match (self, event) {
            (Starting, Event::Started) => (Running, Action::None),
            // Asked again, it is told again: the first signal may have come before its handler.
            (Running | Terminating, Event::Terminate) => (Terminating, Action::AskGroup),
            (Running | Terminating, Event::HangUp) => (Terminating, Action::HangUpGroup),
            (Running | Terminating | Killing, Event::Kill) => (Killing, Action::KillSession),
            (Killing, Event::Terminate | Event::HangUp) => (Killing, Action::None),
            // The drain begins with killing what is left of the group.
            (Draining | Ended(_), Event::Terminate | Event::HangUp | Event::Kill) => {
                (self, Action::None)
            }
            (Running | Terminating | Killing, Event::ChildEnded) => (Draining, Action::Drain),
            (Draining, Event::Reaped(status)) => (Ended(status), Action::Announce),
            (state, event) => unreachable!("{event:?} cannot happen to a session {state:?}"),
        }
    }

    /// Whether the child exists and is not reaped: only then may its group be signalled.
    pub fn is_live(self) -> bool {
        use SessionState::*;
        matches!(self, Running | Terminating | Killing | Draining)
    }

    /// How the child ended, once it was reaped.
    pub fn status(self) -> Option<ExitStatus> {
        match self {
            SessionState::Ended(status) => Some(status),
            _ => None,
        }
    }

    /// The state's name in listings.
    pub fn name(self) -> &'static str {
        match self {
            SessionState::Starting => "starting",
            SessionState::Running => "running",
            SessionState::Terminating => "terminating",
            SessionState::Killing => "killing",
            SessionState::Draining => "draining",
            SessionState::Ended(ExitStatus::Exited { .. }) => "exited",
            SessionState::Ended(ExitStatus::Killed { .. }) => "killed",
            SessionState::Ended(ExitStatus::Lost) => "lost",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Action::{Announce, AskGroup, Drain, HangUpGroup, KillSession};
    use super::Event::{ChildEnded, HangUp, Kill, Reaped, Started, Terminate};
    use super::SessionState::{Draining, Ended, Killing, Running, Starting, Terminating};
    use super::*;

    const OK: ExitStatus = ExitStatus::Exited { code: 0 };
    const STATES: [SessionState; 6] =
        [Starting, Running, Terminating, Killing, Draining, Ended(OK)];
    const EVENTS: [Event; 6] = [Started, Terminate, HangUp, Kill, ChildEnded, Reaped(OK)];

    /// One row a state, one column an event; `None` is a bug.
    fn table(state: SessionState) -> [Option<(SessionState, Action)>; 6] {
        let same = Some((state, Action::None));
        let asked = Some((Terminating, AskGroup));
        let hung_up = Some((Terminating, HangUpGroup));
        let killed = Some((Killing, KillSession));
        let drained = Some((Draining, Drain));
        let ended = Some((Ended(OK), Announce));
        match state {
            Starting => [Some((Running, Action::None)), None, None, None, None, None],
            Running => [None, asked, hung_up, killed, drained, None],
            Terminating => [None, asked, hung_up, killed, drained, None],
            Killing => [None, same, same, killed, drained, None],
            Draining => [None, same, same, same, None, ended],
            Ended(_) => [None, same, same, same, None, None],
        }
    }

    #[test]
    fn every_event_in_every_state_does_what_the_table_says() {
        for state in STATES {
            for (event, expected) in EVENTS.into_iter().zip(table(state)) {
                let got = std::panic::catch_unwind(|| state.on(event)).ok();
                assert_eq!(got, expected, "{event:?} in {state:?}");
            }
        }
    }

    #[test]
    fn the_group_may_be_signalled_from_start_to_reaping() {
        let live: Vec<bool> = STATES.into_iter().map(SessionState::is_live).collect();
        assert_eq!(live, [false, true, true, true, true, false]);
    }

    #[test]
    fn only_an_ended_session_has_a_status() {
        for state in STATES {
            assert_eq!(state.status(), (state == Ended(OK)).then_some(OK));
        }
    }
}
