//! Owns what is left of a terminal's output when it is read as text: no control characters, no escape
//! sequences, and of a line that was written over only what was written last.

/// The longest line, in characters; what is longer is cut. A guess: several rows of any screen.
const LINE_CHARS_MAX: usize = 400;
const TAB_CHARS: usize = 8;

/// The lines of this output. Bytes that are no UTF-8 become replacement characters.
pub(crate) fn plain_lines(output: &[u8]) -> Vec<String> {
    let mut page = Page::default();
    let text = String::from_utf8_lossy(output);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\x1b' => skip_escape(&mut chars),
            c => page.put(c),
        }
    }
    page.end_line();
    page.lines
}

/// The last line of this output that is not blank; empty if there is none.
pub(crate) fn last_line(output: &[u8]) -> String {
    let mut lines = plain_lines(output);
    lines.retain(|line| !line.trim().is_empty());
    lines.pop().unwrap_or_default()
}

/// The last `lines_max` lines of this output, joined; `is_cut` says that bytes are missing before it, so
/// that its first line may be a part of one.
pub(crate) fn last_lines(output: &[u8], is_cut: bool, lines_max: usize) -> String {
    let mut lines = plain_lines(output);
    if is_cut && lines.len() > 1 {
        lines.remove(0);
    }
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    lines[lines.len().saturating_sub(lines_max)..].join("\n")
}

/// Skips what follows an escape character, up to its sequence's end.
fn skip_escape(chars: &mut std::str::Chars<'_>) {
    match chars.next() {
        // Control sequence: parameters, then a final character.
        Some('[') => {
            chars.find(|c| ('@'..='~').contains(c));
        }
        // A string for the terminal, such as a window's title: to the bell or the string terminator,
        // whose second character is then taken for an ordinary one-character sequence's.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            let end = chars.find(|&c| matches!(c, '\x07' | '\x1b'));
            if end == Some('\x1b') {
                chars.next();
            }
        }
        // A choice of character set has one character more.
        Some('(' | ')' | '*' | '+' | '#' | '%' | ' ') => {
            chars.next();
        }
        _ => {}
    }
}

#[derive(Default)]
struct Page {
    lines: Vec<String>,
    line: String,
    line_chars: usize,
    /// A carriage return was seen: the next character writes over the line.
    returned: bool,
}

impl Page {
    fn put(&mut self, c: char) {
        match c {
            '\n' => self.end_line(),
            '\r' => self.returned = true,
            '\x08' => {
                if self.line.pop().is_some() {
                    self.line_chars -= 1;
                }
            }
            '\t' => {
                let to_stop = TAB_CHARS - self.line_chars % TAB_CHARS;
                (0..to_stop).for_each(|_| self.write(' '));
            }
            c if c.is_control() => {}
            c => self.write(c),
        }
    }

    fn write(&mut self, c: char) {
        if std::mem::take(&mut self.returned) {
            self.line.clear();
            self.line_chars = 0;
        }
        if self.line_chars < LINE_CHARS_MAX {
            self.line.push(c);
            self.line_chars += 1;
        }
    }

    fn end_line(&mut self) {
        self.returned = false;
        self.line_chars = 0;
        self.lines.push(std::mem::take(&mut self.line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escape_sequences_leave_nothing() {
        for (output, text) in [
            ("\x1b[1;31mred\x1b[0m", "red"),
            ("\x1b]0;a title\x07text", "text"),
            ("\x1b]0;a title\x1b\\text", "text"),
            ("\x1b(Btext", "text"),
            ("\x1b7text\x1b8", "text"),
            ("text\x1b[", "text"),
            ("text\x1b", "text"),
            ("a\x07\x00b\u{9b}", "ab"),
        ] {
            assert_eq!(plain_lines(output.as_bytes()), [text], "{output:?}");
        }
    }

    #[test]
    fn of_a_line_written_over_the_last_is_left() {
        assert_eq!(last_line(b"10 %\r20 %\r"), "20 %");
        assert_eq!(plain_lines(b"one\r\ntwo\r\n"), ["one", "two", ""]);
        assert_eq!(plain_lines(b"ab\x08c"), ["ac"]);
        assert_eq!(plain_lines(b"\x08a\tb"), ["a       b"]);
    }

    #[test]
    fn the_last_line_is_one_that_says_something() {
        assert_eq!(last_line(b"done\r\n  \r\n\r\n"), "done");
        assert_eq!(last_line(b""), "");
    }

    #[test]
    fn a_part_of_a_line_is_left_out_of_the_last_lines() {
        assert_eq!(
            last_lines(b"rt of one\ntwo\nthree\n", true, 5),
            "two\nthree"
        );
        assert_eq!(last_lines(b"one\ntwo\nthree\n", false, 2), "two\nthree");
        assert_eq!(
            last_lines(b"rt of a line without end", true, 5),
            "rt of a line without end"
        );
        assert_eq!(last_lines(b"", false, 5), "");
    }

    #[test]
    fn a_long_line_is_cut() {
        assert_eq!(
            last_line(&vec![b'x'; 3 * LINE_CHARS_MAX]).len(),
            LINE_CHARS_MAX
        );
    }

    proptest! {
        #[test]
        fn no_output_leaves_a_control_character(output in prop::collection::vec(any::<u8>(), 0..300)) {
            for line in plain_lines(&output) {
                prop_assert!(!line.contains(char::is_control), "{line:?}");
                prop_assert!(line.chars().count() <= LINE_CHARS_MAX);
            }
        }
    }
}
