//! Owns one record as a line: for people, and as JSON.

use crate::human;
use crate::inspect::event::Field;
use crate::inspect::ring::Ring;
use glasshouse_pal::reader::{Entry, RingId};
use jiff::Timestamp;
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::borrow::Cow;
use std::fmt;

/// One record with everything that is said of it.
pub struct Line<'a> {
    pub entry: &'a Entry,
    /// In nanoseconds since 1970 UTC, where the log holds a date and it is told.
    pub wall_ns: Option<u64>,
    pub event: Cow<'static, str>,
    /// The task's name.
    pub name: Option<&'a str>,
    pub fields: Vec<Field>,
}

impl Line<'_> {
    fn wall(&self) -> Option<String> {
        let at = Timestamp::from_nanosecond(i128::from(self.wall_ns?)).ok()?;
        Some(at.to_string())
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&human::at(self.entry.at_ns))?;
        match self.entry.ring {
            RingId::Worker(number) => write!(f, " {number:>5} ")?,
            RingId::External(number) => write!(f, " {:>5} ", format!("ext{number}"))?,
        }
        match self.entry.event.tid() {
            Some(task) => {
                let digits = task.number().ilog10() as usize + 1;
                write!(f, "{:1$}#{task} ", "", 6usize.saturating_sub(digits))?;
            }
            None => write!(f, "{:7} ", "")?,
        }
        let name = human::plain(self.name.unwrap_or_default());
        let missing = 18usize.saturating_sub(human::width(&name));
        write!(f, "{name}{:missing$} {}", "", human::plain(&self.event))?;
        for (name, value) in &self.fields {
            let name = name.strip_suffix("_ns").unwrap_or(name);
            write!(f, " {}={value}", human::plain(name))?;
        }
        Ok(())
    }
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("seq", &self.entry.seq)?;
        map.serialize_entry("worker", &Ring(self.entry.ring))?;
        map.serialize_entry("at_ns", &self.entry.at_ns)?;
        map.serialize_entry("wall", &self.wall())?;
        map.serialize_entry("event", &self.event)?;
        if let Some(task) = self.entry.event.tid() {
            map.serialize_entry("task", &task.number())?;
            map.serialize_entry("name", &self.name)?;
        }
        for (name, value) in &self.fields {
            // A kind of the application's may call a field as the line calls its own.
            match name.as_ref() {
                "seq" | "worker" | "at_ns" | "wall" | "event" | "task" | "name" => {
                    map.serialize_entry(&format!("its_{name}"), value)?;
                }
                name => map.serialize_entry(name, value)?,
            }
        }
        map.end()
    }
}
