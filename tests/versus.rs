//! The side-by-side benchmark's arithmetic, against values worked out by hand and against other ways to
//! get there.

#![allow(clippy::unwrap_used, reason = "a test may end by a panic")]

#[allow(dead_code, reason = "the benchmark uses the rest")]
#[path = "../benches/versus/statistics.rs"]
mod statistics;

use statistics::{Interval, Verdict, geometric_mean, median, median_interval, quantile, speeds};

/// A sequence without an end that looks random and is the same in each run (SplitMix64).
fn random(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[test]
fn the_median_is_the_middle_in_whatever_order_the_samples_come() {
    assert_eq!(median(&[]), None);
    assert_eq!(median(&[7.0]), Some(7.0));
    assert_eq!(median(&[9.0, 1.0, 5.0]), Some(5.0));
    assert_eq!(median(&[9.0, 1.0, 5.0, 2.0]), Some(3.5));
}

#[test]
fn a_quantile_is_a_sample_by_its_nearest_rank() {
    let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
    assert_eq!(quantile(&hundred, 0.99), Some(99.0));
    assert_eq!(quantile(&hundred, 0.991), Some(100.0));
    assert_eq!(quantile(&hundred, 0.5), Some(50.0));
    assert_eq!(quantile(&hundred, 0.0), Some(1.0));
    assert_eq!(quantile(&hundred, 1.0), Some(100.0));
    assert_eq!(quantile(&[3.0], 0.99), Some(3.0));
    assert_eq!(quantile(&[], 0.99), None);
}

#[test]
fn the_geometric_mean_of_a_speed_and_its_inverse_is_one() {
    assert_eq!(geometric_mean(&[]), None);
    assert!((geometric_mean(&[4.0, 0.25]).unwrap() - 1.0).abs() < 1e-12);
    assert!((geometric_mean(&[1.0, 2.0, 4.0]).unwrap() - 2.0).abs() < 1e-12);
}

#[test]
fn a_speed_above_one_means_that_ours_took_less() {
    assert_eq!(speeds(&[10.0, 20.0], &[30.0, 10.0]), [3.0, 0.5]);
}

#[test]
fn an_interval_of_fifteen_leaves_out_three_at_each_end() {
    let samples: Vec<f64> = (1..=15).rev().map(f64::from).collect();
    let interval = median_interval(&samples).unwrap();
    assert_eq!(
        interval,
        Interval {
            low: 4.0,
            high: 12.0
        }
    );
}

#[test]
fn the_tables_of_the_sign_test_are_met() {
    // The number left out at each end, two-sided at 0.05, as printed in tables of the test.
    for (len, cut) in [
        (6, 0),
        (8, 0),
        (9, 1),
        (11, 1),
        (12, 2),
        (15, 3),
        (20, 5),
        (25, 7),
        (30, 9),
    ] {
        let samples: Vec<f64> = (0..len).map(f64::from).collect();
        let interval = median_interval(&samples).unwrap();
        assert_eq!(interval.low, f64::from(cut), "of {len}");
        assert_eq!(interval.high, f64::from(len - 1 - cut), "of {len}");
    }
}

#[test]
fn fewer_than_six_samples_have_no_interval() {
    for len in 0..6 {
        assert_eq!(median_interval(&vec![1.0; len]), None, "of {len}");
    }
    assert!(median_interval(&[1.0; 6]).is_some());
}

#[test]
fn an_interval_holds_the_true_median_95_times_of_100_whatever_the_distribution() {
    // Skewed: the true median of 2 to the power of a number that is even over (-4, 4) is 1.
    let mut random = random(20260);
    let (rounds, mut holding) = (4000, 0);
    for _ in 0..rounds {
        let samples: Vec<f64> = (0..15)
            .map(|_| {
                let part = (random() >> 11) as f64 / (1u64 << 53) as f64;
                (part * 8.0 - 4.0).exp2()
            })
            .collect();
        let interval = median_interval(&samples).unwrap();
        if interval.low <= 1.0 && 1.0 <= interval.high {
            holding += 1;
        }
    }
    let part = f64::from(holding) / f64::from(rounds);
    // The test's own figure for 15 is 0.965; four standard errors of 4,000 rounds are 0.012.
    assert!((0.953..0.977).contains(&part), "{part}");
}

#[test]
fn a_verdict_asks_whether_the_interval_reaches_the_bar() {
    let interval = |low, high| Some(Interval { low, high });
    assert_eq!(Verdict::of(interval(1.1, 1.3), 1.0), Verdict::Faster);
    assert_eq!(Verdict::of(interval(0.8, 1.0), 1.0), Verdict::NoSlower);
    assert_eq!(Verdict::of(interval(0.8, 0.99), 1.0), Verdict::Slower);
    assert_eq!(Verdict::of(interval(0.8, 0.98), 0.97), Verdict::NoSlower);
    assert_eq!(Verdict::of(interval(0.8, 0.96), 0.97), Verdict::Slower);
    assert_eq!(Verdict::of(interval(1.0, 1.2), 1.0), Verdict::NoSlower);
    assert_eq!(Verdict::of(None, 1.0), Verdict::Unknown);
}
