//! Owns what a reader is told of a window that segments do not hold.

/// Why a window is missing.
///
/// ```
/// use glasshouse_pal::reader::GapCause;
/// assert_eq!(GapCause::Budget.name(), "budget");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum GapCause {
    /// A ring was overwritten before the spiller came by.
    Overrun = 0,
    /// It would have taken more bytes a second than the spiller may write.
    Budget = 1,
    /// It could not be written.
    Failed = 2,
    /// Its segment is not there, or damaged.
    Removed = 3,
}

impl GapCause {
    /// Every cause, in the order of its number.
    pub const ALL: [GapCause; 4] = [
        GapCause::Overrun,
        GapCause::Budget,
        GapCause::Failed,
        GapCause::Removed,
    ];

    /// The cause's name as commands print it.
    pub const fn name(self) -> &'static str {
        match self {
            GapCause::Overrun => "overrun",
            GapCause::Budget => "budget",
            GapCause::Failed => "failed",
            GapCause::Removed => "removed",
        }
    }

    /// As segments store it, where several may be set.
    pub(crate) const fn bit(self) -> u64 {
        1 << self as u8
    }

    pub(crate) fn of_bits(bits: u64) -> Vec<GapCause> {
        let set = |cause: &GapCause| bits & cause.bit() != 0;
        GapCause::ALL.into_iter().filter(set).collect()
    }
}

/// A window of time that segments do not hold: it was left out in all rings. Only records that came late into their
/// rings, as a wake by a thread without one does, may be there with a stamp between its ends; [`Lives`](crate::lives::Lives)
/// leave them out.
///
/// ```
/// use glasshouse_pal::reader::{Gap, GapCause};
/// let gap = Gap { from: 100, to: 250, records: 7, causes: vec![GapCause::Overrun] };
/// assert_eq!(gap.to - gap.from, 150);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The stamp up to which everything is there before.
    pub from: u64,
    /// The stamp from which on everything is there again.
    pub to: u64,
    /// Records that are missing; zero where nobody counted them.
    pub records: u64,
    /// Why.
    pub causes: Vec<GapCause>,
}
