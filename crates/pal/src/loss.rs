//! Owns the counts of what the writer itself could not record, by cause. What a ring overwrote is
//! not counted here: each reader derives it from the sequence numbers.

use crate::format::header::{Header, LOSS_WORDS};
use crate::map::View;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why something is not in the log.
///
/// ```
/// use glasshouse_pal::LossCause;
/// assert_eq!(LossCause::ALL[0].name(), "no_ring");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum LossCause {
    /// Events of threads that found no ring to lease.
    NoRing = 0,
    /// Events emitted while the same thread was recording another one.
    Reentrant = 1,
    /// Tasks that live without a slot in the task table: all were in use, or there was no room for more.
    TableFull = 2,
    /// Texts that found no room in the arena, and read `_other`.
    TextFull = 3,
    /// Spawns whose site found no room, and lost their name or location.
    SiteFull = 4,
    /// Stamps that lay before the one they follow; the difference counts as zero.
    ClockRegressed = 5,
}

impl LossCause {
    /// Every cause, in the order of its number.
    pub const ALL: [LossCause; 6] = [
        LossCause::NoRing,
        LossCause::Reentrant,
        LossCause::TableFull,
        LossCause::TextFull,
        LossCause::SiteFull,
        LossCause::ClockRegressed,
    ];

    /// The cause's name as the log prints it.
    pub const fn name(self) -> &'static str {
        match self {
            LossCause::NoRing => "no_ring",
            LossCause::Reentrant => "reentrant",
            LossCause::TableFull => "table_full",
            LossCause::TextFull => "text_full",
            LossCause::SiteFull => "site_full",
            LossCause::ClockRegressed => "clock_regressed",
        }
    }
}

/// The causes that occurred, and how often.
pub(crate) fn occurred(counts: &[u64; LOSS_WORDS]) -> Vec<(LossCause, u64)> {
    LossCause::ALL
        .map(|cause| (cause, counts[cause as usize]))
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .collect()
}

/// The counts in a log's header. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Losses {
    header: Arc<View<Header>>,
}

impl Losses {
    pub(crate) fn new(header: View<Header>) -> Losses {
        Losses {
            header: Arc::new(header),
        }
    }

    /// Counts one loss. Any thread may, signal handlers included: it is one atomic addition.
    pub(crate) fn count(&self, cause: LossCause) {
        self.word(cause).fetch_add(1, Ordering::Relaxed);
    }

    #[cfg(test)]
    pub(crate) fn of(&self, cause: LossCause) -> u64 {
        self.word(cause).load(Ordering::Relaxed)
    }

    fn word(&self, cause: LossCause) -> &AtomicU64 {
        &self.header.first().loss[cause as usize]
    }
}
