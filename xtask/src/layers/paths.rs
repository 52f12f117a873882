//! The paths that code names: `use crate::{a, b::C as D};` names `crate::a` and `crate::b::C`.

/// A path, with the line of its end.
#[derive(Debug, Eq, PartialEq)]
pub struct Path {
    pub line: usize,
    pub segments: Vec<String>,
    /// The name that it has from there on.
    pub alias: Option<String>,
}

impl Path {
    /// The name by which code says it.
    pub fn name(&self) -> Option<&str> {
        self.alias.as_deref().or(self.segments.last().map(String::as_str))
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Token<'a> {
    Word(&'a str),
    Separator,
    Open,
    Close,
    Comma,
    Other,
}

/// Lines with their numbers, without comments.
pub fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().zip(1..).map(|(line, number)| (number, line.split("//").next().unwrap_or_default()))
}

/// The paths behind `use`, and those that begin with `crate`, `self` or `super` elsewhere.
pub fn paths(text: &str) -> Vec<Path> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    let mut at = 0;
    while let Some((_, token)) = tokens.get(at) {
        let has_separator = |at: usize| tokens.get(at).is_some_and(|(_, token)| *token == Token::Separator);
        at = match token {
            Token::Word("use") => tree(&tokens, at + 1, &[], &mut found),
            Token::Word("crate" | "self" | "super") if has_separator(at + 1) && (at == 0 || !has_separator(at - 1)) => {
                tree(&tokens, at, &[], &mut found)
            }
            _ => at + 1,
        };
    }
    found
}

/// Reads a path, or a group of them. Returns the place behind it.
fn tree(tokens: &[(usize, Token<'_>)], mut at: usize, prefix: &[String], found: &mut Vec<Path>) -> usize {
    let mut segments = prefix.to_vec();
    let token = |at: usize| tokens.get(at).map(|(_, token)| *token);
    // Of a path from the root of all crates, `::std`.
    if token(at) == Some(Token::Separator) {
        at += 1;
    }
    loop {
        match token(at) {
            Some(Token::Word(word)) => segments.push(word.to_owned()),
            Some(Token::Open) => {
                at += 1;
                while !matches!(token(at), None | Some(Token::Close)) {
                    at = if token(at) == Some(Token::Comma) { at + 1 } else { tree(tokens, at, &segments, found) };
                }
                return at + 1;
            }
            // A glob, or what is not a path.
            _ => {
                let line = tokens.get(at).or(tokens.last()).map_or(0, |(line, _)| *line);
                found.push(Path { line, segments, alias: None });
                return at + 1;
            }
        }
        if token(at + 1) != Some(Token::Separator) {
            let line = tokens.get(at).map_or(0, |(line, _)| *line);
            let alias = match (token(at + 1), token(at + 2)) {
                (Some(Token::Word("as")), Some(Token::Word(alias))) => Some(alias.to_owned()),
                _ => None,
            };
            at += if alias.is_some() { 3 } else { 1 };
            found.push(Path { line, segments, alias });
            return at;
        }
        at += 2;
    }
}

fn tokens(text: &str) -> Vec<(usize, Token<'_>)> {
    let mut tokens = Vec::new();
    for (number, line) in code_lines(text) {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            let (token, length) = match first {
                c if is_word(c) => {
                    let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                    (Token::Word(&rest[..end]), end)
                }
                _ if rest.starts_with("::") => (Token::Separator, 2),
                '{' => (Token::Open, 1),
                '}' => (Token::Close, 1),
                ',' => (Token::Comma, 1),
                c => (Token::Other, c.len_utf8()),
            };
            tokens.push((number, token));
            rest = rest[length..].trim_start();
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        paths(text).iter().map(|path| format!("{}: {}", path.line, path.segments.join("::"))).collect()
    }

    #[test]
    fn groups_are_taken_apart() {
        assert_eq!(
            found("use std::fmt;\npub use crate::{\n    a::{B, C as D},\n    e,\n};\nlet x = super::super::y(1);\n"),
            ["1: std::fmt", "3: crate::a::B", "3: crate::a::C", "4: crate::e", "6: super::super::y"]
        );
        assert_eq!(paths("use a::B as C;")[0].name(), Some("C"));
        assert_eq!(found("use a::{self, b::*};"), ["1: a::self", "1: a::b"]);
    }

    #[test]
    fn path_like_text_is_not_a_path() {
        assert_eq!(found("// use crate::a;\npub(crate) fn f(&self) { self.x(); super_b::c() }"), [""; 0]);
        assert_eq!(found("fn f() -> Vec::<crate::a::B::<u8>> { $crate::c!() }"), ["1: crate::a::B", "1: crate::c"]);
        assert_eq!(found("pub(in crate::a) use"), ["1: crate::a", "1: "]);
    }
}
