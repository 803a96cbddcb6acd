//! Owns what is shown and what is asked for: the page, the chosen task, the order, the filter, and whether time
//! stands still. It reads the log and knows no terminal.

use super::filter::Filter;
use super::keys::{Action, Mode, Page, Time};
use super::model::{History, Key, Listing, Live, Moment, Order, Replay};
use crate::inspect::event::Events;
use crate::inspect::lost;
use crate::inspect::names::Names;
use crate::inspect::ps;
use glasshouse_pal::TaskId;
use glasshouse_pal::reader::{Cursor, Log, OpenError};
use std::collections::HashMap;

/// Where all that is shown comes from.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    pub log: &'a Log,
    /// Opens the log once more, for the records as they are then.
    pub reopen: &'a dyn Fn() -> Result<Log, OpenError>,
    /// The stamp up to which the log speaks, given that of its newest record.
    pub until: &'a dyn Fn(&Log, u64) -> u64,
}

/// How `top` is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Quit,
    Interrupted,
}

/// The whole of `top`.
pub struct App<'a> {
    source: Source<'a>,
    pub names: Names<'a>,
    pub events: Events<'a>,
    live: Live,
    cursor: Cursor,
    /// Nothing has been followed yet.
    is_first: bool,
    /// What was asked for is newer than the last look.
    is_stale: bool,
    /// The process has ended, and its log was read after that.
    is_over: bool,
    replay: Option<Replay>,
    /// The page of the task whose history this is, on top of the others.
    pub history: Option<History>,
    pub page: Page,
    /// The first line of the page that is on the screen, where it is not the task list.
    pub scroll: usize,
    pub listing: Listing,
    pub order: Order,
    pub filter: Filter,
    /// How the process is: `alive`, `exited`, `panicked` or `crashed`.
    pub state: &'static str,
    /// What the log retains and has lost, as of some seconds ago.
    pub retained: String,
}

impl<'a> App<'a> {
    /// Shows the present of a process that lives, and the end of one that does not.
    ///
    /// # Errors
    ///
    /// When the log cannot be opened once more.
    pub fn new(source: Source<'a>) -> Result<App<'a>, OpenError> {
        let log = source.log;
        let mut app = App {
            source,
            names: Names::new(log),
            events: Events::new(log),
            live: Live::new(log.rate()),
            cursor: Cursor::default(),
            is_first: true,
            is_stale: false,
            // Segments are not looked at, only gone through.
            is_over: log.is_segments(),
            replay: None,
            history: None,
            page: Page::Overview,
            scroll: 0,
            listing: Listing::default(),
            order: Order {
                key: Key::Load,
                is_reversed: false,
            },
            filter: Filter::default(),
            state: ps::state(is_running(log), log.lifecycle()),
            retained: String::new(),
        };
        app.measure();
        if !log.is_alive() {
            let last = (source.reopen)()?;
            app.pause(last);
        }
        Ok(app)
    }

    /// The log.
    pub fn log(&self) -> &'a Log {
        self.source.log
    }

    /// The moment that is shown.
    pub fn moment(&self) -> &Moment {
        match &self.replay {
            Some(replay) => replay.moment(),
            None => self.live.moment(),
        }
    }

    /// The moment that is shown, and with it what else the views change.
    pub fn parts(&mut self) -> (&Moment, &mut Listing, &mut Filter, &mut Names<'a>) {
        let moment = match &self.replay {
            Some(replay) => replay.moment(),
            None => self.live.moment(),
        };
        (moment, &mut self.listing, &mut self.filter, &mut self.names)
    }

    /// Where time stands still, the earliest and the latest moment that it can stand at.
    pub fn span(&self) -> Option<[u64; 2]> {
        self.replay.as_ref().map(Replay::ends)
    }

    /// Records that were overwritten before `top` read them.
    pub fn overrun(&self) -> u64 {
        self.live.lost()
    }

    /// What keys are for.
    pub fn mode(&self) -> Mode {
        match (&self.filter.is_typed, &self.replay) {
            (true, _) => Mode::Typing,
            (false, Some(_)) => Mode::Paused,
            (false, None) => Mode::Live,
        }
    }

    /// Whether a look is due before its time.
    pub fn is_stale(&self) -> bool {
        self.is_stale && !self.is_over
    }

    /// Looks at the log as it is now.
    pub fn look(&mut self) {
        if self.is_over {
            return;
        }
        // Asked first: what a process recorded before it ended is in the log once it has ended.
        let Source { log, until, .. } = self.source;
        let is_alive = log.is_alive();
        self.is_over = !is_alive;
        self.is_stale = false;
        self.state = ps::state(is_alive, log.lifecycle());
        let senseless = self.cursor.senseless();
        let (records, lost) = log.follow(&mut self.cursor);
        let senseless = self.cursor.senseless().saturating_sub(senseless);
        let mut history = self.history.as_mut().filter(|_| self.replay.is_none());
        if let Some(history) = history.as_mut().filter(|_| lost > 0) {
            history.note_loss();
        }
        let records = records.inspect(|entry| {
            if let Some(history) = &mut history {
                history.follow(entry);
            }
        });
        self.live.follow(records, lost, log);
        // What was gone before anybody looked, and what makes no sense, the log itself tells.
        let told = match std::mem::take(&mut self.is_first) {
            true => lost,
            false => senseless,
        };
        self.live.forget_loss(told);
        // After the records: what they tell of has happened by now.
        self.live.look(until(log, 0), &log.rings(), log.tasks());
    }

    /// Finds out what the log retains and has lost, unless time stands still. Reads all records.
    pub fn measure(&mut self) {
        if self.replay.is_none()
            && let Ok(log) = self.reopen()
        {
            self.retained = lost::brief(&log);
        }
    }

    /// The same log once more; why there is none, where it was removed or replaced since.
    fn reopen(&self) -> Result<Log, String> {
        let log = (self.source.reopen)().map_err(|error| error.to_string())?;
        let whose = |log: &Log| (log.process(), log.start_stamp());
        match whose(&log) == whose(self.log()) {
            true => Ok(log),
            false => Err("another process's log is in its place".to_owned()),
        }
    }

    /// Does what a key asks for; how to end, where that is it.
    pub fn act(&mut self, action: Action) -> Option<End> {
        match action {
            Action::Quit => return Some(End::Quit),
            Action::Interrupt => return Some(End::Interrupted),
            Action::Move(by) => self.move_by(by),
            Action::Screens(by) => self.move_by(by.saturating_mul(self.page_rows())),
            Action::First => self.move_by(isize::MIN),
            Action::Last => self.move_by(isize::MAX),
            Action::Open => self.open(),
            Action::Back => self.back(),
            Action::Pause if self.replay.is_some() => self.resume(),
            Action::Pause => match self.reopen() {
                Ok(log) => self.pause(log),
                Err(why) => self.retained = format!("cannot pause: {why}"),
            },
            Action::Time(time) => self.travel(time),
            Action::Sort(by) => {
                let key = self.order.key.after(by);
                let is_reversed = false;
                self.order = Order { key, is_reversed };
            }
            Action::Reverse => self.order.is_reversed = !self.order.is_reversed,
            Action::Show(page) => {
                (self.history, self.scroll) = (None, 0);
                // The key that leads to a page leads back, too.
                let is_shown = self.page == page;
                self.page = if is_shown { Page::Overview } else { page };
            }
            Action::Filter => {
                (self.history, self.page) = (None, Page::Overview);
                self.filter.is_typed = true;
            }
            Action::Type(c) => self.filter.push(c),
            Action::Erase => self.filter.pop(),
        }
        None
    }

    fn is_list_shown(&self) -> bool {
        self.history.is_none() && self.page == Page::Overview
    }

    fn page_rows(&self) -> isize {
        isize::try_from(self.listing.rows().max(1)).unwrap_or(isize::MAX)
    }

    fn move_by(&mut self, by: isize) {
        if self.is_list_shown() {
            self.listing.move_by(by);
        } else {
            self.scroll = self.scroll.saturating_add_signed(by);
        }
    }

    /// Ends the typing of a filter, or opens the page of the chosen task: of the first where none is chosen.
    fn open(&mut self) {
        if std::mem::take(&mut self.filter.is_typed) || !self.is_list_shown() {
            return;
        }
        let first = self.listing.shown().first();
        let tasks = &self.moment().tasks;
        let first = first.and_then(|index| tasks.get(*index as usize));
        let task = self.listing.chosen().or(first.map(|task| task.id));
        if let Some(task) = task {
            self.open_task(task);
        }
    }

    fn open_task(&mut self, task: TaskId) {
        self.scroll = 0;
        self.history = Some(match &self.replay {
            Some(replay) => replay.history(task),
            None => {
                self.is_stale = true;
                let (records, _) = self.log().follow(&mut Cursor::default());
                History::begin(task, records)
            }
        });
    }

    fn back(&mut self) {
        self.scroll = 0;
        if self.filter.is_typed || self.is_list_shown() && !self.filter.is_empty() {
            self.filter = Filter::default();
        } else if self.history.take().is_none() {
            if self.page == Page::Overview {
                self.listing.reset();
            }
            self.page = Page::Overview;
        }
    }

    /// Stands still at the end of a log that was just opened.
    fn pause(&mut self, log: Log) {
        let replay = Replay::new(log, self.source.until);
        self.retained = lost::brief(replay.log());
        self.replay = Some(replay);
        self.renew_history();
    }

    /// Goes on to the present; in segments, which have none, to the end of what was spilled by now.
    fn resume(&mut self) {
        if !self.log().is_segments() {
            self.replay = None;
            return self.renew_history();
        }
        match self.reopen() {
            Ok(log) => {
                // What is new there may have names that are new.
                let _ = self.log().follow(&mut self.cursor);
                self.pause(log);
            }
            Err(why) => {
                self.retained = format!("cannot go on: {why}");
                self.travel(Time::End);
            }
        }
    }

    /// The page of a task tells it as of the moment that is shown.
    fn renew_history(&mut self) {
        let scroll = self.scroll;
        if let Some(task) = self.history.as_ref().map(History::task) {
            self.open_task(task);
        }
        self.scroll = scroll;
    }

    fn travel(&mut self, time: Time) {
        let [small, large] = self.steps();
        let Some(replay) = &mut self.replay else {
            return;
        };
        let at = replay.moment().at;
        let by = |step: u64, times: isize| {
            let ticks = step.saturating_mul(times.unsigned_abs() as u64);
            match times < 0 {
                true => at.saturating_sub(ticks),
                false => at.saturating_add(ticks),
            }
        };
        match time {
            Time::Small(times) => replay.seek(by(small, times)),
            Time::Large(times) => replay.seek(by(large, times)),
            Time::NextRecord => replay.step_on(),
            Time::PreviousRecord => replay.step_back(),
            Time::Beginning => replay.seek(0),
            Time::End => replay.seek(u64::MAX),
        }
        self.renew_history();
    }

    /// The small and the large step through time, in clock ticks: round numbers, a few hundred and a few dozen of
    /// which lead through all of it.
    pub fn steps(&self) -> [u64; 2] {
        let rate = self.log().rate();
        let span = self.span().map_or(0, |[from, to]| to.saturating_sub(from));
        let small_ns = round(rate.ns(span) / 400);
        [small_ns, small_ns * 10].map(|ns| rate.ticks(ns).max(1))
    }

    /// Each lane's place in the alphabet.
    pub fn lane_ranks(&mut self) -> HashMap<glasshouse_pal::TextId, usize> {
        let lanes = self.moment().lanes.iter();
        let mut names: Vec<_> = lanes
            .map(|lane| (self.log().text(lane.name), lane.name))
            .collect();
        names.sort_by(|a, b| a.0.cmp(&b.0));
        let ranked = names.into_iter().enumerate();
        ranked.map(|(rank, (_, lane))| (lane, rank)).collect()
    }
}

/// Whether the process runs. Segments tell no more of that than whose they are.
fn is_running(log: &Log) -> bool {
    log.is_alive() || log.is_segments() && log.process().is_alive()
}

/// The round number, 1, 2 or 5 times a power of ten, that is not below `ns`; a microsecond at least.
fn round(ns: u64) -> u64 {
    let mut power = 1_000_u64;
    // A log's span in nanoseconds is far below what 64 bits hold.
    while power < 1 << 60 {
        for times in [1, 2, 5] {
            if power * times >= ns {
                return power * times;
            }
        }
        power *= 10;
    }
    power
}
