//! Owns the rule of a task's life: which event may follow which state, as one pure function.
//!
//! ```text
//!  from \ event │ Spawned    Running   Wake       Yield, Throttled, Sleep, …Wait   Done, Failed
//! ──────────────┼────────────────────────────────────────────────────────────────────────────
//!  not spawned  │ Scheduled  –         –          –                                –
//!  ready        │ –          Running   –          –                                –
//!  Running      │ –          –         –          that state                       that end
//!  waiting      │ –          –         Scheduled  –                                –
//!  ended        │ –          –         –          –                                –
//! ```
//!
//! Every other pair is a [`Violation`]. Events of the scheduler itself, and a stall, change no state.

use crate::{TaskEvent, TaskState};

/// How an event broke the rule of a task's life.
///
/// ```
/// use glasshouse_pal::automaton::{self, Violation};
/// use glasshouse_pal::{TaskEvent, TaskId, TaskState};
/// let tid = TaskId::new(1).expect("in range");
/// let broken = automaton::next(Some(TaskState::Sleeping), &TaskEvent::Running { tid });
/// assert_eq!(broken, Err(Violation::RanUnwoken { waiting: TaskState::Sleeping }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// An event of a task that was never spawned.
    #[error("it entered `{}` without having been spawned", entered.name())]
    Unborn {
        /// The state that the event led into.
        entered: TaskState,
    },
    /// A second spawn under one id.
    #[error("it was spawned again while `{}`", state.name())]
    Reborn {
        /// The state that it was in.
        state: TaskState,
    },
    /// It ran while it waited: nobody had woken it.
    #[error("it ran while `{}`, without a wake", waiting.name())]
    RanUnwoken {
        /// What it waited for.
        waiting: TaskState,
    },
    /// It was put on a worker while it was on one.
    #[error("it began to run while it was running")]
    RanTwice,
    /// A wake of a task that did not wait.
    #[error("it was woken while `{}`, when it did not wait", state.name())]
    WokenAwake {
        /// The state that it was in.
        state: TaskState,
    },
    /// It left a worker that it was not on.
    #[error("it went from `{}` to `{}` without running", state.name(), entered.name())]
    LeftUnrun {
        /// The state that it was in.
        state: TaskState,
        /// The state that the event led into.
        entered: TaskState,
    },
    /// Anything after its end.
    #[error("it entered `{}` after it had ended as `{}`", entered.name(), end.name())]
    AfterEnd {
        /// How it had ended.
        end: TaskState,
        /// The state that the event led into.
        entered: TaskState,
    },
    /// The event is none of a task's edges, so it has no place here.
    #[error("the event is no transition of a task")]
    NoTransition,
}

/// The state that `event` takes a task from `state` into; `None` is a task that was not spawned yet.
///
/// # Errors
///
/// A [`Violation`] where the life of a task has no such edge.
///
/// ```
/// use glasshouse_pal::automaton;
/// use glasshouse_pal::{SiteId, TaskEvent, TaskId, TaskState};
/// let tid = TaskId::new(1).expect("in range");
/// let spawned = TaskEvent::Spawned { tid, parent: None, site: SiteId(0) };
/// assert_eq!(automaton::next(None, &spawned), Ok(TaskState::Scheduled));
/// ```
pub const fn next(state: Option<TaskState>, event: &TaskEvent) -> Result<TaskState, Violation> {
    let Some(entered) = event.state() else {
        return Err(Violation::NoTransition);
    };
    let is_spawn = matches!(event, TaskEvent::Spawned { .. });
    let Some(state) = state else {
        return if is_spawn {
            Ok(entered)
        } else {
            Err(Violation::Unborn { entered })
        };
    };
    if is_spawn && !state.is_end() {
        return Err(Violation::Reborn { state });
    }
    follow(state, entered)
}

/// The same for a task that was spawned, by the state that the event leads into.
pub(crate) const fn follow(state: TaskState, entered: TaskState) -> Result<TaskState, Violation> {
    match entered {
        _ if state.is_end() => Err(Violation::AfterEnd {
            end: state,
            entered,
        }),
        TaskState::Scheduled if state.is_waiting() => Ok(entered),
        TaskState::Scheduled => Err(Violation::WokenAwake { state }),
        TaskState::Running if state.is_ready() => Ok(entered),
        TaskState::Running if state.is_waiting() => Err(Violation::RanUnwoken { waiting: state }),
        TaskState::Running => Err(Violation::RanTwice),
        _ if matches!(state, TaskState::Running) => Ok(entered),
        _ => Err(Violation::LeftUnrun { state, entered }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::TaskId;
    use crate::{Failure, FailureKind, Interest, IoTarget, SiteId, TextId, WakeSource};
    use std::time::Duration;

    /// One event of each kind, in the order of the table's columns.
    fn events() -> [TaskEvent; 16] {
        let tid = TaskId::new(1).expect("in range");
        let by = WakeSource::Timer;
        let (fd, interest) = (3, Interest::Read);
        let (kind, text) = (FailureKind::Error, TextId(0));
        let (site, dur) = (SiteId(0), Duration::from_millis(1));
        [
            TaskEvent::Spawned {
                tid,
                parent: None,
                site,
            },
            TaskEvent::Running { tid },
            TaskEvent::Wake { tid, by },
            TaskEvent::Yield { tid, by },
            TaskEvent::Throttled { tid, by },
            TaskEvent::Sleep { tid, dur },
            TaskEvent::IoWait {
                tid,
                io: IoTarget { fd, interest },
            },
            TaskEvent::JoinWait { tid, on: tid },
            TaskEvent::LaneWait {
                tid,
                lane: TextId(0),
            },
            TaskEvent::Wait { tid },
            TaskEvent::Done { tid },
            TaskEvent::Failed {
                tid,
                error: Failure { kind, text },
            },
            TaskEvent::SpawnDenied {
                parent: None,
                site,
                capacity: 1,
            },
            TaskEvent::ShutdownBegin { timeout: dur },
            TaskEvent::ShutdownComplete { clean: true },
            TaskEvent::Stalled {
                tid,
                worker: 0,
                busy: dur,
                queued: 0,
                others: 1,
            },
        ]
    }

    /// Each row a state, each column an event; a capital letter is the state entered, a small one the
    /// violation: u(nborn), r(eborn), w(oken awake), n(ot woken), t(wice), l(eft unrun), a(fter end),
    /// and a dot where the event is no transition.
    const TABLE: &str = "
        state      spawned running wake  yield throttled sleep io join lane wait  done failed  denied begin complete stalled
        -             S       u      u     u       u       u   u    u    u    u     u     u       .     .      .       .
        scheduled     r       R      w     l       l       l   l    l    l    l     l     l       .     .      .       .
        running       r       t      w     Y       T       Z   I    J    L    W     D     F       .     .      .       .
        yielded       r       R      w     l       l       l   l    l    l    l     l     l       .     .      .       .
        throttled     r       R      w     l       l       l   l    l    l    l     l     l       .     .      .       .
        sleeping      r       n      S     l       l       l   l    l    l    l     l     l       .     .      .       .
        io_wait       r       n      S     l       l       l   l    l    l    l     l     l       .     .      .       .
        join_wait     r       n      S     l       l       l   l    l    l    l     l     l       .     .      .       .
        lane_wait     r       n      S     l       l       l   l    l    l    l     l     l       .     .      .       .
        waiting       r       n      S     l       l       l   l    l    l    l     l     l       .     .      .       .
        done          a       a      a     a       a       a   a    a    a    a     a     a       .     .      .       .
        failed        a       a      a     a       a       a   a    a    a    a     a     a       .     .      .       .
    ";

    /// The result as the table writes it, once the violation's data has been checked.
    fn letter(
        state: Option<TaskState>,
        event: &TaskEvent,
        got: Result<TaskState, Violation>,
    ) -> char {
        let was = |claimed: TaskState| assert_eq!(Some(claimed), state);
        let led = |claimed: TaskState| assert_eq!(Some(claimed), event.state());
        match got {
            Ok(entered) => {
                led(entered);
                match entered {
                    TaskState::Scheduled => 'S',
                    TaskState::Running => 'R',
                    TaskState::Yielded => 'Y',
                    TaskState::Throttled => 'T',
                    TaskState::Sleeping => 'Z',
                    TaskState::IoWait => 'I',
                    TaskState::JoinWait => 'J',
                    TaskState::LaneWait => 'L',
                    TaskState::Waiting => 'W',
                    TaskState::Done => 'D',
                    TaskState::Failed => 'F',
                }
            }
            Err(Violation::Unborn { entered }) => {
                led(entered);
                'u'
            }
            Err(Violation::Reborn { state }) => {
                was(state);
                'r'
            }
            Err(Violation::RanUnwoken { waiting }) => {
                was(waiting);
                'n'
            }
            Err(Violation::RanTwice) => {
                was(TaskState::Running);
                't'
            }
            Err(Violation::WokenAwake { state }) => {
                was(state);
                'w'
            }
            Err(Violation::LeftUnrun { state, entered }) => {
                was(state);
                led(entered);
                'l'
            }
            Err(Violation::AfterEnd { end, entered }) => {
                was(end);
                led(entered);
                'a'
            }
            Err(Violation::NoTransition) => '.',
        }
    }

    #[test]
    fn every_event_in_every_state_is_judged_as_the_table_says() {
        let states: Vec<Option<TaskState>> = std::iter::once(None)
            .chain(TaskState::ALL.map(Some))
            .collect();
        let rows: Vec<&str> = TABLE.trim().lines().skip(1).collect();
        assert_eq!(rows.len(), states.len());
        for (row, state) in rows.iter().zip(states) {
            let mut cells = row.split_whitespace();
            assert_eq!(cells.next(), Some(state.map_or("-", TaskState::name)));
            let judged: String = events()
                .iter()
                .map(|event| letter(state, event, next(state, event)))
                .collect();
            assert_eq!(
                judged,
                cells.collect::<String>(),
                "in {}",
                state.map_or("-", TaskState::name)
            );
        }
    }

    #[test]
    fn a_violation_says_what_happened() {
        let tid = TaskId::new(1).expect("in range");
        let broken = next(Some(TaskState::IoWait), &TaskEvent::Running { tid });
        let said = broken.expect_err("a waiting task needs a wake").to_string();
        assert_eq!(said, "it ran while `io_wait`, without a wake");
    }
}
