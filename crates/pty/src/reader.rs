//! Owns a way to follow a session's output.

use crate::output_ring::Cursor;
use crate::shared::Shared;
use std::sync::Arc;

/// Follows a session's output from its beginning, at its own pace. It never holds the program up:
/// what the ring drops before it is read is missed, and counted. It does not keep the session alive.
///
/// ```
/// use glasshouse_pty::{Command, Session};
/// let scheduler = glasshouse_scheduler::Builder::new().workers(1).build().unwrap();
/// scheduler.block_on(async {
///     let session = Session::spawn(&Command::shell("echo one; echo two")).unwrap();
///     let mut reader = session.reader();
///     let mut output = Vec::new();
///     while let Some(missed_bytes) = reader.read(&mut output).await {
///         assert_eq!(missed_bytes, 0);
///     }
///     assert_eq!(output, b"one\r\ntwo\r\n");
/// });
/// ```
#[derive(Debug)]
pub struct Reader {
    shared: Arc<Shared>,
    cursor: Cursor,
}

impl Reader {
    pub(crate) fn new(shared: Arc<Shared>) -> Reader {
        Reader {
            shared,
            cursor: Cursor::default(),
        }
    }

    /// Waits for output, appends all there is to `into`, and returns how many bytes were dropped
    /// before it came to them. `None` at the end: the session has ended and all of it was read.
    ///
    /// Dropped before it is ready it has read nothing.
    pub async fn read(&mut self, into: &mut Vec<u8>) -> Option<u64> {
        loop {
            let more = self.shared.output_bell.listen();
            // Before the look at the output: what comes before the end is seen by that look.
            let has_ended = self.shared.state().status().is_some();
            if let Some(missed_bytes) = self.try_read(into) {
                return Some(missed_bytes);
            }
            if has_ended {
                return None;
            }
            more.await;
        }
    }

    /// The same without waiting: `None` if nothing came since the last time.
    pub fn try_read(&mut self, into: &mut Vec<u8>) -> Option<u64> {
        let output = self.shared.output();
        if self.cursor == output.end_cursor() {
            return None;
        }
        Some(output.read(&mut self.cursor, into))
    }
}
