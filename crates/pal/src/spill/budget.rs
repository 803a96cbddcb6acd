//! Owns the count of the bytes that may be written: so many a second on average, saved up for a while.

/// How long what is not written is saved up, in seconds: a burst may take so much of the budget.
const SAVED_SECONDS: u64 = 2;

/// The bytes that may be written now.
pub(super) struct Budget {
    bytes_per_second: Option<u64>,
    /// May fall below zero by what one block is longer than it was thought to be.
    left: i64,
    /// When it was last added to, in nanoseconds.
    at_ns: u64,
}

impl Budget {
    pub(super) fn new(bytes_per_second: Option<u64>, now_ns: u64) -> Budget {
        let mut budget = Budget {
            bytes_per_second,
            left: 0,
            at_ns: now_ns,
        };
        budget.left = budget.most();
        budget
    }

    fn most(&self) -> i64 {
        let most = self
            .bytes_per_second
            .unwrap_or(0)
            .saturating_mul(SAVED_SECONDS);
        i64::try_from(most).unwrap_or(i64::MAX)
    }

    /// Whether so many bytes, by a guess, may be written now.
    pub(super) fn allows(&mut self, bytes: u64, now_ns: u64) -> bool {
        let Some(rate) = self.bytes_per_second else {
            return true;
        };
        let since = now_ns.saturating_sub(self.at_ns);
        let earned = u128::from(rate) * u128::from(since) / 1_000_000_000;
        if earned > 0 {
            let earned = i64::try_from(earned).unwrap_or(i64::MAX);
            self.left = self.left.saturating_add(earned).min(self.most());
            self.at_ns = now_ns;
        }
        // What is longer than all that can be saved up is written when that much is.
        self.left >= i64::try_from(bytes).unwrap_or(i64::MAX).min(self.most())
    }

    /// So many were written.
    pub(super) fn spend(&mut self, bytes: u64) {
        self.left = self
            .left
            .saturating_sub(i64::try_from(bytes).unwrap_or(i64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn over_a_long_time_no_more_is_allowed_than_the_rate_and_what_was_saved_up() {
        let mut budget = Budget::new(Some(1000), 0);
        let mut written = 0;
        for tick in 0..100 * 60 {
            if budget.allows(70, tick * SECOND / 100) {
                budget.spend(70);
                written += 70;
            }
        }
        assert!((59_000..=62_000).contains(&written), "{written}");
    }

    #[test]
    fn a_block_longer_than_all_that_can_be_saved_up_is_written_now_and_then() {
        let mut budget = Budget::new(Some(10), 0);
        assert!(budget.allows(500, 0));
        budget.spend(500);
        assert!(!budget.allows(500, 40 * SECOND));
        assert!(budget.allows(500, 50 * SECOND));
    }

    #[test]
    fn without_a_rate_everything_is_allowed() {
        let mut budget = Budget::new(None, 0);
        budget.spend(u64::MAX);
        assert!(budget.allows(u64::MAX, 0));
    }
}
