//! The documents of a file as they were written, before their values are interpreted.

#![cfg_attr(not(feature = "yaml"), allow(dead_code, reason = "only what was parsed has positions"))]

mod meaning;

#[cfg(feature = "yaml")]
pub(in crate::desired) use meaning::{Number, is_old_bool};

use super::diagnostic::Position;

/// The documents of a file.
///
/// A value takes a few bytes besides its text, so that a file of very many small ones takes memory in proportion.
#[derive(Debug, Default)]
pub(in crate::desired) struct Tree {
    values: Vec<Value>,
    /// The places of the contents of lists and mappings; of a mapping, keys and values by turns.
    children: Vec<u32>,
    text: String,
    documents: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Value {
    position: Position,
    kind: Kind,
    start: u32,
    length: u32,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::desired) enum Kind {
    Plain,
    Quoted,
    List,
    Mapping,
}

/// A value of a tree.
#[derive(Clone, Copy, Debug)]
pub(in crate::desired) struct Node<'t> {
    tree: &'t Tree,
    value: Value,
}

/// A single value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::desired) struct Scalar<'t> {
    pub(in crate::desired) text: &'t str,
    /// Text in quotes is text, whatever it looks like.
    pub(in crate::desired) is_quoted: bool,
}

/// A key with its value.
#[derive(Clone, Copy, Debug)]
pub(in crate::desired) struct Entry<'t> {
    pub(in crate::desired) key: Scalar<'t>,
    /// The key, with the place where it stands.
    pub(in crate::desired) node: Node<'t>,
    pub(in crate::desired) value: Node<'t>,
}

impl Tree {
    pub(in crate::desired) fn add_scalar(&mut self, position: Position, text: &str, is_quoted: bool) -> u32 {
        let (kind, start) = (if is_quoted { Kind::Quoted } else { Kind::Plain }, self.text.len());
        self.text.push_str(text);
        self.add(position, kind, start, text.len())
    }

    /// Adds a list, or a mapping of keys and values by turns.
    pub(in crate::desired) fn add_parent(&mut self, position: Position, kind: Kind, children: &[u32]) -> u32 {
        let start = self.children.len();
        self.children.extend_from_slice(children);
        self.add(position, kind, start, children.len())
    }

    fn add(&mut self, position: Position, kind: Kind, start: usize, length: usize) -> u32 {
        self.values.push(Value { position, kind, start: number(start), length: number(length) });
        number(self.values.len() - 1)
    }

    pub(in crate::desired) fn add_document(&mut self, id: u32) {
        self.documents.push(id);
    }

    /// A value of this tree.
    pub(in crate::desired) fn node(&self, id: u32) -> Node<'_> {
        Node { tree: self, value: self.values.get(index(id)).copied().unwrap_or(NOTHING) }
    }

    pub(in crate::desired) fn documents(&self) -> impl ExactSizeIterator<Item = Node<'_>> {
        self.documents.iter().map(|id| self.node(*id))
    }
}

const NOTHING: Value = Value { position: Position { line: 0, column: 0 }, kind: Kind::Plain, start: 0, length: 0 };

impl<'t> Node<'t> {
    /// Its first position.
    pub(in crate::desired) const fn position(self) -> Position {
        self.value.position
    }

    pub(in crate::desired) fn as_scalar(self) -> Option<Scalar<'t>> {
        let is_quoted = match self.value.kind {
            Kind::Plain => false,
            Kind::Quoted => true,
            Kind::List | Kind::Mapping => return None,
        };
        let text = self.tree.text.get(index(self.value.start)..).and_then(|text| text.get(..index(self.value.length)));
        Some(Scalar { text: text.unwrap_or_default(), is_quoted })
    }

    pub(in crate::desired) fn as_list(self) -> Option<impl ExactSizeIterator<Item = Self>> {
        let items = (self.value.kind == Kind::List).then(|| self.children())?;
        Some(items.iter().map(move |id| self.tree.node(*id)))
    }

    pub(in crate::desired) fn as_mapping(self) -> Option<impl Iterator<Item = Entry<'t>>> {
        let pairs = (self.value.kind == Kind::Mapping).then(|| self.children())?.as_chunks().0;
        Some(pairs.iter().filter_map(move |[key, value]| {
            let (node, value) = (self.tree.node(*key), self.tree.node(*value));
            Some(Entry { key: node.as_scalar()?, node, value })
        }))
    }

    /// The value of a key; `None` if the key is missing or its value is null.
    pub(in crate::desired) fn entry(self, key: &str) -> Option<Self> {
        let entry = self.as_mapping()?.find(|entry| entry.key.text == key && !entry.value.is_null())?;
        Some(entry.value)
    }

    /// The value of a path such as `tunnel.type`, as far as it leads.
    pub(in crate::desired) fn find(self, path: &str) -> Self {
        let mut node = self;
        for key in path.split('.') {
            let Some(value) = node.entry(key) else { break };
            node = value;
        }
        node
    }

    /// An item of a list.
    pub(in crate::desired) fn item(self, place: usize) -> Option<Self> {
        let id = (self.value.kind == Kind::List).then(|| self.children().get(place))??;
        Some(self.tree.node(*id))
    }

    /// The places of its contents.
    pub(in crate::desired) fn children(self) -> &'t [u32] {
        let (start, length) = (index(self.value.start), index(self.value.length));
        self.tree.children.get(start..).and_then(|children| children.get(..length)).unwrap_or_default()
    }

    /// Whether nothing was written, in any of the forms for that.
    pub(in crate::desired) fn is_null(self) -> bool {
        self.as_scalar().is_some_and(Scalar::is_null)
    }

    /// Returns a description of its type, for a message.
    pub(in crate::desired) fn kind(self) -> &'static str {
        match self.value.kind {
            Kind::List => "a list",
            Kind::Mapping => "a mapping",
            _ if self.is_null() => "nothing",
            _ => "a single value",
        }
    }
}

/// Files are short enough for their places to fit.
pub(in crate::desired) fn number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

const fn index(number: u32) -> usize {
    number as usize
}
