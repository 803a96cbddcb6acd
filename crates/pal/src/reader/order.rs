//! Owns the order of records across rings.
//!
//! By stamp. Records with the same stamp keep the order of the rings and of the sequence numbers,
//! except that one task's transitions go by `aux`: the same task may have left two rings within one
//! tick of the clock. Within one ring a task's records are in the order of its life already.

use super::rings::Raw;
use crate::format::kind;
use crate::record::Tag;
use crate::segment::Packed;

/// Sorts indices of records. `ring_of` tells the ring of an index; indices grow with the ring and,
/// within it, with the sequence number.
pub(crate) fn sort(order: &mut [u32], raws: &[Raw], ring_of: impl Fn(u32) -> usize) {
    let stamp = |index: u32| raws[index as usize][1];
    // Stable and adaptive: each ring is nearly sorted by itself.
    order.sort_by_key(|index| stamp(*index));
    order_all_ties(order, |index| (raws[index as usize], ring_of(index)));
}

/// Sorts events that carry their rings and their words with them, into the same order.
pub(crate) fn sort_packed(events: &mut [Packed]) {
    events.sort_by_key(|event| (event.stamp(), event.ring, event.raw[0]));
    order_all_ties(events, |event| (event.raw, event.ring));
}

/// Orders records with equal stamps, of those that are sorted by stamp, ring and sequence number.
fn order_all_ties<T: Copy, R: Copy + PartialEq>(sorted: &mut [T], look: impl Fn(T) -> (Raw, R)) {
    let mut scratch = Vec::new();
    for group in sorted.chunk_by_mut(|a, b| look(*a).0[1] == look(*b).0[1]) {
        let is_one_ring = look(group[0]).1 == look(group[group.len() - 1]).1;
        if !is_one_ring {
            order_ties(group, &look, &mut scratch);
        }
    }
}

/// One transition within a group of equal stamps.
#[derive(Clone, Copy)]
struct Tied<T> {
    task: u64,
    /// Where in the group it stands.
    position: usize,
    item: T,
    aux: u8,
}

fn order_ties<T: Copy, R: Copy + PartialEq>(
    group: &mut [T],
    look: &impl Fn(T) -> (Raw, R),
    scratch: &mut Vec<Tied<T>>,
) {
    scratch.clear();
    scratch.extend(group.iter().enumerate().filter_map(|(position, item)| {
        let (raw, _) = look(*item);
        let tag = Tag::from_word(raw[0]);
        (tag.kind <= kind::LAST_TRANSITION).then_some(Tied {
            task: raw[2],
            position,
            item: *item,
            aux: tag.aux,
        })
    }));
    scratch.sort_by_key(|tied| tied.task);
    for life in scratch.chunk_by_mut(|a, b| a.task == b.task) {
        let is_one_ring = look(life[0].item).1 == look(life[life.len() - 1].item).1;
        if is_one_ring || life.len() > usize::from(u8::MAX) {
            continue;
        }
        let positions: Vec<usize> = life.iter().map(|tied| tied.position).collect();
        sort_by_aux(life);
        for (position, tied) in positions.iter().zip(life.iter()) {
            group[*position] = tied.item;
        }
    }
}

/// Sorts by a count modulo 256: the run of counts begins behind the widest gap.
fn sort_by_aux<T>(life: &mut [Tied<T>]) {
    life.sort_by_key(|tied| tied.aux);
    let count = life.len();
    let gap_before = |at: usize| {
        let before = life[(at + count - 1) % count].aux;
        life[at].aux.wrapping_sub(before)
    };
    // Of two gaps of the same width the first wins: a run that begins at zero stays as it is.
    let first = (0..count)
        .rev()
        .max_by_key(|at| gap_before(*at))
        .unwrap_or(0);
    life.rotate_left(first);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(stamp: u64, task: u64, aux: u8) -> Raw {
        let tag = Tag {
            seq: 1,
            kind: kind::RUNNING,
            aux,
        };
        [tag.to_word(), stamp, task, 0]
    }

    /// The records in order, as (task, aux); the first `split` are in ring 0, the others in ring 1.
    fn sorted(raws: &[Raw], split: u32) -> Vec<(u64, u8)> {
        let mut order: Vec<u32> = (0..raws.len() as u32).collect();
        sort(&mut order, raws, |index| usize::from(index >= split));
        let show = |index: &u32| (raws[*index as usize][2], raws[*index as usize][0] as u8);
        order.iter().map(show).collect()
    }

    #[test]
    fn stamps_come_first_then_rings_then_sequence() {
        let raws = [
            record(5, 1, 9),
            record(3, 2, 9),
            record(3, 3, 1),
            record(5, 4, 0),
        ];
        assert_eq!(sorted(&raws, 2), [(2, 9), (3, 1), (1, 9), (4, 0)]);
    }

    #[test]
    fn one_task_s_equal_stamps_go_by_count_across_rings() {
        let raws = [
            record(5, 1, 3),
            record(5, 2, 0),
            record(5, 1, 1),
            record(5, 1, 2),
        ];
        assert_eq!(sorted(&raws, 2), [(1, 1), (2, 0), (1, 2), (1, 3)]);
    }

    #[test]
    fn a_count_that_wraps_is_in_order() {
        let raws = [
            record(5, 1, 0),
            record(5, 1, 1),
            record(5, 1, 254),
            record(5, 1, 255),
        ];
        assert_eq!(sorted(&raws, 2), [(1, 254), (1, 255), (1, 0), (1, 1)]);
    }

    #[test]
    fn equal_stamps_in_one_ring_keep_their_sequence() {
        let raws = [record(5, 1, 200), record(5, 1, 7), record(5, 1, 100)];
        assert_eq!(sorted(&raws, 3), [(1, 200), (1, 7), (1, 100)]);
    }
}
