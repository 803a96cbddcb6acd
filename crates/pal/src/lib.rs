//! Process Activity Log: a flight recorder for tasks, in memory that outlives the process.
//!
//! A log is a file of relaxed atomics. Each worker writes records into a ring of its own, without
//! blocking, allocating or calling the kernel; another process reads them while they are written,
//! or after the writer was killed. This crate holds the vocabulary ([`TaskId`], [`TaskEvent`]), the
//! [`Clock`], the writer ([`Pal`], [`RingWriter`], [`emit`]) and the [`reader`].
//!
//! It knows no futures and no scheduler.

#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
compile_error!("Glasshouse runs on Linux, on x86-64 and aarch64 only");

mod arena;
pub mod automaton;
mod cause;
mod clock;
mod contain;
mod create;
pub mod dir;
mod domain;
mod encoded_event;
mod event;
mod fork;
mod format;
mod host;
mod id;
mod lease;
pub mod lives;
mod log_header;
mod loss;
mod map;
mod mirror;
mod owner;
mod pairs;
mod pal;
mod pal_builder;
mod panics;
mod process;
pub mod reader;
mod record;
mod ring;
mod schema;
mod segment;
mod slot;
pub mod spill;
mod state;
mod sync;
mod table;
#[cfg(test)]
mod testing;
mod text_id;
mod thread;
pub mod verify;
mod ways_out;
pub mod why;
mod writer;

pub use arena::{TEXT_BYTES_MAX, TextBuf};
pub use cause::{Failure, FailureKind, Interest, IoTarget, WakeSource};
pub use clock::{Clock, ClockPair, Rate};
pub use contain::{Foreign, contain};
pub use create::CreateError;
pub use domain::{
    DomainEvent, Event, FIELDS_MAX, FIRST_DOMAIN_KIND, Field, FieldType, KindSpec, Value,
};
pub use encoded_event::{EncodedEvent, EncodedSource};
pub use event::TaskEvent;
pub use format::header::Lifecycle;
pub use host::ProcessId;
pub use id::{IdSource, TaskId};
pub use loss::LossCause;
pub use mirror::may_be_heard;
pub use owner::{RingOwner, WorkerState};
pub use pal::Pal;
pub use pal_builder::{InstallError, PalBuilder};
pub use panics::catch;
pub use process::PAL_VARIABLE;
pub use slot::{Slot, TaskRow};
pub use state::TaskState;
pub use table::{SlotCache, SlotId, TaskTable};
pub use text_id::{SiteId, TextId};
pub use thread::{Emitted, Installed, current_log, emit, intern, unlogged};
pub use ways_out::WaysOut;
pub use writer::RingWriter;
