//! Owns the tests of the pages beside the overview.

use super::{App, assert_screen, press, scene, screen};
use crate::inspect::top::app::Source;
use crate::inspect::top::keys::{Action, Page, Time};
use crate::inspect::top::model::History;
use crate::inspect::top::model::tests::gap;
use crate::inspect::top::scene::{MS, Scene};
use glasshouse_pal::reader::Log;
use glasshouse_pal::{TaskEvent, TaskId, TaskState, WakeSource};
use std::time::Duration;

#[test]
fn a_task_s_page_tells_its_life_its_waits_who_woke_it_and_what_it_spawned() {
    let mut scene = scene();
    let build = TaskId::new(2).expect("in range");
    scene.sleep(build, Duration::from_millis(3));
    scene.pass(3 * MS);
    scene.wake(0, build, WakeSource::Timer);
    scene.pass(MS / 10);
    scene.run(1, build);
    scene.pass(MS);
    scene.shown(|app| {
        screen(app, 80, 24);
        press(app, &[Action::Open]);
        assert_screen(
            &screen(app, 80, 24),
            r#"
a process, pid 0, alive                                         at 0.504100000 s
retained: all of 503 ms; lost: nothing; not crash-safe: the log dies with its p…

task #2 build, spawned at src/scene.rs:10:5 by #1(serve)
running for 1.00 ms; age 503 ms, polls 2
run 498 ms (99.0 %), ready 2.10 ms (0.4 %), wait 3.00 ms (0.6 %)
waits: sleeping 3.00 ms
woken by: timer 1x
spawned: none

             AT WORKER STATE       LASTED WHY
    0.503100000      1 running    1.00ms+
    0.503000000      0 scheduled    100µs by=timer
    0.500000000      0 sleeping    3.00ms dur=3.00 ms
    0.003000000      0 running      497ms
    0.001000000      0 scheduled   2.00ms site=src/scene.rs:10:5 parent=#1(serv…







q quit  ? help  p pause  s sort  r reverse  / name  Enter task  l lanes  t PTYs
"#,
        );
        press(app, &[Action::Move(3)]);
        assert_screen(
            &screen(app, 80, 24)[10..13],
            "
             AT WORKER STATE       LASTED WHY
    0.003000000      0 running      497ms
    0.001000000      0 scheduled   2.00ms site=src/scene.rs:10:5 parent=#1(serv…
",
        );
        press(app, &[Action::Back]);
        assert!(screen(app, 80, 24)[2].starts_with("WORKER"));
    });
}

#[test]
fn the_state_on_a_task_s_page_is_that_of_the_newest_row_below() {
    let mut scene = scene();
    let build = TaskId::new(2).expect("in range");
    scene.sleep(build, Duration::from_millis(3));
    scene.pass(3 * MS);
    // The table is ahead of the records that the page has.
    scene.enter_unrecorded(build, TaskState::Sleeping);
    scene.shown(|app| {
        app.history = Some(History::begin(build, app.log().records()));
        let shown = screen(app, 80, 24);
        assert!(
            shown[4].starts_with("sleeping for 3.00 ms; age "),
            "{shown:?}"
        );
        let row: Vec<&str> = shown[11].split_whitespace().skip(2).take(2).collect();
        assert_eq!(row, ["sleeping", "3.00ms+"]);
    });
}

#[test]
fn a_task_that_ends_while_its_page_is_open_stays_there_with_its_end() {
    let mut scene = scene();
    let build = TaskId::new(2).expect("in range");
    // The present is looked at again below, so the world moves on in between.
    let log = scene.pal.log();
    let before = scene.shown(|app| {
        screen(app, 80, 24);
        press(app, &[Action::Open]);
        app.history.take()
    });
    let mut history = before.expect("the busiest task's page");
    assert_eq!(history.task(), build);
    scene.leave(TaskEvent::Done { tid: build });
    for entry in log.records() {
        history.follow(&entry);
    }
    scene.shown(|app| {
        app.history = Some(history);
        let shown = screen(app, 80, 24);
        assert_screen(
            &shown[3..5],
            "
task #2 build, spawned at src/scene.rs:10:5 by #1(serve)
done; polls 1, run 497 ms, ready 2.00 ms, wait 0
",
        );
        assert_eq!(
            shown[10].split_whitespace().collect::<Vec<_>>(),
            ["0.500000000", "0", "done"]
        );
    });
}

/// Has the end of segments with a gap looked at.
fn with_gap(look: impl FnOnce(&mut App<'_>)) {
    let place = tempfile::tempdir().expect("a temporary directory");
    let dir = place.path().join("spill");
    gap::write(&dir);
    let source = Source {
        log: &Log::open(&dir).expect("readable"),
        reopen: &|| Log::open(&dir),
        until: &|_, newest| newest,
    };
    look(&mut App::new(source).expect("it can be read"));
}

/// Opens the page of a task that is alive at the moment.
fn open_page(app: &mut App<'_>, task: &str) {
    press(app, &[Action::First]);
    let chosen = |line: &String| line.split_whitespace().take(2).eq([">", task]);
    let places = app.moment().tasks.len();
    let is_there = (0..places).any(|_| {
        let is_chosen = screen(app, 80, 24).iter().any(chosen);
        press(
            app,
            &[if is_chosen {
                Action::Open
            } else {
                Action::Move(1)
            }],
        );
        is_chosen
    });
    assert!(is_there, "#{task} is alive");
}

/// What the open page says of the state, of waits, and for how long the last one lasted.
fn last_state(app: &mut App<'_>) -> [String; 3] {
    let shown = screen(app, 80, 24);
    let state = shown[4].split([' ', ';']).take(3).collect::<Vec<_>>();
    let waits = shown.iter().find(|line| line.starts_with("waits: "));
    let heading = shown.iter().position(|line| line.ends_with(" LASTED WHY"));
    let lasted = shown[heading.expect("told") + 1].split_whitespace().nth(3);
    [
        state.join(" "),
        waits.expect("told").clone(),
        lasted.expect("told").to_owned(),
    ]
}

#[test]
fn the_page_of_a_task_that_was_last_seen_before_a_gap_does_not_go_on_across_it() {
    with_gap(|app| {
        // Before the gap it is alive.
        press(app, &[Action::Time(Time::PreviousRecord)]);
        open_page(app, "2");
        let [state, waits, lasted] = last_state(app);
        assert!(state.starts_with("waiting for "), "{state}");
        assert!(!waits.contains("as far as"), "{waits}");
        assert!(lasted.ends_with('+'), "{lasted}");
        press(app, &[Action::Time(Time::End)]);
        let none = "waits: none (as far as records tell)";
        assert_eq!(last_state(app), ["last seen waiting", none, "?"]);
        // Of this one the task table says that it is still alive.
        press(app, &[Action::Back]);
        open_page(app, "1");
        assert_eq!(last_state(app)[1..], [none, "?"]);
    });
}

#[test]
fn a_program_that_may_have_ended_in_a_gap_is_not_told_to_run() {
    with_gap(|app| {
        press(app, &[Action::Show(Page::Ptys)]);
        let row = "      70 running?          -          -          - make";
        assert_eq!(screen(app, 80, 24)[4], row);
        press(app, &[Action::Time(Time::PreviousRecord)]);
        let before = screen(app, 80, 24)[4].clone();
        assert!(before.starts_with("      70 running  "), "{before}");
    });
}

#[test]
fn lanes_and_pseudo_terminals_have_pages() {
    scene().shown(|app| {
        press(app, &[Action::Show(Page::Lanes)]);
        assert_screen(
            &screen(app, 80, 24)[3..7],
            "
LANE              LIMIT   HELD WAITING  TAKEN LONGEST
cpu                   2      2       1      2  3.00ms full

TAKEN: permits so far; LONGEST: what one of their takers waited
",
        );
        press(app, &[Action::Show(Page::Ptys)]);
        assert_screen(
            &screen(app, 80, 24)[3..5],
            "
     PID STATE           FOR     OUTPUT    DROPPED NAME
    4242 running       487ms          -          - make
",
        );
    });
}

#[test]
fn a_program_that_has_ended_says_how() {
    let scene = scene();
    let build = TaskId::new(2).expect("in range");
    scene.outgrow_pty(build, 4242, "make", 65536);
    scene.shown(|app| {
        press(app, &[Action::Show(Page::Ptys)]);
        let row = "    4242 running       487ms  >64.0 KiB          - make";
        assert_eq!(screen(app, 80, 24)[4], row);
    });
    scene.end_pty(build, 4242, "make", [-1, 15]);
    scene.open_pty(build, 4243, "sh");
    scene.end_pty(build, 4243, "sh", [3, 0]);
    scene.shown(|app| {
        press(app, &[Action::Show(Page::Ptys)]);
        assert_screen(
            &screen(app, 80, 24)[4..6],
            "
    4243 exited 3          0   4.00 KiB        0 B sh
    4242 signal 15     487ms   4.00 KiB        0 B make
",
        );
    });
}

#[test]
fn a_log_without_tasks_lanes_or_pseudo_terminals_says_so() {
    Scene::new().shown(|app| {
        let shown = screen(app, 80, 24).join("\n");
        assert!(shown.contains("no task is alive"), "{shown}");
        press(app, &[Action::Show(Page::Lanes)]);
        let shown = screen(app, 80, 24).join("\n");
        assert!(shown.contains("no record speaks of a lane"), "{shown}");
        press(app, &[Action::Show(Page::Ptys)]);
        let shown = screen(app, 80, 24).join("\n");
        assert!(
            shown.contains("no record speaks of a pseudo-terminal"),
            "{shown}"
        );
    });
}

#[test]
fn help_tells_every_key_in_80_by_24() {
    scene().shown(|app| {
        press(app, &[Action::Show(Page::Help)]);
        let shown = screen(app, 80, 24);
        for key in ["q ", "arrows jk", "Enter", "s S r", "/ ", "l t o ?", "p "] {
            assert!(
                shown.iter().any(|line| line.starts_with(key)),
                "{key} in {shown:?}"
            );
        }
        assert!(
            shown[3..].iter().all(|line| !line.ends_with('…')),
            "{shown:?}"
        );
        press(app, &[Action::Show(Page::Help)]);
        assert!(screen(app, 80, 24)[2].starts_with("WORKER"));
    });
}
