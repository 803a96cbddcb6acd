//! Owns the order in which nodes need one another, and finds the cycle that forbids one.

/// Nodes by index, with the edges in both directions.
///
/// Invariant: every index is below the number of nodes, and there is no cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Graph {
    needs: Vec<Vec<usize>>,
    needed_by: Vec<Vec<usize>>,
}

impl Graph {
    /// The graph of these needs; `Err` holds a cycle's members, each needing the next, beginning with the
    /// one of the lowest index.
    ///
    /// # Panics
    ///
    /// If a need is not the index of a node.
    pub(crate) fn new(needs: Vec<Vec<usize>>) -> Result<Graph, Vec<usize>> {
        if let Some(cycle) = find_cycle(&needs) {
            return Err(cycle);
        }
        let mut needed_by = vec![Vec::new(); needs.len()];
        for (node, its_needs) in needs.iter().enumerate() {
            for &need in its_needs {
                needed_by[need].push(node);
            }
        }
        Ok(Graph { needs, needed_by })
    }

    /// How many needs each node has.
    pub(crate) fn need_counts(&self) -> Vec<usize> {
        self.needs.iter().map(Vec::len).collect()
    }

    /// The nodes that need this one, in ascending order.
    pub(crate) fn needed_by(&self, node: usize) -> &[usize] {
        &self.needed_by[node]
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Visit {
    Never,
    OnPath,
    Finished,
}

/// Depth first with a path of its own: a chain as long as the file allows would overflow the call stack.
fn find_cycle(needs: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut visits = vec![Visit::Never; needs.len()];
    // Each entry is a node and how many of its needs have been followed.
    let mut path: Vec<(usize, usize)> = Vec::new();
    for start in 0..needs.len() {
        if visits[start] == Visit::Never {
            visits[start] = Visit::OnPath;
            path.push((start, 0));
        }
        while let Some((node, followed)) = path.last_mut() {
            let Some(&need) = needs[*node].get(*followed) else {
                visits[*node] = Visit::Finished;
                path.pop();
                continue;
            };
            *followed += 1;
            match visits[need] {
                Visit::Never => {
                    visits[need] = Visit::OnPath;
                    path.push((need, 0));
                }
                Visit::OnPath => return Some(cycle_from(&path, need)),
                Visit::Finished => {}
            }
        }
    }
    None
}

fn cycle_from(path: &[(usize, usize)], first: usize) -> Vec<usize> {
    let on_path = path.iter().map(|&(node, _)| node);
    let mut cycle: Vec<usize> = on_path.skip_while(|&node| node != first).collect();
    let lowest = (0..cycle.len()).min_by_key(|&at| cycle[at]).unwrap_or(0);
    cycle.rotate_left(lowest);
    cycle
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cycle_behind_other_nodes_is_found_alone_and_starts_at_its_lowest() {
        // 0 needs 3; 3 needs 2; 2 needs 1; 1 needs 3.
        let cycle = Graph::new(vec![vec![3], vec![3], vec![1], vec![2]]);
        assert_eq!(cycle, Err(vec![1, 3, 2]));
    }

    #[test]
    fn a_node_that_needs_itself_is_a_cycle_of_one() {
        assert_eq!(Graph::new(vec![vec![], vec![1]]), Err(vec![1]));
    }

    #[test]
    fn a_diamond_is_no_cycle() {
        let graph = Graph::new(vec![vec![], vec![0], vec![0], vec![1, 2]]).expect("acyclic");
        assert_eq!(graph.needed_by(0), [1, 2]);
        assert_eq!(graph.need_counts(), [0, 1, 1, 2]);
    }

    #[test]
    fn a_chain_of_a_million_nodes_is_walked() {
        let needs = (0..1_000_000).map(|node| (node > 0).then(|| node - 1).into_iter().collect());
        assert!(Graph::new(needs.collect()).is_ok());
    }

    proptest! {
        /// The model: repeatedly take away nodes whose needs are all gone; what stays has a cycle.
        #[test]
        fn a_cycle_is_found_exactly_where_no_order_exists(
            edges in prop::collection::vec((0usize..12, 0usize..12), 0..30),
        ) {
            let mut needs = vec![Vec::new(); 12];
            for (node, need) in edges {
                needs[node].push(need);
            }
            let mut left: Vec<usize> = (0..12).collect();
            loop {
                let before = left.clone();
                left.retain(|&node| needs[node].iter().any(|need| before.contains(need)));
                if left == before {
                    break;
                }
            }
            match Graph::new(needs.clone()) {
                Ok(_) => prop_assert!(left.is_empty()),
                Err(cycle) => {
                    for (at, &node) in cycle.iter().enumerate() {
                        let next = cycle[(at + 1) % cycle.len()];
                        prop_assert!(needs[node].contains(&next), "{node} does not need {next}");
                        prop_assert!(left.contains(&node));
                    }
                    prop_assert_eq!(cycle.first(), cycle.iter().min());
                }
            }
        }
    }
}
