//! From text to trees. The only place that names the YAML parser.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use super::surrogate::{self, Shifts};
use super::tree::{Content, Entry, Key, Node, Position};

/// The largest file that is read.
pub(in crate::desired) const MAX_BYTES: usize = 64 << 20;
/// Lists and mappings in each other.
const MAX_DEPTH: usize = 64;
/// Values that are written in one file.
const MAX_VALUES: u64 = 5_000_000;
/// Values that the aliases of one file stand for.
const MAX_ALIASED: u64 = 1_000_000;

/// A file that was taken apart.
#[derive(Debug, Default)]
pub(in crate::desired) struct Parsed {
    /// Its documents; none if it could not be understood.
    pub(in crate::desired) documents: Vec<Rc<Node>>,
    /// What is wrong with it.
    pub(in crate::desired) problems: Vec<Problem>,
}

/// Something that is wrong with the text itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::desired) struct Problem {
    pub(in crate::desired) position: Position,
    pub(in crate::desired) message: String,
}

/// Reads YAML, or JSON, which is YAML but for the way in which it writes characters that take two `\u`.
pub(in crate::desired) fn parse(text: &str) -> Parsed {
    if let Some(problem) = unreadable(text) {
        return Parsed { documents: Vec::new(), problems: vec![problem] };
    }
    match read(text, &Shifts::default()) {
        Ok(parsed) => parsed,
        Err(problem) => {
            let joined = surrogate::join(text);
            let again = joined.and_then(|(joined, shifts)| read(&joined, &shifts).ok());
            again.unwrap_or_else(|| Parsed { documents: Vec::new(), problems: vec![problem] })
        }
    }
}

/// What the parser would not say, or not well.
fn unreadable(text: &str) -> Option<Problem> {
    if text.len() > MAX_BYTES {
        let message = format!("the file has {} bytes; {MAX_BYTES} are the most that is read", text.len());
        return Some(Problem { position: Position { line: 1, column: 1 }, message });
    }
    let is_foreign = |c: char| c < ' ' && !matches!(c, '\t' | '\n' | '\r');
    let (offset, foreign) = text.char_indices().find(|(_, c)| is_foreign(*c))?;
    let before = text.get(..offset).unwrap_or_default();
    let line = before.matches('\n').count();
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
    let position = Position { line: number(line + 1), column: number(column + 1) };
    Some(Problem {
        position,
        message: format!("not valid YAML: the character {} cannot stand in it", foreign.escape_unicode()),
    })
}

fn read(text: &str, shifts: &Shifts) -> Result<Parsed, Problem> {
    let mut builder = Builder::new(shifts);
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        match event {
            Ok((Event::StreamEnd, _)) => break,
            Ok((event, span)) => builder.event(event, span.start)?,
            Err(error) => {
                let position = shifts.place(error.marker());
                // The parser looks ahead, and has a limit of its own for brackets.
                if error.info() == "recursion limit exceeded" {
                    return Err(too_deep(position));
                }
                return Err(Problem { position, message: format!("not valid YAML: {}", error.info()) });
            }
        }
    }
    Ok(Parsed { documents: builder.documents, problems: builder.problems })
}

struct Builder<'t> {
    shifts: &'t Shifts,
    documents: Vec<Rc<Node>>,
    problems: Vec<Problem>,
    /// What has begun and not ended.
    open: Vec<Open>,
    anchors: HashMap<usize, Rc<Node>>,
    written: u64,
    aliased: u64,
}

struct Open {
    position: Position,
    anchor: usize,
    kind: OpenKind,
}

enum OpenKind {
    List(Vec<Rc<Node>>),
    Mapping(OpenMapping),
}

#[derive(Default)]
struct OpenMapping {
    entries: Vec<Entry>,
    /// The key whose value comes next.
    key: Option<Rc<Key>>,
    /// The value that comes next belongs to something that cannot be a key.
    skips_value: bool,
    /// What `<<` names, in order.
    merged: Vec<Rc<Node>>,
}

impl<'t> Builder<'t> {
    fn new(shifts: &'t Shifts) -> Self {
        Self {
            shifts,
            documents: Vec::new(),
            problems: Vec::new(),
            open: Vec::new(),
            anchors: HashMap::new(),
            written: 0,
            aliased: 0,
        }
    }

    fn event(&mut self, event: Event<'_>, start: Marker) -> Result<(), Problem> {
        let position = self.shifts.place(&start);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                // An anchor ends with its document.
                self.anchors.clear();
                Ok(())
            }
            Event::Alias(anchor) => self.alias(anchor, position),
            Event::Scalar(text, style, anchor, tag) => {
                self.count(position)?;
                let is_quoted = means_text(tag.as_deref(), style);
                let node = Rc::new(Node::scalar(position, text.into_owned(), is_quoted));
                self.finished(node, anchor);
                Ok(())
            }
            Event::SequenceStart(anchor, _) => self.begin(Open { position, anchor, kind: OpenKind::List(Vec::new()) }),
            Event::MappingStart(anchor, _) => {
                self.begin(Open { position, anchor, kind: OpenKind::Mapping(OpenMapping::default()) })
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(Open { position, anchor, kind }) = self.open.pop() else { return Ok(()) };
                let node = match kind {
                    OpenKind::List(items) => Node::list(position, items),
                    OpenKind::Mapping(mapping) => Node::mapping(position, self.entries(mapping)?),
                };
                self.finished(Rc::new(node), anchor);
                Ok(())
            }
        }
    }

    fn begin(&mut self, open: Open) -> Result<(), Problem> {
        self.count(open.position)?;
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(open.position));
        }
        self.open.push(open);
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
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            let message = "the alias stands in what it stands for, or in another document".to_owned();
            return Err(Problem { position, message });
        };
        self.count_aliased(node.size, position)?;
        if self.open.len() + node.height > MAX_DEPTH {
            return Err(too_deep(position));
        }
        self.finished(node, 0);
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
    fn finished(&mut self, node: Rc<Node>, anchor: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => self.documents.push(node),
            Some(OpenKind::List(items)) => items.push(node),
            Some(OpenKind::Mapping(mapping)) => match (mapping.key.take(), mapping.skips_value) {
                (Some(key), _) if key.text == "<<" && !key.is_quoted => mapping.merged.push(node),
                (Some(key), _) => mapping.entries.push(Entry { key, value: node }),
                (None, true) => mapping.skips_value = false,
                (None, false) => match &node.content {
                    Content::Scalar(scalar) => {
                        let (text, is_quoted) = (scalar.text.clone(), scalar.is_quoted);
                        mapping.key = Some(Rc::new(Key { text, is_quoted, position: node.position }));
                    }
                    Content::List(_) | Content::Mapping(_) => {
                        mapping.skips_value = true;
                        let message = format!("{} cannot be a key", node.kind());
                        self.problems.push(Problem { position: node.position, message });
                    }
                },
            },
        }
    }

    /// What a mapping holds: its own keys, each once, and those that it takes over.
    fn entries(&mut self, mapping: OpenMapping) -> Result<Vec<Entry>, Problem> {
        let OpenMapping { mut entries, merged, .. } = mapping;
        let mut first: HashMap<&str, Position> = HashMap::with_capacity(entries.len());
        let mut twice = HashSet::new();
        for (place, entry) in entries.iter().enumerate() {
            if let Some(before) = first.get(entry.key.text.as_str()) {
                let message =
                    format!("the key \"{}\" stands in line {} already", entry.key.text.escape_debug(), before.line);
                self.problems.push(Problem { position: entry.key.position, message });
                twice.insert(place);
            } else {
                first.insert(&entry.key.text, entry.key.position);
            }
        }
        if merged.is_empty() && twice.is_empty() {
            return Ok(entries);
        }
        let own: HashSet<String> = first.into_keys().map(str::to_owned).collect();
        let mut place = 0;
        entries.retain(|_| {
            place += 1;
            !twice.contains(&(place - 1))
        });
        self.merge(&mut entries, own, &merged)?;
        Ok(entries)
    }

    fn merge(
        &mut self,
        entries: &mut Vec<Entry>,
        mut known: HashSet<String>,
        merged: &[Rc<Node>],
    ) -> Result<(), Problem> {
        let sources = merged.iter().flat_map(|node| match &node.content {
            Content::List(items) => items.iter().collect(),
            _ => vec![node],
        });
        for source in sources {
            let Content::Mapping(others) = &source.content else {
                let message = format!("<< takes a mapping, or a list of them; this is {}", source.kind());
                self.problems.push(Problem { position: source.position, message });
                continue;
            };
            self.count_aliased(source.size, source.position)?;
            for entry in others {
                if known.insert(entry.key.text.clone()) {
                    entries.push(entry.clone());
                }
            }
        }
        Ok(())
    }
}

/// Whether a value is text, whatever it looks like.
fn means_text(tag: Option<&Tag>, style: ScalarStyle) -> bool {
    match tag {
        Some(tag) if tag.is_yaml_core_schema() => !matches!(tag.suffix.as_str(), "int" | "float" | "bool" | "null"),
        Some(tag) if tag.handle.is_empty() && tag.suffix == "!" => true,
        _ => style != ScalarStyle::Plain,
    }
}

fn too_deep(position: Position) -> Problem {
    Problem { position, message: format!("lists and mappings stand more than {MAX_DEPTH} deep in each other") }
}

fn number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Shifts {
    fn place(&self, marker: &Marker) -> Position {
        let position = Position { line: number(marker.line()), column: number(marker.col().saturating_add(1)) };
        self.undo(position)
    }
}
