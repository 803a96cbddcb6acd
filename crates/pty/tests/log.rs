//! What the log says of sessions: their own events, and the life of their pumps.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

mod common;

use common::until;
use glasshouse_pal::reader::Entry;
use glasshouse_pal::{Event, Interest, Pal, TaskEvent, TaskId, TextId};
use glasshouse_pty::{Command, Registry, Session, Signal};
use glasshouse_scheduler::{Builder, Scheduler};

fn logged() -> (Scheduler, Pal) {
    let pal = Pal::memory();
    let scheduler = Builder::new().workers(1).pal(pal.clone()).build().unwrap();
    (scheduler, pal)
}

/// The events of sessions in order: the name, and the fields by name, texts resolved.
fn session_events(pal: &Pal) -> Vec<String> {
    let log = pal.log();
    let show = |entry: Entry| {
        let Event::Domain(event) = entry.event else {
            return None;
        };
        let schema = log.schema(event.kind()).unwrap();
        let mut line = schema.name.clone();
        for (field, word) in schema.fields.iter().zip(event.args()) {
            let value = match field.name.as_str() {
                "name" => log.text(TextId(*word as u32)).unwrap(),
                "code" => (*word as i64).to_string(),
                _ => word.to_string(),
            };
            line += &format!(" {}={value}", field.name);
        }
        Some(line)
    };
    log.records().filter_map(show).collect()
}

/// The task with this name, and its events.
fn life(pal: &Pal, name: &str) -> (TaskId, Vec<TaskEvent>) {
    let events = pal.events();
    let log = pal.log();
    let id = events.iter().find_map(|event| match event {
        TaskEvent::Spawned { tid, site, .. } => {
            (log.site(*site)?.name.as_deref() == Some(name)).then_some(*tid)
        }
        _ => None,
    });
    let id = id.expect("a task of this name was spawned");
    (
        id,
        events
            .into_iter()
            .filter(|event| event.tid() == Some(id))
            .collect(),
    )
}

#[test]
fn a_session_leaves_its_start_its_first_loss_and_its_end() {
    let (scheduler, pal) = logged();
    let pids = scheduler.block_on(async {
        let mut command = Command::shell("stty -opost; printf 0123456789; printf abcde; exit 3");
        let noisy = Session::spawn(command.name("noisy").ring_bytes(10)).unwrap();
        noisy.wait().await;
        let quiet = Session::spawn(Command::new("cat").name("quiet")).unwrap();
        quiet.signal(Signal::Interrupt).unwrap();
        quiet.wait().await;
        [noisy.pid(), quiet.pid()]
    });
    let [noisy, quiet] = pids;
    assert_eq!(
        session_events(&pal),
        [
            format!("pty_spawned pid={noisy} name=noisy"),
            format!("pty_dropped pid={noisy} name=noisy ring_bytes=10"),
            format!(
                "pty_exited pid={noisy} name=noisy code=3 signal=0 output_bytes=15 dropped_bytes=5"
            ),
            format!("pty_spawned pid={quiet} name=quiet"),
            format!(
                "pty_exited pid={quiet} name=quiet code=-1 signal=2 output_bytes=0 dropped_bytes=0"
            ),
        ]
    );
}

#[test]
fn a_killed_session_of_an_ended_scheduler_is_logged_too() {
    let (scheduler, pal) = logged();
    let registry = Registry::new();
    let session = scheduler.block_on(async { registry.spawn(Command::new("cat").name("left")) });
    let session = session.unwrap();
    drop(scheduler);
    common::scheduler().block_on(until(|| registry.is_empty(), "it was not reaped"));
    let pid = session.pid();
    assert_eq!(session.state().name(), "killed");
    let events = session_events(&pal);
    assert_eq!(events[0], format!("pty_spawned pid={pid} name=left"));
    let ended =
        format!("pty_exited pid={pid} name=left code=-1 signal=9 output_bytes=0 dropped_bytes=0");
    assert_eq!(events[1..], [ended]);
}

#[test]
fn a_pump_waits_for_its_terminal_and_wakes_its_waiters() {
    let (scheduler, pal) = logged();
    let waiter = scheduler.block_on(async {
        let session = Session::spawn(Command::new("cat").name("echo")).unwrap();
        session.write_all(b"x\n").await.unwrap();
        let waiter = glasshouse_scheduler::spawn(async move {
            session.write_all(b"\x04").await.unwrap();
            session.wait().await
        });
        let id = waiter.id();
        waiter.await.unwrap();
        id
    });
    let (pump, events) = life(&pal, "pty:echo");
    // Both that it waits for, the terminal and the process, become readable.
    let waits: Vec<_> = events
        .iter()
        .filter(|event| event.state().unwrap().is_waiting())
        .collect();
    assert!(!waits.is_empty());
    for wait in waits {
        let TaskEvent::IoWait { io, .. } = wait else {
            panic!("{wait:?}")
        };
        assert_eq!(io.interest, Interest::Read);
    }
    assert!(matches!(events.last(), Some(TaskEvent::Done { .. })));
    let woken_by_pump = pal.events().into_iter().any(|event| match event {
        TaskEvent::Wake { tid, by } => tid == waiter && by.task() == Some(pump),
        _ => false,
    });
    assert!(woken_by_pump);
}

#[test]
fn a_terminal_that_nobody_has_open_does_not_keep_its_pump_busy() {
    let (scheduler, pal) = logged();
    scheduler.block_on(async {
        let mut command = Command::shell("exec <&- >&- 2>&-; sleep 0.3; echo again >/dev/tty");
        let session = Session::spawn(command.name("closed")).unwrap();
        session.wait().await;
        assert_eq!(session.snapshot(), b"again\r\n");
    });
    let (_, events) = life(&pal, "pty:closed");
    let ticks = events
        .iter()
        .filter(|event| matches!(event, TaskEvent::Running { .. }))
        .count();
    // One each for the start, the closing, the opening, the output and the end, and a few that
    // found nothing; a pump that spins would have thousands.
    assert!(ticks < 20, "{ticks} ticks");
}
