//! Sessions with real programs: what they print, what they are told, how they end. These tests need
//! a real clock, since the programs have one; none asserts how long anything takes.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

mod common;

use common::{printed, run, scheduler, until, until_printed};
use glasshouse_pty::{
    Command, ExitStatus, Registry, Session, SessionState, Size, SpawnError, WriteError,
};
use glasshouse_scheduler::{Builder, spawn, task, time};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const OK: ExitStatus = ExitStatus::Exited { code: 0 };

#[test]
fn a_program_prints_and_ends() {
    scheduler().block_on(async {
        let session = Session::spawn(Command::new("printf").args(["%s-%s", "a b", "c"])).unwrap();
        assert_eq!(session.wait().await, OK);
        assert_eq!(
            (printed(&session), session.name()),
            ("a b-c".into(), "printf")
        );
        assert_eq!(session.state(), SessionState::Ended(OK));
        // Again, and at once.
        assert_eq!(session.wait().await, OK);
    });
}

#[test]
fn the_exit_code_and_the_signal_arrive() {
    scheduler().block_on(async {
        assert_eq!(run("exit 37").await.0, ExitStatus::Exited { code: 37 });
        assert_eq!(
            run("kill -TERM $$").await.0,
            ExitStatus::Killed { signal: 15 }
        );
        assert_eq!(
            run("kill -SEGV $$").await.0,
            ExitStatus::Killed { signal: 11 }
        );
    });
}

#[test]
fn a_program_sees_a_controlling_terminal_of_the_size_asked_for() {
    scheduler().block_on(async {
        let mut command = Command::shell(
            "tty; stty size; echo aloud >/dev/tty; [ -t 0 ] && [ -t 1 ] && [ -t 2 ]",
        );
        let session = Session::spawn(command.size(Size { rows: 7, cols: 33 })).unwrap();
        assert_eq!(session.wait().await, OK);
        let output = printed(&session);
        let lines: Vec<_> = output.lines().collect();
        assert!(lines[0].starts_with("/dev/pts/"), "{output}");
        assert_eq!(lines[1..], ["7 33", "aloud"]);
    });
}

#[test]
fn a_resize_reaches_the_program() {
    scheduler().block_on(async {
        let text = "trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.01; done";
        let session = Session::spawn(&Command::shell(text)).unwrap();
        until_printed(&session, "ready").await;
        session
            .resize(Size {
                rows: 50,
                cols: 132,
            })
            .unwrap();
        assert_eq!(session.wait().await, OK);
        assert!(
            printed(&session).ends_with("50 132\r\n"),
            "{}",
            printed(&session)
        );
        assert!(session.resize(Size::default()).is_err());
    });
}

#[test]
fn what_is_typed_is_echoed_and_read() {
    scheduler().block_on(async {
        let session = Session::spawn(&Command::new("cat")).unwrap();
        session.write_all(b"one line\n").await.unwrap();
        until_printed(&session, "one line\r\none line\r\n").await;
        // The end of the input, as a person types it.
        session.write_all(b"\x04").await.unwrap();
        assert_eq!(session.wait().await, OK);
        let late = session.write_all(b"late").await;
        assert!(matches!(late, Err(WriteError::Ended { written_bytes: 0 })));
    });
}

#[test]
fn more_input_than_the_terminal_holds_arrives_in_full() {
    const BYTES: usize = 300_000;
    scheduler().block_on(async {
        let text = format!("stty raw -echo; printf ready; head -c {BYTES} | cksum");
        let session = Session::spawn(&Command::shell(text)).unwrap();
        until_printed(&session, "ready").await;
        let input: Vec<u8> = (0..BYTES).map(|n| (n % 251) as u8).collect();
        session.write_all(&input).await.unwrap();
        assert_eq!(session.wait().await, OK);
        // cksum prints its sum and the length.
        assert!(printed(&session).trim_end().ends_with(&format!(" {BYTES}")));
    });
}

#[test]
fn who_types_at_a_program_that_never_reads_learns_of_its_end() {
    scheduler().block_on(async {
        let text = "stty raw -echo; printf ready; sleep 1000";
        let session = Arc::new(Session::spawn(&Command::shell(text)).unwrap());
        until_printed(&session, "ready").await;
        let typist = session.clone();
        let typing = spawn(async move { typist.write_all(&[b'x'; 1 << 20]).await });
        // Once it waits for room there is none.
        task::yield_now().await;
        session.kill();
        let error = typing.await.unwrap().unwrap_err();
        let (WriteError::Ended { written_bytes } | WriteError::Terminal { written_bytes, .. }) =
            error
        else {
            panic!("{error}")
        };
        assert!(written_bytes < 1 << 20);
    });
}

#[test]
fn the_ring_keeps_the_newest_bytes_and_counts_the_rest() {
    scheduler().block_on(async {
        let mut command =
            Command::shell("i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); done");
        let session = Session::spawn(command.ring_bytes(1000)).unwrap();
        assert_eq!(session.wait().await, OK);
        // The terminal turns a line feed into two bytes.
        let all: String = (0..3000).map(|n| format!("{n}\r\n")).collect();
        assert_eq!(printed(&session), all[all.len() - 1000..]);
        let info = session.info();
        assert_eq!(info.output_bytes, all.len() as u64);
        assert_eq!(info.dropped_bytes, all.len() as u64 - 1000);
        assert_eq!(session.tail(6), b"2999\r\n");
    });
}

#[test]
fn output_is_complete_at_the_end_however_short_the_program_lives() {
    scheduler().block_on(async {
        for length in (1..200).map(|n| n * 41) {
            let session =
                Session::spawn(Command::new("printf").arg(format!("%{length}s"))).unwrap();
            session.wait().await;
            assert_eq!(session.info().output_bytes, length);
        }
    });
}

#[test]
fn a_reader_gets_every_byte_or_is_told_how_many_it_missed() {
    scheduler().block_on(async {
        let mut command = Command::shell("head -c 200000 /dev/zero | tr '\\0' x");
        let session = Session::spawn(command.ring_bytes(5000)).unwrap();
        let (mut reader, mut output, mut missed_bytes) = (session.reader(), Vec::new(), 0);
        while let Some(missed) = reader.read(&mut output).await {
            missed_bytes += missed;
        }
        assert_eq!(output.len() as u64 + missed_bytes, 200_000);
        // One that comes late has only the ring.
        let (mut late, mut output) = (session.reader(), Vec::new());
        assert_eq!(late.read(&mut output).await, Some(195_000));
        assert_eq!((output.len(), late.read(&mut output).await), (5000, None));
    });
}

#[test]
fn a_flood_of_output_does_not_hold_the_worker() {
    scheduler().block_on(async {
        let ticks = Arc::new(AtomicU64::new(0));
        let counter = ticks.clone();
        let other = spawn(async move {
            loop {
                counter.fetch_add(1, Ordering::Relaxed);
                task::yield_now().await;
            }
        });
        let session = Session::spawn(&Command::new("yes")).unwrap();
        let flooded = || session.info().dropped_bytes > 4 << 20;
        until(flooded, "yes prints no more").await;
        let before = ticks.load(Ordering::Relaxed);
        let at_bytes = session.info().output_bytes;
        let more = || session.info().output_bytes > at_bytes + (1 << 20);
        until(more, "yes prints no more").await;
        assert!(
            ticks.load(Ordering::Relaxed) > before,
            "the other task stood still"
        );
        other.abort();
        session.kill();
        assert_eq!(session.wait().await, ExitStatus::Killed { signal: 9 });
    });
}

#[test]
fn output_after_the_terminal_was_closed_and_opened_again_is_read() {
    scheduler().block_on(async {
        let text = "exec <&- >&- 2>&-; sleep 0.05; echo again >/dev/tty";
        assert_eq!(run(text).await, (OK, "again\r\n".into()));
    });
}

#[test]
fn what_cannot_start_says_why_and_leaves_nothing() {
    scheduler().block_on(async {
        let registry = Registry::new();
        let missing = registry.spawn(&Command::new("no-such-program-here")).unwrap_err();
        assert!(matches!(missing, SpawnError::NotFound { program } if program.as_os_str() == "no-such-program-here"));
        let nowhere = registry.spawn(Command::new("true").cwd("/no/such/place")).unwrap_err();
        assert!(matches!(nowhere, SpawnError::BadDirectory { .. }));
        assert!(registry.is_empty());
    });
}

#[test]
fn a_scheduler_that_cannot_watch_or_takes_no_more_tasks_starts_nothing() {
    let registry = Registry::new();
    let blind = Builder::deterministic(1).build().unwrap();
    let error = blind.block_on(async { registry.spawn(&Command::new("true")).unwrap_err() });
    assert!(matches!(error, SpawnError::Watch(_)), "{error}");
    let full = Builder::new().workers(1).capacity(1).build().unwrap();
    full.block_on(async {
        let only = spawn(std::future::pending::<()>());
        let error = registry
            .spawn(Command::new("sleep").arg("1000"))
            .unwrap_err();
        assert!(matches!(error, SpawnError::Refused), "{error}");
        // The program had started: it is reaped apart from the scheduler.
        until(|| registry.is_empty(), "the program was not reaped").await;
        only.abort();
    });
}

#[test]
fn the_registry_lists_the_living_in_the_order_of_their_start() {
    scheduler().block_on(async {
        let registry = Registry::new();
        let first = registry.spawn(Command::new("cat").name("first")).unwrap();
        let second = registry.spawn(Command::new("cat").name("second")).unwrap();
        let list = registry.list();
        let names: Vec<_> = list.iter().map(|info| info.name.as_str()).collect();
        assert_eq!(names, ["first", "second"]);
        assert_eq!(list[1], second.info());
        assert_eq!(list[1].state, SessionState::Running);
        first.kill();
        first.wait().await;
        assert_eq!(registry.list(), [second.info()]);
        // Still readable, though no longer listed.
        assert_eq!(first.info().state.name(), "killed");
    });
}

#[test]
fn many_sessions_run_side_by_side() {
    let scheduler = Builder::new().workers(2).build().unwrap();
    scheduler.block_on(async {
        let one = |n: usize| async move {
            let session = Session::spawn(&Command::shell(format!("echo {n}; exit {n}"))).unwrap();
            let status = session.wait().await;
            (status, printed(&session))
        };
        let tasks: Vec<_> = (0..40).map(|n| spawn(one(n))).collect();
        for (n, task) in tasks.into_iter().enumerate() {
            let code = n as i32;
            assert_eq!(
                task.await.unwrap(),
                (ExitStatus::Exited { code }, format!("{n}\r\n"))
            );
        }
    });
}

#[test]
fn a_wait_that_is_given_up_can_be_taken_up_again() {
    scheduler().block_on(async {
        let session = Session::spawn(&Command::new("cat")).unwrap();
        for _ in 0..3 {
            let waited = time::timeout(Duration::from_millis(2), session.wait()).await;
            assert!(waited.is_err());
        }
        session.write_all(b"\x04").await.unwrap();
        assert_eq!(session.wait().await, OK);
    });
}
