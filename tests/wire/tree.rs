//! Attributes as a tree, to take them apart and put them together otherwise.

use ipvs_rs::codec::IpvsCommand;

use crate::netlink::attribute;

/// An attribute; the kind has the two flag bits in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Node {
    pub(crate) kind: u16,
    pub(crate) value: Value,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Value {
    Leaf(Vec<u8>),
    Nest(Vec<Node>),
}

/// Which attributes are nests.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Level {
    Message,
    Object,
    Numbers,
}

impl Level {
    fn within(self, kind: u16) -> Option<Self> {
        match (self, kind & 0x3fff) {
            (Self::Message, 1 | 2) => Some(Self::Object),
            // Statistics; and a daemon, which has no nests of its own.
            (Self::Object, 10 | 12) | (Self::Message, 3) => Some(Self::Numbers),
            _ => None,
        }
    }
}

/// Takes well-formed attributes apart.
pub(crate) fn parse(command: u8, attributes: &[u8]) -> Vec<Node> {
    let is_info = command == IpvsCommand::SetInfo.number();
    parse_level(attributes, if is_info { Level::Numbers } else { Level::Message })
}

fn parse_level(mut bytes: &[u8], level: Level) -> Vec<Node> {
    let mut nodes = Vec::new();
    while !bytes.is_empty() {
        let len = usize::from(u16::from_ne_bytes([bytes[0], bytes[1]]));
        let kind = u16::from_ne_bytes([bytes[2], bytes[3]]);
        let value = &bytes[4..len];
        let value = match level.within(kind) {
            Some(inner) => Value::Nest(parse_level(value, inner)),
            None => Value::Leaf(value.to_vec()),
        };
        nodes.push(Node { kind, value });
        bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
    nodes
}

pub(crate) fn write(nodes: &[Node]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for node in nodes {
        let value = match &node.value {
            Value::Leaf(value) => value.clone(),
            Value::Nest(inner) => write(inner),
        };
        bytes.extend(attribute(node.kind, &value));
    }
    bytes
}

/// Changes the attributes of every level, outer ones after inner ones.
pub(crate) fn at_every_level(nodes: &mut Vec<Node>, change: &mut impl FnMut(&mut Vec<Node>)) {
    for node in nodes.iter_mut() {
        if let Value::Nest(inner) = &mut node.value {
            at_every_level(inner, change);
        }
    }
    change(nodes);
}

/// The second tree; before the attributes of each level stand those of the same kind from the first.
pub(crate) fn preceded(first: &[Node], second: &[Node]) -> Vec<Node> {
    let is_in_second = |node: &&Node| second.iter().any(|other| other.kind == node.kind);
    let mut nodes: Vec<Node> = first.iter().filter(is_in_second).cloned().collect();
    for node in second {
        let twin = first.iter().find(|other| other.kind == node.kind);
        nodes.push(match (twin.map(|twin| &twin.value), &node.value) {
            (Some(Value::Nest(first)), Value::Nest(second)) => {
                Node { kind: node.kind, value: Value::Nest(preceded(first, second)) }
            }
            _ => node.clone(),
        });
    }
    nodes
}
