//! Owns the numbers of the process's schedulers, and the way from a number to the scheduler while it lives.
//!
//! What outlives a scheduler, or is on another thread than its workers', keeps the number and asks here. A
//! counted reference instead would make all threads write to one counter.

use crate::runtime::shared::Shared;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// A scheduler's number. No two have the same, one after the other included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SchedulerId(u32);

static NUMBERS: AtomicU32 = AtomicU32::new(0);
static SCHEDULERS: Mutex<BTreeMap<SchedulerId, Weak<Shared>>> = Mutex::new(BTreeMap::new());

fn schedulers() -> MutexGuard<'static, BTreeMap<SchedulerId, Weak<Shared>>> {
    SCHEDULERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The scheduler with this number, if it has not gone.
#[cold]
pub(crate) fn find(id: SchedulerId) -> Option<Arc<Shared>> {
    schedulers().get(&id).and_then(Weak::upgrade)
}

/// A scheduler's place in the directory, which it leaves when it goes.
pub(crate) struct Listed {
    id: SchedulerId,
}

impl Listed {
    /// Lists the scheduler that `make` makes with its place.
    pub(crate) fn list(make: impl FnOnce(Listed) -> Shared) -> Arc<Shared> {
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        assert!(
            number != u32::MAX,
            "a process can make 2^32 schedulers; use one for longer"
        );
        let id = SchedulerId(number);
        let shared = Arc::new(make(Listed { id }));
        schedulers().insert(id, Arc::downgrade(&shared));
        shared
    }

    /// The scheduler's number.
    #[inline(always)]
    pub(crate) fn id(&self) -> SchedulerId {
        self.id
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        schedulers().remove(&self.id);
    }
}
