//! Owns how many records must be missing where a task's state does not follow from the one before: the fewest that
//! can lead from the one to the other.

use crate::automaton;
use crate::state::TaskState;

/// What a record counts its task's transitions by.
pub(super) const ROUND: u64 = 256;
/// The polls that so many transitions hold at least: a task runs, waits and is woken.
pub(super) const ROUND_POLLS: u64 = ROUND / 3;
/// After so many transitions a task can be in any state, whatever it began in.
const ANY: u64 = 8;

/// The fewest records that can be missing before one that leads into `entered`, where their number modulo
/// [`ROUND`] is known; `before` is `None` where the spawn is among them. None can be where that had ended.
pub(super) fn between(before: Option<TaskState>, modulo: u8, entered: TaskState) -> Option<u64> {
    let modulo = u64::from(modulo);
    // Where none is missing nothing needs to be explained.
    let counts = [modulo, modulo + ROUND].into_iter().filter(|m| *m > 0);
    let is_possible = |missing: &u64| {
        let reached = (0..*missing.min(&ANY)).fold(vec![before], |from, _| next(&from));
        reached.iter().any(|from| leads(*from, entered))
    };
    counts.into_iter().find(is_possible)
}

/// The fewest transitions, and at least one, from a state into one of those that `is_there` names, of which so
/// many put the task on a worker.
pub(super) fn to(
    before: Option<TaskState>,
    polls: u64,
    is_there: impl Fn(TaskState) -> bool,
) -> Option<u64> {
    let mut reached = vec![before];
    let steps = (1..=ANY).find(|_| {
        reached = next(&reached);
        reached.iter().flatten().any(|state| is_there(*state))
    })?;
    // Between two polls the task leaves its worker; before the first it is spawned.
    let by_polls = polls.saturating_mul(2).saturating_sub(1);
    Some(steps.max(by_polls.saturating_add(u64::from(before.is_none()))))
}

/// The states that can follow one of these.
fn next(from: &[Option<TaskState>]) -> Vec<Option<TaskState>> {
    let can_follow = |to: &TaskState| from.iter().any(|from| leads(*from, *to));
    TaskState::ALL
        .into_iter()
        .filter(can_follow)
        .map(Some)
        .collect()
}

fn leads(from: Option<TaskState>, to: TaskState) -> bool {
    match from {
        None => to == TaskState::Scheduled,
        Some(from) => automaton::follow(from, to).is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use TaskState::{Done, Running, Scheduled, Sleeping, Yielded};

    #[test]
    fn between_two_states_lie_as_few_records_as_lead_from_one_to_the_other() {
        assert_eq!(between(Some(Running), 1, Running), Some(1), "a yield");
        assert_eq!(
            between(Some(Running), 2, Running),
            Some(2),
            "a wait and a wake"
        );
        assert_eq!(between(Some(Sleeping), 1, Running), Some(1), "a wake");
        assert_eq!(between(Some(Sleeping), 1, Done), Some(257), "not that soon");
        assert_eq!(between(Some(Scheduled), 0, Scheduled), Some(256));
        assert_eq!(
            between(Some(Done), 3, Running),
            None,
            "nothing follows an end"
        );
    }

    #[test]
    fn before_a_first_record_lies_a_spawn() {
        assert_eq!(between(None, 1, Running), Some(1));
        assert_eq!(
            between(None, 3, Scheduled),
            Some(3),
            "spawned, ran, waited, was woken"
        );
        assert_eq!(between(None, 0, Scheduled), Some(256));
        assert_eq!(between(None, 1, Done), Some(257));
    }

    #[test]
    fn an_end_is_as_far_as_the_state_before_it_is() {
        let ends = [Running, Yielded, Sleeping].map(|from| to(Some(from), 0, TaskState::is_end));
        assert_eq!(ends, [Some(1), Some(2), Some(3)]);
        assert_eq!(to(Some(Done), 0, TaskState::is_end), None);
    }

    #[test]
    fn each_poll_but_the_first_takes_two_records() {
        let runs = |state| state == Running;
        assert_eq!(to(Some(Scheduled), 1, runs), Some(1));
        assert_eq!(to(Some(Scheduled), 7, runs), Some(13));
        assert_eq!(to(None, 7, runs), Some(14));
    }

    #[test]
    fn after_enough_transitions_every_state_can_be() {
        let starts = [
            None,
            Some(Scheduled),
            Some(Running),
            Some(Sleeping),
            Some(Yielded),
        ];
        for start in starts {
            let reached = (0..ANY).fold(vec![start], |from, _| next(&from));
            assert_eq!(reached.len(), TaskState::ALL.len(), "from {start:?}");
        }
    }
}
