//! Owns the meters of one scheduler: those of its living workers, and the totals of those that ended.
//!
//! The scheduler and the exporter that it reports into share one of these. Workers come and go under
//! its lock; counting takes no lock.

use crate::buckets::Bounds;
use crate::depth::Depth;
use crate::meter::{Meter, Totals};
use glasshouse_pal::Clock;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One scheduler's meters and its ready-queue depth.
#[derive(Debug)]
pub(crate) struct Meters {
    bounds: Arc<Bounds>,
    clock: Clock,
    pub(crate) depth: Depth,
    /// Of threads that wake without a seam: waits only.
    pub(crate) outside: Meter,
    members: Mutex<Members>,
}

#[derive(Debug)]
struct Members {
    living: Vec<Arc<Meter>>,
    ended: Totals,
}

impl Meters {
    pub(crate) fn new(seconds: Arc<[f64]>, clock: Clock, workers: usize) -> Meters {
        let bounds = Arc::new(Bounds::new(seconds, |raw| clock.ns(raw)));
        let members = Mutex::new(Members {
            living: Vec::with_capacity(workers),
            ended: Totals::new(&bounds),
        });
        Meters {
            outside: Meter::new(&bounds),
            bounds,
            clock,
            depth: Depth::new(workers),
            members,
        }
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A fresh meter for one worker.
    pub(crate) fn join(&self) -> Arc<Meter> {
        let meter = Arc::new(Meter::new(&self.bounds));
        self.members().living.push(meter.clone());
        meter
    }

    /// Keeps the totals of a worker that counts no more.
    pub(crate) fn leave(&self, meter: &Arc<Meter>) {
        let mut members = self.members();
        let Members { living, ended } = &mut *members;
        living.retain(|living| {
            let stays = !Arc::ptr_eq(living, meter);
            if !stays {
                living.add_to(ended);
            }
            stays
        });
    }

    /// What all meters add up to, those of ended workers included.
    pub(crate) fn totals(&self) -> Totals {
        let members = self.members();
        let mut totals = members.ended.clone();
        self.outside.add_to(&mut totals);
        for meter in &members.living {
            meter.add_to(&mut totals);
        }
        totals
    }

    /// The histogram bounds in seconds.
    pub(crate) fn seconds(&self) -> &Arc<[f64]> {
        self.bounds.seconds()
    }

    /// A sum of raw ticks as nanoseconds.
    pub(crate) fn ns(&self, sum_raw: f64) -> u64 {
        self.clock.ns(sum_raw as u64)
    }
}
