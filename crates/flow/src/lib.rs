//! Flows: graphs of named commands, read from TOML.
#![forbid(unsafe_code)]

mod backoff;
mod draft;
mod error;
mod flow;
mod graph;
mod quantity;
mod read;
mod resolve;
mod section;
mod source;
mod suggestion;

pub use backoff::{BACKOFF_CAP, BACKOFF_DEFAULT, backoff};
pub use draft::OUTPUT_BYTES;
pub use error::{FlowError, Place, Problem};
pub use flow::{Command, DEFAULT_LANE, Flow, LaneLimit, Node, OUTPUT_DEFAULT_BYTES};
pub use quantity::{DURATION_MAX, QuantityError};
pub use read::{FILE_BYTES_MAX, LIMIT_MAX, NAME_BYTES_MAX};
