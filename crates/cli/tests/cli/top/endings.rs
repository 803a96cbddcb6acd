//! How `top` ends: by a request, with its terminal, and what it does when the process under view ends.

use super::{Running, assert_ended, settings, start_top};
use crate::place::{Place, is_there, signal, until};
use crate::tmux::Tmux;
use rustix::process::Signal;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn a_request_to_end_leaves_the_terminal_as_it_was() {
    let place = Place::new();
    let _run = Running::start(&place);
    let Some(tmux) = Tmux::start(&place) else {
        return;
    };
    let before = settings(&tmux, &place, "before");
    for request in [Signal::TERM, Signal::INT, Signal::HUP] {
        let pid = start_top(&tmux, &place, "run.pal");
        signal(u32::try_from(pid).expect("a number"), request);
        assert_ended(&tmux, &place, 130, &before);
        for name in ["top.pid", "after"] {
            std::fs::remove_file(place.path(name)).expect("there");
        }
        tmux.enter("clear; echo stty -a '>' before");
        tmux.until("an empty screen", |screen| {
            !screen.contains("code=") && screen.trim_end().ends_with("\n$")
        });
    }
    start_top(&tmux, &place, "run.pal");
    tmux.press(&["C-c"]);
    assert_ended(&tmux, &place, 130, &before);
}

/// A flag that is true until this goes, however that comes about.
struct Lowered<'a>(&'a AtomicBool);

impl Drop for Lowered<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

#[test]
fn each_key_counts_that_is_pressed_while_the_size_changes() {
    let place = Place::new();
    let _run = Running::start(&place);
    let Some(tmux) = Tmux::start(&place) else {
        return;
    };
    let pid = start_top(&tmux, &place, "run.pal");
    let number = u32::try_from(pid).expect("a number");
    let are_keys_pressed = AtomicBool::new(true);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while are_keys_pressed.load(Ordering::Relaxed) && is_there(pid) {
                signal(number, Signal::WINCH);
            }
        });
        let _end = Lowered(&are_keys_pressed);
        for direction in ["smallest", "largest"].into_iter().cycle().take(100) {
            tmux.press(&["r"]);
            let is_so = format!(", {direction} first");
            tmux.until(direction, |screen| screen.contains(&is_so));
        }
    });
    assert!(is_there(pid));
    signal(number, Signal::TERM);
    until("its end", || !is_there(pid));
}

#[test]
fn a_terminal_that_goes_away_ends_it() {
    let place = Place::new();
    let _run = Running::start(&place);
    let Some(tmux) = Tmux::start(&place) else {
        return;
    };
    let pid = start_top(&tmux, &place, "run.pal");
    assert!(is_there(pid));
    tmux.close();
    until("its end", || !is_there(pid));
}

#[test]
fn a_process_that_is_killed_under_view_is_told_and_its_last_state_stays() {
    let place = Place::new();
    let mut run = Running::start(&place);
    let Some(tmux) = Tmux::start(&place) else {
        return;
    };
    start_top(&tmux, &place, "run.pal");
    tmux.until("every task", |screen| screen.contains("node:second"));
    run.child.kill().expect("killed");
    run.child.wait().expect("reaped");
    let shown = tmux.until("its end", |screen| {
        screen
            .lines()
            .next()
            .is_some_and(|head| head.contains(", crashed ") && head.contains("its end, at "))
    });
    assert!(shown.contains("node:second"), "{shown}");
    tmux.press(&["p"]);
    tmux.until("the way back", |screen| screen.contains(" PAUSED at "));
    tmux.press(&["q"]);
    tmux.until("top's end", |screen| screen.contains("code=0"));
    until("the end of the node", || !is_there(run.node));
    // Opened after its end it stands at its last moment.
    start_top(&tmux, &place, "run.pal");
    let shown = tmux.until("its tasks", |screen| screen.contains("node:second"));
    assert!(
        shown
            .lines()
            .next()
            .is_some_and(|head| head.ends_with(" s, the end")),
        "{shown}"
    );
    tmux.press(&["q"]);
}
