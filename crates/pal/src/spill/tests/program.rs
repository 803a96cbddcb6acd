//! Random programs: tasks that live by the rules of a task's life, on several rings.

use crate::domain::{DomainEvent, Field, FieldType, KindSpec, Value};
use crate::{
    Failure, FailureKind, Interest, IoTarget, Pal, RingOwner, RingWriter, TaskEvent, TaskId,
    WakeSource,
};
use std::time::Duration;

static BREWED: KindSpec = KindSpec::new(
    200,
    "brewed",
    &[
        Field::new("cups", FieldType::U64),
        Field::new("kind", FieldType::Text),
        Field::new("took_ns", FieldType::Ns),
        Field::new("for", FieldType::Task),
        Field::new("where", FieldType::Text),
    ],
);

/// A random number below a bound, from a seed.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        // Knuth's constants for 64 bits.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

struct Task {
    tid: TaskId,
    aux: u8,
    is_waiting: bool,
}

/// What a random program has come to.
pub(super) struct Program {
    pal: Pal,
    rings: Vec<RingWriter>,
    tasks: Vec<Task>,
    dice: Dice,
    stamp: u64,
    next: u64,
    is_punctual: bool,
}

impl Program {
    pub(super) fn new(pal: &Pal, rings: u16, seed: u64) -> Program {
        let owner = |number| match number {
            0 => RingOwner::External,
            number => RingOwner::Worker(number - 1),
        };
        Program {
            rings: (0..rings).map(|number| pal.lease(owner(number))).collect(),
            pal: pal.clone(),
            tasks: Vec::new(),
            dice: Dice(seed),
            stamp: 0,
            next: 0,
            is_punctual: false,
        }
    }

    /// The last stamp.
    pub(super) fn stamp(&self) -> u64 {
        self.stamp
    }

    /// The same with tasks whose numbers are greater than this.
    pub(super) fn above(self, next: u64) -> Program {
        Program { next, ..self }
    }

    /// The same without records that come late.
    pub(super) fn punctual(self) -> Program {
        Program {
            is_punctual: true,
            ..self
        }
    }

    /// So many events, at the present.
    pub(super) fn run(&mut self, events: u64) {
        for _ in 0..events {
            self.stamp = self.stamp.max(self.pal.clock().now());
            self.event();
        }
    }

    fn event(&mut self) {
        let stamp = self.stamp;
        let ring = self.dice.below(self.rings.len() as u64) as usize;
        if self.tasks.is_empty() || self.dice.below(20) == 0 {
            return self.spawn(ring, stamp);
        }
        if self.dice.below(25) == 0 {
            return self.domain(ring, stamp);
        }
        let index = self.dice.below(self.tasks.len() as u64) as usize;
        let (tid, is_waiting) = (self.tasks[index].tid, self.tasks[index].is_waiting);
        if is_waiting {
            let by = self.source();
            self.tasks[index].is_waiting = false;
            return self.write(ring, stamp, index, TaskEvent::Wake { tid, by });
        }
        self.write(ring, stamp, index, TaskEvent::Running { tid });
        let ring = self.dice.below(self.rings.len() as u64) as usize;
        let left = self.left(tid);
        self.tasks[index].is_waiting = left.state().is_some_and(|state| state.is_waiting());
        self.write(ring, stamp, index, left);
        if left.state().is_some_and(|state| state.is_end()) {
            self.tasks.swap_remove(index);
        }
    }

    fn spawn(&mut self, ring: usize, stamp: u64) {
        self.next += 1 + self.dice.below(3);
        let tid = TaskId::new(self.next).expect("in range");
        let line = self.dice.below(30) as u32;
        let name = format!("name {}", self.dice.below(9));
        let site = self.pal.site(
            "src/main.rs",
            line,
            1,
            Some(&name)
                .filter(|_| line.is_multiple_of(2))
                .map(|name| &**name),
        );
        let parent = self
            .tasks
            .first()
            .map(|task| task.tid)
            .filter(|_| line.is_multiple_of(3));
        self.tasks.push(Task {
            tid,
            aux: u8::MAX,
            is_waiting: false,
        });
        let index = self.tasks.len() - 1;
        self.write(ring, stamp, index, TaskEvent::Spawned { tid, parent, site });
    }

    fn domain(&mut self, ring: usize, stamp: u64) {
        let text = |n: u64| self.pal.text(&format!("text {n}"));
        let values = [
            Value::U64(stamp),
            Value::Text(text(stamp % 13)),
            Value::Ns(77),
            Value::Task(TaskId::new(3)),
            Value::Text(text(stamp % 5)),
        ];
        let event = DomainEvent::new(&BREWED, &values).about(TaskId::new(3).expect("in range"));
        self.rings[ring].write_domain(stamp, &event);
    }

    fn source(&mut self) -> WakeSource {
        match self.dice.below(4) {
            0 => WakeSource::Timer,
            1 => WakeSource::Io,
            2 => WakeSource::External,
            _ => WakeSource::Task(self.tasks[0].tid),
        }
    }

    fn left(&mut self, tid: TaskId) -> TaskEvent {
        let by = self.source();
        match self.dice.below(9) {
            0 => TaskEvent::Done { tid },
            1 => TaskEvent::Failed {
                tid,
                error: Failure {
                    kind: FailureKind::Panic,
                    text: self.pal.text(&format!("error {}", self.dice.below(7))),
                },
            },
            2 => TaskEvent::Sleep {
                tid,
                dur: Duration::from_nanos(1_000_000 + self.dice.below(5000)),
            },
            3 => TaskEvent::LaneWait {
                tid,
                lane: self.pal.text("disk"),
            },
            4 => TaskEvent::IoWait {
                tid,
                io: IoTarget {
                    fd: 9,
                    interest: Interest::Read,
                },
            },
            5 => TaskEvent::Wait { tid },
            6 => TaskEvent::Throttled { tid, by },
            _ => TaskEvent::Yield { tid, by },
        }
    }

    fn write(&mut self, ring: usize, stamp: u64, index: usize, event: TaskEvent) {
        let task = &mut self.tasks[index];
        task.aux = task.aux.wrapping_add(1);
        // Like a thread's without a ring, some come late: with a stamp of the past.
        let late = match self.dice.below(50) {
            0 if !self.is_punctual && matches!(event, TaskEvent::Spawned { .. }) => {
                stamp.saturating_sub(100_000)
            }
            _ => stamp,
        };
        self.rings[ring].write(late, task.aux, &event);
    }
}
