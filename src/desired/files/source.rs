use std::fs::{self, DirEntry, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::desired::yaml::MAX_BYTES;
use crate::desired::{Diagnostic, Diagnostics, Place, Stage};

/// The text of a file, and its name in messages.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Source {
    /// The name of the file, or of another source of the text.
    pub name: Arc<str>,
    /// YAML or JSON.
    pub text: String,
}

impl Source {
    /// Text that is in memory already.
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// Reads text to its end.
    ///
    /// # Errors
    ///
    /// When it cannot be read, is not UTF-8, or is longer than 64 MiB (reading stops there).
    pub fn from_reader(name: impl Into<Arc<str>>, reader: impl Read) -> Result<Self, Diagnostics> {
        let name = name.into();
        let mut bytes = Vec::new();
        let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
        reader.take(limit).read_to_end(&mut bytes).map_err(|error| failed(&name, None, error.to_string()))?;
        if bytes.len() > MAX_BYTES {
            return Err(failed(&name, None, format!("the file is longer than {MAX_BYTES} bytes")));
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self { name, text }),
            Err(error) => {
                let before = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
                let line = before.split(|byte| *byte == b'\n').count();
                Err(failed(&name, u32::try_from(line).ok(), "the file is not valid UTF-8".to_owned()))
            }
        }
    }
}

/// Reads a file, or the files of a folder.
///
/// In a folder, the files are read whose names end in `.yaml`, `.yml` or `.json`, in the order of the bytes of their
/// names; folders in it and hidden files are left out. A folder without such a file is an error: it would mean that
/// there should be no services at all.
///
/// # Errors
///
/// Those of [`Source::from_reader`], for every file, and when the path or the folder cannot be opened.
///
/// # Example
///
/// ```no_run
/// use ipvs_rs::desired::files::{Reader, read_path};
///
/// let sources = read_path("/etc/ipvsctl.d".as_ref())?;
/// let loaded = Reader::new().read(&sources)?;
/// println!("{} services", loaded.state.services.len());
/// # Ok::<(), ipvs_rs::desired::Diagnostics>(())
/// ```
pub fn read_path(path: &Path) -> Result<Vec<Source>, Diagnostics> {
    let files = files_of(path).map_err(|problem| failed(&name_of(path), None, problem))?;
    all(files.iter().map(|file| {
        let opened = File::open(file).map_err(|error| failed(&name_of(file), None, error.to_string()))?;
        Source::from_reader(name_of(file), opened)
    }))
}

/// Returns all sources, or the problems with any of them.
pub(super) fn all(read: impl Iterator<Item = Result<Source, Diagnostics>>) -> Result<Vec<Source>, Diagnostics> {
    let (mut sources, mut found) = (Vec::new(), Vec::new());
    for source in read {
        match source {
            Ok(source) => sources.push(source),
            Err(problems) => found.extend(problems),
        }
    }
    if found.is_empty() { Ok(sources) } else { Err(found.into_iter().collect()) }
}

/// The file of a path, or those of a folder that are read, in order; otherwise the problems with the folder.
pub(super) fn files_of(path: &Path) -> Result<Vec<PathBuf>, String> {
    let is_folder = |path: &Path| fs::metadata(path).is_ok_and(|metadata| metadata.is_dir());
    if !is_folder(path) {
        return Ok(vec![path.to_owned()]);
    }
    let entries: io::Result<Vec<_>> = fs::read_dir(path).and_then(Iterator::collect);
    let mut files: Vec<_> = entries.map_err(|error| error.to_string())?.iter().map(DirEntry::path).collect();
    files.retain(|path| {
        let is_ours = path.extension().is_some_and(|extension| ENDINGS.iter().any(|ending| extension == *ending));
        let is_hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        // A link counts as its target; one without a target is read, so that the error is reported.
        is_ours && !is_hidden && !is_folder(path)
    });
    files.sort_by(|one, other| one.as_os_str().as_encoded_bytes().cmp(other.as_os_str().as_encoded_bytes()));
    if files.is_empty() { Err(NO_FILE.to_owned()) } else { Ok(files) }
}

pub(super) fn failed(name: &Arc<str>, line: Option<u32>, message: String) -> Diagnostics {
    let place = Place { file: Some(Arc::clone(name)), line, ..Place::default() };
    [Diagnostic::error(Stage::Reading, place, message)].into_iter().collect()
}

pub(super) fn name_of(path: &Path) -> Arc<str> {
    path.display().to_string().into()
}

const NO_FILE: &str = "no file of this folder ends in .yaml, .yml or .json";
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];
