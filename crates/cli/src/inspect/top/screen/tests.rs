//! Owns the proof that the terminal comes back as it was, on a real one: a pseudo-terminal on which this test
//! program runs once more, to take the screen and to leave it in every way there is.

use super::*;
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Termios, Winsize, tcgetattr, tcsetwinsize};
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::{Command, ExitStatus};

/// What a terminal was sent, and how who sent it ended.
struct Ended {
    sent: String,
    status: ExitStatus,
    before: Termios,
    after: Termios,
}

/// Set in the environment of the program that has a terminal of its own.
const INNER: &str = "GLASSHOUSE_TEST_HAS_A_TERMINAL";

/// Does something on a terminal, for the test `name`: this program runs that test alone once more on a terminal of its
/// own, and there it is done. `None` there.
fn on_a_terminal(name: &str, act: fn()) -> Option<Ended> {
    if std::env::var_os(INNER).is_some() {
        act();
        return None;
    }
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let ours = openpt(flags).expect("a terminal");
    grantpt(&ours).expect("granted");
    unlockpt(&ours).expect("unlocked");
    let size = Winsize {
        ws_row: 24,
        ws_col: 80,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&ours, size).expect("sized");
    let path = ptsname(&ours, Vec::new()).expect("a name");
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let theirs = || -> OwnedFd { rustix::fs::open(&path, flags, Mode::empty()).expect("opened") };
    // Held open, so that it is the same terminal before and after.
    let witness = theirs();
    let before = tcgetattr(&witness).expect("a terminal");
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command
        .args(["--exact", "--nocapture"])
        .arg(format!("inspect::top::screen::tests::{name}"))
        .env(INNER, "1")
        .env("RUST_BACKTRACE", "0")
        .stdin(theirs())
        .stdout(theirs())
        .stderr(theirs());
    let mut child = command.spawn().expect("it runs");
    drop(command);
    let reader = std::thread::spawn(move || {
        let mut sent = Vec::new();
        // It ends with an error when the other end is closed.
        let _ = File::from(ours).read_to_end(&mut sent);
        sent
    });
    let status = child.wait().expect("ended");
    let after = tcgetattr(&witness).expect("a terminal");
    drop(witness);
    let sent = reader.join().expect("it was read");
    Some(Ended {
        sent: String::from_utf8_lossy(&sent).into_owned(),
        status,
        before,
        after,
    })
}

/// The other screen was entered and left, the cursor hidden and shown, and keys are edited and echoed as before.
fn assert_given_back(ended: &Ended) {
    let at = |what: &str| {
        ended
            .sent
            .rfind(what)
            .unwrap_or_else(|| panic!("{what:?} in {:?}", ended.sent))
    };
    assert!(at("\x1b[?1049h") < at("\x1b[?1049l"), "{:?}", ended.sent);
    assert!(at("\x1b[?25l") < at("\x1b[?25h"), "{:?}", ended.sent);
    let modes = |termios: &Termios| {
        (
            termios.input_modes,
            termios.output_modes,
            termios.control_modes,
            termios.local_modes,
        )
    };
    assert_eq!(modes(&ended.before), modes(&ended.after));
    assert!(
        ended
            .after
            .local_modes
            .contains(LocalModes::ECHO | LocalModes::ICANON)
    );
}

/// Takes the terminal, and finds it taken.
fn taken() -> Screen {
    let mut screen = Screen::take().expect("a terminal");
    let modes = tcgetattr(rustix::stdio::stdin())
        .expect("a terminal")
        .local_modes;
    assert!(!modes.intersects(LocalModes::ECHO | LocalModes::ICANON));
    let mut size = Rect::ZERO;
    screen.draw(|_, area| size = area).expect("drawn");
    assert_eq!((size.width, size.height), (80, 24));
    screen
}

#[test]
fn a_screen_that_is_dropped_leaves_the_terminal_as_it_was() {
    let name = "a_screen_that_is_dropped_leaves_the_terminal_as_it_was";
    let Some(ended) = on_a_terminal(name, || drop(taken())) else {
        return;
    };
    assert!(ended.status.success(), "{:?}", ended.sent);
    assert_given_back(&ended);
}

fn panic_with_a_screen() {
    let _screen = taken();
    panic!("something went wrong inside");
}

#[test]
fn a_panic_is_told_on_the_screen_that_stays() {
    let name = "a_panic_is_told_on_the_screen_that_stays";
    let Some(ended) = on_a_terminal(name, panic_with_a_screen) else {
        return;
    };
    assert!(!ended.status.success());
    assert_given_back(&ended);
    let back = ended.sent.rfind("\x1b[?1049l").expect("left");
    let told = ended
        .sent
        .find("something went wrong inside")
        .expect("told");
    assert!(back < told, "{:?}", ended.sent);
    // With lines as a terminal wants them again, not one below the other's end.
    assert!(ended.sent[told..].contains("\r\n"), "{:?}", ended.sent);
    assert_eq!(ended.sent.matches("\x1b[?1049l").count(), 1);
}

fn take_twice() {
    drop(taken());
    drop(taken());
}

#[test]
fn a_terminal_can_be_taken_twice() {
    let Some(ended) = on_a_terminal("a_terminal_can_be_taken_twice", take_twice) else {
        return;
    };
    assert!(ended.status.success(), "{:?}", ended.sent);
    assert_given_back(&ended);
    assert_eq!(ended.sent.matches("\x1b[?1049l").count(), 2);
}
