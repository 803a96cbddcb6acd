//! Owns the buffer in which a text of bounded length is put together without the heap.

use super::TEXT_BYTES_MAX;
use std::fmt;

/// A text on the stack, cut to [`TEXT_BYTES_MAX`](crate::TEXT_BYTES_MAX) bytes.
///
/// ```
/// use glasshouse_pal::TextBuf;
/// let text = TextBuf::from_display(&std::io::Error::other("no such lane"));
/// assert_eq!(text.as_str(), "no such lane");
/// ```
#[derive(Clone)]
pub struct TextBuf {
    bytes: [u8; TEXT_BYTES_MAX],
    length: usize,
    /// Something was cut; what follows is dropped, so that no gap is hidden in the middle.
    is_cut: bool,
}

impl TextBuf {
    /// The empty text.
    pub const fn new() -> TextBuf {
        TextBuf {
            bytes: [0; TEXT_BYTES_MAX],
            length: 0,
            is_cut: false,
        }
    }

    /// What a value shows, as far as it fits.
    pub fn from_display(value: &(impl fmt::Display + ?Sized)) -> TextBuf {
        let mut text = TextBuf::new();
        // A value whose formatting fails keeps what it wrote until then.
        let _ = fmt::write(&mut text, format_args!("{value}"));
        text
    }

    /// The text so far.
    pub fn as_str(&self) -> &str {
        // Only whole characters are ever appended.
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or("")
    }
}

impl Default for TextBuf {
    fn default() -> TextBuf {
        TextBuf::new()
    }
}

impl fmt::Debug for TextBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Write for TextBuf {
    /// Appends what fits; never fails.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.is_cut {
            return Ok(());
        }
        let fitting = text.floor_char_boundary(TEXT_BYTES_MAX - self.length);
        let end = self.length + fitting;
        self.bytes[self.length..end].copy_from_slice(&text.as_bytes()[..fitting]);
        self.length = end;
        self.is_cut = fitting < text.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    #[test]
    fn a_text_is_cut_at_a_character_and_takes_nothing_after_that() {
        let mut text = TextBuf::new();
        write!(text, "{}", "a".repeat(TEXT_BYTES_MAX - 1)).expect("never fails");
        write!(text, "é").expect("never fails");
        write!(text, "b").expect("never fails");
        assert_eq!(text.as_str(), "a".repeat(TEXT_BYTES_MAX - 1));
    }
}
