//! Models of the parker: an unpark is never lost.

use super::explore;
use crate::parker::Parker;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

#[test]
fn an_unpark_is_never_lost() {
    explore(|| {
        let parker = Arc::new(Parker::new());
        let ready = Arc::new(AtomicUsize::new(0));
        let other = {
            let (parker, ready) = (parker.clone(), ready.clone());
            thread::spawn(move || {
                ready.store(1, Ordering::Relaxed);
                parker.unpark(|| unreachable!("nobody polls"));
            })
        };
        parker.park(None);
        assert_eq!(
            ready.load(Ordering::Relaxed),
            1,
            "the park saw what came before the unpark"
        );
        other.join().unwrap();
    });
}
