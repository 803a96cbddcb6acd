//! Panics that a test means to happen, and of which nothing is printed.

use std::panic::PanicHookInfo;

/// From here on nothing is printed of panics that `is_meant` knows. The hook is the process's: to be called once.
pub fn print_none(is_meant: impl Fn(&PanicHookInfo<'_>) -> bool + Send + Sync + 'static) {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !is_meant(panic) {
            before(panic);
        }
    }));
}
