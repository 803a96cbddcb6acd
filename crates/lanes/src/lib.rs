//! Lanes: named classes of work, each with a limit on how much of it goes on at once, and one limit
//! over all of them.
//!
//! Work takes a [`Permit`] before it starts and drops it when it is done. Waiting is first in, first
//! out on a lane; under the limit over all, the oldest waiter whose lane has room goes first. Who
//! waits is in the log as `LaneWait`, with the lane's name; who gave it its permit is in its `Wake`.
//!
//! As long as nobody waits, permits are taken and given back in place, under one short lock. A
//! permit that somebody waits for is handed over by a system task of the scheduler, named "lanes".
//!
//! ```
//! use glasshouse_lanes::Lanes;
//! use glasshouse_scheduler::{Builder, Handle, spawn};
//!
//! let scheduler = Builder::new().workers(2).build().unwrap();
//! scheduler.block_on(async {
//!     let lanes = Lanes::builder().global_limit(8).lane("io", 4).build(&Handle::current()).unwrap();
//!     let tasks: Vec<_> = (0..100)
//!         .map(|n| {
//!             let permit = lanes.lane("io").unwrap().acquire();
//!             spawn(async move {
//!                 let _permit = permit.await;
//!                 n * 2 // at most four of these at once
//!             })
//!         })
//!         .collect();
//!     for (n, task) in tasks.into_iter().enumerate() {
//!         assert_eq!(task.await.unwrap(), n * 2);
//!     }
//! });
//! ```
#![forbid(unsafe_code)]

mod acquire;
mod core;
mod error;
mod events;
mod host;
mod lane;
mod lanes;
mod permit;
mod shared;
mod wait_queue;

pub use acquire::Acquire;
pub use error::{BuildError, UnknownLane};
pub use events::{LANE_ACQUIRED, LANE_RELEASED};
pub use lane::{Lane, LaneStatus};
pub use lanes::{Lanes, LanesBuilder};
pub use permit::Permit;
