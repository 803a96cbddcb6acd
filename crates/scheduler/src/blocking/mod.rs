//! Blocking functions: each is a job (`job.rs`) that a pool of threads (`pool.rs`) runs, and a task that waits
//! for it, so that the log has it with its spawn site.

mod job;
mod pool;
mod spawn;

pub(crate) use job::Cancel;
#[cfg(all(test, glasshouse_loom))]
pub(crate) use job::Run;
pub(crate) use pool::{KEEP_ALIVE, MAX_THREADS, Pool, PoolSettings};
pub(crate) use spawn::{run_blocking, spawn_blocking_on};
