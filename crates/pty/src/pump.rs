//! Owns the task that serves a session, named "pty:NAME": it moves the output into the ring, notices
//! the child's end, and reaps it.
//!
//! The end, in order: the child is seen to have ended and stays a zombie, which keeps its number;
//! what is left of its group is killed; what is left in the terminal is read; the child is reaped,
//! the descriptors closed, the registry left, the record written, the waiters woken.
//!
//! The output ends with the child, not with the terminal: the kernel says EIO as long as nobody has
//! the other end open, which a program may open again. What the child itself had written is
//! complete, because a read that finds nothing first waits for the kernel to move what is under
//! way. A grandchild that survives, having left the group, and still writes is cut off.

use crate::events::Subject;
use crate::shared::{Master, Shared, collect};
use crate::state::Event;
use glasshouse_pal::{Interest, RingOwner, current_log};
use glasshouse_scheduler::process::PidFd;
use glasshouse_scheduler::task;
use rustix::io::{Errno, read};
use rustix::process::WaitIdOptions;
use std::future::{Future, poll_fn};
use std::io;
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::thread;

/// The most that one read of a terminal gives: the size of the line discipline's buffer.
const READ_BYTES: usize = 4096;
/// The most that one tick moves, so that a flood of output does not hold the worker: at the 80 MiB/s
/// that a terminal was measured to deliver, 0.8 ms.
const TICK_BYTES: usize = 64 * 1024;
/// The most that is read after the child's end. The kernel holds back about 12 KiB a terminal, so
/// that only a survivor that still writes comes up to it.
const DRAIN_BYTES_MAX: usize = 256 * 1024;

/// The pump of one session. Dropped before the end (its scheduler ends), it kills the child and has
/// it reaped.
#[derive(Debug)]
pub(crate) struct Pump {
    shared: Arc<Shared>,
    subject: Subject,
    /// Taken at the end, before it is announced.
    descriptors: Option<Descriptors>,
    buffer: Box<[u8]>,
    has_dropped: bool,
    /// Whether it was ever polled.
    pub(crate) has_run: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Descriptors {
    master: Master,
    /// None if the child was gone, reaped by others, before it could be watched.
    pidfd: Option<PidFd>,
}

/// What ended a wait of the pump.
enum Step {
    /// This much output was moved.
    Output(usize),
    /// The terminal gives no more, for a reason other than being closed.
    Broken,
    /// The child seems to have ended.
    Ended,
}

impl Pump {
    pub(crate) fn new(
        shared: Arc<Shared>,
        subject: Subject,
        master: Master,
        pidfd: Option<PidFd>,
    ) -> Pump {
        Pump {
            shared,
            subject,
            descriptors: Some(Descriptors { master, pidfd }),
            buffer: vec![0; READ_BYTES].into_boxed_slice(),
            has_dropped: false,
            has_run: Arc::default(),
        }
    }

    /// Serves the session to its end.
    pub(crate) async fn run(mut self) {
        self.has_run.store(true, Ordering::Relaxed);
        let Some(Descriptors { master, pidfd }) = self.descriptors.take() else {
            unreachable!("new() sets them and only this function, which runs once, takes them")
        };
        // From here on they are this future's: it is dropped with `self`, and closes them.
        if let Some(pidfd) = &pidfd {
            self.serve(&master, pidfd).await;
        }
        // A pidfd is readable for good once its process has ended, so that this does not wait.
        wait_for_end(&self.shared, self.subject);
        self.drain(&master).await;
        drop(pidfd);
        drop(master);
        self.shared.reap(self.subject);
        self.shared.announce();
    }

    /// Moves output until the child has ended.
    async fn serve(&mut self, master: &Master, pidfd: &PidFd) {
        let mut exited = pin!(pidfd.exited());
        let mut reading = master.waiter(Interest::Read);
        let mut is_broken = false;
        loop {
            let step = poll_fn(|cx| {
                // The terminal first: the first to wait is what the log says the pump waits for.
                let output = match is_broken {
                    true => Poll::Pending,
                    false => reading.poll_with(cx, &mut |fd| self.take_output(fd)),
                };
                let exit = exited.as_mut().poll(cx);
                match (exit, output) {
                    (Poll::Ready(_), _) => Poll::Ready(Step::Ended),
                    (_, Poll::Ready(Ok(bytes))) => Poll::Ready(Step::Output(bytes)),
                    (_, Poll::Ready(Err(_))) => Poll::Ready(Step::Broken),
                    (_, Poll::Pending) => Poll::Pending,
                }
            });
            match step.await {
                // There may be as much again: others first.
                Step::Output(bytes) if bytes >= TICK_BYTES => task::yield_now().await,
                Step::Output(_) => {}
                Step::Broken => is_broken = true,
                Step::Ended => break,
            }
        }
    }

    /// Moves what is left in the terminal.
    async fn drain(&mut self, master: &Master) {
        let mut drained_bytes = 0;
        while drained_bytes < DRAIN_BYTES_MAX {
            match self.take_output(master.get_ref()) {
                Ok(bytes) => drained_bytes += bytes,
                Err(_) => break,
            }
            task::yield_now().await;
        }
    }

    /// Moves what there is, at most a tick's worth; `WouldBlock` if there is nothing.
    fn take_output(&mut self, fd: &OwnedFd) -> io::Result<usize> {
        let mut taken_bytes = 0;
        while taken_bytes < TICK_BYTES {
            match read(fd, &mut self.buffer[..]) {
                // Closed at the other end, or as good as: it may be opened again.
                Ok(0) | Err(Errno::IO | Errno::AGAIN) => break,
                Ok(len) => {
                    self.keep(len);
                    taken_bytes += len;
                }
                Err(Errno::INTR) => {}
                Err(error) if taken_bytes == 0 => return Err(error.into()),
                Err(_) => break,
            }
        }
        if taken_bytes == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.shared.output_bell.notify(usize::MAX);
        Ok(taken_bytes)
    }

    /// Puts the first `len` bytes of the buffer into the ring.
    fn keep(&mut self, len: usize) {
        let mut output = self.shared.output();
        output.push(&self.buffer[..len]);
        let dropped_bytes = output.dropped_bytes();
        let ring_bytes = output.capacity_bytes();
        drop(output);
        if dropped_bytes > 0 && !self.has_dropped {
            self.has_dropped = true;
            self.subject.dropped(ring_bytes);
        }
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        if self.shared.state().status().is_none() {
            self.descriptors = None;
            abandon(self.shared.clone(), self.subject);
        }
    }
}

/// Ends a session that no pump serves. The child is reaped on a thread of its own: there is no task
/// for it, and a worker must not wait. Without a thread it stays a zombie until this process ends.
pub(crate) fn abandon(shared: Arc<Shared>, subject: Subject) {
    shared.on(Event::Kill);
    let log = current_log();
    let reaper = thread::Builder::new().name(format!("reap {}", subject.pid.as_raw_pid()));
    let _ = reaper.spawn(move || {
        // The end belongs in the log that has the start.
        let _ring = log.map(|log| log.lease(RingOwner::External).install());
        wait_for_end(&shared, subject);
        shared.reap(subject);
        shared.announce();
    });
}

/// Waits for the child's end, and kills what is left of its group.
fn wait_for_end(shared: &Shared, subject: Subject) {
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    if let Some(status) = collect(subject.pid, look) {
        shared.child_ended(status);
    }
}
