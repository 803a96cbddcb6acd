//! Owns the names of tasks: from their spawns, and for older tasks from the task table.

use foldhash::HashMap;
use glasshouse_pal::reader::{Log, Site};
use glasshouse_pal::{Event, SiteId, TaskEvent, TaskId};
use std::collections::VecDeque;
use std::rc::Rc;

/// The tasks that have ended and are still known where others are forgotten: what others record of them, such as the
/// lane that they left, comes soon after. A guess.
const ENDED_MAX: usize = 65_536;

/// What is known of where each task was spawned.
pub struct Names<'a> {
    log: &'a Log,
    tasks: HashMap<TaskId, SiteId>,
    /// Those that have ended, the first one first; `None` where none is ever forgotten.
    ended: Option<VecDeque<TaskId>>,
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
            sites: HashMap::default(),
            log,
        }
    }

    /// Knows no task, only where tasks were spawned.
    pub fn of_sites(log: &'a Log) -> Names<'a> {
        Names {
            tasks: HashMap::default(),
            ended: None,
            sites: HashMap::default(),
            log,
        }
    }

    /// The same as [`Names::new`], for who names tasks as their records pass by: those that ended long before are
    /// forgotten.
    pub fn in_passing(log: &'a Log) -> Names<'a> {
        Names {
            ended: Some(VecDeque::new()),
            ..Names::new(log)
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

    fn end(&mut self, tid: TaskId) {
        let Some(ended) = &mut self.ended else { return };
        ended.push_back(tid);
        if ended.len() > ENDED_MAX
            && let Some(first) = ended.pop_front()
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
