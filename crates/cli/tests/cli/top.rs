//! `glasshouse top` in a real terminal: what it shows of a run under way, what its keys do, and that the terminal
//! is afterwards as it was before.

mod choosing;
mod endings;

use crate::place::{Place, number_in, signal, until};
use crate::tmux::Tmux;
use rustix::process::Signal;
use std::process::{Child, Stdio};

/// One node holds a lane for which another waits; a third is busy now and then.
const FLOW: &str = r#"
    [lanes.disk]
    limit = 1
    [[node]]
    name = "patient"
    lane = "disk"
    run = "echo $$ > pid; exec sleep 1000"
    [[node]]
    name = "second"
    lane = "disk"
    run = "true"
    [[node]]
    name = "ticker"
    run = "while true; do echo tick; sleep 0.02; done"
"#;

/// A run under way, which ends with the test.
struct Running {
    child: Child,
    node: i32,
}

impl Running {
    fn start(place: &Place) -> Running {
        Running::start_with(place, |_| {})
    }

    fn start_with(place: &Place, set: impl FnOnce(&mut std::process::Command)) -> Running {
        place.write("flow.toml", FLOW);
        // On one worker the first node is the first to ask for the lane.
        let mut command = place.command(&["run", "flow.toml", "--workers", "1"]);
        set(&mut command);
        let child = command.stdout(Stdio::null()).spawn().expect("run");
        let node = number_in(&place.path("pid"));
        std::fs::remove_file(place.path("pid")).expect("there");
        Running { child, node }
    }

    fn end(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            signal(self.child.id(), Signal::TERM);
            self.child.wait().expect("ended");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

/// The terminal's settings, as the shell in it sees them.
fn settings(tmux: &Tmux<'_>, place: &Place, name: &str) -> String {
    tmux.enter(&format!("stty -a > {name}.part; mv {name}.part {name}"));
    until("the settings", || place.has(name));
    // What is typed before the shell's prompt stands where the prompt is to come.
    tmux.until("a prompt", |screen| screen.trim_end().ends_with("\n$"));
    std::fs::read_to_string(place.path(name)).expect("written")
}

/// Starts `top`, which writes its number down first.
fn start_top(tmux: &Tmux<'_>, place: &Place, args: &str) -> i32 {
    let binary = env!("CARGO_BIN_EXE_glasshouse");
    tmux.enter(&format!(
        "sh -c 'echo $$ > top.pid; exec {binary} top {args}'; echo code=$?"
    ));
    let pid = number_in(&place.path("top.pid"));
    tmux.until("top's screen", |screen| screen.contains("q quit"));
    assert_eq!(tmux.ask("#{alternate_on} #{cursor_flag}"), "1 0");
    pid
}

/// Waits for `top`'s end, and checks that the terminal is as it was.
fn assert_ended(tmux: &Tmux<'_>, place: &Place, code: i32, before: &str) {
    let code = format!("code={code}");
    let shown = tmux.until("top's end", |screen| {
        screen.lines().any(|line| line == code)
    });
    // What was on the screen before is there again.
    assert!(shown.contains("stty -a > before"), "{shown}");
    assert!(!shown.contains("WORKER"), "{shown}");
    assert_eq!(tmux.ask("#{alternate_on} #{cursor_flag}"), "0 1");
    assert_eq!(settings(tmux, place, "after"), before);
}

#[test]
fn a_run_under_way_is_shown_in_80_by_24_and_the_terminal_is_left_as_it_was() {
    let place = Place::new();
    let _run = Running::start(&place);
    let Some(tmux) = Tmux::start(&place) else {
        return;
    };
    let before = settings(&tmux, &place, "before");
    start_top(&tmux, &place, "run.pal");
    let is_whole = |screen: &str| {
        ["node:patient", "node:second", "pty:ticker"]
            .iter()
            .all(|name| screen.contains(name))
    };
    let shown = tmux.until("every task", is_whole);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 24, "{shown}");
    assert!(
        lines.iter().all(|line| line.chars().count() <= 80),
        "{shown}"
    );
    assert!(lines[0].starts_with("glasshouse, pid "), "{shown}");
    assert!(
        lines[0].contains(", alive ") && lines[0].ends_with(" s"),
        "{shown}"
    );
    assert!(lines[1].starts_with("retained: all of "), "{shown}");
    assert!(lines[2].starts_with("WORKER STATE "), "{shown}");
    let of = |name: &str| lines.iter().find(|line| line.contains(name)).copied();
    let second = of("node:second").expect("listed");
    let words: Vec<&str> = second.split_whitespace().collect();
    assert_eq!(words[2..4], ["lane_wait", "disk"], "{shown}");
    assert!(lines[23].starts_with("q quit  ? help"), "{shown}");

    // Time goes on by itself.
    let first = lines[0].to_owned();
    tmux.until("another look", |screen| !screen.starts_with(&first));
    tmux.press(&["q"]);
    assert_ended(&tmux, &place, 0, &before);
}

#[test]
fn keys_lead_through_orders_filters_and_pages() {
    let place = Place::new();
    let _run = Running::start(&place);
    let Some(tmux) = Tmux::start(&place) else {
        return;
    };
    start_top(&tmux, &place, "run.pal");
    tmux.until("the order", |screen| {
        screen.contains(", by load, largest first")
    });
    tmux.press(&["s"]);
    tmux.until("another order", |screen| {
        screen.contains(", by run, largest first")
    });
    tmux.press(&["r"]);
    tmux.until("its reverse", |screen| {
        screen.contains(", by run, smallest first")
    });

    tmux.press(&["/"]);
    tmux.press(&["p", "a", "t", "i", "e", "n", "t"]);
    tmux.until("what is typed", |screen| screen.contains("name: patient_"));
    tmux.press(&["Enter"]);
    // How many there are in all goes up and down.
    let are_two = |screen: &str| {
        let is_told =
            |line: &str| line.contains("2 of ") && line.contains(" tasks named \"patient\"");
        screen.lines().any(is_told)
    };
    let shown = tmux.until("few tasks", are_two);
    assert!(!shown.contains("node:second"), "{shown}");
    tmux.press(&["Down"]);
    let shown = tmux.until("a choice", |screen| {
        screen.lines().any(|line| line.starts_with('>'))
    });
    let below = shown
        .lines()
        .skip_while(|line| !line.starts_with('>'))
        .nth(1);
    let below = below
        .and_then(|line| line.split_whitespace().next())
        .expect(&shown);
    // At once, as fast fingers do: it is the next one's page.
    tmux.press(&["Down", "Enter"]);
    let shown = tmux.until("a task's page", |screen| screen.contains("spawned at "));
    assert!(
        shown.contains(&format!("task #{below} ")),
        "{below} in {shown}"
    );
    for part in [
        ":patient, spawned at ",
        "woken by: ",
        "waits: ",
        " LASTED WHY",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    tmux.press(&["Escape"]);
    tmux.until("the list", are_two);
    tmux.press(&["Escape"]);
    tmux.until("all tasks", |screen| screen.contains("node:second"));

    tmux.press(&["l"]);
    let shown = tmux.until("lanes", |screen| screen.contains("LIMIT"));
    let disk = shown.lines().find(|line| line.starts_with("disk "));
    let words: Vec<&str> = disk.expect(&shown).split_whitespace().collect();
    assert_eq!(
        words[..4],
        ["disk", "1", "1", "1"],
        "limit, held, waiting: {shown}"
    );
    assert_eq!(words.last(), Some(&"full"), "{shown}");
    tmux.press(&["t"]);
    let shown = tmux.until("pseudo-terminals", |screen| screen.contains("OUTPUT"));
    let patient = shown.lines().find(|line| line.ends_with(" patient"));
    assert!(patient.expect(&shown).contains(" running "), "{shown}");
    tmux.press(&["?"]);
    tmux.until("help", |screen| screen.contains("the ready delay"));
    tmux.press(&["q"]);
    tmux.until("its end", |screen| screen.contains("code=0"));
}

#[test]
fn a_pause_stands_still_and_leads_back_through_time() {
    let place = Place::new();
    let _run = Running::start(&place);
    let Some(tmux) = Tmux::start(&place) else {
        return;
    };
    start_top(&tmux, &place, "run.pal");
    tmux.until("the last task", |screen| screen.contains("node:second"));
    tmux.press(&["p"]);
    let end = tmux.until("a pause", |screen| {
        screen
            .lines()
            .next()
            .is_some_and(|head| head.contains(" PAUSED at ") && head.ends_with(" s, the end"))
    });
    assert_eq!(tmux.settle().lines().next(), end.lines().next());
    tmux.press(&["Left"]);
    let earlier = tmux.until("a step back", |screen| screen.contains(" before the end"));
    assert!(earlier.contains("node:second"), "{earlier}");
    // Before anything was spawned there is nothing.
    tmux.press(&["Home"]);
    tmux.until("the beginning", |screen| {
        screen.contains("PAUSED at 0.000000000 s") && screen.contains("no task is alive")
    });
    tmux.press(&["]"]);
    let shown = tmux.until("the first record", |screen| screen.contains(" block_on "));
    assert!(!shown.contains("pty:patient"), "{shown}");
    tmux.press(&["End"]);
    tmux.until("the end", |screen| screen.contains(" s, the end"));
    tmux.press(&["p"]);
    tmux.until("the present", |screen| !screen.contains("PAUSED"));
    tmux.press(&["q"]);
    tmux.until("its end", |screen| screen.contains("code=0"));
}

#[test]
fn it_follows_the_terminal_s_size() {
    let place = Place::new();
    let _run = Running::start(&place);
    let Some(tmux) = Tmux::start(&place) else {
        return;
    };
    start_top(&tmux, &place, "run.pal");
    tmux.resize(120, 30);
    tmux.until("a larger screen", |screen| {
        let lines: Vec<&str> = screen.lines().collect();
        lines.len() == 30 && lines[29].starts_with("q quit") && screen.contains(" AGE\n")
    });
    tmux.resize(30, 5);
    tmux.until("what it needs", |screen| {
        screen.starts_with("needs 40 columns and 8 rows")
    });
    tmux.resize(80, 24);
    tmux.until("the usual screen", |screen| screen.contains("node:second"));
    tmux.press(&["q"]);
    tmux.until("its end", |screen| screen.contains("code=0"));
}

#[test]
fn what_it_says_needs_no_colour() {
    let place = Place::new();
    let _run = Running::start(&place);
    let Some(tmux) = Tmux::start(&place) else {
        return;
    };
    start_top(&tmux, &place, "run.pal");
    tmux.until("every task", |screen| screen.contains("node:second"));
    let painted = tmux.painted();
    let codes = painted.split("\x1b[").skip(1);
    for code in codes.filter_map(|rest| rest.split_once('m')) {
        let is_known = code
            .0
            .split(';')
            .all(|code| ["", "0", "1", "7", "39", "49"].contains(&code));
        assert!(
            is_known,
            "neither bold nor reversed: {:?} in {painted:?}",
            code.0
        );
    }
    tmux.press(&["q"]);
    tmux.until("its end", |screen| screen.contains("code=0"));
}
