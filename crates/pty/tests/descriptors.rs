//! No session leaves a descriptor or a zombie. Alone in its file: it counts the descriptors of the
//! whole process.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

mod common;

use common::{process_state, until, until_gone};
use glasshouse_pty::{Command, Registry, Session};
use glasshouse_scheduler::Builder;
use std::fs;

/// The descriptors of this process that are open. The one that reads the list is counted each time.
fn open_descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn fifty_sessions_leave_no_descriptor_and_no_zombie() {
    let scheduler = Builder::new().workers(2).build().unwrap();
    scheduler.block_on(async {
        let before = open_descriptors();
        let run = |n: usize| match n % 3 {
            0 => Command::shell("echo short"),
            1 => Command::shell("yes | head -c 100000"),
            _ => Command::new("cat"),
        };
        let sessions: Vec<_> = (0..50).map(|n| Session::spawn(&run(n)).unwrap()).collect();
        let pids: Vec<_> = sessions.iter().map(Session::pid).collect();
        assert!(
            open_descriptors() >= before + 17,
            "the cats have a terminal each"
        );
        for (n, session) in sessions.iter().enumerate() {
            if n % 3 == 2 {
                session.kill();
            }
            session.wait().await;
        }
        // They are kept for their output, and nothing else.
        assert_eq!(open_descriptors(), before);
        for pid in pids {
            assert_eq!(process_state(pid), None);
        }

        // Dropped while they run, they are reaped by their pumps.
        let dropped: Vec<_> = (0..50)
            .map(|_| Session::spawn(&Command::new("cat")).unwrap().pid())
            .collect();
        for pid in dropped {
            until_gone(pid).await;
        }
        until(
            || Registry::process().is_empty(),
            "a session is still listed",
        )
        .await;
        until(
            || open_descriptors() == before,
            "a descriptor is still open",
        )
        .await;

        // Nor does one that cannot start.
        assert!(Session::spawn(&Command::new("no-such-program-here")).is_err());
        assert!(Session::spawn(Command::new("cat").cwd("/no/such/place")).is_err());
        assert_eq!(open_descriptors(), before);
    });
}
