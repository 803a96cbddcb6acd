//! What the tests of sessions share: a scheduler, and looks at /proc.

#![allow(dead_code, reason = "each test file uses its part")]

use glasshouse_pty::{Command, ExitStatus, Session};
use glasshouse_scheduler::{Builder, Scheduler, time};
use std::fs;
use std::time::Duration;

/// A scheduler with one worker, so that a pump that held it would hold everything.
pub fn scheduler() -> Scheduler {
    Builder::new().workers(1).build().unwrap()
}

/// Runs a shell text to its end; what it returned and printed.
pub async fn run(text: &str) -> (ExitStatus, String) {
    let session = Session::spawn(&Command::shell(text)).unwrap();
    let status = session.wait().await;
    (status, printed(&session))
}

/// What a session has printed, as text.
pub fn printed(session: &Session) -> String {
    String::from_utf8(session.snapshot()).unwrap()
}

/// Waits until a session has printed `text`; what it has printed so far.
pub async fn until_printed(session: &Session, text: &str) -> String {
    let (mut reader, mut output) = (session.reader(), Vec::new());
    loop {
        let more = reader.read(&mut output).await;
        let printed = String::from_utf8_lossy(&output);
        if printed.contains(text) {
            return printed.into_owned();
        }
        assert!(
            more.is_some(),
            "it ended without printing {text:?}: {printed:?}"
        );
    }
}

/// The first line that a session prints, as a number.
pub async fn first_number(session: &Session) -> u32 {
    let output = until_printed(session, "\n").await;
    output.lines().next().unwrap().trim().parse().unwrap()
}

/// A process's state letter; `None` once nothing is left of it, not even a zombie.
pub fn process_state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before the state is in parentheses and may hold anything.
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}

/// Waits until nothing is left of a process. A kill takes effect in its own time.
pub async fn until_gone(pid: u32) {
    until(
        || process_state(pid).is_none(),
        "the process is still there",
    )
    .await;
}

/// Waits until no more than a zombie is left of a process whose parent is not ours.
pub async fn until_dead(pid: u32) {
    until(
        || matches!(process_state(pid), None | Some('Z')),
        "the process still runs",
    )
    .await;
}

/// Waits for a condition; fails only after much longer than any machine takes.
pub async fn until(mut holds: impl FnMut() -> bool, otherwise: &str) {
    const LOOKS: usize = 30_000;
    for _ in 0..LOOKS {
        if holds() {
            return;
        }
        time::sleep(Duration::from_millis(1)).await;
    }
    panic!("{otherwise}");
}
