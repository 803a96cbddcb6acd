//! A run on a terminal: live lines that are drawn over, and never wider than it is.

use crate::place::Place;
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;

const COLUMNS: usize = 60;

const FLOW: &str = r#"
    [[node]]
    name = "talkative"
    run = "for i in 1 2 3 4 5; do echo line $i of a text that is far too long for a terminal of sixty columns; sleep 0.15; done"
    [[node]]
    name = "brief"
    run = "sleep 0.3"
"#;

/// A terminal: its own end, from which what it is sent is read, and the one that a command writes to.
pub fn terminal() -> (File, OwnedFd) {
    let ours =
        openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
    grantpt(&ours).expect("granted");
    unlockpt(&ours).expect("unlocked");
    let size = Winsize {
        ws_row: 24,
        ws_col: COLUMNS as u16,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&ours, size).expect("sized");
    let name = ptsname(&ours, Vec::new()).expect("a name");
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let theirs = rustix::fs::open(name, flags, Mode::empty()).expect("opened");
    (File::from(ours), theirs)
}

/// What a terminal is sent, until nobody holds its other end any more.
pub fn sent_to(mut ours: File) -> String {
    let mut sent = Vec::new();
    // It ends with an error when the other end is closed.
    let _ = ours.read_to_end(&mut sent);
    String::from_utf8(sent).expect("text")
}

/// Runs the flow on a terminal of its own, and returns what that was sent.
fn on_a_terminal(place: &Place, term: &str) -> String {
    let (ours, theirs) = terminal();
    place.write("flow.toml", FLOW);
    let mut command = place.command(&["run", "flow.toml"]);
    command.env("TERM", term).stdout(theirs);
    let mut run = command.spawn().expect("run");
    // The command holds the other end as long as it is not dropped.
    drop(command);
    let sent = sent_to(ours);
    assert!(run.wait().expect("ended").success());
    sent
}

#[test]
fn live_lines_are_drawn_over_and_fit_the_terminal() {
    let place = Place::new();
    let sent = on_a_terminal(&place, "xterm");
    assert!(
        sent.contains("\x1b[2A"),
        "two lines are drawn over: {sent:?}"
    );
    let live: Vec<&str> = sent
        .split("\r\n")
        .filter(|line| line.contains("running   talkative"))
        .collect();
    assert!(live.len() > 2, "{sent:?}");
    assert!(live.iter().any(|line| line.contains("line 2")), "{live:?}");
    for line in live {
        let begin = line
            .rfind('A')
            .filter(|_| line.starts_with("\x1b["))
            .map_or(0, |up| up + 1);
        let text = line[begin..]
            .trim_end_matches("\x1b[K")
            .trim_start_matches("\x1b[J");
        assert!(text.chars().count() < COLUMNS, "{text:?}");
    }
    assert!(sent.contains("finished  brief"));
    let table = sent.rfind("\x1b[J").expect("the live lines are taken away");
    assert!(sent[table..].contains("NODE") && !sent[table..].contains("running   "));
}

#[test]
fn a_terminal_that_cannot_redraw_gets_plain_lines() {
    let place = Place::new();
    let sent = on_a_terminal(&place, "dumb");
    assert!(!sent.contains('\x1b'), "{sent:?}");
    assert!(sent.contains("started   talkative"));
}

#[test]
fn top_says_what_to_set_where_the_terminal_s_kind_is_not_known() {
    let place = Place::new();
    for (term, is_so) in [
        (Some("dumb"), "`dumb`"),
        (Some(""), "not set"),
        (None, "not set"),
    ] {
        let (_ours, theirs) = terminal();
        let mut command = place.command(&["top", "last"]);
        // No terminal is told of by what is around it.
        command
            .stdin(theirs.try_clone().expect("cloned"))
            .stdout(theirs);
        command.envs(term.map(|term| ("TERM", term)));
        let ended = command.output().expect("run");
        let line = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(2), "{line}");
        assert!(
            line.starts_with(&format!("glasshouse: top: TERM is {is_so}, ")),
            "{line}"
        );
        assert!(
            line.contains("set it, such as TERM=xterm, or use `glasshouse stats PAL`"),
            "{line}"
        );
    }
}
