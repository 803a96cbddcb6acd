//! Tests of the fold, record by record.

use super::*;
use crate::{Failure, FailureKind, SiteId, TextId, WakeSource};
use std::time::Duration;

fn tid(number: u64) -> TaskId {
    TaskId::new(number).expect("in range")
}

fn spawned(tid: TaskId) -> TaskEvent {
    TaskEvent::Spawned {
        tid,
        parent: None,
        site: SiteId(4),
    }
}

fn by_timer(tid: TaskId) -> TaskEvent {
    let by = WakeSource::Timer;
    TaskEvent::Wake { tid, by }
}

fn sleep(tid: TaskId) -> TaskEvent {
    let dur = Duration::from_nanos(10);
    TaskEvent::Sleep { tid, dur }
}

/// Feeds `(stamp, aux, event)` in order and collects what did not fit.
fn faults(lives: &mut Lives, records: &[(u64, u8, TaskEvent)]) -> Vec<Fault> {
    let mut found = Vec::new();
    for (stamp, aux, event) in records {
        found.extend(lives.feed(*stamp, *aux, event).and_then(|step| step.fault));
    }
    found
}

#[test]
fn a_life_that_has_ended_is_the_same_as_of_any_later_stamp() {
    let (mut lives, tid) = (Lives::whole(), tid(9));
    let running = (103, 1, TaskEvent::Running { tid });
    faults(&mut lives, &[(100, 0, spawned(tid)), running]);
    let life = lives.of(tid).expect("fed").as_of(300);
    assert_eq!((life.since, life.run_ticks), (300, 197));
    faults(&mut lives, &[(110, 2, TaskEvent::Done { tid })]);
    let life = lives.of(tid).expect("fed");
    assert_eq!(life.as_of(300), *life);
}

#[test]
fn run_wait_and_ready_partition_a_life() {
    let (mut lives, tid) = (Lives::whole(), tid(9));
    let text = TextId(0);
    let error = Failure {
        kind: FailureKind::Error,
        text,
    };
    let records = [
        (100, 0, spawned(tid)),
        (107, 1, TaskEvent::Running { tid }),
        (110, 2, sleep(tid)),
        (150, 3, by_timer(tid)),
        (151, 4, TaskEvent::Running { tid }),
        (155, 5, TaskEvent::Wait { tid }),
        (156, 6, by_timer(tid)),
        (160, 7, TaskEvent::Running { tid }),
        (161, 8, TaskEvent::Failed { tid, error }),
    ];
    assert_eq!(faults(&mut lives, &records), []);
    let life = lives.of(tid).expect("fed");
    assert_eq!((life.run_ticks, life.ready_ticks), (3 + 4 + 1, 7 + 1 + 4));
    assert_eq!(life.wait_ticks, [40, 0, 0, 0, 1]);
    let sum = life.run_ticks + life.ready_ticks + life.wait_total_ticks();
    assert_eq!(sum, life.since - life.first);
    assert_eq!((life.polls, life.failure), (3, Some(error)));
    assert_eq!(life.site, Some(SiteId(4)));
}

#[test]
fn the_count_of_transitions_goes_on_from_255_to_0() {
    let (mut lives, tid) = (Lives::from_horizon(0), tid(1));
    let records = [
        (10, 255, by_timer(tid)),
        (11, 0, TaskEvent::Running { tid }),
    ];
    assert_eq!(faults(&mut lives, &records), []);
}

#[test]
fn a_spawn_is_transition_zero() {
    let (mut lives, tid) = (Lives::whole(), tid(1));
    let (expected, found) = (0, 3);
    let gap = Fault::Gap { expected, found };
    assert_eq!(faults(&mut lives, &[(10, 3, spawned(tid))]), [gap]);
}

#[test]
fn a_record_out_of_order_is_told_and_left_out() {
    let (mut lives, tid) = (Lives::whole(), tid(1));
    let records = [
        (10, 0, spawned(tid)),
        (20, 2, sleep(tid)),
        (21, 1, TaskEvent::Running { tid }),
        (30, 3, by_timer(tid)),
    ];
    let gap = Fault::Gap {
        expected: 1,
        found: 2,
    };
    let disorder = Fault::Disorder {
        expected: 3,
        found: 1,
    };
    assert_eq!(faults(&mut lives, &records), [gap, disorder]);
    let life = lives.of(tid).expect("fed");
    assert_eq!((life.state, life.polls), (TaskState::Scheduled, 0));
}

#[test]
fn a_missing_record_is_one_gap_and_its_time_is_nobodys() {
    let (mut lives, tid) = (Lives::whole(), tid(1));
    let records = [
        (10, 0, spawned(tid)),
        (11, 1, TaskEvent::Running { tid }),
        (20, 3, by_timer(tid)),
        (25, 4, TaskEvent::Running { tid }),
    ];
    let (expected, found) = (2, 3);
    assert_eq!(
        faults(&mut lives, &records),
        [Fault::Gap { expected, found }]
    );
    let life = lives.of(tid).expect("fed");
    assert_eq!(
        (life.run_ticks, life.ready_ticks, life.faults),
        (0, 1 + 5, 1)
    );
}

#[test]
fn a_run_without_a_wake_and_a_stamp_that_goes_back_are_told() {
    let (mut lives, tid) = (Lives::whole(), tid(1));
    let records = [
        (10, 0, spawned(tid)),
        (11, 1, TaskEvent::Running { tid }),
        (20, 2, sleep(tid)),
        (21, 3, TaskEvent::Running { tid }),
        (18, 4, TaskEvent::Done { tid }),
    ];
    let waiting = TaskState::Sleeping;
    assert_eq!(
        faults(&mut lives, &records),
        [
            Fault::Rule(Violation::RanUnwoken { waiting }),
            Fault::Backwards { by_ticks: 3 },
        ]
    );
}

#[test]
fn behind_the_horizon_a_life_may_begin_anywhere_and_is_judged_from_there() {
    let (mut lives, tid) = (Lives::from_horizon(50), tid(1));
    let records = [
        (49, 7, TaskEvent::Done { tid }),
        (50, 8, by_timer(tid)),
        (60, 9, by_timer(tid)),
    ];
    let state = TaskState::Scheduled;
    assert_eq!(
        faults(&mut lives, &records),
        [Fault::Rule(Violation::WokenAwake { state })]
    );
    assert_eq!(lives.of(tid).expect("fed").site, None);
}

#[test]
fn a_stall_is_no_step() {
    let (mut lives, tid) = (Lives::whole(), tid(1));
    let busy = Duration::from_millis(20);
    let stalled = TaskEvent::Stalled {
        tid,
        worker: 0,
        busy,
        queued: 0,
        others: 0,
    };
    assert!(lives.feed(1, 0, &stalled).is_none());
    assert_eq!(lives.iter().count(), 0);
}

#[test]
fn who_gives_up_tasks_that_have_ended_keeps_the_last_ones_and_knows_the_ends_of_all() {
    let mut lives = Lives::whole().giving_up_ended();
    let count = LastEnded::MAX as u64 + 1000;
    for number in 1..=count {
        let (tid, stamp) = (tid(number), number * 10);
        lives.feed(stamp, 0, &spawned(tid));
        // One in a hundred lives on.
        if number % 100 != 0 {
            lives.feed(stamp + 1, 1, &TaskEvent::Running { tid });
            lives.feed(stamp + 2, 2, &TaskEvent::Done { tid });
        }
    }
    let ended = count - count / 100;
    assert_eq!(lives.given_up(), ended - 1 - LastEnded::MAX as u64);
    assert_eq!(
        lives.given_up() + lives.iter().count() as u64,
        count,
        "each is counted once"
    );
    assert_eq!(lives.of(tid(1)), None);
    assert!(lives.of(tid(100)).is_some() && lives.of(tid(count - 1)).is_some());

    let fault = |lives: &mut Lives, number| {
        let event = TaskEvent::Running { tid: tid(number) };
        let step = lives.feed(u64::MAX, 3, &event).expect("a transition");
        step.fault
    };
    let after_end = Some(Fault::Rule(Violation::AfterEnd {
        end: TaskState::Done,
        entered: TaskState::Running,
    }));
    assert_eq!(fault(&mut lives, 1), after_end, "it was given up");
    assert_eq!(fault(&mut lives, count - 1), after_end, "it was kept");
}

/// A gap that lost nothing that was counted.
fn gap(from: u64, to: u64) -> Gap {
    Gap {
        from,
        to,
        records: 0,
        causes: Vec::new(),
    }
}

#[test]
fn a_record_that_came_late_and_is_stamped_within_a_gap_is_left_out() {
    let tid = tid(1);
    let mut lives = Lives::whole().with_gaps(&[gap(20, 50)]);
    let records = [
        (10, 0, spawned(tid)),
        (20, 1, TaskEvent::Running { tid }),
        // What lies between is lost, such as a sleep.
        (40, 5, by_timer(tid)),
        (50, 6, TaskEvent::Running { tid }),
        (60, 7, TaskEvent::Done { tid }),
    ];
    assert_eq!(faults(&mut lives, &records), []);
    let life = lives.of(tid).expect("fed");
    assert_eq!((life.polls, life.run_ticks, life.ready_ticks), (2, 10, 10));
    assert_eq!((life.state, life.has_gap), (TaskState::Done, true));
}

#[test]
fn a_task_whose_only_late_record_lies_in_a_gap_is_not_known_before_its_first_behind_it() {
    let tid = tid(1);
    let mut lives = Lives::whole().with_gaps(&[gap(20, 50)]);
    assert_eq!(faults(&mut lives, &[(40, 0, spawned(tid))]), []);
    assert_eq!(lives.of(tid), None);
    let records = [(50, 3, TaskEvent::Running { tid })];
    assert_eq!(faults(&mut lives, &records), []);
    assert_eq!(lives.of(tid).expect("fed").first, 50);
}

#[test]
fn who_gives_up_tasks_that_have_ended_gives_up_those_whose_end_may_lie_in_a_gap() {
    let (windows, each) = (40, LastEnded::MAX as u64 / 8);
    let gaps: Vec<Gap> = (1..=windows)
        .map(|n| gap(n * 100_000 - 1, n * 100_000))
        .collect();
    let mut lives = Lives::whole().with_gaps(&gaps).giving_up_ended();
    lives.feed(0, 0, &spawned(tid(1)));
    let (mut next, mut most, mut fault) = (1, 0, None);
    for window in 0..windows {
        for n in 0..each {
            next += 1;
            let step = lives.feed(window * 100_000 + n, 0, &spawned(tid(next)));
            fault = fault.or(step.expect("a transition").fault);
        }
        most = most.max(lives.iter().count());
    }
    assert_eq!(fault, None);
    assert!(most as u64 <= LastEnded::MAX as u64 + 2 * each, "{most}");
    let told = |lives: &Lives| lives.given_up_unseen() + lives.iter().count() as u64;
    assert_eq!(told(&lives), next, "each is counted once");
    assert_eq!((lives.of(tid(1)), lives.given_up()), (None, 0));

    // The first one was given up, and lived on; where it was spawned is kept, its beginning is not.
    let aux = 77;
    let step = lives.feed(windows * 100_000, aux, &TaskEvent::Running { tid: tid(1) });
    let step = step.expect("a transition");
    assert_eq!((step.before, step.fault), (None, None));
    assert!(step.life.has_gap);
    assert_eq!(
        (step.life.site, step.life.spawned_at()),
        (None, Some(SiteId(4)))
    );
    assert_eq!(told(&lives), next);
}
