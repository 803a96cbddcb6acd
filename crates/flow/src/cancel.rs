//! Owns the wish to end a run early, in two degrees: gently, then at once.

use async_channel::{Receiver, Sender};
use std::convert::Infallible;
use std::fmt;

/// Ends a run early. Clones share one wish; it cannot be taken back. Use one for each run.
///
/// ```
/// use glasshouse_flow::Cancel;
/// let cancel = Cancel::new();
/// let shared = cancel.clone();
/// shared.cancel();
/// assert!(cancel.is_cancelled() && !cancel.is_killed());
/// cancel.kill();
/// assert!(shared.is_killed());
/// ```
#[derive(Clone)]
pub struct Cancel {
    gently: Flag,
    at_once: Flag,
}

impl Cancel {
    /// A wish that nobody has made yet.
    pub fn new() -> Cancel {
        Cancel {
            gently: Flag::new(),
            at_once: Flag::new(),
        }
    }

    /// Starts nothing more; asks what runs to end, and ends it when its grace is over. May be called on
    /// any thread.
    pub fn cancel(&self) {
        self.gently.raise();
    }

    /// The same with no grace: what runs, or was asked to end, is ended at once.
    pub fn kill(&self) {
        self.at_once.raise();
        self.gently.raise();
    }

    /// Whether either was called.
    pub fn is_cancelled(&self) -> bool {
        self.gently.is_raised()
    }

    /// Whether [`Cancel::kill`] was called.
    pub fn is_killed(&self) -> bool {
        self.at_once.is_raised()
    }

    /// Ends when either is called.
    pub async fn cancelled(&self) {
        self.gently.raised().await;
    }

    /// Ends when [`Cancel::kill`] is called.
    pub async fn killed(&self) {
        self.at_once.raised().await;
    }
}

impl Default for Cancel {
    fn default() -> Cancel {
        Cancel::new()
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancel")
            .field("is_cancelled", &self.is_cancelled())
            .field("is_killed", &self.is_killed())
            .finish()
    }
}

/// A channel that carries nothing: it is closed, and all who listen learn of it.
#[derive(Clone)]
struct Flag {
    sender: Sender<Infallible>,
    receiver: Receiver<Infallible>,
}

impl Flag {
    fn new() -> Flag {
        let (sender, receiver) = async_channel::bounded(1);
        Flag { sender, receiver }
    }

    fn raise(&self) {
        self.sender.close();
    }

    fn is_raised(&self) -> bool {
        self.sender.is_closed()
    }

    async fn raised(&self) {
        // Nothing is ever sent: it ends when the channel is closed.
        let Err(async_channel::RecvError) = self.receiver.recv().await;
    }
}

/// Cancels when it is dropped, unless it was disarmed.
pub(crate) struct CancelOnDrop(Option<Cancel>);

impl CancelOnDrop {
    pub(crate) fn new(cancel: Cancel) -> CancelOnDrop {
        CancelOnDrop(Some(cancel))
    }

    pub(crate) fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if let Some(cancel) = &self.0 {
            cancel.cancel();
        }
    }
}
