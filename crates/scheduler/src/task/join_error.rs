//! Owns what a join handle says when there is no output.

use crate::task::Id;
use std::any::Any;
use std::fmt;
use std::sync::Mutex;

/// Why a task has no output: it panicked, it was cancelled, or it was never spawned.
///
/// ```
/// let scheduler = glasshouse_scheduler::Builder::deterministic(1).build().unwrap();
/// let error = scheduler.block_on(async {
///     let handle = glasshouse_scheduler::spawn(std::future::pending::<()>());
///     handle.abort();
///     handle.await.unwrap_err()
/// });
/// assert!(error.is_cancelled());
/// assert_eq!(error.to_string(), "task 2 was cancelled");
/// ```
pub struct JoinError(
    // Boxed, so that a task's cell has room for an error where its future is small, too.
    Box<Inner>,
);

struct Inner {
    id: Id,
    reason: Reason,
}

enum Reason {
    Cancelled,
    // Behind a lock only to be Sync whatever the payload is; nobody contends for it.
    Panic(Mutex<Box<dyn Any + Send + 'static>>),
    Denied { capacity: usize },
}

impl JoinError {
    fn new(id: Id, reason: Reason) -> JoinError {
        JoinError(Box::new(Inner { id, reason }))
    }

    pub(crate) fn cancelled(id: Id) -> JoinError {
        JoinError::new(id, Reason::Cancelled)
    }

    pub(crate) fn panicked(id: Id, payload: Box<dyn Any + Send>) -> JoinError {
        JoinError::new(id, Reason::Panic(Mutex::new(payload)))
    }

    pub(crate) fn denied(id: Id, capacity: usize) -> JoinError {
        JoinError::new(id, Reason::Denied { capacity })
    }

    /// The task's id. A task that was denied has one too, but nothing of it is in the log.
    pub fn id(&self) -> Id {
        self.0.id
    }

    /// Whether the task was aborted, or its scheduler ended before it.
    pub fn is_cancelled(&self) -> bool {
        matches!(self.0.reason, Reason::Cancelled)
    }

    /// Whether the task panicked.
    pub fn is_panic(&self) -> bool {
        matches!(self.0.reason, Reason::Panic(_))
    }

    /// Whether the scheduler was at its capacity, and the task never ran.
    pub fn is_denied(&self) -> bool {
        matches!(self.0.reason, Reason::Denied { .. })
    }

    /// The panic's payload, for [`std::panic::resume_unwind`].
    ///
    /// # Panics
    /// If the task did not panic; [`JoinError::try_into_panic`] does not.
    pub fn into_panic(self) -> Box<dyn Any + Send + 'static> {
        match self.try_into_panic() {
            Ok(payload) => payload,
            Err(error) => panic!("{error}: it did not panic; ask is_panic() first"),
        }
    }

    /// The panic's payload, or the error itself when the task did not panic.
    ///
    /// # Errors
    /// The error, unchanged.
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send + 'static>, JoinError> {
        let Inner { id, reason } = *self.0;
        match reason {
            Reason::Panic(payload) => Ok(payload
                .into_inner()
                .unwrap_or_else(std::sync::PoisonError::into_inner)),
            reason => Err(JoinError::new(id, reason)),
        }
    }
}

/// The text of a panic's payload; empty when it is neither kind of string.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or_default()
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.0.id;
        match &self.0.reason {
            Reason::Cancelled => write!(f, "task {id} was cancelled"),
            Reason::Denied { capacity } => write!(
                f,
                "task {id} was not spawned: the scheduler is at its capacity of {capacity} tasks"
            ),
            Reason::Panic(payload) => {
                let payload = payload
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                match panic_message(&**payload) {
                    "" => write!(f, "task {id} panicked"),
                    message => write!(f, "task {id} panicked: {message}"),
                }
            }
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinError({self})")
    }
}

impl std::error::Error for JoinError {}
