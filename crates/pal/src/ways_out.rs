//! Owns what may end a wait beside what it is named for, and where the words of its record have that.

use crate::format::kind;
use crate::id::TaskId;

/// In word 3 of a wait, above the task or the lane that it names: a deadline, something else that is awaited.
const DEADLINE: u64 = 1 << TaskId::BITS;
const OTHER: u64 = 2 << TaskId::BITS;

/// What may end a wait beside what it is named for, as its poll has told: of a future that the poll did not come to,
/// or that claims nothing, it does not tell.
///
/// ```
/// use glasshouse_pal::{Clock, EncodedEvent, Pal, RingOwner, TaskEvent, TaskId, WaysOut};
/// let pal = Pal::memory();
/// let tid = TaskId::new(7).expect("in range");
/// let ways_out = WaysOut { deadline: true, ..WaysOut::default() };
/// let event = EncodedEvent::of(&TaskEvent::Wait { tid }).with_ways_out(ways_out);
/// pal.lease(RingOwner::Worker(0)).write_encoded(9, 0, event);
/// let entry = pal.log().records().next().expect("one record");
/// assert_eq!(entry.ways_out, ways_out);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct WaysOut {
    /// A deadline: of a timeout around it, or of a sleep beside it.
    pub deadline: bool,
    /// Something else that the poll came to: another task of a set that the named one is of, another task, or another
    /// lane.
    pub other: bool,
}

impl WaysOut {
    /// As they stand in word 3.
    #[inline(always)]
    pub(crate) const fn to_bits(self) -> u64 {
        let deadline = if self.deadline { DEADLINE } else { 0 };
        let other = if self.other { OTHER } else { 0 };
        deadline | other
    }

    /// Of a record of this kind, with this word 3.
    pub(crate) const fn of(kind: u8, arg: u64) -> WaysOut {
        let has_room = has_room(kind);
        WaysOut {
            deadline: has_room && arg & DEADLINE != 0,
            other: has_room && arg & OTHER != 0,
        }
    }
}

/// Whether word 3 of this kind has room for them. What sleeps or waits for a descriptor is ended from outside as it is.
#[inline(always)]
pub(crate) const fn has_room(kind: u8) -> bool {
    matches!(kind, kind::JOIN_WAIT | kind::LANE_WAIT | kind::WAIT)
}

/// Word 3 of a wait without them.
pub(crate) const fn without(arg: u64) -> u64 {
    arg & (DEADLINE - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoded_event::EncodedEvent;
    use crate::testing::any_task_event;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_wait_keeps_its_ways_out_in_its_words_and_stays_the_same_event(
            event in any_task_event(), deadline: bool, other: bool
        ) {
            let ways_out = WaysOut { deadline, other };
            let EncodedEvent(words) = EncodedEvent::of(&event);
            let with = EncodedEvent::of(&event).with_ways_out(ways_out);
            prop_assert_eq!(with.event(), event);
            let found = WaysOut::of(words.kind, with.0.arg);
            match has_room(words.kind) {
                true => prop_assert_eq!(found, ways_out),
                false => prop_assert_eq!((found, with.0.arg), (WaysOut::default(), words.arg)),
            }
        }
    }

    #[test]
    fn ways_out_have_the_bits_that_format_1_says() {
        let [deadline, other] = [(true, false), (false, true)]
            .map(|(deadline, other)| WaysOut { deadline, other }.to_bits());
        assert_eq!([deadline, other], [1 << 56, 1 << 57]);
    }
}
