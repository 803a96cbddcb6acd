//! Owns how long a node waits before it is tried again.

use std::time::Duration;

/// The longest that doubling makes a wait. A guess: longer than the usual hiccup of a disk or a
/// network, short enough that a person still waits for it.
pub const BACKOFF_CAP: Duration = Duration::from_secs(60);

/// The first wait of a node that names retries and no backoff.
pub const BACKOFF_DEFAULT: Duration = Duration::from_millis(250);

/// The wait before retry `retry` (the first is 1): `base * 2^(retry - 1)`, at most [`BACKOFF_CAP`], or at
/// most `base` where that is longer. No jitter: a flow's nodes do not meet at one server, and its timing
/// stays the same on every run.
///
/// ```
/// use glasshouse_flow::{BACKOFF_CAP, backoff};
/// use std::time::Duration;
/// let base = Duration::from_millis(250);
/// assert_eq!(backoff(base, 1), base);
/// assert_eq!(backoff(base, 3), Duration::from_secs(1));
/// assert_eq!(backoff(base, 1_000), BACKOFF_CAP);
/// ```
pub fn backoff(base: Duration, retry: u32) -> Duration {
    let doublings = retry.saturating_sub(1);
    let factor = 2_u32.checked_pow(doublings).unwrap_or(u32::MAX);
    base.saturating_mul(factor).min(BACKOFF_CAP.max(base))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_base_above_the_cap_stays_as_it_is() {
        let base = BACKOFF_CAP * 5;
        assert_eq!(backoff(base, 1), base);
        assert_eq!(backoff(base, 9), base);
    }

    #[test]
    fn no_backoff_stays_none() {
        assert_eq!(backoff(Duration::ZERO, 40), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn each_wait_is_twice_the_last_up_to_the_cap(base_ms in 1u64..100_000, retry in 1u32..80) {
            let base = Duration::from_millis(base_ms);
            let doubled = (backoff(base, retry) * 2).min(BACKOFF_CAP.max(base));
            prop_assert_eq!(backoff(base, retry + 1), doubled);
        }
    }
}
