//! Owns what the process's log says of panics: that one is under way, and that it was got over.
//!
//! A panic hook, installed with the process's log before the hook that was there, has the log say
//! `panicking`. It says `running` again when the panic was caught with [`catch`], as the scheduler does with
//! those of tasks, or when its thread has ended and the process goes on. What remains is what the process died
//! of: a panic that aborts, or that unwinds the thread from which the process then exits.
//!
//! A panic that the application catches itself, without [`catch`], is taken for one under way until its thread
//! ends; at an exit from another thread it does not count, nor in a forked child. One that is resumed (`resume_unwind`)
//! calls no hook.

use crate::format::header::Lifecycle;
use crate::process;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Threads on which a panic is under way.
static PANICKING: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Panics under way on this thread: one may begin while another unwinds. Without a destructor, so that it
    /// can be asked for at any time.
    static UNDER_WAY: Cell<usize> = const { Cell::new(0) };
    static END: EndOfThread = const { EndOfThread };
}

/// A thread that ends takes its panics along, unless it is the one that ends the process.
struct EndOfThread;

impl Drop for EndOfThread {
    fn drop(&mut self) {
        if !is_main_thread() {
            set_under_way(0);
        }
    }
}

/// Calls `f` and catches its panic, as `std::panic::catch_unwind` does. The process goes on, and its log, which
/// said that it was panicking, says so.
///
/// # Errors
///
/// What the panic carried.
///
/// ```
/// let caught = glasshouse_pal::catch(|| panic!("the disk is full"));
/// assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"the disk is full"));
/// ```
#[inline]
pub fn catch<R>(f: impl FnOnce() -> R) -> thread::Result<R> {
    catch_unwind(AssertUnwindSafe(f)).inspect_err(|_| got_over())
}

#[cold]
fn got_over() {
    // None where it was resumed, and no hook called.
    set_under_way(UNDER_WAY.get().saturating_sub(1));
}

/// Changes how many panics are under way on this thread, and what the log says of them.
fn set_under_way(count: usize) {
    match (UNDER_WAY.replace(count), count) {
        (0, 0) => return,
        (0, _) => {
            PANICKING.fetch_add(1, Ordering::SeqCst);
        }
        (_, 0) => {
            PANICKING.fetch_sub(1, Ordering::SeqCst);
        }
        _ => return,
    }
    let Some(pal) = process::existing() else {
        return;
    };
    // Two threads at once: who comes last looks at what both have counted.
    loop {
        let before = PANICKING.load(Ordering::SeqCst);
        match before {
            0 => pal.go_on(),
            _ => pal.end(Lifecycle::Panicking),
        }
        if (before == 0) == (PANICKING.load(Ordering::SeqCst) == 0) {
            return;
        }
    }
}

/// What a new child is told of, which has one thread, that which forked: panics of its parent's others are none of its
/// own, nor is one that was caught. One that unwinds goes on in it. Takes no lock and no memory.
pub(crate) fn begin_in_child() {
    if !thread::panicking() {
        UNDER_WAY.set(0);
    }
    let is_under_way = UNDER_WAY.get() > 0;
    PANICKING.store(usize::from(is_under_way), Ordering::SeqCst);
}

/// Installs the hook. Not while this thread panics, when no hook can be installed.
pub(crate) fn install_hook() {
    if thread::panicking() {
        return;
    }
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        // A thread that is ending has nothing left to tell its end by; it is as good as over.
        if END.try_with(|_| ()).is_ok() || is_main_thread() {
            set_under_way(UNDER_WAY.get() + 1);
        }
        before(info);
    }));
}

/// How the process ends, by what became of the panics of the thread that exits.
pub(crate) fn lifecycle_at_exit() -> Lifecycle {
    match UNDER_WAY.get() {
        0 => Lifecycle::CleanExit,
        _ => Lifecycle::Panicking,
    }
}

/// Whether any thread has a panic under way, as far as the hook knows.
pub(crate) fn is_any_under_way() -> bool {
    PANICKING.load(Ordering::SeqCst) > 0
}

fn is_main_thread() -> bool {
    rustix::thread::gettid() == rustix::process::getpid()
}
