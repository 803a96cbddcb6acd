//! Owns a text of bounded length on the stack: what a task says of its failure is written here, so that
//! recording it allocates nothing.

use std::fmt;

/// Bytes kept of an error text. A guess: enough for a line of context, and the arena stays small.
const TEXT_BYTES: usize = 256;

/// A text cut to [`TEXT_BYTES`] at a character boundary.
pub(crate) struct BoundedText {
    bytes: [u8; TEXT_BYTES],
    len: usize,
}

impl BoundedText {
    /// What `value` displays, cut.
    pub(crate) fn of(value: &dyn fmt::Display) -> BoundedText {
        let mut text = BoundedText {
            bytes: [0; TEXT_BYTES],
            len: 0,
        };
        // An error says that the text was cut, or that the Display gave up: what it wrote so far stays.
        let _ = fmt::write(&mut text, format_args!("{value}"));
        text
    }

    pub(crate) fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

impl fmt::Write for BoundedText {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let room = TEXT_BYTES - self.len;
        let take = part.floor_char_boundary(room.min(part.len()));
        self.bytes[self.len..self.len + take].copy_from_slice(&part.as_bytes()[..take]);
        self.len += take;
        // A cut ends the text: what follows would be read as if it stood beside it.
        if take < part.len() {
            return Err(fmt::Error);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_a_character_boundary() {
        let long = "ä".repeat(200);
        let text = BoundedText::of(&long);
        assert_eq!(text.as_str(), "ä".repeat(128));
        let odd = format!("x{long}");
        assert_eq!(
            BoundedText::of(&odd).as_str(),
            format!("x{}", "ä".repeat(127))
        );
    }
}
