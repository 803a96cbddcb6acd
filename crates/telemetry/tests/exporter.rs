//! The exporter: what a scrape shows equals a recount of the log, and totals never fall.
#![cfg(feature = "record")]

mod drive;

use drive::{Drive, Recount, every_life, here, workers};
use glasshouse_telemetry::pal::{Clock, TaskState};
use glasshouse_telemetry::prometheus::Exporter;
use glasshouse_telemetry::testing::Registry;
use glasshouse_telemetry::{
    BUDGET_THROTTLE_TOTAL, DEFAULT_BUCKETS, Leave, MICROSECOND_BUCKETS, READY_DELAY_SECONDS,
    READY_QUEUE_DEPTH, RUN_LATENCY_SECONDS, Settings, TASKS_RUNNING_TOTAL, TASKS_STATE_TOTAL,
    WAIT_TIME_SECONDS, Woken,
};
use std::sync::Arc;

/// The value of the series that a scrape shows as `series`.
fn value(text: &str, series: &str) -> f64 {
    let lines: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix(series)?.strip_prefix(' '))
        .collect();
    assert_eq!(lines.len(), 1, "{series} in\n{text}");
    lines[0].parse().expect("a number")
}

fn assert_shows(text: &str, recount: &Recount, buckets: &[f64]) {
    let count = |state: TaskState| recount.states[state as usize] as f64;
    for state in TaskState::ALL {
        let series = format!("{TASKS_STATE_TOTAL}{{state=\"{}\"}}", state.name());
        assert_eq!(value(text, &series), count(state), "{series}");
    }
    for state in [TaskState::Done, TaskState::Failed] {
        let series = format!("{TASKS_RUNNING_TOTAL}{{state=\"{}\"}}", state.name());
        assert_eq!(value(text, &series), count(state), "{series}");
    }
    assert_eq!(
        value(text, BUDGET_THROTTLE_TOTAL),
        count(TaskState::Throttled)
    );
    for (name, samples_ns) in [
        (RUN_LATENCY_SECONDS, &recount.run_ns),
        (WAIT_TIME_SECONDS, &recount.wait_ns),
        (READY_DELAY_SECONDS, &recount.ready_ns),
    ] {
        for &bound in buckets {
            let within = samples_ns
                .iter()
                .filter(|&&ns| ns as f64 / 1e9 <= bound)
                .count();
            let series = format!("{name}_bucket{{le=\"{bound}\"}}");
            assert_eq!(value(text, &series), within as f64, "{series}");
        }
        let all = samples_ns.len() as f64;
        assert_eq!(value(text, &format!("{name}_bucket{{le=\"+Inf\"}}")), all);
        assert_eq!(value(text, &format!("{name}_count")), all);
        let sum = samples_ns.iter().sum::<u64>() as f64 / 1e9;
        assert_eq!(value(text, &format!("{name}_sum")), sum, "{name}");
    }
}

#[test]
fn a_scrape_equals_a_recount_of_the_log() {
    let exporter = Exporter::new();
    let drive = Drive::new(Settings {
        exporter: Some(exporter.clone()),
        ..workers(1)
    });
    let _worker = every_life(&drive);
    let recount = Recount::of(&drive.stamped());
    assert!(recount.wait_ns.len() > 3 && recount.states.iter().skip(1).all(|&count| count > 0));
    assert_shows(&exporter.render(), &recount, &DEFAULT_BUCKETS);
}

#[test]
fn a_scrape_equals_a_recount_with_other_buckets() {
    let exporter = Exporter::new();
    let drive = Drive::new(Settings {
        exporter: Some(exporter.clone()),
        buckets: Some(MICROSECOND_BUCKETS.to_vec()),
        ..workers(1)
    });
    let _worker = every_life(&drive);
    let recount = Recount::of(&drive.stamped());
    assert_shows(&exporter.render(), &recount, &MICROSECOND_BUCKETS);
}

#[test]
fn a_scrape_describes_every_family_with_help_type_and_unit() {
    let exporter = Exporter::new();
    let drive = Drive::new(Settings {
        exporter: Some(exporter.clone()),
        ..workers(1)
    });
    let text = exporter.render();
    for (name, kind, unit) in [
        (READY_QUEUE_DEPTH, "gauge", "count"),
        (TASKS_RUNNING_TOTAL, "counter", "count"),
        (TASKS_STATE_TOTAL, "counter", "count"),
        (BUDGET_THROTTLE_TOTAL, "counter", "count"),
        (RUN_LATENCY_SECONDS, "histogram", "seconds"),
        (WAIT_TIME_SECONDS, "histogram", "seconds"),
        (READY_DELAY_SECONDS, "histogram", "seconds"),
    ] {
        let help = format!("# HELP {name} ");
        assert!(
            text.lines()
                .any(|line| line.len() > help.len() && line.starts_with(&help))
        );
        assert!(text.contains(&format!("# TYPE {name} {kind}\n")), "{text}");
        assert!(text.contains(&format!("# UNIT {name} {unit}\n")), "{text}");
    }
    drop(drive);
}

#[test]
fn totals_never_fall_when_workers_and_schedulers_end() {
    let exporter = Exporter::new();
    let first = Drive::new(Settings {
        exporter: Some(exporter.clone()),
        ..workers(1)
    });
    let second = Drive::new(Settings {
        exporter: Some(exporter.clone()),
        ..workers(1)
    });
    let worker = every_life(&first);
    let other_worker = every_life(&second);
    let totals = |text: &str| {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let before = totals(&exporter.render());
    drop(worker);
    assert_eq!(totals(&exporter.render()), before);
    first.hub.close();
    assert_eq!(totals(&exporter.render()), before);
    first.hub.close();
    assert_eq!(
        totals(&exporter.render()),
        before,
        "closing twice counts once"
    );
    drop(first);
    drop((other_worker, second));
    assert_eq!(totals(&exporter.render()), before);
}

#[test]
fn several_schedulers_are_summed() {
    let exporter = Exporter::new();
    let settings = || Settings {
        exporter: Some(exporter.clone()),
        ..workers(1)
    };
    let (one, two) = (Drive::new(settings()), Drive::new(settings()));
    let _workers = (every_life(&one), every_life(&two));
    one.hub.pushed();
    two.hub.pushed();
    two.hub.pushed();
    let mut records = one.stamped();
    let text = exporter.render();
    let alone = Recount::of(&records);
    let done = format!("{TASKS_RUNNING_TOTAL}{{state=\"done\"}}");
    let once = alone.states[TaskState::Done as usize] as f64;
    assert_eq!(value(&text, &done), 2.0 * once);
    let count = format!("{RUN_LATENCY_SECONDS}_count");
    assert_eq!(value(&text, &count), 2.0 * alone.run_ns.len() as f64);
    assert_eq!(value(&text, READY_QUEUE_DEPTH), 3.0);
    records.clear();
}

#[test]
fn the_depth_of_a_scheduler_ends_with_it() {
    let exporter = Exporter::new();
    let drive = Drive::new(Settings {
        exporter: Some(exporter.clone()),
        ..workers(1)
    });
    drive.hub.pushed();
    assert_eq!(value(&exporter.render(), READY_QUEUE_DEPTH), 1.0);
    drive.hub.close();
    assert_eq!(value(&exporter.render(), READY_QUEUE_DEPTH), 0.0);
}

#[test]
fn an_exporter_that_is_current_when_the_scheduler_is_built_pulls() {
    let exporter = Exporter::new();
    let drive = metrics::with_local_recorder(&exporter.recorder(), || Drive::new(workers(1)));
    let _worker = every_life(&drive);
    assert_shows(
        &exporter.render(),
        &Recount::of(&drive.stamped()),
        &DEFAULT_BUCKETS,
    );
}

#[test]
fn an_exporter_given_as_a_recorder_pulls_and_given_twice_counts_once() {
    let exporter = Exporter::new();
    let drive = Drive::new(Settings {
        exporter: Some(exporter.clone()),
        recorder: Some(Arc::new(exporter.recorder())),
        ..workers(1)
    });
    let _worker = every_life(&drive);
    assert_shows(
        &exporter.render(),
        &Recount::of(&drive.stamped()),
        &DEFAULT_BUCKETS,
    );
}

#[test]
fn an_exporter_behind_another_recorder_is_pushed_into_the_same_series() {
    let exporter = Exporter::new();
    let recorder: Box<dyn metrics::Recorder + Send + Sync> = Box::new(exporter.recorder());
    let pushing = Drive::new(Settings {
        recorder: Some(Arc::new(recorder)),
        ..workers(1)
    });
    let worker = every_life(&pushing);
    assert_shows(
        &exporter.render(),
        &Recount::of(&pushing.stamped()),
        &DEFAULT_BUCKETS,
    );

    // Beside a scheduler that the exporter pulls from, each name is still there once.
    let pulled = Drive::new(Settings {
        exporter: Some(exporter.clone()),
        ..workers(1)
    });
    let _workers = (worker, every_life(&pulled));
    pushing.hub.pushed();
    pulled.hub.pushed();
    let text = exporter.render();
    let alone = Recount::of(&pulled.stamped());
    let count = format!("{RUN_LATENCY_SECONDS}_count");
    assert_eq!(value(&text, &count), 2.0 * alone.run_ns.len() as f64);
    assert_eq!(value(&text, READY_QUEUE_DEPTH), 2.0);
    assert_eq!(
        text.matches(&format!("# TYPE {RUN_LATENCY_SECONDS} "))
            .count(),
        1
    );
}

#[test]
fn the_tasks_own_metrics_land_in_the_builders_exporter() {
    let exporter = Exporter::new();
    let drive = Drive::new(Settings {
        exporter: Some(exporter.clone()),
        ..workers(1)
    });
    drive.hub.enter(|| metrics::counter!("pages").increment(4));
    assert_eq!(value(&exporter.render(), "pages"), 4.0);
}

#[test]
fn an_exporter_and_a_recorder_are_both_served() {
    let (exporter, registry) = (Exporter::new(), Registry::new());
    let drive = Drive::new(Settings {
        exporter: Some(exporter.clone()),
        recorder: Some(Arc::new(registry.clone())),
        ..workers(1)
    });
    let _worker = every_life(&drive);
    let recount = Recount::of(&drive.stamped());
    assert_shows(&exporter.render(), &recount, &DEFAULT_BUCKETS);
    assert_eq!(
        registry.histogram(RUN_LATENCY_SECONDS).len(),
        recount.run_ns.len()
    );
}

#[test]
fn a_scrape_while_workers_count_never_shows_fewer_than_the_last() {
    let exporter = Exporter::new();
    let drive = Drive::on(
        Clock::process(),
        Settings {
            exporter: Some(exporter.clone()),
            ..workers(2)
        },
    );
    let count = format!("{RUN_LATENCY_SECONDS}_count");
    let sum = format!("{RUN_LATENCY_SECONDS}_sum");
    const TICKS: u64 = 2_000;
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..2)
            .map(|index| {
                let drive = &drive;
                scope.spawn(move || {
                    let worker = drive.hub.worker(index);
                    let task = worker.spawned(&here(), None);
                    for _ in 0..TICKS {
                        drive.tick(&worker, &task, 0, Leave::Yield(Woken::AsNoted));
                    }
                })
            })
            .collect();
        let mut last = (0.0, 0.0);
        while running.iter().any(|thread| !thread.is_finished()) {
            let text = exporter.render();
            let now = (value(&text, &count), value(&text, &sum));
            assert!(now.0 >= last.0 && now.1 >= last.1, "{now:?} after {last:?}");
            last = now;
        }
    });
    assert_eq!(value(&exporter.render(), &count), 2.0 * TICKS as f64);
}
