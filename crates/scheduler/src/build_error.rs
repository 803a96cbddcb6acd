//! Owns the reasons why a scheduler cannot be built.

use crate::builder::MAX_WORKERS;
use glasshouse_pal::spill::SpillError;
use glasshouse_telemetry::BucketsError;
use std::io;

/// Why a scheduler could not be built.
///
/// ```
/// use glasshouse_scheduler::{BuildError, Builder};
/// let error = Builder::new().workers(0).build().unwrap_err();
/// assert!(matches!(error, BuildError::Workers { workers: 0 }));
/// ```
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The number of workers cannot be had.
    #[error(
        "{workers} workers cannot be had; ask for 1 to {MAX_WORKERS}, and 1 where the worker is the thread \
         in block_on (deterministic, build_local)"
    )]
    Workers {
        /// What was asked for.
        workers: usize,
    },
    /// A pool without threads for blocking functions.
    #[error("0 threads for blocking functions let none run; ask for at least 1")]
    BlockingThreads,
    /// A capacity of no task.
    #[error("a capacity of 0 tasks lets nothing run; leave it out for no limit")]
    Capacity,
    /// A quantum of no time.
    #[error("a quantum of zero throttles every tick; give it a length")]
    Quantum,
    /// A stall threshold of no time.
    #[error(
        "a stall threshold of zero makes a stall of every tick; give it a length, or Duration::MAX for no reports"
    )]
    StallThreshold,
    /// A log in real time for a deterministic scheduler.
    #[error(
        "the log's clock is real, and a deterministic scheduler moves its time itself; leave the log out, or \
         give Pal::memory_with(Clock::virtual_time())"
    )]
    RealClock,
    /// A log in virtual time for any other scheduler.
    #[error(
        "the log's clock is virtual, and nothing would move it; give a log in real time such as Pal::memory(), \
         or ask for Builder::deterministic"
    )]
    VirtualClock,
    /// Records cannot be kept on disk.
    #[error(transparent)]
    Spill(#[from] SpillError),
    /// The bounds of the histograms' buckets cannot be used.
    #[error(transparent)]
    Buckets(#[from] BucketsError),
    /// The descriptors of the driver could not be made.
    #[error("the driver could not be set up: {0}; look at the limit of open files (ulimit -n)")]
    Driver(#[source] io::Error),
    /// A worker's thread could not be started.
    #[error(
        "a worker's thread could not be started: {0}; look at the limit of threads (ulimit -u)"
    )]
    Thread(#[source] io::Error),
}
