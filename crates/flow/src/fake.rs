//! Owns a runner for tests: commands that are scripts in virtual time, and a trace of what was done to them.

use crate::flow::{Flow, Node};
use crate::live::{Live, Output};
use crate::options::Options;
use crate::progress::Progress;
use crate::report::{Report, Row};
use crate::run::run_with;
use crate::runner::{Child, Exit, Runner};
use glasshouse_scheduler::time::{Instant, sleep_until, timeout};
use glasshouse_scheduler::{Builder, Handle, Scheduler};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One attempt of a node, as it will go.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) lasts: Duration,
    pub(crate) exit: Exit,
    /// How long it takes to end when asked; `None` does not listen.
    pub(crate) heeds: Option<Duration>,
    pub(crate) output: &'static str,
    pub(crate) start: Start,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Start {
    Works,
    Fails(&'static str),
    Panics(&'static str),
}

impl Script {
    /// Exits with this code after so many milliseconds, and at once when asked.
    pub(crate) fn exits(code: i32, lasts_ms: u64) -> Script {
        Script {
            lasts: Duration::from_millis(lasts_ms),
            exit: Exit::Code(code),
            heeds: Some(Duration::ZERO),
            output: "",
            start: Start::Works,
        }
    }

    /// Runs for an hour, and goes on when asked to end.
    pub(crate) fn stubborn() -> Script {
        Script {
            heeds: None,
            ..Script::exits(0, 3_600_000)
        }
    }

    pub(crate) fn does_not_start(start: Start) -> Script {
        Script {
            start,
            ..Script::exits(0, 0)
        }
    }
}

/// Runs each node's scripts one after another; a node without any left succeeds in 10 ms.
#[derive(Clone, Default)]
pub(crate) struct FakeRunner {
    scripts: Arc<Mutex<HashMap<String, VecDeque<Script>>>>,
    trace: Arc<Mutex<Vec<String>>>,
    origin: Arc<Mutex<Option<Instant>>>,
}

impl FakeRunner {
    pub(crate) fn new(scripts: &[(&str, &[Script])]) -> FakeRunner {
        let scripts = scripts
            .iter()
            .map(|(node, scripts)| (node.to_string(), scripts.iter().cloned().collect()));
        FakeRunner {
            scripts: Arc::new(Mutex::new(scripts.collect())),
            ..FakeRunner::default()
        }
    }

    /// What was done, each with its time in milliseconds: `20 start build`.
    pub(crate) fn trace(&self) -> Vec<String> {
        self.trace.lock().expect("no test panics here").clone()
    }

    /// Notes something in the trace.
    pub(crate) fn note(&self, what: &str) {
        let mut origin = self.origin.lock().expect("no test panics here");
        let since = origin.get_or_insert_with(Instant::now).elapsed();
        let line = format!("{} {what}", since.as_millis());
        self.trace.lock().expect("no test panics here").push(line);
    }
}

impl Runner for FakeRunner {
    type Child = FakeChild;

    async fn start(&self, node: &Node) -> Result<FakeChild, String> {
        let script = {
            let mut scripts = self.scripts.lock().expect("no test panics here");
            let left = scripts.get_mut(&node.name);
            left.and_then(VecDeque::pop_front)
                .unwrap_or_else(|| Script::exits(0, 10))
        };
        self.note(&format!("start {}", node.name));
        match script.start {
            Start::Works => Ok(FakeChild {
                node: node.name.clone(),
                ends: Instant::now() + script.lasts,
                script,
                runner: self.clone(),
                has_ended: false,
            }),
            Start::Fails(error) => Err(error.into()),
            Start::Panics(text) => panic!("{text}"),
        }
    }
}

pub(crate) struct FakeChild {
    node: String,
    ends: Instant,
    script: Script,
    runner: FakeRunner,
    has_ended: bool,
}

impl FakeChild {
    fn note(&self, what: &str) {
        self.runner.note(&format!("{what} {}", self.node));
    }
}

impl Child for FakeChild {
    fn live(&self) -> Live {
        Live::new(Arc::new(Text(self.script.output)))
    }

    async fn ended(&mut self) -> Exit {
        sleep_until(self.ends).await;
        self.note("end");
        self.has_ended = true;
        self.script.exit.clone()
    }

    async fn terminate(&mut self, grace: Duration) {
        self.note("terminate");
        if let Some(delay) = self.script.heeds {
            self.ends = Instant::now() + delay;
        }
        if timeout(grace, self.ended()).await.is_err() {
            self.kill();
            self.ended().await;
        }
    }

    fn kill(&mut self) {
        self.note("kill");
        self.ends = Instant::now();
    }
}

impl Drop for FakeChild {
    fn drop(&mut self) {
        if !self.has_ended {
            self.note("drop");
        }
    }
}

/// Output of which all but the last 8 bytes was dropped.
struct Text(&'static str);

impl Output for Text {
    fn written_bytes(&self) -> u64 {
        self.0.len() as u64
    }

    fn dropped_bytes(&self) -> u64 {
        self.0.len().saturating_sub(8) as u64
    }

    fn tail(&self, bytes: usize) -> Vec<u8> {
        let kept = bytes.min(8).min(self.0.len());
        self.0.as_bytes()[self.0.len() - kept..].to_vec()
    }
}

/// A run of a flow on a deterministic scheduler.
pub(crate) struct Bench {
    pub(crate) flow: Flow,
    pub(crate) runner: FakeRunner,
    pub(crate) options: Options,
    pub(crate) scheduler: Scheduler,
}

impl Bench {
    /// A flow of these nodes (name, further lines of TOML) under these first lines.
    pub(crate) fn new(head: &str, nodes: &[(&str, &str)], scripts: &[(&str, &[Script])]) -> Bench {
        Bench::seeded(1, head, nodes, scripts)
    }

    pub(crate) fn seeded(
        seed: u64,
        head: &str,
        nodes: &[(&str, &str)],
        scripts: &[(&str, &[Script])],
    ) -> Bench {
        let nodes = nodes
            .iter()
            .map(|(name, lines)| format!("[[node]]\nname = \"{name}\"\nrun = \"x\"\n{lines}\n"));
        let text = format!("{head}\n{}", nodes.collect::<String>());
        Bench {
            flow: Flow::from_str(&text, "bench.toml").expect("a whole flow"),
            runner: FakeRunner::new(scripts),
            options: Options {
                default_limit: 8.try_into().expect("not zero"),
                ..Options::default()
            },
            scheduler: Builder::deterministic(seed).build().expect("buildable"),
        }
    }

    pub(crate) fn run(&self) -> Report {
        self.run_beside(async {}, |_| {})
    }

    /// Runs the flow while a task of its own does something else.
    pub(crate) fn run_beside(
        &self,
        beside: impl Future<Output = ()> + Send + 'static,
        progress: impl Fn(Progress),
    ) -> Report {
        self.scheduler.block_on(async {
            self.runner.note("begin");
            drop(glasshouse_scheduler::spawn(beside));
            let handle = Handle::current();
            let options = self.options.clone();
            run_with(&self.flow, &handle, options, progress, self.runner.clone()).await
        })
    }
}

/// A millisecond in nanoseconds.
pub(crate) const MS: u64 = 1_000_000;

pub(crate) fn row<'a>(report: &'a Report, node: &str) -> &'a Row {
    report.row(node).expect("the flow has this node")
}

/// The node, its outcome and its attempts, for each row.
pub(crate) fn ends(report: &Report) -> Vec<(&str, String, u32)> {
    let rows = report.rows.iter();
    rows.map(|row| (&*row.node, row.outcome.to_string(), row.attempts))
        .collect()
}
