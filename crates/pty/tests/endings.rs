//! How sessions end, and that nothing of them is left: no orphan, no zombie. These tests need a real
//! clock, since the programs have one; none asserts how long anything takes.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

mod common;

use common::{first_number, process_state, scheduler, until_dead, until_gone, until_printed};
use glasshouse_pty::{Command, ExitStatus, Session, Signal};
use std::io;
use std::time::Duration;

/// So long that only a signal ends what is given it.
const LONG: Duration = Duration::from_secs(3600);
/// So short that a test does not notice.
const SHORT: Duration = Duration::from_millis(20);

fn start(text: &str) -> Session {
    Session::spawn(&Command::shell(text)).unwrap()
}

#[test]
fn a_dropped_session_leaves_neither_orphan_nor_zombie() {
    scheduler().block_on(async {
        let session = start("sleep 1000 & echo $!; wait");
        let (leader, child) = (session.pid(), first_number(&session).await);
        drop(session);
        until_gone(leader).await;
        until_dead(child).await;
    });
}

#[test]
fn a_scheduler_that_ends_leaves_neither_orphan_nor_zombie() {
    let ending = scheduler();
    let (session, child) = ending.block_on(async {
        let session = start("sleep 1000 & echo $!; wait");
        let child = first_number(&session).await;
        (session, child)
    });
    drop(ending);
    scheduler().block_on(async {
        until_dead(child).await;
        // Reaped apart, and whoever waits on another scheduler is told.
        assert_eq!(session.wait().await, ExitStatus::Killed { signal: 9 });
        assert_eq!(process_state(session.pid()), None);
    });
}

#[test]
fn a_background_process_of_the_group_is_killed_when_the_program_ends() {
    scheduler().block_on(async {
        // It would survive the hang-up that the kernel sends.
        let session = start("trap '' HUP; sleep 1000 & echo $!; exit 4");
        assert_eq!(session.wait().await, ExitStatus::Exited { code: 4 });
        assert_eq!(process_state(session.pid()), None);
        until_dead(first_number(&session).await).await;
    });
}

#[test]
fn a_process_that_left_with_the_terminal_open_delays_nothing() {
    scheduler().block_on(async {
        let session = start("setsid sh -c 'echo $$; exec sleep 1000' & read go; exit 5");
        let left = first_number(&session).await;
        session.write_all(b"\n").await.unwrap();
        assert_eq!(session.wait().await, ExitStatus::Exited { code: 5 });
        assert!(
            matches!(process_state(left), Some('S' | 'R' | 'D')),
            "it meant to live on"
        );
        let left = rustix::process::Pid::from_raw(left as i32).unwrap();
        rustix::process::kill_process(left, rustix::process::Signal::KILL).unwrap();
    });
}

#[test]
fn a_survivor_that_floods_the_terminal_delays_nothing() {
    scheduler().block_on(async {
        // The number would be washed out of the ring.
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pid");
        let text = "setsid sh -c 'echo $$ >\"$FILE\"; exec yes' & read go; exit 6";
        let session = Session::spawn(Command::shell(text).env("FILE", &file)).unwrap();
        let is_flooding = || session.info().dropped_bytes > 0;
        common::until(is_flooding, "yes prints nothing").await;
        let left: u32 = std::fs::read_to_string(file)
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        session.write_all(b"\n").await.unwrap();
        assert_eq!(session.wait().await, ExitStatus::Exited { code: 6 });
        // It writes into a terminal that nobody has the other end of, and dies of that.
        until_dead(left).await;
    });
}

#[test]
fn jobs_in_groups_of_their_own_are_killed_with_the_session() {
    scheduler().block_on(async {
        // -m: job control, as in an interactive shell. The inner shell is a grandchild.
        let session = start("exec sh -m -c \"sh -c 'echo \\$\\$; sleep 1000; true' & wait\"");
        let job = first_number(&session).await;
        let stat = std::fs::read_to_string(format!("/proc/{job}/stat")).unwrap();
        let group: u32 = stat.split(' ').nth(4).unwrap().parse().unwrap();
        assert_ne!(group, session.pid(), "the test is idle without job control");
        session.kill();
        assert_eq!(session.wait().await, ExitStatus::Killed { signal: 9 });
        until_dead(job).await;
    });
}

#[test]
fn a_program_that_heeds_sigterm_ends_in_its_own_way() {
    scheduler().block_on(async {
        let session = start("trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done");
        until_printed(&session, "ready").await;
        let status = session.terminate(LONG).await;
        assert_eq!(status, ExitStatus::Exited { code: 7 });
    });
}

#[test]
fn a_program_that_ignores_sigterm_is_hung_up() {
    scheduler().block_on(async {
        let session = start("trap '' TERM; echo ready; while :; do sleep 0.01; done");
        until_printed(&session, "ready").await;
        // Half of it passes before the hang-up, and the other half is ample for dying of it.
        let status = session.terminate(Duration::from_secs(3)).await;
        assert_eq!(status.signal(), Some(Signal::HangUp.number()));
    });
}

#[test]
fn a_program_that_heeds_nothing_is_killed() {
    scheduler().block_on(async {
        let session = start("trap '' TERM HUP; echo ready; while :; do sleep 0.01; done");
        until_printed(&session, "ready").await;
        assert_eq!(
            session.terminate(SHORT).await,
            ExitStatus::Killed { signal: 9 }
        );
    });
}

#[test]
fn a_stopped_program_hears_that_it_shall_end() {
    scheduler().block_on(async {
        let session = start("echo ready; kill -STOP $$");
        until_printed(&session, "ready").await;
        let pid = session.pid();
        common::until(|| process_state(pid) == Some('T'), "it does not stop").await;
        assert_eq!(
            session.terminate(LONG).await,
            ExitStatus::Killed { signal: 15 }
        );
    });
}

#[test]
fn a_terminate_that_is_given_up_can_be_asked_for_again() {
    scheduler().block_on(async {
        let session = start("trap '' TERM HUP; echo ready; while :; do sleep 0.01; done");
        until_printed(&session, "ready").await;
        let asked = glasshouse_scheduler::time::timeout(SHORT, session.terminate(LONG)).await;
        assert!(asked.is_err());
        assert_eq!(session.state().name(), "terminating");
        assert_eq!(
            session.terminate(SHORT).await,
            ExitStatus::Killed { signal: 9 }
        );
    });
}

#[test]
fn a_signal_reaches_the_whole_group_and_nobody_after_the_end() {
    scheduler().block_on(async {
        let text = "trap 'echo outer; exit 0' USR1; \
                    sh -c 'trap \"echo inner; exit 0\" USR1; echo ready; while :; do sleep 0.01; done'";
        let session = start(text);
        until_printed(&session, "ready").await;
        session.signal(Signal::User1).unwrap();
        assert_eq!(session.wait().await, ExitStatus::Exited { code: 0 });
        let output = common::printed(&session);
        assert!(output.contains("inner") && output.contains("outer"), "{output}");
        let late = session.signal(Signal::User1).unwrap_err();
        assert_eq!(late.kind(), io::ErrorKind::NotFound);
    });
}

#[test]
fn ctrl_c_is_an_interrupt() {
    scheduler().block_on(async {
        // Without a shell, which may put the signal off until its child has ended.
        let session = Session::spawn(Command::new("sleep").arg("1000")).unwrap();
        session.write_all(b"\x03").await.unwrap();
        assert_eq!(session.wait().await, ExitStatus::Killed { signal: 2 });
    });
}
