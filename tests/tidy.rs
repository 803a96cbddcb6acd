//! Owns the house rules that a machine can check. Each test is one rule; a failure names every file
//! that breaks it, and what to do about it.

#[path = "tidy/crates.rs"]
mod crates;
#[path = "tidy/source.rs"]
mod source;

use source::Source;
use std::collections::BTreeSet;

/// A file longer than this holds more than one idea.
const FILE_LINES_MAX: usize = 400;

/// The heading in ARCHITECTURE.md below which the files with unsafe are listed, one `- ` bullet
/// each, the path in backticks first.
const UNSAFE_HEADING: &str = "Files with unsafe";

/// Where wall-clock time is in order: it dates a log, and measures nothing.
const WALL_CLOCK_FILES: [&str; 2] = ["crates/pal/src/dir.rs", "crates/pal/src/dir/prune.rs"];

/// The one name of the `metrics` crate that the scheduler may say: what its builder is given and hands on.
const HANDED_ON: &str = "metrics::Recorder";

/// The only file of diag that may know the scheduler.
const DIAG_HOST_FILES_MAX: usize = 1;

/// Fails with every broken place and the remedy.
fn hold(remedy: &str, broken: Vec<String>) {
    assert!(
        broken.is_empty(),
        "\n  {}\nremedy: {remedy}\n",
        broken.join("\n  ")
    );
}

/// `path:line` of each place in `sources` whose code holds one of `words`.
fn places<'a>(sources: impl IntoIterator<Item = &'a Source>, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        for word in words {
            for line in source.lines_with(word) {
                found.push(format!("{}:{line}: `{word}`", source.path));
            }
        }
    }
    found
}

#[test]
fn no_file_is_longer_than_the_limit() {
    let long = source::all().iter().filter_map(|source| {
        let lines = source.text.lines().count();
        (lines > FILE_LINES_MAX).then(|| format!("{}: {lines} lines", source.path))
    });
    hold(
        &format!("split the file by concept, never by number, to at most {FILE_LINES_MAX} lines"),
        long.collect(),
    );
}

#[test]
fn every_file_begins_by_saying_what_it_owns() {
    let silent = source::all()
        .iter()
        .filter(|source| !source.text.starts_with("//! "))
        .map(|source| source.path.clone());
    hold(
        "begin the file with a `//! ` line that says what it owns",
        silent.collect(),
    );
}

#[test]
fn nothing_is_left_to_do_in_the_code() {
    let sources = source::all();
    let words = ["todo!", "unimplemented!", "dbg!"];
    let left = sources.iter().flat_map(|source| {
        let lines = source.code.lines().enumerate();
        lines.filter_map(|(index, line)| {
            let word = words.iter().find(|word| line.contains(*word))?;
            Some(format!("{}:{}: `{word}`", source.path, index + 1))
        })
    });
    hold("write what is missing, or leave it out", left.collect());
}

/// The paths that ARCHITECTURE.md lists under [`UNSAFE_HEADING`].
fn listed_unsafe() -> BTreeSet<String> {
    let path = source::root().join("ARCHITECTURE.md");
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|e| panic!("{}: {e}; remedy: write it", path.display()));
    let is_heading = |line: &str| line.starts_with('#');
    let mut lines = text.lines().skip_while(|line| {
        !is_heading(line) || line.trim_start_matches('#').trim() != UNSAFE_HEADING
    });
    assert!(
        lines.next().is_some(),
        "ARCHITECTURE.md has no heading `{UNSAFE_HEADING}`; remedy: add `## {UNSAFE_HEADING}` and \
         below it one bullet a file, as in \"- `crates/pal/src/map.rs`: maps the log\""
    );
    lines
        .take_while(|line| !is_heading(line))
        .filter_map(|line| line.trim_start().strip_prefix("- `"))
        .filter_map(|bullet| bullet.split('`').next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn unsafe_is_where_the_architecture_lists_it_and_nowhere_else() {
    let listed = listed_unsafe();
    let sources = source::all();
    let holding: BTreeSet<String> = sources
        .iter()
        .filter(|source| !source.lines_with("unsafe").is_empty())
        .map(|source| source.path.clone())
        .collect();
    let mut broken: Vec<String> = Vec::new();
    for path in holding.difference(&listed) {
        broken.push(format!("{path}: has unsafe and is not listed"));
    }
    for path in listed.difference(&holding) {
        broken.push(format!(
            "{path}: is listed and has no unsafe, or is not there"
        ));
    }
    hold(
        &format!(
            "keep unsafe in few files; ARCHITECTURE.md lists exactly those under `{UNSAFE_HEADING}`"
        ),
        broken,
    );
}

#[test]
fn a_crate_without_unsafe_forbids_it() {
    let sources = source::all();
    let mut broken = Vec::new();
    for room in crates::all() {
        let mut files = sources.iter().filter(|source| source.is_under(&room.src()));
        let Some(top) = sources
            .iter()
            .find(|source| room.is_root_file(&source.path))
        else {
            broken.push(format!("{}: no lib.rs and no main.rs", room.src()));
            continue;
        };
        let has_unsafe = files.any(|source| !source.lines_with("unsafe").is_empty());
        let forbids = top.code.contains("#![forbid(unsafe_code)]");
        if !has_unsafe && !forbids {
            broken.push(top.path.clone());
        }
    }
    hold("put `#![forbid(unsafe_code)]` below its header", broken);
}

#[test]
fn crate_arrows_point_down() {
    let rooms = crates::all();
    let broken = rooms.iter().flat_map(crates::Room::wrong_arrows);
    hold(
        "move the code to a lower room, or the caller to a higher one: cli > flow > {pty, lanes, diag} > \
         scheduler > telemetry > pal; the facade may depend on all but the cli, and nothing on it",
        broken.collect(),
    );
}

#[test]
fn every_crate_takes_the_workspace_lints() {
    let broken = crates::all()
        .into_iter()
        .filter(|room| !room.takes_workspace_lints())
        .map(|room| room.manifest);
    hold("add `[lints] workspace = true`", broken.collect());
}

#[test]
fn the_scheduler_reports_through_the_seam_only() {
    let in_scheduler = |source: &&Source| source.is_under("crates/scheduler/src/");
    let mut sources: Vec<Source> = source::all().iter().filter(in_scheduler).cloned().collect();
    for source in &mut sources {
        source.code = source.code.replace(HANDED_ON, "");
    }
    hold(
        "call the seam in crates/telemetry instead",
        places(&sources, &["metrics", "tracing"]),
    );
}

#[test]
fn wall_clock_time_is_where_it_is_listed_and_nowhere_else() {
    let sources = source::all();
    let rooms = sources.iter().filter(|source| {
        source.is_under("crates/")
            && source.path.contains("/src/")
            && !WALL_CLOCK_FILES.contains(&source.path.as_str())
    });
    hold(
        "measure with a monotonic clock; where the time of day is meant, list the file in tests/tidy.rs",
        places(rooms, &["SystemTime"]),
    );
}

#[test]
fn pal_knows_no_futures() {
    let sources = source::all();
    let pal = sources.iter().filter(|s| s.is_under("crates/pal/src/"));
    hold(
        "keep what polls and wakes above pal",
        places(pal, &["std::future", "std::task", "core::task", "futures"]),
    );
}

#[test]
fn diag_knows_the_scheduler_in_one_file_at_most() {
    let sources = source::all();
    let knowing: Vec<String> = sources
        .iter()
        .filter(|s| s.is_under("crates/diag/src/"))
        .filter(|s| !s.lines_with("glasshouse_scheduler").is_empty())
        .map(|s| s.path.clone())
        .collect();
    let broken = if knowing.len() > DIAG_HOST_FILES_MAX {
        knowing
    } else {
        Vec::new()
    };
    hold("keep what hosts diag as a task in one small file", broken);
}

#[test]
fn the_inspector_reads_logs_and_knows_no_runtime() {
    let sources = source::all();
    let inspector: Vec<&Source> = sources
        .iter()
        .filter(|s| s.is_under("crates/cli/src/inspect"))
        .collect();
    assert!(
        !inspector.is_empty(),
        "the inspector's files are no longer in crates/cli/src/inspect; remedy: name their place here"
    );
    let above_pal = [
        "glasshouse_telemetry",
        "glasshouse_scheduler",
        "glasshouse_flow",
    ];
    hold("read the log through pal", places(inspector, &above_pal));
}

#[test]
fn a_lib_file_documents_declares_and_re_exports_only() {
    let sources = source::all();
    let mut broken = Vec::new();
    for source in sources.iter().filter(|s| s.path.ends_with("src/lib.rs")) {
        let code = without_attributes(&source.code);
        for item in code.split(';').map(str::trim).filter(|i| !i.is_empty()) {
            let words = ["mod ", "use ", "pub mod ", "pub use ", "compile_error!"];
            let inner = item.trim_start_matches("pub(crate) ");
            let is_known = words.iter().any(|word| inner.starts_with(word));
            let is_block = item.contains('{') && !inner.contains("use ");
            if !is_known || is_block {
                let line = item.lines().next().unwrap_or(item);
                broken.push(format!("{}: `{line}`", source.path));
            }
        }
    }
    hold("move it into a module named after what it defines", broken);
}

/// `code` without its `#[…]` and `#![…]`.
fn without_attributes(code: &str) -> String {
    let mut out = String::new();
    let mut depth = 0usize;
    let mut chars = code.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '#' if depth == 0 => {
                chars.next_if_eq(&'!');
                if chars.next_if_eq(&'[').is_some() {
                    depth = 1;
                }
            }
            '[' if depth > 0 => depth += 1,
            ']' if depth > 0 => depth -= 1,
            _ if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}
