//! Signals of the process, as futures.

pub mod unix;

use std::io;

/// Waits for the next Ctrl-C (SIGINT). From the first call on, the signal no longer ends the process by
/// itself. A Ctrl-C that comes before the call, or between two calls, is not seen: keep a
/// [`unix::Signal`] to see every one.
///
/// # Errors
/// What the operating system says to the handler or its pipe.
///
/// # Panics
/// Outside of a scheduler.
pub async fn ctrl_c() -> io::Result<()> {
    let mut signal = unix::signal(unix::SignalKind::interrupt())?;
    signal.recv().await
}
