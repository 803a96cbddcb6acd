//! Owns what is told to people of who waits for whom: circles, what nothing can wake, and every wait.

use super::called;
use super::held::Holds;
use super::lasting::{last_sign, lasted};
use super::verdict::CAVEAT;
use crate::exit::Stop;
use crate::human::{self, Span};
use crate::inspect::names::Names;
use crate::out::Out;
use crate::table::{Align, Table};
use glasshouse_pal::reader::Log;
use glasshouse_pal::why::{Picture, Prospect, Reason, Waiting};
use glasshouse_pal::{TaskId, TaskState, WaysOut};
use std::collections::{HashMap, HashSet};
use std::io::Write;

/// The tasks that one section lists; of further ones the number is told.
pub const LISTED_MAX: usize = 40;
/// The tasks that are named in one line.
pub const NAMED_MAX: usize = 4;

/// What is said of tasks that a gap hides, before them and behind.
const UNSEEN: &str = "what became";
const BEHIND: &str = "is not known: a gap lies behind the last that the log tells";

/// Tells of waits.
pub struct Teller<'a, 'n, 'out> {
    pub log: &'a Log,
    pub picture: &'a Picture,
    pub names: &'out mut Names<'n>,
    /// Up to when the log speaks.
    pub until: u64,
    pub out: &'out mut Out,
}

impl<'a> Teller<'a, '_, '_> {
    /// Prints the waits of the whole process.
    ///
    /// # Errors
    ///
    /// When the output cannot be written.
    pub fn tell_all(&mut self) -> Result<(), Stop> {
        let states = &self.picture.states;
        let of = |is: fn(TaskState) -> bool| states.values().filter(|s| is(**s)).count();
        let (waiting, ready) = (self.picture.waiting.len(), of(TaskState::is_ready));
        let running = of(|state| state == TaskState::Running);
        writeln!(
            self.out,
            "of the tasks that have not ended {running} run, {ready} are ready, {waiting} wait"
        )?;
        let unseen = self.picture.unseen.len();
        if unseen > 0 {
            writeln!(self.out, "{UNSEEN} of {unseen} more {BEHIND}")?;
        }
        if let Some(last) = last_sign(self.log, self.until) {
            writeln!(self.out, "{last}")?;
        }
        let holds = Holds::of(self.log, self.until);
        self.tell_circles()?;
        self.tell_held(&holds)?;
        if self.picture.waiting.is_empty() {
            return Ok(());
        }
        self.tell_stuck()?;
        self.tell_unknown(&holds)?;
        self.tell_every_wait()
    }

    fn tell_circles(&mut self) -> Result<(), Stop> {
        let by_task = self.by_task();
        for circle in &self.picture.cycles {
            match circle.len() {
                1 => writeln!(self.out, "\na circle: it waits for itself")?,
                _ => writeln!(
                    self.out,
                    "\na circle: each waits for the next, the last for the first"
                )?,
            }
            for task in circle.iter().take(LISTED_MAX) {
                if let Some(waiting) = by_task.get(task) {
                    self.tell_wait(waiting)?;
                }
            }
            self.tell_more(circle.len())?;
        }
        Ok(())
    }

    fn tell_every_wait(&mut self) -> Result<(), Stop> {
        use Align::{Left, Right};
        let mut table = Table::new(&[("TASK", Left), ("SINCE", Right), ("WAITS FOR", Left)]);
        for waiting in self.picture.waiting.iter().take(LISTED_MAX) {
            let [task, since, reason] = self.cells(waiting);
            table.row([task, since, reason]);
        }
        writeln!(self.out, "\nevery wait, the longest first")?;
        table.print(self.out)?;
        self.tell_more(self.picture.waiting.len())
    }

    /// Prints what a task waits for, and what that waits for, and so on.
    ///
    /// # Errors
    ///
    /// When the output cannot be written.
    pub fn tell_chain(&mut self, task: TaskId) -> Result<(), Stop> {
        let by_task = self.by_task();
        writeln!(self.out, "\nwhat it waits for")?;
        let mut seen = HashSet::new();
        let mut next = Some(task);
        while let Some(task) = next.take() {
            let Some(waiting) = by_task.get(&task) else {
                let state = self.picture.states.get(&task).map(|state| state.name());
                let called = called(task, self.names);
                match self.picture.unseen.contains(&task) {
                    true => writeln!(self.out, "  {UNSEEN} of {called} {BEHIND}")?,
                    false => {
                        let state = state.unwrap_or("not alive");
                        writeln!(self.out, "  {called} is {state}")?;
                    }
                }
                break;
            };
            if !seen.insert(task) {
                writeln!(self.out, "  and so on: a circle")?;
                break;
            }
            self.tell_wait(waiting)?;
            // What ends first nobody knows.
            if seen.len() < LISTED_MAX && !waiting.ways_out.other {
                next = self.picture.awaited(waiting).last().copied();
            }
        }
        if let Some(last) = last_sign(self.log, self.until) {
            writeln!(self.out, "{last}")?;
        }
        if self.picture.prospect(task) != Some(Prospect::Stuck) {
            return Ok(());
        }
        let called = called(task, self.names);
        writeln!(self.out, "nothing that the log knows of can wake {called}")?;
        Ok(writeln!(self.out, "{CAVEAT}")?)
    }

    pub fn tell_wait(&mut self, waiting: &Waiting) -> Result<(), Stop> {
        let [task, since, reason] = self.cells(waiting);
        Ok(writeln!(self.out, "  {task}, for {since}: {reason}")?)
    }

    pub fn tell_more(&mut self, all: usize) -> Result<(), Stop> {
        match all.checked_sub(LISTED_MAX) {
            None | Some(0) => Ok(()),
            Some(more) => Ok(writeln!(self.out, "  and {more} more")?),
        }
    }

    fn by_task(&self) -> HashMap<TaskId, &'a Waiting> {
        let waiting = self.picture.waiting.iter();
        waiting.map(|waiting| (waiting.task, waiting)).collect()
    }

    /// The task, for how long it waits, and what for.
    fn cells(&mut self, waiting: &Waiting) -> [String; 3] {
        [
            placed(waiting.task, self.names),
            lasted(self.log, waiting.since, self.until),
            self.reason(waiting),
        ]
    }

    /// What it waits for, and what may end it beside that.
    fn reason(&mut self, waiting: &Waiting) -> String {
        let mut told = self.named_reason(waiting);
        let WaysOut { deadline, other } = waiting.ways_out;
        for (is_one, also) in [
            (other, ", or something else beside"),
            (deadline, ", or a deadline"),
        ] {
            if is_one {
                told += also;
            }
        }
        told
    }

    fn named_reason(&mut self, waiting: &Waiting) -> String {
        match waiting.reason {
            Reason::Deadline { dur } => match dur {
                Some(dur) => format!("sleep of {}", Span::from(dur)),
                None => "sleep".to_owned(),
            },
            Reason::Descriptor { io: Some(io) } => {
                format!("I/O: descriptor {} to {}", io.fd, io.interest.name())
            }
            Reason::Descriptor { io: None } => "I/O".to_owned(),
            Reason::Join { on: Some(on) } => {
                let ended = match self.has_ended(on) {
                    None => ", which was last seen before a gap",
                    Some(true) => ", which has ended",
                    Some(false) => "",
                };
                format!("the end of {}{ended}", placed(on, self.names))
            }
            Reason::Join { on: None } => "the end of another task; which one is lost".to_owned(),
            Reason::Function => {
                "a blocking function, on a thread of its own or queued for one".to_owned()
            }
            Reason::Request => "that others ask it to serve them".to_owned(),
            Reason::Lane { lane } => {
                let name = lane.and_then(|lane| self.log.text(lane));
                let name = name.map_or("a lane; which one is lost".to_owned(), |name| {
                    format!("lane {}", human::plain(&name))
                });
                let holders = self.picture.awaited(waiting);
                match holders.is_empty() {
                    true => name,
                    false => format!("{name}, held by {}", self.tasks(holders)),
                }
            }
            Reason::Other => format!("a wake; {}", self.wakers(waiting)),
        }
    }

    /// Whether the task has ended; `None` where a gap hides it.
    pub fn has_ended(&self, task: TaskId) -> Option<bool> {
        let is_unseen = self.picture.unseen.contains(&task);
        (!is_unseen).then(|| !self.picture.states.contains_key(&task))
    }

    /// Who woke a task before.
    fn wakers(&mut self, waiting: &Waiting) -> String {
        let wakers = &waiting.wakers;
        let outside = wakers.others.iter().map(|by| match *by {
            "external" => "a thread outside".to_owned(),
            "io" => "a descriptor".to_owned(),
            by => format!("a {by}"),
        });
        let mut parts: Vec<String> = outside.collect();
        if !wakers.tasks.is_empty() {
            parts.push(self.tasks(&wakers.tasks));
        }
        let before = match wakers.has_more {
            true => ", as far as the log reaches",
            false => "",
        };
        match parts.is_empty() {
            true => format!("nobody has woken it so far{before}"),
            false => format!("woken so far by {}{before}", parts.join(", ")),
        }
    }

    /// The newest of these tasks, which stand last, and whether they have ended.
    fn tasks(&mut self, tasks: &[TaskId]) -> String {
        let mut told: Vec<String> = Vec::new();
        for task in tasks.iter().rev().take(NAMED_MAX) {
            let ended = match self.has_ended(*task) {
                None => " (last seen before a gap)",
                Some(true) => " (ended)",
                Some(false) => "",
            };
            told.push(placed(*task, self.names) + ended);
        }
        if tasks.len() > NAMED_MAX {
            told.push(format!("{} more", tasks.len() - NAMED_MAX));
        }
        told.join(", ")
    }
}

/// A task as [`called`], and of one without a name where it was spawned.
fn placed(task: TaskId, names: &mut Names<'_>) -> String {
    let called = called(task, names);
    match names.of_task(task) {
        Some(site) if site.name.is_none() => {
            format!("{called} ({})", human::plain(&site.to_string()))
        }
        _ => called,
    }
}
