//! Owns how a ring is told in JSON: a worker's number, or what another thread's ring is called.

use glasshouse_pal::reader::RingId;
use serde::{Serialize, Serializer};

/// A ring as JSON has it.
pub struct Ring(pub RingId);

impl Serialize for Ring {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            RingId::Worker(number) => serializer.serialize_u16(number),
            ring @ RingId::External(_) => serializer.collect_str(&ring),
        }
    }
}
