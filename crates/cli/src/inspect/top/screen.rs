//! Owns the terminal while `top` has it: the other screen, each key as it is pressed, and the way back.
//!
//! The way back is taken by the end of [`Screen`], however that comes about, and before a panic is told, so
//! that what it says is on the screen that stays.

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::layout::Rect;
use std::io::{self, Stdout};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the terminal is ours: whoever takes that back gives it back.
static IS_HELD: AtomicBool = AtomicBool::new(false);

/// The terminal on standard input and output, as long as it is not dropped.
pub struct Screen {
    /// Dropped first: it shows the cursor where it hid it.
    terminal: Terminal<CrosstermBackend<Stdout>>,
    _way_back: WayBack,
}

impl Screen {
    /// Takes the terminal: its other screen, empty, without a cursor, and each key as it is pressed.
    ///
    /// # Errors
    ///
    /// When it is no terminal, or has gone. It is then as it was before.
    pub fn take() -> io::Result<Screen> {
        let way_back = WayBack::new();
        enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen, Hide)?;
        Ok(Screen {
            terminal: Terminal::new(CrosstermBackend::new(io::stdout()))?,
            _way_back: way_back,
        })
    }

    /// Draws one frame, as large as the terminal is now.
    ///
    /// # Errors
    ///
    /// When the terminal has gone.
    pub fn draw(
        &mut self,
        draw: impl FnOnce(&mut ratatui::buffer::Buffer, Rect),
    ) -> io::Result<()> {
        self.terminal.draw(|frame| {
            let area = frame.area();
            draw(frame.buffer_mut(), area);
        })?;
        Ok(())
    }
}

struct WayBack;

impl WayBack {
    fn new() -> WayBack {
        static HOOK: std::sync::Once = std::sync::Once::new();
        HOOK.call_once(|| {
            let tell = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                give_back();
                tell(info);
            }));
        });
        IS_HELD.store(true, Ordering::Relaxed);
        WayBack
    }
}

impl Drop for WayBack {
    fn drop(&mut self) {
        give_back();
    }
}

fn give_back() {
    if IS_HELD.swap(false, Ordering::Relaxed) {
        // A terminal that has gone needs nothing back.
        let _ = execute!(io::stdout(), Show, LeaveAlternateScreen);
        let _ = disable_raw_mode();
    }
}

#[cfg(test)]
mod tests;
