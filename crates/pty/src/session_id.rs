//! Owns the identity of a session: a number that is never used again within a process.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// The identity of a session. Unlike a process id it is never reused within this process.
///
/// ```
/// # let scheduler = glasshouse_scheduler::Builder::new().workers(1).build().unwrap();
/// # scheduler.block_on(async {
/// use glasshouse_pty::{Command, Session, SessionId};
/// let first = Session::spawn(&Command::new("true")).unwrap();
/// let second = Session::spawn(&Command::new("true")).unwrap();
/// assert!(first.id() < second.id());
/// let id: SessionId = first.id();
/// assert_eq!(id.to_string(), id.number().to_string());
/// # });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(u64);

static NEXT: AtomicU64 = AtomicU64::new(1);

impl SessionId {
    pub(crate) fn next() -> SessionId {
        // Relaxed: the numbers only need to differ.
        SessionId(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// The number, from 1.
    pub fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
