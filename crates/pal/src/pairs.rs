//! Owns the clock pairs in a ring's header: what the clocks showed, now and then.

use crate::clock::Clock;
use crate::format::header::{RING_PAIRS, RingHeader};
use crate::record::{Tag, publish};
use std::sync::atomic::Ordering;

/// Writes a clock pair into a ring's header: a new one when the last that stays is at least a
/// second old, else in place of the newest. So the newest is always now, and the others are spread.
pub(crate) fn write_pair(header: &RingHeader, clock: &Clock) {
    let pair = clock.pair();
    let head = header.pair_head.load(Ordering::Relaxed);
    let place = |number: u64| &header.pairs[(number as usize) % RING_PAIRS].words;
    let settled = head.saturating_sub(1);
    let settled_ticks = place(settled)[1].load(Ordering::Relaxed);
    let is_spread = clock.ns(pair.ticks.saturating_sub(settled_ticks)) >= PAIR_SPACING_NS;
    let number = if settled == 0 || is_spread {
        head + 1
    } else {
        head
    };
    // Never the same twice, also when a pair takes the place of another.
    let writes = header.pair_writes.load(Ordering::Relaxed) + 1;
    header.pair_writes.store(writes, Ordering::Relaxed);
    let tag = Tag {
        seq: writes,
        kind: 0,
        aux: 0,
    };
    publish(
        place(number),
        [tag.to_word(), pair.ticks, pair.monotonic_ns, pair.wall_ns],
    );
    header.pair_head.store(number, Ordering::Release);
}

/// The least distance between clock pairs that stay.
const PAIR_SPACING_NS: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::owner::RingOwner;
    use crate::pal::Pal;

    #[test]
    fn clock_pairs_that_stay_are_a_second_apart_and_the_newest_is_now() {
        let clock = Clock::virtual_time();
        let pal = Pal::memory_with(clock.clone());
        let ring = pal.lease(RingOwner::Worker(0));
        let mut stamps = Vec::new();
        for _ in 0..100 {
            ring.clock_pair();
            stamps.push(clock.now());
            clock.advance_ns(300_000_000);
        }
        // The first pair is the log's own.
        let pairs = pal.log().clock_pairs()[1..].to_vec();
        let ticks: Vec<u64> = pairs.iter().map(|pair| pair.ticks).collect();
        assert_eq!(ticks.last(), stamps.last());
        assert_eq!(ticks.first(), stamps.first());
        let settled = &ticks[..ticks.len() - 1];
        let gaps: Vec<u64> = settled.windows(2).map(|two| two[1] - two[0]).collect();
        assert!(gaps.len() > 10, "{gaps:?}");
        assert!(
            gaps.iter()
                .all(|gap| (900_000_000..=1_500_000_000).contains(gap)),
            "{gaps:?}"
        );
    }
}
