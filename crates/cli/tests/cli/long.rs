//! What commands say that read a long log: meanwhile how far they are, on a terminal and nowhere else, and at the end the
//! names of tasks that ended long before.

use crate::place::{Place, signal, state, until};
use crate::terminal::{sent_to, terminal};
use glasshouse_pal::spill::{Settings, Spiller};
use glasshouse_pal::{Pal, RingOwner, TaskEvent, TaskId, WakeSource};
use rustix::process::Signal;
use std::process::{Child, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Blocks are told of one by one: enough for a percent each.
const BLOCKS: u64 = 128;
/// The rounds that a block holds, of three records each.
const ROUNDS: u64 = 400;
/// The records of all rounds: they are most of those that there are.
pub const RECORDS: u64 = 3 * BLOCKS * ROUNDS;
/// What a program reads besides a log, at most: its libraries' heads, and what the kernel tells of its limits.
const BESIDES: u64 = 20_000;
/// Multiples of it look like chance.
const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
/// Longer than who waits does not ask how far it is.
const LONG: Duration = Duration::from_millis(1100);
/// Takes the line away.
const GONE: &str = "\r\x1b[K";

/// Segments in `spill`: task 1 ticks in their first half, task 2 has ended at once, and task 3 begins in the middle and ticks to their end.
pub fn with_segments() -> Place {
    let place = Place::new();
    let log = Pal::builder().file(place.path("run.pal")).workers(1);
    let pal = log.build().expect("room for a log");
    let settings = Settings {
        flush: Duration::from_nanos(1),
        ..Settings::new(place.path("spill"))
    };
    let mut spiller = Spiller::new(&pal, settings).expect("a place");
    let ring = pal.lease(RingOwner::Worker(0));
    let write = |aux: u8, event: TaskEvent| {
        assert!(ring.write(pal.clock().now(), aux, &event));
    };
    let [one, two, three] = [1, 2, 3].map(|number| TaskId::new(number).expect("in range"));
    let site = pal.site("src/main.rs", 7, 5, Some("long"));
    let spawn = |tid, parent| write(0, TaskEvent::Spawned { tid, parent, site });
    spawn(one, None);
    spawn(two, Some(one));
    write(1, TaskEvent::Running { tid: two });
    write(2, TaskEvent::Done { tid: two });
    let mut transitions = [0u8; 2];
    let by = WakeSource::External;
    // What each sleep is meant to last follows no rule, so that the log is far larger than what any program reads besides.
    let mut durations =
        (1..).map(|number: u64| Duration::from_nanos(number.wrapping_mul(ODD) >> 24));
    for block in 0..BLOCKS {
        let is_late = block >= BLOCKS / 2;
        if block == BLOCKS / 2 {
            spawn(three, None);
        }
        let tid = [one, three][usize::from(is_late)];
        for dur in durations.by_ref().take(ROUNDS as usize) {
            for event in [
                TaskEvent::Running { tid },
                TaskEvent::Sleep { tid, dur },
                TaskEvent::Wake { tid, by },
            ] {
                let aux = &mut transitions[usize::from(is_late)];
                *aux = aux.wrapping_add(1);
                write(*aux, event);
            }
        }
        assert_eq!(spiller.step().left_out, 0);
    }
    let _ = spiller.finish();
    place
}

/// The bytes of all segments, which a command reads once before it reads any record.
fn spilled_bytes(place: &Place) -> u64 {
    let dirs = std::fs::read_dir(place.path("spill")).expect("there");
    let files =
        dirs.flat_map(|dir| std::fs::read_dir(dir.expect("readable").path()).expect("there"));
    let bytes = files.map(|file| file.expect("readable").metadata().expect("there").len());
    let bytes = bytes.sum();
    assert!(bytes / 4 > BESIDES, "{bytes}");
    bytes
}

/// How many bytes the process has read, by the kernel's count; `None` when it has ended.
fn bytes_read(run: &Child) -> Option<u64> {
    let counts = std::fs::read_to_string(format!("/proc/{}/io", run.id())).ok()?;
    let line = counts.lines().find_map(|line| line.strip_prefix("rchar: "));
    line?.parse().ok()
}

/// Stops the process in the midst of the records: behind a quarter of them, and before the half. Whether that is where
/// it came to stand; else it was too fast.
fn stop_in_the_midst(run: &mut Child, spilled: u64) -> bool {
    while bytes_read(run).is_some_and(|read| read < spilled * 5 / 4) {
        if run.try_wait().expect("a child").is_some() {
            return false;
        }
        std::thread::yield_now();
    }
    if run.try_wait().expect("a child").is_some() {
        return false;
    }
    signal(run.id(), Signal::STOP);
    until("it stands, or has ended", || {
        matches!(state(run.id()), None | Some('T' | 'Z'))
    });
    // What ended is read no more.
    bytes_read(run).is_some_and(|read| (spilled * 5 / 4..spilled * 3 / 2).contains(&read))
        && run.try_wait().expect("a child").is_none()
}

/// One command at a time is on its way to where it is stopped.
static TURN: Mutex<()> = Mutex::new(());

/// A command that was stopped in the midst of the records for longer than anybody waits, and goes on. It is started anew
/// until that is where it was stopped, so that it does not matter how fast it reads.
fn held_up<T>(place: &Place, mut start: impl FnMut() -> (Child, T)) -> (Child, T) {
    let spilled = spilled_bytes(place);
    let mut found = None;
    until("it is stopped in the midst of the records", || {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut run, rest) = start();
        if stop_in_the_midst(&mut run, spilled) {
            found = Some((run, rest));
            return true;
        }
        run.kill().expect("a child");
        run.wait().expect("ended");
        false
    });
    let (run, rest) = found.expect("just seen");
    std::thread::sleep(LONG);
    signal(run.id(), Signal::CONT);
    (run, rest)
}

/// Where a command's output goes, while its errors go to a terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Output {
    Elsewhere,
    SameTerminal,
}

/// What a terminal is sent when the command is held up while it reads.
fn sent_when_held_up(place: &Place, args: &[&str], output: Output) -> String {
    let (mut run, reader) = held_up(place, || {
        let (ours, theirs) = terminal();
        // The command holds the other end as long as it is not dropped.
        let mut command = place.command(args);
        command.env("TERM", "xterm").stdout(match output {
            Output::Elsewhere => Stdio::null(),
            Output::SameTerminal => theirs.try_clone().expect("a descriptor").into(),
        });
        let run = command.stderr(theirs).spawn().expect("run");
        (run, std::thread::spawn(|| sent_to(ours)))
    });
    assert!(run.wait().expect("ended").success(), "{args:?}");
    reader.join().expect("read")
}

/// What the command says where that is no terminal, and it is held up while it reads.
fn said_when_held_up(place: &Place, args: &[&str]) -> String {
    let (run, ()) = held_up(place, || {
        let mut command = place.command(args);
        command.env("TERM", "xterm").stdout(Stdio::null());
        (command.stderr(Stdio::piped()).spawn().expect("run"), ())
    });
    let ended = run.wait_with_output().expect("ended");
    assert!(ended.status.success(), "{args:?}");
    String::from_utf8(ended.stderr).expect("text")
}

/// The hundredths that a line told which was drawn over and over, and is gone. What is lost may be told before.
fn told(sent: &str) -> Vec<u8> {
    let lines = sent.strip_suffix(GONE).expect(sent);
    let lines = lines
        .split_once("lost: nothing\r\n")
        .map_or(lines, |(_, lines)| lines);
    let lines = lines.strip_prefix("\rreading: ").expect(sent);
    let percents = lines.split("\rreading: ").map(|line| {
        let number = line.strip_suffix(" %\x1b[K").expect(sent);
        number.parse().expect(sent)
    });
    percents.collect()
}

#[test]
fn who_reads_long_is_told_how_far_it_is_on_a_terminal_and_nowhere_else() {
    let place = with_segments();
    let check = |args: &[&str]| {
        let sent = sent_when_held_up(&place, args, Output::Elsewhere);
        // Some read the log twice.
        for sent in sent.split_inclusive(GONE) {
            let percents = told(sent);
            assert!(percents.is_sorted() && percents.iter().all(|percent| *percent <= 100));
        }
        let said = said_when_held_up(&place, args);
        assert!(
            !said.contains("reading: ") && !said.contains('\x1b'),
            "{said:?}"
        );
    };
    std::thread::scope(|scope| {
        for args in [
            &["log", "spill"][..],
            &["stats", "spill"],
            &["task", "spill", "2"],
            &["why", "spill"],
            &["why", "spill", "1"],
            &["verify", "spill"],
            &["export", "spill", "--format", "chrome"],
        ] {
            scope.spawn(move || check(args));
        }
    });
}

#[test]
fn what_is_printed_while_a_log_is_read_does_not_mix_with_how_far_it_is() {
    let place = with_segments();
    // It tells of each state as it reads, from the middle on.
    let args = &["task", "spill", "3"];
    let sent = sent_when_held_up(&place, args, Output::SameTerminal);
    let (before, after) = sent.split_once(GONE).expect(&sent);
    assert!(!told(&[before, GONE].concat()).is_empty());
    assert!(!after.contains("reading: "));
    assert!(after.starts_with("spill\r\n"), "{after:.200?}");
}

/// More than are kept of those that have ended.
const BRIEF_TASKS: u64 = 70_000;

/// Segments in `spill`: task 1 spawns 2 and 3 and ends, 3 wakes 2 and ends, and 2 ends only behind many brief ones.
fn with_brief_tasks() -> Place {
    let place = Place::new();
    let log = Pal::builder().file(place.path("run.pal")).workers(1);
    let pal = log.build().expect("room for a log");
    let mut spiller = Spiller::new(&pal, Settings::new(place.path("spill"))).expect("a place");
    let ring = pal.lease(RingOwner::Worker(0));
    let write = |aux: u8, event: TaskEvent| {
        assert!(ring.write(pal.clock().now(), aux, &event));
    };
    let task = |number| TaskId::new(number).expect("in range");
    let spawn = |number, parent: Option<u64>, name| {
        let (tid, parent) = (task(number), parent.map(task));
        let site = pal.site("src/main.rs", 7, 5, Some(name));
        write(0, TaskEvent::Spawned { tid, parent, site });
        write(1, TaskEvent::Running { tid });
    };
    let [parent, child, waker] = [1, 2, 3].map(task);
    spawn(1, None, "parent");
    spawn(2, Some(1), "child");
    write(2, TaskEvent::Wait { tid: child });
    spawn(3, Some(1), "waker");
    write(2, TaskEvent::Done { tid: parent });
    let by = WakeSource::Task(waker);
    write(3, TaskEvent::Wake { tid: child, by });
    write(2, TaskEvent::Done { tid: waker });
    write(4, TaskEvent::Running { tid: child });
    write(5, TaskEvent::Wait { tid: child });
    for number in 0..BRIEF_TASKS {
        spawn(4 + number, None, "brief");
        let tid = task(4 + number);
        write(2, TaskEvent::Done { tid });
        if number % 8192 == 0 {
            assert_eq!(spiller.step().left_out, 0);
        }
    }
    let by = WakeSource::External;
    write(6, TaskEvent::Wake { tid: child, by });
    write(7, TaskEvent::Running { tid: child });
    write(8, TaskEvent::Done { tid: child });
    let _ = spiller.finish();
    place
}

#[test]
fn tasks_that_ended_long_before_are_told_by_name() {
    let place = with_brief_tasks();
    for (args, told) in [
        (
            &["task", "spill", "1"][..],
            &["#1 parent, ", "spawned 2: #2(child) #3(waker)\n"][..],
        ),
        (
            &["task", "spill", "2"],
            &[
                "by_task=#3(waker)\n",
                "#2 child, spawned at src/main.rs:7:5 by #1(parent)\n",
            ],
        ),
        (
            &["why", "spill", "2"],
            &["#2 child, spawned at ", "by #1 parent, a root since "],
        ),
        (
            &["why", "spill", "2", "--json"],
            &["\"name\":\"waker\"", "\"name\":\"child\""],
        ),
        (
            &["export", "spill", "--format", "chrome"],
            &[
                "\"name\":\"parent\"",
                "\"name\":\"waker\"",
                "\"name\":\"child\"",
            ],
        ),
    ] {
        let ended = place.run(args);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        for part in told {
            assert!(
                ended.out.contains(part),
                "{args:?}: no {part} in {:.2000}",
                ended.out
            );
        }
    }
}
