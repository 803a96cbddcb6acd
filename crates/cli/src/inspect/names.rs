//! Owns the names of tasks: from their spawns, and for older tasks from the task table.

use foldhash::HashMap;
use glasshouse_pal::reader::{Log, Site};
use glasshouse_pal::{Event, SiteId, TaskEvent, TaskId};
use std::rc::Rc;

/// What is known of where each task was spawned.
pub struct Names<'a> {
    log: &'a Log,
    tasks: HashMap<TaskId, SiteId>,
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
            sites: HashMap::default(),
            log,
        }
    }

    /// Knows no task, only where tasks were spawned.
    pub fn of_sites(log: &'a Log) -> Names<'a> {
        Names {
            tasks: HashMap::default(),
            sites: HashMap::default(),
            log,
        }
    }

    /// Learns of the task that an event spawns.
    pub fn learn(&mut self, event: &Event) {
        if let Event::Task(TaskEvent::Spawned { tid, site, .. }) = *event {
            self.tasks.insert(tid, site);
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
