//! Owns what each task that waits waits for, and who woke it before.

use super::picture::{Picture, Role};
use super::reason::Reason;
use crate::domain::Event;
use crate::lives::{Fault, Lives, Store};
use crate::reader::Entry;
use crate::{
    DomainEvent, SiteId, TaskEvent, TaskId, TaskRow, TaskState, TextId, WakeSource, WaysOut,
};
use foldhash::HashMap;
use std::collections::BTreeMap;

/// The wakers that are remembered of a task, the newest; of further ones only that there were more.
const WAKERS_MAX: usize = 8;

/// Who ended a task's waits without a name, or woke it while it ran, as far as the log holds it.
///
/// ```
/// use glasshouse_pal::why::Wakers;
/// assert!(Wakers::default().is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wakers {
    /// Tasks, the newest last; not the task itself.
    pub tasks: Vec<TaskId>,
    /// Others may have, earlier: there were more tasks than are remembered, or the records are gone.
    pub has_more: bool,
    /// A timer, a descriptor, a thread outside, a lane or an abort without a task behind it.
    pub others: Vec<&'static str>,
}

impl Wakers {
    /// Whether nobody did.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty() && self.others.is_empty()
    }

    fn add(&mut self, own: TaskId, by: WakeSource) {
        let Some(task) = by.task() else {
            if !self.others.contains(&by.name()) {
                self.others.push(by.name());
            }
            return;
        };
        if task == own {
            return;
        }
        if let Some(known) = self.tasks.iter().position(|known| *known == task) {
            self.tasks.remove(known);
        } else if self.tasks.len() == WAKERS_MAX {
            self.tasks.remove(0);
            self.has_more = true;
        }
        self.tasks.push(task);
    }
}

/// A task that waits.
///
/// ```
/// use glasshouse_pal::{TaskId, WaysOut, why::{Reason, Waiting, Wakers}};
/// let waiting = Waiting {
///     task: TaskId::MAX, site: None, reason: Reason::Other, since: 9, ways_out: WaysOut::default(),
///     wakers: Wakers::default(),
/// };
/// assert!(waiting.wakers.is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The task.
    pub task: TaskId,
    /// Where it was spawned, where that is known.
    pub site: Option<SiteId>,
    /// What it waits for.
    pub reason: Reason,
    /// Since when, in ticks of the log's clock.
    pub since: u64,
    /// What may end it beside that, as its poll has told; nothing where only the task table tells of the wait.
    pub ways_out: WaysOut,
    /// Who woke it before.
    pub wakers: Wakers,
}

impl Waiting {
    /// Whether time, a descriptor or a blocking function ends it, should nothing else do so before.
    pub(super) fn ends_by_itself(&self) -> bool {
        let is_for = matches!(
            self.reason,
            Reason::Deadline { .. } | Reason::Descriptor { .. } | Reason::Function
        );
        is_for || self.ways_out.deadline
    }
}

/// The fold of a log's records, and of its task table, into who waits for whom.
///
/// ```
/// use glasshouse_pal::{Pal, RingOwner, SiteId, TaskEvent, TaskId, why::Waits};
/// let pal = Pal::memory();
/// let ring = pal.lease(RingOwner::Worker(0));
/// let [left, right] = [1, 2].map(|number| TaskId::new(number).expect("in range"));
/// for (tid, on) in [(left, right), (right, left)] {
///     ring.write(10, 0, &TaskEvent::Spawned { tid, parent: None, site: SiteId(0) });
///     ring.write(12, 1, &TaskEvent::Running { tid });
///     ring.write(19, 2, &TaskEvent::JoinWait { tid, on });
/// }
/// let mut waits = Waits::new(pal.log().lives());
/// pal.log().records().for_each(|entry| waits.feed(&entry));
/// assert_eq!(waits.picture().cycles, [[left, right]]);
/// ```
#[derive(Debug)]
pub struct Waits {
    lives: Lives,
    /// The newest stamp of all that was fed.
    newest: u64,
    /// By records.
    known: Store<Known>,
    /// Of the tasks that no record has told to have ended.
    rows: HashMap<TaskId, TaskRow>,
    lanes: HashMap<TextId, Lane>,
    acquired: Option<u8>,
    released: Option<u8>,
}

/// What is known of a lane.
#[derive(Debug, Default)]
struct Lane {
    /// Permits that are held, by task.
    held: BTreeMap<TaskId, u64>,
    /// The permits that it has.
    limit: u64,
    /// When one was taken or given back last.
    since: u64,
}

impl Lane {
    /// Whether all of its permits are known to be held. Else some were taken before the horizon or outside of any task,
    /// or it has room, and its waiters wait for other lanes under the same limit.
    fn is_full(&self) -> bool {
        self.limit
            == self
                .held
                .values()
                .fold(0, |sum, held| sum.saturating_add(*held))
    }
}

/// What is known of a task that lives.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) state: TaskState,
    pub(super) reason: Option<Reason>,
    pub(super) ways_out: WaysOut,
    pub(super) since: u64,
    pub(super) site: Option<SiteId>,
    pub(super) wakers: Wakers,
}

impl Known {
    /// By the task table; `None` where it does not tell the state.
    fn of_row(row: &TaskRow) -> Option<Known> {
        let state = row.state?;
        let mut wakers = Wakers::default();
        // Of all wakers the table keeps the last; one that is no task may have ended a wait with a name.
        match row.waker {
            Some(by) if by.task().is_some() => wakers.add(row.id, by),
            by => wakers.has_more = by.is_some(),
        }
        Some(Known {
            state,
            reason: Reason::of_state(state),
            ways_out: WaysOut::default(),
            since: row.since,
            site: Some(row.site),
            wakers,
        })
    }
}

impl Waits {
    /// Of a log that [`Log::lives`](crate::reader::Log::lives) folds so.
    pub fn new(lives: Lives) -> Waits {
        Waits {
            lives,
            newest: 0,
            known: Store::default(),
            rows: HashMap::default(),
            lanes: HashMap::default(),
            acquired: None,
            released: None,
        }
    }

    /// Names the kinds of record by which a task takes a lane's permit and gives it back; the lane is their first
    /// word, and how many permits it has the third of the former. Without them nothing is known of who holds one.
    ///
    /// ```
    /// use glasshouse_pal::{lives::Lives, why::Waits};
    /// let waits = Waits::new(Lives::whole()).with_lanes(Some(32), Some(33));
    /// assert!(waits.picture().waiting.is_empty());
    /// ```
    #[must_use]
    pub fn with_lanes(self, acquired: Option<u8>, released: Option<u8>) -> Waits {
        Waits {
            acquired,
            released,
            ..self
        }
    }

    /// Takes in the next record.
    pub fn feed(&mut self, entry: &Entry) {
        match &entry.event {
            Event::Task(event) => self.transition(entry, event),
            Event::Domain(_) if self.lives.leaves_out(entry.stamp) => {}
            Event::Domain(event) => self.lane(entry.stamp, event),
        }
    }

    fn transition(&mut self, entry: &Entry, event: &TaskEvent) {
        let Some(step) = self.lives.feed(entry.stamp, entry.aux, event) else {
            return;
        };
        if matches!(step.fault, Some(Fault::Disorder { .. })) {
            return;
        }
        self.newest = self.newest.max(entry.stamp);
        let (tid, state, site) = (step.tid, step.life.state, step.life.site);
        let is_lost = step.before.is_some() && step.left.is_none();
        if state.is_end() {
            self.lives.forget(tid);
            self.known.remove(tid);
            self.rows.remove(&tid);
            return;
        }
        let is_new = matches!(event, TaskEvent::Spawned { .. });
        let begin = || Known {
            state,
            reason: None,
            ways_out: WaysOut::default(),
            since: entry.stamp,
            site,
            wakers: Wakers {
                // Who woke it before the oldest record is not known.
                has_more: !is_new,
                ..Wakers::default()
            },
        };
        let (known, _) = self.known.get_or_begin(tid, begin);
        known.wakers.has_more |= is_lost;
        match *event {
            // The deadline that bounded one wait bounds no other.
            TaskEvent::Wake {
                by: WakeSource::Timer,
                ..
            } if known.ways_out.deadline => {}
            // What ended a wait with a name says nothing of who ends one without.
            TaskEvent::Wake { by, .. } if matches!(known.reason, None | Some(Reason::Other)) => {
                known.wakers.add(tid, by);
            }
            TaskEvent::Yield { by, .. } | TaskEvent::Throttled { by, .. } => {
                known.wakers.add(tid, by);
            }
            _ => {}
        }
        known.reason = Reason::of_event(event);
        known.ways_out = entry.ways_out;
        (known.state, known.since) = (state, entry.stamp);
    }

    fn lane(&mut self, stamp: u64, event: &DomainEvent) {
        let (Some(task), Some(lane)) = (event.task(), event.args().first()) else {
            return;
        };
        let Ok(lane) = u32::try_from(*lane).map(TextId) else {
            return;
        };
        let kind = Some(event.kind());
        if kind != self.acquired && kind != self.released {
            return;
        }
        let lane = self.lanes.entry(lane).or_default();
        if self.lives.has_gap_between(lane.since, stamp) {
            *lane = Lane::default();
        }
        lane.since = lane.since.max(stamp);
        if kind == self.acquired {
            lane.limit = event.args().get(2).copied().unwrap_or(0);
            *lane.held.entry(task).or_default() += 1;
        } else if let Some(held) = lane.held.get_mut(&task) {
            *held = held.saturating_sub(1);
            if *held == 0 {
                lane.held.remove(&task);
            }
        }
    }

    /// Takes in a row of the task table, before the records: of a task that none of them may speak of any more, or whose
    /// spawn is gone. Where records speak, they are believed; segments note rows now and then.
    ///
    /// ```
    /// use glasshouse_pal::{Pal, SiteId, TaskId, TaskState, why::Waits};
    /// let pal = Pal::memory();
    /// let slot = pal.table().take_shared().expect("room");
    /// pal.table().slot(slot).publish(TaskId::MAX, SiteId::UNKNOWN, None, TaskState::IoWait, 5);
    /// let mut waits = Waits::new(pal.log().lives());
    /// pal.log().tasks().for_each(|row| waits.row(&row));
    /// assert_eq!(waits.picture().waiting[0].task, TaskId::MAX);
    /// ```
    pub fn row(&mut self, row: &TaskRow) {
        if row.state.is_some_and(|state| !state.is_end()) {
            self.rows.insert(row.id, *row);
        }
    }

    /// Leaves out the tasks of which this says no, for who knows from elsewhere that they have ended.
    pub fn retain(&mut self, is_alive: impl Fn(TaskId) -> bool) {
        let known = self.known.iter().map(|(tid, _)| tid);
        let ended: Vec<TaskId> = known.filter(|tid| !is_alive(*tid)).collect();
        for tid in ended {
            self.known.remove(tid);
        }
    }

    /// Who waits for whom, as of the last record, or of the rows where these were noted behind a gap that no record
    /// follows. Of a task that a gap follows the task table tells, where that was noted behind the gap.
    pub fn picture(self) -> Picture {
        self.picture_of(|_| Role::Task)
    }

    /// The same for who knows what the tasks of a site are: the log does not say it.
    ///
    /// ```
    /// use glasshouse_pal::{lives::Lives, why::{Role, Waits}};
    /// let picture = Waits::new(Lives::whole()).picture_of(|_| Role::Host);
    /// assert!(!picture.can_any_act());
    /// ```
    pub fn picture_of(self, role: impl FnMut(SiteId) -> Role) -> Picture {
        let Waits {
            lives,
            newest,
            known,
            mut rows,
            lanes,
            ..
        } = self;
        let newest = lives.told_to(newest);
        let is_current = |since: u64| !lives.has_gap_between(since, newest);
        let has_rows = lives.has_rows_as_of(newest);
        let mut alive: Vec<(TaskId, Known)> = Vec::with_capacity(known.len());
        let mut unseen = Vec::new();
        for (tid, known) in known.take_all() {
            let row = rows.get(&tid);
            let site = known.site.or(row.map(|row| row.site));
            let has_stayed = has_rows && row.is_some_and(|row| row.since == known.since);
            if is_current(known.since) || has_stayed {
                rows.remove(&tid);
                alive.push((tid, Known { site, ..known }));
            } else if !has_rows {
                unseen.push((tid, site));
            }
        }
        for (tid, row) in rows {
            match has_rows {
                true => alive.extend(Known::of_row(&row).map(|known| (tid, known))),
                false => unseen.push((tid, Some(row.site))),
            }
        }
        let full = lanes
            .iter()
            .filter(|(_, lane)| lane.is_full() && is_current(lane.since));
        let holders = full.map(|(id, lane)| (*id, lane.held.keys().copied().collect()));
        let holders = holders.collect();
        let is_whole = !lives.leaves_out(0) && !lives.has_gap_between(0, newest);
        // What follows takes as much memory as all of this.
        drop(lives);
        Picture::of(alive, unseen, holders, is_whole, role)
    }
}
