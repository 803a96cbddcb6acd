//! Owns a flow's text while it is read: places for byte offsets, and values of the type that is wanted,
//! each with where it stands.

use crate::error::{FlowError, Place, Problem};
use crate::read::NAME_BYTES_MAX;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The longest piece of a flow's text that a message repeats, in characters.
const EXCERPT_CHARS: usize = 80;

/// A text as messages repeat it: cut where it would fill the screen.
pub(crate) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(EXCERPT_CHARS) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.to_owned(),
    }
}

/// A value and the bytes it was read from.
#[derive(Clone, Debug)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Range<usize>,
}

/// A flow's text and the name of its file.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) file: &'a str,
    pub(crate) text: &'a str,
}

impl Source<'_> {
    /// The error for a problem at this byte span.
    pub(crate) fn error(self, span: &Range<usize>, problem: Problem) -> FlowError {
        FlowError::new(self.file, Some(self.place(span.start)), problem)
    }

    /// The place of a byte offset; the end of the text for one beyond it.
    pub(crate) fn place(self, offset: usize) -> Place {
        let offset = self.text.floor_char_boundary(offset);
        let before = &self.text[..offset];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Place {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    /// The value as a table; `example` is what to write instead of another type.
    pub(crate) fn table<'v, 'i>(
        self,
        key: &str,
        value: &'v Spanned<DeValue<'i>>,
        example: &'static str,
    ) -> Result<At<&'v DeTable<'i>>, FlowError> {
        match value.get_ref().as_table() {
            Some(table) => Ok(At {
                value: table,
                span: value.span(),
            }),
            None => Err(self.wrong_type(key, value, example)),
        }
    }

    /// The value as a string; `example` is what to write instead of another type.
    pub(crate) fn string<'v>(
        self,
        key: &str,
        value: &'v Spanned<DeValue<'_>>,
        example: &'static str,
    ) -> Result<At<&'v str>, FlowError> {
        match value.get_ref().as_str() {
            Some(text) => Ok(At {
                value: text,
                span: value.span(),
            }),
            None => Err(self.wrong_type(key, value, example)),
        }
    }

    /// The error for a value of the wrong type.
    pub(crate) fn wrong_type(
        self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        example: &'static str,
    ) -> FlowError {
        let problem = Problem::WrongType {
            key: excerpt(key),
            found: value.get_ref().type_str(),
            example,
        };
        self.error(&value.span(), problem)
    }

    /// A name as it appears in the log, in labels and on the command line.
    pub(crate) fn name(self, key: &str, text: At<&str>) -> Result<String, FlowError> {
        let allowed = |c: char| c.is_alphanumeric() || "_-.:/".contains(c);
        let name = text.value;
        if (1..=NAME_BYTES_MAX).contains(&name.len()) && name.chars().all(allowed) {
            return Ok(name.to_owned());
        }
        let fault = match name.chars().find(|&c| !allowed(c)) {
            Some(c) => format!("= {:?} holds {c:?}", excerpt(name)),
            None => format!("= {:?} has {} bytes", excerpt(name), name.len()),
        };
        let remedy = "use 1 to 64 bytes of letters, digits and _ - . : /";
        Err(self.bad_text(key, &text, fault, remedy))
    }

    /// A text for people, or a path: not empty, no control characters.
    pub(crate) fn label(self, key: &str, text: At<&str>) -> Result<String, FlowError> {
        if !text.value.is_empty() && !text.value.contains(char::is_control) {
            return Ok(text.value.to_owned());
        }
        let fault = format!("is {:?}", excerpt(text.value));
        let remedy = "write a text that is not empty and holds no control characters";
        Err(self.bad_text(key, &text, fault, remedy))
    }

    /// A text that a command can be given.
    pub(crate) fn argument(self, key: &str, text: At<&str>) -> Result<String, FlowError> {
        if !text.value.contains('\0') {
            return Ok(text.value.to_owned());
        }
        let remedy = "remove it: no command can be given one";
        Err(self.bad_text(key, &text, "holds a NUL".into(), remedy))
    }

    /// The error for a text that cannot be used.
    pub(crate) fn bad_text(
        self,
        key: &str,
        text: &At<&str>,
        fault: String,
        remedy: &'static str,
    ) -> FlowError {
        let problem = Problem::Text {
            key: excerpt(key),
            fault,
            remedy,
        };
        self.error(&text.span, problem)
    }
}
