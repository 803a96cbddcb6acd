//! Owns the hosting of a spiller: a system task that has it step by step, on the thread that the pool keeps for the
//! runtime, so that a slow disk holds no worker and blocking functions do not hold the spiller; and its last step, when
//! the scheduler ends.
//!
//! ```text
//!  system task: step ──► sleep, as long as the step says ──► step …    shutdown completes ──► finish
//! ```

use crate::blocking::run_step;
use crate::handle::{Handle, here};
use crate::scheduler::Scheduler;
use crate::task::Class;
use crate::time;
use glasshouse_pal::Pal;
use glasshouse_pal::spill::{Settings, SpillError, Spiller};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::Duration;

/// What the log calls the system task.
const NAME: &str = "spill";

/// A scheduler's spiller. Only the system task steps, and only the end of the scheduler finishes.
pub(crate) struct Spill {
    spiller: Arc<Mutex<Spiller>>,
    /// Until a step could be taken after one that could not.
    flush: Duration,
}

impl Spill {
    pub(crate) fn new(pal: &Pal, settings: Settings) -> Result<Spill, SpillError> {
        let flush = settings.flush;
        let spiller = Spiller::new(pal, settings)?;
        Ok(Spill {
            spiller: Arc::new(Mutex::new(spiller)),
            flush,
        })
    }

    /// Writes what is left. A step that the disk still holds is not waited for: a shutdown has its time.
    pub(crate) fn finish(&self) {
        let mut spiller = match self.spiller.try_lock() {
            Ok(spiller) => spiller,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        let _ = spiller.finish();
    }
}

/// Starts the system task, where there is a spiller.
pub(crate) fn spilling(scheduler: Scheduler) -> Scheduler {
    let handle = scheduler.handle();
    if handle.shared().spill.is_some() {
        // Detached: it ends with the scheduler.
        drop(handle.spawn_as(run(handle.clone()), &here(Some(NAME)), Class::System));
    }
    scheduler
}

async fn run(handle: Handle) {
    let Some(spill) = &handle.shared().spill else {
        return;
    };
    loop {
        let spiller = Arc::clone(&spill.spiller);
        let step = move || {
            let mut spiller = spiller.lock().unwrap_or_else(PoisonError::into_inner);
            spiller.step().next
        };
        let next = run_step(&handle, step).await;
        // No thread for it, say: there is another time.
        time::sleep(next.unwrap_or(spill.flush)).await;
    }
}
