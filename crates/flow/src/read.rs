//! Owns the reading of a flow from TOML: every key known, every name resolved, or one error.

use crate::draft::Draft;
use crate::error::{FlowError, Problem};
use crate::flow::{Flow, LaneLimit};
use crate::graph::Graph;
use crate::resolve::resolve;
use crate::section::{Section, entries};
use crate::source::{At, Source};
use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::num::NonZeroUsize;
use std::path::Path;
use toml::de::DeTable;

/// The longest flow file, in bytes. A guess: some ten thousand nodes.
pub const FILE_BYTES_MAX: usize = 4 << 20;
/// The most nodes that a limit may let run at a time.
pub const LIMIT_MAX: u64 = 65_536;
/// The longest name of a node or lane, in bytes.
pub const NAME_BYTES_MAX: usize = 64;

const FLOW_KEYS: &[&str] = &["name", "global_limit", "lanes", "node"];
const LANE_KEYS: &[&str] = &["limit"];
const LANES_EXAMPLE: &str = "[lanes.NAME] with a `limit`";
const NODES_EXAMPLE: &str = "[[node]] in double brackets";
const LIMIT_EXAMPLE: &str = "a whole number such as 2";

impl Flow {
    /// Reads the flow in this file.
    ///
    /// # Errors
    ///
    /// A [`FlowError`] if the file cannot be read or is no whole flow.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Flow, FlowError> {
        let path = path.as_ref();
        let file = path.display().to_string();
        let text = read_text(path).map_err(|problem| FlowError::new(&file, None, problem))?;
        Flow::from_str(&text, &file)
    }

    /// Reads the flow in this text; `file` is what messages call it.
    ///
    /// # Errors
    ///
    /// A [`FlowError`] if the text is no whole flow.
    pub fn from_str(text: &str, file: &str) -> Result<Flow, FlowError> {
        let source = Source { file, text };
        let document = DeTable::parse(text).map_err(|error| syntax(source, &error))?;
        let root = At {
            value: document.get_ref(),
            span: document.span(),
        };
        let root = Section::open(source, root, "the flow", FLOW_KEYS)?;
        let name = match root.string("name", r#"a string such as "nightly""#)? {
            Some(name) => Some(source.label("name", name)?),
            None => None,
        };
        let global_limit = root.number("global_limit", 1..=LIMIT_MAX, LIMIT_EXAMPLE)?;
        let lanes = read_lanes(source, &root)?;
        let drafts = read_nodes(source, &root)?;
        resolve(source, &lanes, &drafts)?;
        Ok(Flow {
            file: file.to_owned(),
            name,
            global_limit: global_limit.and_then(to_limit),
            lanes,
            nodes: drafts.into_iter().map(|draft| draft.node).collect(),
        })
    }

    /// Who needs whom, by index.
    pub(crate) fn graph(&self) -> Graph {
        let numbered = self.nodes.iter().enumerate();
        let by_name: HashMap<&str, usize> =
            numbered.map(|(index, node)| (&*node.name, index)).collect();
        let needs = self.nodes.iter().map(|node| {
            let needs = node.needs.iter();
            needs.map(|need| by_name[&**need]).collect()
        });
        // Flows are made by reading alone, which refuses cycles.
        Graph::new(needs.collect()).expect("a flow that was read has no cycle")
    }
}

fn read_text(path: &Path) -> Result<String, Problem> {
    let unreadable = |cause: String| Problem::Unreadable { cause };
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file that is too long, without reading all of it.
    let limit = FILE_BYTES_MAX as u64 + 1;
    File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(Problem::TooLong {
            limit_bytes: FILE_BYTES_MAX,
        });
    }
    String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8".into()))
}

fn syntax(source: Source<'_>, error: &toml::de::Error) -> FlowError {
    let message = error.message().trim().replace('\n', ", ");
    let place = error.span().map(|span| source.place(span.start));
    FlowError::new(source.file, place, Problem::Syntax { message })
}

fn to_limit(number: u64) -> Option<NonZeroUsize> {
    NonZeroUsize::new(usize::try_from(number).unwrap_or(usize::MAX))
}

fn read_lanes(source: Source<'_>, root: &Section<'_, '_>) -> Result<Vec<LaneLimit>, FlowError> {
    let Some(lanes) = root.table("lanes", LANES_EXAMPLE)? else {
        return Ok(Vec::new());
    };
    let mut limits = Vec::new();
    for (key, value) in entries(lanes.value) {
        let table = source.table(key.value, value, LANES_EXAMPLE)?;
        let lane = Section::open(source, table, "[lanes.NAME]", LANE_KEYS)?;
        let limit = lane
            .number("limit", 1..=LIMIT_MAX, LIMIT_EXAMPLE)?
            .and_then(to_limit)
            .ok_or_else(|| lane.missing("limit", "limit = 2"))?;
        limits.push(LaneLimit {
            name: source.name("lanes", key)?,
            limit,
        });
    }
    Ok(limits)
}

fn read_nodes(source: Source<'_>, root: &Section<'_, '_>) -> Result<Vec<Draft>, FlowError> {
    let Some(nodes) = root.find("node") else {
        return Err(FlowError::new(source.file, None, Problem::NoNodes));
    };
    let Some(array) = nodes.get_ref().as_array() else {
        return Err(source.wrong_type("node", nodes, NODES_EXAMPLE));
    };
    if array.is_empty() {
        return Err(source.error(&nodes.span(), Problem::NoNodes));
    }
    let drafts = array.iter().map(|node| {
        let table = source.table("node", node, NODES_EXAMPLE)?;
        Draft::read(source, table)
    });
    drafts.collect()
}
