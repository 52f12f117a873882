//! Text in columns.

use std::fmt::Write as _;

/// Rows under titles. Columns are as wide as their longest entry, two blanks apart.
pub struct Columns {
    /// Whether entries are flush with the right side, column by column.
    is_right: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl Columns {
    /// Titles with blanks between them: one that begins with `>` is flush with the right side of its column.
    pub fn new(titles: &str) -> Self {
        let is_right = titles.split(' ').map(|title| title.starts_with('>')).collect();
        let titles = titles.split(' ').map(|title| title.trim_start_matches('>').to_owned()).collect();
        Self { is_right, rows: vec![titles] }
    }

    pub fn row(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// All lines, each with its end and without blanks before it.
    pub fn text(&self) -> String {
        let mut widths = vec![0; self.is_right.len()];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for ((cell, is_right), width) in row.iter().zip(&self.is_right).zip(&widths) {
                let separator = if line.is_empty() { "" } else { "  " };
                // Writing to a string does not fail.
                let _ = if *is_right {
                    write!(line, "{separator}{cell:>width$}")
                } else {
                    write!(line, "{separator}{cell:<width$}")
                };
            }
            text.extend([line.trim_end(), "\n"]);
        }
        text
    }
}
