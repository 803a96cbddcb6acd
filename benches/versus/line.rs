//! Owns a line of the table: one figure of one row in one setting, and its samples from each subject.

use crate::versus::row::{Figure, Row};
use crate::versus::statistics::{Interval, Verdict, median, median_interval, speeds};
use crate::versus::subject::Subject;

/// The allocator of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allocator {
    Glibc,
    Mimalloc,
}

impl Allocator {
    pub const ALL: [Allocator; 2] = [Allocator::Glibc, Allocator::Mimalloc];

    pub fn name(self) -> &'static str {
        match self {
            Allocator::Glibc => "glibc",
            Allocator::Mimalloc => "mimalloc",
        }
    }

    pub fn by_name(name: &str) -> Option<Allocator> {
        Allocator::ALL.into_iter().find(|a| a.name() == name)
    }
}

/// One figure of one row, with one number of workers and one allocator.
#[derive(Debug)]
pub struct Line {
    pub row: &'static Row,
    pub figure: &'static Figure,
    pub workers: usize,
    pub allocator: Allocator,
    /// For each subject that was there its samples, pair by pair. Subjects for information have
    /// fewer; one that failed has none.
    pub samples: Vec<(Subject, Vec<f64>)>,
}

/// How a line compares with the faster peer.
#[derive(Clone, Copy, Debug)]
pub struct Comparison {
    pub peer: Subject,
    /// The median of the speeds, pair by pair.
    pub speed: f64,
    pub interval: Option<Interval>,
    /// Where the figure has a bar of this kind.
    pub verdict: Option<Verdict>,
}

impl Line {
    /// The row's name, and the figure's where it has one.
    pub fn title(&self) -> String {
        match self.figure.name {
            "" => self.row.name.to_owned(),
            figure => format!("{} {figure}", self.row.name),
        }
    }

    /// The samples of a subject, if there are any.
    pub fn of(&self, subject: Subject) -> Option<&[f64]> {
        let found = self.samples.iter().find(|(other, _)| *other == subject);
        let samples = found.map(|(_, samples)| samples.as_slice());
        samples.filter(|samples| !samples.is_empty())
    }

    pub fn median_of(&self, subject: Subject) -> Option<f64> {
        self.of(subject).and_then(median)
    }

    /// How much faster Glasshouse is than `peer`.
    pub fn against(&self, peer: Subject) -> Option<Comparison> {
        let speeds = speeds(self.of(Subject::On)?, self.of(peer)?);
        let interval = median_interval(&speeds);
        let must_reach = self.figure.bar.speed();
        Some(Comparison {
            peer,
            speed: median(&speeds)?,
            interval,
            verdict: must_reach.map(|must_reach| Verdict::of(interval, must_reach)),
        })
    }

    /// The same against the peer whose median is the least; `None` where Glasshouse or a peer is missing.
    pub fn against_faster_peer(&self) -> Option<Comparison> {
        let mut peers = Vec::new();
        for peer in Subject::PEERS {
            peers.push((self.median_of(peer)?, peer));
        }
        let (_, fastest) = peers.into_iter().min_by(|a, b| a.0.total_cmp(&b.0))?;
        self.against(fastest)
    }
}
