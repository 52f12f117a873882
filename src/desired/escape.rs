use std::fmt::{self, Write as _};

/// Text from outside as messages show it: nothing in it moves a cursor or turns the direction of the text, and its
/// length is limited. Showing it twice has the same result as showing it once.
///
/// ```
/// use ipvs_rs::desired::escaped;
///
/// assert_eq!(escaped("web\u{1b}[31m").to_string(), "web\\u{1b}[31m");
/// assert_eq!(escaped(&"x".repeat(1000)).to_string().chars().count(), 201);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'t> {
    text: &'t str,
    limit: usize,
}

/// Shows text from outside in a message: see [`Escaped`].
pub const fn escaped(text: &str) -> Escaped<'_> {
    Escaped { text, limit: 200 }
}

impl Escaped<'_> {
    /// Sets the longest text that is shown, in characters.
    #[must_use]
    pub const fn at_most(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.text.chars();
        for c in rest.by_ref().take(self.limit) {
            if is_harmful(c) { write!(f, "{}", c.escape_default())? } else { f.write_char(c)? }
        }
        if rest.next().is_some() { f.write_char('…') } else { Ok(()) }
    }
}

/// Whether a terminal would not just print it: control characters, and characters that turn the direction of text or
/// cannot be seen.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
