//! The span of who spawns, in the task: what a `tracing` subscriber sees.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

use glasshouse_scheduler::task::{Builder, JoinSet};
use glasshouse_scheduler::{self as scheduler, SpawnError, spawn, task, time, try_spawn};
use std::fmt;
use std::future::{self, Future};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::subscriber::with_default;
use tracing::{Event, Subscriber, info, info_span, span};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// Keeps what happens: "message in outer:inner" for each event, "close name" for each span that closes; and
/// on which threads spans are entered.
#[derive(Clone, Default)]
struct Seen {
    lines: Arc<Mutex<Vec<String>>>,
    entered: Arc<Mutex<Vec<(&'static str, ThreadId)>>>,
}

impl Seen {
    fn listening<R>(&self, f: impl FnOnce() -> R) -> R {
        with_default(tracing_subscriber::registry().with(self.clone()), f)
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Seen {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if event.metadata().target() != module_path!() {
            return;
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        let scope: Vec<_> = context
            .event_scope(event)
            .into_iter()
            .flat_map(|scope| scope.from_root())
            .filter(|span| span.metadata().target() == module_path!())
            .map(|span| span.name())
            .collect();
        let line = format!("{} in {}", message.0, scope.join(":"));
        self.lines.lock().unwrap().push(line);
    }

    fn on_enter(&self, id: &span::Id, context: Context<'_, S>) {
        let name = context.metadata(id).unwrap().name();
        let entry = (name, thread::current().id());
        self.entered.lock().unwrap().push(entry);
    }

    fn on_close(&self, id: span::Id, context: Context<'_, S>) {
        let metadata = context.metadata(&id).unwrap();
        if metadata.target() == module_path!() {
            let line = format!("close {}", metadata.name());
            self.lines.lock().unwrap().push(line);
        }
    }
}

/// Runs a program in virtual time, and gives what was seen.
fn seen<F: Future>(program: impl FnOnce() -> F) -> Vec<String> {
    let seen = Seen::default();
    seen.listening(|| {
        let scheduler = scheduler::Builder::deterministic(1).build().unwrap();
        scheduler.block_on(program());
    });
    seen.lines()
}

/// Tells of its drop.
struct Told;

impl Drop for Told {
    fn drop(&mut self) {
        info!("dropped");
    }
}

#[test]
fn every_poll_of_a_task_is_in_the_span_of_its_spawn() {
    async fn steps(ms: u64) {
        info!("first");
        time::sleep(Duration::from_millis(ms)).await;
        info_span!("inner").in_scope(|| info!("second"));
        time::sleep(Duration::from_millis(2)).await;
        info!("third");
    }
    let lines = seen(|| async {
        let tasks = [("a", 1), ("b", 2)].map(|(name, ms)| {
            let span = match name {
                "a" => info_span!("request a"),
                _ => info_span!("request b"),
            };
            let _entered = span.entered();
            Builder::new().in_current_span().spawn(steps(ms))
        });
        time::sleep(Duration::from_micros(500)).await;
        info!("root");
        for task in tasks {
            task.await.unwrap();
        }
    });
    let (first, rest) = lines.split_at(2);
    let mut first = first.to_vec();
    // Which of two ready tasks goes first is the seed's choice.
    first.sort();
    assert_eq!(first, ["first in request a", "first in request b"]);
    assert_eq!(
        rest,
        [
            "root in ",
            "second in request a:inner",
            "close inner",
            "second in request b:inner",
            "close inner",
            "third in request a",
            "close request a",
            "third in request b",
            "close request b",
        ]
    );
}

#[test]
fn a_task_that_did_not_ask_is_in_no_span_and_keeps_none_open() {
    let lines = seen(|| async {
        let task = {
            let _entered = info_span!("request").entered();
            let _named = Builder::new().name("named").spawn(async { info!("named") });
            spawn(async { info!("plain") })
        };
        info!("root");
        task.await.unwrap();
        task::yield_now().await;
    });
    let (begin, tasks) = lines.split_at(2);
    assert_eq!(begin, ["close request", "root in "]);
    let mut tasks = tasks.to_vec();
    tasks.sort();
    assert_eq!(tasks, ["named in ", "plain in "]);
}

#[test]
fn asking_outside_of_any_span_changes_nothing() {
    let lines = seen(|| async {
        let task = Builder::new().in_current_span().spawn(async {
            info!("task");
            // Here the one span is that of the tick.
            let child = Builder::new().in_current_span().spawn(async {
                info!("child");
            });
            child.await.unwrap();
        });
        task.await.unwrap();
    });
    assert_eq!(lines, ["task in ", "child in "]);
}

#[test]
fn a_child_of_a_task_in_a_span_is_in_it_where_it_asks_too() {
    let lines = seen(|| async {
        let span = info_span!("request");
        let task = span.in_scope(|| {
            Builder::new().in_current_span().spawn(async {
                let child = Builder::new().in_current_span();
                child.spawn(async { info!("child") }).await.unwrap();
                spawn(async { info!("stranger") }).await.unwrap();
            })
        });
        task.await.unwrap();
    });
    assert_eq!(lines, ["child in request", "stranger in ", "close request"]);
}

#[test]
fn a_future_is_dropped_in_its_span_however_its_task_ends() {
    let lines = seen(|| async {
        let in_span = || Builder::new().in_current_span();
        let ended = info_span!("ended").in_scope(|| {
            let told = Told;
            in_span().spawn(future::poll_fn(move |_| {
                let _held = &told;
                std::task::Poll::Ready(())
            }))
        });
        ended.await.unwrap();
        let aborted = info_span!("aborted").in_scope(|| {
            let told = Told;
            in_span().spawn(async move {
                let _told = told;
                future::pending::<()>().await;
            })
        });
        task::yield_now().await;
        aborted.abort();
        assert!(aborted.await.unwrap_err().is_cancelled());
        let panicked = info_span!("panicked").in_scope(|| {
            let told = Told;
            in_span().spawn(async move {
                let _told = told;
                panic!("as it should");
            })
        });
        assert!(panicked.await.unwrap_err().is_panic());
        info!("root");
    });
    assert_eq!(
        lines,
        [
            "dropped in ended",
            "close ended",
            "dropped in aborted",
            "close aborted",
            "dropped in panicked",
            "close panicked",
            "root in ",
        ]
    );
}

#[test]
fn every_way_to_spawn_takes_the_span_along() {
    let seen = Seen::default();
    seen.listening(|| {
        let local = scheduler::Builder::deterministic(1).build_local().unwrap();
        local.block_on(async {
            let in_span = || Builder::new().in_current_span();
            let handle = scheduler::Handle::current();
            let mut set = JoinSet::new();
            let span = info_span!("request").entered();
            let tasks = [
                in_span().spawn_on(async { info!("1") }, &handle),
                in_span().spawn_system(async { info!("2") }),
                in_span().spawn_local(async { info!("3") }),
                in_span().spawn_blocking(|| info!("4")),
                in_span().try_spawn(async { info!("5") }).unwrap(),
            ];
            let member = set.build_task().in_current_span();
            member.spawn(async { info!("6") });
            drop(span);
            for task in tasks {
                task.await.unwrap();
            }
            set.join_all().await;
        });
    });
    let mut lines = seen.lines();
    assert_eq!(lines.pop().unwrap(), "close request");
    lines.sort();
    assert_eq!(lines, [1, 2, 3, 4, 5, 6].map(|n| format!("{n} in request")));
}

#[test]
fn a_refused_future_comes_back_without_the_span() {
    let lines = seen(|| async {
        let scheduler = scheduler::Builder::deterministic(2).capacity(1).build();
        let scheduler = scheduler.unwrap();
        let (_task, refused) = scheduler.handle().enter(|| {
            let task = try_spawn(future::pending::<()>()).unwrap();
            let refused = info_span!("request").in_scope(|| {
                let builder = Builder::new().in_current_span();
                builder.try_spawn(async { info!("by hand") }).unwrap_err()
            });
            (task, refused)
        });
        assert!(matches!(
            refused,
            SpawnError::AtCapacity { capacity: 1, .. }
        ));
        refused.into_future().await;
    });
    assert_eq!(lines, ["close request", "by hand in "]);
}

#[test]
fn a_worker_and_a_thread_for_blocking_functions_enter_the_span_too() {
    let seen = Seen::default();
    let threads = seen.listening(|| {
        let scheduler = scheduler::Builder::new().workers(1).build().unwrap();
        let _entered = info_span!("request").entered();
        let here = || thread::current().id();
        let on_worker = Builder::new().in_current_span().spawn_on(
            async move {
                task::yield_now().await;
                here()
            },
            scheduler.handle(),
        );
        let apart = scheduler
            .handle()
            .enter(|| Builder::new().in_current_span().spawn_blocking(here));
        [
            scheduler.block_on(on_worker).unwrap(),
            scheduler.block_on(apart).unwrap(),
        ]
    });
    let entered = seen.entered.lock().unwrap().clone();
    let times = |thread| {
        let on_it = entered
            .iter()
            .filter(|entry| **entry == ("request", thread));
        on_it.count()
    };
    // Once for each poll; the drop is part of the second.
    assert_eq!(times(threads[0]), 2);
    assert_eq!(times(threads[1]), 1);
}
