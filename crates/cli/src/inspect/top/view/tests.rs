//! Owns the tests of what is on the screen: whole screens, as text.

mod pages;

use super::*;
use crate::inspect::top::app::Source;
use crate::inspect::top::keys::{Action, Time};
use crate::inspect::top::scene::{MS, Scene};
use glasshouse_pal::reader::Log;
use glasshouse_pal::spill::{Settings, Spiller};
use glasshouse_pal::{Pal, RingOwner, TaskEvent, TaskId};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

/// What a screen of this size shows, line by line, without the spaces at the ends.
fn screen(app: &mut App<'_>, columns: u16, rows: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).expect("a terminal");
    let drawn = terminal.draw(|frame| {
        let area = frame.area();
        draw(app, frame.buffer_mut(), area);
    });
    let buffer = drawn.expect("drawn").buffer;
    let line = |row: u16| {
        let cells = (0..columns).map(|column| buffer[(column, row)].symbol());
        cells.collect::<String>().trim_end().to_owned()
    };
    (0..rows).map(line).collect()
}

fn press(app: &mut App<'_>, actions: &[Action]) {
    for action in actions {
        assert_eq!(app.act(*action), None);
    }
}

fn type_in(app: &mut App<'_>, text: &str) {
    press(app, &[Action::Filter]);
    for c in text.chars() {
        press(app, &[Action::Type(c)]);
    }
    press(app, &[Action::Open]);
}

/// Two workers, one of them in a tick; a lane that is full; a program in a pseudo-terminal.
fn scene() -> Scene {
    let mut scene = Scene::new();
    let root = scene.spawn("serve", None);
    scene.pass(MS);
    scene.run(0, root);
    let build = scene.spawn("build", Some(root));
    let test = scene.spawn("test", Some(root));
    scene.pass(2 * MS);
    scene.acquire(root, "cpu", 0, 2);
    scene.leave(TaskEvent::JoinWait {
        tid: root,
        on: build,
    });
    scene.run(0, build);
    scene.pass(10 * MS);
    scene.acquire(build, "cpu", 3 * MS, 2);
    scene.open_pty(build, 4242, "make");
    let lane = scene.lane("cpu");
    scene.run(1, test);
    scene.pass(MS / 2);
    scene.leave(TaskEvent::LaneWait { tid: test, lane });
    scene.park(1);
    scene.pass(486 * MS + MS / 2);
    scene
}

fn assert_screen(shown: &[String], expected: &str) {
    let expected: Vec<&str> = expected.trim_matches('\n').lines().collect();
    assert_eq!(shown, expected, "\n{}\n", shown.join("\n"));
}

#[test]
fn the_overview_tells_workers_and_tasks_in_80_by_24() {
    scene().shown(|app| {
        press(app, &[Action::Move(1), Action::Move(1)]);
        assert_screen(
            &screen(app, 80, 24),
            r#"
a process, pid 0, alive                                         at 0.500000000 s
retained: all of 13.5 ms; lost: nothing; not crash-safe: the log dies with its …
WORKER STATE       1S  10S TICKS/S TASK
     0 running      -    -       - #2 build for 497ms
     1 parked       -    -       - -

3 tasks: 1 running, 0 ready, 2 waiting, by load, largest first
     ID NAME               STATE     LANE LOAD    RUN   WAIT  READY POLLS    AGE
      2 build              running   cpu     -  497ms      0 2.00ms     1  499ms
>     1 serve              join_wait cpu     - 2.00ms  497ms 1.00ms     1  500ms
      3 test               lane_wait cpu     -  500µs  486ms 12.0ms     1  499ms












q quit  ? help  p pause  s sort  r reverse  / name  Enter task  l lanes  t PTYs
"#,
        );
    });
}

#[test]
fn paused_the_screen_shows_a_moment_of_the_past() {
    scene().shown(|app| {
        let back = [
            Action::Pause,
            Action::Time(Time::Beginning),
            Action::Time(Time::Large(1)),
        ];
        press(app, &back);
        assert_screen(
            &screen(app, 80, 24),
            r#"
a process, pid 0, alive            PAUSED at 0.020000000 s, 480ms before the end
retained: all of 13.5 ms; lost: nothing; not crash-safe: the log dies with its …
WORKER STATE       1S  10S TICKS/S TASK
     0 running    95%  95%     100 #2 build for 17.0ms
     1 idle        2%   2%      50 -

3 tasks: 1 running, 0 ready, 2 waiting, by load, largest first
     ID NAME               STATE     LANE LOAD    RUN   WAIT  READY POLLS    AGE
      2 build              running   cpu   85% 17.0ms      0 2.00ms     1 19.0ms
      1 serve              join_wait cpu   10% 2.00ms 17.0ms 1.00ms     1 20.0ms
      3 test               lane_wait cpu    2%  500µs 6.50ms 12.0ms     1 19.0ms












Left/Right 2.00 ms  PgUp/PgDn 20.0 ms  [ ] record  p go on  ? help  q quit
"#,
        );
        press(app, &[Action::Time(Time::Beginning)]);
        let shown = screen(app, 80, 24);
        assert!(
            shown[0].ends_with("PAUSED at 0.000000000 s, 500ms before the end"),
            "{}",
            shown[0]
        );
        press(app, &[Action::Time(Time::NextRecord)]);
        let shown = screen(app, 80, 24);
        assert_eq!(
            shown[3].split_whitespace().collect::<Vec<_>>()[..2],
            ["0", "running"]
        );
        press(app, &[Action::Pause]);
        assert!(screen(app, 80, 24)[0].ends_with(" at 0.500000000 s"));
    });
}

#[test]
fn a_filter_shows_the_tasks_with_such_a_name_until_it_is_dropped() {
    scene().shown(|app| {
        press(app, &[Action::Filter, Action::Type('E'), Action::Type('s')]);
        let foot = screen(app, 80, 24)[23].clone();
        assert_eq!(foot, "name: es_   Enter keeps it, Esc drops it");
        press(app, &[Action::Open]);
        let shown = screen(app, 80, 24);
        assert!(
            shown[6].starts_with("1 of 3 tasks named \"es\", by load"),
            "{}",
            shown[6]
        );
        assert!(
            shown[8].contains(" test ") && shown[9].is_empty(),
            "{shown:?}"
        );
        press(app, &[Action::Back]);
        assert!(screen(app, 80, 24)[9].contains(" serve "));
        type_in(app, "nobody");
        let text = "no task that is alive has such a name; Esc drops the filter";
        assert_eq!(screen(app, 80, 24)[8], text);
    });
}

#[test]
fn the_order_is_told_and_obeyed() {
    scene().shown(|app| {
        let mut listed = |actions: &[Action]| {
            press(app, actions);
            let shown = screen(app, 80, 24);
            let order = shown[6].split(", by ").nth(1).expect("told").to_owned();
            let id = |line: &String| line.split_whitespace().next().map(str::to_owned);
            (
                order,
                shown[8..11]
                    .iter()
                    .filter_map(id)
                    .collect::<Vec<_>>()
                    .join(" "),
            )
        };
        let told = |order: &str, ids: &str| (order.to_owned(), ids.to_owned());
        // Shares are not known at the first look: those that ran longest come first.
        assert_eq!(listed(&[]), told("load, largest first", "2 1 3"));
        assert_eq!(
            listed(&[Action::Sort(2)]),
            told("wait, largest first", "1 3 2")
        );
        assert_eq!(
            listed(&[Action::Reverse]),
            told("wait, smallest first", "2 3 1")
        );
        assert_eq!(
            listed(&[Action::Sort(3)]),
            told("state, smallest first", "2 3 1")
        );
        assert_eq!(
            listed(&[Action::Sort(2)]),
            told("age, largest first", "1 2 3")
        );
        assert_eq!(
            listed(&[Action::Sort(1)]),
            told("id, smallest first", "1 2 3")
        );
    });
}

#[test]
fn a_narrow_screen_leaves_columns_out_and_a_tiny_one_says_what_it_needs() {
    let mut scene = scene();
    for _ in 0..30 {
        scene.spawn("more", None);
    }
    scene.shown(|app| {
        assert_screen(
            &screen(app, 44, 12),
            r#"
a process, pid 0, alive     at 0.500000000 s
retained: all of 500 ms; lost: nothing; not…
WORKER STATE       1S  10S TICKS/S TASK
     … 2 more: 1 in a task, - busy

33 tasks: 1 running, 30 ready, 2 waiting, b…
     ID NAME           STATE     LOAD    RUN
      2 build          running      -  497ms
      1 serve          join_wait    - 2.00ms
      3 test           lane_wait    -  500µs
      4 more           scheduled    -      0
q quit  ? help  p pause  s sort  r reverse …
"#,
        );
        let tiny = screen(app, 39, 12);
        assert_eq!(tiny[0], "needs 40 columns and 8 rows; q quits");
        let wide = screen(app, 200, 50);
        assert!(wide[7].ends_with("POLLS    AGE"), "{}", wide[7]);
        // As many tasks as there are rows, and the next screen of them.
        screen(app, 80, 24);
        press(app, &[Action::Sort(8), Action::Move(1), Action::Screens(1)]);
        let shown = screen(app, 80, 24);
        assert!(
            shown[6].ends_with(", by id, smallest first, 1 above"),
            "{}",
            shown[6]
        );
        press(app, &[Action::Last]);
        assert!(screen(app, 80, 24)[22].starts_with(">    33 more"));
    });
}

#[test]
fn no_name_steers_the_terminal() {
    let mut scene = Scene::new();
    scene.spawn("\u{1b}[2Jevil\n", None);
    scene.shown(|app| {
        let shown = screen(app, 80, 24);
        assert!(shown[8].contains("\\u{1b}[2Jevil\\n"), "{}", shown[8]);
    });
}

#[test]
fn a_log_that_was_removed_under_view_is_shown_on_and_not_paused() {
    let scene = scene();
    for (how, why) in [
        ("removed", "/nowhere/at/all.pal"),
        ("replaced", "another process's log is in its place"),
    ] {
        let reopen = || match how {
            "removed" => Log::open(std::path::Path::new("/nowhere/at/all.pal")),
            _ => Ok(Pal::memory().log()),
        };
        let source = Source {
            log: &scene.pal.log(),
            reopen: &reopen,
            until: &|_, _| scene.now(),
        };
        let mut app = App::new(source).expect("it is open");
        app.look();
        press(&mut app, &[Action::Pause]);
        let shown = screen(&mut app, 80, 24);
        assert!(
            shown[1].starts_with("cannot pause: ") && shown[1].contains(why),
            "{}",
            shown[1]
        );
        assert!(!shown[0].contains("PAUSED"));
        assert!(shown[8].contains(" build "), "{shown:?}");
    }
}

#[test]
fn segments_have_no_present_to_go_on_to() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let dir = place.path().join("spill");
    let pal = Pal::memory();
    let mut spiller = Spiller::new(&pal, Settings::new(&dir)).expect("made");
    let ring = pal.lease(RingOwner::Worker(0));
    let tid = TaskId::new(1).expect("in range");
    let (parent, site) = (None, pal.site("src/scene.rs", 10, 5, Some("lone")));
    let now = pal.clock().now();
    ring.write(now, 0, &TaskEvent::Spawned { tid, parent, site });
    // The task table, which has no row of it, is not what is shown.
    let _ = spiller.finish();
    let source = Source {
        log: &Log::open(&dir).expect("readable"),
        reopen: &|| Log::open(&dir),
        until: &|_, newest| newest,
    };
    let mut app = App::new(source).expect("it can be read");
    app.look();
    press(&mut app, &[Action::Time(Time::Beginning), Action::Pause]);
    let shown = screen(&mut app, 80, 24);
    assert!(
        shown[0].contains("PAUSED") && shown[0].ends_with(", the end"),
        "{}",
        shown[0]
    );
    // What it says of its process holds: it is this one.
    assert!(shown[0].contains(", alive "), "{}", shown[0]);
    assert!(
        shown.iter().any(|line| line.contains(" lone ")),
        "{shown:?}"
    );
}

#[test]
fn going_on_in_segments_leads_to_what_was_spilled_meanwhile() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let dir = place.path().join("spill");
    let pal = Pal::memory();
    let settings = Settings {
        flush: std::time::Duration::from_nanos(1),
        ..Settings::new(&dir)
    };
    let mut spiller = Spiller::new(&pal, settings).expect("made");
    let ring = pal.lease(RingOwner::Worker(0));
    let mut spawn = |number: u64, name: &str| {
        let tid = TaskId::new(number).expect("in range");
        let (parent, site) = (None, pal.site("src/scene.rs", 10, 5, Some(name)));
        let now = pal.clock().now();
        ring.write(now, 0, &TaskEvent::Spawned { tid, parent, site });
        // What was there before the step before is written.
        let _ = (spiller.step(), spiller.step());
    };
    spawn(1, "first");
    let source = Source {
        log: &Log::open(&dir).expect("readable"),
        reopen: &|| Log::open(&dir),
        until: &|_, newest| newest,
    };
    let mut app = App::new(source).expect("it can be read");
    spawn(2, "second");
    let is_shown = |app: &mut App<'_>, name: &str| {
        let shown = screen(app, 80, 24);
        shown.iter().any(|line| line.contains(name))
    };
    assert!(is_shown(&mut app, " first ") && !is_shown(&mut app, " second "));
    press(&mut app, &[Action::Pause]);
    assert!(is_shown(&mut app, " first ") && is_shown(&mut app, " second "));
}
