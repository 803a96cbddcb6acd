//! Owns the conversion between raw clock ticks and nanoseconds: one fixed multiplier.

/// Ticks to nanoseconds and back: `ns = ticks * mult / 2^SHIFT`, rounded down.
///
/// ```
/// use glasshouse_pal::Rate;
/// let rate = Rate::per_second(2_000_000_000);
/// assert_eq!(rate.ns(7), 3);
/// assert_eq!(rate.ticks(3), 7); // the largest count that is still 3 ns
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Nanoseconds per tick in units of 2^-48.
    mult: u64,
    /// Ticks per nanosecond in units of 2^-56; only a first guess for [`Rate::ticks`].
    inverse: u64,
}

const INVERSE_SHIFT: u32 = 56;
/// Up to here the guess made with `inverse` is at most a few ticks off (its error is below 2^-55).
const GUESS_LIMIT_NS: u64 = 1 << 54;

impl Rate {
    /// The multiplier's fraction bits.
    pub const SHIFT: u32 = 48;
    /// One tick is one nanosecond.
    pub const UNITY: Rate = match Rate::from_mult(1 << Rate::SHIFT) {
        Some(rate) => rate,
        None => unreachable!(),
    };

    /// The rate with this multiplier; `None` for one outside 2^-24 to 2^12 nanoseconds a tick,
    /// which no clock has and a damaged log may claim.
    pub const fn from_mult(mult: u64) -> Option<Rate> {
        if mult < 1 << 24 || mult > 1 << 60 {
            return None;
        }
        let inverse = (1u128 << (Rate::SHIFT + INVERSE_SHIFT)) / mult as u128;
        let inverse = if inverse > u64::MAX as u128 {
            u64::MAX
        } else {
            inverse as u64
        };
        Some(Rate { mult, inverse })
    }

    /// The rate of a counter of `hertz` ticks a second.
    ///
    /// # Panics
    ///
    /// When `hertz` is below 250 kHz or above 10^16.
    pub const fn per_second(hertz: u64) -> Rate {
        assert!(hertz > 0, "a clock that does not tick has no rate");
        let mult = (1_000_000_000u128 << Rate::SHIFT) / hertz as u128;
        assert!(mult <= 1 << 60, "the counter is too slow for a clock");
        match Rate::from_mult(mult as u64) {
            Some(rate) => rate,
            None => panic!("the counter's frequency is out of range"),
        }
    }

    /// The multiplier, as the log's header stores it.
    pub const fn mult(self) -> u64 {
        self.mult
    }

    /// Ticks in nanoseconds, rounded down; saturates.
    #[inline]
    pub const fn ns(self, ticks: u64) -> u64 {
        let wide = (ticks as u128 * self.mult as u128) >> Rate::SHIFT;
        if wide > u64::MAX as u128 {
            u64::MAX
        } else {
            wide as u64
        }
    }

    /// The largest count of ticks that is not longer than `ns`; saturates.
    #[inline]
    pub const fn ticks(self, ns: u64) -> u64 {
        if ns >= GUESS_LIMIT_NS || self.inverse == u64::MAX {
            return self.ticks_by_division(ns);
        }
        // The first count that is longer than `ns` is near (ns + 1) / mult. `inverse` is rounded
        // down, so the guess is at most one too large, and too small by less than a few ticks.
        let mut ticks = (((ns as u128 + 1) * self.inverse as u128) >> INVERSE_SHIFT) as u64;
        while self.ns(ticks) > ns {
            ticks -= 1;
        }
        while self.ns(ticks + 1) <= ns {
            ticks += 1;
        }
        ticks
    }

    const fn ticks_by_division(self, ns: u64) -> u64 {
        // floor(t * mult / 2^s) <= ns  <=>  t * mult < (ns + 1) * 2^s
        let bound = ((ns as u128 + 1) << Rate::SHIFT) - 1;
        let ticks = bound / self.mult as u128;
        if ticks > u64::MAX as u128 {
            u64::MAX
        } else {
            ticks as u64
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ticks_is_the_largest_count_within_the_nanoseconds(
            hertz in 1_000_000u64..20_000_000_000,
            ns in 0u64..1 << 58,
        ) {
            let rate = Rate::per_second(hertz);
            let ticks = rate.ticks(ns);
            prop_assert!(rate.ns(ticks) <= ns);
            prop_assert!(rate.ns(ticks + 1) > ns);
        }
    }

    #[test]
    fn unity_changes_nothing() {
        for value in [0, 1, 12_345, u64::MAX >> 1, u64::MAX] {
            assert_eq!(Rate::UNITY.ns(value), value);
            assert_eq!(Rate::UNITY.ticks(value), value);
        }
    }

    #[test]
    fn a_multiplier_that_no_clock_has_is_refused() {
        for mult in [0, 1, (1 << 24) - 1, (1 << 60) + 1, u64::MAX] {
            assert_eq!(Rate::from_mult(mult), None);
        }
    }

    #[test]
    fn conversions_saturate() {
        let slow = Rate::per_second(1_000_000);
        assert_eq!(slow.ns(u64::MAX), u64::MAX);
        let fast = Rate::per_second(4_000_000_000);
        assert_eq!(fast.ticks(u64::MAX), u64::MAX);
    }
}
