//! Waiting for child processes through a descriptor of each: no handler of SIGCHLD, which other
//! libraries in the process may want for themselves.

use crate::io::AsyncFd;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Child, ExitStatus};

/// Waits for `child` to end, and reaps it.
///
/// # Errors
/// What the operating system says to the descriptor or to the reaping.
///
/// # Panics
/// Outside of a scheduler.
///
/// ```
/// let scheduler = glasshouse_scheduler::Builder::new().workers(1).build().unwrap();
/// let status = scheduler.block_on(async {
///     let mut child = std::process::Command::new("true").spawn().unwrap();
///     glasshouse_scheduler::process::wait(&mut child).await.unwrap()
/// });
/// assert!(status.success());
/// ```
pub async fn wait(child: &mut Child) -> io::Result<ExitStatus> {
    if let Some(status) = child.try_wait()? {
        return Ok(status);
    }
    let pidfd = PidFd::open(child.id())?;
    pidfd
        .fd
        .read_with(|_| {
            child
                .try_wait()?
                .ok_or_else(|| io::ErrorKind::WouldBlock.into())
        })
        .await
}

/// A process, held by a descriptor: its number cannot come to mean another process meanwhile.
///
/// ```
/// # let scheduler = glasshouse_scheduler::Builder::new().workers(1).build().unwrap();
/// # scheduler.block_on(async {
/// use glasshouse_scheduler::process::PidFd;
/// let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
/// let pidfd = PidFd::open(child.id()).unwrap();
/// pidfd.kill().unwrap();
/// pidfd.exited().await.unwrap();
/// assert!(!child.wait().unwrap().success());
/// # });
/// ```
#[derive(Debug)]
pub struct PidFd {
    fd: AsyncFd<OwnedFd>,
}

impl PidFd {
    /// Opens the process with this number: a child that has not been reaped, or it may be another's by now.
    ///
    /// # Errors
    /// `InvalidInput` for a number that is no process id, else what the operating system says.
    ///
    /// # Panics
    /// Outside of a scheduler.
    pub fn open(pid: u32) -> io::Result<PidFd> {
        let pid = i32::try_from(pid)
            .ok()
            .and_then(Pid::from_raw)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "zero is no process id"))?;
        let fd = pidfd_open(pid, PidfdFlags::NONBLOCK)?;
        Ok(PidFd {
            fd: AsyncFd::new(fd)?,
        })
    }

    /// Waits until the process has ended. It stays to be reaped by its parent.
    ///
    /// # Errors
    /// None today; the operating system may give one some day.
    pub async fn exited(&self) -> io::Result<()> {
        // Asked of the kernel each time: a wake-up alone proves nothing.
        self.fd.read_with(|fd| self.has_exited(fd)).await
    }

    fn has_exited(&self, fd: &OwnedFd) -> io::Result<()> {
        let mut look = [PollFd::new(fd, PollFlags::IN)];
        match poll(&mut look, Some(&Timespec::default()))? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            _ => Ok(()),
        }
    }

    /// Ends the process by SIGKILL.
    ///
    /// # Errors
    /// What the operating system says, for example that the process has been reaped.
    pub fn kill(&self) -> io::Result<()> {
        Ok(pidfd_send_signal(self.fd.get_ref(), Signal::KILL)?)
    }
}

impl AsFd for PidFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.get_ref().as_fd()
    }
}
