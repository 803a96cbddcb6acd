//! Owns the choice of a process where none was named: the only one that is alive, or one off a list.

use super::input::{Heard, Input};
use super::keys::{Action, Mode, action};
use super::screen::Screen;
use super::view::choice;
use crate::exit::Stop;
use crate::human;
use glasshouse_pal::dir::{LogDir, LogFile};
use std::time::Duration;

/// How long nothing need be drawn: only keys change the list.
const PATIENCE: Duration = Duration::from_secs(3600);

/// The processes that are alive and have a log, the newest first; at least one.
///
/// # Errors
///
/// When there is none, or others could have put logs where this user's are.
pub fn alive() -> Result<Vec<LogFile>, Stop> {
    alive_in(&LogDir::default_place())
}

fn alive_in(dir: &LogDir) -> Result<Vec<LogFile>, Stop> {
    let told = |line: &dyn std::fmt::Display| Stop::input(human::plain(&line.to_string()));
    dir.check().map_err(|error| told(&error))?;
    let alive: Vec<LogFile> = dir.list().into_iter().filter(|log| log.is_alive).collect();
    if alive.is_empty() {
        return Err(told(&format_args!(
            "no process that is alive has a log in {}; name a file or a process id, or `last` for the newest log",
            dir.path().display()
        )));
    }
    Ok(alive)
}

/// The log of the only process, or of the one that is chosen; `None` where nobody wants any.
///
/// # Errors
///
/// When it is ended otherwise.
pub fn one(
    found: &[LogFile],
    screen: &mut Screen,
    input: &mut Input,
) -> Result<Option<String>, Stop> {
    let path = |log: &LogFile| Ok(Some(log.path.to_string_lossy().into_owned()));
    if let [only] = found {
        return path(only);
    }
    let mut chosen: usize = 0;
    loop {
        let drawn = screen.draw(|buffer, area| choice::draw(found, chosen, buffer, area));
        let heard = drawn.and_then(|()| input.wait(PATIENCE));
        let Ok(Heard::Keys(keys)) = heard else {
            return Err(Stop::Interrupted);
        };
        for key in keys {
            chosen = match action(key, Mode::Live) {
                Some(Action::Quit | Action::Back) => return Ok(None),
                Some(Action::Interrupt) => return Err(Stop::Interrupted),
                Some(Action::Open) => return path(&found[chosen]),
                Some(Action::Move(by) | Action::Screens(by)) => chosen.saturating_add_signed(by),
                Some(Action::First) => 0,
                Some(Action::Last) => usize::MAX,
                _ => chosen,
            };
            chosen = chosen.min(found.len() - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_place_whose_name_steers_a_terminal_is_refused_without_doing_so() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let dir = place.path().join("\u{1b}[2J");
        for mode in [0o700, 0o777] {
            std::fs::create_dir_all(&dir).expect("made");
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&dir, mode).expect("set");
            let refused = alive_in(&LogDir::at(&dir));
            let Err(Stop::Input(line)) = refused else {
                panic!("refused: {refused:?}");
            };
            assert!(line.contains("/\\u{1b}[2J"), "{line:?}");
            assert!(!line.contains('\u{1b}'), "{line:?}");
        }
    }
}
