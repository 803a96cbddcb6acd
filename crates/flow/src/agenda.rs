//! Owns which nodes may start, which must wait, and which never will.
//!
//! ```text
//! waiting ──the last need is met──► ready ──next──► taken ──settle──► settled
//!    └──────a need is not met─────────────────────────────────────────► settled
//! ```

use crate::graph::Graph;
use std::collections::BTreeSet;

/// The nodes of a run by index; every node is settled once.
#[derive(Debug)]
pub(crate) struct Agenda {
    graph: Graph,
    /// How many needs of each node are not met yet.
    missing: Vec<usize>,
    is_settled: Vec<bool>,
    /// In the order of the file.
    ready: BTreeSet<usize>,
}

impl Agenda {
    pub(crate) fn new(graph: Graph) -> Agenda {
        let missing = graph.need_counts();
        let numbered = missing.iter().enumerate();
        Agenda {
            ready: numbered
                .filter(|&(_, &missing)| missing == 0)
                .map(|(node, _)| node)
                .collect(),
            is_settled: vec![false; missing.len()],
            missing,
            graph,
        }
    }

    /// Takes the next node whose needs are all met, the first in the file.
    pub(crate) fn next(&mut self) -> Option<usize> {
        self.ready.pop_first()
    }

    /// Notes the end of a node that was taken: `is_met` says whether those that need it may go on. Returns
    /// the nodes that will now never start, each with the need that it lacks, in an order in which each
    /// comes after that need.
    pub(crate) fn settle(&mut self, node: usize, is_met: bool) -> Vec<(usize, usize)> {
        assert!(!self.is_settled[node], "node {node} has ended twice");
        self.is_settled[node] = true;
        if is_met {
            for &dependent in self.graph.needed_by(node) {
                self.missing[dependent] -= 1;
                if self.missing[dependent] == 0 && !self.is_settled[dependent] {
                    self.ready.insert(dependent);
                }
            }
            return Vec::new();
        }
        let mut barred = Vec::new();
        let mut unmet = vec![node];
        while let Some(need) = unmet.pop() {
            for &dependent in self.graph.needed_by(need) {
                if !std::mem::replace(&mut self.is_settled[dependent], true) {
                    barred.push((dependent, need));
                    unmet.push(dependent);
                }
            }
        }
        barred
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn agenda(needs: &[&[usize]]) -> Agenda {
        let needs = needs.iter().map(|needs| needs.to_vec()).collect();
        Agenda::new(Graph::new(needs).expect("acyclic"))
    }

    #[test]
    fn a_node_is_ready_when_its_last_need_is_met() {
        let mut agenda = agenda(&[&[], &[], &[0, 1]]);
        assert_eq!(
            [agenda.next(), agenda.next(), agenda.next()],
            [Some(0), Some(1), None]
        );
        assert_eq!(agenda.settle(1, true), []);
        assert_eq!(agenda.next(), None);
        assert_eq!(agenda.settle(0, true), []);
        assert_eq!(agenda.next(), Some(2));
    }

    #[test]
    fn an_unmet_need_bars_all_that_hang_on_it_and_nothing_else() {
        // 3 needs 1 and 2; 4 needs 3; 5 stands alone.
        let mut agenda = agenda(&[&[], &[0], &[0], &[1, 2], &[3], &[]]);
        assert_eq!([agenda.next(), agenda.next()], [Some(0), Some(5)]);
        assert_eq!(agenda.settle(0, true), []);
        assert_eq!([agenda.next(), agenda.next()], [Some(1), Some(2)]);
        assert_eq!(agenda.settle(1, false), [(3, 1), (4, 3)]);
        // The other need of 3 is met too late.
        assert_eq!(agenda.settle(2, true), []);
        assert_eq!(agenda.next(), None);
    }

    #[test]
    #[should_panic(expected = "ended twice")]
    fn a_node_ends_once() {
        let mut agenda = agenda(&[&[]]);
        agenda.settle(0, true);
        agenda.settle(0, true);
    }

    proptest! {
        /// Run to the end in any order: every node is taken or barred exactly once; taken only after all
        /// its needs were met; barred only with a need that was not.
        #[test]
        fn every_node_starts_or_is_barred_once(
            edges in prop::collection::btree_set((0usize..10, 0usize..10), 0..25),
            fails in any::<u16>(),
            picks in prop::collection::vec(any::<prop::sample::Index>(), 10),
        ) {
            let mut needs = vec![Vec::new(); 10];
            for (node, need) in edges {
                if need < node {
                    needs[node].push(need);
                }
            }
            let mut agenda = Agenda::new(Graph::new(needs.clone()).expect("needs point backwards"));
            let mut met = [None; 10];
            let mut taken: Vec<usize> = Vec::new();
            let mut picks = picks.iter();
            loop {
                while let Some(node) = agenda.next() {
                    prop_assert!(needs[node].iter().all(|&need| met[need] == Some(true)));
                    prop_assert_eq!(met[node], None);
                    taken.push(node);
                }
                let Some(pick) = picks.next().filter(|_| !taken.is_empty()) else { break };
                let node = taken.swap_remove(pick.index(taken.len()));
                let is_met = fails >> node & 1 == 0;
                met[node] = Some(is_met);
                for (barred, need) in agenda.settle(node, is_met) {
                    prop_assert_eq!(met[barred], None);
                    prop_assert_eq!(met[need], Some(false));
                    prop_assert!(needs[barred].contains(&need));
                    met[barred] = Some(false);
                }
            }
            prop_assert!(met.iter().all(Option::is_some), "{met:?}");
        }
    }
}
