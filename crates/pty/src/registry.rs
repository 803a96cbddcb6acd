//! Owns the list of live sessions.

use crate::command::Command;
use crate::session::Session;
use crate::session_id::SessionId;
use crate::shared::Shared;
use crate::spawn_error::SpawnError;
use crate::state::SessionState;
use slab::Slab;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

/// Live sessions, from the start to the reaping of each. Clones are the same registry.
///
/// ```
/// # let scheduler = glasshouse_scheduler::Builder::new().workers(1).build().unwrap();
/// # scheduler.block_on(async {
/// use glasshouse_pty::{Command, Registry};
/// let registry = Registry::new();
/// let session = registry.spawn(Command::new("cat").name("echo")).unwrap();
/// let listed = registry.list();
/// assert_eq!((listed.len(), listed[0].name.as_str()), (1, "echo"));
/// assert_eq!(listed[0].pid, Some(session.pid()));
/// session.terminate(std::time::Duration::from_secs(1)).await;
/// assert!(registry.is_empty());
/// # });
/// ```
#[derive(Clone, Default)]
pub struct Registry {
    sessions: Arc<Mutex<Slab<Arc<Shared>>>>,
}

/// A session at one moment.
///
/// ```
/// # let scheduler = glasshouse_scheduler::Builder::new().workers(1).build().unwrap();
/// # scheduler.block_on(async {
/// use glasshouse_pty::{Command, Session, SessionInfo};
/// let session = Session::spawn(&Command::shell("printf 12345")).unwrap();
/// session.wait().await;
/// let info: SessionInfo = session.info();
/// assert_eq!((info.state.name(), info.output_bytes, info.dropped_bytes), ("exited", 5, 0));
/// # });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionInfo {
    /// Its identity in this process.
    pub id: SessionId,
    /// The command's name.
    pub name: String,
    /// The child's process id, which is also its group's and its session's; `None` before the start.
    pub pid: Option<u32>,
    /// Where it is in its life.
    pub state: SessionState,
    /// The bytes of output so far.
    pub output_bytes: u64,
    /// Those of them that are no longer in the ring.
    pub dropped_bytes: u64,
}

impl Registry {
    /// A registry without sessions.
    pub fn new() -> Registry {
        Registry::default()
    }

    /// The registry of the sessions that were started without naming one.
    pub fn process() -> &'static Registry {
        static PROCESS: LazyLock<Registry> = LazyLock::new(Registry::new);
        &PROCESS
    }

    /// Starts a session that is listed here; see [`Session::spawn`].
    ///
    /// # Errors
    /// Those of [`Session::spawn`].
    ///
    /// # Panics
    /// Outside of a scheduler.
    pub fn spawn(&self, command: &Command) -> Result<Session, SpawnError> {
        Session::spawn_in(self, command)
    }

    /// Every live session, in the order of their start.
    pub fn list(&self) -> Vec<SessionInfo> {
        let sessions: Vec<_> = self.sessions().iter().map(|(_, one)| one.clone()).collect();
        let mut list: Vec<_> = sessions.iter().map(|session| session.info()).collect();
        list.sort_by_key(|info| info.id);
        list
    }

    /// How many sessions live.
    pub fn len(&self) -> usize {
        self.sessions().len()
    }

    /// Whether none lives.
    pub fn is_empty(&self) -> bool {
        self.sessions().is_empty()
    }

    pub(crate) fn enter(&self, session: &Arc<Shared>) {
        self.sessions().insert(session.clone());
    }

    pub(crate) fn leave(&self, id: SessionId) {
        let mut sessions = self.sessions();
        let found = sessions.iter().find(|(_, session)| session.id == id);
        if let Some((key, _)) = found {
            let left = sessions.remove(key);
            drop(sessions);
            // Outside the lock: it may be the last owner of the output.
            drop(left);
        }
    }

    /// Nothing panics between two valid states, so that a poisoned lock is as good as any.
    fn sessions(&self) -> MutexGuard<'_, Slab<Arc<Shared>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("len", &self.len())
            .finish()
    }
}
