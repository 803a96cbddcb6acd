//! Owns how far a timer's time is rounded up, and the units that a wheel counts in.

use super::{DIGIT_BITS, NEVER};

/// 2^13 ns = 8 µs: the unit of level 0, finer than what a sleeping thread is woken by (Linux lets a
/// timed wait run over by 50 µs, so that it can serve several at once).
pub(super) const UNIT_BITS: u32 = 13;
/// 2^19 ns = 0.52 ms: no timer is later than that.
pub(super) const COARSE_BITS: u32 = UNIT_BITS + DIGIT_BITS;
/// A timer is late by at most the 2^5th part of its distance (or a unit).
pub(super) const SLACK_BITS: u32 = 5;

/// The units of a wheel: nanoseconds in virtual time, where nothing is rounded, else coarser ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rounding {
    /// Nanoseconds of a unit, as a power of two.
    unit_bits: u32,
}

impl Rounding {
    pub(crate) fn new(is_exact: bool) -> Rounding {
        Rounding {
            unit_bits: if is_exact { 0 } else { UNIT_BITS },
        }
    }

    #[inline]
    pub(super) fn is_exact(self) -> bool {
        self.unit_bits == 0
    }

    /// The nanosecond at which a unit begins.
    #[inline]
    pub(crate) fn ns(self, units: u64) -> u64 {
        match units {
            NEVER => NEVER,
            _ => units << self.unit_bits,
        }
    }

    /// The unit that this nanosecond is in.
    #[inline]
    pub(super) fn passed(self, ns: u64) -> u64 {
        ns >> self.unit_bits
    }

    /// When a timer fires, in units. Never before `deadline_ns`.
    #[inline]
    pub(super) fn up(self, deadline_ns: u64, now_ns: u64) -> u64 {
        if self.is_exact() || deadline_ns == NEVER {
            return deadline_ns;
        }
        let distance = deadline_ns.saturating_sub(now_ns).max(1);
        let step = distance
            .ilog2()
            .saturating_sub(SLACK_BITS)
            .clamp(UNIT_BITS, COARSE_BITS);
        let last = (1 << step) - 1;
        deadline_ns.saturating_add(last) >> step << (step - UNIT_BITS)
    }

    /// Whether what fires at `fires_ns` is where a timer with this deadline would be, and the order of the two
    /// does not matter.
    #[inline]
    pub(crate) fn is_same(self, fires_ns: u64, deadline_ns: u64, now_ns: u64) -> bool {
        !self.is_exact() && self.ns(self.up(deadline_ns, now_ns)) == fires_ns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_is_late_by_at_most_a_32nd_of_its_distance_and_half_a_millisecond() {
        let rounding = Rounding::new(false);
        for now in [0, 1, 12_345_678_901] {
            for bits in 0..40 {
                for distance in [1_u64 << bits, (1 << bits) + 1, (3 << bits) - 1] {
                    let deadline = now + distance;
                    let late = rounding
                        .ns(rounding.up(deadline, now))
                        .checked_sub(deadline);
                    let allowed = (distance / 32).clamp(1 << UNIT_BITS, 1 << COARSE_BITS);
                    assert!(
                        late.is_some_and(|late| late < allowed),
                        "{late:?} late after {distance}"
                    );
                }
            }
        }
    }

    #[test]
    fn virtual_time_is_exact() {
        let rounding = Rounding::new(true);
        assert_eq!(rounding.ns(rounding.up(12_345, 7)), 12_345);
        assert!(!rounding.is_same(12_345, 12_345, 7), "the order matters");
    }

    #[test]
    fn what_never_fires_is_not_rounded() {
        for is_exact in [true, false] {
            let rounding = Rounding::new(is_exact);
            assert_eq!(rounding.ns(rounding.up(NEVER, 5)), NEVER);
        }
    }
}
