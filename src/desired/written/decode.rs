use super::Spot;
use super::findings::MAX_FOUND;
use crate::desired::params::{Lookup, Syntax, nearest};
use crate::desired::spec::{
    self, DefaultsSpec, DestinationSpec, DrainSpec, DurationSpec, FileSpec, PersistenceSettingsSpec, PersistenceSpec,
    ScopeSpec, ServiceSpec, StatsSpec, SyncSpec, ThresholdsSpec, TimeoutsSpec, TunnelSpec,
};
use crate::desired::tree::{Node, Number, Scalar};
use crate::desired::{Severity, Stage, escaped};

/// Reads the documents of a file. Mistakes are reported, and left out of the values.
pub(in crate::desired) struct Decoder<'d> {
    lookup: &'d Lookup<'d>,
    is_version_2: bool,
}

/// A form of values in a file.
trait Form {
    type Value;
    /// Its name in messages.
    const WHAT: &'static str;

    /// Whether it is a mapping without entries.
    fn is_hollow(_value: &Self::Value) -> bool {
        false
    }

    /// Reads a value; `None` if it is wrong, which is then reported.
    fn read(decoder: &Decoder<'_>, node: Node<'_>, spot: &Spot<'_>) -> Option<Self::Value>;
}

impl<'d> Decoder<'d> {
    /// Reads a document at this place.
    pub(in crate::desired) fn decode(document: Node<'_>, lookup: &'d Lookup<'d>, spot: &Spot<'_>) -> FileSpec {
        let mut decoder = Self { lookup, is_version_2: false };
        decoder.file(document, spot).unwrap_or_default()
    }

    fn file(&mut self, document: Node<'_>, spot: &Spot<'_>) -> Option<FileSpec> {
        if document.is_null() {
            return None;
        }
        if document.as_mapping().is_none() {
            return unexpected(document, spot, "a mapping with the key services");
        }
        // Everything else depends on the version.
        if let Some(version) = document.entry("version") {
            let spot = spot.at("version");
            let version = integer(version, &spot)?;
            if !(1..=2).contains(&version) {
                return wrong(&spot, format_args!("invalid version ({version}): expected 1 or 2"));
            }
            self.is_version_2 = version == 2;
        }
        FileSpec::read(self, document, spot)
    }

    /// The values of the keys of a mapping, `None` for a key without a value.
    fn mapping<'n>(
        &self,
        node: Node<'n>,
        spot: &Spot<'_>,
        what: &str,
        keys: &[&'static str],
    ) -> Option<Vec<Option<Node<'n>>>> {
        let Some(entries) = node.as_mapping() else {
            return unexpected(node, spot, &format!("a mapping for {what}"));
        };
        let mut values = vec![None; keys.len()];
        let severity = if self.is_version_2 { Severity::Error } else { Severity::Warning };
        let (mut written, mut meant) = (Vec::new(), Vec::new());
        for entry in entries {
            let key = entry.key.text;
            if let Some((known, value)) = keys.iter().zip(&mut values).find(|(known, _)| **known == key) {
                written.push(*known);
                // Counters are only printed.
                *value = Some(entry.value).filter(|value| !value.is_null() && key != "stats");
            // Others are notes of other programs.
            } else if !key.contains('.') && !key.starts_with("x-") && !spot.findings.is_full(severity) {
                let near = nearest(key, keys.iter().copied());
                meant.extend(near);
                let hint = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
                let key = escaped(key).to_string();
                let message = format!("unknown key \"{key}\" in {what}{hint}");
                spot.child(&key, Some(entry.node)).report(severity, Stage::Validation, message);
            }
        }
        // The message about the misspelled key names the intended one, which therefore is not reported as missing.
        for key in meant.into_iter().filter(|key| self.is_version_2 && !written.contains(key)) {
            spot.findings.add_broken(spot.child(key, None));
        }
        Some(values)
    }

    /// The value of a key.
    fn field<F: Form>(&self, node: Option<Node<'_>>, spot: &Spot<'_>, key: &str) -> Option<F::Value> {
        let node = node?;
        let spot = spot.child(key, Some(node));
        let value = F::read(self, node, &spot);
        if value.is_none() {
            spot.findings.add_broken(spot);
        }
        value
    }

    /// The items of a list; one that cannot be read is replaced by an empty one.
    fn list<F: Form<Value: Default>>(&self, node: Node<'_>, spot: &Spot<'_>) -> Option<Vec<F::Value>> {
        let Some(nodes) = node.as_list() else {
            return unexpected(node, spot, &format!("a list, each with {}", F::WHAT));
        };
        let mut items = Vec::new();
        let mut hollow = 0;
        for (place, node) in nodes.enumerate() {
            // Each empty item is an error as well, once its meaning is checked.
            if spot.findings.is_full(Severity::Error) || hollow > MAX_FOUND {
                break;
            }
            let spot = spot.item(place);
            let value = if node.is_null() {
                wrong(&spot, format_args!("{spot} is empty: expected {}", F::WHAT))
            } else {
                F::read(self, node, &spot)
            };
            hollow += usize::from(value.as_ref().is_some_and(F::is_hollow));
            items.push(value.unwrap_or_else(|| {
                spot.findings.add_broken(spot);
                F::Value::default()
            }));
        }
        Some(items)
    }

    /// Text in which parameters are replaced, if this version does so or `always`.
    fn text(&self, node: Node<'_>, spot: &Spot<'_>, always: bool) -> Option<String> {
        let Some(scalar) = node.as_scalar() else { return unexpected(node, spot, "text") };
        if !always && !self.is_version_2 {
            return Some(scalar.text.to_owned());
        }
        let syntax = if self.is_version_2 { Syntax::Version2 } else { Syntax::Version1 };
        let replaced = self.lookup.substitute(scalar.text, syntax);
        replaced.map_err(|error| spot.report(Severity::Error, Stage::Parameters, error)).ok()
    }

    fn duration(&self, node: Node<'_>, spot: &Spot<'_>) -> Option<DurationSpec> {
        const EXPECTED: &str = "a time, such as 90 (seconds), 90s or 1h30m";
        let Some(scalar) = node.as_scalar() else { return unexpected(node, spot, EXPECTED) };
        if let Some(Number::Whole(number)) = scalar.as_number()
            && let Ok(seconds) = u64::try_from(number)
        {
            return Some(DurationSpec::from_secs(seconds));
        }
        let duration = self.text(node, spot, false)?.parse().ok();
        duration.or_else(|| unexpected(node, spot, EXPECTED))
    }
}

fn integer(node: Node<'_>, spot: &Spot<'_>) -> Option<i64> {
    let number = node.as_scalar().and_then(|scalar| Some((scalar, scalar.as_number()?)));
    let Some((scalar, number)) = number else { return unexpected(node, spot, "a whole number") };
    let text = escaped(scalar.text);
    let Number::Whole(number) = number else {
        return wrong(spot, format_args!("{spot}: expected a whole number, found {text}"));
    };
    if scalar.is_secret_octal() {
        let message = format!("{spot}: {text} is {number}: a number that starts with 0 is read with base 8");
        spot.warning(message);
    }
    let fitting = i64::try_from(number).ok();
    fitting.or_else(|| wrong(spot, format_args!("{spot}: the number {text} is too large")))
}

fn switch(node: Node<'_>, spot: &Spot<'_>) -> Option<bool> {
    let switch = node.as_scalar().and_then(Scalar::as_bool);
    switch.or_else(|| unexpected(node, spot, "true or false"))
}

fn wrong<T>(spot: &Spot<'_>, message: impl std::fmt::Display) -> Option<T> {
    spot.error(message);
    None
}

fn unexpected<T>(node: Node<'_>, spot: &Spot<'_>, expected: &str) -> Option<T> {
    let found = match node.as_scalar().filter(|scalar| !scalar.is_null()) {
        Some(scalar) => {
            let quoted = if scalar.is_quoted { " in quotes" } else { "" };
            format!("\"{}\"{quoted}", escaped(scalar.text))
        }
        None => node.kind().to_owned(),
    };
    let path = spot.to_string();
    let separator = if path.is_empty() { "" } else { ": " };
    spot.report(Severity::Error, Stage::Reading, format_args!("{path}{separator}expected {expected}, found {found}"));
    None
}

/// Generates the form of each mapping from its keys.
macro_rules! mappings {
    ($($(#[$about:meta])* $name:ident $what:literal $([$($schema:tt)*])? {
        $($(#[$meta:meta])* $field:ident $key:tt: $type:ty as $form:ty $([$($of_key:tt)*])?,)*
    })*) => { $(
        impl Form for $name {
            type Value = Self;
            const WHAT: &'static str = $what;

            fn is_hollow(value: &Self) -> bool {
                *value == Self::default()
            }

            fn read(decoder: &Decoder<'_>, node: Node<'_>, spot: &Spot<'_>) -> Option<Self> {
                let mut values = decoder.mapping(node, spot, $what, &[$($key),*])?.into_iter();
                Some(Self { $($field: decoder.field::<$form>(values.next().flatten(), spot, $key),)* })
            }
        }
    )* };
}

spec::keys!(mappings);

impl Form for PersistenceSpec {
    type Value = Self;
    const WHAT: &'static str = PersistenceSettingsSpec::WHAT;

    fn read(decoder: &Decoder<'_>, node: Node<'_>, spot: &Spot<'_>) -> Option<Self> {
        let Some(scalar) = node.as_scalar() else {
            return PersistenceSettingsSpec::read(decoder, node, spot)
                .map(|settings| Self::Settings(Box::new(settings)));
        };
        let switch = scalar.as_bool().map(Self::Switch);
        switch.or_else(|| decoder.duration(node, spot).map(Self::Timeout))
    }
}

impl<F: Form<Value: Default>> Form for Vec<F> {
    type Value = Vec<F::Value>;
    const WHAT: &'static str = "a list";

    fn read(decoder: &Decoder<'_>, node: Node<'_>, spot: &Spot<'_>) -> Option<Self::Value> {
        decoder.list::<F>(node, spot)
    }
}

/// Generates forms of single values, each with its decoder.
macro_rules! values {
    ($($form:ty as $type:ty: $what:literal, $read:expr;)*) => { $(
        impl Form for $form {
            type Value = $type;
            const WHAT: &'static str = $what;

            fn read(decoder: &Decoder<'_>, node: Node<'_>, spot: &Spot<'_>) -> Option<$type> {
                $read(decoder, node, spot)
            }
        }
    )* };
}

/// Any text.
enum Text {}
/// The address of a service or a destination: parameters are replaced in it with version 1, too.
enum Address {}
/// A flag of a scheduler.
enum Flag {}
/// A pattern of services.
enum Pattern {}

values! {
    i64 as i64: "a whole number", |_, node, spot| integer(node, spot);
    bool as bool: "true or false", |_, node, spot| switch(node, spot);
    DurationSpec as DurationSpec: "a time", Decoder::duration;
    StatsSpec as Box<StatsSpec>: "counters", |_, _, _| None;
    Text as String: "text", |decoder: &Decoder<'_>, node, spot| decoder.text(node, spot, false);
    Address as String: "an address", |decoder: &Decoder<'_>, node, spot| decoder.text(node, spot, true);
    Flag as String: "a flag", |decoder: &Decoder<'_>, node, spot| decoder.text(node, spot, false);
    Pattern as String: "a pattern", |decoder: &Decoder<'_>, node, spot| decoder.text(node, spot, false);
}
