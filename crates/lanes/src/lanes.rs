//! Owns a set of lanes under one limit: how it is built, looked up, and closed.

use crate::core::{Core, LaneIndex};
use crate::error::{BuildError, UnknownLane};
use crate::host::Host;
use crate::lane::Lane;
use crate::shared::{LaneName, Seat, Shared};
use glasshouse_scheduler::{Handle, task};
use std::sync::Arc;

/// Lanes under one limit over all. Clones are the same lanes.
///
/// A system task named "lanes" hands over the permits that somebody waits for. It ends when the
/// last handle, `Lanes` or [`Lane`], is gone.
///
/// ```
/// use glasshouse_lanes::Lanes;
/// use glasshouse_scheduler::{Builder, Handle};
/// let scheduler = Builder::deterministic(1).build().unwrap();
/// scheduler.block_on(async {
///     let lanes = Lanes::builder()
///         .global_limit(5)
///         .lane("io", 4)
///         .lane("cpu", 2)
///         .build(&Handle::current())
///         .unwrap();
///     let permit = lanes.lane("io").unwrap().acquire().await;
///     assert_eq!(lanes.in_use(), 1);
///     assert!(lanes.lane("gpu").is_none());
/// });
/// ```
#[derive(Clone, Debug)]
pub struct Lanes {
    guard: Arc<Guard>,
}

/// Describes lanes before they exist.
///
/// ```
/// use glasshouse_lanes::{BuildError, Lanes};
/// use glasshouse_scheduler::Builder;
/// let scheduler = Builder::deterministic(1).build().unwrap();
/// let error = Lanes::builder().lane("io", 0).build(scheduler.handle()).unwrap_err();
/// assert_eq!(error, BuildError::ZeroLimit { lane: "io".into() });
/// ```
#[derive(Clone, Debug, Default)]
pub struct LanesBuilder {
    global_limit: Option<usize>,
    lanes: Vec<(String, usize)>,
}

/// Held by every handle: what happens when the last one is gone.
#[derive(Debug)]
pub(crate) struct Guard {
    shared: Arc<Shared>,
}

impl Lanes {
    /// A description without lanes, and without a limit over all.
    pub fn builder() -> LanesBuilder {
        LanesBuilder::default()
    }

    /// The lane of this name.
    pub fn lane(&self, name: &str) -> Option<Lane> {
        let names = &self.guard.shared.names;
        let index = names.iter().position(|lane| *lane.name == *name)?;
        Some(Lane::new(self.guard.clone(), LaneIndex(index)))
    }

    /// The lane of this name, or an error that says which names there are.
    pub fn find(&self, name: &str) -> Result<Lane, UnknownLane> {
        self.lane(name).ok_or_else(|| UnknownLane {
            name: name.into(),
            known: self.iter().map(|lane| lane.name().into()).collect(),
        })
    }

    /// Every lane, in the order of their description.
    pub fn iter(&self) -> impl Iterator<Item = Lane> + '_ {
        let indices = 0..self.guard.shared.names.len();
        indices.map(|index| Lane::new(self.guard.clone(), LaneIndex(index)))
    }

    /// The permits that there are over all lanes; `usize::MAX` where no limit was set.
    pub fn global_limit(&self) -> usize {
        self.guard.shared.book().core.limit()
    }

    /// The permits that are held, or handed over and about to be taken up.
    pub fn in_use(&self) -> usize {
        self.guard.shared.book().core.in_use()
    }
}

impl LanesBuilder {
    /// The most permits that may be held over all lanes together. Without it the lanes' own limits
    /// are all there is.
    pub fn global_limit(mut self, permits: usize) -> LanesBuilder {
        self.global_limit = Some(permits);
        self
    }

    /// Adds a lane with this many permits.
    pub fn lane(mut self, name: impl Into<String>, permits: usize) -> LanesBuilder {
        self.lanes.push((name.into(), permits));
        self
    }

    /// Makes the lanes, hosted by a task of this scheduler, and on its clock.
    pub fn build(self, handle: &Handle) -> Result<Lanes, BuildError> {
        if self.global_limit == Some(0) {
            return Err(BuildError::ZeroGlobalLimit);
        }
        for (at, (name, limit)) in self.lanes.iter().enumerate() {
            if *limit == 0 {
                return Err(BuildError::ZeroLimit { lane: name.clone() });
            }
            if self.lanes[..at].iter().any(|(earlier, _)| earlier == name) {
                return Err(BuildError::Duplicate { lane: name.clone() });
            }
        }
        let limits = self.lanes.iter().map(|(_, limit)| *limit);
        let core = Core::new(self.global_limit.unwrap_or(usize::MAX), limits);
        let names = self.lanes.into_iter().map(|(name, limit)| LaneName {
            text: handle.pal().text(&name),
            name: name.into(),
            limit,
        });
        let clock = handle.pal().clock().clone();
        let shared = Arc::new(Shared::new(core, names.collect(), clock));
        let host = Host::new(shared.clone());
        // Detached. Refused, at the scheduler's capacity or after its end, the host is dropped, and
        // permits are handed over without it.
        drop(handle.enter(|| task::Builder::new().name("lanes").spawn_system(host)));
        Ok(Lanes {
            guard: Arc::new(Guard { shared }),
        })
    }
}

impl Guard {
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut book = self.shared.book();
        book.is_closed = true;
        if let Seat::Waiting(host) = std::mem::replace(&mut book.seat, Seat::Empty) {
            drop(book);
            host.wake();
        }
    }
}
