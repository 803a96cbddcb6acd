//! What `glasshouse why` says of waits that a timeout or something else may end: nothing that is certain.

use crate::place::until;
use crate::program::Program;
use async_channel::bounded;
use glasshouse_lanes::{Lane, Lanes};
use glasshouse_pal::{TaskId, TaskState};
use glasshouse_scheduler::task::JoinSet;
use glasshouse_scheduler::time;
use serde_json::{Value, json};
use std::future::Future;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

fn told(program: &Program, args: &[&str]) -> String {
    let told = program.place.run(&[&["why", "run.pal"], args].concat());
    assert_eq!((told.code, told.err.as_str()), (Some(0), ""));
    told.out
}

fn hang(program: &Program) -> Value {
    program.place.json(&["why", "run.pal", "--json"]).remove(0)
}

fn wait_of(hang: &Value, task: TaskId) -> &Value {
    let mut waiting = hang["waiting"].as_array().expect("a list").iter();
    let wait = waiting.find(|wait| wait["task"] == task.number());
    wait.expect("it waits")
}

fn until_they_wait(program: &Program, tasks: &[TaskId], state: TaskState) {
    until("they wait", || {
        tasks.iter().all(|task| program.state(*task) == Some(state))
    });
}

/// Two tasks, each of which holds the permit for which the other waits, and waits so.
fn crosswise<F>(program: &Program, wait: impl Fn(Lane) -> F) -> (Lanes, [TaskId; 2])
where
    F: Future<Output = ()> + Send + 'static,
{
    let lanes = Lanes::builder().lane("db", 1).lane("net", 1);
    let lanes = lanes.build(program.handle()).expect("lanes");
    let (go, told_to_go) = bounded::<()>(2);
    let tasks = [("db", "net"), ("net", "db")].map(|(first, second)| {
        let [first, second] = [first, second].map(|name| lanes.lane(name).expect("there"));
        let (goes, waits) = (told_to_go.clone(), wait(second));
        let name = format!("{} first", first.name());
        let task = program.spawn(&name, async move {
            let _held = first.acquire().await;
            goes.recv().await.expect("it is told");
            waits.await;
        });
        task.id()
    });
    until_they_wait(program, &tasks, TaskState::Waiting);
    for _ in tasks {
        go.send_blocking(()).expect("both listen");
    }
    until_they_wait(program, &tasks, TaskState::LaneWait);
    (lanes, tasks)
}

#[test]
fn two_that_wait_for_each_other_s_permits_within_timeouts_do_not_hang() {
    let program = Program::new(1);
    let (_lanes, tasks) = crosswise(&program, |lane| async move {
        let _ = time::timeout(HOUR, lane.acquire()).await;
    });
    let hang = hang(&program);
    assert_eq!(hang["cycles"], json!([]));
    assert_eq!(hang["can_any_act"], true);
    for task in tasks {
        let wait = wait_of(&hang, task);
        let found = (&wait["prospect"], &wait["or_deadline"], &wait["or_other"]);
        assert_eq!(found, (&json!("open"), &json!(true), &json!(false)));
    }
    let all = told(&program, &[]);
    for wrong in ["circle", "hangs:", "can wake"] {
        assert!(!all.contains(wrong), "{all}");
    }
    assert!(all.contains(" db first, or a deadline\n"), "{all}");
    let one = told(&program, &[&tasks[0].to_string()]);
    assert!(!one.contains("can wake"), "{one}");
}

#[test]
fn a_circle_is_told_with_what_the_log_does_not_show_and_each_lane_once_with_its_holders() {
    let program = Program::new(1);
    let (_lanes, tasks) = crosswise(&program, |lane| async move {
        drop(lane.acquire().await);
    });
    let [one, other] = tasks.map(TaskId::number);
    let hang = hang(&program);
    assert_eq!(hang["cycles"], json!([[one.min(other), one.max(other)]]));
    let caveat = hang["caveat"].as_str().expect("a text");
    assert!(
        caveat.starts_with("That is what the log shows."),
        "{caveat}"
    );
    let lanes = json!([
        { "lane": "db", "held_by": [one] }, { "lane": "net", "held_by": [other] }
    ]);
    let mut found = hang["lanes"].as_array().expect("a list").clone();
    found.sort_by_key(|lane| lane["lane"].to_string());
    assert_eq!(Value::from(found), lanes);
    for told in [told(&program, &[]), told(&program, &[&one.to_string()])] {
        let told_caveat = told.replace('\n', " ");
        assert!(told_caveat.contains(caveat), "{told}");
    }
}

#[test]
fn who_waits_for_a_set_hangs_with_none_of_its_tasks_and_none_of_them_decides_when_it_goes_on() {
    let program = Program::new(1);
    let lanes = Lanes::builder().lane("db", 1).build(program.handle());
    let lanes = lanes.expect("lanes");
    let [held, wanted] = [(); 2].map(|()| lanes.lane("db").expect("there"));
    let joiner = program.spawn("joiner", async move {
        let _held = held.acquire().await;
        let mut set = JoinSet::new();
        set.build_task().name("wants").spawn(async move {
            drop(wanted.acquire().await);
        });
        set.build_task().name("sleeps").spawn(time::sleep(HOUR));
        set.join_next().await;
    });
    let joiner = joiner.id();
    until_they_wait(&program, &[joiner], TaskState::JoinWait);
    until("both of its set wait", || {
        hang(&program)["waiting"].as_array().map(Vec::len) >= Some(4)
    });
    let hang = hang(&program);
    assert_eq!(hang["cycles"], json!([]));
    let wait = wait_of(&hang, joiner);
    let found = (&wait["prospect"], &wait["or_deadline"], &wait["or_other"]);
    assert_eq!(found, (&json!("unknown"), &json!(false), &json!(true)));
    let all = told(&program, &[]);
    for wrong in ["circle", "hangs:", "can wake"] {
        assert!(!all.contains(wrong), "{all}");
    }
    assert!(all.contains(", or something else beside\n"), "{all}");
    let of_set = "  1 wait for whichever of some ends first: the log names one";
    assert!(all.contains(of_set), "{all}");
    let one = told(&program, &[&joiner.to_string()]);
    let (_, path) = one.split_once("the critical path: ").expect("a part");
    assert!(!path.contains("waits for the end of"), "{one}");
    assert!(path.contains("join, which goes on"), "{one}");
    assert!(!one.contains("can wake"), "{one}");
    let (_, chain) = one.split_once("what it waits for\n").expect("a part");
    assert!(!chain.contains(" wants, for "), "{one}");
}

#[test]
fn a_process_does_not_hang_as_a_whole_where_a_thread_outside_may_wake_a_task_as_it_did_before() {
    let program = Program::new(1);
    let (_lanes, tasks) = crosswise(&program, |lane| async move {
        drop(lane.acquire().await);
    });
    assert!(told(&program, &[]).contains("\nthe whole process hangs: "));
    let (say, hears) = bounded::<()>(1);
    let listener = program.spawn(
        "listener",
        async move { while hears.recv().await.is_ok() {} },
    );
    until_they_wait(&program, &[listener.id()], TaskState::Waiting);
    say.send_blocking(()).expect("it listens");
    until("it heard", || {
        wait_of(&hang(&program), listener.id())["prospect"] == "open"
    });
    assert_eq!(hang(&program)["cycles"][0][0], tasks[0].number());
    let all = told(&program, &[]);
    assert!(!all.contains("the whole process hangs"), "{all}");
    assert!(all.contains("That is what the log shows."), "{all}");
}
