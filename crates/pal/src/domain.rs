//! Owns the events that other rooms and applications add to the log, and the description by which
//! a reader prints a kind that it has never heard of.

use crate::event::TaskEvent;
use crate::id::TaskId;
use crate::text_id::TextId;

/// The most fields that a kind can have.
pub const FIELDS_MAX: usize = 7;
/// The first kind that is not the scheduler's.
pub const FIRST_DOMAIN_KIND: u8 = 32;

/// What a field's word means.
///
/// ```
/// use glasshouse_pal::FieldType;
/// assert_eq!(FieldType::from_number(FieldType::Ns as u8), Some(FieldType::Ns));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum FieldType {
    /// An unsigned number.
    U64 = 1,
    /// A signed number.
    I64 = 2,
    /// Zero or one.
    Bool = 3,
    /// A duration in nanoseconds.
    Ns = 4,
    /// A text in the log's arena.
    Text = 5,
    /// A task, or none.
    Task = 6,
}

impl FieldType {
    /// The type with this number, as the schema stores it.
    pub const fn from_number(number: u8) -> Option<FieldType> {
        Some(match number {
            1 => FieldType::U64,
            2 => FieldType::I64,
            3 => FieldType::Bool,
            4 => FieldType::Ns,
            5 => FieldType::Text,
            6 => FieldType::Task,
            _ => return None,
        })
    }
}

/// A field of a kind: its name in JSON and its type. Durations are named `…_ns`.
///
/// ```
/// use glasshouse_pal::{Field, FieldType};
/// const WAITED: Field = Field::new("waited_ns", FieldType::Ns);
/// assert_eq!(WAITED.name, "waited_ns");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// The name, in snake_case, of at most 24 bytes.
    pub name: &'static str,
    /// The type.
    pub ty: FieldType,
}

impl Field {
    /// A field.
    pub const fn new(name: &'static str, ty: FieldType) -> Field {
        Field { name, ty }
    }
}

/// What a kind of record is called and holds. One static for each kind.
///
/// Lanes use the kinds 32–63, terminals 64–95, nodes and objectives 96–127, applications 128–255.
///
/// ```
/// use glasshouse_pal::{DomainEvent, Event, Field, FieldType, KindSpec, Pal, RingOwner, Value};
///
/// static BREWED: KindSpec = KindSpec::new(200, "brewed", &[
///     Field::new("cups", FieldType::U64),
///     Field::new("took_ns", FieldType::Ns),
/// ]);
///
/// let pal = Pal::memory();
/// let ring = pal.lease(RingOwner::External);
/// ring.write_domain(pal.clock().now(), &DomainEvent::new(&BREWED, &[Value::U64(2), Value::Ns(90)]));
///
/// let log = pal.log();
/// assert_eq!(log.schema(200).expect("described at first use").name, "brewed");
/// let entry = log.records().next().expect("one record");
/// let Event::Domain(event) = entry.event else { panic!("a domain event") };
/// assert_eq!(event.args(), [2, 90]);
/// ```
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct KindSpec {
    /// The kind's number, from [`FIRST_DOMAIN_KIND`] on.
    pub kind: u8,
    /// The event's name, in snake_case, of at most 24 bytes.
    pub name: &'static str,
    /// Its fields, at most [`FIELDS_MAX`].
    pub fields: &'static [Field],
}

impl KindSpec {
    /// The description of a kind; meant for a `static`.
    ///
    /// # Panics
    ///
    /// When the kind is one of the scheduler's, has too many fields, or a name is longer than 24
    /// bytes. In a `static` this is an error at compile time.
    pub const fn new(kind: u8, name: &'static str, fields: &'static [Field]) -> KindSpec {
        assert!(
            kind >= FIRST_DOMAIN_KIND,
            "kinds 0 to 31 are the scheduler's"
        );
        assert!(
            fields.len() <= FIELDS_MAX,
            "a kind has at most seven fields"
        );
        assert!(
            name.len() <= NAME_BYTES,
            "a kind's name has at most 24 bytes"
        );
        let mut index = 0;
        while index < fields.len() {
            assert!(
                fields[index].name.len() <= NAME_BYTES,
                "a field's name has at most 24 bytes"
            );
            index += 1;
        }
        KindSpec { kind, name, fields }
    }
}

/// The longest name of a kind or a field.
pub(crate) const NAME_BYTES: usize = 24;

/// A field's value.
///
/// ```
/// use glasshouse_pal::{FieldType, Value};
/// assert_eq!(Value::I64(-1).to_word(), u64::MAX);
/// assert_eq!(Value::from_word(FieldType::I64, u64::MAX), Some(Value::I64(-1)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// An unsigned number.
    U64(u64),
    /// A signed number.
    I64(i64),
    /// A truth value.
    Bool(bool),
    /// A duration in nanoseconds.
    Ns(u64),
    /// A text in the log's arena.
    Text(TextId),
    /// A task, or none.
    Task(Option<TaskId>),
}

impl Value {
    /// The value as a word of a record.
    pub const fn to_word(self) -> u64 {
        match self {
            Value::U64(value) | Value::Ns(value) => value,
            Value::I64(value) => value as u64,
            Value::Bool(value) => value as u64,
            Value::Text(text) => text.0 as u64,
            Value::Task(Some(task)) => task.number(),
            Value::Task(None) => 0,
        }
    }

    /// The value that a word of this type stands for; `None` for a word that the type never makes.
    pub fn from_word(ty: FieldType, word: u64) -> Option<Value> {
        Some(match ty {
            FieldType::U64 => Value::U64(word),
            FieldType::I64 => Value::I64(word as i64),
            FieldType::Bool if word <= 1 => Value::Bool(word == 1),
            FieldType::Bool => return None,
            FieldType::Ns => Value::Ns(word),
            FieldType::Text => Value::Text(TextId(u32::try_from(word).ok()?)),
            FieldType::Task if word == 0 => Value::Task(None),
            FieldType::Task => Value::Task(Some(TaskId::new(word)?)),
        })
    }

    const fn ty(self) -> FieldType {
        match self {
            Value::U64(_) => FieldType::U64,
            Value::I64(_) => FieldType::I64,
            Value::Bool(_) => FieldType::Bool,
            Value::Ns(_) => FieldType::Ns,
            Value::Text(_) => FieldType::Text,
            Value::Task(_) => FieldType::Task,
        }
    }
}

/// An event of a domain crate or of the application. See [`KindSpec`].
///
/// ```
/// use glasshouse_pal::{DomainEvent, Field, FieldType, KindSpec, TaskId, Value};
/// static LANE_FULL: KindSpec =
///     KindSpec::new(40, "lane_full", &[Field::new("waiting", FieldType::U64)]);
/// let task = TaskId::new(3).expect("in range");
/// let event = DomainEvent::new(&LANE_FULL, &[Value::U64(12)]).about(task);
/// assert_eq!((event.kind(), event.task(), event.args()), (40, Some(task), &[12][..]));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DomainEvent {
    kind: u8,
    args_len: u8,
    task: Option<TaskId>,
    args: [u64; FIELDS_MAX],
    /// What the writer knows of the kind; a reader asks the log's schema instead.
    spec: Option<&'static KindSpec>,
}

impl DomainEvent {
    /// An event of this kind; values beyond the kind's fields are dropped, missing ones are zero.
    ///
    /// # Panics
    ///
    /// With debug assertions, when the values do not fit the kind's fields.
    pub fn new(spec: &'static KindSpec, values: &[Value]) -> DomainEvent {
        debug_assert!(
            values.len() == spec.fields.len()
                && values
                    .iter()
                    .zip(spec.fields)
                    .all(|(value, field)| value.ty() == field.ty),
            "the values of `{}` are not those that its fields describe",
            spec.name,
        );
        let mut args = [0; FIELDS_MAX];
        for (arg, value) in args.iter_mut().zip(values) {
            *arg = value.to_word();
        }
        DomainEvent {
            kind: spec.kind,
            args_len: spec.fields.len().min(FIELDS_MAX) as u8,
            task: None,
            args,
            spec: Some(spec),
        }
    }

    /// The same event about a task. [`crate::emit`] fills in the task that its thread runs.
    pub fn about(self, task: TaskId) -> DomainEvent {
        DomainEvent {
            task: Some(task),
            ..self
        }
    }

    pub(crate) fn from_log(kind: u8, task: u64, args: &[u64]) -> DomainEvent {
        let args_len = args.len().min(FIELDS_MAX);
        let mut words = [0; FIELDS_MAX];
        words[..args_len].copy_from_slice(&args[..args_len]);
        DomainEvent {
            kind,
            args_len: args_len as u8,
            task: TaskId::new(task),
            args: words,
            spec: None,
        }
    }

    /// The record kind.
    pub fn kind(&self) -> u8 {
        self.kind
    }

    /// The task that the event is about.
    pub fn task(&self) -> Option<TaskId> {
        self.task
    }

    /// The fields' words, in the order of the kind's fields. Of an event that was read from a log
    /// whose schema does not know the kind, as many words as its records hold.
    pub fn args(&self) -> &[u64] {
        &self.args[..usize::from(self.args_len)]
    }

    pub(crate) fn spec(&self) -> Option<&'static KindSpec> {
        self.spec
    }
}

impl PartialEq for DomainEvent {
    /// Two events are equal when the log cannot tell them apart.
    fn eq(&self, other: &DomainEvent) -> bool {
        (self.kind, self.task, self.args()) == (other.kind, other.task, other.args())
    }
}

impl Eq for DomainEvent {}

/// Anything that a log records.
///
/// ```
/// use glasshouse_pal::{Event, TaskEvent};
/// let event = Event::from(TaskEvent::ShutdownComplete { clean: true });
/// assert!(matches!(event, Event::Task(_)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// An edge of a task's life, or of its scheduler's.
    Task(TaskEvent),
    /// Any other kind of record.
    Domain(DomainEvent),
}

impl Event {
    /// The task that the event is about.
    pub fn tid(&self) -> Option<TaskId> {
        match self {
            Event::Task(event) => event.tid(),
            Event::Domain(event) => event.task(),
        }
    }
}

impl From<TaskEvent> for Event {
    fn from(event: TaskEvent) -> Event {
        Event::Task(event)
    }
}

impl From<DomainEvent> for Event {
    fn from(event: DomainEvent) -> Event {
        Event::Domain(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_survives_its_word() {
        let task = TaskId::new(9);
        for value in [
            Value::U64(u64::MAX),
            Value::I64(-5),
            Value::Bool(true),
            Value::Ns(17),
            Value::Text(TextId(3)),
            Value::Task(task),
            Value::Task(None),
        ] {
            assert_eq!(Value::from_word(value.ty(), value.to_word()), Some(value));
        }
        assert_eq!(Value::from_word(FieldType::Bool, 2), None);
        assert_eq!(Value::from_word(FieldType::Text, 1 << 32), None);
        assert_eq!(Value::from_word(FieldType::Task, 1 << 56), None);
    }

    #[test]
    fn every_field_type_survives_its_number() {
        for number in 1..=6 {
            let ty = FieldType::from_number(number).expect("known");
            assert_eq!(ty as u8, number);
        }
        assert_eq!(FieldType::from_number(0), None);
        assert_eq!(FieldType::from_number(7), None);
    }
}
