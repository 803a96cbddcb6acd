//! Owns one reading of the schedulers' series: how readings add up, and how they are written as text.

use crate::catalog::{
    DEPTH, ENDED, ENDS, FAMILIES, Family, Kind, READY, RUN, STATE_LABEL, STATES, THROTTLED, WAIT,
};
use crate::meter::{SAMPLES, STATES as STATE_NUMBERS};
use crate::meters::Meters;
use glasshouse_pal::TaskState;
use std::fmt::{self, Write};
use std::sync::Arc;

/// The sum of any number of schedulers' series.
#[derive(Clone, Debug, Default)]
pub(super) struct Scrape {
    pub(super) depth: u64,
    /// By number of state.
    pub(super) states: [u64; STATE_NUMBERS],
    /// In the order of [`crate::meter::Sample`].
    pub(super) histograms: [Histogram; SAMPLES],
}

/// One histogram, summed.
#[derive(Clone, Debug, Default)]
pub(super) struct Histogram {
    /// One entry for each set of bounds that occurs.
    parts: Vec<Part>,
    /// Whole nanoseconds: their sum does not depend on the order, so that it never falls when a
    /// scheduler's part of it moves from the living to the ended.
    sum_ns: u128,
}

#[derive(Clone, Debug)]
struct Part {
    /// In seconds, without the infinite one.
    bounds: Arc<[f64]>,
    /// By bucket, not cumulated, with the infinite one.
    counts: Vec<u64>,
}

impl Scrape {
    /// Adds a scheduler's counters and histograms; not its depth, which ends with it.
    pub(super) fn add_totals(&mut self, meters: &Meters) {
        let totals = meters.totals();
        for (sum, count) in self.states.iter_mut().zip(totals.states) {
            *sum += count;
        }
        for (histogram, total) in self.histograms.iter_mut().zip(&totals.histograms) {
            let sum_ns = meters.ns(total.sum_raw);
            histogram.add(meters.seconds(), &total.counts, u128::from(sum_ns));
        }
    }

    /// Whether no scheduler has reported yet.
    pub(super) fn is_empty(&self) -> bool {
        self.histograms
            .iter()
            .all(|histogram| histogram.parts.is_empty())
    }

    /// Writes every family in Prometheus' text format.
    pub(super) fn write(&self, out: &mut String) -> fmt::Result {
        for family in FAMILIES {
            self.write_family(family, out)?;
        }
        Ok(())
    }

    fn write_family(&self, family: &Family, out: &mut String) -> fmt::Result {
        let name = family.name;
        let kind = match family.kind {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
            Kind::Histogram => "histogram",
        };
        writeln!(out, "# HELP {name} {}", family.help)?;
        writeln!(out, "# TYPE {name} {kind}")?;
        // Text format 0.0.4 has no units: to its readers this line is a comment, to OpenMetrics' it is the unit.
        writeln!(out, "# UNIT {name} {}", family.unit.as_str())?;
        let state = |state: TaskState| self.states[state as usize];
        match name {
            name if name == DEPTH.name => writeln!(out, "{name} {}", self.depth)?,
            name if name == THROTTLED.name => {
                writeln!(out, "{name} {}", state(TaskState::Throttled))?;
            }
            name if name == ENDED.name => write_states(out, name, &ENDS, state)?,
            name if name == STATES.name => write_states(out, name, &TaskState::ALL, state)?,
            name => {
                let index = [RUN.name, WAIT.name, READY.name]
                    .iter()
                    .position(|&histogram| histogram == name);
                if let Some(index) = index {
                    self.histograms[index].write(name, out)?;
                }
            }
        }
        out.write_char('\n')
    }
}

fn write_states(
    out: &mut String,
    name: &str,
    states: &[TaskState],
    count: impl Fn(TaskState) -> u64,
) -> fmt::Result {
    states.iter().try_for_each(|&state| {
        let count = count(state);
        writeln!(out, "{name}{{{STATE_LABEL}=\"{}\"}} {count}", state.name())
    })
}

impl Histogram {
    /// Adds counts by bucket (not cumulated) and a sum.
    pub(super) fn add(&mut self, bounds: &Arc<[f64]>, counts: &[u64], sum_ns: u128) {
        self.sum_ns += sum_ns;
        match self.parts.iter_mut().find(|part| part.bounds == *bounds) {
            Some(part) => {
                for (sum, count) in part.counts.iter_mut().zip(counts) {
                    *sum += count;
                }
            }
            None => self.parts.push(Part {
                bounds: bounds.clone(),
                counts: counts.to_vec(),
            }),
        }
    }

    /// Samples not above `bound`, which must be a bound of every part.
    fn within(&self, bound: f64) -> u64 {
        let parts = self.parts.iter();
        parts
            .map(|part| {
                let buckets = part.bounds.iter().take_while(|&&b| b <= bound).count();
                part.counts[..buckets].iter().sum::<u64>()
            })
            .sum()
    }

    /// The bounds that all parts share: only there a sum over schedulers with different bounds is known.
    fn common_bounds(&self) -> impl Iterator<Item = f64> {
        let (first, others) = match self.parts.split_first() {
            Some((first, others)) => (&*first.bounds, others),
            None => (&[][..], &[][..]),
        };
        let shared = move |bound: &f64| others.iter().all(|part| part.bounds.contains(bound));
        first.iter().copied().filter(shared)
    }

    fn write(&self, name: &str, out: &mut String) -> fmt::Result {
        for bound in self.common_bounds() {
            let within = self.within(bound);
            writeln!(out, "{name}_bucket{{le=\"{bound}\"}} {within}")?;
        }
        let count = self.within(f64::INFINITY) + self.beyond();
        writeln!(out, "{name}_bucket{{le=\"+Inf\"}} {count}")?;
        // Exact in nanoseconds up to 104 days; beyond, a double's precision, as Prometheus reads it anyway.
        let sum = self.sum_ns as f64 / 1e9;
        writeln!(out, "{name}_sum {sum}")?;
        writeln!(out, "{name}_count {count}")
    }

    /// Samples above every finite bound.
    fn beyond(&self) -> u64 {
        let last = |part: &Part| part.counts.last().copied().unwrap_or(0);
        self.parts.iter().map(last).sum()
    }
}

/// A duration in seconds, as pushed samples come, in whole nanoseconds.
pub(super) fn whole_ns(duration_seconds: f64) -> u64 {
    (duration_seconds * 1e9).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histograms_with_different_bounds_are_summed_where_they_share_a_bound() {
        let mut histogram = Histogram::default();
        histogram.add(
            &[0.001, 0.01, 0.5].as_slice().into(),
            &[1, 2, 3, 4],
            1_000_000_000,
        );
        histogram.add(
            &[0.01, 0.5, 2.0].as_slice().into(),
            &[10, 20, 30, 40],
            500_000_000,
        );
        histogram.add(&[0.001, 0.01, 0.5].as_slice().into(), &[1, 0, 0, 0], 1);
        let mut text = String::new();
        histogram.write("h", &mut text).expect("a string takes it");
        let expected = "h_bucket{le=\"0.01\"} 14\n\
                        h_bucket{le=\"0.5\"} 37\n\
                        h_bucket{le=\"+Inf\"} 111\n\
                        h_sum 1.500000001\n\
                        h_count 111\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_family_shows_its_help_type_and_unit() {
        let mut text = String::new();
        Scrape::default()
            .write(&mut text)
            .expect("a string takes it");
        for family in FAMILIES {
            let help = format!("# HELP {} {}\n", family.name, family.help);
            let unit = format!("# UNIT {} {}\n", family.name, family.unit.as_str());
            assert!(text.contains(&help), "{text}");
            assert!(text.contains(&unit), "{text}");
            assert!(text.contains(&format!("# TYPE {} ", family.name)), "{text}");
        }
    }
}
