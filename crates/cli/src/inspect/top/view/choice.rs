//! Owns the list of processes to choose from.

use super::pane::{Column, Look, Pane, heading, row};
use crate::human::Bytes;
use glasshouse_pal::dir::LogFile;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Draws the list, with one of them chosen.
pub fn draw(found: &[LogFile], chosen: usize, buffer: &mut Buffer, area: Rect) {
    let mut pane = Pane::new(buffer, area);
    pane.line("Several processes are alive: which one?", Look::Bold);
    pane.gap();
    pane.last_line("Up/Down choose  Enter shows it  q quit", Look::Reversed);
    let columns = [
        Column::right("PID", 8),
        Column::left("COMMAND", 16),
        Column::right("SIZE", 8),
        Column::left("LOG", pane.columns().saturating_sub(37)),
    ];
    pane.line(&format!("  {}", heading(&columns)), Look::Bold);
    let top = (chosen + 1).saturating_sub(pane.rows().max(1));
    for (index, log) in found.iter().enumerate().skip(top) {
        let cells = [
            log.process.pid.to_string(),
            log.command.clone(),
            Bytes(log.used_bytes).to_string(),
            log.path.to_string_lossy().into_owned(),
        ];
        let (mark, look) = match index == chosen {
            true => ('>', Look::Reversed),
            false => (' ', Look::Plain),
        };
        pane.line(&format!("{mark} {}", row(&columns, cells)), look);
    }
}
