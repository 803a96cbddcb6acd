//! Pseudo-terminal sessions: programs that run in terminals of their own, seen from a scheduler.
//!
//! A [`Session`] is a program with a controlling terminal, a session and a process group of its
//! own. A task named "pty:NAME" moves what it prints into an [`OutputRing`], which keeps the newest
//! bytes and counts the rest, so that neither a flood of output nor a slow reader holds anything up.
//! Its end is learnt from a descriptor of the process, without a handler of SIGCHLD, and no worker
//! ever waits for it. Whatever ends a session (its program, [`Session::terminate`], a drop, the end
//! of the scheduler), its group is killed, its process reaped, and its descriptors are closed.
//!
//! ```
//! use glasshouse_pty::{Command, ExitStatus, Session};
//! use glasshouse_scheduler::Builder;
//!
//! let scheduler = Builder::new().workers(1).build().unwrap();
//! scheduler.block_on(async {
//!     let session = Session::spawn(Command::shell("read word; echo you said $word").name("ask")).unwrap();
//!     session.write_all(b"hello\n").await.unwrap();
//!     assert_eq!(session.wait().await, ExitStatus::Exited { code: 0 });
//!     // The terminal echoes what is typed.
//!     assert_eq!(session.snapshot(), b"hello\r\nyou said hello\r\n");
//! });
//! ```
#![deny(unsafe_code)]

mod command;
mod events;
mod exit_status;
mod kin;
mod output_ring;
mod prepared;
mod program;
mod pump;
mod reader;
mod registry;
mod session;
mod session_id;
mod shared;
mod signal;
#[allow(unsafe_code)] // The one file that calls the system directly.
mod spawn;
mod spawn_error;
mod state;
mod terminal;
mod write_error;

pub use command::{Command, DEFAULT_RING_BYTES, Size};
pub use events::{PTY_DROPPED, PTY_EXITED, PTY_SPAWNED};
pub use exit_status::ExitStatus;
pub use output_ring::{Cursor, OutputRing};
pub use reader::Reader;
pub use registry::{Registry, SessionInfo};
pub use session::Session;
pub use session_id::SessionId;
pub use signal::Signal;
pub use spawn_error::SpawnError;
pub use state::SessionState;
pub use write_error::WriteError;
