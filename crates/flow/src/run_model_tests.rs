//! Any flow, any outcomes, any seed. Properties: every node ends once; one starts only after all its needs
//! have succeeded; what needs a node that did not is not started; no lane holds more than its limit; the same
//! seed gives the same run.

use crate::fake::{Bench, Script};
use crate::outcome::Outcome;
use proptest::prelude::*;
use std::collections::HashMap;

const LIMIT: usize = 2;

#[derive(Clone, Debug)]
struct Plan {
    /// For each node: which of those before it it needs, by bit; how long its command takes; whether it
    /// fails; whether it runs on the narrow lane.
    nodes: Vec<(u16, u64, bool, bool)>,
    seed: u64,
}

fn plan() -> impl Strategy<Value = Plan> {
    let node = (
        any::<u16>(),
        0u64..40,
        prop::bool::weighted(0.2),
        any::<bool>(),
    );
    let nodes = prop::collection::vec(node, 1..10);
    (nodes, any::<u64>()).prop_map(|(nodes, seed)| Plan { nodes, seed })
}

impl Plan {
    fn needs(&self, node: usize) -> Vec<usize> {
        // A third of the possible needs, so that flows are neither chains nor loose.
        let bits = self.nodes[node].0 & self.nodes[node].0.rotate_left(5);
        (0..node).filter(|need| bits >> need & 1 == 1).collect()
    }

    fn bench(&self) -> Bench {
        let lines: Vec<(String, String)> = (0..self.nodes.len())
            .map(|node| {
                let needs: Vec<String> = self
                    .needs(node)
                    .iter()
                    .map(|need| format!("\"n{need}\""))
                    .collect();
                let lane = if self.nodes[node].3 {
                    "narrow"
                } else {
                    "default"
                };
                let lines = format!("needs = [{}]\nlane = \"{lane}\"", needs.join(", "));
                (format!("n{node}"), lines)
            })
            .collect();
        let nodes: Vec<(&str, &str)> = lines
            .iter()
            .map(|(name, lines)| (&**name, &**lines))
            .collect();
        let scripts: Vec<[Script; 1]> = self
            .nodes
            .iter()
            .map(|&(_, lasts_ms, fails, _)| [Script::exits(i32::from(fails), lasts_ms)])
            .collect();
        let scripts: Vec<(&str, &[Script])> = nodes
            .iter()
            .zip(&scripts)
            .map(|((name, _), script)| (*name, &script[..]))
            .collect();
        let head = format!("[lanes.narrow]\nlimit = {LIMIT}");
        Bench::seeded(self.seed, &head, &nodes, &scripts)
    }

    /// Which nodes are started, and which of these succeed.
    fn fates(&self) -> Vec<(bool, bool)> {
        let mut fates: Vec<(bool, bool)> = Vec::new();
        for (node, &(_, _, fails, _)) in self.nodes.iter().enumerate() {
            let starts = self.needs(node).iter().all(|&need| fates[need].1);
            fates.push((starts, starts && !fails));
        }
        fates
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_flow_runs_as_its_graph_and_lanes_say(plan in plan()) {
        let bench = plan.bench();
        let report = bench.run();
        for ((row, (starts, succeeds)), node) in report.rows.iter().zip(plan.fates()).zip(0..) {
            prop_assert_eq!(&row.node, &format!("n{node}"));
            prop_assert_eq!(row.attempts, u32::from(starts));
            prop_assert_eq!(row.outcome.is_success(), succeeds);
            prop_assert_eq!(matches!(row.outcome, Outcome::Skipped { .. }), !starts);
        }
        let mut ended: HashMap<usize, bool> = HashMap::new();
        let mut narrow = 0;
        for line in bench.runner.trace() {
            let words: Vec<&str> = line.split(' ').collect();
            let [_, what @ ("start" | "end"), name] = words[..] else { continue };
            let node: usize = name[1..].parse().expect("a node's number");
            let is_narrow = plan.nodes[node].3;
            if what == "start" {
                prop_assert!(plan.needs(node).iter().all(|need| ended.get(need) == Some(&true)));
                narrow += usize::from(is_narrow);
                prop_assert!(narrow <= LIMIT);
            } else {
                narrow -= usize::from(is_narrow);
                prop_assert_eq!(ended.insert(node, !plan.nodes[node].2), None);
            }
        }
        let again = plan.bench();
        prop_assert_eq!(again.run(), report);
        prop_assert_eq!(again.runner.trace(), bench.runner.trace());
    }
}
