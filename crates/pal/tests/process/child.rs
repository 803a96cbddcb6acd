//! Owns how roles fork, and where the log of a child goes.

use crate::open;
use glasshouse_pal::dir::LogDir;
use glasshouse_pal::reader::Log;
use glasshouse_pal::{PAL_VARIABLE, Pal};
use std::os::fd::RawFd;
use std::path::Path;

/// Where a role's child has its log, beside the role's.
const CHILD: &str = "child";
/// Where a role spills, beside its log.
pub const SEGMENTS: &str = "segments";

/// Forks; the child's number, and zero in the child. To be called where other threads wait and hold no lock.
pub fn fork() -> libc::pid_t {
    // SAFETY: as no other thread holds a lock, the child may do what any process may.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "fork");
    child
}

/// What a child ends with that ends by [`leave`].
pub const LEFT: i32 = 7;

/// Ends the process at once, and cleans nothing up: what is to be, its parent does.
pub fn leave() -> ! {
    // SAFETY: may be called at any time.
    unsafe { libc::_exit(LEFT) };
}

/// Waits for a child; the code that it ended with, unless a signal did it.
pub fn exit_code(child: libc::pid_t) -> Option<i32> {
    let mut status = 0;
    // SAFETY: `status` is a valid place for the status.
    let waited = unsafe { libc::waitpid(child, &mut status, 0) };
    assert_eq!(waited, child);
    libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status))
}

/// Closes a descriptor whoever holds it, as daemons do, in a process that ends by [`leave`].
pub fn close(descriptor: RawFd) {
    // SAFETY: who holds it does not use it any more, nor closes it again.
    unsafe { libc::close(descriptor) };
}

/// The log of a role's child that makes it with [`install_beside`].
pub fn childs_log(place: &tempfile::TempDir) -> Log {
    let logs = LogDir::at(place.path().join(CHILD)).list();
    let [log] = &logs[..] else {
        panic!("one log: {logs:?}");
    };
    open(&log.path)
}

/// Makes this process's log beside that of its parent.
pub fn install_beside() -> Pal {
    let path = std::env::var_os(PAL_VARIABLE).expect("a path");
    // SAFETY: this process has one thread, and reads no variable meanwhile.
    unsafe { std::env::remove_var(PAL_VARIABLE) };
    let beside = Path::new(&path).with_file_name(CHILD);
    let log = Pal::builder().directory(&beside).install();
    log.expect("none yet")
}
