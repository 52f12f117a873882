use super::findings::MAX_FOUND;
use super::{Field, File, Findings, Form, Item, Spot};
use crate::desired::params::{Lookup, Syntax, nearest};
use crate::desired::yaml::{Node, Number, Scalar};
use crate::desired::{Severity, Stage, shown, spec};

/// Reads the documents of a file. Whatever is wrong is said, and left out of the values.
pub(in crate::desired) struct Decoder<'d> {
    lookup: &'d Lookup<'d>,
    findings: &'d mut Findings,
    is_version_2: bool,
    broken: usize,
}

/// The values of a mapping.
pub(in crate::desired) struct Fields<'n> {
    keys: &'static [&'static str],
    /// For each key what stands behind it, or whether another key was meant to be it.
    values: Vec<Value<'n>>,
}

#[derive(Clone, Copy)]
enum Value<'n> {
    Absent,
    Misspelt,
    There(Node<'n>),
}

impl<'n> Fields<'n> {
    fn get(&self, key: &str) -> Value<'n> {
        let place = self.keys.iter().position(|known| *known == key);
        place.and_then(|place| self.values.get(place)).copied().unwrap_or(Value::Absent)
    }

    /// Reads the value of a key.
    pub(super) fn field<T: Form>(&self, decoder: &mut Decoder<'_>, spot: &Spot<'_>, key: &'static str) -> Field<T> {
        let value = match self.get(key) {
            Value::Absent => return Field::Absent,
            Value::Misspelt => None,
            // Counters are only printed.
            Value::There(_) if key == "stats" => return Field::Absent,
            Value::There(node) => {
                let read = T::read(decoder, node, &spot.at(key, Some(node.position())));
                read.map(|value| Field::At(value, node.position()))
            }
        };
        decoder.broken += usize::from(value.is_none());
        value.unwrap_or(Field::Broken)
    }
}

impl<'d> Decoder<'d> {
    pub(in crate::desired) fn decode(document: Node<'_>, lookup: &'d Lookup<'d>, findings: &'d mut Findings) -> File {
        let mut decoder = Self { lookup, findings, is_version_2: false, broken: 0 };
        decoder.file(document).unwrap_or_default()
    }

    fn file(&mut self, document: Node<'_>) -> Option<File> {
        if document.is_null() {
            return None;
        }
        let spot = Spot::file(document.position());
        let Some(mut entries) = document.as_mapping() else {
            return self.unexpected(document, &spot, "a mapping with the key services");
        };
        // The version decides about everything else.
        let version = entries.find(|entry| entry.key.text == "version" && !entry.value.is_null());
        if let Some(entry) = version {
            let spot = spot.at("version", Some(entry.value.position()));
            let version = self.integer(entry.value, &spot)?;
            if !(1..=2).contains(&version) {
                self.findings.error(&spot, format_args!("there is no version {version}; versions are 1 and 2"));
                return None;
            }
            self.is_version_2 = version == 2;
        }
        Form::read(self, document, &spot)
    }

    /// The number of values so far that could not be read.
    pub(super) const fn broken(&self) -> usize {
        self.broken
    }

    fn wrong<T>(&mut self, spot: &Spot<'_>, message: impl std::fmt::Display) -> Option<T> {
        self.findings.error(spot, message);
        None
    }

    fn unexpected<T>(&mut self, node: Node<'_>, spot: &Spot<'_>, expected: &str) -> Option<T> {
        let found = match node.as_scalar().filter(|scalar| !scalar.is_null()) {
            Some(scalar) => {
                let quoted = if scalar.is_quoted { " in quotes" } else { "" };
                format!("\"{}\"{quoted}", shown(scalar.text))
            }
            None => node.kind().to_owned(),
        };
        let name = if spot.is_file() { String::new() } else { format!("{spot}: ") };
        let message = format_args!("{name}expected {expected}, found {found}");
        self.findings.add(Severity::Error, Stage::Reading, spot, message);
        None
    }

    /// The values of a mapping, after a look at its keys.
    pub(super) fn mapping<'n>(
        &mut self,
        node: Node<'n>,
        spot: &Spot<'_>,
        what: &str,
        keys: &'static [&'static str],
    ) -> Option<Fields<'n>> {
        let Some(entries) = node.as_mapping() else {
            return self.unexpected(node, spot, &format!("a mapping for {what}"));
        };
        let mut fields = Fields { keys, values: vec![Value::Absent; keys.len()] };
        let severity = if self.is_version_2 { Severity::Error } else { Severity::Warning };
        let mut meant: Vec<&str> = Vec::new();
        let mut written = vec![false; keys.len()];
        for entry in entries {
            let key = entry.key.text;
            if let Some(place) = keys.iter().position(|known| *known == key) {
                if let Some(written) = written.get_mut(place) {
                    *written = true;
                }
                if let Some(value) = fields.values.get_mut(place).filter(|_| !entry.value.is_null()) {
                    *value = Value::There(entry.value);
                }
            // Others are notes of other programs.
            } else if !key.contains('.') && !key.starts_with("x-") && !self.findings.is_full(severity) {
                let near = nearest(key, keys.iter().copied());
                meant.extend(near);
                let hint = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
                let message = format_args!("unknown key \"{}\" in {what}{hint}", shown(key));
                let key = shown(key).to_string();
                self.findings.add(severity, Stage::Validation, &spot.at(&key, Some(entry.position)), message);
            }
        }
        // The message about the key that was written says which one was meant.
        for ((key, value), written) in keys.iter().zip(&mut fields.values).zip(written) {
            if self.is_version_2 && !written && meant.contains(key) {
                *value = Value::Misspelt;
            }
        }
        Some(fields)
    }

    /// The items of a list that can be read.
    pub(super) fn list<T: Form>(&mut self, node: Node<'_>, spot: &Spot<'_>) -> Option<Vec<Item<T>>> {
        let Some(nodes) = node.as_list() else {
            return self.unexpected(node, spot, &format!("a list, each with {}", T::WHAT));
        };
        let mut items = Vec::new();
        let mut hollow = 0;
        for (place, node) in nodes.enumerate() {
            // Each item that says nothing is an error as well, once it is asked what it means.
            if self.findings.is_full(Severity::Error) || hollow > MAX_FOUND {
                break;
            }
            let position = node.position();
            let spot = spot.item(place, position);
            let value = if node.is_null() {
                self.wrong(&spot, format_args!("{spot} is empty: expected {}", T::WHAT))
            } else {
                T::read(self, node, &spot)
            };
            self.broken += usize::from(value.is_none());
            hollow += usize::from(value.as_ref().is_some_and(T::is_hollow));
            items.extend(value.map(|value| Item { place, position, value }));
        }
        Some(items)
    }

    /// Text in which parameters are replaced, if this version does so or `always`.
    pub(super) fn text(&mut self, node: Node<'_>, spot: &Spot<'_>, always: bool) -> Option<String> {
        let Some(scalar) = node.as_scalar() else { return self.unexpected(node, spot, "text") };
        if !always && !self.is_version_2 {
            return Some(scalar.text.to_owned());
        }
        let syntax = if self.is_version_2 { Syntax::Version2 } else { Syntax::Version1 };
        let replaced = self.lookup.substitute(scalar.text, syntax);
        replaced.map_err(|error| self.findings.add(Severity::Error, Stage::Parameters, spot, error)).ok()
    }

    pub(super) fn integer(&mut self, node: Node<'_>, spot: &Spot<'_>) -> Option<i64> {
        let number = node.as_scalar().and_then(|scalar| Some((scalar, scalar.as_number()?)));
        let Some((scalar, number)) = number else { return self.unexpected(node, spot, "a whole number") };
        let text = shown(scalar.text);
        let Number::Whole(number) = number else {
            return self.wrong(spot, format_args!("{spot}: expected a whole number, found {text}"));
        };
        if scalar.is_secret_octal() {
            let message = format_args!("{spot}: {text} is {number}: a number that starts with 0 is read with base 8");
            self.findings.warning(spot, message);
        }
        let fitting = i64::try_from(number).ok();
        fitting.or_else(|| self.wrong(spot, format_args!("{spot}: the number {text} is too large")))
    }

    pub(super) fn switch(&mut self, node: Node<'_>, spot: &Spot<'_>) -> Option<bool> {
        let switch = node.as_scalar().and_then(Scalar::as_bool);
        switch.or_else(|| self.unexpected(node, spot, "true or false"))
    }

    pub(super) fn duration(&mut self, node: Node<'_>, spot: &Spot<'_>) -> Option<spec::Duration> {
        const EXPECTED: &str = "a time, such as 90 (seconds), 90s or 1h30m";
        let Some(scalar) = node.as_scalar() else { return self.unexpected(node, spot, EXPECTED) };
        if let Some(Number::Whole(number)) = scalar.as_number()
            && let Ok(seconds) = u64::try_from(number)
        {
            return Some(spec::Duration::from_secs(seconds));
        }
        let duration = self.text(node, spot, false)?.parse().ok();
        duration.or_else(|| self.unexpected(node, spot, EXPECTED))
    }
}
