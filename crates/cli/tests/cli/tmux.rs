//! Owns a real terminal for a test: a tmux server of its own, to which keys are sent and whose screen is read. It
//! ends with the test. tmux is optional: where there is none, `start` says so.

use crate::place::{Place, comes_true, until};
use std::process::{Command, Output};
use std::time::Duration;

/// How long a screen has to be the same before it is taken for drawn.
const STILL: Duration = Duration::from_millis(50);

/// A terminal with a shell in it.
pub struct Tmux<'p> {
    place: &'p Place,
}

impl Drop for Tmux<'_> {
    fn drop(&mut self) {
        // Nobody is left to tell.
        let _ = self.command(&["kill-server"]).output();
    }
}

impl<'p> Tmux<'p> {
    /// A terminal of 80 by 24 in the test's directory; `None` where tmux is not installed.
    pub fn start(place: &'p Place) -> Option<Tmux<'p>> {
        if Command::new("tmux").arg("-V").output().is_err() {
            eprintln!("left out: tmux, in which this would be tested, is not installed");
            return None;
        }
        let tmux = Tmux { place };
        let shell = "env PS1='$ ' ENV= sh";
        let size = ["-x", "80", "-y", "24"];
        tmux.run(
            &[
                &["-f", "/dev/null", "new-session", "-d"][..],
                &size,
                &[shell],
            ]
            .concat(),
        );
        tmux.run(&["set-option", "-g", "window-size", "manual"]);
        tmux.until("a prompt", |screen| screen.contains('$'));
        Some(tmux)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.place.program("tmux");
        // Its socket is in the test's directory, and so it meets no other server.
        command
            .env("TMUX_TMPDIR", self.place.path(""))
            .env_remove("TMUX");
        command.args(["-L", "test"]).args(args);
        command
    }

    fn run(&self, args: &[&str]) -> String {
        let output: Output = self.command(args).output().expect("tmux runs");
        assert!(output.status.success(), "tmux {args:?}: {output:?}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// Presses keys, by tmux's names for them.
    pub fn press(&self, keys: &[&str]) {
        self.run(&[&["send-keys"], keys].concat());
    }

    /// Types a line into the shell.
    pub fn enter(&self, line: &str) {
        self.run(&["send-keys", "-l", line]);
        self.press(&["Enter"]);
    }

    /// The screen, line by line.
    pub fn screen(&self) -> String {
        self.run(&["capture-pane", "-p"])
    }

    /// The screen with what makes its characters bold, reversed, or coloured.
    pub fn painted(&self) -> String {
        self.run(&["capture-pane", "-p", "-e"])
    }

    /// Waits for a screen that is as it should be, and returns it.
    pub fn until(&self, what: &str, mut is_so: impl FnMut(&str) -> bool) -> String {
        let mut shown = String::new();
        let is_shown = comes_true(|| {
            shown = self.screen();
            is_so(&shown)
        });
        assert!(is_shown, "in vain: {what}; the screen:\n{shown}");
        shown
    }

    /// What tmux knows of the terminal, such as `#{alternate_on}`.
    pub fn ask(&self, format: &str) -> String {
        self.run(&["display-message", "-p", format])
            .trim_end()
            .to_owned()
    }

    pub fn resize(&self, columns: u16, rows: u16) {
        let [x, y] = [columns, rows].map(|size| size.to_string());
        self.run(&["resize-window", "-x", &x, "-y", &y]);
    }

    /// Takes the terminal away from what runs in it.
    pub fn close(&self) {
        self.run(&["kill-server"]);
    }

    /// A while in which nothing is expected to happen on the screen.
    pub fn settle(&self) -> String {
        let mut last = self.screen();
        until("a screen that stands still", || {
            std::thread::sleep(STILL);
            let now = self.screen();
            let is_still = now == last;
            last = now;
            is_still
        });
        last
    }
}
