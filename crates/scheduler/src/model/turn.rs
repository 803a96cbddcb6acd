//! A model of the turn at the poll, between a worker that goes to sleep and the watchdog that looks in.

use super::explore;
use crate::driver::Turn;
use loom::sync::Arc;
use loom::thread;

#[test]
fn who_looks_in_leaves_nobody_asleep_outside_of_a_free_poll() {
    explore(|| {
        let turn = Arc::new(Turn::new(()));
        let looked_at = Arc::clone(&turn);
        let watchdog = thread::spawn(move || {
            let looked = looked_at.try_take().map(drop);
            looked.is_some() && looked_at.was_missed()
        });
        // Given back before the join: loom lets a try wait for who has the lock, where it is about to be made.
        let is_in_it = turn.try_take_to_sleep().map(drop).is_some();
        let is_woken = watchdog.join().expect("it does not panic");
        assert!(is_in_it || is_woken);
    });
}
