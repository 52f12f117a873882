//! From text to trees. The only place that names the YAML parser.

use std::collections::HashMap;

use granit_parser::{ErrorKind, Event, Marker, Parser, ScalarStyle, StrInput, Tag};

use crate::desired::diagnostic::Position;
use crate::desired::escaped;
use crate::desired::tree::{Kind, Scalar, Tree, number};

/// The largest file that is read.
pub(in crate::desired) const MAX_BYTES: usize = 64 << 20;
/// The depth of lists and mappings in each other.
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
    /// Its documents; empty if it could not be parsed.
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

/// Returns a problem that the parser would not report, or would report poorly.
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
    let mut builder = Builder {
        parser: Parser::new_from_str(text),
        parsed: Parsed::default(),
        anchors: HashMap::new(),
        depth: 0,
        written: 0,
        aliased: 0,
    };
    while let Some((event, position)) = builder.next()? {
        if let Event::DocumentStart(..) = event {
            // An anchor ends with its document.
            builder.anchors.clear();
        } else if let Some(value) = builder.value(event, position)? {
            builder.parsed.tree.add_document(value.id);
        }
    }
    Ok(builder.parsed)
}

struct Builder<'t> {
    parser: Parser<'t, StrInput<'t>>,
    parsed: Parsed,
    anchors: HashMap<usize, Finished>,
    /// The number of lists and mappings that have begun and not ended.
    depth: usize,
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

impl Finished {
    /// A list or a mapping without contents.
    const EMPTY: Self = Self { id: 0, size: 1, height: 1 };

    fn add(&mut self, value: Self) {
        self.size = self.size.saturating_add(value.size);
        self.height = self.height.max(value.height + 1);
    }
}

impl<'t> Builder<'t> {
    fn next(&mut self) -> Result<Option<(Event<'t>, Position)>, Problem> {
        match self.parser.next_event() {
            None | Some(Ok((Event::StreamEnd, _))) => Ok(None),
            Some(Ok((event, span))) => Ok(Some((event, place(&span.start)))),
            Some(Err(error)) => {
                let position = place(error.marker());
                // The parser looks ahead, and has a limit of its own for brackets.
                Err(match error.kind() {
                    ErrorKind::RecursionLimitExceeded => too_deep(position),
                    _ => Problem { position, message: format!("not valid YAML: {}", escaped(&error.info())) },
                })
            }
        }
    }

    /// Reads the value that begins with an event, if one does.
    fn value(&mut self, event: Event<'t>, position: Position) -> Result<Option<Finished>, Problem> {
        let (value, anchor) = match event {
            Event::Alias(anchor) => (self.alias(anchor, position)?, 0),
            Event::Scalar(text, style, anchor, tag) => {
                self.count(position)?;
                let id = self.parsed.tree.add_scalar(position, &text, means_text(tag.as_deref(), style));
                (Finished { id, size: 1, height: 0 }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => (self.list(position)?, anchor),
            Event::MappingStart(_, anchor, _) => (self.mapping(position)?, anchor),
            _ => return Ok(None),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, value);
        }
        Ok(Some(value))
    }

    /// Reads the next value of a list or a mapping; nothing at its end.
    fn child(&mut self) -> Result<Option<Finished>, Problem> {
        while let Some((event, position)) = self.next()? {
            if matches!(event, Event::SequenceEnd | Event::MappingEnd) {
                break;
            }
            if let Some(value) = self.value(event, position)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    fn begin(&mut self, position: Position) -> Result<(), Problem> {
        self.count(position)?;
        if self.depth >= MAX_DEPTH {
            return Err(too_deep(position));
        }
        self.depth += 1;
        Ok(())
    }

    fn list(&mut self, position: Position) -> Result<Finished, Problem> {
        self.begin(position)?;
        let (mut list, mut items) = (Finished::EMPTY, Vec::new());
        while let Some(item) = self.child()? {
            list.add(item);
            items.push(item.id);
        }
        self.depth -= 1;
        Ok(Finished { id: self.parsed.tree.add_parent(position, Kind::List, &items), ..list })
    }

    fn mapping(&mut self, position: Position) -> Result<Finished, Problem> {
        self.begin(position)?;
        let (mut mapping, mut own, mut merged) = (Finished::EMPTY, Vec::new(), Vec::new());
        while let Some(key) = self.child()? {
            let node = self.parsed.tree.node(key.id);
            let is_merge = node.as_scalar() == Some(Scalar { text: "<<", is_quoted: false });
            let is_key = node.as_scalar().is_some();
            if !is_key {
                let message = format!("{} cannot be a key", node.kind());
                report(&mut self.parsed.problems, node.position(), message);
            }
            let Some(value) = self.child()? else { break };
            if is_merge {
                merged.push(value);
            } else if is_key {
                mapping.add(value);
                own.extend([key.id, value.id]);
            }
        }
        self.depth -= 1;
        let pairs = self.entries(&own, &mut mapping, &merged)?;
        Ok(Finished { id: self.parsed.tree.add_parent(position, Kind::Mapping, &pairs), ..mapping })
    }

    fn count(&mut self, position: Position) -> Result<(), Problem> {
        self.written += 1;
        if self.written > MAX_VALUES {
            return Err(Problem { position, message: format!("the file has more than {MAX_VALUES} values") });
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, position: Position) -> Result<Finished, Problem> {
        let Some(aliased) = self.anchors.get(&anchor).copied() else {
            let message = "the alias stands in what it stands for, or in another document".to_owned();
            return Err(Problem { position, message });
        };
        self.count_aliased(aliased.size, position)?;
        if self.depth + aliased.height > MAX_DEPTH {
            return Err(too_deep(position));
        }
        Ok(aliased)
    }

    fn count_aliased(&mut self, values: u64, position: Position) -> Result<(), Problem> {
        self.aliased = self.aliased.saturating_add(values);
        if self.aliased > MAX_ALIASED {
            let message = format!("the aliases of the file stand for more than {MAX_ALIASED} values");
            return Err(Problem { position, message });
        }
        Ok(())
    }

    /// Returns the contents of a mapping, keys and values by turns: its own entries, each key once, and those that it takes over.
    fn entries(&mut self, own: &[u32], whole: &mut Finished, merged: &[Finished]) -> Result<Vec<u32>, Problem> {
        let mut sources = Vec::new();
        for value in merged {
            let node = self.parsed.tree.node(value.id);
            let position = node.position();
            match node.as_list() {
                Some(_) => sources.extend_from_slice(node.children()),
                None => sources.push(value.id),
            }
            self.count_aliased(value.size, position)?;
            whole.size = whole.size.saturating_add(value.size);
            whole.height = whole.height.max(value.height);
        }
        let Parsed { tree, problems } = &mut self.parsed;
        let key = |id: &u32| Some((tree.node(*id).as_scalar()?.text, tree.node(*id).position()));
        let mut known: HashMap<&str, Position> = HashMap::with_capacity(own.len() / 2);
        let mut entries = Vec::with_capacity(own.len());
        for [id, value] in own.as_chunks().0 {
            let Some((text, position)) = key(id) else { continue };
            if let Some(first) = known.get(text) {
                let message = format!("the key \"{}\" stands in line {} already", escaped(text), first.line);
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
