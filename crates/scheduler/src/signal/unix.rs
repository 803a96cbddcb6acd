//! Owns the signals of Unix: a handler writes into a socket pair, and a task reads it.

use crate::io::AsyncFd;
use signal_hook::SigId;
use signal_hook::consts as number;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;

/// Which signal.
///
/// ```
/// use glasshouse_scheduler::signal::unix::SignalKind;
/// assert_eq!(SignalKind::interrupt().as_raw(), 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SignalKind(i32);

impl SignalKind {
    /// SIGINT: Ctrl-C.
    pub const fn interrupt() -> SignalKind {
        SignalKind(number::SIGINT)
    }

    /// SIGTERM: a polite request to end.
    pub const fn terminate() -> SignalKind {
        SignalKind(number::SIGTERM)
    }

    /// SIGHUP: the terminal has gone.
    pub const fn hangup() -> SignalKind {
        SignalKind(number::SIGHUP)
    }

    /// SIGWINCH: the terminal's size has changed.
    pub const fn window_change() -> SignalKind {
        SignalKind(number::SIGWINCH)
    }

    /// The signal with this number.
    pub const fn from_raw(number: i32) -> SignalKind {
        SignalKind(number)
    }

    /// The signal's number.
    pub const fn as_raw(self) -> i32 {
        self.0
    }
}

/// Listens for a signal from now on. Its default action stays switched off for the rest of the process.
///
/// # Errors
/// What the operating system says; signals that cannot be caught are refused.
///
/// # Panics
/// Outside of a scheduler.
pub fn signal(kind: SignalKind) -> io::Result<Signal> {
    if number::FORBIDDEN.contains(&kind.0) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("signal {} cannot be handled; choose another", kind.0),
        ));
    }
    let (read, write) = UnixStream::pair()?;
    read.set_nonblocking(true)?;
    let read = AsyncFd::new(read)?;
    let registered = signal_hook::low_level::pipe::register(kind.0, write)?;
    Ok(Signal { read, registered })
}

/// A stream of one signal. Signals that come while nobody looks are seen later, several perhaps as one.
///
/// ```
/// use glasshouse_scheduler::{Builder, signal::unix::{SignalKind, signal}};
/// let scheduler = Builder::new().workers(1).build().unwrap();
/// scheduler.block_on(async {
///     let mut changes = signal(SignalKind::window_change()).unwrap();
///     rustix::process::kill_process(
///         rustix::process::getpid(),
///         rustix::process::Signal::WINCH,
///     ).unwrap();
///     changes.recv().await.unwrap();
/// });
/// ```
#[derive(Debug)]
pub struct Signal {
    read: AsyncFd<UnixStream>,
    registered: SigId,
}

impl Signal {
    /// Waits for the signal.
    ///
    /// # Errors
    /// What reading the socket says.
    pub async fn recv(&mut self) -> io::Result<()> {
        let mut bytes = [0; 64];
        self.read
            .read_with(|mut read| read.read(&mut bytes))
            .await
            .map(drop)
    }
}

impl Drop for Signal {
    fn drop(&mut self) {
        signal_hook::low_level::unregister(self.registered);
    }
}
