//! Owns one state of a task's life, as JSON has it.

use crate::inspect::event::Field;
use crate::inspect::ring::Ring;
use glasshouse_pal::TaskState;
use glasshouse_pal::reader::RingId;
use serde::ser::{Serialize, SerializeMap, Serializer};

/// A state that a task has entered.
pub struct State {
    pub at_ns: u64,
    pub ring: RingId,
    pub state: TaskState,
    /// The fields of the event with which it entered.
    pub fields: Vec<Field>,
    /// The name of the task among them, where there is one and people are told: by the time that this state is left it
    /// may be forgotten.
    pub peer: Option<String>,
    /// Why that does not follow from what came before, if it does not.
    pub fault: Option<String>,
}

impl State {
    /// With what is known once it is left, or the log ends.
    pub fn json(&self, lasted_ns: Option<u64>, is_going_on: bool) -> impl Serialize {
        Json {
            state: self,
            lasted_ns: lasted_ns.filter(|_| !self.state.is_end()),
            is_going_on,
        }
    }
}

struct Json<'a> {
    state: &'a State,
    lasted_ns: Option<u64>,
    is_going_on: bool,
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let state = self.state;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("at_ns", &state.at_ns)?;
        map.serialize_entry("worker", &Ring(state.ring))?;
        map.serialize_entry("state", state.state.name())?;
        map.serialize_entry("lasted_ns", &self.lasted_ns)?;
        if self.is_going_on {
            map.serialize_entry("is_going_on", &true)?;
        }
        for (name, value) in &state.fields {
            map.serialize_entry(name, value)?;
        }
        if let Some(fault) = &state.fault {
            map.serialize_entry("fault", fault)?;
        }
        map.end()
    }
}
