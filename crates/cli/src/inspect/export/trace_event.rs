//! Owns one trace event as Perfetto and chrome://tracing read it, after the format's description
//! ("Trace Event Format", Google).

use serde::{Serialize, Serializer};

/// What kind of event it is, by the letter that the format has for it.
#[derive(Clone, Copy, Serialize)]
pub enum Phase {
    /// A slice with its duration.
    #[serde(rename = "X")]
    Slice,
    /// An arrow begins, in the slice that lies around it.
    #[serde(rename = "s")]
    ArrowStart,
    /// It ends there.
    #[serde(rename = "f")]
    ArrowEnd,
    /// The value of a counter from here on.
    #[serde(rename = "C")]
    Counter,
    /// A name for a process or a track.
    #[serde(rename = "M")]
    Metadata,
}

/// A time in nanoseconds, which the format has in microseconds.
#[derive(Clone, Copy)]
pub struct Micros(pub u64);

impl Serialize for Micros {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Exact to the nanosecond for logs of up to a hundred days, and rounded beyond.
        serializer.serialize_f64(self.0 as f64 / 1000.0)
    }
}

/// One event.
#[derive(Serialize)]
pub struct TraceEvent<'a> {
    pub name: &'a str,
    #[serde(rename = "cat")]
    pub category: &'static str,
    #[serde(rename = "ph")]
    pub phase: Phase,
    pub ts: Micros,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dur: Option<Micros>,
    pub pid: u32,
    pub tid: u32,
    /// Of the two ends of one arrow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// An arrow ends at the slice around its end, not at the next one.
    #[serde(rename = "bp", skip_serializing_if = "Option::is_none")]
    pub binding: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub args: Option<serde_json::Value>,
}
