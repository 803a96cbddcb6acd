//! Owns what a scheduler's threads are called.

use std::sync::Arc;

/// How the threads get their names. Linux keeps the first 15 bytes of each, and shows those in `top` or a
/// debugger; the whole is in a panic's message.
#[derive(Clone)]
pub(crate) enum ThreadNames {
    /// The scheduler's name, with the worker's number or what the thread is for.
    Of(String),
    /// What the application's function says, for each thread anew.
    From(Arc<dyn Fn() -> String + Send + Sync>),
}

impl ThreadNames {
    pub(crate) fn worker(&self, index: usize) -> String {
        match self {
            ThreadNames::Of(scheduler) => whole(format!("{scheduler}-{index}")),
            ThreadNames::From(name) => whole(name()),
        }
    }

    pub(crate) fn blocking(&self) -> String {
        match self {
            ThreadNames::Of(scheduler) => whole(format!("{scheduler}-blocking")),
            ThreadNames::From(name) => whole(name()),
        }
    }

    /// The application's function names the threads that run its code; this one does not.
    pub(crate) fn watchdog(&self) -> String {
        match self {
            ThreadNames::Of(scheduler) => whole(format!("{scheduler}-watch")),
            ThreadNames::From(_) => "glasshouse-watch".to_owned(),
        }
    }
}

/// A name without the zero byte, which would end it early: the standard library refuses to start such a thread.
fn whole(name: String) -> String {
    match name.contains('\0') {
        true => name.replace('\0', ""),
        false => name,
    }
}
