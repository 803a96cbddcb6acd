//! Owns the critical path as a tree of lines: whose time it is, below those whom they kept waiting.

use super::called;
use crate::human::{self, Span};
use crate::inspect::names::Names;
use crate::inspect::part::{Nanos, Tenths, shares};
use glasshouse_pal::why::{Activity, Hop, Path, PathNode};
use glasshouse_pal::{Rate, TaskState};
use std::io::{self, Write};

/// The columns that a line takes at most.
const COLUMNS: usize = 80;
/// The lines below one task; what is shorter is summed up in a last one.
const LINES_MAX: usize = 8;
/// The tasks that stand below each other; what is deeper is summed up.
const DEPTH_MAX: usize = 12;
/// The small parts that are named where they are summed up.
const NAMED_MAX: usize = 3;

/// A path with its times and shares.
pub struct Tree<'a> {
    pub nodes: &'a [PathNode],
    /// Of each node's shares, in their order.
    pub parts: Vec<Vec<Part>>,
    /// Of each node with all below it.
    pub totals: Vec<Part>,
    /// Below each node, the longest first.
    pub below: Vec<Vec<usize>>,
}

/// A time and its share of the whole.
#[derive(Clone, Copy, Default)]
pub struct Part {
    pub ns: u64,
    pub share: Tenths,
}

impl Part {
    fn add(&mut self, other: Part) {
        self.ns = self.ns.saturating_add(other.ns);
        self.share.0 += other.share.0;
    }
}

impl<'a> Tree<'a> {
    pub fn of(path: &'a Path, rate: Rate) -> Tree<'a> {
        let nodes = &path.nodes;
        let ticks = nodes.iter().flat_map(|node| &node.shares);
        let ticks: Vec<u64> = ticks.map(|share| share.ticks).collect();
        let mut nanos = Nanos::from(rate, path.from);
        let mut all = shares(&ticks)
            .into_iter()
            .zip(ticks)
            .map(|(share, ticks)| Part {
                ns: nanos.part(ticks),
                share,
            });
        let parts: Vec<Vec<Part>> = nodes
            .iter()
            .map(|node| all.by_ref().take(node.shares.len()).collect())
            .collect();
        let mut totals: Vec<Part> = vec![Part::default(); nodes.len()];
        let mut below: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
        // A node comes after the one above it.
        for at in (0..nodes.len()).rev() {
            for part in &parts[at] {
                totals[at].add(*part);
            }
            if let Some(above) = nodes[at].above {
                let total = totals[at];
                totals[above].add(total);
                below[above].push(at);
            }
        }
        for nodes in &mut below {
            nodes.sort_by_key(|at| std::cmp::Reverse(totals[*at].ns));
        }
        Tree {
            nodes,
            parts,
            totals,
            below,
        }
    }

    /// Prints it, at most [`COLUMNS`] wide.
    pub fn print(&self, names: &mut Names<'_>, out: &mut impl Write) -> io::Result<()> {
        self.print_node(0, &mut String::new(), String::new(), 0, names, out)
    }

    /// Prints a node behind `lead`, and what is below it behind `indent`.
    fn print_node(
        &self,
        at: usize,
        indent: &mut String,
        lead: String,
        depth: usize,
        names: &mut Names<'_>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let node = &self.nodes[at];
        let label = hop(node.hop, &called(node.task, names));
        let rows = self.rows(at, depth, names);
        if let [Row::Own(part, what)] = &rows[..] {
            return line(*part, &format!("{lead}{label}: {what}"), out);
        }
        line(self.totals[at], &format!("{lead}{label}"), out)?;
        let count = rows.len();
        for (index, row) in rows.into_iter().enumerate() {
            let is_last = index + 1 == count;
            let lead = format!("{indent}{}", if is_last { "└─ " } else { "├─ " });
            match row {
                Row::Own(part, what) => line(part, &format!("{lead}{what}"), out)?,
                Row::Below(below) => {
                    let length = indent.len();
                    indent.push_str(if is_last { "   " } else { "│  " });
                    self.print_node(below, indent, lead, depth + 1, names, out)?;
                    indent.truncate(length);
                }
            }
        }
        Ok(())
    }

    /// The lines below a node: its own times and the nodes below, the longest first, the short ones as one.
    fn rows(&self, at: usize, depth: usize, names: &mut Names<'_>) -> Vec<Row> {
        let own = self.nodes[at].shares.iter().zip(&self.parts[at]);
        let own = own.map(|(share, part)| Row::Own(*part, what(share.activity)));
        let below = self.below[at].iter().map(|below| Row::Below(*below));
        let mut rows: Vec<Row> = own.chain(below).collect();
        rows.retain(|row| self.part(row).ns > 0);
        rows.sort_by_key(|row| std::cmp::Reverse(self.part(row).ns));
        let is_deepest = depth + 1 >= DEPTH_MAX;
        let is_short = |index: usize, row: &Row| match row {
            Row::Below(_) if is_deepest => true,
            row => self.part(row).share.0 == 0 || index + 1 >= LINES_MAX,
        };
        let (short, mut long): (Vec<_>, Vec<_>) = rows
            .into_iter()
            .enumerate()
            .partition(|(index, row)| is_short(*index, row));
        if short.len() == 1 && !is_deepest {
            long.extend(short);
        } else if !short.is_empty() {
            let mut sum = Part::default();
            short.iter().for_each(|(_, row)| sum.add(self.part(row)));
            let label = self.label_of(&short, names);
            long.push((LINES_MAX, Row::Own(sum, label)));
        }
        long.into_iter().map(|(_, row)| row).collect()
    }

    fn part(&self, row: &Row) -> Part {
        match row {
            Row::Own(part, _) => *part,
            Row::Below(at) => self.totals[*at],
        }
    }

    fn label_of(&self, short: &[(usize, Row)], names: &mut Names<'_>) -> String {
        if short.len() > NAMED_MAX {
            return format!("{} more", short.len());
        }
        let mut label = |row: &Row| match row {
            Row::Own(_, what) => what.clone(),
            Row::Below(at) => {
                let node = &self.nodes[*at];
                hop(node.hop, &called(node.task, names))
            }
        };
        let labels: Vec<String> = short.iter().map(|(_, row)| label(row)).collect();
        labels.join("; ")
    }
}

/// One line below a node.
enum Row {
    /// A time of its own, or several short ones.
    Own(Part, String),
    /// A node below.
    Below(usize),
}

fn line(part: Part, text: &str, out: &mut impl Write) -> io::Result<()> {
    let line = format!("{:>9} {:>7}  {text}", Span(part.ns), part.share);
    writeln!(out, "{}", human::cut(&line, COLUMNS))
}

fn hop(hop: Hop, task: &str) -> String {
    match hop {
        Hop::Asked => task.to_owned(),
        Hop::Woke => format!("woken by {task}"),
        Hop::Permit => format!("given a lane's permit by {task}"),
        Hop::Aborted => format!("aborted by {task}"),
        Hop::Spawned => format!("spawned by {task}"),
        Hop::Awaited => format!("waits for the end of {task}"),
    }
}

/// What a task did, in words.
pub fn what(activity: Activity) -> String {
    match activity {
        Activity::Run => "run".to_owned(),
        Activity::Ready => "ready delay".to_owned(),
        Activity::Unborn => "before a thread outside spawned it".to_owned(),
        Activity::Unrecorded => "not in the log".to_owned(),
        Activity::Wait { state, ended_by } => {
            let wait = wait(state);
            match (state, ended_by) {
                (TaskState::Sleeping, Some("timer")) | (TaskState::IoWait, Some("io")) => {
                    wait.to_owned()
                }
                (_, None) => format!("{wait}, which goes on"),
                (_, Some("external")) => format!("{wait}, ended from outside the scheduler"),
                (_, Some("io")) => format!("{wait}, ended by a descriptor"),
                (_, Some("lane")) => format!("{wait}, ended by a lane"),
                (_, Some("abort")) => format!("{wait}, ended by an abort"),
                (_, Some(by)) => format!("{wait}, ended by a {by}"),
            }
        }
    }
}

/// What a task waits for, in a word.
pub fn wait(state: TaskState) -> &'static str {
    match state {
        TaskState::Sleeping => "sleep",
        TaskState::IoWait => "I/O",
        TaskState::JoinWait => "join",
        TaskState::LaneWait => "lane",
        _ => "other wait",
    }
}
