//! A cooperative task scheduler that one can see into.
//!
//! Glasshouse runs green tasks as other runtimes do, and keeps a flight recorder beside them: every state
//! change of every task is in a log that another process reads live, and that is still there after the
//! process was killed.
//!
//! The scheduler's API is at the root; the rooms below and above it are modules:
//!
//! - [`pal`]: the log, its writer and its reader;
//! - [`telemetry`]: metrics, the Prometheus exporter, and a test registry;
//! - [`diag`]: marks, percentiles and node metrics;
//! - [`lanes`]: classes of work with limits;
//! - [`pty`]: commands in pseudo-terminals;
//! - [`flow`]: graphs of commands, read from TOML.
//!
//! ```
//! use std::time::Duration;
//!
//! let scheduler = glasshouse::Builder::new().workers(2).build()?;
//! let answer = scheduler.block_on(async {
//!     let task = glasshouse::task::Builder::new().name("answer").spawn(async {
//!         glasshouse::time::sleep(Duration::from_millis(5)).await;
//!         6 * 7
//!     });
//!     task.await
//! })?;
//! assert_eq!(answer, 42);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

#[cfg(doctest)]
mod readme;

pub use glasshouse_diag as diag;
pub use glasshouse_flow as flow;
pub use glasshouse_lanes as lanes;
pub use glasshouse_pal as pal;
pub use glasshouse_pty as pty;
pub use glasshouse_scheduler::*;
pub use glasshouse_telemetry as telemetry;
