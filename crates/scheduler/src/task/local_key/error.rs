//! Owns what goes wrong with a task's own values.

/// A key was asked outside of a scope of its own.
///
/// ```
/// use glasshouse_scheduler::task::AccessError;
/// glasshouse_scheduler::task_local! { static USER: String; }
/// let error: AccessError = USER.try_get().unwrap_err();
/// assert!(error.to_string().contains("scope"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the task-local key has no value here; set one with LocalKey::scope around the future")]
pub struct AccessError(pub(super) ());

/// Why a value could not be set.
#[derive(Debug, thiserror::Error)]
pub(super) enum ScopeError {
    #[error(
        "a scope of the task-local key was entered inside of its own LocalKey::with; clone the value out first"
    )]
    Borrowed,
    #[error("a scope of a task-local key was entered on a thread that is ending")]
    Gone,
}
