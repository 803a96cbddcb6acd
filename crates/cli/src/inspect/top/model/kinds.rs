//! Owns what the log's own description of its kinds says of lanes and pseudo-terminals. The inspector knows
//! those kinds by their names, as any reader could.

use glasshouse_pal::DomainEvent;
use glasshouse_pal::reader::Log;
use std::collections::HashMap;

/// What a kind is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    LaneAcquired,
    LaneReleased,
    PtySpawned,
    PtyExited,
    PtyDropped,
}

impl About {
    fn of(name: &str) -> Option<About> {
        Some(match name {
            "lane_acquired" => About::LaneAcquired,
            "lane_released" => About::LaneReleased,
            "pty_spawned" => About::PtySpawned,
            "pty_exited" => About::PtyExited,
            "pty_dropped" => About::PtyDropped,
            _ => return None,
        })
    }
}

/// A kind that is about something shown here.
#[derive(Debug)]
pub struct Kind {
    pub about: About,
    fields: Vec<String>,
}

impl Kind {
    /// The word of a field; `None` where this log's kind has no such field.
    pub fn word(&self, event: &DomainEvent, field: &str) -> Option<u64> {
        let at = self.fields.iter().position(|name| name == field)?;
        event.args().get(at).copied()
    }
}

/// The kinds seen so far; `None` for those about something else.
#[derive(Debug, Default)]
pub struct Kinds(HashMap<u8, Option<Kind>>);

impl Kinds {
    /// What the event is about. A kind is described in its log before the first record of it.
    pub fn of(&mut self, event: &DomainEvent, log: &Log) -> Option<&Kind> {
        let known = self.0.entry(event.kind()).or_insert_with(|| {
            let schema = log.schema(event.kind())?;
            let fields = schema.fields.into_iter().map(|field| field.name);
            Some(Kind {
                about: About::of(&schema.name)?,
                fields: fields.collect(),
            })
        });
        known.as_ref()
    }
}
