//! Recording takes no memory from the heap: a counting allocator says so.

use glasshouse_pal::{
    DomainEvent, Emitted, Field, FieldType, KindSpec, Pal, RingOwner, SlotCache, TaskEvent, TaskId,
    TaskState, TextBuf, Value, WakeSource, WorkerState, dir::LogDir, emit, intern,
};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Counts the allocations of each thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to the system's allocator unchanged; counting touches a
// thread-local number without a destructor, which needs no allocation.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.with(Cell::get);
    work();
    ALLOCATIONS.with(Cell::get) - before
}

static SERVED: KindSpec = KindSpec::new(
    220,
    "served",
    &[
        Field::new("what", FieldType::Text),
        Field::new("took_ns", FieldType::Ns),
    ],
);

/// One tick's worth of records, and a spawn's and an end's.
fn tick(pal: &Pal, ring: &glasshouse_pal::RingWriter, cache: &mut SlotCache, n: u64) {
    let tid = TaskId::new(n + 1).expect("in range");
    let now = pal.clock().now();
    let site = pal.site("src/main.rs", 3, 9, Some("pump"));
    let id = pal.table().take(cache).expect("room");
    let slot = pal.table().slot(id);
    slot.publish(tid, site, None, TaskState::Scheduled, now);
    ring.write(
        now,
        0,
        &TaskEvent::Spawned {
            tid,
            parent: None,
            site,
        },
    );
    ring.current(now, Some(tid), WorkerState::Running);
    ring.write(now, 1, &TaskEvent::Running { tid });
    ring.write(
        now,
        2,
        &TaskEvent::Yield {
            tid,
            by: WakeSource::Task(tid),
        },
    );
    ring.clock_pair();
    slot.clear();
    pal.table().give_back(cache, id);
}

#[test]
fn recording_takes_no_memory() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let pal = LogDir::at(place.path().join("logs"))
        .create_log(1)
        .expect("a log");
    let ring = pal.lease(RingOwner::Worker(0));
    let _installed = ring.install();
    let mut cache = SlotCache::default();
    tick(&pal, &ring, &mut cache, 0);
    let during = allocations(|| {
        for n in 1..50_000 {
            tick(&pal, &ring, &mut cache, n);
        }
    });
    assert_eq!(during, 0);
    assert_eq!(pal.log().records().count(), 131_072, "a full ring");
}

#[test]
fn texts_sites_and_events_of_others_take_no_memory_also_when_they_are_new() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let pal = LogDir::at(place.path().join("logs"))
        .create_log(1)
        .expect("a log");
    let _installed = pal.lease(RingOwner::External).install();
    // The thread's own storage.
    emit(TaskEvent::ShutdownComplete { clean: true });
    let during = allocations(|| {
        // More of each than there is room for.
        for n in 0..30_000u32 {
            let error = TextBuf::from_display(&format_args!("attempt {n} failed"));
            let what = intern(error.as_str());
            pal.site("src/main.rs", n, 1, Some(error.as_str()));
            let event = DomainEvent::new(&SERVED, &[Value::Text(what), Value::Ns(5)]);
            assert_eq!(emit(event), Emitted::Recorded);
        }
    });
    assert_eq!(during, 0);
}

#[test]
fn counting_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), 1);
}
