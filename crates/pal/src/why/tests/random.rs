//! Owns the proof by random programs: what holds of every answer, and that the walk back finds the path that a walk
//! forward finds, which keeps the whole path of every task.

use super::play::any_play;
use super::story::{Story, tid};
use crate::lives::Lives;
use crate::reader::Entry;
use crate::why::{Activity, Answer, Stretch};
use crate::{Event, TaskEvent, TaskId, TaskState};
use proptest::prelude::*;
use std::collections::HashMap;

/// A task in the walk forward: its state, and the path that led to where it entered it.
#[derive(Clone)]
struct Now {
    state: TaskState,
    on: Option<TaskId>,
    since: u64,
    trail: Vec<Stretch>,
}

impl Now {
    fn trail_to(&self, task: TaskId, to: u64, ended_by: Option<&'static str>) -> Vec<Stretch> {
        let mut trail = self.trail.clone();
        let activity = match self.state {
            state if state.is_ready() => Activity::Ready,
            state if state.is_waiting() => Activity::Wait { state, ended_by },
            _ => Activity::Run,
        };
        let from = self.since;
        trail.push(Stretch {
            task,
            activity,
            from,
            to,
        });
        trail
    }
}

/// The path of every task up to `until`, by keeping all paths while walking forward.
fn forward(entries: &[Entry], until: u64) -> HashMap<TaskId, Vec<Stretch>> {
    let mut tasks: HashMap<TaskId, Now> = HashMap::new();
    for entry in entries {
        let Event::Task(event) = entry.event else {
            continue;
        };
        let (tid, stamp) = (event.tid().expect("a task's"), entry.stamp);
        let own = |ended_by| tasks[&tid].trail_to(tid, stamp, ended_by);
        let of = |other: TaskId| tasks[&other].trail_to(other, stamp, None);
        let trail = match event {
            TaskEvent::Spawned { parent: None, .. } => vec![Stretch {
                task: tid,
                activity: Activity::Unborn,
                from: 0,
                to: stamp,
            }],
            TaskEvent::Spawned {
                parent: Some(parent),
                ..
            } => of(parent),
            TaskEvent::Wake { by, .. } => match by.task() {
                Some(waker) => of(waker),
                None => own(Some(by.name())),
            },
            _ => own(None),
        };
        let on = match event {
            TaskEvent::JoinWait { on, .. } => Some(on),
            _ => None,
        };
        let now = Now {
            state: event.state().expect("a transition"),
            on,
            since: stamp,
            trail,
        };
        tasks.insert(tid, now);
    }
    let paths = tasks.keys().map(|asked| {
        let mut tid = *asked;
        let mut seen = vec![tid];
        // Who joins a task that lives is where that one is.
        while let Some(on) = tasks[&tid].on
            && tasks.get(&on).is_some_and(|now| !now.state.is_end())
            && !seen.contains(&on)
        {
            seen.push(on);
            tid = on;
        }
        let end = match tasks[asked].state.is_end() {
            true => tasks[asked].since,
            false => until,
        };
        (*asked, tasks[&tid].trail_to(tid, end, None))
    });
    paths.collect()
}

/// What lies behind `from`, with neighbours of one task and activity as one.
fn from(from: u64, path: &[Stretch]) -> Vec<Stretch> {
    let mut cut: Vec<Stretch> = Vec::new();
    for stretch in path.iter().filter(|stretch| stretch.to > from) {
        let stretch = Stretch {
            from: stretch.from.max(from),
            ..*stretch
        };
        if stretch.ticks() == 0 {
            continue;
        }
        match cut.last_mut() {
            Some(last) if (last.task, last.activity) == (stretch.task, stretch.activity) => {
                last.to = stretch.to;
            }
            _ => cut.push(stretch),
        }
    }
    cut
}

/// The same without what waits are for, which a wake behind a gap does not tell.
fn without_cause(path: &[Stretch]) -> Vec<Stretch> {
    let mut path = path.to_vec();
    for stretch in &mut path {
        if let Activity::Wait { state, .. } = &mut stretch.activity {
            *state = TaskState::Waiting;
        }
    }
    path
}

/// What holds of every answer.
fn check(answer: &Answer) {
    let (from, to) = (answer.from(), answer.to());
    let path = &answer.path;
    assert_eq!((path.from, path.to), (from, to));
    let mut at = from;
    for stretch in &path.stretches {
        assert_eq!(stretch.from, at, "each begins where the one before ends");
        assert!(stretch.ticks() > 0);
        at = stretch.to;
    }
    assert_eq!(at, to);
    let own: u64 = path.nodes.iter().map(|node| node.own_ticks()).sum();
    assert_eq!(own, to - from, "the tree holds the whole path");
    for (index, node) in path.nodes.iter().enumerate() {
        assert!(node.above.is_none_or(|above| above < index));
        assert_eq!(node.above.is_none(), index == 0);
    }
    let life = &answer.life;
    let lived = life.run_ticks + life.ready_ticks + life.wait_total_ticks() + answer.unknown_ticks;
    assert_eq!(lived, to - from, "its times are its life");
    let held: u64 = answer.holders.iter().map(|holder| holder.ticks).sum();
    let is_pending = life.state.is_ready();
    assert!(held <= life.ready_ticks);
    assert!(is_pending || held == life.ready_ticks, "all of its delay");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_answer_adds_up_and_the_walk_back_finds_what_a_walk_forward_finds(play in any_play()) {
        let until = play.now + 3;
        let paths = forward(&play.story.entries, until);
        for task in 1..=play.last {
            let answer = play.story.why(task, until);
            check(&answer);
            prop_assert_eq!(answer.unknown_ticks, 0);
            let expected = from(answer.from(), &paths[&tid(task)]);
            prop_assert_eq!(&answer.path.stretches, &expected, "of task {}", task);
        }
    }

    #[test]
    fn every_answer_adds_up_behind_a_horizon(play in any_play(), percent in 0u64..100) {
        let (until, horizon) = (play.now + 3, play.now * percent / 100);
        for task in 1..=play.last {
            let lives = Lives::from_horizon(horizon);
            if let Some(answer) = play.story.ask_of(lives, task, until) {
                prop_assert!(answer.from() >= horizon);
                check(&answer);
            }
        }
    }

    #[test]
    fn behind_a_gap_every_answer_adds_up_and_tells_no_more_than_there_is(
        play in any_play(), percents in (0u64..100, 0u64..60)
    ) {
        let until = play.now + 3;
        let paths = forward(&play.story.entries, until);
        let begin = play.now * percents.0 / 100;
        let end = (begin + 1 + play.now * percents.1 / 100).min(until);
        for task in 1..=play.last {
            let mut story = play.story.clone();
            let lives = story.lose(begin, end);
            let Some(answer) = story.ask_of(lives, task, until) else {
                continue;
            };
            check(&answer);
            // A path that ends before the gap is judged like one of a log that ends there.
            if answer.to() < end {
                continue;
            }
            let stretches = &answer.path.stretches;
            let unknown = stretches.iter().rposition(|s| s.activity == Activity::Unrecorded);
            let told = &stretches[unknown.map_or(0, |last| last + 1)..];
            let since = told.first().map_or(answer.to(), |first| first.from);
            prop_assert!(answer.from() < end || unknown.is_none(), "of task {}", task);
            let expected = from(since, &without_cause(&paths[&tid(task)]));
            let lasts = told.last().zip(expected.last());
            if let Some((told, expected)) = lasts && told.task != expected.task {
                // Whom it joins may have ended in the gap, for all that there is.
                let (state, ended_by) = (TaskState::JoinWait, None);
                prop_assert_eq!(told.activity, Activity::Wait { state, ended_by });
                continue;
            }
            prop_assert_eq!(from(since, &without_cause(told)), expected, "of task {}", task);
        }
    }

    #[test]
    fn behind_a_gap_no_task_is_told_to_be_in_a_state_that_it_left(
        play in any_play(), percents in (0u64..100, 0u64..60)
    ) {
        let states = play.story.picture().states;
        let begin = play.now * percents.0 / 100;
        let end = begin + 1 + play.now * percents.1 / 100;
        let mut story = play.story.clone();
        let lives = story.lose(begin, end);
        // A log that ends with a gap tells of the time before.
        if story.entries.last().is_none_or(|last| last.stamp < end) {
            return Ok(());
        }
        for (task, state) in story.picture_of(lives, &[]).states {
            prop_assert_eq!(states.get(&task), Some(&state), "{}", task);
        }
    }

    #[test]
    fn with_rows_that_were_noted_at_some_time_no_task_is_told_to_be_in_a_state_that_it_left(
        play in any_play(), percents in (0u64..100, 0u64..60), noted in 0u64..=100
    ) {
        let states = play.story.picture().states;
        let begin = play.now * percents.0 / 100;
        let end = begin + 1 + play.now * percents.1 / 100;
        let noted = play.now * noted / 100;
        let rows = play.story.rows_at(noted);
        let mut story = play.story.clone();
        let lives = story.lose(begin, end).with_rows_noted(noted);
        // As above, but for rows that were noted behind the gap.
        if noted < end && story.entries.last().is_none_or(|last| last.stamp < end) {
            return Ok(());
        }
        let told = story.picture_of(lives, &rows);
        if noted >= end {
            prop_assert_eq!(&told.states, &states);
            prop_assert!(told.unseen.is_empty());
        }
        for (task, state) in &told.states {
            prop_assert_eq!(states.get(task), Some(state), "{}", task);
        }
        // Of who lives is told, or that it is not known.
        for task in states.keys() {
            let is_new = !rows.iter().any(|row| row.id == *task);
            let is_told = told.states.contains_key(task) || told.unseen.contains(task);
            prop_assert!(is_told || is_new, "{}", task);
        }
    }

    #[test]
    fn who_keeps_only_what_is_of_use_finds_the_same(
        play in any_play(), percents in (0u64..100, 0u64..60), by in 0usize..40
    ) {
        let until = play.now + 3;
        let begin = play.now * percents.0 / 100;
        let end = begin + 1 + play.now * percents.1 / 100;
        let mut damaged = play.story.clone();
        let count = damaged.entries.len();
        damaged.entries.rotate_left(by % count);
        let mut with_gap = play.story.clone();
        with_gap.lose(begin, end);
        for task in 1..=play.last {
            for (story, lives) in [
                (&play.story, (|_, _| Lives::whole()) as fn(u64, u64) -> Lives),
                (&damaged, |_, _| Lives::whole()),
                (&play.story, |begin, _| Lives::from_horizon(begin)),
                (&with_gap, |begin, end| Story::default().lose(begin, end)),
            ] {
                let kept = story.ask_of(lives(begin, end), task, until);
                prop_assert_eq!(story.ask_sparing(lives(begin, end), task, until), kept);
            }
        }
    }

    #[test]
    fn a_damaged_order_still_gives_an_answer(play in any_play(), by in 1usize..40) {
        let mut story = play.story.clone();
        let count = story.entries.len();
        story.entries.rotate_left(by % count);
        for task in 1..=play.last {
            let _ = story.ask(task, play.now);
        }
        let _ = story.picture();
    }

    #[test]
    fn only_tasks_that_cannot_act_are_stuck_and_circles_are_of_such(play in any_play()) {
        let picture = play.story.picture();
        for circle in &picture.cycles {
            for task in circle {
                prop_assert!(picture.states[task].is_waiting());
                prop_assert!(picture.prospect(*task) == Some(crate::why::Prospect::Stuck));
            }
        }
        for waiting in &picture.waiting {
            prop_assert_eq!(picture.states[&waiting.task], waiting.reason.state());
        }
    }
}
