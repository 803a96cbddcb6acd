//! Owns the running scheduler: what its threads share, the workers and their ticks, spawning, shutdown.

pub(crate) mod context;
pub(crate) mod directory;
mod ending;
pub(crate) mod entered;
mod live;
mod local;
mod park;
mod registry;
mod relief;
mod root;
mod roots;
mod schedule;
mod shared;
mod shutdown;
mod spare_references;
mod spawn;
mod tick;
mod worker;

pub use shutdown::Shutdown;
pub use spawn::SpawnError;

pub(crate) use context::Worker;
pub(crate) use ending::{shut_down, shut_down_in_background};
pub(crate) use live::Live;
pub(crate) use registry::Registry;
pub(crate) use root::block_on;
pub(crate) use roots::Roots;
pub(crate) use schedule::{abort, wake, wake_by_value};
pub(crate) use shared::{Remote, Shape, Shared};
#[cfg(all(test, glasshouse_loom))]
pub(crate) use shutdown::Phase;
pub(crate) use shutdown::PhaseCell;
pub(crate) use spare_references::leave_reference;
pub(crate) use spawn::{Refused, spawn_local_on, spawn_on};
pub(crate) use worker::run_worker;
