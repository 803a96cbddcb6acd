//! The reference: what must come of a program, worked out without a scheduler.
//!
//! A moment is played until nothing moves any more, then time jumps to the next one. The order within a moment
//! is arbitrary, as programs do not depend on it.

use crate::program::{
    ABORT_OFFSET, CLOSED, Child, DEADLINE_OFFSET, ELAPSED, Fate, HORIZON, Op, Outcome, Peer, UNIT,
    mix, verdict,
};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// What comes of a program.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Prediction {
    /// How each task ended, and when, by its place in the tree.
    pub ends: BTreeMap<String, (Outcome, Duration)>,
    /// Sleeps of whole units that were begun. How many fractions were is not predicted: at the moment of an abort
    /// a task may come to wait for the next unit, or be aborted before it does.
    pub sleeps: usize,
    /// Operations that were done.
    pub steps: usize,
    /// Functions that ran as blocking ones.
    pub blocking: usize,
    /// A wait for a task was given up: that task's end may wake its old joiner out of a sleep, which it then
    /// begins again.
    pub gave_up_a_join: bool,
}

#[derive(Default)]
struct Channel {
    values: VecDeque<u64>,
    capacity: usize,
    has_sender: bool,
    has_receiver: bool,
}

/// One side of the two channels between a parent and its child.
#[derive(Clone, Copy)]
struct Line {
    send: usize,
    receive: usize,
}

struct Task {
    label: String,
    body: Body,
    at: usize,
    sum: u64,
    wait: Wait,
    parent: Option<Line>,
    children: Vec<Kin>,
    end: Option<Outcome>,
}

enum Body {
    Ops(Vec<Op>),
    /// Aborts a task at a moment, and gives its result.
    Reaper {
        victim: usize,
        at: Duration,
    },
}

struct Kin {
    line: Option<Line>,
    /// The task whose result the handle gives.
    handle: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    Nothing,
    /// Then it goes on.
    Until(Duration),
    /// For what its operation needs, until then at most.
    Blocked(Option<Duration>),
}

/// What an operation came to.
enum Step {
    Done,
    /// It sleeps, and is done then.
    Sleep(Duration),
    /// It cannot go on; it gives up at the deadline.
    Blocked(Option<Duration>),
    Panic,
}

struct World {
    now: Duration,
    tasks: Vec<Task>,
    channels: Vec<Channel>,
    prediction: Prediction,
}

pub fn predict(program: &[Op]) -> Prediction {
    let mut world = World {
        now: Duration::ZERO,
        tasks: Vec::new(),
        channels: Vec::new(),
        prediction: Prediction::default(),
    };
    world.add("0".to_owned(), Body::Ops(program.to_vec()), None);
    loop {
        while (0..world.tasks.len()).any(|task| world.play(task)) {}
        match world.next_moment() {
            Some(next) if next < HORIZON => world.now = next,
            _ => break,
        }
    }
    world.now = HORIZON;
    for task in 0..world.tasks.len() {
        if world.tasks[task].end.is_none() {
            world.end(task, Outcome::Cancelled);
        }
    }
    world.prediction
}

impl World {
    fn add(&mut self, label: String, body: Body, parent: Option<Line>) -> usize {
        self.tasks.push(Task {
            label,
            body,
            at: 0,
            sum: 1,
            wait: Wait::Nothing,
            parent,
            children: Vec::new(),
            end: None,
        });
        self.tasks.len() - 1
    }

    fn next_moment(&self) -> Option<Duration> {
        let alive = self.tasks.iter().filter(|task| task.end.is_none());
        alive
            .filter_map(|task| match task.wait {
                Wait::Until(moment) => Some(moment),
                Wait::Blocked(deadline) => deadline,
                Wait::Nothing => None,
            })
            .filter(|&moment| moment > self.now)
            .min()
    }

    fn end(&mut self, task: usize, outcome: Outcome) {
        let ended = &mut self.tasks[task];
        ended.end = Some(outcome);
        let lines: Vec<Line> = ended
            .children
            .drain(..)
            .filter_map(|kin| kin.line)
            .chain(ended.parent.take())
            .collect();
        let label = ended.label.clone();
        lines.into_iter().for_each(|line| self.hang_up(line));
        self.prediction.ends.insert(label, (outcome, self.now));
    }

    fn hang_up(&mut self, line: Line) {
        self.channels[line.send].has_sender = false;
        self.channels[line.receive].has_receiver = false;
    }

    /// Lets a task go on as far as it can. Whether it moved.
    fn play(&mut self, task: usize) -> bool {
        if self.tasks[task].end.is_some() {
            return false;
        }
        if let Wait::Until(moment) = self.tasks[task].wait {
            if moment > self.now {
                return false;
            }
            self.tasks[task].wait = Wait::Nothing;
        }
        let mut moved = false;
        loop {
            let op = match &self.tasks[task].body {
                Body::Reaper { victim, at } => {
                    let (victim, at) = (*victim, *at);
                    return self.reap(task, victim, at);
                }
                Body::Ops(ops) => ops.get(self.tasks[task].at).cloned(),
            };
            let Some(op) = op else {
                self.end(task, Outcome::Done(self.tasks[task].sum));
                return true;
            };
            match self.step(task, &op) {
                Step::Blocked(deadline) => {
                    self.tasks[task].wait = Wait::Blocked(deadline);
                    return moved;
                }
                Step::Panic => {
                    self.end(task, Outcome::Panicked);
                    return true;
                }
                Step::Done => self.tasks[task].wait = Wait::Nothing,
                Step::Sleep(time) => {
                    self.tasks[task].wait = Wait::Until(self.now + time);
                    self.prediction.sleeps += 1;
                }
            }
            moved = true;
            self.tasks[task].at += 1;
            self.prediction.steps += 1;
            self.align(task);
            if self.tasks[task].wait != Wait::Nothing {
                return true;
            }
        }
    }

    /// What a task does next happens at a whole unit.
    fn align(&mut self, task: usize) {
        let whole = self.now.as_nanos().next_multiple_of(UNIT.as_nanos());
        let whole = Duration::from_nanos(whole as u64);
        if self.tasks[task].wait == Wait::Nothing && whole > self.now {
            self.tasks[task].wait = Wait::Until(whole);
        }
    }

    fn reap(&mut self, task: usize, victim: usize, at: Duration) -> bool {
        if self.now < at {
            self.tasks[task].wait = Wait::Until(at);
            return true;
        }
        if self.tasks[victim].end.is_none() {
            self.end(victim, Outcome::Cancelled);
        }
        let result = self.tasks[victim].end.map_or(0, verdict);
        self.end(task, Outcome::Done(result));
        true
    }

    fn see(&mut self, task: usize, seen: u64) -> Step {
        let sum = &mut self.tasks[task].sum;
        *sum = mix(*sum, seen);
        Step::Done
    }

    fn step(&mut self, task: usize, op: &Op) -> Step {
        match *op {
            Op::Yield | Op::Sleep(0) => Step::Done,
            Op::Sleep(units) => Step::Sleep(UNIT * units),
            Op::Panic => Step::Panic,
            Op::Blocking => {
                self.prediction.blocking += 1;
                self.see(task, 13)
            }
            Op::Spawn(ref child) => self.spawn(task, child),
            Op::Join(child) => self.join(task, child, None),
            Op::TimedJoin(child, units) => self.join(task, child, Some(units)),
            Op::Send(peer) => self.send(task, peer),
            Op::Recv(peer) => self.receive(task, peer, None),
            Op::TimedRecv(peer, units) => self.receive(task, peer, Some(units)),
            Op::HangUp(peer) => {
                let line = self.line(task, peer).and_then(Option::take);
                if let Some(line) = line {
                    self.hang_up(line);
                }
                Step::Done
            }
        }
    }

    fn spawn(&mut self, task: usize, child: &Child) -> Step {
        let number = self.tasks[task].children.len();
        let label = format!("{}.{number}", self.tasks[task].label);
        let first = self.channels.len();
        for _ in 0..2 {
            self.channels.push(Channel {
                capacity: child.capacity,
                has_sender: true,
                has_receiver: true,
                ..Channel::default()
            });
        }
        let (up, down) = (first, first + 1);
        let childs = Line {
            send: up,
            receive: down,
        };
        let spawned = self.add(label.clone(), Body::Ops(child.body.clone()), Some(childs));
        let handle = match child.fate {
            Fate::Kept => Some(spawned),
            Fate::Dropped => None,
            Fate::AbortedAtOnce => {
                self.end(spawned, Outcome::Cancelled);
                Some(spawned)
            }
            Fate::Doomed(units) => {
                let reaper = Body::Reaper {
                    victim: spawned,
                    at: self.now + UNIT * units + ABORT_OFFSET,
                };
                Some(self.add(format!("{label} reaper"), reaper, None))
            }
        };
        self.tasks[task].children.push(Kin {
            line: Some(Line {
                send: down,
                receive: up,
            }),
            handle,
        });
        Step::Done
    }

    /// The deadline of the operation that a task is in, or about to be in.
    fn deadline(&self, task: usize, units: Option<u32>) -> Option<Duration> {
        match self.tasks[task].wait {
            Wait::Blocked(deadline) => deadline,
            _ => units.map(|units| self.now + UNIT * units + DEADLINE_OFFSET),
        }
    }

    fn join(&mut self, task: usize, child: usize, units: Option<u32>) -> Step {
        let children = &self.tasks[task].children;
        let Some(number) = child.checked_rem(children.len()) else {
            return Step::Done;
        };
        let Some(joined) = children[number].handle else {
            return Step::Done;
        };
        if let Some(outcome) = self.tasks[joined].end {
            self.tasks[task].children[number].handle = None;
            return self.see(task, verdict(outcome));
        }
        let deadline = self.deadline(task, units);
        if deadline.is_some_and(|deadline| deadline <= self.now) {
            self.prediction.gave_up_a_join = true;
            return self.see(task, ELAPSED);
        }
        Step::Blocked(deadline)
    }

    fn line(&mut self, task: usize, peer: Peer) -> Option<&mut Option<Line>> {
        let task = &mut self.tasks[task];
        match peer {
            Peer::Parent => Some(&mut task.parent),
            Peer::Child(child) => {
                let number = child.checked_rem(task.children.len())?;
                Some(&mut task.children[number].line)
            }
        }
    }

    fn send(&mut self, task: usize, peer: Peer) -> Step {
        let Some(line) = self.line(task, peer).and_then(|line| *line) else {
            return Step::Done;
        };
        let sum = self.tasks[task].sum;
        let channel = &mut self.channels[line.send];
        if channel.has_receiver {
            if channel.values.len() == channel.capacity {
                return Step::Blocked(None);
            }
            channel.values.push_back(sum);
        }
        Step::Done
    }

    fn receive(&mut self, task: usize, peer: Peer, units: Option<u32>) -> Step {
        let Some(line) = self.line(task, peer).and_then(|line| *line) else {
            return Step::Done;
        };
        let channel = &mut self.channels[line.receive];
        if let Some(value) = channel.values.pop_front() {
            return self.see(task, value);
        }
        if !channel.has_sender {
            return self.see(task, CLOSED);
        }
        let deadline = self.deadline(task, units);
        if deadline.is_some_and(|deadline| deadline <= self.now) {
            return self.see(task, ELAPSED);
        }
        Step::Blocked(deadline)
    }
}
