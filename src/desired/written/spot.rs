use std::fmt;

use super::Findings;
use crate::desired::tree::Node;
use crate::desired::{Diagnostic, Place, Severity, Stage};

/// A place in a file: the path to it, such as `services[2].destinations[0].weight`, the value there, and the collection
/// of findings about it.
///
/// The path is formatted, and the value looked for, only for a finding.
#[derive(Clone, Copy, Debug)]
pub(in crate::desired) struct Spot<'p> {
    pub(in crate::desired) findings: &'p Findings,
    step: Step<'p>,
    /// The value, or, where it is missing, the value that it is missing in; `None` if it does not come from a text.
    node: Option<Node<'p>>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'p> {
    File,
    Key(&'p Spot<'p>, &'p str),
    Item(&'p Spot<'p>, usize),
}

impl<'p> Spot<'p> {
    /// A whole document.
    pub(in crate::desired) const fn file(findings: &'p Findings, node: Option<Node<'p>>) -> Self {
        Self { findings, step: Step::File, node }
    }

    /// The value of a key, such as `tunnel.type`.
    pub(in crate::desired) fn at(&'p self, key: &'p str) -> Self {
        self.child(key, self.node.map(|node| node.find(key)))
    }

    /// The same where the value is known.
    pub(super) fn child(&'p self, key: &'p str, value: Option<Node<'p>>) -> Self {
        Self { step: Step::Key(self, key), node: value.or(self.node), ..*self }
    }

    /// An item of a list.
    pub(in crate::desired) fn item(&'p self, place: usize) -> Self {
        let node = self.node.and_then(|node| node.item(place));
        Self { step: Step::Item(self, place), node: node.or(self.node), ..*self }
    }

    /// The items of this list that can be read, each with its place.
    pub(in crate::desired) fn items<'i, T>(
        &'i self,
        list: Option<&'i Vec<T>>,
    ) -> impl Iterator<Item = (Spot<'i>, &'i T)> {
        let items = list.into_iter().flatten().enumerate().map(|(place, item)| (self.item(place), item));
        items.filter(|(spot, _)| !spot.is_broken())
    }

    /// Reports that a value is not one that a table can have.
    pub(in crate::desired) fn error(&self, message: impl fmt::Display) {
        self.report(Severity::Error, Stage::Validation, message);
    }

    /// Reports that a value is not one of those that are expected.
    pub(in crate::desired) fn invalid(&self, name: &str, value: impl fmt::Display, expected: impl fmt::Display) {
        self.error(format_args!("invalid {name} ({value}): expected {expected}"));
    }

    pub(in crate::desired) fn warning(&self, message: impl fmt::Display) {
        self.report(Severity::Warning, Stage::Validation, message);
    }

    pub(super) fn report(&self, severity: Severity, stage: Stage, message: impl fmt::Display) {
        let finding = || Diagnostic { severity, stage, place: self.place(), message: message.to_string() };
        self.findings.add(severity, finding);
    }

    /// Whether it cannot be read, which has been reported already.
    pub(in crate::desired) fn is_broken(&self) -> bool {
        self.findings.broken_from(self).is_some_and(|(path, first)| first == path)
    }

    /// Whether it, or something in it, cannot be read.
    pub(in crate::desired) fn is_damaged(&self) -> bool {
        self.findings.broken_from(self).is_some_and(|(path, first)| first.starts_with(&path))
    }

    pub(in crate::desired) fn place(&self) -> Place {
        let position = self.node.map(Node::position).unwrap_or_default();
        Place::new(self.findings.name.as_ref(), position, self.to_string())
    }
}

impl fmt::Display for Spot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            Step::File => Ok(()),
            Step::Key(Self { step: Step::File, .. }, key) => f.write_str(key),
            Step::Key(before, key) => write!(f, "{before}.{key}"),
            Step::Item(before, place) => write!(f, "{before}[{place}]"),
        }
    }
}
