//! Owns how far a reader has come in following a log.

use super::segments::Following;

/// How far a reader has followed a log. A new one is at the beginning.
///
/// ```
/// use glasshouse_pal::{Pal, RingOwner, TaskEvent};
/// use glasshouse_pal::reader::Cursor;
/// let pal = Pal::memory();
/// let ring = pal.lease(RingOwner::Worker(0));
/// let (log, mut cursor) = (pal.log(), Cursor::default());
/// ring.write(pal.clock().now(), 0, &TaskEvent::ShutdownComplete { clean: true });
/// assert_eq!(log.follow(&mut cursor).0.count(), 1);
/// assert_eq!(log.follow(&mut cursor).0.count(), 0);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Cursor {
    /// The newest sequence number that was seen, ring by ring.
    pub(super) seen: Vec<u64>,
    /// The place in the segments, of a log that is in such.
    pub(super) segments: Option<Box<Following>>,
    /// Records that were told to be lost.
    pub(super) told: u64,
}

impl Cursor {
    /// Records that were lost up to the cursor, as far as is known: the sum of what [`Log::follow`](super::Log::follow)
    /// told, and those of segments which were removed, or could not be read, that it has still to tell. Those that could
    /// not be read are in [`Loss::unread`](super::Loss::unread) too: the two are not to be added.
    pub fn lost(&self) -> u64 {
        let untold = self.segments.as_ref().map_or(0, |it| it.untold());
        self.told.saturating_add(untold)
    }
}
