//! Owns the bars: what must hold of a run's lines, and whether it does.

use crate::versus::line::{Allocator, Line};
use crate::versus::report::amount;
use crate::versus::statistics::{Verdict, geometric_mean, median};
use crate::versus::subject::Subject;
use crate::versus::work::Clock;

/// The geometric mean of the speeds at least.
const MEAN_SPEED_MIN: f64 = 1.5;
/// A plain yield at most, as a part of tokio's.
const YIELD_OF_TOKIO_MAX: f64 = 0.9;
/// Telemetry's share of a tick at most.
const SHARE_NS_MAX: f64 = 15.0;
const PLAIN_YIELD_ROW: &str = "yield-plain";
/// Where one task runs at a time, whatever the number of workers.
const ONE_AT_A_TIME_ROW: &str = "yield-alone";

/// A bar and what was measured of it.
#[derive(Debug)]
pub struct Bar {
    what: String,
    measured: String,
    is_met: bool,
}

impl Bar {
    pub fn text(&self) -> String {
        let verdict = if self.is_met { "met   " } else { "MISSED" };
        format!("{verdict}  {}: {}", self.what, self.measured)
    }
}

/// Every bar that these lines say something about.
pub fn all(lines: &[Line], clock: Clock) -> Vec<Bar> {
    let mut bars = Vec::new();
    for allocator in Allocator::ALL {
        let of_it: Vec<&Line> = lines.iter().filter(|l| l.allocator == allocator).collect();
        bars.extend(no_row_slower(&of_it, allocator));
        bars.extend(mean_speed(&of_it, allocator));
        bars.extend(of_it.iter().copied().filter_map(yield_of_tokio));
    }
    bars.extend(lines.iter().filter_map(|line| share(line, clock)));
    bars.extend(lines.iter().filter_map(at_most));
    bars
}

fn no_row_slower(lines: &[&Line], allocator: Allocator) -> Option<Bar> {
    let mut judged = 0;
    let mut slower = Vec::new();
    for line in lines {
        match line.against_faster_peer().and_then(|c| c.verdict) {
            None | Some(Verdict::Unknown) => {}
            Some(Verdict::Faster | Verdict::NoSlower) => judged += 1,
            Some(Verdict::Slower) => {
                judged += 1;
                slower.push(format!("{}/{}", line.title(), line.workers));
            }
        }
    }
    (judged > 0).then(|| Bar {
        what: format!("no row slower than the faster peer ({})", allocator.name()),
        measured: match slower.len() {
            0 => format!("none of {judged}"),
            count => format!("{count} of {judged}: {}", slower.join(", ")),
        },
        is_met: slower.is_empty(),
    })
}

/// By the first figure of each row: the others, percentiles, swing too far to be averaged.
fn mean_speed(lines: &[&Line], allocator: Allocator) -> Option<Bar> {
    let speeds: Vec<f64> = lines
        .iter()
        .filter(|line| line.figure.name == line.row.figures[0].name)
        .filter_map(|line| line.against_faster_peer())
        .filter(|comparison| comparison.verdict.is_some())
        .map(|comparison| comparison.speed)
        .collect();
    let mean = geometric_mean(&speeds)?;
    Some(Bar {
        what: format!(
            "the geometric mean of {} speeds at least {MEAN_SPEED_MIN} ({})",
            speeds.len(),
            allocator.name()
        ),
        measured: format!("{mean:.2}"),
        is_met: mean >= MEAN_SPEED_MIN,
    })
}

fn yield_of_tokio(line: &Line) -> Option<Bar> {
    if line.row.name != PLAIN_YIELD_ROW {
        return None;
    }
    let part = 1.0 / line.against(Subject::Tokio)?.speed;
    Some(Bar {
        what: format!(
            "{} with {} workers at most {YIELD_OF_TOKIO_MAX} of tokio's ({})",
            line.title(),
            line.workers,
            line.allocator.name()
        ),
        measured: format!("{part:.2}"),
        is_met: part <= YIELD_OF_TOKIO_MAX,
    })
}

/// What telemetry takes of one tick on the worker that runs it. With two workers two ticks run at a time,
/// in the time that passes.
fn share(line: &Line, clock: Clock) -> Option<Bar> {
    if !line.row.is_of_ticks() {
        return None;
    }
    let (on, off) = (line.of(Subject::On)?, line.of(Subject::Off)?);
    let at_a_time = match (line.row.name, clock) {
        (ONE_AT_A_TIME_ROW, _) | (_, Clock::Processor) => 1,
        (_, Clock::Wall) => line.workers,
    };
    let shares: Vec<f64> = on
        .iter()
        .zip(off)
        .map(|(on, off)| (on - off) * at_a_time as f64)
        .collect();
    let share = median(&shares)?;
    Some(Bar {
        what: format!(
            "telemetry's share of a tick in {} with {} workers at most {SHARE_NS_MAX} ns",
            line.title(),
            line.workers
        ),
        measured: format!("{share:.1} ns"),
        is_met: share <= SHARE_NS_MAX,
    })
}

fn at_most(line: &Line) -> Option<Bar> {
    let limit = line.figure.bar.at_most()?;
    let measured = line.median_of(Subject::On)?;
    let unit = line.figure.unit;
    Some(Bar {
        what: format!(
            "{} with {} workers at most {limit} {unit}",
            line.title(),
            line.workers
        ),
        measured: format!("{} {unit}", amount(measured)),
        is_met: measured <= limit,
    })
}
