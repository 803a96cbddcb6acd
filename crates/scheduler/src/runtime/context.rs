//! Owns what a worker knows as its own thread sees it: the running task, the reason a poll claimed, and
//! the source that wakes it makes are recorded with.

use crate::queue::Seeded;
use crate::runtime::entered::with_worker;
use crate::runtime::shared::{Remote, Shared};
use crate::runtime::spare_references::SpareReferences;
use crate::runtime::worker::SHARED_INTERVAL;
use crate::sync::thread_local;
use crate::task::{Counted, Header, Task};
use crate::time::SpareTimer;
use glasshouse_pal::{Foreign, IoTarget, TaskId, TextId, WakeSource, WaysOut, contain};
use glasshouse_telemetry as telemetry;
use std::cell::{Cell, RefCell};
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

/// A worker as its own thread sees it. A guest (a thread inside `block_on` beside the workers) has no
/// index: it runs its root task and nothing else.
pub(crate) struct Worker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) seam: telemetry::Worker,
    pub(crate) index: Option<usize>,
    /// What the next spawn may take over.
    pub(crate) references: SpareReferences,
    /// What the next sleep may take over.
    pub(crate) spare_timer: SpareTimer,
    /// The part of this worker that others reach; none for a guest.
    pub(crate) own: Option<Arc<Remote>>,
    /// The same, where its queues are popped in the order of the pushes; none where the seed picks the next task.
    pub(crate) queues: Option<Arc<Remote>>,
    /// Whether the scheduler has one worker.
    pub(crate) is_alone: bool,
    /// The ready tasks of a deterministic scheduler.
    pub(crate) seeded: Option<RefCell<Seeded>>,
    current: Cell<Option<TaskId>>,
    /// The task whose poll is under way; null outside of a poll.
    polling: Cell<*const Header>,
    /// Whether the poll under way woke its own task.
    woke_itself: Cell<bool>,
    reason: Cell<Reason>,
    /// The text that `task::fail` left in the tick under way.
    pub(crate) failure: Cell<TextId>,
    /// Turns until the shared queue and the driver are looked at whatever else is ready; zero in that turn.
    pub(crate) turns_left: Cell<u32>,
    /// System tasks in a row.
    pub(crate) system_run: Cell<u32>,
    /// Tasks in a row that were taken from the place before the queue.
    pub(crate) next_run: Cell<u32>,
    pub(crate) searching: Cell<bool>,
    /// A deterministic scheduler in which nothing can ever happen again.
    pub(crate) is_stuck: Cell<bool>,
    /// When the siblings are looked at next.
    pub(crate) next_relief: Cell<u64>,
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.disarm_spare();
    }
}

/// Why a poll is pending. Ordered by precedence: the highest claim of a poll counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Nothing,
    /// A deadline that bounds something else, which claims nothing.
    Bounded,
    Sleep(Duration),
    Join(TaskId, WaysOut),
    Lane(TextId, WaysOut),
    Io(IoTarget),
}

impl Reason {
    fn rank(self) -> u8 {
        match self {
            Reason::Nothing => 0,
            Reason::Bounded => 1,
            Reason::Sleep(_) => 2,
            Reason::Join(..) => 3,
            Reason::Lane(..) => 4,
            Reason::Io(_) => 5,
        }
    }

    /// What two claims of one poll come to. The first claim of a rank stands: a later one of the same rank is of a sibling
    /// future. Most polls claim once.
    #[inline(never)]
    fn beside(self, later: Reason) -> Reason {
        let (mut kept, other) = match later.rank() > self.rank() {
            true => (later, self),
            false => (self, later),
        };
        if let Reason::Join(_, ways_out) | Reason::Lane(_, ways_out) = &mut kept {
            let beside = match other {
                Reason::Nothing | Reason::Io(_) => WaysOut::default(),
                Reason::Bounded | Reason::Sleep(_) => WaysOut {
                    deadline: true,
                    other: false,
                },
                Reason::Join(_, beside) | Reason::Lane(_, beside) => WaysOut {
                    other: true,
                    ..beside
                },
            };
            ways_out.deadline |= beside.deadline;
            ways_out.other |= beside.other;
        }
        kept
    }
}

impl Worker {
    pub(crate) fn new(
        shared: Arc<Shared>,
        seam: telemetry::Worker,
        index: Option<usize>,
        seeded: Option<Seeded>,
    ) -> Rc<Worker> {
        let own = index.map(|index| shared.remotes[index].clone());
        Rc::new(Worker {
            queues: own.clone().filter(|_| seeded.is_none()),
            own,
            is_alone: shared.remotes.len() == 1,
            references: SpareReferences::new(shared.clone()),
            shared,
            seam,
            index,
            spare_timer: SpareTimer::none(),
            seeded: seeded.map(RefCell::new),
            current: Cell::new(None),
            polling: Cell::new(ptr::null()),
            woke_itself: Cell::new(false),
            reason: Cell::new(Reason::Nothing),
            failure: Cell::new(TextId::EMPTY),
            turns_left: Cell::new(SHARED_INTERVAL),
            system_run: Cell::new(0),
            next_run: Cell::new(0),
            searching: Cell::new(false),
            is_stuck: Cell::new(false),
            next_relief: Cell::new(0),
        })
    }

    pub(crate) fn current(&self) -> Option<TaskId> {
        self.current.get()
    }

    /// The poll of `task` begins.
    #[inline(always)]
    pub(crate) fn set_current(&self, task: &Task) {
        self.current.set(Some(task.trace().id()));
        self.polling.set(task.header_ptr().as_ptr());
        self.woke_itself.set(false);
        self.reason.set(Reason::Nothing);
        self.failure.set(TextId::EMPTY);
    }

    /// The poll is over. Whether it woke its own task; from now on the task's state word says so.
    #[inline(always)]
    pub(crate) fn end_polling(&self) -> bool {
        self.polling.set(ptr::null());
        self.woke_itself.get()
    }

    /// The tick is over.
    #[inline(always)]
    pub(crate) fn clear_current(&self) {
        self.current.set(None);
    }

    /// If `task` is the one whose poll is under way on this thread: the poll's end will find this note, and
    /// nothing needs to be said to other threads. Not when the wake has a source of its own to record.
    #[inline(always)]
    pub(crate) fn note_self_wake(&self, task: &Counted) -> bool {
        let is_itself = ptr::eq(self.polling.get(), task.header_ptr().as_ptr());
        if is_itself && source().is_none() {
            self.woke_itself.set(true);
            return true;
        }
        false
    }

    /// The task whose poll is under way, which lasts as long as the poll; null outside of one.
    pub(crate) fn polling(&self) -> *const Header {
        self.polling.get()
    }

    pub(crate) fn reason(&self) -> Reason {
        self.reason.get()
    }

    fn claim(&self, reason: Reason) {
        match self.reason.get() {
            Reason::Nothing => self.reason.set(reason),
            before => self.reason.set(before.beside(reason)),
        }
    }

    /// A deadline bounds what the poll waits for. Where nothing is claimed that takes one compare and one store.
    #[inline(always)]
    pub(crate) fn claim_bound(&self) {
        match self.reason.get() {
            Reason::Nothing => self.reason.set(Reason::Bounded),
            // Those end by themselves, or are bounded.
            Reason::Bounded | Reason::Sleep(_) | Reason::Io(_) => {}
            Reason::Join(..) | Reason::Lane(..) => self.claim(Reason::Bounded),
        }
    }

    pub(crate) fn fail_current(&self, text: &str) {
        if self.current.get().is_some() {
            self.failure.set(self.shared.hub.pal().text(text));
        }
    }

    /// Who makes a wake that happens now on this thread.
    pub(crate) fn wake_source(&self) -> WakeSource {
        match (source(), self.current.get()) {
            (Some(source), _) => source,
            (None, Some(task)) => WakeSource::Task(task),
            (None, None) => WakeSource::External,
        }
    }
}

thread_local! {
    static SOURCE: Cell<Option<WakeSource>> = const { Cell::new(None) };
}

/// The source of the wakes that this thread makes outside of its task, if one was set.
pub(crate) fn source() -> Option<WakeSource> {
    SOURCE.try_with(Cell::get).ok().flatten()
}

/// Runs `f`, and records the wakes in it with this source.
pub(crate) fn waking_as<R>(source: WakeSource, f: impl FnOnce() -> R) -> R {
    struct Restore(Option<WakeSource>);
    impl Drop for Restore {
        fn drop(&mut self) {
            SOURCE.with(|source| source.set(self.0));
        }
    }
    let _restore = Restore(SOURCE.with(|current| current.replace(Some(source))));
    f()
}

/// Wakes. The waker may be any executor's: its panic is contained as a task's would be, so that it takes
/// no worker with it.
pub(crate) fn wake_contained(waker: Waker) {
    contain(Foreign::Waker, move || waker.wake());
}

fn claim(reason: Reason) {
    with_worker(|worker| {
        if let Some(worker) = worker {
            worker.claim(reason);
        }
    });
}

/// This poll waits for a deadline that lay `dur` ahead when it was armed.
pub(crate) fn claim_sleep(dur: Duration) {
    claim(Reason::Sleep(dur));
}

/// A deadline bounds what this poll waits for.
pub(crate) fn claim_bound() {
    claim(Reason::Bounded);
}

/// This poll waits for a task.
pub(crate) fn claim_join(on: TaskId) {
    claim(Reason::Join(on, WaysOut::default()));
}

/// This poll waits for any task of a set, of which this is one.
pub(crate) fn claim_join_any(on: TaskId) {
    let ways_out = WaysOut {
        other: true,
        ..WaysOut::default()
    };
    claim(Reason::Join(on, ways_out));
}

/// This poll waits for a descriptor.
pub(crate) fn claim_io(io: IoTarget) {
    claim(Reason::Io(io));
}

/// This poll waits for a lane's permit.
pub(crate) fn claim_lane(lane: TextId) {
    claim(Reason::Lane(lane, WaysOut::default()));
}
