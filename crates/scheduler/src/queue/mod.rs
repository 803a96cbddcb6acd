//! Owns where ready tasks stand: a local queue per worker and class, and one injector per class.

mod injector;
mod local;
mod next;
mod seeded;

pub(crate) use injector::Injector;
pub(crate) use local::{Entry, LocalQueue, Takers};
use next::Next;
pub(crate) use seeded::Seeded;
#[cfg(test)]
pub(crate) use seeded::SplitMix64;
