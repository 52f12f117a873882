use std::cell::OnceCell;
use std::collections::HashMap;
use std::rc::Rc;

/// A document as it was written: what stands where, before anybody asks what it means.
#[derive(Debug)]
pub(in crate::desired) struct Node {
    /// Where it starts.
    pub(in crate::desired) position: Position,
    pub(in crate::desired) content: Content,
    /// The number of values in it, itself included, as if every alias were written out.
    pub(super) size: u64,
    /// The number of lists and mappings in each other.
    pub(super) height: usize,
    /// The places of the keys of a large mapping, once somebody asks.
    index: OnceCell<HashMap<String, usize>>,
}

#[derive(Debug)]
pub(in crate::desired) enum Content {
    Scalar(Scalar),
    List(Vec<Rc<Node>>),
    Mapping(Vec<Entry>),
}

#[derive(Debug)]
pub(in crate::desired) struct Scalar {
    pub(in crate::desired) text: String,
    /// Text in quotes is text, whatever it looks like.
    pub(in crate::desired) is_quoted: bool,
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(in crate::desired) struct Entry {
    pub(in crate::desired) key: Rc<Key>,
    pub(in crate::desired) value: Rc<Node>,
}

#[derive(Debug)]
pub(in crate::desired) struct Key {
    pub(in crate::desired) text: String,
    pub(in crate::desired) is_quoted: bool,
    pub(in crate::desired) position: Position,
}

/// A line and a column, both counted from 1, the column in characters.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(in crate::desired) struct Position {
    pub(in crate::desired) line: u32,
    pub(in crate::desired) column: u32,
}

impl Node {
    pub(super) fn scalar(position: Position, text: String, is_quoted: bool) -> Self {
        Self {
            position,
            content: Content::Scalar(Scalar { text, is_quoted }),
            size: 1,
            height: 0,
            index: OnceCell::new(),
        }
    }

    pub(super) fn list(position: Position, items: Vec<Rc<Self>>) -> Self {
        let (size, height) = measure(items.iter());
        Self { position, content: Content::List(items), size, height, index: OnceCell::new() }
    }

    pub(super) fn mapping(position: Position, entries: Vec<Entry>) -> Self {
        let (size, height) = measure(entries.iter().map(|entry| &entry.value));
        Self { position, content: Content::Mapping(entries), size, height, index: OnceCell::new() }
    }

    /// Whether nothing was written, in one of the ways to do so.
    pub(in crate::desired) fn is_null(&self) -> bool {
        matches!(&self.content, Content::Scalar(scalar) if scalar.is_null())
    }

    /// What it is, for a message.
    pub(in crate::desired) fn kind(&self) -> &'static str {
        match &self.content {
            Content::List(_) => "a list",
            Content::Mapping(_) => "a mapping",
            Content::Scalar(scalar) if scalar.is_null() => "nothing",
            Content::Scalar(_) => "a single value",
        }
    }

    /// The entry of a key.
    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        let Content::Mapping(entries) = &self.content else { return None };
        if entries.len() <= FEW {
            return entries.iter().find(|entry| entry.key.text == key);
        }
        let index = self
            .index
            .get_or_init(|| entries.iter().enumerate().map(|(place, entry)| (entry.key.text.clone(), place)).collect());
        index.get(key).and_then(|place| entries.get(*place))
    }

    /// Where the value of a path such as `services[2].destinations[0].weight` stands, or, if there is none, what it is
    /// missing in.
    pub(super) fn locate(&self, path: &str) -> Position {
        let mut node = self;
        let mut position = self.position;
        for step in path.split(['.', '[']).filter(|step| !step.is_empty()) {
            let next = match (&node.content, step.strip_suffix(']')) {
                (Content::List(items), Some(index)) => {
                    let item = index.parse().ok().and_then(|index: usize| items.get(index));
                    item.map(|item| (item, item.position))
                }
                (Content::Mapping(_), None) => node.entry(step).map(|entry| (&entry.value, entry.position())),
                _ => None,
            };
            let Some((next, place)) = next else { break };
            (node, position) = (next, place);
        }
        position
    }
}

/// So many keys are looked through one after the other.
const FEW: usize = 16;

/// Values and levels of what holds these.
fn measure<'n>(children: impl Iterator<Item = &'n Rc<Node>>) -> (u64, usize) {
    let (size, height) =
        children.fold((0_u64, 0), |(size, height), child| (size.saturating_add(child.size), child.height.max(height)));
    (size.saturating_add(1), height.saturating_add(1))
}

impl Entry {
    /// Where its value stands; where nothing was written, its key.
    pub(in crate::desired) fn position(&self) -> Position {
        if self.value.is_null() { self.key.position } else { self.value.position }
    }
}
