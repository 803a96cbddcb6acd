//! Owns the verdict on a process: what holds its workers, what nothing can wake, and of what that is not known.

use super::called;
use super::held::{self, Holds};
use super::waits::{LISTED_MAX, NAMED_MAX, Teller};
use crate::exit::Stop;
use glasshouse_pal::why::{Prospect, Reason, Waiting, Wakers};
use glasshouse_pal::{TaskId, TextId};
use std::collections::HashSet;
use std::io::Write;

/// What a reader must know before believing that a task is stuck: the log is no proof.
pub const CAVEAT: &str = "\
That is what the log shows. Who leaves no trace before could still end a wait:
another thread, a task that never did so or was handed a lane's permit, or what
the task awaits beside that and its last poll did not come to.";

impl<'a> Teller<'a, '_, '_> {
    pub fn tell_held(&mut self, holds: &Holds) -> Result<(), Stop> {
        if holds.held.is_empty() {
            return Ok(());
        }
        writeln!(
            self.out,
            "\na tick that has not come to its end holds its worker"
        )?;
        for held in holds.held.iter().take(LISTED_MAX) {
            let line = held::told(self.log, held, self.until, self.names);
            writeln!(self.out, "  {line}")?;
        }
        self.tell_more(holds.held.len())?;
        match holds.is_no_worker_free {
            true => Ok(writeln!(
                self.out,
                "no worker is free: what is ready or becomes so does not run until then"
            )?),
            false => Ok(()),
        }
    }

    pub fn tell_stuck(&mut self) -> Result<(), Stop> {
        let circles: HashSet<TaskId> = self.picture.cycles.iter().flatten().copied().collect();
        let stuck = self.of_prospect(Prospect::Stuck);
        if stuck.is_empty() {
            return Ok(());
        }
        let others: Vec<&Waiting> = stuck
            .iter()
            .copied()
            .filter(|waiting| !circles.contains(&waiting.task))
            .collect();
        if !others.is_empty() {
            writeln!(self.out, "\nnothing that the log knows of can wake")?;
            for waiting in others.iter().take(LISTED_MAX) {
                self.tell_wait(waiting)?;
            }
            self.tell_more(others.len())?;
        }
        if self.hangs_as_a_whole() {
            let upkeep = self.but_for_upkeep();
            writeln!(
                self.out,
                "\nthe whole process hangs: no task runs, is ready, sleeps, or waits for I/O\n\
                 or a blocking function{upkeep}"
            )?;
        }
        Ok(writeln!(self.out, "{CAVEAT}")?)
    }

    /// Says of what it is not known whether it can end; that nothing hangs only where that is known.
    pub fn tell_unknown(&mut self, holds: &Holds) -> Result<(), Stop> {
        let is_none_stuck = self.of_prospect(Prospect::Stuck).is_empty() && holds.held.is_empty();
        let unknown = self.of_prospect(Prospect::Unknown);
        if unknown.is_empty() {
            return match is_none_stuck {
                true => Ok(writeln!(
                    self.out,
                    "\nnone hangs by what the log knows: each wait can end by a deadline, a descriptor,\n\
                     a blocking function, a task that can act, or as such a wait of it ended before"
                )?),
                false => Ok(()),
            };
        }
        let heading = match is_none_stuck {
            true => "none is known to hang; of some waits the log does not tell who can end them",
            false => "of some waits the log does not tell who can end them",
        };
        writeln!(self.out, "\n{heading}")?;
        let left_lanes = self.left_lanes();
        let is_left = |waiting: &&Waiting| match waiting.reason {
            Reason::Lane { lane } => lane.is_some_and(|lane| left_lanes.contains(&lane)),
            _ => false,
        };
        let (left, unknown): (Vec<_>, Vec<_>) = unknown.into_iter().partition(is_left);
        for waiting in left.iter().take(LISTED_MAX) {
            self.tell_wait(waiting)?;
        }
        self.tell_more(left.len())?;
        if !left.is_empty() {
            writeln!(self.out, "  they hang unless a task was handed the permit")?;
        }
        let horizon = self.log.horizon().unwrap_or(0);
        let is_old = |waiting: &&Waiting| waiting.since < horizon || lacks_whom(waiting.reason);
        let (old, unknown): (Vec<_>, Vec<_>) = unknown.into_iter().partition(is_old);
        let is_first = |waiting: &&Waiting| {
            waiting.reason == Reason::Other && waiting.wakers == Wakers::default()
        };
        let (first, unknown): (Vec<_>, Vec<_>) = unknown.into_iter().partition(is_first);
        let is_of_set = |waiting: &&Waiting| waiting.ways_out.other;
        let (sets, rest): (Vec<_>, Vec<_>) = unknown.into_iter().partition(is_of_set);
        let began = match horizon {
            0 => "left no record",
            _ => "began before the oldest record",
        };
        let lost = format!("{began}: whom they wait for is lost");
        self.tell_count(&old, &lost)?;
        self.tell_count(&first, "of tasks that nobody has woken so far")?;
        self.tell_count(&sets, "for whichever of some ends first: the log names one")?;
        self.tell_count(
            &rest,
            "behind those, or behind a task of which older records told",
        )?;
        match left.is_empty() && first.is_empty() && sets.is_empty() {
            true => Ok(()),
            false => self.tell_acting(),
        }
    }

    /// How many waits there are of this kind, and, of few, of which tasks.
    fn tell_count(&mut self, waits: &[&Waiting], what: &str) -> Result<(), Stop> {
        let tasks = waits.iter().map(|waiting| waiting.task);
        let named = self.few(tasks.collect());
        let named = named.map_or(String::new(), |named| format!(" ({named})"));
        match waits.len() {
            0 => Ok(()),
            1 => Ok(writeln!(self.out, "  1 wait {what}{named}")?),
            count => Ok(writeln!(self.out, "  {count} waits {what}{named}")?),
        }
    }

    /// Who may yet end such waits, where these are few.
    fn tell_acting(&mut self) -> Result<(), Stop> {
        match self.few(self.picture.acting().collect()) {
            Some(named) => Ok(writeln!(self.out, "  what can act by itself: {named}")?),
            None => Ok(()),
        }
    }

    fn but_for_upkeep(&mut self) -> String {
        let named = self.few(self.picture.upkeep.iter().copied().collect());
        match named {
            Some(named) => format!(", but for the runtime's own: {named}"),
            None => String::new(),
        }
    }

    /// Some tasks, where they are few enough to be named in one line.
    fn few(&mut self, mut tasks: Vec<TaskId>) -> Option<String> {
        if tasks.is_empty() || tasks.len() > NAMED_MAX {
            return None;
        }
        tasks.sort_unstable();
        let named = tasks.iter().map(|task| called(*task, self.names));
        Some(named.collect::<Vec<_>>().join(", "))
    }

    /// The lanes of which some have ended that took all permits.
    fn left_lanes(&self) -> HashSet<TextId> {
        let lanes = self.picture.lane_holders.iter();
        let has_ended = |of: &TaskId| self.has_ended(*of) == Some(true);
        let left = lanes.filter(|(_, holders)| holders.iter().any(has_ended));
        left.map(|(lane, _)| *lane).collect()
    }

    /// Whether nothing can act, and no wait is one that may end nevertheless, as by a thread outside.
    fn hangs_as_a_whole(&self) -> bool {
        let is_over = |waiting: &Waiting| {
            let prospect = self.picture.prospect(waiting.task);
            matches!(prospect, Some(Prospect::Stuck | Prospect::Idle))
                || self.picture.upkeep.contains(&waiting.task)
        };
        !self.picture.can_any_act() && self.picture.waiting.iter().all(is_over)
    }

    fn of_prospect(&self, prospect: Prospect) -> Vec<&'a Waiting> {
        let waiting = self.picture.waiting.iter();
        waiting
            .filter(|waiting| self.picture.prospect(waiting.task) == Some(prospect))
            .collect()
    }
}

/// Whether it is not known for what, of which kind alone the task table tells.
fn lacks_whom(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::Join { on: None } | Reason::Lane { lane: None }
    )
}
