//! Owns what a session, its pump, its readers and the registry share: the state and the child under
//! one lock, the output under another.
//!
//! A signal is sent, and the child is reaped, under the lock of the state: a group is signalled
//! only while its leader is not reaped, and so never in error. The two locks are never held
//! together. Nobody is woken while either is held.

use crate::events::Subject;
use crate::exit_status::ExitStatus;
use crate::kin::kill_session;
use crate::output_ring::OutputRing;
use crate::registry::{Registry, SessionInfo};
use crate::session_id::SessionId;
use crate::state::{Action, Event, SessionState};
use event_listener::Event as Bell;
use glasshouse_scheduler::io::AsyncFd;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The master's end of the terminal, watched by the scheduler.
pub(crate) type Master = Arc<AsyncFd<OwnedFd>>;

/// What a session, its pump, its readers and the registry share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) id: SessionId,
    pub(crate) name: String,
    registry: Registry,
    life: Mutex<Life>,
    output: Mutex<OutputRing>,
    /// Rings when output came, and at the end.
    pub(crate) output_bell: Bell,
    /// Rings at the end.
    pub(crate) end_bell: Bell,
}

#[derive(Debug)]
struct Life {
    state: SessionState,
    pid: Option<Pid>,
    /// Taken away at the end, so that a session that is kept for its output keeps no descriptor.
    master: Option<Master>,
}

impl Shared {
    /// A session that is starting; it is in the registry until it ends.
    pub(crate) fn new(name: String, ring_bytes: usize, registry: &Registry) -> Arc<Shared> {
        let shared = Arc::new(Shared {
            id: SessionId::next(),
            name,
            registry: registry.clone(),
            life: Mutex::new(Life {
                state: SessionState::Starting,
                pid: None,
                master: None,
            }),
            output: Mutex::new(OutputRing::new(ring_bytes)),
            output_bell: Bell::new(),
            end_bell: Bell::new(),
        });
        registry.enter(&shared);
        shared
    }

    /// Nothing panics between two valid states, so that a poisoned lock is as good as any.
    fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn output(&self) -> MutexGuard<'_, OutputRing> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn state(&self) -> SessionState {
        self.life().state
    }

    /// The terminal, until the end.
    pub(crate) fn master(&self) -> Option<Master> {
        self.life().master.clone()
    }

    pub(crate) fn info(&self) -> SessionInfo {
        let (state, pid) = {
            let life = self.life();
            (life.state, life.pid)
        };
        let output = self.output();
        SessionInfo {
            id: self.id,
            name: self.name.clone(),
            pid: pid.map(|pid| pid.as_raw_pid().unsigned_abs()),
            state,
            output_bytes: output.total_bytes(),
            dropped_bytes: output.dropped_bytes(),
        }
    }

    /// The child runs.
    pub(crate) fn started(&self, pid: Pid, master: Master) {
        let mut life = self.life();
        life.pid = Some(pid);
        life.master = Some(master);
        life.advance(Event::Started);
    }

    /// The session never was: nothing was started.
    pub(crate) fn not_started(&self) {
        self.registry.leave(self.id);
    }

    /// Somebody wants something of the session.
    pub(crate) fn on(&self, event: Event) {
        self.life().advance(event);
    }

    /// The child has ended, as this look at it says. What is left of its group is killed. Once is
    /// enough, and again does nothing.
    pub(crate) fn child_ended(&self, status: ExitStatus) {
        let mut life = self.life();
        if life.state == SessionState::Draining {
            return;
        }
        if status == ExitStatus::Lost {
            // Reaped by others: the number may be another process's by now.
            life.pid = None;
        }
        life.advance(Event::ChildEnded);
    }

    /// Sends a signal to the leader's group. `None` if there is none any more.
    pub(crate) fn signal(&self, signal: Signal) -> Option<rustix::io::Result<()>> {
        let life = self.life();
        let leader = life.pid.filter(|_| life.state.is_live())?;
        Some(kill_process_group(leader, signal))
    }

    /// Reaps the child, which has ended, closes the terminal, and leaves the registry. Wakes nobody:
    /// the caller lets go of its own descriptors first, and then calls [`Shared::announce`].
    pub(crate) fn reap(&self, subject: Subject) {
        let master = {
            let mut life = self.life();
            // It has ended, so that this does not block.
            let status = collect(subject.pid, WaitIdOptions::EXITED);
            life.advance(Event::Reaped(status.unwrap_or(ExitStatus::Lost)));
            life.master.take()
        };
        drop(master);
        self.registry.leave(self.id);
        let (status, output) = (self.state().status(), self.output());
        let (total_bytes, dropped_bytes) = (output.total_bytes(), output.dropped_bytes());
        drop(output);
        subject.exited(
            status.unwrap_or(ExitStatus::Lost),
            total_bytes,
            dropped_bytes,
        );
    }

    /// Wakes whoever waits for the end, or for output that will not come any more.
    pub(crate) fn announce(&self) {
        self.end_bell.notify(usize::MAX);
        self.output_bell.notify(usize::MAX);
    }
}

impl Life {
    fn advance(&mut self, event: Event) {
        let (state, action) = self.state.on(event);
        self.state = state;
        let Some(leader) = self.pid else { return };
        // Errors: a group that runs as another user cannot be signalled, and nothing more can be
        // done about it here; the caller sees that it does not end.
        let send = |signal| {
            let _ = kill_process_group(leader, signal);
            let _ = kill_process_group(leader, Signal::CONT);
        };
        match action {
            Action::None | Action::Announce => {}
            Action::AskGroup => send(Signal::TERM),
            Action::HangUpGroup => send(Signal::HUP),
            Action::KillSession => kill_session(leader),
            Action::Drain => {
                let _ = kill_process_group(leader, Signal::KILL);
            }
        }
    }
}

/// The child's status; `None` if it has not ended and the options forbid to wait for that.
pub(crate) fn collect(pid: Pid, options: WaitIdOptions) -> Option<ExitStatus> {
    loop {
        match waitid(WaitId::Pid(pid), options) {
            Ok(None) => return None,
            Ok(Some(status)) => {
                let code = status.exit_status().map(|code| ExitStatus::Exited { code });
                let signal = status.terminating_signal();
                let killed = signal.map(|signal| ExitStatus::Killed { signal });
                return Some(code.or(killed).unwrap_or(ExitStatus::Lost));
            }
            Err(Errno::INTR) => {}
            // It is no child of ours any more.
            Err(_) => return Some(ExitStatus::Lost),
        }
    }
}
