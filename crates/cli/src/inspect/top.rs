//! Owns `glasshouse top`: a live view of one process, and the way back through what its log still holds.
//!
//! It reads like every inspector, from outside: what it shows costs the process nothing but cache lines.

mod app;
mod choose;
mod filter;
mod input;
mod keys;
mod model;
mod run;
#[cfg(test)]
mod scene;
mod screen;
mod view;

use super::open::open;
use crate::exit::Stop;
use crate::terminal::{self, Unknown};
use input::Input;
use screen::Screen;
use std::io::{self, IsTerminal};

/// What `glasshouse top` is asked.
#[derive(clap::Args)]
pub struct Options {
    /// A log file, a directory of segments, a process id, or `last`; without it the one process that is alive, or a choice of them
    #[arg(value_name = "PAL")]
    pal: Option<String>,
}

/// Shows the process until `q` is pressed.
///
/// # Errors
///
/// When there is no such log or no terminal, and when it was ended otherwise.
pub fn run(options: &Options) -> Result<(), Stop> {
    need_terminal()?;
    let opened = options.pal.as_deref().map(open).transpose()?;
    let found = match &opened {
        Some(_) => Vec::new(),
        None => choose::alive()?,
    };
    // Before the terminal is ours, so that no signal ends us while it is.
    let lost = |error: io::Error| Stop::input(format_args!("the terminal: {error}"));
    let mut input = Input::listen().map_err(lost)?;
    let mut screen = Screen::take().map_err(lost)?;
    let opened = match opened {
        Some(opened) => opened,
        None => match choose::one(&found, &mut screen, &mut input)? {
            Some(path) => open(&path)?,
            None => return Ok(()),
        },
    };
    run::show(&opened, &mut screen, &mut input)
}

fn need_terminal() -> Result<(), Stop> {
    let instead = "use `glasshouse stats PAL`, or `glasshouse log PAL --follow`";
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(Stop::input(format_args!(
            "top: standard input and output are not a terminal that can be drawn on; {instead}"
        )));
    }
    terminal::can_redraw().map_err(|why| {
        let is_so = match why {
            Unknown::Unset => "not set",
            Unknown::Dumb => "`dumb`",
        };
        Stop::input(format_args!(
            "top: TERM is {is_so}, so what the terminal can draw is not known; set it, such as TERM=xterm, or {instead}"
        ))
    })
}
