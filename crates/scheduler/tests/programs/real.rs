//! Runs a program on a scheduler, and notes how each task ended and when.

use crate::program::{
    ABORT_OFFSET, CLOSED, Child, DEADLINE_OFFSET, ELAPSED, Fate, Op, Outcome, Peer, UNIT, mix,
    verdict,
};
use async_channel::{Receiver, Sender, bounded};
use glasshouse_scheduler::{
    JoinError, JoinHandle, spawn, spawn_blocking, spawn_system, task, time,
};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How the tasks of a program ended.
#[derive(Clone)]
pub struct Ends {
    begun: time::Instant,
    /// Whether tasks wait for whole units: in virtual time only.
    is_virtual: bool,
    tasks: Arc<Mutex<Tasks>>,
    /// Something changed. Lossy: who listens looks at the tasks.
    changed: Sender<()>,
}

#[derive(Default)]
struct Tasks {
    begun: usize,
    steps: usize,
    ends: BTreeMap<String, (Outcome, Duration)>,
}

impl Ends {
    /// From within the scheduler. What is given along hears of every change.
    pub fn new(is_virtual: bool) -> (Ends, Receiver<()>) {
        let (changed, listen) = bounded(1);
        let ends = Ends {
            begun: time::Instant::now(),
            is_virtual,
            tasks: Arc::default(),
            changed,
        };
        (ends, listen)
    }

    /// What has ended.
    pub fn all(&self) -> BTreeMap<String, (Outcome, Duration)> {
        self.tasks.lock().unwrap().ends.clone()
    }

    /// How many tasks were begun.
    pub fn begun(&self) -> usize {
        self.tasks.lock().unwrap().begun
    }

    /// How many operations were done, and how many tasks have ended.
    pub fn progress(&self) -> (usize, usize) {
        let tasks = self.tasks.lock().unwrap();
        (tasks.steps, tasks.ends.len())
    }

    fn note_step(&self) {
        self.tasks.lock().unwrap().steps += 1;
        let _ = self.changed.try_send(());
    }

    /// A task is about to be spawned.
    fn expect(&self, label: String) -> Ending {
        self.tasks.lock().unwrap().begun += 1;
        Ending {
            label,
            result: None,
            ends: self.clone(),
        }
    }

    async fn align(&self) {
        let past = self.begun.elapsed().as_nanos();
        let rest = past.next_multiple_of(UNIT.as_nanos()) - past;
        if self.is_virtual && rest > 0 {
            time::sleep(Duration::from_nanos(rest as u64)).await;
        }
    }
}

/// Notes the end of its task when it is dropped with the task's future.
struct Ending {
    label: String,
    result: Option<u64>,
    ends: Ends,
}

impl Ending {
    fn done(&mut self, result: u64) -> u64 {
        self.result = Some(result);
        result
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let outcome = match self.result {
            Some(result) => Outcome::Done(result),
            None if std::thread::panicking() => Outcome::Panicked,
            None => Outcome::Cancelled,
        };
        let end = (outcome, self.ends.begun.elapsed());
        let mut tasks = self.ends.tasks.lock().unwrap();
        let before = tasks.ends.insert(self.label.clone(), end);
        assert!(before.is_none(), "{} ends once", self.label);
        let _ = self.ends.changed.try_send(());
    }
}

/// One side of the two channels between a parent and its child.
struct Line {
    send: Sender<u64>,
    receive: Receiver<u64>,
}

struct Kin {
    line: Option<Line>,
    handle: Option<JoinHandle<u64>>,
}

fn outcome(joined: Result<u64, JoinError>) -> Outcome {
    match joined {
        Ok(value) => Outcome::Done(value),
        Err(error) if error.is_panic() => Outcome::Panicked,
        Err(error) => {
            assert!(error.is_cancelled(), "{error}");
            Outcome::Cancelled
        }
    }
}

/// Spawns a program's first task.
pub fn start(program: &[Op], ends: &Ends) -> JoinHandle<u64> {
    spawn(begin("0".to_owned(), program.to_vec(), None, ends.clone()))
}

type Running = Pin<Box<dyn Future<Output = u64> + Send>>;

fn begin(label: String, body: Vec<Op>, parent: Option<Line>, ends: Ends) -> Running {
    // Outside of the future, so that the end of one that never ran is noted too.
    let mut ending = ends.expect(label.clone());
    Box::pin(async move {
        let mut actor = Actor {
            label,
            sum: 1,
            parent,
            children: Vec::new(),
            ends,
        };
        for op in &body {
            actor.act(op).await;
            actor.ends.note_step();
            actor.ends.align().await;
        }
        ending.done(actor.sum)
    })
}

struct Actor {
    label: String,
    sum: u64,
    parent: Option<Line>,
    children: Vec<Kin>,
    ends: Ends,
}

impl Actor {
    fn see(&mut self, seen: u64) {
        self.sum = mix(self.sum, seen);
    }

    async fn act(&mut self, op: &Op) {
        match *op {
            Op::Yield => task::yield_now().await,
            Op::Sleep(units) => time::sleep(UNIT * units).await,
            // Without the panic hook, which would print.
            Op::Panic => std::panic::resume_unwind(Box::new("as the program says")),
            Op::Blocking => {
                let seen = spawn_blocking(|| 13).await.unwrap();
                self.see(seen);
            }
            Op::Spawn(ref child) => self.spawn(child),
            Op::Join(child) => self.join(child, None).await,
            Op::TimedJoin(child, units) => self.join(child, Some(units)).await,
            Op::Send(peer) => {
                let sum = self.sum;
                if let Some(line) = self.line(peer).and_then(|line| line.as_ref()) {
                    let _ = line.send.send(sum).await;
                }
            }
            Op::Recv(peer) => self.receive(peer, None).await,
            Op::TimedRecv(peer, units) => self.receive(peer, Some(units)).await,
            Op::HangUp(peer) => drop(self.line(peer).and_then(Option::take)),
        }
    }

    fn line(&mut self, peer: Peer) -> Option<&mut Option<Line>> {
        match peer {
            Peer::Parent => Some(&mut self.parent),
            Peer::Child(child) => {
                let number = child.checked_rem(self.children.len())?;
                Some(&mut self.children[number].line)
            }
        }
    }

    fn spawn(&mut self, child: &Child) {
        let label = format!("{}.{}", self.label, self.children.len());
        let (up, from_child) = bounded(child.capacity);
        let (down, from_parent) = bounded(child.capacity);
        let childs = Line {
            send: up,
            receive: from_parent,
        };
        let future = begin(
            label.clone(),
            child.body.clone(),
            Some(childs),
            self.ends.clone(),
        );
        let handle = match child.is_system {
            true => spawn_system(future),
            false => spawn(future),
        };
        let handle = match child.fate {
            Fate::Kept => Some(handle),
            Fate::Dropped => None,
            Fate::AbortedAtOnce => {
                handle.abort();
                Some(handle)
            }
            Fate::Doomed(units) => Some(self.doom(&label, handle, units)),
        };
        self.children.push(Kin {
            line: Some(Line {
                send: down,
                receive: from_child,
            }),
            handle,
        });
    }

    fn doom(&self, label: &str, victim: JoinHandle<u64>, units: u32) -> JoinHandle<u64> {
        let mut ending = self.ends.expect(format!("{label} reaper"));
        spawn(async move {
            time::sleep(UNIT * units + ABORT_OFFSET).await;
            victim.abort();
            let result = verdict(outcome(victim.await));
            ending.done(result)
        })
    }

    async fn join(&mut self, child: usize, units: Option<u32>) {
        let Some(number) = child.checked_rem(self.children.len()) else {
            return;
        };
        let place = &mut self.children[number].handle;
        let Some(handle) = place else {
            return;
        };
        let joined = match units {
            None => Ok(handle.await),
            Some(units) => time::timeout(UNIT * units + DEADLINE_OFFSET, handle).await,
        };
        match joined {
            Ok(result) => {
                *place = None;
                self.see(verdict(outcome(result)));
            }
            Err(_elapsed) => self.see(ELAPSED),
        }
    }

    async fn receive(&mut self, peer: Peer, units: Option<u32>) {
        let Some(Some(line)) = self.line(peer) else {
            return;
        };
        let receive = line.receive.recv();
        let received = match units {
            None => Ok(receive.await),
            Some(units) => time::timeout(UNIT * units + DEADLINE_OFFSET, receive).await,
        };
        self.see(match received {
            Ok(Ok(value)) => value,
            Ok(Err(_closed)) => CLOSED,
            Err(_elapsed) => ELAPSED,
        });
    }
}
