//! From a tree to the values of a file. Whatever is wrong is said, and left out of the values.

mod keys;
mod path;

use std::collections::BTreeSet;

use path::Path;

use super::lookup::Lookup;
use super::scalar::Number;
use super::tree::{Content, Entry, Node, Position, Scalar};
use crate::desired::params::{Syntax, nearest};
use crate::desired::{Severity, Stage, spec};

/// What a document says, and what is wrong with it.
#[derive(Debug, Default)]
pub(super) struct Decoded {
    pub(super) file: spec::File,
    pub(super) found: Vec<Found>,
    /// The paths of values that are missing because they were wrong.
    pub(super) broken: BTreeSet<String>,
    /// Whether there are so many errors that not all of them were kept.
    pub(super) is_hopeless: bool,
}

#[derive(Debug)]
pub(super) struct Found {
    pub(super) severity: Severity,
    pub(super) stage: Stage,
    pub(super) position: Position,
    pub(super) path: String,
    pub(super) message: String,
}

pub(super) struct Decoder<'d> {
    lookup: &'d Lookup<'d>,
    is_version_2: bool,
    found: Vec<Found>,
    broken: BTreeSet<String>,
    errors: usize,
    warnings: usize,
}

/// More errors, or warnings, than this are not kept of one document: they would take more memory than the document.
const MAX_FOUND: usize = 10_000;

/// The values of a mapping, by key.
#[derive(Clone, Copy)]
struct Fields<'n>(&'n Node);

impl<'n> Fields<'n> {
    /// The entry of a key that somebody gave a value.
    fn get(self, key: &str) -> Option<&'n Entry> {
        self.0.entry(key).filter(|entry| !entry.value.is_null())
    }
}

impl<'d> Decoder<'d> {
    pub(super) fn decode(document: &Node, lookup: &'d Lookup<'d>) -> Decoded {
        let mut decoder =
            Self { lookup, is_version_2: false, found: Vec::new(), broken: BTreeSet::new(), errors: 0, warnings: 0 };
        let file = decoder.file(document).unwrap_or_default();
        Decoded { file, found: decoder.found, broken: decoder.broken, is_hopeless: decoder.errors > MAX_FOUND }
    }

    fn push(&mut self, severity: Severity, stage: Stage, position: Position, path: String, message: String) {
        let count = match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        *count += 1;
        if *count <= MAX_FOUND {
            self.found.push(Found { severity, stage, position, path, message });
        }
    }

    /// Something is wrong with a value, and nobody has to say so again.
    fn error(&mut self, stage: Stage, position: Position, path: &Path<'_>, message: impl Into<String>) {
        let path = path.to_string();
        if self.errors < MAX_FOUND {
            self.broken.insert(path.clone());
        }
        self.push(Severity::Error, stage, position, path, message.into());
    }

    fn unexpected(&mut self, node: &Node, path: &Path<'_>, expected: &str) {
        let found = match &node.content {
            Content::Scalar(scalar) if !scalar.is_null() => {
                let quoted = if scalar.is_quoted { " in quotes" } else { "" };
                format!("\"{}\"{quoted}", shortened(&scalar.text).escape_debug())
            }
            _ => node.kind().to_owned(),
        };
        let name = match path {
            Path::File => String::new(),
            _ => format!("{path}: "),
        };
        self.error(Stage::Reading, node.position, path, format!("{name}expected {expected}, found {found}"));
    }

    /// The entries of a mapping, after a look at its keys.
    fn mapping<'n>(
        &mut self,
        node: &'n Node,
        path: &Path<'_>,
        what: &str,
        keys: &[&'static str],
    ) -> Option<Fields<'n>> {
        let Content::Mapping(entries) = &node.content else {
            self.unexpected(node, path, &format!("a mapping for {what}"));
            return None;
        };
        for entry in entries {
            let key = entry.key.text.as_str();
            // Notes of other programs.
            if keys.contains(&key) || key.contains('.') || key.starts_with("x-") {
                continue;
            }
            let near = nearest(key, keys.iter().copied());
            let mut message = format!("unknown key \"{}\" in {what}", shortened(key).escape_debug());
            let severity = if self.is_version_2 { Severity::Error } else { Severity::Warning };
            if let Some(near) = near {
                message = format!("{message}; did you mean {near}?");
                // Who meant another key has said what it is.
                let is_absent = node.entry(near).is_none();
                if let Some(near) = keys.iter().find(|key| **key == near).filter(|_| self.is_version_2 && is_absent) {
                    self.broken.insert(path.key(near).to_string());
                }
            }
            let name = if matches!(path, Path::File) { key.to_owned() } else { format!("{path}.{key}") };
            self.push(severity, Stage::Validation, entry.key.position, name, message);
        }
        Some(Fields(node))
    }

    /// A list; items that are wrong stand in it as they are when nothing was written, so that the others keep their
    /// places.
    fn list<T: Default>(
        &mut self,
        fields: Fields<'_>,
        path: &Path<'_>,
        key: &'static str,
        what: &str,
        mut item: impl FnMut(&mut Self, &Node, &Path<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let entry = fields.get(key)?;
        let path = path.key(key);
        let Content::List(nodes) = &entry.value.content else {
            self.unexpected(&entry.value, &path, &format!("a list, each with {what}"));
            return None;
        };
        let items = nodes.iter().enumerate().map(|(place, node)| {
            let path = path.item(place);
            if node.is_null() {
                self.error(Stage::Validation, node.position, &path, format!("{path} is empty: expected {what}"));
                return T::default();
            }
            item(self, node, &path).unwrap_or_default()
        });
        Some(items.collect())
    }

    /// A single value that is not nothing.
    fn scalar<'n>(&mut self, entry: &'n Entry, path: &Path<'_>, expected: &str) -> Option<&'n Scalar> {
        let Content::Scalar(scalar) = &entry.value.content else {
            self.unexpected(&entry.value, path, expected);
            return None;
        };
        Some(scalar)
    }

    /// Text in which parameters are replaced, if this version does so everywhere.
    fn text(&mut self, fields: Fields<'_>, path: &Path<'_>, key: &'static str) -> Option<String> {
        let entry = fields.get(key)?;
        let replaces = self.is_version_2;
        self.text_of(&entry.value, &path.key(key), replaces)
    }

    /// Text in which parameters are replaced.
    fn address(&mut self, fields: Fields<'_>, path: &Path<'_>) -> Option<String> {
        let entry = fields.get("address")?;
        self.text_of(&entry.value, &path.key("address"), true)
    }

    fn text_of(&mut self, node: &Node, path: &Path<'_>, replaces: bool) -> Option<String> {
        let Content::Scalar(scalar) = &node.content else {
            self.unexpected(node, path, "text");
            return None;
        };
        self.replaced(node, scalar, path, replaces)
    }

    fn replaced(&mut self, node: &Node, scalar: &Scalar, path: &Path<'_>, replaces: bool) -> Option<String> {
        if !replaces {
            return Some(scalar.text.clone());
        }
        let syntax = if self.is_version_2 { Syntax::Version2 } else { Syntax::Version1 };
        match self.lookup.substitute(&scalar.text, syntax) {
            Ok(text) => Some(text),
            Err(error) => {
                self.error(Stage::Parameters, node.position, path, error.to_string());
                None
            }
        }
    }

    fn integer(&mut self, fields: Fields<'_>, path: &Path<'_>, key: &'static str) -> Option<i64> {
        let entry = fields.get(key)?;
        let path = path.key(key);
        let scalar = self.scalar(entry, &path, "a whole number")?;
        match scalar.as_number() {
            Some(Number::Whole(number)) => {
                if scalar.is_secret_octal() {
                    let text = &scalar.text;
                    let message =
                        format!("{path}: {text} is {number}: a number that starts with 0 is read with base 8");
                    let (position, path) = (entry.value.position, path.to_string());
                    self.push(Severity::Warning, Stage::Validation, position, path, message);
                }
                let number = i64::try_from(number).ok();
                if number.is_none() {
                    let message = format!("{path}: the number {} is too large", shortened(&scalar.text));
                    self.error(Stage::Validation, entry.value.position, &path, message);
                }
                number
            }
            Some(Number::Fraction(_)) => {
                let message = format!("{path}: expected a whole number, found {}", shortened(&scalar.text));
                self.error(Stage::Validation, entry.value.position, &path, message);
                None
            }
            None => {
                self.unexpected(&entry.value, &path, "a whole number");
                None
            }
        }
    }

    fn switch(&mut self, fields: Fields<'_>, path: &Path<'_>, key: &'static str) -> Option<bool> {
        let entry = fields.get(key)?;
        let path = path.key(key);
        let switch = self.scalar(entry, &path, "true or false")?.as_bool();
        if switch.is_none() {
            self.unexpected(&entry.value, &path, "true or false");
        }
        switch
    }

    fn duration(&mut self, fields: Fields<'_>, path: &Path<'_>, key: &'static str) -> Option<spec::Duration> {
        let entry = fields.get(key)?;
        let path = path.key(key);
        let scalar = self.scalar(entry, &path, EXPECTED_TIME)?;
        self.duration_of(&entry.value, scalar, &path)
    }

    fn duration_of(&mut self, node: &Node, scalar: &Scalar, path: &Path<'_>) -> Option<spec::Duration> {
        if let Some(Number::Whole(number)) = scalar.as_number()
            && let Ok(seconds) = u64::try_from(number)
        {
            return Some(spec::Duration::from_secs(seconds));
        }
        let text = self.replaced(node, scalar, path, self.is_version_2)?;
        let duration = text.parse().ok();
        if duration.is_none() {
            self.unexpected(node, path, EXPECTED_TIME);
        }
        duration
    }

    fn words(&mut self, fields: Fields<'_>, path: &Path<'_>, key: &'static str, what: &str) -> Option<Vec<String>> {
        let replaces = self.is_version_2;
        self.list(fields, path, key, what, |this, node, path| this.text_of(node, path, replaces))
    }
}

const EXPECTED_TIME: &str = "a time, such as 90 (seconds), 90s or 1h30m";

/// Text that is not longer than a line, for a message.
fn shortened(text: &str) -> &str {
    let end = text.char_indices().nth(80).map_or(text.len(), |(end, _)| end);
    text.get(..end).unwrap_or_default()
}
