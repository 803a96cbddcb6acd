//! Owns what is known of the terminal beside that there is one.

use std::ffi::OsString;

/// Why it is not known how to draw on the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// `TERM` is not set, or empty.
    Unset,
    /// `TERM` says that it can show lines and no more.
    Dumb,
}

/// Whether what is drawn on the terminal can be drawn over.
///
/// # Errors
///
/// When `TERM` does not say so.
pub fn can_redraw() -> Result<(), Unknown> {
    judge(std::env::var_os("TERM"))
}

fn judge(term: Option<OsString>) -> Result<(), Unknown> {
    match term {
        Some(term) if term == "dumb" => Err(Unknown::Dumb),
        Some(term) if !term.is_empty() => Ok(()),
        _ => Err(Unknown::Unset),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_without_a_name_or_a_dumb_one_cannot_be_drawn_over() {
        let judged = |term: &str| judge(Some(term.into()));
        assert_eq!(judge(None), Err(Unknown::Unset));
        assert_eq!(judged(""), Err(Unknown::Unset));
        assert_eq!(judged("dumb"), Err(Unknown::Dumb));
        assert_eq!(judged("xterm"), Ok(()));
    }
}
