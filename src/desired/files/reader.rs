use std::sync::Arc;

use super::Source;
use crate::desired::lower::{Document, lower};
use crate::desired::params::{Lookup, Resolver};
use crate::desired::setters::setters;
use crate::desired::spec::FileSpec;
use crate::desired::tree::{Entry, Node};
use crate::desired::written::{Decoder, Findings, Spot};
use crate::desired::yaml::parse;
use crate::desired::{DesiredState, Diagnostic, Diagnostics, Place, Severity, Stage};

/// Reads the desired state of the table from files. It does not open them: see [`read_path`](super::read_path).
///
/// # Example
///
/// ```
/// use ipvs_rs::desired::files::{Reader, Source};
/// use ipvs_rs::desired::params::MapResolver;
///
/// let source = Source::new("web.yaml", "services:\n- address: tcp://${web}:80\n  sched: wlc\n");
/// let values = MapResolver::new("values", [("web", "192.0.2.10")]);
/// let loaded = Reader::new().resolver(&values).read(&[source])?;
/// assert_eq!(loaded.state.services[0].id().to_string(), "TCP 192.0.2.10:80");
/// assert_eq!(
///     loaded.warnings.to_string(),
///     "web.yaml:2:3: warning: service tcp://192.0.2.10:80 has no destinations: its clients are refused"
/// );
/// # Ok::<(), ipvs_rs::desired::Diagnostics>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Reader<'r> {
    resolver: Option<&'r dyn Resolver>,
    merge: bool,
}

/// The content of files.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Loaded {
    /// The desired state of the table.
    pub state: DesiredState,
    /// The documents as they were written, parameters replaced: as many as there are in the files.
    pub files: Vec<FileSpec>,
    /// Findings about settings that are allowed, but hardly ever intended.
    pub warnings: Diagnostics,
    /// The highest version of the format that is written in them; 1 where none is written.
    pub version: u8,
    /// Whether services are not mentioned: no document has the key `services`, nor is one the empty mapping `{}`.
    ///
    /// The state is empty then, as it is with `services: []`, but the files do not ask for an empty table: one of them
    /// may have been cut off, or may still be written to.
    pub is_silent: bool,
}

impl<'r> Reader<'r> {
    /// Reads files without parameters.
    pub const fn new() -> Self {
        Self { resolver: None, merge: false }
    }

    setters! {
        /// Sets the source of the values of parameters.
        resolver(resolver: &'r dyn Resolver) |it| it.resolver = Some(resolver);
        /// Sets whether one service may stand in several places, each with some of its destinations.
        merge(merge: bool) |it| it.merge = merge;
    }

    /// Reads files, and every document in them, as one description of the table.
    ///
    /// # Errors
    ///
    /// All problems with the files, and the warnings, by place. [`Diagnostics::failed_stage`] tells how far the reading
    /// came. At most 1000 are reported; the last one says that there are more.
    pub fn read(&self, sources: &[Source]) -> Result<Loaded, Diagnostics> {
        let lookup = Lookup::new(self.resolver);
        let parsed: Vec<_> = sources.iter().map(|source| (&source.name, parse(&source.text))).collect();
        let mut documents = Vec::new();
        let mut found = Vec::new();
        let mut is_silent = true;
        for (name, parsed) in &parsed {
            found.extend(parsed.problems.iter().map(|problem| {
                let place = Place::new(Some(name), problem.position, String::new());
                Diagnostic::error(Stage::Reading, place, &*problem.message)
            }));
            for root in parsed.tree.documents() {
                is_silent &= is_silent_document(root);
                let findings = Findings::new(name);
                let file = Decoder::decode(root, &lookup, &Spot::file(&findings, Some(root)));
                documents.push(Document { file, root: Some(root), findings });
            }
        }
        let is_hopeless = documents.iter().any(|document| document.findings.is_full(Severity::Error));
        let (state, across) = if is_hopeless { <_>::default() } else { lower(&documents, self.merge) };
        found.extend(across);
        let mut files = Vec::with_capacity(documents.len());
        for Document { file, findings, .. } in documents {
            found.extend(findings.into_found());
            files.push(file);
        }

        let order = |name: Option<&Arc<str>>| sources.iter().position(|source| Some(&source.name) == name);
        found.sort_by_cached_key(|one| (order(one.place.file.as_ref()), one.place.line, one.place.column));
        let found = shortened(found);
        if found.has_errors() {
            return Err(found);
        }
        let version = files.iter().filter_map(|file| u8::try_from(file.version?).ok()).max().unwrap_or(1);
        Ok(Loaded { state, files, warnings: found, version, is_silent })
    }
}

/// Whether a document neither has the key `services` nor is the empty mapping.
fn is_silent_document(document: Node<'_>) -> bool {
    match document.as_mapping() {
        Some(mut entries) => {
            let is_other = |entry: Entry<'_>| entry.key.text != "services";
            entries.next().is_some_and(is_other) && entries.all(is_other)
        }
        None => document.is_null(),
    }
}

/// More messages than this do not help a reader.
const MAX_FOUND: usize = 1000;

fn shortened(mut found: Vec<Diagnostic>) -> Diagnostics {
    if found.len() <= MAX_FOUND {
        return found.into_iter().collect();
    }
    let rest = found.split_off(MAX_FOUND);
    let errors: Vec<_> = rest.iter().filter(|one| one.severity == Severity::Error).collect();
    let (count, stage) = (errors.len(), errors.iter().map(|one| one.stage).min());
    let severity = if stage.is_some() { Severity::Error } else { Severity::Warning };
    let message = format!("there are more: at least {count} errors and {} warnings", rest.len() - count);
    let place = rest.first().map(|one| Place { path: String::new(), ..one.place.clone() }).unwrap_or_default();
    found.push(Diagnostic { severity, stage: stage.unwrap_or(Stage::Validation), place, message });
    found.into_iter().collect()
}
