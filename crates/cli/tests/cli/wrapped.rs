//! What commands say of a log whose rings have wrapped, and of tasks that still go on.

use crate::place::until;
use crate::program::Program;
use async_channel::{Sender, bounded};
use glasshouse_pal::{TaskId, TaskState};
use glasshouse_scheduler::{task, time};
use serde_json::Value;
use std::time::Duration;

/// A tick is two records, and a ring of a worker holds 131,072 of them at most.
const TICKS: usize = 80_000;

/// A program of one worker whose first records are gone, and that still runs.
struct Wrapped {
    program: Program,
    /// Sleeps since the beginning: no record of it is left.
    sleeper: TaskId,
    /// Yielded until the ring had wrapped, and now waits.
    spinner: TaskId,
    /// Keeps the spinner waiting.
    _word: Sender<()>,
}

fn wrapped() -> Wrapped {
    let program = Program::new(1);
    let (word, listens) = bounded::<()>(1);
    let sleeper = program.spawn("sleeper", async {
        time::sleep(Duration::from_secs(3600)).await;
    });
    let sleeper = sleeper.id();
    until("it sleeps", || {
        program.state(sleeper) == Some(TaskState::Sleeping)
    });
    let spinner = program.spawn("spinner", async move {
        for _ in 0..TICKS {
            task::yield_now().await;
        }
        let _ = listens.recv().await;
    });
    let spinner = spinner.id();
    until("it waits", || {
        program.state(spinner) == Some(TaskState::Waiting)
    });
    Wrapped {
        program,
        sleeper,
        spinner,
        _word: word,
    }
}

impl Wrapped {
    fn out(&self, args: &[&str]) -> String {
        let told = self.program.place.run(args);
        assert_eq!(told.code, Some(0), "{told:?}");
        told.out
    }

    fn of_task(&self, command: &str, task: TaskId) -> String {
        self.out(&[command, "run.pal", &task.to_string()])
    }

    fn json(&self, command: &str, task: TaskId) -> Vec<Value> {
        let place = &self.program.place;
        place.json(&[command, "run.pal", &task.to_string(), "--json"])
    }
}

#[test]
fn why_judges_a_task_from_the_oldest_record_of_it_and_tells_the_rest_by_the_table() {
    let wrapped = wrapped();
    let told = wrapped.of_task("why", wrapped.spinner);
    assert!(told.contains("; lost: "), "{told}");
    assert!(
        told.contains(
            "\nits spawn is not in the log any more: judged from the oldest record of it\n"
        ),
        "{told}"
    );
    assert!(
        told.contains("\nits whole life, by the task table: run "),
        "{told}"
    );
    assert!(told.contains("; still waiting\n"), "{told}");
    let json = &wrapped.json("why", wrapped.spinner)[0];
    assert_eq!(
        (&json["is_whole"], &json["state"]),
        (&false.into(), &"waiting".into())
    );
    let at = |key: &str| json[key].as_u64().expect(key);
    let parts = json["parts"].as_array().expect("parts");
    let sum: u64 = parts.iter().filter_map(|part| part["ns"].as_u64()).sum();
    assert_eq!(sum, at("to_at_ns") - at("from_at_ns"));
    assert_eq!(json["path"][0]["ns"], sum);
    let ran = json["table"]["run_ns"].as_u64().expect("a time");
    assert!(ran >= parts[0]["ns"].as_u64().expect("a time"));
    assert!(json["table"]["ticks"].as_u64() > Some(TICKS as u64));
}

#[test]
fn why_tells_a_task_of_which_no_record_is_left_by_the_table() {
    let wrapped = wrapped();
    let told = wrapped.of_task("why", wrapped.sleeper);
    assert!(told.contains("sleeper, spawned at "), "{told}");
    assert!(
        told.contains("\nno record of it is left; by the task table:\n"),
        "{told}"
    );
    assert!(told.contains("\nsince then it is sleeping, for "), "{told}");
    let json = &wrapped.json("why", wrapped.sleeper)[0];
    assert_eq!(
        (&json["state"], &json["path"]),
        (&"sleeping".into(), &Value::from(Vec::<u64>::new()))
    );
    assert_eq!(json["waits"]["can_any_act"], true);
}

#[test]
fn task_counts_what_goes_on_and_tells_from_where_on_it_knows() {
    let wrapped = wrapped();
    let told = wrapped.of_task("task", wrapped.spinner);
    let state = told.lines().rfind(|line| line.contains(" waiting "));
    assert!(state.expect("its last state").ends_with('+'), "{state:?}");
    assert!(
        told.contains("\nsince its spawn, by the task table"),
        "{told}"
    );
    let lines = wrapped.json("task", wrapped.spinner);
    let (whole, states) = lines.split_last().expect("a life");
    assert!(whole["ticks"].as_u64() > Some(TICKS as u64), "{whole}");
    assert_eq!(states.last().expect("a state")["is_going_on"], true);
    assert!(
        states.len() < 2 * TICKS,
        "{} of {}",
        states.len(),
        2 * TICKS
    );

    let told = wrapped.of_task("task", wrapped.sleeper);
    let state = told.lines().find(|line| line.starts_with("sleeping, for "));
    assert!(state.expect("its state").ends_with(" so far"), "{told}");
    let json = wrapped.json("task", wrapped.sleeper);
    assert_eq!((json.len(), &json[0]["state"]), (1, &"sleeping".into()));
    assert!(
        told.contains(&format!("#{} sleeper, spawned at ", wrapped.sleeper)),
        "{told}"
    );
    assert!(
        told.contains("\nsince its spawn, by the task table"),
        "{told}"
    );
}

#[test]
fn stats_count_from_the_horizon_and_what_goes_on() {
    let wrapped = wrapped();
    let stats = wrapped.program.place.json(&["stats", "run.pal", "--json"]);
    let overwritten = stats[0]["lost"]["overwritten"].as_u64();
    assert!(overwritten > Some(0), "{}", stats[0]["lost"]);
    let sites = stats[0]["sites"].as_array().expect("sites");
    let spinner = sites.iter().find(|site| site["name"] == "spinner");
    let spinner = spinner.expect("its site, from the task table");
    let ticks = spinner["ticks"].as_u64().expect("a count");
    assert!(ticks > 0 && ticks < TICKS as u64, "{ticks}");
    assert_eq!(spinner["tasks"], 1);
    // Its wait goes on, and is a sample all the same.
    assert!(spinner["wait_ns"]["sum"].as_u64() > Some(0), "{spinner}");
    // No record is left of this one, which goes on as well.
    let sleeper = sites.iter().find(|site| site["name"] == "sleeper");
    let sleeper = sleeper.expect("its site, from the task table");
    assert_eq!(
        (&sleeper["tasks"], &sleeper["ticks"]),
        (&1.into(), &0.into())
    );
    let slept = sleeper["waits_ns"]["sleeping"]["max"].as_u64();
    assert!(slept > stats[0]["retained_ns"].as_u64(), "{sleeper}");
}

#[test]
fn an_export_of_it_loads_and_has_whole_ticks_only() {
    let wrapped = wrapped();
    let told = wrapped.out(&["export", "run.pal", "--format", "chrome"]);
    let trace: Value = serde_json::from_str(&told).expect("one JSON object");
    let events = trace["traceEvents"].as_array().expect("events");
    let slices: Vec<&Value> = events.iter().filter(|event| event["ph"] == "X").collect();
    assert!(slices.len() > 1000, "{}", slices.len());
    assert!(slices.iter().all(|slice| slice["name"] == "spinner"));
    let tick = |slice: &&Value| {
        let number = |key: &str| slice[key].as_f64().expect("a number");
        (number("ts"), number("ts") + number("dur"))
    };
    let mut ticks: Vec<(f64, f64)> = slices.iter().map(tick).collect();
    ticks.sort_by(|one, other| one.0.total_cmp(&other.0));
    // Microseconds with three decimals; both ends are cut.
    let overlap = ticks.windows(2).find(|pair| pair[0].1 > pair[1].0 + 0.0015);
    assert_eq!(overlap, None);
}
