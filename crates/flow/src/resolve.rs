//! Owns the names by which nodes refer to one another and to lanes: each must be there, once, and lead to
//! no cycle.

use crate::draft::Draft;
use crate::error::{FlowError, Problem};
use crate::flow::{DEFAULT_LANE, LaneLimit};
use crate::graph::Graph;
use crate::source::{Source, excerpt};
use crate::suggestion::nearest;
use std::collections::{HashMap, HashSet};

/// Refuses drafts whose names do not resolve.
pub(crate) fn resolve(
    source: Source<'_>,
    lanes: &[LaneLimit],
    drafts: &[Draft],
) -> Result<(), FlowError> {
    let mut by_name: HashMap<&str, usize> = HashMap::new();
    for (index, draft) in drafts.iter().enumerate() {
        if let Some(first) = by_name.insert(&draft.node.name, index) {
            let problem = Problem::DuplicateNode {
                name: draft.node.name.clone(),
                first_line: source.place(drafts[first].name_at).line,
            };
            return Err(source.error(&(draft.name_at..draft.name_at), problem));
        }
    }
    let mut needs = Vec::with_capacity(drafts.len());
    for draft in drafts {
        check_lane(source, lanes, draft)?;
        needs.push(check_needs(source, &by_name, draft)?);
    }
    let Err(cycle) = Graph::new(needs) else {
        return Ok(());
    };
    let members: Vec<String> = cycle
        .iter()
        .map(|&at| drafts[at].node.name.clone())
        .collect();
    // The need by which the first member enters the cycle; it exists, or there were no cycle.
    let entry = &members[1 % members.len()];
    let needs = &drafts[cycle[0]].needs;
    let at = needs.iter().find(|need| need.value == *entry);
    let span = at.map_or(0..0, |need| need.span.clone());
    Err(source.error(&span, Problem::Cycle { members }))
}

fn check_lane(source: Source<'_>, lanes: &[LaneLimit], draft: &Draft) -> Result<(), FlowError> {
    let Some(lane) = &draft.lane else {
        return Ok(());
    };
    let names = || lanes.iter().map(|lane| &*lane.name);
    if lane.value == DEFAULT_LANE || names().any(|name| name == lane.value) {
        return Ok(());
    }
    let problem = Problem::UnknownLane {
        lane: excerpt(&lane.value),
        suggestion: nearest(&lane.value, names()).map(String::from),
    };
    Err(source.error(&lane.span, problem))
}

fn check_needs(
    source: Source<'_>,
    by_name: &HashMap<&str, usize>,
    draft: &Draft,
) -> Result<Vec<usize>, FlowError> {
    let mut indices = Vec::with_capacity(draft.needs.len());
    let mut seen = HashSet::new();
    for need in &draft.needs {
        let Some(&index) = by_name.get(&*need.value) else {
            // Sorted, so that the same file always gets the same suggestion.
            let mut names: Vec<&str> = by_name.keys().copied().collect();
            names.sort_unstable();
            let problem = Problem::UnknownNeed {
                node: draft.node.name.clone(),
                need: excerpt(&need.value),
                suggestion: nearest(&need.value, names).map(String::from),
            };
            return Err(source.error(&need.span, problem));
        };
        if !seen.insert(index) {
            let problem = Problem::RepeatedNeed {
                node: draft.node.name.clone(),
                need: need.value.clone(),
            };
            return Err(source.error(&need.span, problem));
        }
        indices.push(index);
    }
    Ok(indices)
}
