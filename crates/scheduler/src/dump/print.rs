//! Owns how a dump prints: a line for each task.

use super::{Dump, Task, WaitsFor};
use crate::task::Id;
use std::fmt;

impl fmt::Display for Dump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tasks.len() {
            1 => writeln!(f, "1 task")?,
            count => writeln!(f, "{count} tasks")?,
        }
        for task in &self.tasks {
            writeln!(f, "{task}")?;
        }
        match self.without_slot {
            0 => Ok(()),
            count => writeln!(f, "and {count} tasks that found no room in the log's table"),
        }
    }
}

/// One line, without its end. Names are quoted, and what a terminal would act upon is escaped.
impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {}", self.id)?;
        if let Some(name) = self.name() {
            write!(f, " {name:?}")?;
        }
        if let Some(site) = &self.site {
            write!(f, " at {site}")?;
        }
        if let Some(parent) = self.parent {
            write!(f, ", by {}", Named(parent))?;
        }
        write!(f, ": {} for {:?}", self.state.name(), self.since)?;
        if let Some(waits_for) = &self.waits_for {
            write!(f, ", {waits_for}")?;
        }
        write!(f, "; {}", self.stats)
    }
}

/// As the line of its task has it, after the state: "on task 7", "to read descriptor 3".
impl fmt::Display for WaitsFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WaitsFor::Deadline { ahead } => write!(f, "until {ahead:?} had passed"),
            WaitsFor::Io(io) => write!(f, "to {} descriptor {}", io.interest.name(), io.fd),
            WaitsFor::Task(on) => write!(f, "on {}", Named(*on)),
            WaitsFor::Lane(lane) => write!(f, "in lane {lane:?}"),
        }
    }
}

struct Named(Id);

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {}", self.0)
    }
}
