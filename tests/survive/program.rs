//! Owns the program that is killed: a few workers that are never idle, threads beside them, and tasks that
//! live as long as the process, of which the judge knows who wakes them.

use crate::witness::{THREADS, Witness};
use glasshouse::pal::{DomainEvent, Emitted, Field, FieldType, KindSpec, Pal, Value, emit};
use glasshouse::{Builder, spawn, spawn_blocking, task, time};
use std::cell::Cell;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Workers: more than the machines have that this runs on most, so that they are preempted anywhere.
pub const WORKERS: usize = 3;
/// Tasks of each sort that live as long as the program.
pub const ANCHORS: usize = 8;
/// Threads outside the scheduler that record.
const OUTSIDE: usize = 2;

/// What a thread records again and again: its own number, and the count.
pub static BEAT: KindSpec = KindSpec::new(
    200,
    "beat",
    &[
        Field::new("thread", FieldType::U64),
        Field::new("number", FieldType::U64),
    ],
);

/// What the program does besides, from outside.
pub const WITNESS: &str = "SURVIVE_WITNESS";
pub const RING_BYTES: &str = "SURVIVE_RING_BYTES";

thread_local! {
    static BEATS: Cell<(usize, u64)> = Cell::new((next_thread(), 0));
}

fn next_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Records a beat of this thread, then stamps the witness.
pub fn beat(witness: Witness) {
    let (thread, before) = BEATS.get();
    let number = before + 1;
    if thread >= THREADS {
        return;
    }
    let event = DomainEvent::new(&BEAT, &[Value::U64(thread as u64), Value::U64(number)]);
    if emit(event) == Emitted::Recorded {
        BEATS.set((thread, number));
        witness.stamp(thread, number);
    }
}

/// Runs until the process ends; `meanwhile` runs beside it, as a task, once all is under way.
pub fn run(meanwhile: impl Future<Output = ()> + Send + 'static) {
    let path = |name| PathBuf::from(std::env::var_os(name).expect("the test sets it"));
    let witness = Witness::open(&path(WITNESS));
    let ring_bytes = std::env::var(RING_BYTES).expect("the test sets it");
    let ring_bytes = ring_bytes.parse().expect("a number");
    let settings = Pal::builder().workers(WORKERS).ring_bytes(ring_bytes);
    let pal = settings.install().expect("the process's log");
    assert!(pal.path().is_some(), "a log that others can read");
    let scheduler = Builder::new().workers(WORKERS).build().expect("built");
    let mut calls = Vec::new();
    scheduler.block_on(async {
        for number in 0..ANCHORS {
            pair(number, witness);
            sleeper(number, witness);
            calls.push(called(number, witness));
        }
        for _ in 0..WORKERS {
            spawn(churn(witness));
        }
        spawn_blocking(move || {
            loop {
                beat(witness);
            }
        });
        for _ in 0..OUTSIDE {
            let calls = calls.clone();
            std::thread::spawn(move || outside(&calls, witness));
        }
        // Every anchor has been woken by then.
        time::sleep(Duration::from_millis(5)).await;
        witness.set_ready();
        spawn(meanwhile);
        std::future::pending::<()>().await;
    });
}

/// Two tasks that wake each other and nobody else.
fn pair(number: usize, witness: Witness) {
    let (there, here) = async_channel::bounded(1);
    task::Builder::new()
        .name(&format!("ping-{number}"))
        .spawn(async move {
            loop {
                beat(witness);
                there.send(()).await.expect("pong lives");
            }
        });
    task::Builder::new()
        .name(&format!("pong-{number}"))
        .spawn(async move {
            loop {
                here.recv().await.expect("ping lives");
                beat(witness);
            }
        });
}

/// A task that only its timer wakes.
fn sleeper(number: usize, witness: Witness) {
    task::Builder::new()
        .name(&format!("sleeper-{number}"))
        .spawn(async move {
            loop {
                time::sleep(Duration::from_micros(200)).await;
                beat(witness);
            }
        });
}

/// A task that only threads outside wake.
fn called(number: usize, witness: Witness) -> async_channel::Sender<()> {
    let (call, calls) = async_channel::bounded(1);
    task::Builder::new()
        .name(&format!("called-{number}"))
        .spawn(async move {
            loop {
                calls.recv().await.expect("those outside live");
                beat(witness);
            }
        });
    call
}

/// What a thread outside does: it records, and calls.
fn outside(calls: &[async_channel::Sender<()>], witness: Witness) {
    loop {
        for call in calls {
            beat(witness);
            // Full: it has not come to the last call yet.
            let _ = call.try_send(());
            std::thread::sleep(Duration::from_micros(20));
        }
    }
}

/// Spawns brief tasks, for ever: they yield, fail, are aborted, or end.
async fn churn(witness: Witness) {
    for round in 0_u64.. {
        let child = spawn(async move {
            for _ in 0..round % 4 {
                beat(witness);
                task::yield_now().await;
            }
            if round % 8 == 3 {
                task::fail("as it does");
            }
        });
        if round % 16 == 5 {
            child.abort();
        }
        let _ = child.await;
    }
}
