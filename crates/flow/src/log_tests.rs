//! A run as its log shows it: who ran, what each task waited for, and how it ended.

use crate::fake::{Bench, Script};
use glasshouse_pal::{Event, FieldType, Pal, TaskEvent, TaskId, TextId};

/// The events of the tasks of this name, one line each, in the order of the log.
fn lines_of(pal: &Pal, name: &str) -> Vec<String> {
    let log = pal.log();
    let is_spawn = |event: &TaskEvent| match *event {
        TaskEvent::Spawned { site, .. } => {
            log.site(site).and_then(|site| site.name).as_deref() == Some(name)
        }
        _ => false,
    };
    let spawned = pal.events().into_iter().filter(is_spawn);
    let tasks: Vec<Option<TaskId>> = spawned.map(|event| event.tid()).collect();
    assert!(!tasks.is_empty(), "no task {name} was spawned");
    let entries = log
        .records()
        .filter(|entry| tasks.contains(&entry.event.tid()));
    entries.map(|entry| line(pal, &entry.event)).collect()
}

fn line(pal: &Pal, event: &Event) -> String {
    let log = pal.log();
    let text = |id: TextId| log.text(id).expect("it is in the arena");
    match event {
        Event::Task(TaskEvent::Wake { by, .. }) => format!("wake by {}", by.name()),
        Event::Task(TaskEvent::LaneWait { lane, .. }) => format!("lane_wait {}", text(*lane)),
        Event::Task(TaskEvent::Sleep { dur, .. }) => format!("sleep {dur:?}"),
        Event::Task(TaskEvent::Failed { error, .. }) => {
            format!("failed {}: {}", error.kind.name(), text(error.text))
        }
        Event::Task(event) => event.state().map_or("-", |state| state.name()).to_owned(),
        Event::Domain(event) => {
            let schema = log.schema(event.kind()).expect("described at first use");
            let fields = schema.fields.iter().zip(event.args());
            let shown = fields.map(|(field, &word)| match field.ty {
                Some(FieldType::Text) => format!(" {}", text(TextId(word as u32))),
                _ => format!(" {word}"),
            });
            schema.name.clone() + &shown.collect::<String>()
        }
    }
}

#[test]
fn a_nodes_task_shows_its_wait_for_the_lane_its_attempts_and_its_failure() {
    let bench = Bench::new(
        "[lanes.one]\nlimit = 1",
        &[
            ("holder", "lane = \"one\""),
            ("before", ""),
            (
                "last",
                "lane = \"one\"\nneeds = [\"before\"]\nretries = 1\nbackoff = \"30ms\"",
            ),
        ],
        &[
            ("holder", &[Script::exits(0, 15)]),
            ("before", &[Script::exits(0, 5)]),
            ("last", &[Script::exits(3, 20), Script::exits(4, 20)]),
        ],
    );
    let report = bench.run();
    let pal = bench.scheduler.handle().pal().clone();
    assert_eq!(report.rows[2].waited_ns, 10_000_000);
    let lines = lines_of(&pal, "node:last");
    let own: Vec<&str> = lines
        .iter()
        .map(|line| &**line)
        .filter(|line| !line.starts_with("lane_acq"))
        .collect();
    assert_eq!(
        own[..6],
        [
            "scheduled",
            "running",
            "lane_wait one",
            "wake by lane",
            "running",
            "node_started last 1",
        ]
    );
    let ends: Vec<&str> = own
        .iter()
        .copied()
        .filter(|line| line.starts_with("node_"))
        .collect();
    assert_eq!(
        ends,
        [
            "node_started last 1",
            "node_ended last 1 exit_code 20000000",
            "node_retry last 2 30000000",
            "node_started last 2",
            "node_ended last 2 exit_code 20000000",
        ]
    );
    assert!(own.contains(&"sleep 30ms"));
    assert_eq!(own.last(), Some(&"failed error: exit code 4"));
}

#[test]
fn the_tasks_of_a_run_all_end_and_a_good_nodes_is_done() {
    let bench = Bench::new("", &[("good", "")], &[]);
    bench.run();
    let pal = bench.scheduler.handle().pal().clone();
    for name in ["node:good", "node-metrics", "lanes"] {
        assert_eq!(
            lines_of(&pal, name).last().map(String::as_str),
            Some("done"),
            "{name}"
        );
    }
}

#[test]
fn the_same_seed_leaves_the_same_log() {
    let log = |seed| {
        let fails = [Script::exits(1, 5), Script::exits(0, 5)];
        let bench = Bench::seeded(
            seed,
            "[lanes.one]\nlimit = 1",
            &[
                ("a", "lane = \"one\""),
                ("b", "lane = \"one\"\nretries = 1\nbackoff = \"3ms\""),
                ("c", "lane = \"one\""),
                ("d", "needs = [\"a\", \"b\"]"),
            ],
            &[("b", &fails)],
        );
        bench.run();
        let records = bench.scheduler.handle().pal().log().records();
        records
            .map(|entry| (entry.at_ns, entry.event))
            .collect::<Vec<_>>()
    };
    assert_eq!(log(7), log(7));
    let others: Vec<_> = (0..8).map(log).collect();
    assert!(
        others.iter().any(|other| *other != others[0]),
        "the seed chooses nothing"
    );
}
