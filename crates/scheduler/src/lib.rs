//! Green tasks: workers that steal, timers, readiness of descriptors, join handles, shutdown.
//!
//! A [`Scheduler`] is made by a [`Builder`]; everything else is reached from inside it, by the names that
//! other runtimes have made familiar. Every edge of a task's life goes through the telemetry seam, and is
//! in the log before anybody can see its effect.
//!
//! ```
//! use glasshouse_scheduler::{Builder, spawn, time};
//! use std::time::Duration;
//!
//! let scheduler = Builder::new().build().unwrap();
//! let answer = scheduler.block_on(async {
//!     let task = spawn(async {
//!         time::sleep(Duration::from_millis(1)).await;
//!         6 * 7
//!     });
//!     task.await.unwrap()
//! });
//! assert_eq!(answer, 42);
//! ```
//!
//! With the feature `telemetry` off, no record, metric or span is made. With the feature `tokio` on, the sockets
//! of [`net`] implement tokio's reading and writing traits beside those of `futures-io`.

mod blocking;
mod build_error;
mod builder;
mod driver;
mod futex;
mod handle;
mod idle;
mod local_scheduler;
#[cfg(all(test, glasshouse_loom))]
mod model;
mod parker;
mod queue;
mod runtime;
mod scheduler;
mod spill;
mod start;
mod sync;
mod thread_names;
mod watchdog;

pub mod dump;
pub mod io;
pub mod net;
pub mod process;
pub mod signal;
pub mod task;
pub mod time;
pub mod wait;

pub use build_error::BuildError;
pub use builder::Builder;
pub use handle::{Handle, spawn, spawn_blocking, spawn_system, try_spawn};
pub use local_scheduler::LocalScheduler;
pub use runtime::{Shutdown, SpawnError};
pub use scheduler::Scheduler;
pub use task::{JoinError, JoinHandle};
pub use watchdog::Stall;
