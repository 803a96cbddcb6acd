//! Process Activity Log.
pub mod automaton;
mod event;
mod id;
pub mod lives;

pub use event::{
    Failure, FailureKind, Interest, IoTarget, SiteId, TaskEvent, TaskState, TextId, WakeSource,
};
pub use id::{IdSource, TaskId};
