//! Every transition in every state that can be reached, by the names that a state prints.
//!
//! A state is a stage of life (with what came in since) and what the join handle has left. The steps of the
//! task's life never touch the handle's part, and the handle's steps never touch the life's part, so that each
//! has a table of its own; that they do not is checked for every combination.

use super::snapshot::*;
use std::collections::BTreeMap;
use std::fmt;
use std::panic::catch_unwind;

/// `=` for an unchanged state, `-` for a step that is refused.
const STEPS_OF_LIFE: &str = "
    state                       | wake                                | abort                               | start_poll                 | end_poll  | complete
    Idle                        | Scheduled Push                      | Scheduled + aborted Push            | -                          | -         | -
    Scheduled                   | Scheduled + woken Nothing           | Scheduled + aborted Nothing         | = Poll                     | Idle Idle | Complete
    Scheduled + woken           | = Nothing                           | Scheduled + woken + aborted Nothing | Scheduled Poll             | = Again   | Complete
    Scheduled + aborted         | Scheduled + woken + aborted Nothing | = Nothing                           | = Cancel                   | = Again   | Complete + aborted
    Scheduled + woken + aborted | = Nothing                           | = Nothing                           | Scheduled + aborted Cancel | = Again   | Complete + aborted
    Complete                    | = Nothing                           | = Nothing                           | -                          | -         | -
    Complete + aborted          | = Nothing                           | = Nothing                           | -                          | -         | -
";

/// The handle's part, before completion and after it. A handle that is gone makes no step.
const STEPS_OF_THE_HANDLE: &str = "
    state                                | set_join_waker                       | unset_join_waker      | drop_join_handle
    incomplete                           |                                      |                       |
    incomplete + join interest           | + join interest + join waker Pending | = Pending             | Pending
    incomplete + join interest + join waker | -                                 | + join interest Pending | Pending
    complete                             |                                      |                       |
    complete + join interest             | = Complete                           | = Complete            | Complete
    complete + join interest + join waker | -                                   | = Complete            | + join waker Complete
    complete + join waker                |                                      |                       |
";

/// What completion finds, by the handle's part.
const COMPLETION: [(&str, Completion); 3] = [
    (
        "",
        Completion {
            wake_joiner: false,
            drop_output: true,
        },
    ),
    (
        " + join interest",
        Completion {
            wake_joiner: false,
            drop_output: false,
        },
    ),
    (
        " + join interest + join waker",
        Completion {
            wake_joiner: true,
            drop_output: false,
        },
    ),
];

/// The rows of a table: the first column, then the others by their heads.
fn rows(table: &'static str) -> BTreeMap<&'static str, BTreeMap<&'static str, &'static str>> {
    let mut lines = table.lines().filter(|line| !line.trim().is_empty());
    let cells = |line: &'static str| line.split('|').map(str::trim);
    let heads: Vec<_> = cells(lines.next().expect("a head")).skip(1).collect();
    lines
        .map(|line| {
            let mut cells = cells(line);
            let state = cells.next().expect("a first cell");
            (state, heads.iter().copied().zip(cells).collect())
        })
        .collect()
}

type Step = fn(Snapshot) -> (Snapshot, String);

fn said<A: fmt::Debug>((next, action): (Snapshot, A)) -> (Snapshot, String) {
    (next, format!("{action:?}"))
}

const LIFE_STEPS: [(&str, Step); 5] = [
    ("wake", |now| said(now.wake())),
    ("abort", |now| said(now.abort())),
    ("start_poll", |now| said(now.start_poll())),
    ("end_poll", |now| said(now.end_poll())),
    ("complete", |now| (now.complete().0, String::new())),
];

const HANDLE_STEPS: [(&str, Step); 3] = [
    ("set_join_waker", |now| said(now.set_join_waker())),
    ("unset_join_waker", |now| said(now.unset_join_waker())),
    ("drop_join_handle", |now| said(now.drop_join_handle())),
];

/// A state's two parts, as it prints them.
fn parts(now: Snapshot) -> (String, String) {
    let text = format!("{now:?}");
    let at = text.find(" + join").unwrap_or(text.len());
    (text[..at].to_owned(), text[at..].to_owned())
}

fn has_handle(now: Snapshot) -> bool {
    parts(now).1.contains("join interest")
}

fn step_from(now: Snapshot, step: Step) -> Option<(Snapshot, String)> {
    catch_unwind(|| step(now)).ok()
}

/// Every state that steps lead to from the one of a new task.
fn reachable() -> Vec<Snapshot> {
    let mut found = vec![Snapshot::SPAWNED];
    let mut next = 0;
    while let Some(&now) = found.get(next) {
        next += 1;
        let handle_steps = HANDLE_STEPS.iter().filter(|_| has_handle(now));
        for (_, step) in LIFE_STEPS.iter().chain(handle_steps) {
            if let Some((then, _)) = step_from(now, *step)
                && !found.contains(&then)
            {
                found.push(then);
            }
        }
    }
    found
}

/// A cell of a table as the text of a step: the part that it leads to, and what it says.
fn expected(cell: &str, part: &str) -> Option<String> {
    match cell {
        "-" => None,
        cell => Some(cell.replacen('=', part, 1).trim().to_owned()),
    }
}

#[test]
fn every_step_of_life_in_every_state() {
    let table = rows(STEPS_OF_LIFE);
    let states = reachable();
    for &now in &states {
        let (life, handle) = parts(now);
        for (name, step) in LIFE_STEPS {
            let got = step_from(now, step).map(|(then, action)| {
                let (then, kept) = parts(then);
                assert_eq!(
                    kept, handle,
                    "{name} from {now:?} touches the handle's part"
                );
                format!("{then} {action}").trim().to_owned()
            });
            assert_eq!(
                got,
                expected(table[&*life][name], &life),
                "{name} from {now:?}"
            );
        }
    }
    let mut lives: Vec<_> = states.iter().map(|&now| parts(now).0).collect();
    lives.sort();
    lives.dedup();
    assert_eq!(
        lives,
        table.into_keys().collect::<Vec<_>>(),
        "every row is reached"
    );
}

#[test]
fn every_step_of_the_handle_in_every_state() {
    let table = rows(STEPS_OF_THE_HANDLE);
    let states = reachable();
    let row = |now: Snapshot| {
        let stage = if now.is_complete() {
            "complete"
        } else {
            "incomplete"
        };
        format!("{stage}{}", parts(now).1)
    };
    for &now in states.iter().filter(|now| has_handle(**now)) {
        let (life, handle) = parts(now);
        for (name, step) in HANDLE_STEPS {
            let got = step_from(now, step).map(|(then, action)| {
                let (kept, then) = parts(then);
                assert_eq!(kept, life, "{name} from {now:?} touches the life's part");
                format!("{then} {action}").trim().to_owned()
            });
            let cell = expected(table[&*row(now)][name], handle.trim());
            assert_eq!(got, cell, "{name} from {now:?}");
        }
    }
    let mut handles: Vec<_> = states.iter().map(|&now| row(now)).collect();
    handles.sort();
    handles.dedup();
    assert_eq!(
        handles,
        table.into_keys().collect::<Vec<_>>(),
        "every row is reached"
    );
}

#[test]
fn every_completion_by_what_the_handle_has_left() {
    for now in reachable() {
        let (_, handle) = parts(now);
        if now.is_scheduled() {
            let (_, completion) = now.complete();
            let row = COMPLETION.iter().find(|(left, _)| *left == handle);
            assert_eq!(completion, row.unwrap().1, "from {now:?}");
        }
    }
}
