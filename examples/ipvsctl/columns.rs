//! Text in columns.

use std::fmt::Write as _;

/// Rows under titles. Columns are as wide as their longest entry, two blanks apart.
pub struct Columns {
    titles: Vec<Title>,
    rows: Vec<Vec<String>>,
}

/// A title, and the side that its column is flush with.
pub enum Title {
    Left(&'static str),
    Right(&'static str),
}

impl Columns {
    pub const fn new(titles: Vec<Title>) -> Self {
        Self { titles, rows: Vec::new() }
    }

    pub fn row(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// All lines, each with its end and without blanks before it.
    pub fn text(&self) -> String {
        let mut widths: Vec<usize> = self.titles.iter().map(|title| title.text().chars().count()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut text = String::new();
        let titles = self.titles.iter().map(Title::text);
        self.line(&mut text, titles, &widths);
        for row in &self.rows {
            self.line(&mut text, row.iter().map(String::as_str), &widths);
        }
        text
    }

    fn line<'a>(&self, text: &mut String, cells: impl Iterator<Item = &'a str>, widths: &[usize]) {
        let mut line = String::new();
        for ((cell, title), width) in cells.zip(&self.titles).zip(widths) {
            if !line.is_empty() {
                line.push_str("  ");
            }
            // Writing to a string does not fail.
            let _ = match title {
                Title::Left(_) => write!(line, "{cell:<width$}"),
                Title::Right(_) => write!(line, "{cell:>width$}"),
            };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

impl Title {
    const fn text(&self) -> &'static str {
        match self {
            Self::Left(text) | Self::Right(text) => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_longest_entry() {
        let mut columns = Columns::new(vec![Title::Left("NAME"), Title::Right("N"), Title::Left("WHAT")]);
        columns.row(vec!["a".into(), "1".into(), "x".into()]);
        columns.row(vec!["longer".into(), "200".into(), String::new()]);
        assert_eq!(columns.text(), "NAME      N  WHAT\na         1  x\nlonger  200\n");
    }
}
