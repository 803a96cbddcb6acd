//! Owns the words for who holds a ring and what that thread does with its time.

/// Who leases a ring.
///
/// ```
/// use glasshouse_pal::{Pal, RingOwner};
/// let ring = Pal::memory().lease(RingOwner::Worker(3));
/// assert!(ring.has_ring());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RingOwner {
    /// A scheduler's worker, by its number.
    Worker(u16),
    /// Any other thread.
    External,
}

impl RingOwner {
    pub(crate) const fn to_word(self) -> u64 {
        match self {
            RingOwner::Worker(number) => 1 << 32 | number as u64,
            RingOwner::External => 2 << 32,
        }
    }

    pub(crate) const fn from_word(word: u64) -> Option<RingOwner> {
        match (word >> 32, word as u32) {
            (1, number) if number <= u16::MAX as u32 => Some(RingOwner::Worker(number as u16)),
            (2, _) => Some(RingOwner::External),
            _ => None,
        }
    }
}

/// What a ring's owner does with its time.
///
/// ```
/// use glasshouse_pal::WorkerState;
/// assert_eq!(WorkerState::Parked.name(), "parked");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum WorkerState {
    /// It looks for work.
    Searching = 0,
    /// It runs a task.
    Running = 1,
    /// It sleeps until there is work.
    Parked = 2,
}

impl WorkerState {
    /// Every state, in the order of its number.
    pub const ALL: [WorkerState; 3] = [
        WorkerState::Searching,
        WorkerState::Running,
        WorkerState::Parked,
    ];

    /// The state's name as the log prints it.
    pub const fn name(self) -> &'static str {
        match self {
            WorkerState::Searching => "searching",
            WorkerState::Running => "running",
            WorkerState::Parked => "parked",
        }
    }
}
