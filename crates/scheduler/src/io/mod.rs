//! Readiness of descriptors, for whatever can be polled by the operating system.

mod async_fd;
mod interest;
mod ready_guard;
mod registration;

pub use async_fd::{AsyncFd, Waiter};
pub use interest::{Interest, Ready};
pub use ready_guard::{AsyncFdReadyGuard, TryIoError};

pub(crate) use registration::Watch;
