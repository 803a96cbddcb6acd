//! Owns the names of tasks: from their spawns, and for older tasks from the task table.
//!
//! A log may speak of millions of tasks, and few live at a time: who reads all of it keeps the names of those, and of the
//! few that it has to tell of at the end.

use foldhash::{HashMap, HashSet};
use glasshouse_pal::lives::LastEnded;
use glasshouse_pal::reader::{Log, Site};
use glasshouse_pal::{Event, SiteId, TaskEvent, TaskId};
use std::rc::Rc;

/// What is known of where each task was spawned.
pub struct Names<'a> {
    log: &'a Log,
    tasks: HashMap<TaskId, SiteId>,
    /// Those that have ended and are still known: what others record of them, such as the lane that they left, comes soon
    /// after. `None` where none is ever forgotten.
    ended: Option<LastEnded>,
    /// Those that are not forgotten.
    kept: HashSet<TaskId>,
    sites: HashMap<SiteId, Option<Rc<Site>>>,
}

impl<'a> Names<'a> {
    /// Knows the tasks that had not ended when it was made, and those that segments noted.
    pub fn new(log: &'a Log) -> Names<'a> {
        Names {
            tasks: log
                .known_tasks()
                .iter()
                .map(|row| (row.id, row.site))
                .collect(),
            ended: None,
            kept: HashSet::default(),
            sites: HashMap::default(),
            log,
        }
    }

    /// Knows no task, only where tasks were spawned.
    pub fn of_sites(log: &'a Log) -> Names<'a> {
        Names {
            tasks: HashMap::default(),
            ended: None,
            kept: HashSet::default(),
            sites: HashMap::default(),
            log,
        }
    }

    /// The same as [`Names::new`], for who names tasks as their records pass by: those that ended long before are
    /// forgotten.
    pub fn in_passing(log: &'a Log) -> Names<'a> {
        Names {
            ended: Some(LastEnded::default()),
            ..Names::new(log)
        }
    }

    /// Does not forget this task, whether it is known already or not yet.
    pub fn keep(&mut self, tid: TaskId) {
        self.kept.insert(tid);
    }

    /// Learns of those of these tasks that it does not know or has forgotten: by the rows that the log holds, else by
    /// reading it once more, up to the last of their spawns.
    pub fn find(&mut self, tasks: impl IntoIterator<Item = TaskId>) {
        let unknown = tasks.into_iter();
        let unknown = unknown.filter(|tid| !self.tasks.contains_key(tid));
        let mut wanted: HashSet<TaskId> = unknown.collect();
        if wanted.is_empty() {
            return;
        }
        for row in self.log.known_tasks() {
            if wanted.remove(&row.id) {
                self.tasks.insert(row.id, row.site);
            }
        }
        let mut records = self.log.records();
        while !wanted.is_empty()
            && let Some(entry) = records.next()
        {
            if let Event::Task(TaskEvent::Spawned { tid, site, .. }) = entry.event
                && wanted.remove(&tid)
            {
                self.tasks.insert(tid, site);
            }
        }
    }

    /// Learns of the task that an event spawns, or ends.
    pub fn learn(&mut self, event: &Event) {
        match *event {
            Event::Task(TaskEvent::Spawned { tid, site, .. }) => {
                self.tasks.insert(tid, site);
            }
            Event::Task(TaskEvent::Done { tid } | TaskEvent::Failed { tid, .. }) => self.end(tid),
            _ => {}
        }
    }

    /// Learns of the tasks that live now, where their spawns may have been lost. So may the ends of others: who is not
    /// known to live is forgotten as one that ended just now. The rows of segments are older than that, and know nothing of
    /// who was spawned since: by them nobody is forgotten.
    pub fn learn_the_living(&mut self) {
        let rows = self.log.tasks().map(|row| (row.id, row.site));
        let living: HashMap<TaskId, SiteId> = rows.collect();
        if let Some(ended) = self.ended.as_mut().filter(|_| !self.log.is_segments()) {
            ended.retain(|tid| !living.contains_key(&tid));
            let told: HashSet<TaskId> = ended.iter().collect();
            let known = self.tasks.keys().copied();
            let gone = known.filter(|tid| !living.contains_key(tid) && !told.contains(tid));
            for tid in gone.collect::<Vec<_>>() {
                self.end(tid);
            }
        }
        self.tasks.extend(living);
    }

    fn end(&mut self, tid: TaskId) {
        let Some(ended) = &mut self.ended else { return };
        if let Some(first) = ended.push(tid)
            && !self.kept.contains(&first)
        {
            self.tasks.remove(&first);
        }
    }

    /// Where the task was spawned, as far as that is known.
    pub fn of_task(&mut self, tid: TaskId) -> Option<Rc<Site>> {
        let site = *self.tasks.get(&tid)?;
        self.of_site(site)
    }

    /// The site with this number.
    pub fn of_site(&mut self, site: SiteId) -> Option<Rc<Site>> {
        let log = self.log;
        let known = self.sites.entry(site);
        known.or_insert_with(|| log.site(site).map(Rc::new)).clone()
    }

    /// The number of the site where the task was spawned.
    pub fn site_of(&self, tid: TaskId) -> Option<SiteId> {
        self.tasks.get(&tid).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glasshouse_pal::{Pal, RingOwner, SlotCache, TaskState};

    fn tid(number: u64) -> TaskId {
        TaskId::new(number).expect("in range")
    }

    #[test]
    fn who_names_tasks_in_passing_knows_few_that_ended_and_finds_the_others_again() {
        let pal = Pal::memory();
        let site = pal.site("src/main.rs", 7, 5, Some("brief"));
        let spawned = |number| TaskEvent::Spawned {
            tid: tid(number),
            parent: None,
            site,
        };
        let ring = pal.lease(RingOwner::Worker(0));
        for number in [1, 2, 3] {
            assert!(ring.write(pal.clock().now(), 0, &spawned(number)));
        }
        let log = pal.log();
        let mut names = Names::in_passing(&log);
        names.keep(tid(7));
        let count = LastEnded::MAX as u64 + 100;
        for number in 1..=count {
            names.learn(&Event::Task(spawned(number)));
            names.learn(&Event::Task(TaskEvent::Done { tid: tid(number) }));
            assert!(names.tasks.len() <= LastEnded::MAX + 2);
        }
        let known = |names: &mut Names<'_>, numbers: &[u64]| -> Vec<u64> {
            let known = numbers.iter().copied();
            known
                .filter(|number| names.of_task(tid(*number)).is_some())
                .collect()
        };
        let asked = [1, 3, 7, 100, 101, count];
        assert_eq!(known(&mut names, &asked), [7, 101, count]);
        names.find([1, 3, 100, 101].map(tid));
        assert_eq!(known(&mut names, &asked), [1, 3, 7, 101, count]);
    }

    #[test]
    fn who_loses_records_in_passing_does_not_keep_the_names_of_tasks_whose_end_was_among_them() {
        let pal = Pal::memory();
        let site = pal.site("src/main.rs", 7, 5, Some("brief"));
        let mut cache = SlotCache::default();
        let slot = pal.table().take(&mut cache).expect("room for a task");
        let row = pal.table().slot(slot);
        row.publish(tid(1), site, None, TaskState::Scheduled, 0);
        let log = pal.log();
        let mut names = Names::in_passing(&log);
        let mut last = 1;
        for _ in 0..40 {
            for _ in 0..LastEnded::MAX / 16 {
                last += 1;
                let (tid, parent) = (tid(last), None);
                names.learn(&Event::Task(TaskEvent::Spawned { tid, parent, site }));
            }
            names.learn_the_living();
            assert!(names.tasks.len() <= LastEnded::MAX + 1);
        }
        assert!(names.of_task(tid(1)).is_some(), "it lives");
        assert!(names.of_task(tid(last)).is_some(), "it was just there");
        row.clear();
        pal.table().give_back(&mut cache, slot);
    }
}
