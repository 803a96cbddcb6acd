//! Owns the containment of foreign code: what the scheduler calls while it does something else.
//!
//! Subscribers and recorders are told of a tick in the middle of it; wakers, and what a panic carries, are
//! dropped by whoever comes last. A panic in there is the application's, but must not unwind a worker. The
//! panic's own message is the panic hook's to print; what became of it is said here, once for each kind.

use crate::panics::catch;
use std::any::Any;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whose code is called.
///
/// ```
/// use glasshouse_pal::{Foreign, contain};
/// let told = contain(Foreign::Recorder, || panic!("the disk is full"));
/// assert_eq!(told, None::<()>);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Foreign {
    /// A `tracing` subscriber, told of an event or a span.
    Subscriber,
    /// A `metrics` recorder, told of a change.
    Recorder,
    /// A waker that is not the scheduler's own, woken or dropped.
    Waker,
    /// A function of the application that is called at a stall.
    StallReport,
    /// A value that is dropped where nobody waits for it: a result, or what a panic carries.
    Value,
}

impl Foreign {
    const COUNT: usize = Foreign::Value as usize + 1;

    fn whose(self) -> &'static str {
        match self {
            Foreign::Subscriber => "tracing subscriber",
            Foreign::Recorder => "metrics recorder",
            Foreign::Waker => "waker",
            Foreign::StallReport => "function given to on_stall",
            Foreign::Value => "value's drop",
        }
    }
}

/// Whether it was said of each that it panicked.
static SAID: [AtomicBool; Foreign::COUNT] = [const { AtomicBool::new(false) }; Foreign::COUNT];

/// Calls `f`, which is foreign code. `None` if it panicked: that ends nothing else. The first time in the
/// process that code of this kind does, a line on standard error says that it was contained.
#[inline]
pub fn contain<R>(whose: Foreign, f: impl FnOnce() -> R) -> Option<R> {
    match catch(f) {
        Ok(result) => Some(result),
        Err(payload) => {
            contained(whose, payload);
            None
        }
    }
}

#[cold]
fn contained(whose: Foreign, payload: Box<dyn Any + Send>) {
    if !SAID[whose as usize].swap(true, Ordering::Relaxed) {
        // Where standard error is closed there is nobody to tell.
        let _ = writeln!(
            io::stderr(),
            "glasshouse: a {} panicked; that is contained, the scheduler goes on, and this is said once",
            whose.whose()
        );
    }
    // What the panic carries may panic as it is dropped, and so may what that carries: one is left behind.
    if let Err(next) = catch(move || drop(payload)) {
        std::mem::forget(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A payload that is as bad as can be.
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::panic_any(Bomb);
        }
    }

    #[test]
    fn what_does_not_panic_gives_its_result() {
        assert_eq!(contain(Foreign::Value, || 5), Some(5));
    }

    #[test]
    fn a_panic_whose_payload_panics_when_it_is_dropped_is_contained() {
        assert!(contain(Foreign::Value, || std::panic::panic_any(Bomb)).is_none());
    }

    #[test]
    fn a_panic_is_contained_in_a_drop_while_another_unwinds() {
        struct Contains;
        impl Drop for Contains {
            fn drop(&mut self) {
                assert!(contain(Foreign::Value, || panic!("inner")).is_none());
            }
        }
        let outer = catch(|| {
            let _contains = Contains;
            panic!("outer");
        });
        assert_eq!(outer.unwrap_err().downcast_ref(), Some(&"outer"));
    }
}
