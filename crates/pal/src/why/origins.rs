//! Owns where tasks come from: who spawned each, and who spawned that one.

use super::room::Room;
use crate::lives::LastEnded;
use crate::{SiteId, TaskEvent, TaskId};
use foldhash::HashMap;

/// With fewer spawns nobody asks which may still be asked for. A guess: a few MiB.
const ORIGINS_MIN: usize = 1 << 16;
/// The tasks that are named between one and its root, at most.
const ANCESTORS_MAX: usize = 64;

/// Where a task comes from.
///
/// ```
/// use glasshouse_pal::{TaskId, why::Origin};
/// let origin = Origin { task: TaskId::MAX, site: None, spawned: Some(7) };
/// assert_eq!(origin.spawned, Some(7));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The task.
    pub task: TaskId,
    /// Where it was spawned, where its spawn was seen.
    pub site: Option<SiteId>,
    /// The stamp of its spawn, where that was seen.
    pub spawned: Option<u64>,
}

/// A spawn that was seen.
#[derive(Clone, Copy, Debug)]
struct Spawn {
    parent: Option<TaskId>,
    site: SiteId,
    stamp: u64,
    /// Whether the task has ended, and long before.
    is_over: bool,
}

/// The spawns of the tasks that live, or ended just now, and of those above them.
#[derive(Debug)]
pub(super) struct Origins {
    spawns: HashMap<TaskId, Spawn>,
    /// Those of which a spawn may still come.
    ended: LastEnded,
    /// For spawns.
    room: Room,
}

impl Default for Origins {
    fn default() -> Origins {
        Origins::within(Room::between(ORIGINS_MIN, usize::MAX), LastEnded::default())
    }
}

impl Origins {
    fn within(room: Room, ended: LastEnded) -> Origins {
        Origins {
            spawns: HashMap::default(),
            ended,
            room,
        }
    }

    /// Looked through from the first spawn on, for a dozen tasks.
    #[cfg(test)]
    pub(super) fn sparing() -> Origins {
        Origins::within(Room::between(0, usize::MAX), LastEnded::of(16))
    }

    /// Takes in a transition.
    pub(super) fn feed(&mut self, stamp: u64, event: &TaskEvent) {
        match *event {
            TaskEvent::Spawned { tid, parent, site } => {
                if self.room.is_full_with(self.spawns.len()) {
                    self.make_room();
                }
                let spawn = Spawn {
                    parent,
                    site,
                    stamp,
                    is_over: false,
                };
                self.spawns.insert(tid, spawn);
            }
            TaskEvent::Done { tid } | TaskEvent::Failed { tid, .. } => self.end(tid),
            _ => {}
        }
    }

    fn end(&mut self, tid: TaskId) {
        if let Some(first) = self.ended.push(tid)
            && let Some(spawn) = self.spawns.get_mut(&first)
        {
            spawn.is_over = true;
        }
    }

    /// Forgets those that have ended long before, and are not above one that has not.
    fn make_room(&mut self) {
        // How far below each the next one stands that has not.
        let mut below: HashMap<TaskId, usize> = HashMap::default();
        for (tid, _) in self.spawns.iter().filter(|(_, spawn)| !spawn.is_over) {
            let mut next = Some(*tid);
            for steps in 0..=ANCESTORS_MAX {
                let Some(tid) = next else { break };
                match below.get(&tid) {
                    // From there on it was gone as far before.
                    Some(known) if *known <= steps => break,
                    _ => below.insert(tid, steps),
                };
                next = self.spawns.get(&tid).and_then(|spawn| spawn.parent);
            }
        }
        self.spawns.retain(|tid, _| below.contains_key(tid));
        self.room.looked_through(self.spawns.len());
    }

    /// Who spawned a task whose parent is this one, who spawned that one, and so on.
    pub(super) fn ancestors(&self, parent: Option<TaskId>) -> Vec<Origin> {
        let mut ancestors = Vec::new();
        let mut next = parent;
        while let Some(task) = next
            && ancestors.len() < ANCESTORS_MAX
        {
            let spawn = self.spawns.get(&task);
            ancestors.push(Origin {
                task,
                site: spawn.map(|spawn| spawn.site),
                spawned: spawn.map(|spawn| spawn.stamp),
            });
            next = spawn.and_then(|spawn| spawn.parent);
        }
        ancestors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tid(number: u64) -> TaskId {
        TaskId::new(number).expect("in range")
    }

    fn spawned(number: u64, parent: Option<u64>) -> TaskEvent {
        TaskEvent::Spawned {
            tid: tid(number),
            parent: parent.map(tid),
            site: SiteId(0),
        }
    }

    #[test]
    fn who_lives_is_traced_back_over_those_that_ended_long_before_and_these_alone_are_kept() {
        let mut origins = Origins::within(Room::between(8, usize::MAX), LastEnded::of(2));
        // A line of tasks, each of which spawns the next and ends; and beside it, children that end at once.
        for number in 1..1000 {
            origins.feed(
                number,
                &spawned(2 * number, Some(2 * number - 2).filter(|above| *above > 0)),
            );
            origins.feed(number, &spawned(2 * number + 1, Some(2 * number)));
            origins.feed(
                number,
                &TaskEvent::Done {
                    tid: tid(2 * number + 1),
                },
            );
            if number > 1 {
                origins.feed(
                    number,
                    &TaskEvent::Done {
                        tid: tid(2 * number - 2),
                    },
                );
            }
            assert!(origins.spawns.len() <= 2 * (ANCESTORS_MAX + 8));
        }
        let ancestors = origins.ancestors(Some(tid(2 * 999)));
        let expected: Vec<u64> = (0..ANCESTORS_MAX as u64).map(|up| 2 * (999 - up)).collect();
        let found: Vec<u64> = ancestors
            .iter()
            .map(|origin| origin.task.number())
            .collect();
        assert_eq!(found, expected);
        assert!(
            ancestors
                .iter()
                .all(|origin| origin.spawned == Some(origin.task.number() / 2))
        );
    }

    #[test]
    fn what_no_spawn_tells_is_the_last_of_a_line() {
        let mut origins = Origins::default();
        origins.feed(7, &spawned(3, Some(2)));
        let told = |task: u64, spawned: Option<u64>| Origin {
            task: tid(task),
            site: spawned.map(|_| SiteId(0)),
            spawned,
        };
        assert_eq!(
            origins.ancestors(Some(tid(3))),
            [told(3, Some(7)), told(2, None)]
        );
        assert_eq!(origins.ancestors(None), []);
    }
}
