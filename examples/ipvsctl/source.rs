//! The files with the desired state of the table.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use ipvs_rs::desired::files::{self, Loaded, Reader, Source};
use ipvs_rs::desired::{Diagnostic, Diagnostics, Stage};

use crate::args::{Files, Globals, Names};
use crate::console::Console;
use crate::escape::escaped;
use crate::failure::{Exit, Failure, failure};
use crate::params;

/// The file and the folder that are read by default.
const DEFAULT_FILE: &str = "/etc/ipvsctl.yaml";
const DEFAULT_FOLDER: &str = "/etc/ipvsctl.d";

/// The wording of the beginning of failures.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MessageStyle {
    /// Of commands that read the table.
    Table,
    /// Of `changeset`: the same, but scripts that compare its output with `{}` often have both outputs in one, so that
    /// warnings are printed with `-v` only.
    Changes,
    /// Of `validate`.
    Validate,
}

/// The reason that there is no state, and the mistakes and warnings if the files were read that far.
#[derive(Debug)]
pub struct ReadError {
    pub failure: Failure,
    pub found: Diagnostics,
}

impl From<Failure> for ReadError {
    fn from(failure: Failure) -> Self {
        Self { failure, found: Diagnostics::default() }
    }
}

/// Files, and the settings for reading them.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    pub global: &'a Globals,
    pub file: &'a [OsString],
    pub merge: bool,
    pub style: MessageStyle,
}

impl<'a> Input<'a> {
    pub fn new(global: &'a Globals, files: &'a Files, style: MessageStyle) -> Self {
        Self { global, file: &files.file, merge: files.merge, style }
    }

    /// Files in which objects are looked up by name.
    pub fn of_names(global: &'a Globals, names: &'a Names) -> Self {
        Self { global, file: &names.file, merge: true, style: MessageStyle::Table }
    }

    /// The names of the files in sentences.
    pub fn name(&self) -> String {
        let names = self.paths().into_iter().map(|path| escaped(path.display()));
        names.collect::<Vec<_>>().join(", ")
    }

    /// The files that are named, or else the default one.
    pub fn paths(&self) -> Vec<OsString> {
        if !self.file.is_empty() {
            return self.file.to_vec();
        }
        let has = |path: &str| Path::new(path).exists();
        vec![if !has(DEFAULT_FILE) && has(DEFAULT_FOLDER) { DEFAULT_FOLDER } else { DEFAULT_FILE }.into()]
    }

    /// Whether no file is named, and the default one does not exist.
    pub fn is_missing(&self) -> bool {
        self.file.is_empty() && self.paths().iter().all(|path| !Path::new(path).exists())
    }

    /// Reads and checks everything.
    pub fn read(&self) -> Result<Loaded, ReadError> {
        self.understand(&self.sources()?, &params::read(self.global)?)
    }

    fn sources(&self) -> Result<Vec<Source>, Failure> {
        let mut sources = Vec::new();
        let mut has_stdin = false;
        for path in self.paths().into_iter().map(PathBuf::from) {
            sources.extend(match path.to_str() {
                Some("") if self.style == MessageStyle::Validate => {
                    return Err(failure!(Input, "Must specify an input file"));
                }
                Some("") => return Err(failure!(Input, "Must specify an input file or - for stdin")),
                Some("-") if std::mem::replace(&mut has_stdin, true) => {
                    return Err(failure!(Usage, "Standard input can be read once only: -f - stands there twice"));
                }
                Some("-") => vec![standard_input()?],
                _ => files::read_path(&path).map_err(|found| self.unreadable(&path, &found))?,
            });
        }
        Ok(sources)
    }

    /// Checks the content of files, and parameters with it.
    pub fn understand(&self, sources: &[Source], params: &[Source]) -> Result<Loaded, ReadError> {
        let resolver = params::resolver(self.global, params)?;
        let read = Reader::new().resolver(&resolver).merge(self.merge).read(sources);
        read.map_err(|found| ReadError { failure: self.explain(&found), found })
    }

    /// Reads and checks everything, and prints warnings.
    pub fn load(&self, console: &mut Console) -> Result<Loaded, Failure> {
        self.tell(console, self.read())
    }

    /// Prints the warnings about files that were read.
    pub fn tell(&self, console: &mut Console, read: Result<Loaded, ReadError>) -> Result<Loaded, Failure> {
        let loaded = read.map_err(|error| {
            self.warn(console, error.found.warnings());
            error.failure
        })?;
        if self.global.strict && !loaded.warnings.is_empty() {
            return Err(Failure::of_lines(Exit::Invalid, loaded.warnings.iter().map(|warning| self.line(warning))));
        }
        self.warn(console, loaded.warnings.iter());
        console.debug(|| {
            let (services, destinations) = (loaded.state.services.len(), loaded.state.destination_count());
            format!("Read {services} services with {destinations} destinations from {}", self.name())
        });
        Ok(loaded)
    }

    /// Returns the names of the files if they do not mention services, in contrast to an empty model that is written
    /// out.
    pub fn silent(&self, loaded: &Loaded) -> Option<String> {
        loaded.is_silent.then(|| self.name())
    }

    fn warn<'d>(&self, console: &mut Console, warnings: impl Iterator<Item = &'d Diagnostic>) {
        for warning in warnings {
            let text = format!("{}{}", place(warning), warning.message);
            match self.style {
                MessageStyle::Changes => console.info(&text),
                MessageStyle::Table | MessageStyle::Validate => console.warning(&text),
            }
        }
    }

    /// Reads and checks everything to look up one object in it; warnings are left out.
    pub fn look_up(&self) -> Result<Loaded, Failure> {
        self.read().map_err(|error| error.failure)
    }

    /// A line for each mistake.
    fn explain(&self, found: &Diagnostics) -> Failure {
        let exit = match found.failed_stage() {
            Some(Stage::Reading) => Exit::Input,
            Some(Stage::Parameters) => Exit::Parameter,
            _ => Exit::Invalid,
        };
        Failure::of_lines(exit, found.errors().map(|error| self.line(error)))
    }

    pub fn unreadable(&self, path: &Path, found: &Diagnostics) -> Failure {
        let hint = if self.file.is_empty() { "; name another file or a directory with -f" } else { "" };
        let path = escaped(path.display());
        let line = |error: &Diagnostic| format!("Error reading from input file {path}: {}{hint}", error.message);
        Failure::of_lines(Exit::Input, found.errors().map(line))
    }

    fn line(&self, diagnostic: &Diagnostic) -> String {
        let prefix = match (diagnostic.stage, self.style) {
            (Stage::Reading, _) => match &diagnostic.place.file {
                Some(file) => format!("Error parsing yaml from {}: ", escaped(file)),
                None => "Error parsing yaml: ".to_owned(),
            },
            (Stage::Parameters, MessageStyle::Table | MessageStyle::Changes) => {
                "Error resolving parameters: ".to_owned()
            }
            (Stage::Parameters, MessageStyle::Validate) => "Unable to resolve params: ".to_owned(),
            (_, MessageStyle::Table | MessageStyle::Changes) => {
                "Error validation model: Configuration not valid: ".to_owned()
            }
            (_, MessageStyle::Validate) => "Validation error: Configuration not valid: ".to_owned(),
        };
        format!("{}{prefix}{}", place(diagnostic), diagnostic.message)
    }
}

fn standard_input() -> Result<Source, Failure> {
    let line = |error: &Diagnostic| format!("Error reading from STDIN: {}", error.message);
    Source::from_reader("-", io::stdin().lock())
        .map_err(|found| Failure::of_lines(Exit::Input, found.errors().map(line)))
}

/// The place of a value, as the beginning of a message; empty where it is not known.
fn place(diagnostic: &Diagnostic) -> String {
    let place = escaped(&diagnostic.place);
    if place.is_empty() { place } else { format!("{place}: ") }
}
