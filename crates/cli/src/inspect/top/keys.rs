//! Owns what each key means.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Quit,
    /// Ctrl-C.
    Interrupt,
    /// Down by so many lines.
    Move(isize),
    /// Down by so many screens.
    Screens(isize),
    First,
    Last,
    Open,
    Back,
    Pause,
    Time(Time),
    /// The sort key that comes so many further on.
    Sort(usize),
    Reverse,
    Show(Page),
    Filter,
    Type(char),
    Erase,
}

/// A way through time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// So many small steps on.
    Small(isize),
    /// So many large ones.
    Large(isize),
    /// To the next record.
    NextRecord,
    PreviousRecord,
    Beginning,
    End,
}

/// A page that has a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    Overview,
    Lanes,
    Ptys,
    Help,
}

/// What the keys are for at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The present is shown.
    Live,
    /// A moment that stands still is shown.
    Paused,
    /// A filter is typed.
    Typing,
}

/// What a key asks for in a mode; `None` for nothing.
pub fn action(key: KeyEvent, mode: Mode) -> Option<Action> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return (key.code == KeyCode::Char('c')).then_some(Action::Interrupt);
    }
    match mode {
        Mode::Typing => typed(key.code),
        Mode::Paused => through_time(key.code).or_else(|| usual(key.code)),
        Mode::Live => usual(key.code),
    }
}

fn typed(key: KeyCode) -> Option<Action> {
    Some(match key {
        KeyCode::Char(c) => Action::Type(c),
        KeyCode::Backspace => Action::Erase,
        KeyCode::Enter => Action::Open,
        KeyCode::Esc => Action::Back,
        _ => return None,
    })
}

fn through_time(key: KeyCode) -> Option<Action> {
    Some(Action::Time(match key {
        KeyCode::Left => Time::Small(-1),
        KeyCode::Right => Time::Small(1),
        KeyCode::PageUp => Time::Large(-1),
        KeyCode::PageDown => Time::Large(1),
        KeyCode::Char('[') => Time::PreviousRecord,
        KeyCode::Char(']') => Time::NextRecord,
        KeyCode::Home => Time::Beginning,
        KeyCode::End => Time::End,
        _ => return None,
    }))
}

fn usual(key: KeyCode) -> Option<Action> {
    Some(match key {
        KeyCode::Char('q') => Action::Quit,
        KeyCode::Up | KeyCode::Char('k') => Action::Move(-1),
        KeyCode::Down | KeyCode::Char('j') => Action::Move(1),
        KeyCode::PageUp => Action::Screens(-1),
        KeyCode::PageDown => Action::Screens(1),
        KeyCode::Home | KeyCode::Char('g') => Action::First,
        KeyCode::End | KeyCode::Char('G') => Action::Last,
        KeyCode::Enter => Action::Open,
        KeyCode::Esc => Action::Back,
        KeyCode::Char('p' | ' ') => Action::Pause,
        KeyCode::Char('s') => Action::Sort(1),
        // All the way round but one.
        KeyCode::Char('S') => Action::Sort(super::model::Key::ALL.len() - 1),
        KeyCode::Char('r') => Action::Reverse,
        KeyCode::Char('/') => Action::Filter,
        KeyCode::Char('o') => Action::Show(Page::Overview),
        KeyCode::Char('l') => Action::Show(Page::Lanes),
        KeyCode::Char('t') => Action::Show(Page::Ptys),
        KeyCode::Char('?' | 'h') => Action::Show(Page::Help),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(code: KeyCode, mode: Mode) -> Option<Action> {
        action(KeyEvent::new(code, KeyModifiers::NONE), mode)
    }

    #[test]
    fn a_filter_takes_letters_that_are_keys_elsewhere() {
        let q = KeyCode::Char('q');
        assert_eq!(plain(q, Mode::Live), Some(Action::Quit));
        assert_eq!(plain(q, Mode::Paused), Some(Action::Quit));
        assert_eq!(plain(q, Mode::Typing), Some(Action::Type('q')));
    }

    #[test]
    fn screens_are_turned_while_it_is_live_and_time_while_it_is_paused() {
        let key = KeyCode::PageUp;
        assert_eq!(plain(key, Mode::Live), Some(Action::Screens(-1)));
        let back = Action::Time(Time::Large(-1));
        assert_eq!(plain(key, Mode::Paused), Some(back));
        assert_eq!(plain(key, Mode::Typing), None);
        assert_eq!(plain(KeyCode::Left, Mode::Live), None);
    }

    #[test]
    fn ctrl_c_is_heard_in_every_mode_and_no_other_key_with_ctrl() {
        for mode in [Mode::Live, Mode::Paused, Mode::Typing] {
            let with_ctrl =
                |c| action(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL), mode);
            assert_eq!(with_ctrl('c'), Some(Action::Interrupt));
            assert_eq!(with_ctrl('q'), None);
        }
    }

    #[test]
    fn a_key_that_is_let_go_asks_for_nothing() {
        let mut key = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
        key.kind = KeyEventKind::Release;
        assert_eq!(action(key, Mode::Live), None);
    }
}
