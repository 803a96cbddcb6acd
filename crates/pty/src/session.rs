//! Owns the handle of a session: whoever holds it has the terminal, and dropping it ends the program.

use crate::command::{Command, Size};
use crate::events::Subject;
use crate::exit_status::ExitStatus;
use crate::prepared::Prepared;
use crate::pump::{Pump, abandon};
use crate::reader::Reader;
use crate::registry::{Registry, SessionInfo};
use crate::session_id::SessionId;
use crate::shared::Shared;
use crate::signal::Signal;
use crate::spawn_error::SpawnError;
use crate::state::{Event, SessionState};
use crate::terminal::{self, Terminal};
use crate::write_error::WriteError;
use glasshouse_pal::{Interest, intern};
use glasshouse_scheduler::io::AsyncFd;
use glasshouse_scheduler::process::PidFd;
use glasshouse_scheduler::{task, time};
use rustix::io::{Errno, write};
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

/// A program in a pseudo-terminal of its own, whose output is kept in a ring.
///
/// Dropping it kills the program's process group; its pump, a system task named "pty:NAME", reaps it.
///
/// ```
/// use glasshouse_pty::{Command, ExitStatus, Session};
/// use glasshouse_scheduler::Builder;
/// let scheduler = Builder::new().workers(1).build().unwrap();
/// scheduler.block_on(async {
///     let session = Session::spawn(&Command::shell("stty size; exit 3")).unwrap();
///     assert_eq!(session.wait().await, ExitStatus::Exited { code: 3 });
///     assert_eq!(session.snapshot(), b"24 80\r\n");
/// });
/// ```
#[derive(Debug)]
#[must_use = "a session that is dropped at once is killed at once"]
pub struct Session {
    shared: Arc<Shared>,
    subject: Subject,
}

impl Session {
    /// Starts the command, and the pump on the current scheduler. Listed in [`Registry::process`].
    ///
    /// When this returns the program is executing. The call occupies the worker until then, about
    /// half a millisecond where the program's file is at hand.
    ///
    /// # Errors
    /// [`SpawnError`] says what was missing. Nothing is left running then.
    ///
    /// # Panics
    /// Outside of a scheduler.
    pub fn spawn(command: &Command) -> Result<Session, SpawnError> {
        Registry::process().spawn(command)
    }

    pub(crate) fn spawn_in(registry: &Registry, command: &Command) -> Result<Session, SpawnError> {
        let shared = Shared::new(command.display_name(), command.ring_bytes, registry);
        let session = Session::start(&shared, command);
        if session.is_err() {
            shared.not_started();
        }
        session
    }

    fn start(shared: &Arc<Shared>, command: &Command) -> Result<Session, SpawnError> {
        let prepared = Prepared::new(command)?;
        let terminal = Terminal::open(command.size).map_err(SpawnError::NoTerminal)?;
        let master = AsyncFd::new(terminal.master).map_err(SpawnError::Watch)?;
        let master = Arc::new(master);
        let subject = Subject {
            pid: prepared.start(&terminal.slave)?,
            name: intern(&shared.name),
        };
        shared.started(subject.pid, master.clone());
        subject.spawned();
        // Whatever happens from here on, the child is killed and reaped.
        let session = Session {
            shared: shared.clone(),
            subject,
        };
        let pidfd = match PidFd::open(session.pid()) {
            Ok(pidfd) => Some(pidfd),
            // Gone already: SIGCHLD is ignored, or other code waits for any child.
            Err(error) if Errno::from_io_error(&error) == Some(Errno::SRCH) => None,
            Err(error) => {
                abandon(shared.clone(), subject);
                return Err(SpawnError::Watch(error));
            }
        };
        let pump = Pump::new(shared.clone(), subject, master, pidfd);
        let has_run = pump.has_run.clone();
        let name = format!("pty:{}", shared.name);
        let task = task::Builder::new().name(&name).spawn_system(pump.run());
        if task.is_finished() && !has_run.load(Ordering::Relaxed) {
            return Err(SpawnError::Refused);
        }
        Ok(session)
    }

    /// Its identity in this process.
    pub fn id(&self) -> SessionId {
        self.shared.id
    }

    /// The command's name.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// The child's process id, which is also its group's and its session's. Once the session has
    /// ended, the number may be another process's.
    pub fn pid(&self) -> u32 {
        self.subject.pid.as_raw_pid().unsigned_abs()
    }

    /// Where it is in its life.
    pub fn state(&self) -> SessionState {
        self.shared.state()
    }

    /// What a registry lists of it.
    pub fn info(&self) -> SessionInfo {
        self.shared.info()
    }

    /// Waits for the program's end. Its output is complete then, its process reaped, the terminal
    /// closed, and what was left of its group killed. May be called more than once.
    ///
    /// Output is not waited for beyond the program's own end: a background process that lives on
    /// in another session, with the terminal open, delays nothing.
    pub async fn wait(&self) -> ExitStatus {
        loop {
            let end = self.shared.end_bell.listen();
            if let Some(status) = self.shared.state().status() {
                return status;
            }
            end.await;
        }
    }

    /// Sends a signal to the program's process group.
    ///
    /// # Errors
    /// When the session has ended (`NotFound`), or the group runs as another user.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        match self.shared.signal(signal.raw()) {
            Some(sent) => Ok(sent?),
            None => Err(io::Error::new(
                io::ErrorKind::NotFound,
                "the session has ended",
            )),
        }
    }

    /// Ends the program: asks by SIGTERM, after half of `grace` hangs up by SIGHUP (which an
    /// interactive shell heeds), and when `grace` is over kills all of its session. Each of the
    /// first two is followed by SIGCONT, so that a stopped program hears them.
    ///
    /// Dropped half-way, it leaves the session as it is then. A program that has become another
    /// user cannot be signalled; this waits until it ends by itself.
    ///
    /// # Panics
    /// Outside of a scheduler.
    pub async fn terminate(&self, grace: Duration) -> ExitStatus {
        let half = grace / 2;
        for (event, patience) in [(Event::Terminate, half), (Event::HangUp, grace - half)] {
            self.shared.on(event);
            if let Ok(status) = time::timeout(patience, self.wait()).await {
                return status;
            }
        }
        self.kill();
        self.wait().await
    }

    /// Kills all of the program's session at once. [`Session::wait`] tells when it has ended.
    pub fn kill(&self) {
        self.shared.on(Event::Kill);
    }

    /// Types `bytes` at the program, and waits as long as the terminal takes no more. What the
    /// terminal makes of them is its own: by default it echoes them, collects lines of at most 4095
    /// bytes, and turns 0x03 into an interrupt and 0x04 into the end of the input.
    ///
    /// # Errors
    /// When the session ends before all was taken. It says how much was.
    pub async fn write_all(&self, bytes: &[u8]) -> Result<(), WriteError> {
        let mut written_bytes = 0;
        let Some(master) = self.shared.master() else {
            return Err(WriteError::Ended { written_bytes });
        };
        let mut ended = pin!(self.wait());
        let mut turn = master.waiter(Interest::Write);
        while written_bytes < bytes.len() {
            let rest = &bytes[written_bytes..];
            let step = poll_fn(|cx| {
                let mut type_in = |fd: &_| Ok(write(fd, rest)?);
                if let Poll::Ready(result) = turn.poll_with(cx, &mut type_in) {
                    return Poll::Ready(Some(result));
                }
                ended.as_mut().poll(cx).map(|_| None)
            });
            match step.await {
                Some(Ok(len)) => written_bytes += len,
                Some(Err(source)) => {
                    return Err(WriteError::Terminal {
                        written_bytes,
                        source,
                    });
                }
                None => return Err(WriteError::Ended { written_bytes }),
            }
        }
        Ok(())
    }

    /// Gives the terminal another size; the program is told by SIGWINCH.
    ///
    /// # Errors
    /// When the session has ended (`NotFound`).
    pub fn resize(&self, size: Size) -> io::Result<()> {
        match self.shared.master() {
            Some(master) => terminal::resize(master.get_ref(), size),
            None => Err(io::Error::new(
                io::ErrorKind::NotFound,
                "the session has ended",
            )),
        }
    }

    /// A copy of the output that the ring holds, oldest first.
    pub fn snapshot(&self) -> Vec<u8> {
        self.shared.output().snapshot()
    }

    /// A copy of the newest `max_bytes` bytes of it.
    pub fn tail(&self, max_bytes: usize) -> Vec<u8> {
        self.shared.output().tail(max_bytes)
    }

    /// A reader that begins with the oldest byte that is still there, and outlives the session.
    pub fn reader(&self) -> Reader {
        Reader::new(self.shared.clone())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.kill();
    }
}
