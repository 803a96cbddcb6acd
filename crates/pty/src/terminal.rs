//! Owns the opening of a pseudo-terminal: the master's end, and the name of the other one.

use crate::command::Size;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

/// A pseudo-terminal whose other end nobody has opened yet.
#[derive(Debug)]
pub(crate) struct Terminal {
    /// The end of whoever drives the terminal: non-blocking, closed in every child.
    pub(crate) master: OwnedFd,
    /// The path of the end that the child opens.
    pub(crate) slave: CString,
}

impl Terminal {
    /// Opens one of this size.
    pub(crate) fn open(size: Size) -> io::Result<Terminal> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let slave = ptsname(&master, Vec::new())?;
        resize(&master, size)?;
        fcntl_setfl(&master, fcntl_getfl(&master)? | OFlags::NONBLOCK)?;
        Ok(Terminal { master, slave })
    }
}

/// Gives the terminal another size; the kernel sends SIGWINCH to its foreground group.
pub(crate) fn resize(master: impl AsFd, size: Size) -> io::Result<()> {
    let winsize = Winsize {
        ws_row: size.rows,
        ws_col: size.cols,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    Ok(tcsetwinsize(master, winsize)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::{FdFlags, fcntl_getfd};
    use rustix::termios::tcgetwinsize;

    #[test]
    fn the_master_never_blocks_and_stays_in_this_process() {
        let terminal = Terminal::open(Size { rows: 3, cols: 7 }).expect("a pseudo-terminal");
        let status = fcntl_getfl(&terminal.master).expect("open");
        assert!(status.contains(OFlags::NONBLOCK));
        let flags = fcntl_getfd(&terminal.master).expect("open");
        assert!(flags.contains(FdFlags::CLOEXEC));
        let size = tcgetwinsize(&terminal.master).expect("a terminal");
        assert_eq!((size.ws_row, size.ws_col), (3, 7));
        assert!(terminal.slave.to_bytes().starts_with(b"/dev/pts/"));
    }
}
