//! Blocking functions: each is a job (`job.rs`) that a pool of threads (`pool.rs`) runs, and a task that waits
//! for it, so that the log has it with its spawn site. The runtime's own steps that block are jobs of another kind, for
//! which the pool keeps a thread, and for which the task that takes them waits itself.

mod job;
mod pool;
mod spawn;

pub(crate) use job::Cancel;
pub(crate) use pool::{KEEP_ALIVE, MAX_THREADS, Pool, PoolSettings};
pub(crate) use spawn::{run_step, spawn_blocking_on};
#[cfg(all(test, glasshouse_loom))]
pub(crate) use {job::Run, pool::Kind};
