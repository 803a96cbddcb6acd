//! The collector is a task like any other: seen in the log, never waited for, ended with its figures.

use glasshouse_diag::{
    COLLECTOR_NAME, CollectorGone, NODE_EXECUTIONS_TOTAL, NODE_OBSERVATIONS_LOST_TOTAL,
    NODE_RETRIES_TOTAL, NODE_RUN_SECONDS, NODE_RUNNING, NodeCollector, NodeOutcome,
    OBSERVATIONS_MAX,
};
use glasshouse_pal::{Event, Pal, TaskEvent, TaskId, TextId};
use glasshouse_scheduler::{Builder, Handle, Scheduler, task};
use glasshouse_telemetry::testing::Registry;
use std::sync::Arc;

fn scheduler() -> Scheduler {
    Builder::deterministic(1).build().expect("buildable")
}

/// The task of this name in the log.
fn task_named(pal: &Pal, name: &str) -> TaskId {
    let log = pal.log();
    let mut tasks = pal.events().into_iter().filter_map(|event| match event {
        TaskEvent::Spawned { tid, site, .. } => Some((tid, log.site(site)?)),
        _ => None,
    });
    let found = tasks.find(|(_, site)| site.name.as_deref() == Some(name));
    found.expect("a task of this name was spawned").0
}

#[test]
fn the_collector_is_a_task_that_is_done_when_it_is_finished() {
    let scheduler = scheduler();
    let pal = scheduler.handle().pal().clone();
    scheduler.block_on(async {
        let collector = NodeCollector::spawn(&Handle::current());
        collector.finish().await.expect("nothing ended it before");
    });
    let tid = task_named(&pal, COLLECTOR_NAME);
    let ends: Vec<TaskEvent> = pal
        .events()
        .into_iter()
        .filter(|event| event.tid() == Some(tid))
        .collect();
    assert!(matches!(ends.first(), Some(TaskEvent::Spawned { .. })));
    assert_eq!(ends.last(), Some(&TaskEvent::Done { tid }));
}

#[test]
fn a_snapshot_has_seen_all_that_was_observed_before_it() {
    scheduler().block_on(async {
        let collector = NodeCollector::spawn(&Handle::current());
        let observer = collector.observer();
        for run_ns in 1..=100 {
            observer.started(&"node".into(), 1);
            observer.ended(&"node".into(), 1, NodeOutcome::Success, run_ns);
        }
        let snapshot = observer.snapshot().await.expect("the collector runs");
        let figures = snapshot.node("node").expect("it was observed");
        assert_eq!((figures.executions, figures.run_ns.p99), (100, 99));
        assert_eq!(collector.finish().await, Ok(snapshot));
    });
}

#[test]
fn what_finds_the_queue_full_is_dropped_and_counted() {
    let registry = Registry::new();
    let builder = Builder::deterministic(1).recorder(Arc::new(registry.clone()));
    builder.build().expect("buildable").block_on(async {
        let collector = NodeCollector::spawn(&Handle::current());
        let observer = collector.observer();
        // Nothing else runs before the next await: the queue fills up.
        for _ in 0..OBSERVATIONS_MAX + 5 {
            observer.ended(&"node".into(), 1, NodeOutcome::Success, 1);
        }
        assert_eq!(observer.lost(), 5);
        let snapshot = collector.finish().await.expect("nothing ended it before");
        assert_eq!(snapshot.lost, 5);
        let executions = snapshot.node("node").map(|figures| figures.executions);
        assert_eq!(executions, Some(OBSERVATIONS_MAX as u64));
        observer.started(&"late".into(), 1);
        assert_eq!(observer.lost(), 6);
    });
    assert_eq!(registry.counter(NODE_OBSERVATIONS_LOST_TOTAL), Some(5));
}

#[test]
fn what_is_observed_reaches_the_schedulers_recorder() {
    let registry = Registry::new();
    let builder = Builder::deterministic(1).recorder(Arc::new(registry.clone()));
    builder.build().expect("buildable").block_on(async {
        let collector = NodeCollector::spawn(&Handle::current());
        let observer = collector.observer();
        let node = "build".into();
        observer.started(&node, 1);
        observer.ended(&node, 1, NodeOutcome::Timeout, 1_500_000_000);
        observer.retry(&node, 2, 10);
        observer.started(&node, 2);
        observer.ended(&node, 2, NodeOutcome::Success, 250_000_000);
        observer.started(&node, 3);
        collector.finish().await.expect("nothing ended it before");
    });
    let executions = |outcome| {
        let labels = [("node", "build"), ("outcome", outcome)];
        registry.counter_with(NODE_EXECUTIONS_TOTAL, &labels)
    };
    assert_eq!(
        (executions("timeout"), executions("success")),
        (Some(1), Some(1))
    );
    assert_eq!(executions("signal"), None);
    let node = [("node", "build")];
    assert_eq!(registry.counter_with(NODE_RETRIES_TOTAL, &node), Some(1));
    assert_eq!(registry.gauge_with(NODE_RUNNING, &node), Some(1.0));
    assert_eq!(
        registry.histogram_with(NODE_RUN_SECONDS, &node),
        [1.5, 0.25]
    );
    for name in [
        NODE_EXECUTIONS_TOTAL,
        NODE_RETRIES_TOTAL,
        NODE_RUNNING,
        NODE_RUN_SECONDS,
        NODE_OBSERVATIONS_LOST_TOTAL,
    ] {
        let description = registry.description(name).expect("it is described");
        assert!(
            description.unit.is_some() && !description.help.is_empty(),
            "{name}"
        );
    }
}

#[test]
fn what_happens_to_a_node_is_in_the_log_about_the_nodes_task() {
    let scheduler = scheduler();
    let pal = scheduler.handle().pal().clone();
    scheduler.block_on(async {
        let collector = NodeCollector::spawn(&Handle::current());
        let observer = collector.observer();
        let node = task::Builder::new().name("node:build").spawn(async move {
            observer.started(&"build".into(), 1);
            observer.ended(&"build".into(), 1, NodeOutcome::ExitCode, 42);
            observer.retry(&"build".into(), 2, 7);
        });
        node.await.expect("it ends");
        collector.finish().await.expect("nothing ended it before");
    });
    let log = pal.log();
    let text = |word: u64| log.text(TextId(word as u32)).expect("it was interned");
    let mut lines = Vec::new();
    for entry in log.records() {
        let Event::Domain(event) = entry.event else {
            continue;
        };
        assert_eq!(event.task(), Some(task_named(&pal, "node:build")));
        let schema = log.schema(event.kind()).expect("described at first use");
        let fields = schema
            .fields
            .iter()
            .zip(event.args())
            .map(|(field, &word)| {
                let value = match &*field.name {
                    "node" | "outcome" => text(word),
                    _ => word.to_string(),
                };
                format!(" {}={value}", field.name)
            });
        lines.push(schema.name.clone() + &fields.collect::<String>());
    }
    assert_eq!(
        lines,
        [
            "node_started node=build attempt=1",
            "node_ended node=build attempt=1 outcome=exit_code run_ns=42",
            "node_retry node=build attempt=2 backoff_ns=7",
        ]
    );
}

#[test]
fn a_collector_whose_scheduler_has_ended_says_so() {
    let scheduler = scheduler();
    let collector = scheduler.block_on(async { NodeCollector::spawn(&Handle::current()) });
    drop(scheduler);
    let other = self::scheduler();
    other.block_on(async {
        assert_eq!(collector.observer().snapshot().await, Err(CollectorGone));
        assert_eq!(collector.finish().await, Err(CollectorGone));
    });
}
