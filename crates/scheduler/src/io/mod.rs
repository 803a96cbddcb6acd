//! Readiness of descriptors, for whatever can be polled by the operating system.

mod async_fd;
mod interest;
mod registration;

pub use async_fd::{AsyncFd, Waiter};
pub use interest::{Interest, Ready};
