//! Owns the rows of a run while it is under way, and says of each node how it ended.

use crate::agenda::Agenda;
use crate::cancel::Cancel;
use crate::flow::Flow;
use crate::outcome::Outcome;
use crate::progress::Progress;
use crate::report::Row;
use glasshouse_scheduler::JoinError;

/// The nodes of a run: which may start, and how the others ended.
pub(crate) struct Board<'a, P> {
    flow: &'a Flow,
    cancel: &'a Cancel,
    progress: &'a P,
    agenda: Agenda,
    rows: Vec<Option<Row>>,
}

impl<'a, P: Fn(Progress)> Board<'a, P> {
    pub(crate) fn new(flow: &'a Flow, cancel: &'a Cancel, progress: &'a P) -> Board<'a, P> {
        Board {
            flow,
            cancel,
            progress,
            agenda: Agenda::new(flow.graph()),
            rows: vec![None; flow.nodes().len()],
        }
    }

    /// The next node to start, by index. None starts once the run is cancelled.
    pub(crate) fn next(&mut self) -> Option<usize> {
        loop {
            let index = self.agenda.next()?;
            if !self.cancel.is_cancelled() {
                return Some(index);
            }
            self.close(index, self.not_started(index, Outcome::Cancelled));
        }
    }

    /// Notes the end of a node's task.
    pub(crate) fn end(&mut self, index: usize, result: Result<Row, JoinError>) {
        let row = result.unwrap_or_else(|error| self.not_started(index, outcome_of(error)));
        self.close(index, row);
    }

    /// One row for each node, in the order of the file.
    pub(crate) fn into_rows(self) -> Vec<Row> {
        // A run goes on until nothing is left to start and nothing runs; a graph without a cycle then has
        // no node left that was not settled.
        let settled = self.rows.into_iter().flatten();
        let rows: Vec<Row> = settled.collect();
        assert_eq!(rows.len(), self.flow.nodes().len(), "a node was forgotten");
        rows
    }

    fn close(&mut self, index: usize, row: Row) {
        let is_met = row.outcome.is_success();
        self.note(index, row);
        for (barred, need) in self.agenda.settle(index, is_met) {
            let outcome = match self.cancel.is_cancelled() {
                true => Outcome::Cancelled,
                false => Outcome::Skipped {
                    need: self.flow.nodes()[need].name.clone(),
                },
            };
            self.note(barred, self.not_started(barred, outcome));
        }
    }

    fn note(&mut self, index: usize, row: Row) {
        (self.progress)(Progress::Finished { row: row.clone() });
        self.rows[index] = Some(row);
    }

    fn not_started(&self, index: usize, outcome: Outcome) -> Row {
        Row::not_started(&self.flow.nodes()[index], outcome)
    }
}

/// What became of a node whose task has no output.
fn outcome_of(error: JoinError) -> Outcome {
    let text = error.to_string();
    match error.try_into_panic() {
        Ok(payload) => Outcome::Panic {
            error: panic_text(&*payload).unwrap_or(text),
        },
        // Its scheduler ended first.
        Err(error) if error.is_cancelled() => Outcome::Cancelled,
        Err(_) => Outcome::SpawnError { error: text },
    }
}

fn panic_text(payload: &(dyn std::any::Any + Send)) -> Option<String> {
    let literal = payload.downcast_ref::<&str>().map(|text| text.to_string());
    literal.or_else(|| payload.downcast_ref::<String>().cloned())
}
