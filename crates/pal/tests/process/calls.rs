//! Owns the proof that recording calls the kernel for nothing: it goes on in a thread to which the kernel allows
//! `read`, `write` and the end only (seccomp's strict mode), and any other call ends.
//!
//! The stamps are made up: in that mode the kernel takes the processor's counter away, too, so that the clock, which
//! is an instruction, or a function of the kernel's that is no call, cannot be read there.

use crate::{run, tid};
use glasshouse_pal::{
    DomainEvent, Field, FieldType, KindSpec, Pal, RingOwner, RingWriter, SiteId, SlotCache,
    TaskEvent, TaskState, Value, WakeSource, WorkerState, intern,
};
use rustix::thread::{SecureComputingMode, gettid, set_secure_computing_mode};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

/// What a role ends with when the kernel ended the thread.
const CALLED: i32 = 9;
/// Several rounds of a ring of 2,048 records.
const TICKS: u64 = 20_000;

static SERVED: KindSpec = KindSpec::new(221, "served", &[Field::new("what", FieldType::Text)]);

/// What this program does in a role; `false` for one that is not of this file.
pub fn play(role: &str) -> bool {
    match role {
        "no call" => allowed_nothing(|| {}),
        // Shows that it would be seen.
        "a call" => allowed_nothing(|| {
            std::hint::black_box(rustix::process::getppid());
        }),
        _ => return false,
    }
    true
}

/// Records in a thread that may not call the kernel, then does something else there, and ends the process.
fn allowed_nothing(last: fn()) {
    static THREAD: AtomicI32 = AtomicI32::new(0);
    static IS_DONE: AtomicBool = AtomicBool::new(false);
    let recorder = std::thread::spawn(move || {
        let settings = Pal::builder().workers(1).ring_bytes(64 << 10);
        let pal = settings.install().expect("the process's log");
        let ring = pal.lease(RingOwner::Worker(0));
        let _installed = ring.install();
        let mut cache = SlotCache::default();
        // The first of each may describe itself, and fetch a number of slots.
        tick(&pal, &ring, &mut cache, 0);
        THREAD.store(gettid().as_raw_nonzero().get(), Ordering::Release);
        set_secure_computing_mode(SecureComputingMode::Strict).expect("the kernel has it");
        for n in 1..TICKS {
            tick(&pal, &ring, &mut cache, n);
        }
        last();
        IS_DONE.store(true, Ordering::Release);
        loop {
            // Even to sleep, or to end in the usual way, is a call.
            std::hint::spin_loop();
        }
    });
    let task = || match THREAD.load(Ordering::Acquire) {
        0 => PathBuf::from("/proc/self/task"),
        thread => PathBuf::from(format!("/proc/self/task/{thread}")),
    };
    while !IS_DONE.load(Ordering::Acquire) {
        // The kernel leaves no time to say that it has finished; a panic before that does.
        assert!(!recorder.is_finished(), "it panicked");
        if !task().exists() {
            std::process::exit(CALLED);
        }
        std::thread::yield_now();
    }
    std::process::exit(0);
}

/// What a worker writes for a task, from its spawn to its end.
fn tick(pal: &Pal, ring: &RingWriter, cache: &mut SlotCache, n: u64) {
    let tid = tid(n + 1);
    let now = 10 * n;
    let site = pal.site("src/main.rs", 3, 9, Some("pump"));
    assert_ne!(site, SiteId::UNKNOWN);
    let id = pal.table().take(cache).expect("room");
    let slot = pal.table().slot(id);
    slot.publish(tid, site, None, TaskState::Scheduled, now);
    let parent = None;
    ring.write(now, 0, &TaskEvent::Spawned { tid, parent, site });
    ring.current(now, Some(tid), WorkerState::Running);
    ring.write(now + 1, 1, &TaskEvent::Running { tid });
    let served = DomainEvent::new(&SERVED, &[Value::Text(intern("tea"))]);
    assert!(ring.write_domain(now + 2, &served));
    let by = WakeSource::Task(tid);
    ring.write(now + 3, 2, &TaskEvent::Yield { tid, by });
    ring.current(now + 4, None, WorkerState::Searching);
    slot.clear();
    pal.table().give_back(cache, id);
}

pub fn recording_calls_nothing() {
    let (_place, _path, status) = run("no call", |_| {});
    assert!(status.success(), "{status}");
    let (_place, _path, status) = run("a call", |_| {});
    assert_eq!(status.code(), Some(CALLED), "{status}");
}
