//! Which process `top` shows, and what it refuses.

use super::Running;
use crate::place::Place;
use crate::tmux::Tmux;
use glasshouse_pal::dir::LogDir;

/// The log that a run left where this user's processes leave theirs, removed in the end.
struct Leaving(u32);

impl Drop for Leaving {
    fn drop(&mut self) {
        for log in LogDir::default_place().list() {
            if log.process.pid == self.0 {
                std::fs::remove_file(log.path).expect("removed");
            }
        }
    }
}

#[test]
fn without_a_name_one_of_several_processes_is_chosen() {
    let place = Place::new();
    let usual = |command: &mut std::process::Command| {
        command.env_remove("GLASSHOUSE_PAL");
    };
    let mut runs = [(); 2].map(|()| Running::start_with(&place, usual));
    let [_first, _second] = [&runs[0], &runs[1]].map(|run| Leaving(run.child.id()));
    if let Some(tmux) = Tmux::start(&place) {
        tmux.enter(&format!(
            "{} top; echo code=$?",
            env!("CARGO_BIN_EXE_glasshouse")
        ));
        let shown = tmux.until("a choice", |screen| screen.contains("which one?"));
        for run in &runs {
            assert!(shown.contains(&format!(" {} ", run.child.id())), "{shown}");
        }
        let chosen = |screen: &str| {
            let line = screen.lines().find(|line| line.starts_with('>'))?;
            line.split_whitespace().nth(1)?.parse::<u32>().ok()
        };
        // Others may be alive on this machine, too.
        let mut tries = 0;
        while chosen(&tmux.settle()) != Some(runs[0].child.id()) {
            tmux.press(&["Down"]);
            tries += 1;
            assert!(tries < 100, "{}", tmux.screen());
        }
        tmux.press(&["Enter"]);
        let head = format!("glasshouse, pid {}, alive", runs[0].child.id());
        tmux.until("the chosen one", |screen| screen.starts_with(&head));
        tmux.press(&["q"]);
        tmux.until("its end", |screen| screen.contains("code=0"));
    }
    runs.iter_mut().for_each(Running::end);
}

#[test]
fn without_a_terminal_it_says_what_to_use_instead() {
    let place = Place::new();
    let refused = place.run(&["top", "last"]);
    let line = refused.refusal();
    assert!(
        line.starts_with("top: standard input and output are not a terminal"),
        "{line}"
    );
    assert!(line.contains("glasshouse log PAL --follow"), "{line}");
}

#[test]
fn a_log_that_is_not_there_is_refused_before_the_terminal_is_taken() {
    let place = Place::new();
    let Some(tmux) = Tmux::start(&place) else {
        return;
    };
    tmux.enter(&format!(
        "{} top ./nothing.pal; echo code=$?",
        env!("CARGO_BIN_EXE_glasshouse")
    ));
    let shown = tmux.until("a refusal", |screen| screen.contains("code=2"));
    assert!(
        shown.contains("glasshouse: there is no file ./nothing.pal"),
        "{shown}"
    );
}
