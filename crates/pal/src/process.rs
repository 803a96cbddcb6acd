//! Owns the process's one log.

use crate::fork::close_at_exit;
use crate::format::layout::Shape;
use crate::pal::Pal;
use std::sync::OnceLock;

static PROCESS: OnceLock<Pal> = OnceLock::new();

impl Pal {
    /// The process's log. The first call makes it, with a ring for each of `workers`; later calls
    /// return the same one. Never fails.
    pub fn process(workers: usize) -> Pal {
        PROCESS
            .get_or_init(|| {
                if std::env::var_os("GLASSHOUSE_PAL").is_some_and(|value| value == "off") {
                    return Pal::off();
                }
                close_at_exit();
                Pal::fallback(Shape::process(workers))
            })
            .clone()
    }
}

pub(crate) fn existing() -> Option<&'static Pal> {
    PROCESS.get()
}
