//! From text to trees. The only place that names the YAML parser.

use std::collections::HashMap;

use granit_parser::{ErrorKind, Event, Marker, Parser, ScalarStyle, Tag};

use crate::desired::diagnostic::Position;
use crate::desired::shown;
use crate::desired::tree::{Kind, Scalar, Tree, number};

/// The largest file that is read.
pub(in crate::desired) const MAX_BYTES: usize = 64 << 20;
/// Lists and mappings in each other.
const MAX_DEPTH: usize = 64;
/// Values that are written in one file.
const MAX_VALUES: u64 = 5_000_000;
/// Values that the aliases of one file stand for.
const MAX_ALIASED: u64 = 1_000_000;
/// More problems than this are not kept of one file: they would take more memory than the file.
const MAX_PROBLEMS: usize = 10_000;

/// A file that was taken apart.
#[derive(Debug, Default)]
pub(in crate::desired) struct Parsed {
    /// Its documents; none if it could not be understood.
    pub(in crate::desired) tree: Tree,
    /// The reason.
    pub(in crate::desired) problems: Vec<Problem>,
}

/// Something that is wrong with the text itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::desired) struct Problem {
    pub(in crate::desired) position: Position,
    pub(in crate::desired) message: String,
}

/// Reads YAML, or JSON, which is a part of it.
pub(in crate::desired) fn parse(text: &str) -> Parsed {
    let read = || unreadable(text).map_or_else(|| read(text), Err);
    read().unwrap_or_else(|problem| Parsed { tree: Tree::default(), problems: vec![problem] })
}

/// Returns a problem that the parser would not report, or not well.
fn unreadable(text: &str) -> Option<Problem> {
    if text.len() > MAX_BYTES {
        let message = format!("the file has {} bytes; {MAX_BYTES} are the most that is read", text.len());
        return Some(Problem { position: Position { line: 1, column: 1 }, message });
    }
    let is_foreign = |c: char| match c {
        '\t' | '\n' | '\r' | '\u{85}' => false,
        _ => c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'),
    };
    let (offset, foreign) = text.char_indices().find(|(_, c)| is_foreign(*c))?;
    let before = text.get(..offset).unwrap_or_default();
    let line = before.matches('\n').count();
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
    let position = Position { line: number(line + 1), column: number(column + 1) };
    let message = format!("not valid YAML: the character {} cannot stand in it", foreign.escape_unicode());
    Some(Problem { position, message })
}

fn read(text: &str) -> Result<Parsed, Problem> {
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        match event {
            Ok((Event::StreamEnd, _)) => break,
            Ok((event, span)) => builder.event(event, place(&span.start))?,
            Err(error) => {
                let position = place(error.marker());
                // The parser looks ahead, and has a limit of its own for brackets.
                return Err(match error.kind() {
                    ErrorKind::RecursionLimitExceeded => too_deep(position),
                    _ => Problem { position, message: format!("not valid YAML: {}", shown(&error.info())) },
                });
            }
        }
    }
    Ok(Parsed { tree: builder.tree, problems: builder.problems })
}

#[derive(Default)]
struct Builder {
    tree: Tree,
    problems: Vec<Problem>,
    /// The lists and mappings that have begun and not ended.
    open: Vec<Open>,
    /// Its contents: the values of a list, the keys and values of a mapping by turns.
    pending: Vec<u32>,
    anchors: HashMap<usize, Finished>,
    written: u64,
    aliased: u64,
}

/// A value that is complete.
#[derive(Clone, Copy)]
struct Finished {
    id: u32,
    /// The number of values in it, itself included, as if every alias were written out.
    size: u64,
    /// The number of lists and mappings in each other.
    height: usize,
}

struct Open {
    position: Position,
    anchor: usize,
    /// Where that which belongs to it begins.
    start: usize,
    size: u64,
    height: usize,
    kind: OpenKind,
}

enum OpenKind {
    List,
    Mapping {
        next: Next,
        /// The mappings that `<<` names, in order.
        merged: Vec<Finished>,
    },
}

/// The kind of node that comes next in a mapping.
enum Next {
    Key,
    Value,
    /// The mappings that `<<` names.
    Merged,
    /// The value of something that cannot be a key.
    Skipped,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, position: Position) -> Result<(), Problem> {
        match event {
            // An anchor ends with its document.
            Event::DocumentStart(..) => self.anchors.clear(),
            Event::Alias(anchor) => self.alias(anchor, position)?,
            Event::Scalar(text, style, anchor, tag) => {
                self.count(position)?;
                let id = self.tree.add_scalar(position, &text, means_text(tag.as_deref(), style));
                self.finished(Finished { id, size: 1, height: 0 }, anchor);
            }
            Event::SequenceStart(_, anchor, _) => self.begin(position, anchor, OpenKind::List)?,
            Event::MappingStart(_, anchor, _) => {
                self.begin(position, anchor, OpenKind::Mapping { next: Next::Key, merged: Vec::new() })?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(mut open) = self.open.pop() else { return Ok(()) };
                let children = self.pending.split_off(open.start);
                let id = match std::mem::replace(&mut open.kind, OpenKind::List) {
                    OpenKind::List => self.tree.add_parent(open.position, Kind::List, &children),
                    OpenKind::Mapping { merged, .. } => {
                        let pairs = self.entries(&children, &mut open, &merged)?;
                        self.tree.add_parent(open.position, Kind::Mapping, &pairs)
                    }
                };
                self.finished(Finished { id, size: open.size, height: open.height }, open.anchor);
            }
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, position: Position, anchor: usize, kind: OpenKind) -> Result<(), Problem> {
        self.count(position)?;
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(position));
        }
        self.open.push(Open { position, anchor, start: self.pending.len(), size: 1, height: 1, kind });
        Ok(())
    }

    fn count(&mut self, position: Position) -> Result<(), Problem> {
        self.written += 1;
        if self.written > MAX_VALUES {
            return Err(Problem { position, message: format!("the file has more than {MAX_VALUES} values") });
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, position: Position) -> Result<(), Problem> {
        let Some(aliased) = self.anchors.get(&anchor).copied() else {
            let message = "the alias stands in what it stands for, or in another document".to_owned();
            return Err(Problem { position, message });
        };
        self.count_aliased(aliased.size, position)?;
        if self.open.len() + aliased.height > MAX_DEPTH {
            return Err(too_deep(position));
        }
        self.finished(aliased, 0);
        Ok(())
    }

    fn count_aliased(&mut self, values: u64, position: Position) -> Result<(), Problem> {
        self.aliased = self.aliased.saturating_add(values);
        if self.aliased > MAX_ALIASED {
            let message = format!("the aliases of the file stand for more than {MAX_ALIASED} values");
            return Err(Problem { position, message });
        }
        Ok(())
    }

    /// Puts a value where it belongs.
    fn finished(&mut self, value: Finished, anchor: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, value);
        }
        let Some(open) = self.open.last_mut() else { return self.tree.add_document(value.id) };
        if let OpenKind::Mapping { next, merged } = &mut open.kind {
            match next {
                Next::Key => {
                    let node = self.tree.node(value.id);
                    match node.as_scalar() {
                        Some(Scalar { text: "<<", is_quoted: false }) => *next = Next::Merged,
                        Some(_) => {
                            *next = Next::Value;
                            self.pending.push(value.id);
                        }
                        None => {
                            *next = Next::Skipped;
                            let message = format!("{} cannot be a key", node.kind());
                            report(&mut self.problems, node.position(), message);
                        }
                    }
                    return;
                }
                Next::Merged => merged.push(value),
                Next::Value | Next::Skipped => {}
            }
            if !matches!(std::mem::replace(next, Next::Key), Next::Value) {
                return;
            }
        }
        self.pending.push(value.id);
        open.size = open.size.saturating_add(value.size);
        open.height = open.height.max(value.height + 1);
    }

    /// Returns the contents of a mapping, keys and values by turns: its own entries, each key once, and those that it takes over.
    fn entries(&mut self, own: &[u32], open: &mut Open, merged: &[Finished]) -> Result<Vec<u32>, Problem> {
        let mut sources = Vec::new();
        for value in merged {
            let node = self.tree.node(value.id);
            let position = node.position();
            match node.as_list() {
                Some(_) => sources.extend_from_slice(node.children()),
                None => sources.push(value.id),
            }
            self.count_aliased(value.size, position)?;
            open.size = open.size.saturating_add(value.size);
            open.height = open.height.max(value.height);
        }
        let Self { tree, problems, .. } = self;
        let key = |id: &u32| Some((tree.node(*id).as_scalar()?.text, tree.node(*id).position()));
        let mut known: HashMap<&str, Position> = HashMap::with_capacity(own.len() / 2);
        let mut entries = Vec::with_capacity(own.len());
        for [id, value] in own.as_chunks().0 {
            let Some((text, position)) = key(id) else { continue };
            if let Some(first) = known.get(text) {
                let message = format!("the key \"{}\" stands in line {} already", shown(text), first.line);
                report(problems, position, message);
            } else {
                known.insert(text, position);
                entries.extend([*id, *value]);
            }
        }
        for source in sources.into_iter().map(|id| tree.node(id)) {
            if source.as_mapping().is_none() {
                let message = format!("<< takes a mapping, or a list of them; this is {}", source.kind());
                report(problems, source.position(), message);
                continue;
            }
            for [id, value] in source.children().as_chunks().0 {
                let Some((text, position)) = key(id) else { continue };
                known.entry(text).or_insert_with(|| {
                    entries.extend([*id, *value]);
                    position
                });
            }
        }
        Ok(entries)
    }
}

fn report(problems: &mut Vec<Problem>, position: Position, message: String) {
    if problems.len() < MAX_PROBLEMS {
        problems.push(Problem { position, message });
    }
}

/// Whether a value is text, whatever it looks like.
fn means_text(tag: Option<&Tag>, style: ScalarStyle) -> bool {
    let Some(tag) = tag else { return style != ScalarStyle::Plain };
    match tag.suffix_in_namespace("tag:yaml.org,2002:") {
        Some(kind) => !matches!(kind.as_ref(), "int" | "float" | "bool" | "null"),
        None => tag.parts() == ("", "!") || style != ScalarStyle::Plain,
    }
}

fn too_deep(position: Position) -> Problem {
    Problem { position, message: format!("lists and mappings stand more than {MAX_DEPTH} deep in each other") }
}

fn place(marker: &Marker) -> Position {
    Position { line: number(marker.line()), column: number(marker.col().saturating_add(1)) }
}
