//! Owns how those who wait for a long reading are told how far it has come.

use std::sync::Arc;

/// How far a pass over a log's records has come. A log may be passed over several times.
///
/// ```
/// use glasshouse_pal::reader::Progress;
/// assert_ne!(Progress::Percent(99), Progress::Over);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many hundredths of the records were read.
    Percent(u8),
    /// No more are read.
    Over,
}

/// Who is told.
pub(crate) type Watcher = Arc<dyn Fn(Progress) + Send + Sync>;

/// One pass, of which a watcher is told from its first part on, and that it is over, however it ends.
pub(crate) struct Watched {
    watcher: Watcher,
    has_begun: bool,
}

impl Watched {
    pub(crate) fn by(watcher: Watcher) -> Watched {
        Watched {
            watcher,
            has_begun: false,
        }
    }

    /// So many parts of the whole were read.
    pub(crate) fn came_to(&mut self, parts: usize, whole: usize) {
        self.has_begun = true;
        let percent = parts * 100 / whole.max(1);
        (self.watcher)(Progress::Percent(percent.min(100) as u8));
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if self.has_begun {
            (self.watcher)(Progress::Over);
        }
    }
}
