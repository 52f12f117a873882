/// A name that the kernel holds, of any bytes, as text for a file or a terminal.
///
/// It is kept where it is printable and read as the same name; otherwise its bytes are escaped, such as `\xff`.
pub(in crate::desired) fn name_text(name: &[u8]) -> String {
    let is_plain = |text: &&str| {
        let is_printable = |c: char| matches!(c, '"' | '\'' | '\\') || c.escape_debug().len() == 1;
        !text.contains("${") && text.chars().all(is_printable) && name_bytes(text) == name
    };
    match std::str::from_utf8(name).ok().filter(is_plain) {
        Some(text) => text.to_owned(),
        // A parameter would be replaced.
        None => name.escape_ascii().to_string().replace("${", "\\x24{"),
    }
}

/// The bytes of a name that stands in a file; everything that is not escaped in the form of [`name_text`] is taken
/// literally.
pub(in crate::desired) fn name_bytes(text: &str) -> Vec<u8> {
    unescape(text.as_bytes()).unwrap_or_else(|| text.as_bytes().to_vec())
}

fn unescape(mut rest: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut bytes = Vec::with_capacity(rest.len());
    loop {
        let (byte, tail) = match rest {
            [] => return Some(bytes),
            [b'\\', b'x', high, low, tail @ ..] => (u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()?, tail),
            [b'\\', b'n', tail @ ..] => (b'\n', tail),
            [b'\\', b'r', tail @ ..] => (b'\r', tail),
            [b'\\', b't', tail @ ..] => (b'\t', tail),
            [b'\\', byte @ (b'\\' | b'\'' | b'"'), tail @ ..] => (*byte, tail),
            [b'\\', ..] => return None,
            [byte, tail @ ..] => (*byte, tail),
        };
        bytes.push(byte);
        rest = tail;
    }
}
