//! Readiness of descriptors, for whatever can be polled by the operating system.

mod async_fd;

pub use async_fd::{AsyncFd, Waiter};
