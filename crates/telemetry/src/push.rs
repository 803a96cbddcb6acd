//! Owns the handles by which a scheduler's metrics are pushed into a `metrics` recorder as they happen.
//!
//! Handles are registered once, when the scheduler is built, with the recorder that is current then:
//! a handle made before a recorder exists would stay silent for ever. A panic of the recorder's is contained,
//! each time that it is told of something.

use crate::catalog::{self, DEPTH, ENDED, ENDS, READY, RUN, STATE_LABEL, STATES, THROTTLED, WAIT};
use crate::depth::Depth;
use crate::meter::Sample;
use glasshouse_pal::{Foreign, TaskState, contain};
use metrics::{Counter, Gauge, Histogram, IntoF64, Key, Label, Level, Metadata, Recorder};
use std::cell::Cell;
use std::sync::atomic::{Ordering, fence};

/// The scheduler's handles in one recorder.
#[derive(Debug)]
pub(crate) struct Push {
    depth: Gauge,
    states: [Counter; TaskState::ALL.len()],
    ended: [Counter; ENDS.len()],
    throttled: Counter,
    /// In the order of [`Sample`].
    samples: [Histogram; 3],
}

impl Push {
    /// Describes the scheduler's metrics to `recorder` and registers them; `None` if that is no recorder
    /// at all, so that the hot path asks once instead of once a handle.
    pub(crate) fn into_recorder(recorder: &dyn Recorder) -> Option<Push> {
        catalog::describe(recorder);
        let metadata = Metadata::new("glasshouse", Level::INFO, Some(module_path!()));
        let by_state = |name, state: TaskState| {
            let label = Label::from_static_parts(STATE_LABEL, state.name());
            recorder.register_counter(&Key::from_parts(name, vec![label]), &metadata)
        };
        let histogram = |name| recorder.register_histogram(&Key::from_static_name(name), &metadata);
        let push = Push {
            depth: recorder.register_gauge(&Key::from_static_name(DEPTH.name), &metadata),
            states: TaskState::ALL.map(|state| by_state(STATES.name, state)),
            ended: ENDS.map(|state| by_state(ENDED.name, state)),
            throttled: recorder.register_counter(&Key::from_static_name(THROTTLED.name), &metadata),
            samples: [RUN.name, WAIT.name, READY.name].map(histogram),
        };
        (size_of_val(recorder) != 0 || push.is_heard()).then_some(push)
    }

    /// Whether the gauge or a histogram reaches anybody.
    ///
    /// Where no recorder is installed, `metrics` hands out its no-op one, which cannot be told by type.
    /// It has no size, and its handles do not convert what they are given. A recorder of no size
    /// that keeps counters only is taken for it; such a recorder needs a field to be heard.
    fn is_heard(&self) -> bool {
        let converted = Cell::new(false);
        let asked = contain(Foreign::Recorder, || {
            self.depth.set(Probe(&converted));
            for samples in &self.samples {
                samples.record_many(Probe(&converted), 0);
            }
        });
        // One that panics is no no-op.
        asked.is_none() || converted.get()
    }

    /// Sets the gauge to the present depth.
    ///
    /// Two workers may both move the depth, read it, and set what they read in the wrong order.
    /// So each sets again until the depth it set is still the present one: whoever sets last has
    /// looked after setting, and saw no other's move. A mover whose move it could not yet see
    /// passes its first fence after this one's last, therefore sets later, and is the last instead.
    /// It ends as soon as nobody moves the depth in between; each further round means that somebody did.
    pub(crate) fn depth(&self, depth: &Depth) {
        loop {
            fence(Ordering::SeqCst);
            let present = depth.read();
            // Exact up to 2^53 tasks.
            contain(Foreign::Recorder, || self.depth.set(present as f64));
            fence(Ordering::SeqCst);
            if depth.read() == present {
                return;
            }
        }
    }

    /// Counts a transition into `state`.
    pub(crate) fn entered(&self, state: TaskState) {
        contain(Foreign::Recorder, || self.count(state));
    }

    /// Records a duration in nanoseconds.
    pub(crate) fn sample(&self, kind: Sample, ns: u64) {
        contain(Foreign::Recorder, || {
            self.samples[kind as usize].record(seconds(ns));
        });
    }

    fn count(&self, state: TaskState) {
        self.states[state as usize - 1].increment(1);
        match state {
            TaskState::Throttled => self.throttled.increment(1),
            TaskState::Done => self.ended[0].increment(1),
            TaskState::Failed => self.ended[1].increment(1),
            _ => {}
        }
    }
}

/// Nanoseconds as seconds. The division is rounded correctly, so that a duration equal to a bound
/// written in decimal is equal to it as a number too.
pub(crate) fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}

/// A zero that notes when a handle looks at it.
struct Probe<'a>(&'a Cell<bool>);

impl IntoF64 for Probe<'_> {
    fn into_f64(self) -> f64 {
        self.0.set(true);
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Registry;

    #[test]
    fn without_a_recorder_there_is_nothing_to_push_into() {
        assert!(metrics::with_recorder(Push::into_recorder).is_none());
        assert!(Push::into_recorder(&metrics::NoopRecorder).is_none());
    }

    #[test]
    fn a_recorder_hears_every_state_under_its_own_label() {
        let registry = Registry::new();
        let push = Push::into_recorder(&registry).expect("a registry records");
        for (i, state) in TaskState::ALL.into_iter().enumerate() {
            for _ in 0..=i {
                push.entered(state);
            }
        }
        for (i, state) in TaskState::ALL.into_iter().enumerate() {
            let labels = [(STATE_LABEL, state.name())];
            let count = registry.counter_with(STATES.name, &labels);
            assert_eq!(count, Some(i as u64 + 1), "{state:?}");
        }
        let ended = |state| registry.counter_with(ENDED.name, &[(STATE_LABEL, state)]);
        assert_eq!(ended("done"), Some(10));
        assert_eq!(ended("failed"), Some(11));
        assert_eq!(registry.counter(THROTTLED.name), Some(4));
    }

    #[test]
    fn asking_whether_a_recorder_hears_leaves_no_sample() {
        let registry = Registry::new();
        let push = Push::into_recorder(&registry).expect("a registry records");
        assert!(push.is_heard());
        assert!(registry.histogram(RUN.name).is_empty());
    }

    #[test]
    fn a_bound_in_decimal_equals_its_nanoseconds_in_seconds() {
        for bound in crate::catalog::DEFAULT_BUCKETS {
            assert_eq!(seconds(crate::buckets::bound_ns(bound)), bound);
        }
    }

    #[test]
    fn racing_pushes_and_pops_leave_the_gauge_at_the_depth() {
        let registry = Registry::new();
        let push = Push::into_recorder(&registry).expect("a registry records");
        let depth = Depth::new(2);
        for round in 1..=200 {
            std::thread::scope(|scope| {
                for worker in 0..2 {
                    let (push, depth) = (&push, &depth);
                    scope.spawn(move || {
                        depth.flow(Some(worker)).pushed();
                        push.depth(depth);
                        if worker == 1 {
                            depth.flow(Some(worker)).popped();
                            push.depth(depth);
                        }
                    });
                }
            });
            assert_eq!(registry.gauge(DEPTH.name), Some(f64::from(round)));
        }
    }
}
