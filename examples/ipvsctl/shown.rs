//! Text from outside, as messages show it.

use std::fmt::Display;

/// The longest name, path or answer of a server that is shown, in characters.
const LONGEST: usize = 300;
/// The longest line of a message.
const LONGEST_LINE: usize = 4000;

/// Returns text from outside as a part of one line: escaped, and cut when it is long.
pub fn shown(text: impl Display) -> String {
    escaped(&text.to_string(), LONGEST)
}

/// Returns a message of several lines, from which nothing can move the cursor or turn the direction of the text.
pub fn lines(text: &str) -> String {
    text.split('\n').map(|line| escaped(line, LONGEST_LINE)).collect::<Vec<_>>().join("\n")
}

fn escaped(text: &str, longest: usize) -> String {
    let mut escaped = String::with_capacity(text.len().min(longest));
    for (place, c) in text.chars().enumerate() {
        if place == longest {
            escaped.push('…');
            break;
        }
        if is_harmful(c) { escaped.extend(c.escape_default()) } else { escaped.push(c) }
    }
    escaped
}

/// Whether a terminal would do something else than print it: control characters, and those that turn the direction of
/// text or cannot be seen.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_stays_in_its_line() {
        assert_eq!(shown("a\u{1b}[2J\nb\tc\\d\"é"), "a\\u{1b}[2J\\nb\\tc\\d\"é");
        assert_eq!(shown("\u{202e}txt.exe\u{9b}"), "\\u{202e}txt.exe\\u{9b}");
        assert_eq!(shown(shown("a\nb")), "a\\nb", "twice is once");
        assert_eq!(shown("x".repeat(LONGEST)), "x".repeat(LONGEST));
        assert_eq!(shown("é".repeat(LONGEST + 1)), "é".repeat(LONGEST) + "…");
    }

    #[test]
    fn messages_keep_their_lines() {
        assert_eq!(lines("one\ntwo\r\u{7}"), "one\ntwo\\r\\u{7}");
        assert_eq!(lines(&format!("{}\nend", "x".repeat(5000))), format!("{}…\nend", "x".repeat(4000)));
    }
}
