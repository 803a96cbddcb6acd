//! Owns where a fold keeps what it knows of each task: side by side, and found by the tasks' numbers.
//!
//! A map's room is up to twice what is in it, and three times while it grows. Of a log of millions of tasks that do not
//! end, as a damaged one may be, this is the most memory, so the map holds places alone.

use crate::TaskId;
use foldhash::HashMap;
use std::collections::hash_map::Entry;

/// The tasks whose places are at hand without the map. A guess: more than run at a time.
const RECENT: usize = 256;

/// What is known of each task.
#[derive(Debug)]
pub(crate) struct Store<T> {
    places: HashMap<TaskId, u32>,
    /// The last places that were asked for, each where its task's number puts it.
    recent: Box<[Option<(TaskId, u32)>; RECENT]>,
    /// `None` at places that are given up.
    known: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Store<T> {
    fn default() -> Store<T> {
        Store {
            places: HashMap::default(),
            recent: Box::new([None; RECENT]),
            known: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Store<T> {
    pub(crate) fn get(&self, tid: TaskId) -> Option<&T> {
        let place = self.places.get(&tid)?;
        self.known[*place as usize].as_ref()
    }

    /// What is known of the task, and whether it is so only from here on.
    #[inline]
    pub(crate) fn get_or_begin(
        &mut self,
        tid: TaskId,
        begin: impl FnOnce() -> T,
    ) -> (&mut T, bool) {
        let recent = &mut self.recent[at_hand(tid)];
        if let Some((_, place)) = recent.filter(|(recent, _)| *recent == tid) {
            return (self.known[place as usize].get_or_insert_with(begin), false);
        }
        let known = &mut self.known;
        let (place, is_new) = match self.places.entry(tid) {
            Entry::Occupied(entry) => (*entry.get(), false),
            Entry::Vacant(vacant) => {
                let place = self.free.pop().unwrap_or_else(|| {
                    known.push(None);
                    // Four billion would take hundreds of gigabytes.
                    (known.len() - 1) as u32
                });
                (*vacant.insert(place), true)
            }
        };
        *recent = Some((tid, place));
        (known[place as usize].get_or_insert_with(begin), is_new)
    }

    pub(crate) fn remove(&mut self, tid: TaskId) -> Option<T> {
        let place = self.places.remove(&tid)?;
        let recent = &mut self.recent[at_hand(tid)];
        *recent = recent.filter(|(recent, _)| *recent != tid);
        self.free.push(place);
        self.known[place as usize].take()
    }

    /// Of every task, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (TaskId, &T)> {
        let places = self.places.iter();
        places.filter_map(|(tid, place)| Some((*tid, self.known[*place as usize].as_ref()?)))
    }

    /// The same, which takes each out.
    pub(crate) fn take_all(mut self) -> impl Iterator<Item = (TaskId, T)> {
        let places = self.places.into_iter();
        places.filter_map(move |(tid, place)| Some((tid, self.known[place as usize].take()?)))
    }

    /// How many tasks there are.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }
}

fn at_hand(tid: TaskId) -> usize {
    tid.number() as usize % RECENT
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn what_is_known_is_kept_and_given_up_as_in_a_map_and_its_room_is_used_again(
            acts in prop::collection::vec((1u64..12, any::<bool>()), 0..80)
        ) {
            let mut store = Store::default();
            let mut model = BTreeMap::new();
            let mut most = 0;
            for (stamp, (number, is_begun)) in (0..).zip(acts) {
                // Every second one comes to the same place at hand.
                let tid = TaskId::new(number * RECENT as u64 / 2).expect("in range");
                if is_begun {
                    let is_new = !model.contains_key(&tid);
                    let expected = model.entry(tid).or_insert(stamp);
                    prop_assert_eq!(store.get_or_begin(tid, || stamp), (expected, is_new));
                } else {
                    prop_assert_eq!(store.remove(tid), model.remove(&tid));
                }
                most = most.max(model.len());
                let found: BTreeMap<TaskId, i32> =
                    store.iter().map(|(tid, known)| (tid, *known)).collect();
                prop_assert_eq!(&found, &model);
                prop_assert_eq!(store.get(tid), model.get(&tid));
                prop_assert_eq!((store.len(), store.known.len()), (model.len(), most));
            }
            let found: BTreeMap<TaskId, i32> = store.take_all().collect();
            prop_assert_eq!(found, model);
        }
    }
}
