//! Owns how an event is told: its name and its fields, for people and for JSON alike.

use super::names::Names;
use crate::human::{self, Span};
use glasshouse_pal::reader::{KindSchema, Log};
use glasshouse_pal::{
    DomainEvent, Event, SiteId, TaskEvent, TaskId, TextId, Value, WakeSource, WaysOut,
};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

/// The value of one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Told {
    Number(u64),
    Signed(i64),
    Truth(bool),
    /// A duration in nanoseconds.
    Ns(u64),
    Text(Cow<'static, str>),
    #[serde(serialize_with = "as_number")]
    Task(TaskId),
    /// A task that there is not, or a text that the log does not hold.
    Nothing,
}

fn as_number<S: Serializer>(task: &TaskId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(task.number())
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Told::Number(number) => number.fmt(f),
            Told::Signed(number) => number.fmt(f),
            Told::Truth(truth) => truth.fmt(f),
            Told::Ns(ns) => Span(*ns).fmt(f),
            Told::Text(text) if text.contains([' ', '"', '=']) || text.is_empty() => {
                write!(f, "\"{}\"", human::plain(text).replace('"', "\\\""))
            }
            Told::Text(text) => f.write_str(&human::plain(text)),
            Told::Task(task) => write!(f, "#{task}"),
            Told::Nothing => f.write_str("-"),
        }
    }
}

/// A field's name and value. Durations are named `…_ns`.
pub type Field = (Cow<'static, str>, Told);

/// The words for events of one log.
pub struct Events<'a> {
    log: &'a Log,
    kinds: HashMap<u8, Option<KindSchema>>,
    texts: HashMap<TextId, Option<String>>,
}

impl<'a> Events<'a> {
    pub fn new(log: &'a Log) -> Events<'a> {
        Events {
            log,
            kinds: HashMap::new(),
            texts: HashMap::new(),
        }
    }

    /// The log that the events are from.
    pub fn log(&self) -> &'a Log {
        self.log
    }

    /// Every name that an event of the log can have.
    pub fn names(&self) -> Vec<String> {
        let described = (0..=u8::MAX).filter_map(|kind| self.log.schema(kind));
        let named = described.map(|schema| schema.name);
        // What belongs to the event before is never told as one.
        named.filter(|name| name != "continued").collect()
    }

    /// The event's name in snake_case.
    pub fn name(&mut self, event: &Event) -> Cow<'static, str> {
        match event {
            Event::Task(event) => Cow::Borrowed(event.name()),
            Event::Domain(event) => match self.schema(event.kind()) {
                Some(schema) => Cow::Owned(schema.name.clone()),
                None => Cow::Owned(format!("kind_{}", event.kind())),
            },
        }
    }

    /// The event's own fields, beside its task.
    pub fn fields(&mut self, event: &Event, names: &mut Names<'_>) -> Vec<Field> {
        match event {
            Event::Task(event) => self.task_fields(event, names),
            Event::Domain(event) => self.domain_fields(event),
        }
    }

    /// The same with what may end a wait beside what the event says.
    pub fn fields_beside(
        &mut self,
        event: &Event,
        ways_out: WaysOut,
        names: &mut Names<'_>,
    ) -> Vec<Field> {
        let mut fields = self.fields(event, names);
        let ways_out = [
            ("or_deadline", ways_out.deadline),
            ("or_other", ways_out.other),
        ];
        let told = ways_out.into_iter().filter(|(_, is_one)| *is_one);
        fields.extend(told.map(|(name, _)| field(name, Told::Truth(true))));
        fields
    }

    fn task_fields(&mut self, event: &TaskEvent, names: &mut Names<'_>) -> Vec<Field> {
        match *event {
            TaskEvent::Spawned { parent, site, .. } => {
                let mut fields = vec![field("site", place(site, names))];
                fields.extend(parent.map(|parent| field("parent", Told::Task(parent))));
                fields
            }
            TaskEvent::Yield { by, .. }
            | TaskEvent::Throttled { by, .. }
            | TaskEvent::Wake { by, .. } => by_fields(by),
            TaskEvent::Sleep { dur, .. } => vec![field("dur_ns", ns(dur))],
            TaskEvent::IoWait { io, .. } => vec![
                field("fd", Told::Signed(io.fd.into())),
                field("interest", Told::Text(Cow::Borrowed(io.interest.name()))),
            ],
            TaskEvent::JoinWait { on, .. } => vec![field("on", Told::Task(on))],
            TaskEvent::LaneWait { lane, .. } => vec![field("lane", self.text(lane))],
            TaskEvent::Failed { error, .. } => vec![
                field("kind", Told::Text(Cow::Borrowed(error.kind.name()))),
                field("error", self.text(error.text)),
            ],
            TaskEvent::SpawnDenied {
                parent,
                site,
                capacity,
            } => {
                let mut fields = vec![
                    field("site", place(site, names)),
                    field("capacity", Told::Number(capacity.into())),
                ];
                fields.extend(parent.map(|parent| field("parent", Told::Task(parent))));
                fields
            }
            TaskEvent::ShutdownBegin { timeout } => vec![field("timeout_ns", ns(timeout))],
            TaskEvent::ShutdownComplete { clean } => vec![field("clean", Told::Truth(clean))],
            TaskEvent::Stalled {
                worker,
                busy,
                queued,
                others,
                ..
            } => vec![
                field("on_worker", Told::Number(worker.into())),
                field("busy_ns", ns(busy)),
                field("queued", Told::Number(queued.into())),
                field("others", Told::Number(others.into())),
            ],
            TaskEvent::Running { .. } | TaskEvent::Wait { .. } | TaskEvent::Done { .. } => {
                Vec::new()
            }
        }
    }

    /// A kind that the log describes is told by its description, any other as bare words.
    fn domain_fields(&mut self, event: &DomainEvent) -> Vec<Field> {
        let schema = self.schema(event.kind()).cloned();
        let described = schema.map(|schema| schema.fields).unwrap_or_default();
        let words = event.args().iter().enumerate();
        let told = words.map(|(index, word)| {
            let Some(about) = described.get(index) else {
                return (Cow::Owned(format!("word_{index}")), Told::Number(*word));
            };
            let value = about.ty.and_then(|ty| Value::from_word(ty, *word));
            (Cow::Owned(about.name.clone()), self.value(value, *word))
        });
        told.collect()
    }

    fn value(&mut self, value: Option<Value>, word: u64) -> Told {
        match value {
            Some(Value::U64(number)) => Told::Number(number),
            Some(Value::I64(number)) => Told::Signed(number),
            Some(Value::Bool(truth)) => Told::Truth(truth),
            Some(Value::Ns(ns)) => Told::Ns(ns),
            Some(Value::Text(text)) => self.text(text),
            Some(Value::Task(Some(task))) => Told::Task(task),
            Some(Value::Task(None)) => Told::Nothing,
            None => Told::Number(word),
        }
    }

    fn text(&mut self, id: TextId) -> Told {
        let log = self.log;
        let known = self.texts.entry(id).or_insert_with(|| log.text(id));
        match known {
            Some(text) => Told::Text(Cow::Owned(text.clone())),
            None => Told::Nothing,
        }
    }

    fn schema(&mut self, kind: u8) -> Option<&KindSchema> {
        let log = self.log;
        let known = self.kinds.entry(kind);
        known.or_insert_with(|| log.schema(kind)).as_ref()
    }
}

fn field(name: &'static str, value: Told) -> Field {
    (Cow::Borrowed(name), value)
}

fn ns(duration: Duration) -> Told {
    Told::Ns(Span::from(duration).0)
}

fn place(site: SiteId, names: &mut Names<'_>) -> Told {
    match names.of_site(site) {
        Some(site) => Told::Text(Cow::Owned(site.to_string())),
        None => Told::Nothing,
    }
}

fn by_fields(by: WakeSource) -> Vec<Field> {
    let mut fields = vec![field("by", Told::Text(Cow::Borrowed(by.name())))];
    fields.extend(by.task().map(|task| field("by_task", Told::Task(task))));
    fields
}
