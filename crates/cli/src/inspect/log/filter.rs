//! Owns which records `glasshouse log` prints.

use crate::exit::Stop;
use crate::human::{self, Span};
use crate::inspect::event::{Events, Field, Told};
use crate::inspect::names::Names;
use crate::inspect::open::Opened;
use crate::inspect::parse::{Moment, moment, ring, task};
use glasshouse_pal::reader::{Entry, Log, RingId};
use glasshouse_pal::{Event, TaskId};

/// Which records are asked for: those that every option given lets through.
#[derive(clap::Args, Default)]
pub struct Wanted {
    /// Only records about task N
    #[arg(long, value_name = "N", value_parser = task, allow_hyphen_values = true)]
    task: Option<TaskId>,
    /// Only records about tasks of this name; `*` stands for any characters
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Only events of kind K, such as `wake`; several with commas between
    #[arg(long, value_name = "K", value_delimiter = ',')]
    kind: Vec<String>,
    /// The same as --kind
    // No alias, so that who is answered reads what they wrote.
    #[arg(long, value_name = "K", value_delimiter = ',')]
    event: Vec<String>,
    /// Only events about this lane
    #[arg(long, value_name = "LANE")]
    lane: Option<String>,
    /// Only what this worker recorded, such as `0`, or another thread, such as `ext0`
    #[arg(long, value_name = "W", value_parser = ring)]
    worker: Option<RingId>,
    /// Only from this moment on: `5s` before the end, `+1.5` seconds or `+500ms` after the beginning, or a date with
    /// its zone, `2026-01-31T03:00:00Z`
    #[arg(long, value_name = "WHEN", value_parser = moment, allow_hyphen_values = true)]
    since: Option<Moment>,
    /// Only up to this moment, as with --since
    #[arg(
        long,
        value_name = "WHEN",
        value_parser = moment,
        allow_hyphen_values = true,
        conflicts_with = "follow"
    )]
    until: Option<Moment>,
}

impl Wanted {
    /// The one task that is asked for.
    pub fn task(&self) -> Option<TaskId> {
        self.task
    }

    fn kinds(&self) -> impl Iterator<Item = &String> {
        self.kind.iter().chain(&self.event)
    }

    /// What the log cannot have is a mistake, not an empty answer.
    ///
    /// # Errors
    ///
    /// When a kind or a worker is asked for that the log does not know.
    pub fn check(&self, opened: &Opened, events: &Events<'_>) -> Result<(), Stop> {
        let mut known = events.names();
        if let Some(kind) = self.kinds().find(|kind| !known.contains(kind)) {
            known.sort();
            return Err(Stop::input(format_args!(
                "{}: no event is of kind `{}`; the log knows {}",
                opened.name(),
                human::plain(kind),
                human::plain(&known.join(", ")),
            )));
        }
        let rings = opened.log.rings();
        match self.worker {
            Some(worker) if rings.iter().all(|ring| ring.id != worker) => {
                let known: Vec<String> = rings.iter().map(|ring| ring.id.to_string()).collect();
                Err(Stop::input(format_args!(
                    "{}: no worker {worker} has recorded; the log knows {}",
                    opened.name(),
                    known.join(", "),
                )))
            }
            _ => Ok(()),
        }
    }

    /// What is asked for, as options; empty where that is every record.
    pub fn told(&self) -> String {
        let text = |option: &str, value: Option<String>| Some(format!("{option} {}", value?));
        let list = |kinds: &[String]| Some(kinds.join(",")).filter(|kinds| !kinds.is_empty());
        let is_window = self.since.is_some() || self.until.is_some();
        let parts = [
            text("--task", self.task.map(|task| task.to_string())),
            text("--name", self.name.clone()),
            text("--kind", list(&self.kind)),
            text("--event", list(&self.event)),
            text("--lane", self.lane.clone()),
            text("--worker", self.worker.map(|worker| worker.to_string())),
            is_window.then(|| "the window of time".to_owned()),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        parts.join(", ")
    }

    /// Whether a moment is told by the newest record.
    pub fn counts_from_the_end(&self) -> bool {
        let is_before_end = |moment| matches!(moment, Some(Moment::BeforeEnd(_)));
        is_before_end(self.since) || is_before_end(self.until)
    }

    /// The filter of a log whose newest record is stamped so.
    pub fn filter(&self, newest_ns: u64) -> Filter<'_> {
        Filter {
            wanted: self,
            since: self.since.map(|moment| Bound::of(moment, newest_ns)),
            until: self.until.map(|moment| Bound::of(moment, newest_ns)),
        }
    }
}

/// A moment of one log.
#[derive(Clone, Copy)]
enum Bound {
    /// In nanoseconds since the log began.
    At(u64),
    /// In nanoseconds since 1970 UTC.
    Wall(u64),
}

impl Bound {
    fn of(moment: Moment, newest_ns: u64) -> Bound {
        match moment {
            Moment::BeforeEnd(span) => Bound::At(newest_ns.saturating_sub(Span::from(span).0)),
            Moment::AfterBeginning(span) => Bound::At(Span::from(span).0),
            Moment::Wall(ns) => Bound::Wall(ns),
        }
    }

    /// How the record stands to it; a record without a date stands before every date.
    fn order(self, entry: &Entry, log: &Log) -> std::cmp::Ordering {
        match self {
            Bound::At(ns) => entry.at_ns.cmp(&ns),
            Bound::Wall(ns) => log.wall_ns(entry.stamp).cmp(&Some(ns)),
        }
    }
}

/// The options, with their moments found in one log.
pub struct Filter<'a> {
    wanted: &'a Wanted,
    since: Option<Bound>,
    until: Option<Bound>,
}

impl Filter<'_> {
    /// Whether the record is asked for; what costs least to tell comes first.
    pub fn passes(&self, entry: &Entry, events: &mut Events<'_>, names: &mut Names<'_>) -> bool {
        let wanted = self.wanted;
        let tid = entry.event.tid();
        if wanted.task.is_some() && wanted.task != tid
            || wanted.worker.is_some_and(|ring| ring != entry.ring)
        {
            return false;
        }
        let log = events.log();
        let is_early = |bound: Bound| bound.order(entry, log).is_lt();
        let is_late = |bound: Bound| bound.order(entry, log).is_gt();
        if self.since.is_some_and(is_early) || self.until.is_some_and(is_late) {
            return false;
        }
        self.has_kind(&entry.event, events)
            && self.has_name(tid, names)
            && self.has_lane(&entry.event, events, names)
    }

    fn has_kind(&self, event: &Event, events: &mut Events<'_>) -> bool {
        let mut kinds = self.wanted.kinds().peekable();
        kinds.peek().is_none() || kinds.any(|kind| *kind == events.name(event))
    }

    fn has_name(&self, tid: Option<TaskId>, names: &mut Names<'_>) -> bool {
        let Some(pattern) = &self.wanted.name else {
            return true;
        };
        let site = tid.and_then(|tid| names.of_task(tid));
        let name = site.as_ref().and_then(|site| site.name.as_deref());
        name.is_some_and(|name| matches(pattern, name))
    }

    fn has_lane(&self, event: &Event, events: &mut Events<'_>, names: &mut Names<'_>) -> bool {
        let Some(lane) = &self.wanted.lane else {
            return true;
        };
        let is_it = |(name, value): &Field| {
            name == "lane" && matches!(value, Told::Text(text) if text == lane)
        };
        events.fields(event, names).iter().any(is_it)
    }
}

/// Whether a text is of this pattern, in which each `*` stands for any characters, or none.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    // A text always has a first part.
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.split_once(part) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, text) in [
            ("a", "a"),
            ("*", ""),
            ("*", "abc"),
            ("node:*", "node:a"),
            ("*:a", "node:a"),
            ("n*:*a", "node:a"),
            ("a**b", "ab"),
            ("*b*", "abc"),
            ("aa*a", "aaa"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("a", "ab"),
            ("a", "ba"),
            ("", "a"),
            ("node:*", "pty:a"),
            ("*:a", "node:ab"),
            ("aa*a", "aa"),
            ("a*b*c", "acb"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}
