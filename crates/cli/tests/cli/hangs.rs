//! What `glasshouse why` says of a whole process: what holds its workers, what hangs, and what it cannot know.

use crate::place::{Place, until};
use crate::program::Program;
use async_channel::bounded;
use glasshouse_lanes::Lanes;
use glasshouse_pal::spill::Settings;
use glasshouse_pal::{TaskId, TaskState};
use glasshouse_scheduler::{task, time};
use serde_json::Value;
use std::time::Duration;

/// A tick is two records, and a ring of a worker holds 131,072 of them at most.
const TICKS: usize = 80_000;

fn told(program: &Program) -> String {
    let told = program.place.run(&["why", "run.pal"]);
    assert_eq!((told.code, told.err.as_str()), (Some(0), ""));
    told.out
}

fn json(program: &Program) -> Value {
    program.place.json(&["why", "run.pal", "--json"]).remove(0)
}

fn until_it_is(program: &Program, task: TaskId, state: TaskState) {
    until(&format!("{task} is {}", state.name()), || {
        program.state(task) == Some(state)
    });
}

fn prospect(of: &Value, task: TaskId) -> &str {
    let waiting = of["waiting"].as_array().expect("waits");
    let wait = waiting.iter().find(|wait| wait["task"] == task.number());
    wait.expect("it waits")["prospect"].as_str().expect("one")
}

/// A task that waits for a permit of the lane `db`, which one took that has ended and never gave it back.
fn left_in_the_lurch(program: &Program) -> (Lanes, TaskId) {
    let lanes = Lanes::builder().lane("db", 1).build(program.handle());
    let lanes = lanes.expect("lanes");
    let [first, second] = [(); 2].map(|()| lanes.lane("db").expect("there"));
    let leaker = program.spawn("leaker", async move {
        std::mem::forget(first.acquire().await);
    });
    until("its end", || program.state(leaker.id()).is_none());
    let query = program.spawn("query", async move {
        let _permit = second.acquire().await;
    });
    let query = query.id();
    until_it_is(program, query, TaskState::LaneWait);
    (lanes, query)
}

#[test]
fn a_lane_whose_holders_have_ended_is_a_hang_and_our_own_idle_host_is_none() {
    let program = Program::new(1);
    let (_lanes, query) = left_in_the_lurch(&program);
    let told = told(&program);
    let (_, stuck) = told
        .split_once("nothing that the log knows of can wake\n")
        .unwrap_or_else(|| panic!("{told}"));
    let stuck: Vec<&str> = stuck.lines().take_while(|line| !line.is_empty()).collect();
    assert_eq!(stuck.len(), 1, "{told}");
    assert!(
        stuck[0].starts_with(&format!("  #{query} query, for ")),
        "{told}"
    );
    assert!(stuck[0].contains(": lane db, held by #"), "{told}");
    assert!(stuck[0].ends_with(" leaker (ended)"), "{told}");
    assert!(told.contains("that others ask it to serve them"), "{told}");
}

#[test]
fn a_lane_whose_holders_have_ended_is_told_beside_tasks_that_act_and_may_have_the_permit() {
    let program = Program::new(1);
    let ticker = program.spawn("ticker", async {
        time::sleep(Duration::from_secs(3600)).await;
    });
    until_it_is(&program, ticker.id(), TaskState::Sleeping);
    let (_lanes, query) = left_in_the_lurch(&program);
    assert_eq!(prospect(&json(&program), query), "unknown");
    let told = told(&program);
    assert!(told.contains("\nnone is known to hang; "), "{told}");
    assert!(!told.contains("none hangs by what"), "{told}");
    assert!(
        told.contains("\n  they hang unless a task was handed the permit\n"),
        "{told}"
    );
}

#[test]
fn a_tick_that_does_not_come_to_its_end_is_named_with_the_worker_that_it_holds() {
    let program = Program::new(1);
    let (say, hears) = std::sync::mpsc::channel::<()>();
    let stuck = program.spawn("computing", async move {
        let _ = hears.recv();
    });
    until_it_is(&program, stuck.id(), TaskState::Running);
    let waits = program.spawn("waits", std::future::pending::<()>());
    until("it is told", || {
        !json(&program)["held"]
            .as_array()
            .expect("a list")
            .is_empty()
    });
    let json = json(&program);
    assert_eq!(
        (
            &json["held"][0]["task"],
            &json["held"][0]["worker"],
            &json["is_no_worker_free"]
        ),
        (&stuck.id().number().into(), &0.into(), &true.into())
    );
    let of_all = told(&program);
    assert!(!of_all.contains("none hangs"), "{of_all}");
    assert!(of_all.contains("\nno worker is free: "), "{of_all}");
    let of_one = program
        .place
        .run(&["why", "run.pal", &stuck.id().to_string()]);
    let held = format!(
        "#{} computing has held worker 0 in one tick for ",
        stuck.id()
    );
    for told in [&of_all, &of_one.out] {
        let line = told.lines().find(|line| line.contains(&held));
        assert!(line.expect(told).contains("program.rs:"), "{told}");
    }
    waits.abort();
    say.send(()).expect("it listens");
}

#[test]
fn of_waits_older_than_the_oldest_record_it_is_not_said_that_they_can_end() {
    let program = Program::new(1);
    let lanes = Lanes::builder()
        .lane("db", 1)
        .lane("net", 1)
        .build(program.handle());
    let lanes = lanes.expect("lanes");
    let (go, told_to_go) = bounded::<()>(2);
    let waits = [("db", "net"), ("net", "db")].map(|(first, second)| {
        let [first, second] = [first, second].map(|name| lanes.lane(name).expect("there"));
        let goes = told_to_go.clone();
        let task = program.spawn(&format!("{} first", first.name()), async move {
            let _held = first.acquire().await;
            goes.recv().await.expect("it is told");
            let _wanted = second.acquire().await;
        });
        task.id()
    });
    for task in waits {
        until_it_is(&program, task, TaskState::Waiting);
    }
    for _ in waits {
        go.send_blocking(()).expect("both listen");
    }
    let circle = serde_json::json!([waits.map(|task| task.number())]);
    until("a circle", || json(&program)["cycles"] == circle);
    let (_word, hears) = bounded::<()>(1);
    let spinner = program.spawn("spinner", async move {
        for _ in 0..TICKS {
            task::yield_now().await;
        }
        time::sleep(Duration::from_secs(3600)).await;
        drop(hears);
    });
    until_it_is(&program, spinner.id(), TaskState::Sleeping);
    for task in waits {
        assert_eq!(prospect(&json(&program), task), "unknown");
    }
    let told = told(&program);
    assert!(!told.contains("none hangs by what"), "{told}");
    assert!(
        told.contains(&format!(
            "\n  2 waits began before the oldest record: whom they wait for is lost (#{} db first, #{} net first)\n",
            waits[0], waits[1]
        )),
        "{told}"
    );
}

#[test]
fn a_blocking_function_can_end_and_a_task_without_a_name_is_told_by_its_place() {
    let program = Program::new(1);
    let (say, hears) = std::sync::mpsc::channel::<()>();
    let function = program.handle().spawn_blocking(move || {
        let _ = hears.recv();
    });
    let (say_named, hears) = std::sync::mpsc::channel::<()>();
    let named = program.handle().enter(|| {
        let named = task::Builder::new().name("resize");
        named.spawn_blocking(move || {
            let _ = hears.recv();
        })
    });
    let nameless = program.handle().spawn(std::future::pending::<()>());
    for task in [function.id(), named.id(), nameless.id()] {
        until_it_is(&program, task, TaskState::Waiting);
    }
    for task in [function.id(), named.id()] {
        assert_eq!(prospect(&json(&program), task), "open");
    }
    assert_eq!(json(&program)["can_any_act"], true);
    let told = told(&program);
    let row = |task: TaskId| {
        let start = format!("#{task} ");
        let mut lines = told.lines();
        lines.find(|line| line.starts_with(&start)).expect(&told)
    };
    for task in [function.id(), named.id()] {
        let what = "  a blocking function, on a thread of its own or queued for one";
        assert!(row(task).ends_with(what), "{told}");
    }
    let name = format!("#{} spawn_blocking:resize ", named.id());
    assert!(row(named.id()).starts_with(&name), "{told}");
    assert!(
        row(nameless.id()).contains(&format!("#{} (", nameless.id())),
        "{told}"
    );
    assert!(row(nameless.id()).contains("tests/cli/hangs.rs:"), "{told}");
    for say in [say, say_named] {
        say.send(()).expect("it listens");
    }
}

#[test]
fn a_process_hangs_though_its_spiller_goes_on() {
    let spills = Place::new();
    let settings = Settings::new(spills.path("spill"));
    let program = Program::with(1, |builder| builder.spill(settings));
    let lost = program.spawn("lost", std::future::pending::<()>()).id();
    until_it_is(&program, lost, TaskState::Waiting);
    let json = json(&program);
    assert_eq!(json["can_any_act"], false);
    assert_eq!(prospect(&json, lost), "stuck");
    let told = told(&program);
    let verdict = told
        .split_once("\nthe whole process hangs: ")
        .expect(&told)
        .1;
    let verdict = verdict.lines().take(2).collect::<Vec<_>>().join(" ");
    assert!(verdict.starts_with("no task runs, "), "{verdict}");
    assert!(
        verdict.contains(", but for the runtime's own: #"),
        "{verdict}"
    );
    assert!(verdict.ends_with(" spill"), "{verdict}");
}

#[test]
fn where_few_can_act_or_wait_without_a_prospect_the_verdict_names_them() {
    let program = Program::new(1);
    let ticker = program.spawn("ticker", async {
        time::sleep(Duration::from_secs(3600)).await;
    });
    let lost = program.spawn("lost", std::future::pending::<()>());
    until_it_is(&program, ticker.id(), TaskState::Sleeping);
    until_it_is(&program, lost.id(), TaskState::Waiting);
    let told = told(&program);
    let (_, verdict) = told.split_once("\nnone is known to hang; ").expect(&told);
    let verdict: Vec<&str> = verdict.lines().skip(1).take(2).collect();
    let expected = [
        format!(
            "  1 wait of tasks that nobody has woken so far (#{} lost)",
            lost.id()
        ),
        format!("  what can act by itself: #{} ticker", ticker.id()),
    ];
    assert_eq!(verdict, expected, "{told}");
    let others: Vec<_> = (0..4)
        .map(|_| program.spawn("other", std::future::pending::<()>()))
        .collect();
    for other in &others {
        until_it_is(&program, other.id(), TaskState::Waiting);
    }
    let told = self::told(&program);
    assert!(
        told.contains("\n  5 waits of tasks that nobody has woken so far\n"),
        "{told}"
    );
}

#[test]
fn what_still_lasted_when_a_process_was_killed_lasted_at_least_until_its_last_sign_of_life() {
    let place = Place::new();
    place.write("flow.toml", "[[node]]\nname = 'long'\nrun = 'sleep 3600'\n");
    let mut child = place
        .command(&["run", "flow.toml"])
        .spawn()
        .expect("it runs");
    let waits = || {
        let told = place.run(&["why", "run.pal", "--json"]);
        told.code == Some(0)
            && told.json()[0]["waiting"].as_array().expect("waits").len() >= 3
            && told.json()[0]["is_left_open"] == false
    };
    until("it waits", waits);
    child.kill().expect("killed");
    child.wait().expect("it ends");
    let told = place.run(&["why", "run.pal"]);
    assert!(
        told.out.contains("\nits last sign of life: 20"),
        "{}",
        told.out
    );
    let (_, table) = told.out.split_once("WAITS FOR\n").expect("a table");
    for line in table.lines().filter(|line| line.starts_with('#')) {
        assert!(line.contains("at least "), "{}", told.out);
    }
    assert_eq!(
        place.json(&["why", "run.pal", "--json"])[0]["is_left_open"],
        true
    );
}
