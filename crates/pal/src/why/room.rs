//! Owns when what a fold has taken in is looked through for what is of no use any more: not before as much has come as was
//! left, so that looking takes no more than taking in.

/// How much is taken in before it is looked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    least: usize,
    most: usize,
    full_at: usize,
}

impl Room {
    /// Never with less than the one, and no later than with the other, which is more.
    pub(super) fn between(least: usize, most: usize) -> Room {
        Room {
            least,
            most,
            full_at: least,
        }
    }

    /// Whether it is time to look through so much.
    pub(super) fn is_full_with(&self, count: usize) -> bool {
        count >= self.full_at
    }

    /// Whether so much of use leaves next to no room for more: then the next look comes soon, and finds little.
    pub(super) fn is_too_small_for(&self, count: usize) -> bool {
        count > self.most / 4 * 3
    }

    /// It was looked through, and so much was left.
    pub(super) fn looked_through(&mut self, left: usize) {
        let full_at = left.saturating_mul(2).max(self.least);
        self.full_at = full_at.min(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With how much it is full.
    fn full_at(room: Room) -> usize {
        let mut counts = 0..;
        let first = counts.find(|count| room.is_full_with(*count));
        first.expect("some count fills it")
    }

    #[test]
    fn a_look_comes_with_the_least_then_with_twice_what_was_left_and_no_later_than_with_the_most() {
        let mut room = Room::between(8, 40);
        assert_eq!(full_at(room), 8);
        for (left, full) in [
            (0, 8),
            (3, 8),
            (5, 10),
            (19, 38),
            (21, 40),
            (usize::MAX, 40),
        ] {
            room.looked_through(left);
            assert_eq!(full_at(room), full, "{left}");
        }
    }

    #[test]
    fn looks_take_no_more_than_taking_in_does_where_nothing_is_of_no_use() {
        let mut room = Room::between(1, usize::MAX);
        let mut looked = 0;
        for count in 1..100_000 {
            if room.is_full_with(count) {
                looked += count;
                room.looked_through(count);
            }
            assert!(looked <= 2 * count);
        }
    }

    #[test]
    fn it_is_too_small_for_more_than_three_quarters_of_the_most() {
        let room = Room::between(1, 8);
        let too_much = |count: &usize| room.is_too_small_for(*count);
        assert_eq!((0..10).find(too_much), Some(7));
    }
}
