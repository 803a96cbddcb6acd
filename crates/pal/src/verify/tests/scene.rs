//! Owns the stage of these tests: logs in files, written as a scheduler does it, and the hand that
//! tampers with them.

use crate::cause::{Interest, IoTarget, WakeSource};
use crate::event::TaskEvent;
use crate::format::header::{Header, RingHeader, SectionKind};
use crate::id::TaskId;
use crate::loss::LossCause;
use crate::map::{Mapping, View};
use crate::owner::RingOwner;
use crate::pal::Pal;
use crate::reader::{Log, OpenError};
use crate::record::{Record, Tag};
use crate::slot::SLOT_WORDS;
use crate::state::TaskState;
use crate::table::{SlotCache, SlotId};
use crate::testing::small_file;
use crate::text_id::SiteId;
use crate::verify::{Finding, Report, verify};
use crate::writer::RingWriter;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tempfile::TempDir;

pub(crate) fn tid(number: u64) -> TaskId {
    TaskId::new(number).expect("in range")
}

/// A task as its scheduler knows it: what it records goes into its row first.
pub(crate) struct Actor {
    pub(crate) tid: TaskId,
    pub(crate) slot: SlotId,
    aux: u8,
    state: TaskState,
    since: u64,
}

/// A log in the making, written as a scheduler does it.
pub(crate) struct Scene {
    pub(crate) pal: Pal,
    pub(crate) rings: [RingWriter; 2],
    slots: SlotCache,
}

impl Scene {
    pub(crate) fn new(pal: Pal) -> Scene {
        Scene {
            rings: [0, 1].map(|number| pal.lease(RingOwner::Worker(number))),
            slots: SlotCache::default(),
            pal,
        }
    }

    pub(crate) fn spawn(
        &mut self,
        ring: usize,
        at: u64,
        number: u64,
        parent: Option<TaskId>,
    ) -> Actor {
        let actor = self.publish(at, number, parent);
        let (tid, site) = (actor.tid, self.site());
        self.rings[ring].write(at, 0, &TaskEvent::Spawned { tid, parent, site });
        actor
    }

    fn site(&self) -> SiteId {
        self.pal.site("a.rs", 1, 1, Some("actor"))
    }

    /// A new task with its row, and without a record.
    fn publish(&mut self, at: u64, number: u64, parent: Option<TaskId>) -> Actor {
        let (tid, site) = (tid(number), self.site());
        let slot = self.pal.table().take(&mut self.slots).expect("room");
        let row = self.pal.table().slot(slot);
        row.publish(tid, site, parent, TaskState::Scheduled, at);
        Actor {
            tid,
            slot,
            aux: 0,
            state: TaskState::Scheduled,
            since: at,
        }
    }

    /// The first half of a transition: the row.
    pub(crate) fn enter(&self, actor: &mut Actor, at: u64, event: &TaskEvent) {
        let row = self.pal.table().slot(actor.slot);
        let spent = at - actor.since;
        match actor.state {
            TaskState::Running => row.add_run(spent),
            state if state.is_ready() => row.add_ready(spent),
            _ => row.add_wait(spent),
        }
        actor.state = event.state().expect("a transition");
        actor.since = at;
        actor.aux = actor.aux.wrapping_add(1);
        row.enter(actor.state, at);
        if actor.state == TaskState::Running {
            row.count_poll();
        }
    }

    /// A whole transition.
    pub(crate) fn step(&self, actor: &mut Actor, ring: usize, at: u64, event: TaskEvent) {
        self.enter(actor, at, &event);
        self.rings[ring].write(at, actor.aux, &event);
    }

    /// The same where no ring is to be had: the log only counts it.
    pub(crate) fn lose(&self, actor: &mut Actor, at: u64, event: TaskEvent) {
        self.enter(actor, at, &event);
        self.pal.count_loss(LossCause::NoRing);
    }

    /// A task whose spawn is lost so.
    pub(crate) fn lose_spawn(&mut self, at: u64, number: u64) -> Actor {
        self.pal.count_loss(LossCause::NoRing);
        self.publish(at, number, None)
    }

    pub(crate) fn end(&mut self, actor: Actor, ring: usize, at: u64) {
        let tid = actor.tid;
        self.end_as(actor, ring, at, TaskEvent::Done { tid });
    }

    pub(crate) fn end_as(&mut self, mut actor: Actor, ring: usize, at: u64, end: TaskEvent) {
        self.step(&mut actor, ring, at, end);
        self.free(actor);
    }

    /// The row of a task that has ended is free again.
    pub(crate) fn free(&mut self, actor: Actor) {
        self.pal.table().slot(actor.slot).clear();
        self.pal.table().give_back(&mut self.slots, actor.slot);
    }

    /// Two tasks on two workers: task 1 ends, task 2 waits in the end. Each ring gets seven records.
    pub(crate) fn play(&mut self) -> Actor {
        let by = WakeSource::Timer;
        let io = IoTarget {
            fd: 3,
            interest: Interest::Read,
        };
        let dur = Duration::from_nanos(20);
        let (one, two) = (tid(1), tid(2));
        let mut first = self.spawn(0, 100, 1, None);
        let mut second = self.spawn(0, 105, 2, Some(one));
        self.step(&mut first, 0, 110, TaskEvent::Running { tid: one });
        self.step(&mut first, 0, 120, TaskEvent::Sleep { tid: one, dur });
        self.step(&mut second, 1, 115, TaskEvent::Running { tid: two });
        self.step(&mut second, 1, 130, TaskEvent::IoWait { tid: two, io });
        self.step(&mut first, 1, 140, TaskEvent::Wake { tid: one, by });
        self.step(&mut first, 1, 141, TaskEvent::Running { tid: one });
        self.step(&mut first, 1, 150, TaskEvent::Yield { tid: one, by });
        self.step(&mut first, 1, 150, TaskEvent::Running { tid: one });
        self.end(first, 1, 160);
        self.step(&mut second, 0, 170, TaskEvent::Wake { tid: two, by });
        self.step(&mut second, 0, 172, TaskEvent::Running { tid: two });
        self.step(&mut second, 0, 180, TaskEvent::Wait { tid: two });
        second
    }
}

/// A log in a file, and its memory, open to tampering.
pub(crate) struct Tampered {
    path: PathBuf,
    memory: Arc<Mapping>,
    _place: TempDir,
}

impl Tampered {
    /// Lets `write` write a log.
    pub(crate) fn new(write: impl FnOnce(&mut Scene)) -> Tampered {
        let place = tempfile::tempdir().expect("a temporary directory");
        let path = place.path().join("tampered.pal");
        let mut scene = Scene::new(small_file(&path));
        write(&mut scene);
        drop(scene);
        let file = File::options().read(true).write(true).open(&path);
        let file = file.expect("opened");
        let bytes = file.metadata().expect("a length").len() as usize;
        Tampered {
            memory: Arc::new(Mapping::shared(Arc::new(file), bytes).expect("mapped")),
            path,
            _place: place,
        }
    }

    /// Makes it the log of a process that was killed while its workers held their rings.
    pub(crate) fn kill(&self) {
        // No process of this number began then.
        self.header().first().start_time.store(u64::MAX, Relaxed);
        for ring in 0..2 {
            self.ring(ring).first().leased.store(1, Relaxed);
        }
    }

    pub(crate) fn verify(&self) -> Report {
        self.try_verify().expect("a log")
    }

    /// The report; `None` for what cannot be opened any more.
    pub(crate) fn try_verify(&self) -> Option<Report> {
        Some(verify(&self.log().ok()?))
    }

    pub(crate) fn log(&self) -> Result<Log, OpenError> {
        Log::open(&self.path)
    }

    /// Everything that is in use: the first page, the rings' headers and first records, the table's
    /// first rows.
    pub(crate) fn used_words(&self) -> Vec<View<AtomicU64>> {
        let page = self.memory.view(0, 512);
        let rows = self
            .memory
            .view(self.section(SectionKind::Tasks), 2 * SLOT_WORDS);
        let rings = [0, 1]
            .map(|ring| self.section(SectionKind::RingHeaders) + ring * size_of::<RingHeader>());
        let headers = rings.map(|offset| self.memory.view(offset, 512));
        let records = [0, 1].map(|ring| {
            let offset = self.ring(ring).first().offset.load(Relaxed) as usize;
            self.memory.view(offset, 40)
        });
        [page, rows]
            .into_iter()
            .chain(headers)
            .chain(records)
            .collect()
    }

    pub(crate) fn header(&self) -> View<Header> {
        self.memory.view(0, 1)
    }

    fn section(&self, kind: SectionKind) -> usize {
        let header = self.header();
        let mut sections = header.first().sections.iter();
        let section = sections.find(|section| section.kind.load(Relaxed) == kind as u64);
        section.expect("a log has it").offset.load(Relaxed) as usize
    }

    pub(crate) fn ring(&self, ring: usize) -> View<RingHeader> {
        let offset = self.section(SectionKind::RingHeaders) + ring * size_of::<RingHeader>();
        self.memory.view(offset, 1)
    }

    /// The record with this sequence number.
    pub(crate) fn record(&self, ring: usize, seq: u64) -> View<Record> {
        let header = self.ring(ring);
        let capacity = header.first().length.load(Relaxed) as usize / size_of::<Record>();
        let place = (seq as usize - 1) % capacity;
        let offset = header.first().offset.load(Relaxed) as usize;
        self.memory.view(offset + place * size_of::<Record>(), 1)
    }

    /// Changes word 0 of a record.
    pub(crate) fn retag(&self, ring: usize, seq: u64, change: impl FnOnce(&mut Tag)) {
        let record = self.record(ring, seq);
        let word = &record.first().words[0];
        let mut tag = Tag::from_word(word.load(Relaxed));
        change(&mut tag);
        word.store(tag.to_word(), Relaxed);
    }

    pub(crate) fn erase(&self, ring: usize, seq: u64) {
        self.record(ring, seq).first().words[0].store(0, Relaxed);
    }

    /// The words of a row of the task table.
    pub(crate) fn row(&self, slot: SlotId) -> View<AtomicU64> {
        let offset = self.section(SectionKind::Tasks) + slot.index() * SLOT_WORDS * 8;
        self.memory.view(offset, SLOT_WORDS)
    }
}

/// What was found, one line each.
pub(crate) fn lines(report: &Report) -> Vec<String> {
    report.findings.iter().map(Finding::to_string).collect()
}
