//! Owns the view of a command's output while it runs.

use crate::plain_text::last_line;
use std::fmt;
use std::sync::Arc;

/// How far back from the end the last line is sought, in bytes.
const LAST_LINE_BYTES: usize = 1024;

/// Where a live view looks.
pub(crate) trait Output: Send + Sync {
    /// All bytes that the command has written so far.
    fn written_bytes(&self) -> u64;
    /// The bytes that no longer fit and are lost.
    fn dropped_bytes(&self) -> u64;
    /// The last bytes, at most so many.
    fn tail(&self, bytes: usize) -> Vec<u8>;
}

/// A view of a running attempt's output, cheap to clone and to ask; it stays after the attempt has ended.
///
/// ```
/// fn line(node: &str, live: &glasshouse_flow::Live) -> String {
///     format!("{node}: {} bytes, {}", live.output_bytes(), live.last_line())
/// }
/// ```
#[derive(Clone)]
pub struct Live {
    output: Arc<dyn Output>,
}

impl Live {
    pub(crate) fn new(output: Arc<dyn Output>) -> Live {
        Live { output }
    }

    /// How many bytes the command has written so far, those dropped since included.
    pub fn output_bytes(&self) -> u64 {
        self.output.written_bytes()
    }

    /// How many of them its buffer could not hold.
    pub fn dropped_bytes(&self) -> u64 {
        self.output.dropped_bytes()
    }

    /// The last line that is not blank, without control characters and escape sequences; empty if there
    /// is none.
    pub fn last_line(&self) -> String {
        last_line(&self.output.tail(LAST_LINE_BYTES))
    }

    /// The last bytes, and whether any are missing before them.
    pub(crate) fn tail(&self, bytes: usize) -> (Vec<u8>, bool) {
        let tail = self.output.tail(bytes);
        let is_cut = (tail.len() as u64) < self.output_bytes();
        (tail, is_cut)
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("output_bytes", &self.output_bytes())
            .field("last_line", &self.last_line())
            .finish()
    }
}
