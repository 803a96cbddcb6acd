//! Owns what a flow is: lanes with limits, and nodes that need one another without a cycle.

use crate::quantity::{write_duration, write_size};
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

/// The lane of a node that names none. A flow may give it a limit by `[lanes.default]`.
pub const DEFAULT_LANE: &str = "default";

/// How much of a node's output is kept when it does not say: a guess, enough for the tail that one reads.
pub const OUTPUT_DEFAULT_BYTES: usize = 256 << 10;

/// What a node runs.
///
/// ```
/// use glasshouse_flow::Command;
/// let exec = Command::Exec(vec!["wc".into(), "-l".into(), "two words".into()]);
/// assert_eq!(exec.to_string(), "wc -l 'two words'");
/// assert_eq!(Command::Shell("ls | wc -l".into()).to_string(), "ls | wc -l");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// A line for `/bin/sh -c`.
    Shell(String),
    /// A program and its arguments, run as they are; the program is sought in `PATH`. Never empty.
    Exec(Vec<String>),
}

impl Command {
    /// The program and its arguments as they are run.
    pub fn to_argv(&self) -> Vec<String> {
        match self {
            Command::Shell(line) => vec!["/bin/sh".into(), "-c".into(), line.clone()],
            Command::Exec(argv) => argv.clone(),
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |c: char| c.is_alphanumeric() || "-_./=:,+%@".contains(c);
        match self {
            Command::Shell(line) => f.write_str(line),
            Command::Exec(argv) => {
                for (index, word) in argv.iter().enumerate() {
                    if index > 0 {
                        f.write_char(' ')?;
                    }
                    if !word.is_empty() && word.chars().all(plain) {
                        f.write_str(word)?;
                    } else {
                        write!(f, "'{}'", word.replace('\'', r"'\''"))?;
                    }
                }
                Ok(())
            }
        }
    }
}

/// A lane as a flow declares it.
///
/// ```
/// let text = "[lanes.disk]\nlimit = 2\n[[node]]\nname = \"a\"\nrun = \"true\"\nlane = \"disk\"";
/// let flow = glasshouse_flow::Flow::from_str(text, "a.toml")?;
/// assert_eq!((&*flow.lanes()[0].name, flow.lanes()[0].limit.get()), ("disk", 2));
/// # Ok::<(), glasshouse_flow::FlowError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LaneLimit {
    /// The lane's name.
    pub name: String,
    /// How many of its nodes may run at a time.
    pub limit: NonZeroUsize,
}

/// A named command with its policy.
///
/// ```
/// let text = "[[node]]\nname = \"list\"\nrun = [\"ls\", \"-l\"]\ntimeout = \"1.5s\"\nretries = 2";
/// let flow = glasshouse_flow::Flow::from_str(text, "a.toml")?;
/// let node = &flow.nodes()[0];
/// assert_eq!(node.timeout, Some(std::time::Duration::from_millis(1_500)));
/// assert_eq!((node.retries, node.backoff), (2, glasshouse_flow::BACKOFF_DEFAULT));
/// # Ok::<(), glasshouse_flow::FlowError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// Unique in the flow; letters, digits and `_ - . : /`.
    pub name: String,
    /// What it runs.
    pub run: Command,
    /// The lane it runs on; a declared one, or [`DEFAULT_LANE`].
    pub lane: String,
    /// The nodes that must have succeeded before it starts, as written.
    pub needs: Vec<String>,
    /// How long one attempt may run, from its start; the wait for its lane does not count.
    pub timeout: Option<Duration>,
    /// How often it is tried again after a failure.
    pub retries: u32,
    /// The wait before the first retry; see [`backoff`](crate::backoff()) for the others.
    pub backoff: Duration,
    /// Set in its environment, beside what it inherits.
    pub env: BTreeMap<String, String>,
    /// Its directory, taken from the current one; the current one where it names none.
    pub cwd: Option<PathBuf>,
    /// How many bytes of its output are kept; the oldest are dropped first.
    pub output_bytes: usize,
}

/// A graph of nodes on lanes, read from TOML by [`Flow::from_path`] or [`Flow::from_str`] and whole: names
/// are unique, needs and lanes exist, there is no cycle.
///
/// Two flows are equal if they run the same, whichever file they came from.
///
/// ```
/// use glasshouse_flow::Flow;
/// let flow = Flow::from_str(
///     r#"
///     [[node]]
///     name = "list"
///     run = ["find", ".", "-name", "*.rs"]
///
///     [[node]]
///     name = "count"
///     run = "find . -name '*.rs' | wc -l"
///     needs = ["list"]
///     "#,
///     "example.toml",
/// )?;
/// assert_eq!(flow.nodes().len(), 2);
/// assert_eq!(Flow::from_str(&flow.to_toml(), "again.toml")?, flow);
/// # Ok::<(), glasshouse_flow::FlowError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Flow {
    pub(crate) file: String,
    pub(crate) name: Option<String>,
    pub(crate) global_limit: Option<NonZeroUsize>,
    pub(crate) lanes: Vec<LaneLimit>,
    pub(crate) nodes: Vec<Node>,
}

impl Flow {
    /// The file it was read from, as it was named.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The name it gives itself.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// How many nodes may run at a time over all lanes; no limit but the lanes' own where it is `None`.
    pub const fn global_limit(&self) -> Option<NonZeroUsize> {
        self.global_limit
    }

    /// The declared lanes, in the order of the file.
    pub fn lanes(&self) -> &[LaneLimit] {
        &self.lanes
    }

    /// The nodes, in the order of the file.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The flow as TOML that reads back as an equal flow; what has its default is left out.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        if let Some(name) = &self.name {
            push(&mut text, "name", &quote(name));
        }
        if let Some(limit) = self.global_limit {
            push(&mut text, "global_limit", &limit.to_string());
        }
        for lane in &self.lanes {
            text += &format!("\n[lanes.{}]\nlimit = {}\n", quote(&lane.name), lane.limit);
        }
        for node in &self.nodes {
            push_node(&mut text, node);
        }
        text
    }
}

impl PartialEq for Flow {
    fn eq(&self, other: &Flow) -> bool {
        (&self.name, self.global_limit, &self.lanes, &self.nodes)
            == (&other.name, other.global_limit, &other.lanes, &other.nodes)
    }
}

impl Eq for Flow {}

fn push_node(text: &mut String, node: &Node) {
    text.push_str("\n[[node]]\n");
    push(text, "name", &quote(&node.name));
    match &node.run {
        Command::Shell(line) => push(text, "run", &quote(line)),
        Command::Exec(argv) => push(text, "run", &quote_all(argv)),
    }
    if node.lane != DEFAULT_LANE {
        push(text, "lane", &quote(&node.lane));
    }
    if !node.needs.is_empty() {
        push(text, "needs", &quote_all(&node.needs));
    }
    if let Some(timeout) = node.timeout {
        push(text, "timeout", &quote(&write_duration(timeout)));
    }
    if node.retries > 0 {
        push(text, "retries", &node.retries.to_string());
    }
    if node.backoff != crate::BACKOFF_DEFAULT {
        push(text, "backoff", &quote(&write_duration(node.backoff)));
    }
    if let Some(cwd) = &node.cwd {
        // Read from TOML, which is UTF-8 throughout: nothing is lost.
        push(text, "cwd", &quote(&cwd.to_string_lossy()));
    }
    if node.output_bytes != OUTPUT_DEFAULT_BYTES {
        push(
            text,
            "output",
            &quote(&write_size(node.output_bytes as u64)),
        );
    }
    if !node.env.is_empty() {
        let pairs = node
            .env
            .iter()
            .map(|(key, value)| format!("{} = {}", quote(key), quote(value)));
        push(
            text,
            "env",
            &format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", ")),
        );
    }
}

fn push(text: &mut String, key: &str, value: &str) {
    *text += &format!("{key} = {value}\n");
}

/// The text as a TOML string on one line.
fn quote(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            // TOML allows no control character in a string but the tab.
            c if c.is_control() => quoted += &format!("\\u{:04X}", c as u32),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn quote_all(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| quote(text)).collect();
    format!("[{}]", quoted.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn command() -> impl Strategy<Value = Command> {
        let text = || any::<String>().prop_map(|text| text.replace('\0', " "));
        let filled = || text().prop_map(|text| format!("x{text}"));
        let exec = (filled(), prop::collection::vec(text(), 0..3));
        prop_oneof![
            filled().prop_map(Command::Shell),
            exec.prop_map(|(program, mut arguments)| {
                arguments.insert(0, program);
                Command::Exec(arguments)
            }),
        ]
    }

    prop_compose! {
        /// A node that needs some of those before it; its name and needs are numbers yet.
        fn node()(
            run in command(),
            lane in prop::sample::select(&[DEFAULT_LANE, "disk", "net"][..]),
            needs in any::<u64>(),
            timeout_ms in prop::option::of(1u64..10_000_000),
            retries in any::<u32>(),
            backoff_ns in 0u64..10_000_000_000,
            env in prop::collection::btree_map("[A-Z_]{1,8}", "[^\0]*", 0..3),
            cwd in prop::option::of("[a-z/ ]{1,9}"),
            output_bytes in 256usize..=64 << 20,
        ) -> (Node, u64) {
            let node = Node {
                name: String::new(),
                run,
                lane: lane.into(),
                needs: Vec::new(),
                timeout: timeout_ms.map(Duration::from_millis),
                retries,
                backoff: Duration::from_nanos(backoff_ns),
                env,
                cwd: cwd.map(PathBuf::from),
                output_bytes,
            };
            (node, needs)
        }
    }

    prop_compose! {
        fn flow()(
            name in prop::option::of("[^\\pC]{1,20}"),
            global_limit in prop::option::of(1usize..100),
            limits in (1usize..100, 1usize..100),
            nodes in prop::collection::vec(node(), 1..8),
        ) -> Flow {
            let named = |index: usize| format!("node-{index}");
            let lane = |name: &str, limit: usize| LaneLimit {
                name: name.into(),
                limit: NonZeroUsize::new(limit).expect("from one on"),
            };
            let nodes = nodes.into_iter().enumerate().map(|(index, (node, needs))| Node {
                name: named(index),
                needs: (0..index).filter(|bit| needs >> bit & 1 == 1).map(named).collect(),
                ..node
            });
            Flow {
                file: "written.toml".into(),
                name,
                global_limit: global_limit.and_then(NonZeroUsize::new),
                lanes: vec![lane("net", limits.0), lane("disk", limits.1)],
                nodes: nodes.collect(),
            }
        }
    }

    proptest! {
        #[test]
        fn a_written_flow_reads_back_equal(flow in flow()) {
            let text = flow.to_toml();
            let again = Flow::from_str(&text, "again.toml");
            prop_assert_eq!(again.as_ref(), Ok(&flow), "{}", text);
        }
    }

    #[test]
    fn a_command_is_shown_so_that_a_shell_would_read_it_the_same() {
        let exec = |words: &[&str]| Command::Exec(words.iter().map(|&word| word.into()).collect());
        assert_eq!(
            exec(&["echo", "", "it's"]).to_string(),
            r"echo '' 'it'\''s'"
        );
        assert_eq!(
            exec(&["tar", "-C", "a/b", "*"]).to_string(),
            "tar -C a/b '*'"
        );
    }
}
