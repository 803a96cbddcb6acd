//! Owns the runtimes as they are compared: which adapter, with what around it, from which build.

use crate::versus::runtime::Runtime;
use crate::versus::runtime::glasshouse::Glasshouse;
use crate::versus::runtime::smol::Smol;
use crate::versus::runtime::tokio::{Tokio, TokioCurrentThread};
use crate::versus::telemetry;
use crate::versus::work::{Setting, Work};
use std::time::Duration;

/// A runtime as its users set it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Glasshouse with its log in the default place, the exporter installed and scraped every second, and
    /// tracing filtered at INFO.
    On,
    /// The same program, built without the feature `telemetry`.
    Off,
    /// Glasshouse that pushes into a recorder of somebody else's: one that adds up, and keeps no sample.
    Push,
    /// tokio's multi-threaded runtime, with nothing else.
    Tokio,
    /// async-executor with async-io, with nothing else.
    Smol,
    /// tokio's single-threaded runtime, for information.
    TokioCurrentThread,
}

impl Subject {
    pub const ALL: [Subject; 6] = [
        Subject::On,
        Subject::Off,
        Subject::Push,
        Subject::Tokio,
        Subject::Smol,
        Subject::TokioCurrentThread,
    ];

    /// What Glasshouse is compared with.
    pub const PEERS: [Subject; 2] = [Subject::Tokio, Subject::Smol];

    /// The heading of its column, and its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Subject::On => "on",
            Subject::Off => "off",
            Subject::Push => "push",
            Subject::Tokio => "tokio",
            Subject::Smol => "async-ex",
            Subject::TokioCurrentThread => "tokio-ct",
        }
    }

    pub fn by_name(name: &str) -> Option<Subject> {
        Subject::ALL.into_iter().find(|s| s.name() == name)
    }

    /// Whether it can be had with that many workers.
    pub fn has_workers(self, workers: usize) -> bool {
        self != Subject::TokioCurrentThread || workers == 1
    }

    /// Whether nothing is judged by it, so that its median may come from fewer samples.
    pub fn is_for_information(self) -> bool {
        matches!(self, Subject::Push | Subject::TokioCurrentThread)
    }

    /// What its `yield_now` promises.
    pub fn yield_now(self) -> &'static str {
        match self {
            Subject::On | Subject::Off | Subject::Push => Glasshouse::YIELD_NOW,
            Subject::Tokio => Tokio::YIELD_NOW,
            Subject::Smol => Smol::YIELD_NOW,
            Subject::TokioCurrentThread => TokioCurrentThread::YIELD_NOW,
        }
    }

    /// Does the work in this process. `phase` is when the first scrape comes; the next follow each second.
    ///
    /// # Panics
    /// When this build is not the subject's.
    pub fn measure(self, work: Work, setting: Setting, phase: Duration) -> Vec<f64> {
        let is_recording = cfg!(feature = "telemetry");
        match self {
            Subject::On => assert!(is_recording, "`on` needs the feature telemetry"),
            Subject::Off => assert!(!is_recording, "`off` needs a build without telemetry"),
            _ => {}
        }
        match self {
            Subject::On | Subject::Off => telemetry::install_exporter(phase),
            Subject::Push => telemetry::install_foreign_recorder(),
            _ => {}
        }
        match self {
            Subject::On | Subject::Off | Subject::Push => work.run::<Glasshouse>(setting),
            Subject::Tokio => work.run::<Tokio>(setting),
            Subject::Smol => work.run::<Smol>(setting),
            Subject::TokioCurrentThread => work.run::<TokioCurrentThread>(setting),
        }
    }
}
