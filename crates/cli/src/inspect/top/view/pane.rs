//! Owns the writing of lines into a part of the screen, and of cells into a line.

use crate::human;
use crate::table::Align;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

/// What stands out. No colour is used anywhere: what a line says is in its words, on every terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    Plain,
    /// A heading.
    Bold,
    /// What is chosen.
    Reversed,
}

impl Look {
    fn style(self) -> Style {
        let modifier = match self {
            Look::Plain => Modifier::empty(),
            Look::Bold => Modifier::BOLD,
            Look::Reversed => Modifier::REVERSED,
        };
        Style::new().add_modifier(modifier)
    }
}

/// A part of the screen that is filled from the top.
pub struct Pane<'b> {
    buffer: &'b mut Buffer,
    area: Rect,
}

impl<'b> Pane<'b> {
    /// An empty part.
    pub fn new(buffer: &'b mut Buffer, area: Rect) -> Pane<'b> {
        Pane { buffer, area }
    }

    /// The rows that are still empty.
    pub fn rows(&self) -> usize {
        self.area.height.into()
    }

    /// The columns of a row.
    pub fn columns(&self) -> usize {
        self.area.width.into()
    }

    /// Fills the next row, as far as it is wide; nothing where there is none. Control characters are written as
    /// escapes.
    pub fn line(&mut self, text: &str, look: Look) {
        let Area { row, rest } = split(self.area);
        if let Some(row) = row {
            self.fill(row, text, look);
        }
        self.area = rest;
    }

    /// Leaves a row empty.
    pub fn gap(&mut self) {
        self.line("", Look::Plain);
    }

    /// Fills the last row of the part, and takes it away from it.
    pub fn last_line(&mut self, text: &str, look: Look) {
        if let Some(height) = self.area.height.checked_sub(1) {
            let row = Rect {
                y: self.area.y + height,
                height: 1,
                ..self.area
            };
            self.fill(row, text, look);
            self.area.height = height;
        }
    }

    fn fill(&mut self, row: Rect, text: &str, look: Look) {
        let columns = usize::from(row.width);
        let text = human::plain(text);
        let text = cell(&text, columns, Align::Left);
        self.buffer
            .set_stringn(row.x, row.y, text, columns, look.style());
    }
}

struct Area {
    row: Option<Rect>,
    rest: Rect,
}

fn split(area: Rect) -> Area {
    let row = (area.height > 0).then_some(Rect { height: 1, ..area });
    let rest = match row {
        Some(_) => Rect {
            y: area.y + 1,
            height: area.height - 1,
            ..area
        },
        None => area,
    };
    Area { row, rest }
}

/// A column of a list.
#[derive(Clone, Copy)]
pub struct Column {
    pub title: &'static str,
    pub columns: usize,
    pub align: Align,
}

impl Column {
    /// A column for words.
    pub const fn left(title: &'static str, columns: usize) -> Column {
        let align = Align::Left;
        Column {
            title,
            columns,
            align,
        }
    }

    /// A column for numbers.
    pub const fn right(title: &'static str, columns: usize) -> Column {
        let align = Align::Right;
        Column {
            title,
            columns,
            align,
        }
    }
}

/// The titles of columns as a line.
pub fn heading(columns: &[Column]) -> String {
    row(
        columns,
        columns.iter().map(|column| column.title.to_owned()),
    )
}

/// Cells as a line, each cut to its column; missing ones are empty.
pub fn row(columns: &[Column], cells: impl IntoIterator<Item = String>) -> String {
    let mut line = String::new();
    for (column, text) in columns.iter().zip(cells) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&cell(&human::plain(&text), column.columns, column.align));
    }
    line
}

/// `text` cut or filled up to so many columns.
pub fn cell(text: &str, columns: usize, align: Align) -> String {
    let text = human::cut(text, columns);
    let padding = " ".repeat(columns.saturating_sub(human::width(&text)));
    match align {
        Align::Left => format!("{text}{padding}"),
        Align::Right => format!("{padding}{text}"),
    }
}
