//! With the `tracing` target `pal` enabled at DEBUG, each record is also a tracing event.

use glasshouse_pal::{
    DomainEvent, Emitted, Failure, FailureKind, Field, FieldType, Interest, IoTarget, KindSpec,
    LossCause, Pal, RingOwner, RingWriter, TaskEvent, TaskId, Value, WakeSource, emit,
};
use std::cell::RefCell;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing::field::{Field as TracingField, Visit};
use tracing::{Event, Level, Metadata, Subscriber, span};

/// Keeps the target `pal`'s events as lines, and calls something on each.
struct Keep {
    lines: Arc<Mutex<Vec<String>>>,
    on_event: fn(),
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &TracingField, value: &dyn std::fmt::Debug) {
        let gap = if self.0.is_empty() { "" } else { " " };
        write!(self.0, "{gap}{}={value:?}", field.name()).expect("writing to a string");
    }
}

impl Subscriber for Keep {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "pal" && *metadata.level() <= Level::DEBUG
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        self.lines.lock().expect("not poisoned").push(line.0);
        (self.on_event)();
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// The lines that a subscriber gets while `work` records.
fn mirrored(on_event: fn(), work: impl FnOnce(&Pal, &RingWriter)) -> (Pal, Vec<String>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let pal = Pal::memory();
    let ring = pal.lease(RingOwner::Worker(0));
    let _installed = ring.install();
    let keep = Keep {
        lines: Arc::clone(&lines),
        on_event,
    };
    tracing::subscriber::with_default(keep, || work(&pal, &ring));
    let lines = lines.lock().expect("not poisoned").clone();
    (pal, lines)
}

fn nothing() {}

#[test]
fn each_event_is_mirrored_with_its_name_task_state_and_own_fields() {
    let (_, lines) = mirrored(nothing, |pal, ring| {
        let tid = TaskId::new(7).expect("in range");
        let parent = TaskId::new(2);
        let site = pal.site("src/main.rs", 1, 1, None);
        let dur = Duration::from_nanos(50);
        let io = IoTarget {
            fd: 4,
            interest: Interest::Read,
        };
        let lane = pal.text("disk");
        let error = Failure {
            kind: FailureKind::Panic,
            text: pal.text("oh no"),
        };
        let events = [
            TaskEvent::Spawned { tid, parent, site },
            TaskEvent::Running { tid },
            TaskEvent::Yield {
                tid,
                by: WakeSource::Task(tid),
            },
            TaskEvent::Throttled {
                tid,
                by: WakeSource::External,
            },
            TaskEvent::Sleep { tid, dur },
            TaskEvent::IoWait { tid, io },
            TaskEvent::JoinWait {
                tid,
                on: TaskId::new(9).expect("in range"),
            },
            TaskEvent::LaneWait { tid, lane },
            TaskEvent::Wait { tid },
            TaskEvent::Wake {
                tid,
                by: WakeSource::Lane(parent),
            },
            TaskEvent::Done { tid },
            TaskEvent::Failed { tid, error },
            TaskEvent::SpawnDenied {
                parent,
                site,
                capacity: 3,
            },
            TaskEvent::ShutdownBegin { timeout: dur },
            TaskEvent::ShutdownComplete { clean: false },
            TaskEvent::Stalled {
                tid,
                worker: 1,
                busy: dur,
                queued: 5,
                others: 0,
            },
        ];
        for event in &events {
            ring.write(1, 0, event);
        }
    });
    let expected = [
        r#"message=PAL event="spawned" tid=7 state="scheduled" parent=2 site=2"#,
        r#"message=PAL event="running" tid=7 state="running""#,
        r#"message=PAL event="yield" tid=7 state="yielded" by="task" by_task=7"#,
        r#"message=PAL event="throttled" tid=7 state="throttled" by="external""#,
        r#"message=PAL event="sleep" tid=7 state="sleeping" dur_ns=50"#,
        r#"message=PAL event="io_wait" tid=7 state="io_wait" fd=4 interest="read""#,
        r#"message=PAL event="join_wait" tid=7 state="join_wait" on=9"#,
        r#"message=PAL event="lane_wait" tid=7 state="lane_wait" lane="disk""#,
        r#"message=PAL event="wait" tid=7 state="waiting""#,
        r#"message=PAL event="wake" tid=7 state="scheduled" by="lane" by_task=2"#,
        r#"message=PAL event="done" tid=7 state="done""#,
        r#"message=PAL event="failed" tid=7 state="failed" kind="panic" error="oh no""#,
        r#"message=PAL event="spawn_denied" parent=2 site=2 capacity=3"#,
        r#"message=PAL event="shutdown_begin" timeout_ns=50"#,
        r#"message=PAL event="shutdown_complete" clean=false"#,
        r#"message=PAL event="stalled" tid=7 worker=1 busy_ns=50 queued=5 others=0"#,
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_domain_event_is_mirrored_with_the_fields_that_its_kind_describes() {
    static SERVED: KindSpec = KindSpec::new(
        221,
        "served",
        &[
            Field::new("what", FieldType::Text),
            Field::new("balance", FieldType::I64),
            Field::new("paid", FieldType::Bool),
            Field::new("took_ns", FieldType::Ns),
        ],
    );
    let (_, lines) = mirrored(nothing, |pal, ring| {
        let values = [
            Value::Text(pal.text("tea")),
            Value::I64(-2),
            Value::Bool(true),
            Value::Ns(9),
        ];
        let event = DomainEvent::new(&SERVED, &values);
        ring.write_domain(1, &event.about(TaskId::new(5).expect("in range")));
    });
    let expected =
        r#"message=PAL event="served" tid=5 fields="what=\"tea\" balance=-2 paid=true took_ns=9""#;
    assert_eq!(lines, [expected]);
}

#[test]
fn what_a_subscriber_emits_is_refused_and_counted() {
    fn emit_again() {
        let again = emit(TaskEvent::ShutdownComplete { clean: true });
        assert_eq!(again, Emitted::Dropped);
    }
    let (pal, lines) = mirrored(emit_again, |_, ring| {
        for _ in 0..3 {
            ring.write(
                1,
                0,
                &TaskEvent::ShutdownBegin {
                    timeout: Duration::ZERO,
                },
            );
        }
    });
    assert_eq!(lines.len(), 3);
    assert_eq!(pal.events().len(), 3);
    assert_eq!(pal.log().loss().unwritten(LossCause::Reentrant), 3);
}

#[test]
fn what_the_scheduler_records_on_a_subscriber_s_account_is_recorded_and_not_told_again() {
    thread_local! {
        static RING: RefCell<Option<RingWriter>> = const { RefCell::new(None) };
    }
    fn wake() {
        let tid = TaskId::new(3).expect("in range");
        let by = WakeSource::External;
        RING.with_borrow(|ring| {
            let ring = ring.as_ref().expect("set below");
            assert!(ring.write(2, 1, &TaskEvent::Wake { tid, by }));
        });
    }
    let (pal, lines) = mirrored(wake, |_, ring| {
        RING.set(Some(ring.clone()));
        ring.write(1, 0, &TaskEvent::ShutdownComplete { clean: true });
        RING.set(None);
    });
    assert_eq!(lines.len(), 1);
    assert_eq!(pal.events().len(), 2);
    assert!(pal.log().loss().is_none());
}

#[test]
fn a_subscriber_that_panics_is_contained_and_hears_of_the_next_event() {
    static HAS_FAILED: AtomicBool = AtomicBool::new(false);
    fn fail_once() {
        if !HAS_FAILED.swap(true, Ordering::Relaxed) {
            panic!("a subscriber's own fault");
        }
    }
    let (pal, lines) = mirrored(fail_once, |_, ring| {
        assert!(ring.write(1, 0, &TaskEvent::ShutdownComplete { clean: true }));
        assert_eq!(
            emit(TaskEvent::ShutdownComplete { clean: false }),
            Emitted::Recorded
        );
    });
    assert_eq!((lines.len(), pal.events().len()), (2, 2));
}

#[test]
fn a_log_that_is_off_is_mirrored_all_the_same() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let keep = Keep {
        lines: Arc::clone(&lines),
        on_event: nothing,
    };
    tracing::subscriber::with_default(keep, || {
        let ring = Pal::off().lease(RingOwner::Worker(0));
        ring.write(1, 0, &TaskEvent::ShutdownComplete { clean: true });
    });
    assert_eq!(lines.lock().expect("not poisoned").len(), 1);
}
