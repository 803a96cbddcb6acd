//! Owns the judgement of what a process left: the log against the witness, and against its own words.

use crate::program::{ANCHORS, BEAT};
use crate::witness::{THREADS, Witness};
use glasshouse::pal::reader::{Log, RingId};
use glasshouse::pal::verify::verify;
use glasshouse::pal::{Event, Lifecycle, TaskRow, WakeSource};
use std::collections::HashMap;
use std::path::Path;

/// What was seen of one ending, beyond that everything holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// Events read back.
    pub records: u64,
    /// Stamped beats that were asked for, and found.
    pub stamped: u64,
    /// Rows of the task table.
    pub tasks: u64,
    /// Rings that had begun to overwrite themselves.
    pub wrapped: u64,
    /// Slots that were torn: caught while their record was written.
    pub torn: u64,
    /// Steps of tasks that were half done.
    pub half_done: u64,
}

impl Seen {
    /// The two together.
    pub fn and(self, other: Seen) -> Seen {
        Seen {
            records: self.records + other.records,
            stamped: self.stamped + other.stamped,
            tasks: self.tasks + other.tasks,
            wrapped: self.wrapped + other.wrapped,
            torn: self.torn + other.torn,
            half_done: self.half_done + other.half_done,
        }
    }
}

/// Judges the log of a process that has ended; says what does not hold.
///
/// # Panics
/// When anything does not.
pub fn judge(path: &Path, witness: Witness, lifecycle: Lifecycle) -> Seen {
    let log = Log::open(path).expect("a log");
    assert!(!log.is_alive() && log.is_crash_safe());
    assert_eq!(log.lifecycle(), lifecycle);
    let report = verify(&log);
    assert!(report.holds(), "{report:#?}");
    let (wrapped, torn) = judge_rings(&log);
    Seen {
        records: report.records,
        stamped: judge_beats(&log, witness),
        tasks: judge_tasks(&log),
        wrapped,
        torn,
        half_done: report.half_done,
    }
}

/// How many rings have wrapped, and how many slots are torn: one a ring at most.
fn judge_rings(log: &Log) -> (u64, u64) {
    let loss = log.loss();
    let rings: HashMap<RingId, u64> = log
        .rings()
        .iter()
        .map(|ring| (ring.id, ring.capacity))
        .collect();
    let (mut wrapped, mut torn) = (0, 0);
    for ring in &loss.rings {
        let replaced = ring.newest_seq.saturating_sub(rings[&ring.ring]);
        let holes = ring.overwritten - replaced;
        assert!(holes <= 1, "ring {}: {holes} slots are torn", ring.ring);
        wrapped += u64::from(replaced > 0);
        torn += holes;
    }
    assert_eq!((&loss.unwritten[..], loss.damaged_rings), (&[][..], 0));
    (wrapped, torn)
}

/// Every beat from the oldest that its ring still holds to the last that was stamped is there, one by one.
fn judge_beats(log: &Log, witness: Witness) -> u64 {
    let mut found: HashMap<u64, Vec<u64>> = HashMap::new();
    for entry in log.records() {
        if let Event::Domain(event) = &entry.event
            && event.kind() == BEAT.kind
        {
            let [thread, number] = event.args() else {
                panic!("a beat with other fields: {event:?}");
            };
            found.entry(*thread).or_default().push(*number);
        }
    }
    let is_wrapped = log.horizon().is_some();
    let mut stamped_total = 0;
    for thread in 0..THREADS {
        let stamped = witness.stamped(thread);
        let beats = found.remove(&(thread as u64)).unwrap_or_default();
        let (first, last) = match (beats.first(), beats.last()) {
            (Some(first), Some(last)) => (*first, *last),
            _ => {
                assert_eq!(stamped, 0, "thread {thread} stamped, and recorded nothing");
                continue;
            }
        };
        let expected: Vec<u64> = (first..=last).collect();
        assert!(
            beats == expected,
            "thread {thread}: beats are missing between {first} and {last}"
        );
        assert!(
            is_wrapped || first == 1,
            "thread {thread}: nothing was overwritten, and beat 1 is gone"
        );
        // The beat after the stamp may be there: the process ended between the two.
        assert!(
            last == stamped || last == stamped + 1,
            "thread {thread}: beat {stamped} was stamped, {last} is the last in the log"
        );
        stamped_total += stamped.saturating_sub(first - 1);
    }
    assert!(
        found.is_empty(),
        "beats of threads that there are not: {found:?}"
    );
    stamped_total
}

/// The task table names every task with its state, where it was spawned, and who woke it last.
fn judge_tasks(log: &Log) -> u64 {
    let mut anchors: HashMap<String, TaskRow> = HashMap::new();
    let mut count = 0;
    for row in log.tasks() {
        count += 1;
        assert!(row.state.is_some(), "{row:?}");
        let site = log
            .site(row.site)
            .unwrap_or_else(|| panic!("no spawn site: {row:?}"));
        assert!(
            site.file.ends_with("tests/survive/program.rs") && site.line > 0,
            "{site:?}"
        );
        if let Some(name) = site.name {
            anchors.insert(name, row);
        }
    }
    let anchor = |sort: &str, number: usize| {
        let name = format!("{sort}-{number}");
        *anchors
            .get(&name)
            .unwrap_or_else(|| panic!("{name} is not in the task table"))
    };
    for number in 0..ANCHORS {
        let [ping, pong] = ["ping", "pong"].map(|sort| anchor(sort, number));
        woken(&ping, WakeSource::Task(pong.id));
        woken(&pong, WakeSource::Task(ping.id));
        woken(&anchor("sleeper", number), WakeSource::Timer);
        woken(&anchor("called", number), WakeSource::External);
    }
    count
}

/// A task that ran twice was woken in between.
fn woken(row: &TaskRow, by: WakeSource) {
    let expected = Some(by);
    assert!(
        row.waker == expected || row.polls < 2,
        "not woken by {by:?}: {row:?}"
    );
}
