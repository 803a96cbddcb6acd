//! Owns one log: its memory, its parts, and who may write to which ring.

use crate::arena::{Sites, Texts};
use crate::clock::Clock;
use crate::event::TaskEvent;
use crate::fork::{ForkGuard, generation};
use crate::format::header::{Header, Lifecycle};
use crate::format::layout::{Layout, Part, Shape};
use crate::id::IdSource;
use crate::lease::Leases;
use crate::log_header::{Birth, fill_header};
use crate::loss::{LossCause, Losses};
use crate::map::{Mapping, View};
use crate::owner::RingOwner;
use crate::reader::Log;
use crate::record::publish;
use crate::schema::Schema;
use crate::table::TaskTable;
use crate::text_id::{SiteId, TextId};
use crate::writer::RingWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// One log. Cheap to clone; clones write to the same log.
///
/// ```
/// use glasshouse_pal::{Pal, RingOwner, TaskEvent, TaskId};
/// let pal = Pal::memory();
/// let tid = TaskId::new(pal.ids().take(1)).expect("in range");
/// let ring = pal.lease(RingOwner::Worker(0));
/// ring.write(pal.clock().now(), 1, &TaskEvent::Running { tid });
/// assert_eq!(pal.events(), [TaskEvent::Running { tid }]);
/// ```
#[derive(Clone)]
pub struct Pal {
    inner: Arc<Inner>,
}

/// The rings of a log for tests. Memory is only used as far as it is written.
const MEMORY_WORKER_RINGS: usize = 8;

struct Inner {
    origin: Origin,
    layout: Layout,
    mapping: Arc<Mapping>,
    header: View<Header>,
    leases: Leases,
    table: TaskTable,
    texts: Arc<Texts>,
    sites: Sites,
    schema: Schema,
    losses: Losses,
}

/// Where a log comes from.
struct Origin {
    clock: Clock,
    ids: Ids,
    birth: Birth,
    is_off: bool,
    file: Option<LogFile>,
    /// When it was made.
    generation: usize,
}

/// The file behind a log.
pub(crate) struct LogFile {
    pub(crate) path: PathBuf,
    /// Keeps a child after `fork` from writing into it.
    pub(crate) _guard: ForkGuard,
}

enum Ids {
    Own(IdSource),
    Process,
}

impl Pal {
    /// A log in private memory, for tests: with the process's clock, and ids of its own from 1.
    pub fn memory() -> Pal {
        Pal::memory_with(Clock::process())
    }

    /// A log in private memory with this clock. With a virtual clock nothing in it depends on the
    /// process or the time of day: the same events leave the same bytes.
    pub fn memory_with(clock: Clock) -> Pal {
        let shape = Shape::process(MEMORY_WORKER_RINGS);
        Pal::private(shape, clock, Ids::Own(IdSource::starting_at_one()), false)
    }

    /// No log: records nothing. It still has a task table, in private memory, so that tasks have
    /// slots.
    pub fn off() -> Pal {
        Pal::private(Shape::without_rings(), Clock::process(), Ids::Process, true)
    }

    /// A log in private memory for a process that can make no file.
    pub(crate) fn fallback(shape: Shape) -> Pal {
        Pal::private(shape, Clock::process(), Ids::Process, false)
    }

    /// A log of any shape in private memory.
    #[cfg(test)]
    pub(crate) fn memory_shaped(clock: Clock, shape: Shape) -> Pal {
        Pal::private(shape, clock, Ids::Own(IdSource::starting_at_one()), false)
    }

    fn private(shape: Shape, clock: Clock, ids: Ids, is_off: bool) -> Pal {
        let layout = Layout::new(shape);
        // Address space alone; where even that is limited, a table for fewer tasks must do.
        let (layout, mapping) = match Mapping::private(layout.file_bytes) {
            Ok(mapping) => (layout, mapping),
            Err(_) => {
                let layout = Layout::new(shape.with_fewer_slots().unwrap_or(shape));
                let mapping = Mapping::private(layout.file_bytes);
                // A process without memory for this cannot go on, just as when a Vec cannot grow.
                (layout, mapping.expect("there is memory for a log"))
            }
        };
        let birth = if clock.is_virtual() {
            Birth::of_nobody()
        } else {
            Birth::of_this_process(false)
        };
        let origin = Origin {
            clock,
            ids,
            birth,
            is_off,
            file: None,
            generation: generation(),
        };
        Pal::over(Arc::new(mapping), layout, origin)
    }

    /// A log over a file that was mapped.
    pub(crate) fn over_file(
        mapping: Arc<Mapping>,
        layout: Layout,
        birth: Birth,
        file: LogFile,
    ) -> Pal {
        let origin = Origin {
            clock: Clock::process(),
            ids: Ids::Process,
            birth,
            is_off: false,
            file: Some(file),
            generation: generation(),
        };
        Pal::over(mapping, layout, origin)
    }

    fn over(mapping: Arc<Mapping>, layout: Layout, origin: Origin) -> Pal {
        let header = || mapping.view::<Header>(0, 1);
        let words = |part: Part| mapping.view(part.offset, part.length / 8);
        let losses = Losses::new(header());
        let texts = Arc::new(Texts::new(
            words(layout.text_index),
            words(layout.text),
            losses.clone(),
        ));
        let inner = Inner {
            leases: Leases::new(&mapping, layout),
            table: TaskTable::new(
                &mapping,
                layout.tasks.offset,
                layout.shape.slots,
                header(),
                losses.clone(),
            ),
            sites: Sites::new(words(layout.sites), Arc::clone(&texts), losses.clone()),
            texts,
            schema: Schema::new(words(layout.schema)),
            losses,
            header: header(),
            origin,
            layout,
            mapping,
        };
        // Last: what is not yet a log has no magic.
        fill_header(
            inner.header.first(),
            &inner.layout,
            &inner.origin.clock,
            inner.origin.birth,
        );
        Pal {
            inner: Arc::new(inner),
        }
    }

    /// Whether this log records nothing.
    pub fn is_off(&self) -> bool {
        self.inner.origin.is_off
    }

    /// Whether this is the log of the process that forked this one: what is written to it here is nowhere.
    pub(crate) fn is_of_parent(&self) -> bool {
        self.inner.origin.file.is_some() && self.inner.origin.generation != generation()
    }

    /// The file that another process can read the log from; `None` in private memory.
    pub fn path(&self) -> Option<&Path> {
        self.inner
            .origin
            .file
            .as_ref()
            .map(|file| file.path.as_path())
    }

    /// Whether the log outlives its process: a file that has a name does.
    pub fn is_crash_safe(&self) -> bool {
        self.inner.origin.birth.is_crash_safe
    }

    /// The clock of the log's stamps.
    pub fn clock(&self) -> &Clock {
        &self.inner.origin.clock
    }

    /// Where the ids of this log's tasks come from.
    pub fn ids(&self) -> &IdSource {
        match &self.inner.origin.ids {
            Ids::Own(ids) => ids,
            Ids::Process => IdSource::process(),
        }
    }

    /// The task table.
    pub fn table(&self) -> &TaskTable {
        &self.inner.table
    }

    /// The number of a text in the log's arena; adds it if it is new. Texts are cut to
    /// [`TEXT_BYTES_MAX`](crate::TEXT_BYTES_MAX) bytes. Takes no memory from the heap.
    pub fn text(&self, text: &str) -> TextId {
        if self.is_off() {
            return TextId::EMPTY;
        }
        self.inner.texts.intern(text)
    }

    /// Calls `f` with a text of the arena; with the empty one where there is none.
    pub fn with_text<R>(&self, id: TextId, f: impl FnOnce(&str) -> R) -> R {
        self.inner.texts.with(id, f)
    }

    /// The number of a spawn site; adds it if it is new. Takes no memory from the heap.
    pub fn site(&self, file: &str, line: u32, column: u32, name: Option<&str>) -> SiteId {
        if self.is_off() {
            return SiteId::UNKNOWN;
        }
        self.inner.sites.intern(file, line, column, name)
    }

    /// A ring for the calling thread: a worker's own where it is free, else any that other threads
    /// may lease. When none is left the writer only counts what it could not record.
    pub fn lease(&self, owner: RingOwner) -> RingWriter {
        RingWriter::new(self.clone(), owner)
    }

    /// All task events so far, in time order. For tests.
    pub fn events(&self) -> Vec<TaskEvent> {
        self.log().task_events()
    }

    /// A reader over this log, also while it is written. Over an empty one where this is the log, in a file, of the process
    /// that forked this one, or where somebody else wrote over its first page.
    pub fn log(&self) -> Log {
        Log::over_memory(&self.inner.mapping).unwrap_or_else(|_| {
            let nothing = Pal::off();
            Log::over_memory(&nothing.inner.mapping)
                .expect("what this very code has just laid out is a log")
        })
    }

    /// Counts something that could not be recorded.
    pub fn count_loss(&self, cause: LossCause) {
        self.inner.losses.count(cause);
    }

    /// Writes down that the process ended in an orderly way, or by a panic if this thread is
    /// panicking, with the last clock pair. What is recorded afterwards is still in the log.
    pub fn close(&self) {
        self.end(if std::thread::panicking() {
            Lifecycle::Panicking
        } else {
            Lifecycle::CleanExit
        });
    }

    /// Writes down how the process ends. A panic is never overwritten by a clean exit.
    pub(crate) fn end(&self, how: Lifecycle) {
        let header = self.inner.header.first();
        let pair = self.inner.origin.clock.pair();
        publish(
            &header.pairs[1].words,
            [2 << 16, pair.ticks, pair.monotonic_ns, pair.wall_ns],
        );
        if header.lifecycle.load(Ordering::Relaxed) != Lifecycle::Panicking.to_word() {
            header.lifecycle.store(how.to_word(), Ordering::Release);
        }
    }

    /// Takes back that a panic is about to end the process.
    pub(crate) fn go_on(&self) {
        let running = Lifecycle::Running.to_word();
        self.inner
            .header
            .first()
            .lifecycle
            .store(running, Ordering::Release);
    }

    /// Writes down that a panic is about to end the process. The process's own log does so by itself, by a
    /// panic hook.
    pub fn panicking(&self) {
        self.end(Lifecycle::Panicking);
    }

    pub(crate) fn leases(&self) -> &Leases {
        &self.inner.leases
    }

    pub(crate) fn schema(&self) -> &Schema {
        &self.inner.schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_not_overwritten_by_a_clean_exit() {
        let pal = Pal::memory();
        pal.panicking();
        pal.close();
        let log = pal.log();
        assert_eq!(log.lifecycle(), Lifecycle::Panicking);
    }
}
