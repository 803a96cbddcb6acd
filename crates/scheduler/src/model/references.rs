//! Models of the references in the state word: whoever gives one up together with a step, or alone, one thread
//! finds that its own was the last, and finds it after all others have let go of the cell.

use super::{explore, explore_within};
use crate::task::{End, Join, Start, State, Wake};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread::{self, JoinHandle};

/// A cell that counts how often it was freed; loom reports who looks at it meanwhile.
struct Cell {
    state: State,
    content: UnsafeCell<u32>,
    freed: AtomicUsize,
}

impl Cell {
    fn spawned() -> Arc<Cell> {
        Arc::new(Cell {
            state: State::spawned(),
            content: UnsafeCell::new(0),
            freed: AtomicUsize::new(0),
        })
    }

    /// What a holder of a reference does with the cell.
    fn look(&self) {
        // SAFETY: loom checks that nobody frees it meanwhile.
        self.content
            .with(|content| assert_eq!(unsafe { *content }, 0));
    }

    fn free_if(&self, is_last: bool) {
        if is_last {
            // SAFETY: loom checks that nobody else looks at it.
            self.content.with_mut(|content| unsafe { *content = 1 });
            self.freed.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn assert_freed(&self) {
        assert_eq!(self.freed.load(Ordering::Relaxed), 1);
    }
}

/// The task's own life, from its first poll to its end: its reference goes last.
fn live(cell: &Cell) {
    let _ = cell.state.start_poll(|| {});
    cell.look();
    let _ = cell.state.complete();
    cell.free_if(cell.state.give_up_reference());
}

fn drop_handle(cell: &Cell) {
    cell.look();
    if cell.state.drop_join_handle_of_fresh() {
        return;
    }
    if cell.state.drop_join_handle() == Join::Complete {
        cell.look();
    }
    cell.free_if(cell.state.give_up_reference());
}

fn wake(cell: &Cell) -> bool {
    cell.look();
    let (wake, is_last) = cell.state.wake_by_value(|| cell.look());
    cell.free_if(is_last);
    wake == Wake::Push
}

/// A thread that does something with the cell.
fn beside<R: 'static>(cell: &Arc<Cell>, f: impl FnOnce(&Cell) -> R + 'static) -> JoinHandle<R> {
    let cell = cell.clone();
    thread::spawn(move || f(&cell))
}

/// Two threads that do this at once, each of them the one that loom runs first: it leaves out orders in which
/// the other comes first as a whole.
fn explore_both(prepare: fn(&Cell), steps: [fn(&Cell); 2]) {
    for [one, other] in [steps, [steps[1], steps[0]]] {
        explore(move || {
            let cell = Cell::spawned();
            prepare(&cell);
            let other = beside(&cell, other);
            one(&cell);
            other.join().unwrap();
            cell.assert_freed();
        });
    }
}

/// A waker is left, and the handle has gone.
fn leave_a_waker(cell: &Cell) {
    cell.state.add_reference();
    drop_handle(cell);
}

#[test]
fn a_task_that_ends_beside_the_drop_of_its_handle_is_freed_once() {
    explore_both(|_| {}, [live, drop_handle]);
}

#[test]
fn a_task_that_ends_beside_its_last_waker_is_freed_once() {
    let wake_in_vain = |cell: &Cell| assert!(!wake(cell), "it never waits");
    explore_both(leave_a_waker, [live, wake_in_vain]);
}

#[test]
fn a_task_is_freed_once_where_waker_and_handle_go_while_it_ends() {
    // Three threads: all executions are three million.
    explore_within(3, || {
        let cell = Cell::spawned();
        cell.state.add_reference();
        let waker = beside(&cell, wake);
        let handle = beside(&cell, drop_handle);
        live(&cell);
        waker.join().unwrap();
        handle.join().unwrap();
        cell.assert_freed();
    });
}

#[test]
fn a_used_up_waker_leaves_the_task_to_whom_it_pushes_it_or_to_the_poll_that_it_meets() {
    explore(|| {
        let cell = Cell::spawned();
        leave_a_waker(&cell);
        // Under way: a wake before this would be answered by it.
        assert_eq!(cell.state.start_poll(|| {}), Start::Poll);
        let waker = beside(&cell, wake);
        let is_idle = cell.state.end_poll() == End::Idle;
        assert_eq!(waker.join().unwrap(), is_idle, "who has the task");
        live(&cell);
        cell.assert_freed();
    });
}
