//! Owns standard output: buffered, and flushed at a command's end.

use crate::exit::Stop;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, BufWriter, StdoutLock, Write};

/// What is written at once: as much as a pipe holds.
const BUFFER_BYTES: usize = 64 << 10;

/// Standard output while a command has it to itself.
pub struct Out {
    inner: BufWriter<StdoutLock<'static>>,
}

impl Out {
    /// Takes standard output.
    pub fn take() -> Out {
        Out {
            inner: BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock()),
        }
    }

    /// Whether the other end of a pipe is closed, so that nothing written will be read.
    pub fn has_lost_its_reader(&self) -> bool {
        let stdout = self.inner.get_ref();
        // Asked for no readiness: what comes back is only what is told unasked.
        let mut polled = [PollFd::new(stdout, PollFlags::empty())];
        let at_once = Timespec::default();
        poll(&mut polled, Some(&at_once)).is_ok() && polled[0].revents().contains(PollFlags::ERR)
    }

    /// Writes one value of JSON and ends the line.
    ///
    /// # Errors
    ///
    /// What writing gives.
    pub fn json(&mut self, value: &impl serde::Serialize) -> Result<(), Stop> {
        self.json_in_line(value)?;
        Ok(writeln!(self.inner)?)
    }

    /// The same within a line.
    ///
    /// # Errors
    ///
    /// What writing gives.
    pub fn json_in_line(&mut self, value: &impl serde::Serialize) -> Result<(), Stop> {
        Ok(serde_json::to_writer(&mut self.inner, value).map_err(io::Error::from)?)
    }

    /// Writes out what is buffered. Without it an error of the last write would go unseen.
    ///
    /// # Errors
    ///
    /// What writing gives.
    pub fn finish(mut self) -> Result<(), Stop> {
        Ok(self.inner.flush()?)
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
