//! Owns a node while it is read: the node itself, and where its names stand until they are resolved.

use crate::backoff::BACKOFF_DEFAULT;
use crate::error::{FlowError, Problem};
use crate::flow::{Command, DEFAULT_LANE, Node, OUTPUT_DEFAULT_BYTES};
use crate::quantity::{QuantityError, read_duration, read_size};
use crate::section::{Section, entries};
use crate::source::{At, Source, excerpt};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;
use toml::de::DeTable;

/// What `output` may be, in bytes: more than a terminal's line, and at most what a machine can spare for
/// each node that runs. A guess.
pub const OUTPUT_BYTES: RangeInclusive<u64> = 256..=64 << 20;

const NODE_KEYS: &[&str] = &[
    "name", "run", "lane", "needs", "timeout", "retries", "backoff", "env", "cwd", "output",
];
const NAME_EXAMPLE: &str = r#"a string such as "build""#;
const RUN_EXAMPLE: &str = r#"a string for the shell or an array such as ["wc", "-l", "FILE"]"#;
const NEEDS_EXAMPLE: &str = r#"an array of node names such as ["build"]"#;
const LANE_EXAMPLE: &str = r#"the name of a lane such as "disk""#;
const DURATION_EXAMPLE: &str = r#"a number and a unit such as "250ms", "1.5s" or "2m""#;
const SIZE_EXAMPLE: &str = r#"a number and a unit such as "64KiB", from "256B" to "64MiB""#;
const ENV_EXAMPLE: &str = r#"a table of strings such as { LANG = "C" }"#;
const CWD_EXAMPLE: &str = r#"a path such as "crates""#;
const RETRIES_EXAMPLE: &str = "a whole number such as 2";

/// A node as written.
pub(crate) struct Draft {
    pub(crate) node: Node,
    /// Where its name stands.
    pub(crate) name_at: usize,
    pub(crate) lane: Option<At<String>>,
    pub(crate) needs: Vec<At<String>>,
}

impl Draft {
    pub(crate) fn read(source: Source<'_>, table: At<&DeTable<'_>>) -> Result<Draft, FlowError> {
        let section = Section::open(source, table, "[[node]]", NODE_KEYS)?;
        let name = section
            .string("name", NAME_EXAMPLE)?
            .ok_or_else(|| section.missing("name", r#"name = "build""#))?;
        let name_at = name.span.start;
        let lane = section.string("lane", LANE_EXAMPLE)?.map(to_owned);
        let needs = section.strings("needs", NEEDS_EXAMPLE)?;
        let needs: Vec<_> = needs.into_iter().map(to_owned).collect();
        let cwd = match section.string("cwd", CWD_EXAMPLE)? {
            Some(cwd) => Some(PathBuf::from(source.label("cwd", cwd)?)),
            None => None,
        };
        let retries = section.number("retries", 0..=u64::from(u32::MAX), RETRIES_EXAMPLE)?;
        let node = Node {
            name: source.name("name", name)?,
            run: read_command(source, &section)?,
            lane: lane
                .as_ref()
                .map_or(DEFAULT_LANE, |lane| &lane.value)
                .to_owned(),
            needs: needs.iter().map(|need| need.value.clone()).collect(),
            timeout: section.quantity("timeout", DURATION_EXAMPLE, read_timeout)?,
            // The range that was asked for fits.
            retries: retries.map_or(0, |retries| retries as u32),
            backoff: section
                .quantity("backoff", DURATION_EXAMPLE, read_duration)?
                .unwrap_or(BACKOFF_DEFAULT),
            env: read_env(source, &section)?,
            cwd,
            output_bytes: section
                .quantity("output", SIZE_EXAMPLE, read_output)?
                .unwrap_or(OUTPUT_DEFAULT_BYTES),
        };
        Ok(Draft {
            node,
            name_at,
            lane,
            needs,
        })
    }
}

fn to_owned(at: At<&str>) -> At<String> {
    At {
        value: at.value.to_owned(),
        span: at.span,
    }
}

fn read_timeout(text: &str) -> Result<Duration, QuantityError> {
    match read_duration(text)? {
        Duration::ZERO => Err(QuantityError::Zero),
        timeout => Ok(timeout),
    }
}

fn read_output(text: &str) -> Result<usize, QuantityError> {
    match read_size(text)? {
        bytes if bytes < *OUTPUT_BYTES.start() => Err(QuantityError::TooSmall),
        bytes if bytes > *OUTPUT_BYTES.end() => Err(QuantityError::TooLarge),
        // At most 64 MiB, which every address space holds.
        bytes => Ok(bytes as usize),
    }
}

fn read_command(source: Source<'_>, section: &Section<'_, '_>) -> Result<Command, FlowError> {
    let Some(value) = section.find("run") else {
        return Err(section.missing("run", r#"run = "COMMAND""#));
    };
    let empty = |fault: &str| {
        let problem = Problem::Text {
            key: "run".into(),
            fault: fault.into(),
            remedy: "write the command that the node runs",
        };
        source.error(&value.span(), problem)
    };
    if value.get_ref().is_array() {
        let words = section.strings("run", RUN_EXAMPLE)?;
        if words.first().is_none_or(|program| program.value.is_empty()) {
            return Err(empty("names no program"));
        }
        let words = words.into_iter().map(|word| source.argument("run", word));
        return Ok(Command::Exec(words.collect::<Result<_, _>>()?));
    }
    let line = source.string("run", value, RUN_EXAMPLE)?;
    if line.value.trim().is_empty() {
        return Err(empty("is an empty line"));
    }
    Ok(Command::Shell(source.argument("run", line)?))
}

fn read_env(
    source: Source<'_>,
    section: &Section<'_, '_>,
) -> Result<BTreeMap<String, String>, FlowError> {
    let Some(table) = section.table("env", ENV_EXAMPLE)? else {
        return Ok(BTreeMap::new());
    };
    let mut env = BTreeMap::new();
    for (key, value) in entries(table.value) {
        if key.value.is_empty() || key.value.contains(['=', '\0']) {
            let fault = format!("has the variable {:?}", excerpt(key.value));
            let remedy = "name it without = and NUL, in at least one letter";
            return Err(source.bad_text("env", &key, fault, remedy));
        }
        let text = source.string(key.value, value, "a string, in quotes")?;
        env.insert(key.value.to_owned(), source.argument(key.value, text)?);
    }
    Ok(env)
}
