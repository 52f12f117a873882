//! Lines of a restore.

/// The words of a line. The name of the program is left out, wherever it stands.
pub fn words(line: &[u8]) -> Vec<Vec<u8>> {
    let (text, is_ended) = match line {
        [text @ .., b'\n'] => (text, true),
        text => (text, false),
    };
    // A last line that ends in two blanks and nothing else is lost in the original.
    if !is_ended && matches!(text, [.., a, b] if is_blank(*a) && is_blank(*b)) {
        return Vec::new();
    }
    text.split(|byte| is_blank(*byte))
        .filter(|word| !word.is_empty())
        .flat_map(|word| word.chunks(LONGEST))
        // The original's words end at a NUL.
        .map(|word| word.split(|byte| *byte == 0).next().unwrap_or_default())
        .filter(|word| *word != b"ipvsadm")
        .map(<[u8]>::to_vec)
        .collect()
}

/// The longest word in bytes.
const LONGEST: usize = 4096;

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> Vec<String> {
        words(line.as_bytes()).into_iter().map(|word| String::from_utf8(word).unwrap()).collect()
    }

    #[test]
    fn words_are_split_at_blanks_tabs_and_returns() {
        assert_eq!(split(" -A\t-t  10.0.0.1:80 \r\n"), ["-A", "-t", "10.0.0.1:80"]);
        assert_eq!(split("-C"), ["-C"]);
        assert_eq!(split("\n"), [""; 0]);
        assert_eq!(split(" \t\r\n"), [""; 0]);
    }

    #[test]
    fn program_name_is_not_an_argument() {
        assert_eq!(split("ipvsadm -A ipvsadm\n"), ["-A"]);
        assert_eq!(split("/sbin/ipvsadm -A\n"), ["/sbin/ipvsadm", "-A"]);
    }

    #[test]
    fn last_line_without_end_is_lost_behind_two_blanks() {
        assert_eq!(split("-C "), ["-C"]);
        assert_eq!(split("-C  "), [""; 0]);
        assert_eq!(split("-C  \n"), ["-C"]);
    }

    #[test]
    fn long_words_are_cut_into_pieces() {
        let word = "x".repeat(LONGEST + 1);
        assert_eq!(split(&word), ["x".repeat(LONGEST), "x".to_owned()]);
    }
}
