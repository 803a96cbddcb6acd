//! Owns what comes from outside while `top` waits: keys, a new size, requests to end, and the terminal's end.
//!
//! Keys are read here and not by the terminal's library: that one reads on for ever where the terminal goes while it looks
//! for a whole key, and forgets keys that come with a new size.

mod decoder;

use decoder::Decoder;
use ratatui::crossterm::event::KeyEvent;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGWINCH};
use signal_hook::low_level::pipe;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// How long the rest of a key may take. A guess: far more than between two bytes of one key on a slow line, and a
/// delay of Esc that nobody feels.
const REST_OF_KEY: Duration = Duration::from_millis(50);

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
    decoder: Decoder,
    /// When bytes came last.
    read_at: Instant,
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
            decoder: Decoder::default(),
            read_at: Instant::now(),
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
        let at_most = match self.decoder.has_begun() {
            true => at_most.min(REST_OF_KEY.saturating_sub(self.read_at.elapsed())),
            false => at_most,
        };
        let at_most = Timespec::try_from(at_most).ok();
        match poll(&mut polled, at_most.as_ref()) {
            // A signal: what it says is in its pipe by the next look.
            Err(Errno::INTR) => return Ok(Heard::Keys(Vec::new())),
            Err(error) => return Err(error.into()),
            Ok(_) => {}
        }
        let [terminal, requests, sizes] = polled.map(|polled| polled.revents());
        if !requests.is_empty() || terminal.intersects(PollFlags::HUP | PollFlags::ERR) {
            return Ok(Heard::End);
        }
        if !sizes.is_empty() {
            // However many there were, the next frame has the size of now.
            let _ = self.sizes.read(&mut [0; 64])?;
        }
        let mut keys = Vec::new();
        if terminal.contains(PollFlags::IN) {
            let mut bytes = [0; 256];
            match rustix::io::read(stdin, &mut bytes) {
                Ok(0) => return Ok(Heard::End),
                Ok(count) => self.decoder.take(&bytes[..count], &mut keys),
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(error) => return Err(error.into()),
            }
            self.read_at = Instant::now();
        } else if self.decoder.has_begun() && self.read_at.elapsed() >= REST_OF_KEY {
            self.decoder.settle(&mut keys);
        }
        Ok(Heard::Keys(keys))
    }
}

/// A pipe that has something to read when one of these signals has come.
fn told_of(signals: &[i32]) -> io::Result<UnixStream> {
    let (told, teller) = UnixStream::pair()?;
    for signal in signals {
        pipe::register(*signal, teller.try_clone()?)?;
    }
    Ok(told)
}
