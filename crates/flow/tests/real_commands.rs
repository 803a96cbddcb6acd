//! Real commands in real terminals. Time is real here, because processes live in it; nothing asserts that
//! anything is fast.

use glasshouse_flow::{Cancel, Flow, Live, Options, Outcome, Progress, Report, Row, run};
use glasshouse_pal::{Pal, TaskEvent};
use glasshouse_scheduler::time::sleep;
use glasshouse_scheduler::{Builder, Scheduler};
use std::path::{Path, PathBuf};
use std::time::Duration;

fn scheduler() -> Scheduler {
    let builder = Builder::new().workers(2).pal(Pal::memory());
    builder.build().expect("buildable")
}

fn quick() -> Options {
    Options {
        grace: Duration::from_millis(200),
        ..Options::default()
    }
}

fn flow(text: &str) -> Flow {
    Flow::from_str(text, "real.toml").expect("a whole flow")
}

fn run_alone(flow: &Flow) -> Report {
    let scheduler = scheduler();
    let handle = scheduler.handle().clone();
    scheduler.block_on(run(flow, &handle, quick(), |_| {}))
}

fn row<'a>(report: &'a Report, node: &str) -> &'a Row {
    report.row(node).expect("the flow has this node")
}

/// A process that has ended and was reaped has no directory any more.
fn process(pid: &str) -> PathBuf {
    pid.parse::<u32>().expect("a process id");
    Path::new("/proc").join(pid)
}

/// Waits until the command has said something.
async fn first_word(live: &Live) -> String {
    loop {
        match live.last_line() {
            line if line.is_empty() => sleep(Duration::from_millis(5)).await,
            line => return line,
        }
    }
}

#[test]
fn each_kind_of_trouble_fails_its_own_node_in_its_own_way() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../examples/flows/trouble.toml"
    );
    let report = run_alone(&Flow::from_path(path).expect("the example is whole"));
    let outcome = |node| row(&report, node).outcome.clone();
    assert_eq!(outcome("fine"), Outcome::Success);
    assert_eq!(outcome("exit-code"), Outcome::ExitCode { exit_code: 3 });
    assert_eq!(row(&report, "exit-code").attempts, 2);
    assert_eq!(
        row(&report, "exit-code").tail,
        "this is the last line that it says"
    );
    assert_eq!(outcome("signal"), Outcome::Signal { signal: 9 });
    let timeout = Outcome::Timeout {
        timeout_ns: 300_000_000,
    };
    assert_eq!(
        [outcome("timeout"), outcome("stubborn")],
        [timeout.clone(), timeout]
    );
    let Outcome::SpawnError { error } = outcome("no-such-command") else {
        panic!("{:?}", outcome("no-such-command"));
    };
    assert!(error.contains("a-command-that-nobody-has"), "{error}");
    let skipped = Outcome::Skipped {
        need: "exit-code".into(),
    };
    assert_eq!(outcome("never"), skipped);
    assert!(!report.is_success());
}

#[test]
fn what_a_buffer_cannot_hold_is_dropped_and_counted_to_the_byte() {
    let report = run_alone(&flow(
        "[[node]]\nname = \"flood\"\nrun = [\"seq\", \"20000\"]\noutput = \"1KiB\"",
    ));
    // The terminal adds a carriage return to each line.
    let written: u64 = (1..=20_000_u64)
        .map(|n| n.to_string().len() as u64 + 2)
        .sum();
    let flood = row(&report, "flood");
    assert_eq!(
        (flood.output_bytes, flood.dropped_bytes),
        (written, written - 1024)
    );
}

#[test]
fn a_command_sees_its_environment_its_directory_and_a_terminal() {
    let dir = tempfile::tempdir().expect("a directory for the test");
    let report = run_alone(&flow(&format!(
        "[[node]]\nname = \"look\"\nrun = 'echo $WORD $(pwd -P); test -t 0 && test -t 1; exit 9'\n\
         env = {{ WORD = \"a b\" }}\ncwd = '{}'",
        dir.path().display()
    )));
    let real = dir.path().canonicalize().expect("it exists");
    assert_eq!(row(&report, "look").tail, format!("a b {}", real.display()));
    let report = run_alone(&flow(
        "[[node]]\nname = \"terminal\"\nrun = \"test -t 0 && test -t 1 && test -t 2\"",
    ));
    assert!(report.is_success());
}

#[test]
fn a_command_past_its_timeout_leaves_no_process_behind() {
    let report = run_alone(&flow(
        "[[node]]\nname = \"stubborn\"\ntimeout = \"500ms\"\n\
         run = \"trap '' HUP INT TERM; sleep 1000 & echo $$ $!; while :; do sleep 0.05; done\"",
    ));
    let stubborn = row(&report, "stubborn");
    assert!(matches!(stubborn.outcome, Outcome::Timeout { .. }));
    let pids: Vec<&str> = stubborn.tail.split(' ').collect();
    assert_eq!(pids.len(), 2, "{:?}", stubborn.tail);
    assert!(!process(pids[0]).exists(), "the command still runs");
    // Its child was killed with it, which takes effect in its own time; whoever inherits it reaps it.
    let stat = process(pids[1]).join("stat");
    let runs = || std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z "));
    while runs() {
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_cancelled_run_ends_its_commands_and_says_so() {
    let scheduler = scheduler();
    let handle = scheduler.handle().clone();
    let cancel = Cancel::new();
    let options = Options {
        cancel: cancel.clone(),
        ..quick()
    };
    let flow = flow(
        "[[node]]\nname = \"long\"\nrun = \"echo $$; exec sleep 1000\"\n\
         [[node]]\nname = \"later\"\nrun = \"true\"\nneeds = [\"long\"]",
    );
    let (say, heard) = std::sync::mpsc::channel();
    let report = scheduler.block_on(run(&flow, &handle, options, |step| {
        if let Progress::Started { live, .. } = step {
            let (cancel, say) = (cancel.clone(), say.clone());
            let watch = async move {
                let pid = first_word(&live).await;
                say.send(pid).expect("the test listens");
                cancel.cancel();
            };
            drop(glasshouse_scheduler::spawn(watch));
        }
    }));
    assert!(report.is_cancelled);
    assert_eq!(row(&report, "long").outcome, Outcome::Cancelled);
    assert_eq!(row(&report, "later").outcome, Outcome::Cancelled);
    let pid = heard.recv().expect("the command said its number");
    assert!(!process(&pid).exists(), "the command still runs");
}

#[test]
fn a_live_view_follows_the_output_and_stays_after_the_end() {
    let dir = tempfile::tempdir().expect("a directory for the test");
    let go = dir.path().join("go");
    // Goes on only when it was seen to wait.
    let flow = flow(&format!(
        "[[node]]\nname = \"waits\"\ntimeout = \"1m\"\n\
         run = \"echo waiting; until [ -e '{}' ]; do sleep 0.01; done; printf 'gone on'\"",
        go.display()
    ));
    let scheduler = scheduler();
    let handle = scheduler.handle().clone();
    let views = std::cell::RefCell::new(Vec::new());
    let report = scheduler.block_on(run(&flow, &handle, quick(), |step| {
        if let Progress::Started { live, .. } = step {
            views.borrow_mut().push(live.clone());
            let go = go.clone();
            let watch = async move {
                assert_eq!(first_word(&live).await, "waiting");
                std::fs::write(go, "").expect("the directory can be written");
            };
            drop(glasshouse_scheduler::spawn(watch));
        }
    }));
    assert!(report.is_success(), "{report:?}");
    let views = views.into_inner();
    assert_eq!(views.len(), 1);
    assert_eq!(views[0].last_line(), "gone on");
    assert_eq!(views[0].output_bytes(), "waiting\r\ngone on".len() as u64);
}

#[test]
fn the_log_names_the_tasks_of_nodes_and_terminals() {
    let scheduler = scheduler();
    let handle = scheduler.handle().clone();
    let flow = flow(
        "[[node]]\nname = \"good\"\nrun = \"true\"\n[[node]]\nname = \"bad\"\nrun = \"false\"",
    );
    scheduler.block_on(run(&flow, &handle, quick(), |_| {}));
    let pal = handle.pal();
    let log = pal.log();
    let mut names: Vec<String> = Vec::new();
    let mut failed = Vec::new();
    for event in pal.events() {
        match event {
            TaskEvent::Spawned { site, .. } => {
                names.extend(log.site(site).and_then(|site| site.name));
            }
            TaskEvent::Failed { error, .. } => failed.extend(log.text(error.text)),
            _ => {}
        }
    }
    for name in [
        "node:good",
        "node:bad",
        "pty:good",
        "pty:bad",
        "node-metrics",
        "lanes",
    ] {
        assert!(
            names.iter().any(|known| known == name),
            "no {name} among {names:?}"
        );
    }
    assert_eq!(failed, ["exit code 1"]);
}
