//! Owns how far a reader has come in following a log.

use super::segments::Following;

/// How far a reader has followed a log. A new one is at the beginning. A clone is at the same place and goes on by itself:
/// neither is told what the other loses from there on.
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
    /// Records of rings that are there and make no sense.
    pub(super) senseless: u64,
}

impl Cursor {
    /// Records that were lost up to the cursor, as far as is known: the sum of what [`Log::follow`](super::Log::follow)
    /// told, and those of segments which were removed, or could not be read, that it has still to tell. Only a pass over
    /// [`Log::records`](super::Log::records) tells the log's [`Loss`](super::Loss), too, what it could not read.
    pub fn lost(&self) -> u64 {
        let untold = self.segments.as_ref().map_or(0, |it| it.untold());
        self.told.saturating_add(untold)
    }

    /// Those of them that are there, and make no sense: damage, what a later release wrote, or the last record of a killed
    /// process. As far as they were read.
    ///
    /// ```
    /// use glasshouse_pal::{Pal, reader::Cursor};
    /// let mut cursor = Cursor::default();
    /// assert_eq!(Pal::memory().log().follow(&mut cursor).0.count(), 0);
    /// assert_eq!((cursor.lost(), cursor.senseless()), (0, 0));
    /// ```
    pub fn senseless(&self) -> u64 {
        let of_segments = self.segments.as_ref().map_or(0, |it| it.senseless());
        self.senseless.saturating_add(of_segments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::kind;
    use crate::verify::tests::scene::Tampered;
    use crate::{Pal, RingOwner, TaskEvent};
    use std::sync::atomic::Ordering::Relaxed;

    #[test]
    fn records_of_rings_that_make_no_sense_are_lost_to_who_follows() {
        let tampered = Tampered::new(|scene| {
            scene.play();
        });
        // There is no such kind of failure.
        tampered.retag(1, 3, |tag| tag.kind = kind::FAILED);
        let record = tampered.record(1, 3);
        record.first().words[3].store(99 << 32, Relaxed);
        let log = tampered.log().expect("a log");
        let mut cursor = Cursor::default();
        let (records, lost) = log.follow(&mut cursor);
        assert_eq!((records.count(), lost), (13, 1));
        assert_eq!((cursor.lost(), cursor.senseless()), (1, 1));
        assert_eq!(log.loss().unreadable, 1);
        assert_eq!(log.follow(&mut cursor).1, 0, "once");
    }

    #[test]
    fn who_follows_rings_is_told_dates_by_what_the_clocks_showed_since() {
        let pal = Pal::memory();
        let ring = pal.lease(RingOwner::Worker(0));
        let (log, mut cursor) = (pal.log(), Cursor::default());
        for _ in 0..4 {
            let now = pal.clock().now();
            assert!(ring.write(now, 0, &TaskEvent::ShutdownComplete { clean: true }));
            ring.clock_pair();
            for entry in log.follow(&mut cursor).0 {
                let told = log.wall_ns(entry.stamp);
                assert_eq!(told, pal.log().wall_ns(entry.stamp));
            }
        }
    }
}
