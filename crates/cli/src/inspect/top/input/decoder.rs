//! Owns what the bytes of a terminal mean as keys: characters in UTF-8, control characters, and the sequences that
//! ECMA-48 begins with ESC, as xterm and those after it send them.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

const ESC: u8 = 0x1b;
/// What is kept of a sequence: no key sends one that is longer.
const SEQUENCE_MAX: usize = 32;

/// Turns bytes into keys, however they are cut up.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The beginning of a key.
    begun: Vec<u8>,
}

impl Decoder {
    /// Whether more bytes may belong to the key that came last.
    pub fn has_begun(&self) -> bool {
        !self.begun.is_empty()
    }

    /// Takes bytes in, and adds the keys that are whole. What no key sends is left out.
    pub fn take(&mut self, bytes: &[u8], keys: &mut Vec<KeyEvent>) {
        for byte in bytes {
            self.begun.push(*byte);
            self.step(keys);
        }
    }

    /// No more bytes came for long: what has begun is a key by itself, or none.
    pub fn settle(&mut self, keys: &mut Vec<KeyEvent>) {
        match *std::mem::take(&mut self.begun) {
            [ESC] => keys.push(KeyCode::Esc.into()),
            [ESC, byte] => keys.push(with_alt(byte)),
            _ => {}
        }
    }

    fn step(&mut self, keys: &mut Vec<KeyEvent>) {
        let key = match *self.begun {
            [ESC] | [ESC, b'[' | b'O'] | [ESC, b'[', b'['] => return,
            // The first one was a key by itself.
            [ESC, ESC] => {
                self.begun.pop();
                return keys.push(KeyCode::Esc.into());
            }
            [ESC, b'[', b'[', _] => None,
            [ESC, b'[', .., 0x40..=0x7e] => control_sequence(&self.begun[2..]),
            [ESC, b'[', .., 0x20..=0x3f] => return self.begun.truncate(SEQUENCE_MAX),
            [ESC, b'O', byte] => letter(byte)
                .or((byte == b'M').then_some(KeyCode::Enter))
                .map(KeyEvent::from),
            [ESC, byte] if byte < 0x80 => Some(with_alt(byte)),
            [byte] if byte < 0x80 => plain(byte),
            [ESC, ..] => return self.restart(keys),
            _ => match std::str::from_utf8(&self.begun) {
                Ok(text) => text.chars().next().map(|c| KeyCode::Char(c).into()),
                Err(error) if error.error_len().is_none() => return,
                Err(_) => return self.restart(keys),
            },
        };
        self.begun.clear();
        keys.extend(key);
    }

    /// The last byte cannot go on with what has begun: that was none, and the byte begins anew.
    fn restart(&mut self, keys: &mut Vec<KeyEvent>) {
        let last = self.begun.pop();
        let was_alone = self.begun.is_empty();
        self.begun.clear();
        if let Some(byte) = last.filter(|_| !was_alone) {
            self.begun.push(byte);
            self.step(keys);
        }
    }
}

/// A byte of ASCII by itself.
fn plain(byte: u8) -> Option<KeyEvent> {
    Some(match byte {
        b'\r' | b'\n' => KeyCode::Enter.into(),
        b'\t' => KeyCode::Tab.into(),
        0x08 | 0x7f => KeyCode::Backspace.into(),
        1..=26 => KeyEvent::new(
            KeyCode::Char(char::from(byte - 1 + b'a')),
            KeyModifiers::CONTROL,
        ),
        0 | 27..=31 => return None,
        _ => KeyCode::Char(char::from(byte)).into(),
    })
}

fn with_alt(byte: u8) -> KeyEvent {
    let key = plain(byte).unwrap_or(KeyCode::Null.into());
    KeyEvent::new(key.code, key.modifiers | KeyModifiers::ALT)
}

/// What follows CSI: numbers, and what ends them.
fn control_sequence(text: &[u8]) -> Option<KeyEvent> {
    let (last, params) = text.split_last()?;
    let params = std::str::from_utf8(params).ok()?;
    let mut params = params.split(';').map(|param| param.parse::<u8>().ok());
    let (first, held) = (params.next().flatten(), params.next().flatten());
    let code = match (last, first) {
        (b'~', Some(1 | 7)) => KeyCode::Home,
        (b'~', Some(3)) => KeyCode::Delete,
        (b'~', Some(4 | 8)) => KeyCode::End,
        (b'~', Some(5)) => KeyCode::PageUp,
        (b'~', Some(6)) => KeyCode::PageDown,
        (last, _) => letter(*last)?,
    };
    // One more than a bit each for Shift, Alt and Ctrl.
    let held = held.unwrap_or(1).saturating_sub(1);
    let all = [
        KeyModifiers::SHIFT,
        KeyModifiers::ALT,
        KeyModifiers::CONTROL,
    ];
    let held = (0..).zip(all).filter(|(bit, _)| held >> bit & 1 == 1);
    Some(KeyEvent::new(
        code,
        held.map(|(_, modifier)| modifier).collect(),
    ))
}

/// The keys that have a letter.
fn letter(byte: u8) -> Option<KeyCode> {
    Some(match byte {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(bytes: &[u8]) -> Vec<KeyEvent> {
        let (mut decoder, mut keys) = (Decoder::default(), Vec::new());
        decoder.take(bytes, &mut keys);
        decoder.settle(&mut keys);
        keys
    }

    fn of(codes: &[KeyCode]) -> Vec<KeyEvent> {
        codes.iter().map(|code| (*code).into()).collect()
    }

    #[test]
    fn a_key_is_what_terminals_send_for_it() {
        use KeyCode::*;
        for (bytes, code) in [
            (&b"q"[..], Char('q')),
            (b"\r", Enter),
            (b"\x1bOM", Enter),
            (b"\x7f", Backspace),
            (b"\x08", Backspace),
            (b"\t", Tab),
            (b"\x1b", Esc),
            (b"\x1b[A", Up),
            (b"\x1bOB", Down),
            (b"\x1b[C", Right),
            (b"\x1b[D", Left),
            (b"\x1b[H", Home),
            (b"\x1b[1~", Home),
            (b"\x1b[7~", Home),
            (b"\x1bOF", End),
            (b"\x1b[4~", End),
            (b"\x1b[8~", End),
            (b"\x1b[5~", PageUp),
            (b"\x1b[6~", PageDown),
            ("\u{e4}".as_bytes(), Char('\u{e4}')),
            ("\u{1f980}".as_bytes(), Char('\u{1f980}')),
        ] {
            assert_eq!(decoded(bytes), of(&[code]), "{bytes:?}");
        }
        assert_eq!(decoded(b"\x1b\x1b"), of(&[Esc, Esc]));
        assert_eq!(
            decoded(b"\x1b[B\r/ab"),
            of(&[Down, Enter, Char('/'), Char('a'), Char('b')])
        );
    }

    #[test]
    fn what_is_held_down_with_a_key_is_known() {
        let held = |bytes: &[u8]| {
            decoded(bytes)
                .iter()
                .map(|key| (key.code, key.modifiers))
                .collect::<Vec<_>>()
        };
        let ctrl = KeyModifiers::CONTROL;
        assert_eq!(held(b"\x03"), [(KeyCode::Char('c'), ctrl)]);
        assert_eq!(held(b"\x1b[1;5A"), [(KeyCode::Up, ctrl)]);
        assert_eq!(held(b"\x1b[5;2~"), [(KeyCode::PageUp, KeyModifiers::SHIFT)]);
        assert_eq!(held(b"\x1bq"), [(KeyCode::Char('q'), KeyModifiers::ALT)]);
        assert_eq!(held(b"\x1b["), [(KeyCode::Char('['), KeyModifiers::ALT)]);
    }

    #[test]
    fn what_no_key_sends_is_left_out_to_its_end() {
        let long = [&b"\x1b["[..], &[b'1'; 100], b"~q"].concat();
        assert_eq!(decoded(&long), of(&[KeyCode::Char('q')]));
        for bytes in [
            &b"\x1b[[Aq"[..],
            b"\x1b[?62;4cq",
            b"\x1bOPq",
            b"\x1b[15~q",
            b"\xff\xc3q",
            b"\x1b[200~q",
            b"\0q",
        ] {
            assert_eq!(decoded(bytes), of(&[KeyCode::Char('q')]), "{bytes:?}");
        }
    }

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let telling = prop::sample::select(b"\x1b[O~;15ABM\xc3\xa4".to_vec());
        prop::collection::vec(prop_oneof![telling, any::<u8>()], 0..64)
    }

    proptest! {
        #[test]
        fn keys_do_not_depend_on_how_the_bytes_are_cut_up(bytes in bytes(), at in any::<prop::sample::Index>()) {
            let (first, second) = bytes.split_at(at.index(bytes.len() + 1));
            let (mut decoder, mut keys) = (Decoder::default(), Vec::new());
            decoder.take(first, &mut keys);
            prop_assert!(decoder.begun.len() <= SEQUENCE_MAX);
            decoder.take(second, &mut keys);
            decoder.settle(&mut keys);
            prop_assert!(!decoder.has_begun());
            prop_assert_eq!(keys, decoded(&bytes));
        }

        #[test]
        fn no_key_is_swallowed_by_what_came_before_once_that_is_settled(bytes in bytes()) {
            let (mut decoder, mut keys) = (Decoder::default(), Vec::new());
            decoder.take(&bytes, &mut keys);
            decoder.settle(&mut keys);
            keys.clear();
            decoder.take(b"q", &mut keys);
            prop_assert_eq!(keys, of(&[KeyCode::Char('q')]));
        }
    }
}
