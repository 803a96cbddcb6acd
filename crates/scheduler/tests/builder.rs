//! Settings that cannot be used: each is refused with an error of its own, which names the cause and the remedy.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

use glasshouse_pal::{Clock, Pal};
use glasshouse_scheduler::{BuildError, Builder};
use glasshouse_telemetry::{BucketsError, MAX_BUCKETS};
use std::time::Duration;

/// The error of a plain build and of a local one.
fn refused(builder: impl Fn() -> Builder) -> [BuildError; 2] {
    [
        builder().build().unwrap_err(),
        builder().build_local().unwrap_err(),
    ]
}

/// Checks that both builds give the variant, and that its text has the cause and the remedy in this order.
fn check(
    builder: impl Fn() -> Builder,
    is_it: impl Fn(&BuildError) -> bool,
    cause: &str,
    remedy: &str,
) {
    for error in refused(builder) {
        assert!(is_it(&error), "{error:?}");
        let text = error.to_string();
        let (before, after) = text.split_once("; ").expect("a cause and a remedy");
        assert!(before.contains(cause), "{text}");
        assert!(after.contains(remedy), "{text}");
    }
}

#[test]
fn a_number_of_workers_that_cannot_be_had() {
    for workers in [0, 65_536, usize::MAX] {
        check(
            || Builder::new().workers(workers),
            |error| matches!(error, BuildError::Workers { workers: asked } if *asked == workers),
            &workers.to_string(),
            "1 to 65535",
        );
    }
    check(
        || Builder::deterministic(1).workers(2),
        |error| matches!(error, BuildError::Workers { workers: 2 }),
        "2 workers",
        "1 where the worker is the thread in block_on",
    );
}

#[test]
fn nothing_where_something_is_needed() {
    check(
        || Builder::new().max_blocking_threads(0),
        |error| matches!(error, BuildError::BlockingThreads),
        "0 threads",
        "at least 1",
    );
    check(
        || Builder::new().capacity(0),
        |error| matches!(error, BuildError::Capacity),
        "capacity of 0",
        "leave it out",
    );
    check(
        || Builder::new().quantum(Duration::ZERO),
        |error| matches!(error, BuildError::Quantum),
        "quantum of zero",
        "give it a length",
    );
    check(
        || Builder::new().stall_threshold(Duration::ZERO),
        |error| matches!(error, BuildError::StallThreshold),
        "threshold of zero",
        "Duration::MAX",
    );
}

#[test]
fn bounds_of_buckets_that_are_none() {
    let count = MAX_BUCKETS + 1;
    let many: Vec<f64> = (0..count).map(|n| n as f64).collect();
    for (bounds, error, cause, remedy) in [
        (vec![], BucketsError::Empty, "no", "at least one"),
        (many, BucketsError::TooMany { count }, "129", "at most 128"),
        (
            vec![-1.0],
            BucketsError::OutOfRange { bound: -1.0 },
            "-1",
            "between 0 and",
        ),
        (
            vec![2.0, 1.0],
            BucketsError::NotAscending { bound: 1.0 },
            "not above",
            "sort",
        ),
    ] {
        check(
            || Builder::new().buckets(bounds.clone()),
            |found| matches!(found, BuildError::Buckets(found) if *found == error),
            cause,
            remedy,
        );
    }
}

#[test]
fn a_log_whose_clock_does_not_fit() {
    for pal in [Pal::memory(), Pal::off()] {
        check(
            || Builder::deterministic(1).pal(pal.clone()),
            |error| matches!(error, BuildError::RealClock),
            "clock is real",
            "virtual_time()",
        );
    }
    check(
        || Builder::new().pal(Pal::memory_with(Clock::virtual_time())),
        |error| matches!(error, BuildError::VirtualClock),
        "clock is virtual",
        "Builder::deterministic",
    );
}

#[test]
fn a_builder_that_is_refused_starts_no_thread() {
    drop(refused(|| {
        Builder::new().workers(8).quantum(Duration::ZERO)
    }));
    for thread in std::fs::read_dir("/proc/self/task").unwrap() {
        // The harness's own threads come and go.
        let name = std::fs::read_to_string(thread.unwrap().path().join("comm"));
        assert!(!name.unwrap_or_default().starts_with("glasshouse"));
    }
}
