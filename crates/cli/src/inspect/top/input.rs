//! Owns what comes from outside while `top` waits: keys, a new size, requests to end, and the terminal's end.
//!
//! Keys are asked for only when the terminal has some and is still there: the library that reads them looks for
//! a whole key as long as reading fails, and would do so for ever where the terminal has gone.

use ratatui::crossterm::event::{self, Event, KeyEvent};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGWINCH};
use signal_hook::low_level::pipe;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// What was heard.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// Keys, in the order in which they were pressed; none when the time is up, or the terminal has another size.
    Keys(Vec<KeyEvent>),
    /// A request to end: SIGINT, SIGTERM, SIGHUP, or the terminal has gone.
    End,
}

/// Listens from when it is made.
pub struct Input {
    requests: UnixStream,
    sizes: UnixStream,
}

impl Input {
    /// From here on no request to end ends the process by itself.
    ///
    /// # Errors
    ///
    /// When the handlers cannot be installed.
    pub fn listen() -> io::Result<Input> {
        Ok(Input {
            requests: told_of(&[SIGINT, SIGTERM, SIGHUP])?,
            sizes: told_of(&[SIGWINCH])?,
        })
    }

    /// Waits until something is heard, for at most this long.
    ///
    /// # Errors
    ///
    /// When the terminal cannot be read.
    pub fn wait(&mut self, at_most: Duration) -> io::Result<Heard> {
        let stdin = rustix::stdio::stdin();
        let mut polled = [
            PollFd::new(&stdin, PollFlags::IN),
            PollFd::new(&self.requests, PollFlags::IN),
            PollFd::new(&self.sizes, PollFlags::IN),
        ];
        let at_most = Timespec::try_from(at_most).ok();
        match poll(&mut polled, at_most.as_ref()) {
            // A signal: what it says is in its pipe by the next look.
            Err(Errno::INTR) => return Ok(Heard::Keys(Vec::new())),
            Err(error) => return Err(error.into()),
            Ok(_) => {}
        }
        let [terminal, requests, sizes] = polled.map(|polled| polled.revents());
        if !requests.is_empty() || has_gone(terminal) {
            return Ok(Heard::End);
        }
        if !sizes.is_empty() {
            // However many there were, the next frame has the size of now.
            let _ = self.sizes.read(&mut [0; 64])?;
        }
        let mut keys = Vec::new();
        if terminal.contains(PollFlags::IN) {
            read_keys(&stdin, &mut keys)?;
            if state(&stdin)? == PollFlags::IN {
                announce(&stdin)?;
                read_keys(&stdin, &mut keys)?;
            }
        }
        Ok(Heard::Keys(keys))
    }
}

/// Reads what the library knows to be there.
fn read_keys(terminal: &impl AsFd, keys: &mut Vec<KeyEvent>) -> io::Result<()> {
    // Asked anew before each: it may go between two keys.
    while !has_gone(state(terminal)?) && event::poll(Duration::ZERO)? {
        if let Event::Key(key) = event::read()? {
            keys.push(key);
        }
    }
    Ok(())
}

/// Has the terminal tell once more that it can be read. The library is told of keys when they come, and forgets it
/// where a new size comes with them; a terminal tells all who wait for it when it is set up.
fn announce(terminal: &impl AsFd) -> io::Result<()> {
    let settings = tcgetattr(terminal)?;
    Ok(tcsetattr(terminal, OptionalActions::Now, &settings)?)
}

/// What the terminal is ready for now.
fn state(terminal: &impl AsFd) -> io::Result<PollFlags> {
    let mut polled = [PollFd::new(terminal, PollFlags::IN)];
    match poll(&mut polled, Some(&Timespec::default())) {
        // A signal: it is heard by its pipe.
        Err(Errno::INTR) => Ok(PollFlags::empty()),
        Err(error) => Err(error.into()),
        Ok(_) => Ok(polled[0].revents()),
    }
}

/// Whether the terminal is not there any more.
fn has_gone(state: PollFlags) -> bool {
    state.intersects(PollFlags::HUP | PollFlags::ERR)
}

/// A pipe that has something to read when one of these signals has come.
fn told_of(signals: &[i32]) -> io::Result<UnixStream> {
    let (told, teller) = UnixStream::pair()?;
    for signal in signals {
        pipe::register(*signal, teller.try_clone()?)?;
    }
    Ok(told)
}
