//! Owns Ctrl-C while a log is followed: the first ends the following, which says what it lost; a second one ends it at once.

use crate::exit::Stop;
use signal_hook::consts::SIGINT;
use signal_hook::flag;
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What Ctrl-C ends with.
const EXIT_CODE: i32 = 130;

/// Whether Ctrl-C came since it is listened for; before that it ends the process as it ends any.
#[derive(Default)]
pub struct Interrupt {
    has_come: Arc<AtomicBool>,
    is_heard: Cell<bool>,
}

impl Interrupt {
    /// Listens from now on.
    ///
    /// # Errors
    ///
    /// When the kernel does not let it.
    pub fn listen(&self) -> Result<(), Stop> {
        if self.is_heard.replace(true) {
            return Ok(());
        }
        // Whoever does not take what is printed holds it up, and asks twice.
        flag::register_conditional_shutdown(SIGINT, EXIT_CODE, Arc::clone(&self.has_come))?;
        flag::register(SIGINT, Arc::clone(&self.has_come))?;
        Ok(())
    }

    pub fn has_come(&self) -> bool {
        self.has_come.load(Ordering::Relaxed)
    }
}
