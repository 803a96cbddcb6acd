//! Owns the tables that commands print: columns aligned by the width they take on a terminal.

use crate::human;
use std::io::{self, Write};

/// To which side of its column a cell is set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// The space between two columns.
const GAP: &str = "  ";

/// A table that grows by rows and is printed once.
pub struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns and no rows.
    pub fn new(columns: &[(&'static str, Align)]) -> Table {
        Table {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row. A missing cell is empty; control characters are written as escapes.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(N, self.columns.len());
        let cells = cells.map(|cell| human::plain(&cell).into_owned());
        self.rows.push(cells.into());
    }

    /// Prints the heading and the rows; no line ends in spaces.
    ///
    /// # Errors
    ///
    /// What writing to `out` gives.
    pub fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let heading: Vec<String> = self
            .columns
            .iter()
            .map(|(name, _)| (*name).into())
            .collect();
        let lines = || std::iter::once(&heading).chain(&self.rows);
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|at| {
                lines()
                    .map(|cells| human::width(&cells[at]))
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        for cells in lines() {
            let mut line = String::new();
            for ((cell, width), (_, align)) in cells.iter().zip(&widths).zip(&self.columns) {
                if !line.is_empty() {
                    line.push_str(GAP);
                }
                let padding = " ".repeat(width - human::width(cell));
                match align {
                    Align::Left => line.extend([cell.as_str(), &padding]),
                    Align::Right => line.extend([&padding, cell.as_str()]),
                }
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_by_what_they_take_on_a_terminal() {
        let mut table = Table::new(&[
            ("NODE", Align::Left),
            ("RAN", Align::Right),
            ("NOTE", Align::Left),
        ]);
        table.row(["日本".into(), "7".into(), String::new()]);
        table.row(["wc".into(), "1234".into(), "a\tb".into()]);
        let mut out = Vec::new();
        table.print(&mut out).expect("a vector takes all");
        let text = String::from_utf8(out).expect("text");
        assert_eq!(text, "NODE   RAN  NOTE\n日本     7\nwc    1234  a\\tb\n");
    }
}
