//! What `glasshouse why` says of late tasks, and of processes that hang.

use crate::place::{Place, until};
use crate::program::Program;
use async_channel::bounded;
use glasshouse_pal::{TaskId, TaskState};
use glasshouse_scheduler::{JoinHandle, time};
use serde_json::Value;
use std::time::Duration;

const FLOW: &str = r#"
    [lanes.one]
    limit = 1

    [[node]]
    name = "first"
    lane = "one"
    run = "sleep 0.05"

    [[node]]
    name = "second"
    lane = "one"
    run = "sleep 0.01"
"#;

/// A flow whose second node waits for the first one's permit.
fn flow() -> Place {
    let place = Place::new();
    let ended = place.run_flow(FLOW, &["--workers", "1"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    place
}

fn task_named(place: &Place, name: &str) -> u64 {
    let spawns = place.json(&["log", "run.pal", "--json", "--kind", "spawned"]);
    let of_name = spawns.iter().find(|spawn| spawn["name"] == name);
    of_name
        .and_then(|spawn| spawn["task"].as_u64())
        .expect(name)
}

fn why(place: &Place, task: u64) -> Value {
    let mut told = place.json(&["why", "run.pal", &task.to_string(), "--json"]);
    assert_eq!(told.len(), 1);
    told.remove(0)
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().expect(key)
}

fn sum_ns(values: &[Value]) -> u64 {
    values.iter().filter_map(|value| value["ns"].as_u64()).sum()
}

/// In tenths, so that nothing is lost in the sum.
fn sum_tenths(values: &[Value]) -> u64 {
    let percents = values.iter().filter_map(|value| value["percent"].as_f64());
    percents
        .map(|percent| (percent * 10.0).round() as u64)
        .sum()
}

#[test]
fn a_late_task_s_time_is_told_in_parts_that_add_up_to_its_life() {
    let place = flow();
    let told = why(&place, task_named(&place, "node:second"));
    let at = |key: &str| told[key].as_u64().expect(key);
    let life = at("to_at_ns") - at("from_at_ns");
    let parts = list(&told, "parts");
    assert_eq!((sum_ns(parts), sum_tenths(parts)), (life, 1000));
    let own: Vec<Value> = list(&told, "path")
        .iter()
        .flat_map(|node| list(node, "own").to_vec())
        .collect();
    assert_eq!((sum_ns(&own), sum_tenths(&own)), (life, 1000));
    assert_eq!(told["path"][0]["ns"], life);
    let ready = parts.iter().find(|part| part["what"] == "ready");
    let ready = ready.expect("a kind of time")["ns"]
        .as_u64()
        .expect("a time");
    // Each is cut to a nanosecond by itself.
    assert!(sum_ns(list(&told, "holders")).abs_diff(ready) <= 1);
}

#[test]
fn a_task_that_waits_for_a_lane_is_late_because_of_who_held_the_permit() {
    let place = flow();
    let told = why(&place, task_named(&place, "node:second"));
    let path = list(&told, "path");
    let holder = path.iter().position(|node| node["hop"] == "permit");
    let holder = holder.expect("who gave it the permit");
    assert_eq!(path[holder]["name"], "node:first");
    assert_eq!(path[holder]["above"], 0);
    let command = path
        .iter()
        .find(|node| node["above"] == holder && node["name"] == "pty:first");
    let command = command.expect("for whom that one waited");
    assert_eq!(
        (&command["hop"], &command["own"][0]["what"]),
        (&"woke".into(), &"io_wait".into())
    );
    assert!(command["ns"].as_u64() >= Some(40_000_000), "{command}");
}

#[test]
fn people_are_told_the_same_as_a_tree_of_eighty_columns_without_colour() {
    let place = flow();
    let second = task_named(&place, "node:second");
    let told = place.run(&["why", "run.pal", &second.to_string()]);
    assert_eq!((told.code, told.err.as_str()), (Some(0), ""));
    assert!(!told.out.contains('\x1b'));
    let too_wide = told.out.lines().find(|line| line.chars().count() > 80);
    assert_eq!(too_wide, None);
    let line = |text: &str| {
        let line = told.out.lines().find(|line| line.contains(text));
        line.unwrap_or_else(|| panic!("{text} in {}", told.out))
    };
    line("where its time went");
    assert!(line(&format!("#{second} node:second, spawned at ")).contains("run.rs:"));
    assert!(line("─ given a lane's permit by #").ends_with(" node:first"));
    assert!(line("─ woken by #").contains(" pty:"));
    line(" ├─ I/O");
}

/// Two tasks that each join the other, named `left` and `right`.
fn two_that_join_each_other(program: &Program) -> [TaskId; 2] {
    let (for_left, right_handle) = bounded::<JoinHandle<()>>(1);
    let (for_right, left_handle) = bounded::<JoinHandle<()>>(1);
    let join = |handles: async_channel::Receiver<JoinHandle<()>>| async move {
        let other = handles.recv().await.expect("a handle");
        other.await.expect("it never ends");
    };
    let left = program.spawn("left", join(right_handle));
    let right = program.spawn("right", join(left_handle));
    let ids = [left.id(), right.id()];
    for_left.send_blocking(right).expect("it listens");
    for_right.send_blocking(left).expect("it listens");
    ids
}

fn until_both(program: &Program, tasks: [TaskId; 2], state: TaskState) {
    until("both wait", || {
        tasks.iter().all(|task| program.state(*task) == Some(state))
    });
}

#[test]
fn tasks_that_join_each_other_are_named_as_a_circle() {
    let program = Program::new(1);
    let [left, right] = two_that_join_each_other(&program);
    until_both(&program, [left, right], TaskState::JoinWait);
    let told = program.place.run(&["why", "run.pal"]);
    assert_eq!((told.code, told.err.as_str()), (Some(0), ""));
    let lines: Vec<&str> = told.out.lines().collect();
    let circle = lines.iter().position(|line| line.starts_with("a circle: "));
    let circle = &lines[circle.expect("a circle") + 1..];
    for (line, (one, other)) in circle.iter().zip([
        (format!("#{left} left"), format!("#{right} right")),
        (format!("#{right} right"), format!("#{left} left")),
    ]) {
        assert!(line.starts_with(&format!("  {one}, for ")), "{line}");
        assert!(line.ends_with(&format!(": the end of {other}")), "{line}");
    }
    assert!(told.out.contains("the whole process hangs"), "{}", told.out);
}

#[test]
fn a_task_that_hangs_is_told_with_whom_it_waits_for() {
    let program = Program::new(1);
    let [left, right] = two_that_join_each_other(&program);
    until_both(&program, [left, right], TaskState::JoinWait);
    let told = program.place.run(&["why", "run.pal", &left.to_string()]);
    assert_eq!((told.code, told.err.as_str()), (Some(0), ""));
    let (_, chain) = told.out.split_once("what it waits for\n").expect("a part");
    let lines: Vec<&str> = chain.lines().collect();
    assert!(
        lines[0].starts_with(&format!("  #{left} left, for ")),
        "{chain}"
    );
    assert!(
        lines[1].starts_with(&format!("  #{right} right, for ")),
        "{chain}"
    );
    assert_eq!(lines[2], "  and so on: a circle");
    assert_eq!(
        lines[3],
        format!("nothing that the log knows of can wake #{left} left")
    );
}

/// Two tasks that talk in turn and then each wait for the other's word.
fn two_that_wait_for_a_word(program: &Program, turns: usize) -> [TaskId; 2] {
    let (say_left, hear_left) = bounded::<()>(1);
    let (say_right, hear_right) = bounded::<()>(1);
    let left = program.spawn("left", async move {
        for _ in 0..turns {
            say_right.send(()).await.expect("it listens");
            hear_left.recv().await.expect("it talks");
        }
        let _ = hear_left.recv().await;
        drop(say_right);
    });
    let right = program.spawn("right", async move {
        for _ in 0..turns {
            hear_right.recv().await.expect("it talks");
            say_left.send(()).await.expect("it listens");
        }
        let _ = hear_right.recv().await;
        drop(say_left);
    });
    [left.id(), right.id()]
}

fn hang(program: &Program) -> Value {
    program.place.json(&["why", "run.pal", "--json"]).remove(0)
}

fn prospect_of(hang: &Value, task: TaskId) -> &str {
    let waiting = list(hang, "waiting");
    let of_task = waiting.iter().find(|wait| wait["task"] == task.number());
    of_task.expect("it waits")["prospect"]
        .as_str()
        .expect("one")
}

#[test]
fn tasks_that_only_woke_each_other_and_wait_are_a_circle_beside_others_that_go_on() {
    let program = Program::new(1);
    let ticker = program.spawn("ticker", async {
        loop {
            time::sleep(Duration::from_millis(1)).await;
        }
    });
    // On one worker each has to wait for the other's answer, and is woken by it.
    let [left, right] = two_that_wait_for_a_word(&program, 3);
    until("a circle", || {
        let cycles = hang(&program)["cycles"].clone();
        cycles == serde_json::json!([[left.number(), right.number()]])
    });
    assert_eq!(prospect_of(&hang(&program), left), "stuck");
    assert_eq!(hang(&program)["can_any_act"], true);
    ticker.abort();
}

#[test]
fn tasks_that_nobody_ever_woke_are_named_once_no_task_can_act() {
    let program = Program::new(1);
    let sleeper = program.spawn("sleeper", async {
        time::sleep(Duration::from_secs(3600)).await
    });
    let [left, right] = two_that_wait_for_a_word(&program, 0);
    until_both(&program, [left, right], TaskState::Waiting);
    until("it sleeps", || {
        program.state(sleeper.id()) == Some(TaskState::Sleeping)
    });
    assert_eq!(prospect_of(&hang(&program), left), "unknown");
    sleeper.abort();
    until("its end", || program.state(sleeper.id()).is_none());
    let told = program.place.run(&["why", "run.pal"]);
    let (_, stuck) = told
        .out
        .split_once("nothing that the log knows of can wake\n")
        .expect("a part");
    for (line, task) in stuck.lines().zip([left, right]) {
        assert!(line.starts_with(&format!("  #{task} ")), "{stuck}");
        assert!(
            line.ends_with(": a wake; nobody has woken it so far"),
            "{stuck}"
        );
    }
}

#[test]
fn a_process_that_is_only_idle_does_not_hang() {
    let program = Program::new(1);
    let sleeper = program.spawn("sleeper", async {
        time::sleep(Duration::from_secs(3600)).await
    });
    until("it sleeps", || {
        program.state(sleeper.id()) == Some(TaskState::Sleeping)
    });
    // The binary has a clock of its own: what it tells must have gone on by that, as time has.
    let told_ns = || {
        list(&hang(&program), "waiting")[0]["for_ns"]
            .as_u64()
            .expect("a time")
    };
    let before = told_ns();
    std::thread::sleep(Duration::from_millis(60));
    assert!(told_ns() >= before + 50_000_000, "{before}");
    let told = program.place.run(&["why", "run.pal"]);
    assert!(
        told.out.contains("none hangs by what the log knows"),
        "{}",
        told.out
    );
    assert!(told.out.contains("sleep of 59m 59s") || told.out.contains("sleep of 1h 00m"));
}

#[test]
fn a_task_that_the_log_does_not_know_is_refused() {
    let place = flow();
    let unknown = place.run(&["why", "run.pal", "72057594037927"]);
    let line = unknown.refusal();
    assert!(
        line.contains("nothing is known of task 72057594037927"),
        "{line}"
    );
    assert!(
        place
            .run(&["why", "gone.pal"])
            .refusal()
            .contains("gone.pal")
    );
}
