use std::collections::HashMap;
use std::fs::{self, FileType, Metadata, OpenOptions};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::mem;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use super::source::{Source, all, failed, files_of, name_of};
use crate::desired::Diagnostics;

/// Files and folders that are polled for changes, and read only when they have stood still.
///
/// A file is taken as a whole or not at all: a file that is still being written is not read, and a file that appears
/// cut off does not replace the content that was read before. Call [`poll`](Self::poll) at intervals of at least some
/// 100 ms; it checks the length, times, inode and device of every file and the names in every folder, and reads once
/// two polls in succession have seen the same. Links are followed, so that a link that is swapped counts as a change.
///
/// # Example
///
/// ```
/// use ipvs_rs::desired::files::{FileEvent, FileWatcher};
///
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("web.yaml");
/// std::fs::write(&path, "services: []\n")?;
/// let mut watcher = FileWatcher::new([path.clone()]);
/// assert_eq!(watcher.poll(), FileEvent::Settling);
/// let FileEvent::Changed(sources) = watcher.poll() else { panic!("it stood still") };
/// assert_eq!(sources[0][0].text, "services: []\n");
/// assert_eq!(watcher.poll(), FileEvent::Unchanged);
///
/// std::fs::write(&path, "")?;
/// assert_eq!(watcher.poll(), FileEvent::Settling);
/// assert!(matches!(watcher.poll(), FileEvent::Unusable { .. }));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct FileWatcher {
    paths: Vec<PathBuf>,
    check: StabilityCheck,
    /// The files that were read last and had content.
    known: HashMap<PathBuf, KnownFile>,
}

/// The result of a poll.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum FileEvent {
    /// The files are as they were when they were last read or last found unusable.
    Unchanged,
    /// The files differ and may still be written to; one of the next polls decides.
    Settling,
    /// The files differ and stood still. For each path the file, or the files of the folder, read to their ends.
    Changed(Vec<Vec<Source>>),
    /// The files differ and stood still, and one cannot be used: it has vanished, cannot be read, is a FIFO or a
    /// device, or was emptied or cut off. Every state is reported once; the sources of the last change remain valid.
    Unusable {
        /// The path that was given, of the file or of its folder.
        path: PathBuf,
        /// The reasons.
        found: Diagnostics,
    },
}

impl FileWatcher {
    /// Watches paths of files and folders, as [`read_path`](super::read_path) takes them.
    pub fn new(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { paths: paths.into_iter().collect(), check: StabilityCheck::default(), known: HashMap::new() }
    }

    /// Makes the next poll that finds the files still report them, whether or not they differ.
    pub fn reload(&mut self) {
        self.check.reload = true;
    }

    /// Checks the files, and reads them if they differ and stood still.
    pub fn poll(&mut self) -> FileEvent {
        self.observe(false).map_or_else(|event| event, FileEvent::Changed)
    }

    /// The same, but compares the content too: a file may have changed without a change of its length and times.
    pub fn poll_content(&mut self) -> FileEvent {
        self.observe(true).map_or_else(|event| event, FileEvent::Changed)
    }

    /// Reads the files if they are to be taken and all of them can be used; otherwise returns the result of the poll.
    fn observe(&mut self, with_content: bool) -> Result<Vec<Vec<Source>>, FileEvent> {
        let seen = see(&self.paths);
        self.check.observe(&seen, with_content)?;
        let read: Vec<_> = seen.iter().map(|files| read(files)).collect();
        self.check.read(&see(&self.paths), digest(&read))?;
        let (mut all, mut known) = (Vec::new(), HashMap::new());
        for ((path, files), read) in self.paths.iter().zip(seen).zip(read) {
            let unusable = |found| FileEvent::Unusable { path: path.clone(), found };
            let sources = read.map_err(unusable)?;
            for (file, source) in files.into_iter().zip(&sources) {
                let now = KnownFile::of(&file, &source.text);
                if let Some(problem) = self.known.get(&file.path).and_then(|before| before.problem_of(now)) {
                    return Err(unusable(failed(&source.name, None, problem.to_owned())));
                }
                known.extend(now.map(|now| (file.path, now)));
            }
            all.push(sources);
        }
        self.known = known;
        Ok(all)
    }
}

/// Blocks of disks, and buffers of writers, are multiples of this.
const BLOCK: usize = 512;

/// A file that was read and had content.
#[derive(Clone, Copy, Debug)]
struct KnownFile {
    /// Its device and inode; if they differ, another file has taken its place.
    identity: (u64, u64),
    ends_a_line: bool,
    ends_a_block: bool,
}

impl KnownFile {
    /// `None` if the text has only blanks and comments.
    fn of(file: &PathState, text: &str) -> Option<Self> {
        let is_blank = |line: &str| line.is_empty() || line.starts_with('#') || matches!(line, "---" | "...");
        let has_content = !text.trim_start_matches('\u{feff}').lines().all(|line| is_blank(line.trim()));
        let identity = file.what.as_ref().map_or((0, 0), |(identity, ..)| *identity);
        has_content.then(|| Self {
            identity,
            ends_a_line: text.ends_with('\n'),
            ends_a_block: text.len().is_multiple_of(BLOCK),
        })
    }

    /// Returns the reason not to replace this content by new content, if there is one.
    fn problem_of(self, now: Option<Self>) -> Option<&'static str> {
        match now {
            None => Some("the file was emptied: only blanks and comments are left in it; write {} if that is meant"),
            // A full disk, or a writer that was killed, leaves a file like this.
            Some(now) if self.ends_a_line && !now.ends_a_line && now.ends_a_block && self.identity == now.identity => {
                Some("the file is cut off: it was written over and ends within a line, at the end of a disk block")
            }
            Some(_) => None,
        }
    }
}

/// The state of a path at a poll.
#[derive(Clone, Debug, Eq, PartialEq)]
struct PathState {
    path: PathBuf,
    /// The attributes of a regular file, or the reason that it is not one.
    what: Result<Attributes, String>,
}

/// The attributes that change when a file does: device, inode, length, and the times of content and attributes.
type Attributes = ((u64, u64), u64, (i64, i64), (i64, i64));

fn attributes_of(file: &Metadata) -> Attributes {
    let (modified, changed) = ((file.mtime(), file.mtime_nsec()), (file.ctime(), file.ctime_nsec()));
    ((file.dev(), file.ino()), file.len(), modified, changed)
}

/// Reads the state of every path: of a file, or of those of a folder.
fn see(paths: &[PathBuf]) -> Vec<Vec<PathState>> {
    let broken = |path: &Path, problem: String| PathState { path: path.to_owned(), what: Err(problem) };
    let file = |path: &Path| match fs::metadata(path) {
        Ok(file) if file.is_file() => PathState { path: path.to_owned(), what: Ok(attributes_of(&file)) },
        Ok(other) => broken(path, not_a_file(other.file_type())),
        Err(error) => broken(path, error.to_string()),
    };
    let look = |path: &PathBuf| match files_of(path) {
        Ok(files) => files.iter().map(|path| file(path)).collect(),
        Err(problem) => vec![broken(path, problem)],
    };
    paths.iter().map(look).collect()
}

fn not_a_file(found: FileType) -> String {
    let found = match found {
        found if found.is_fifo() => "a FIFO",
        found if found.is_socket() => "a socket",
        found if found.is_dir() => "a folder",
        _ => "a device",
    };
    format!("expected a regular file, which alone can be watched; found {found}")
}

/// The files of a path, or the problems with them.
type Read = Result<Vec<Source>, Diagnostics>;

/// Reads the files of a path, or returns the problems with all of them.
fn read(files: &[PathState]) -> Read {
    all(files.iter().map(|PathState { path, what }| match what {
        Ok(attributes) => read_file(path, *attributes),
        Err(problem) => Err(failed(&name_of(path), None, problem.clone())),
    }))
}

/// Reads a file that is still the one that was seen, and has not changed by the time its end is reached.
fn read_file(path: &Path, seen: Attributes) -> Result<Source, Diagnostics> {
    let mut options = OpenOptions::new();
    // Another kind of file may have taken its place, such as a FIFO, which must not block.
    options.read(true).custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits());
    let failed = |problem: String| failed(&name_of(path), None, problem);
    let file = options.open(path).map_err(|error| failed(error.to_string()))?;
    let is_same = || match file.metadata() {
        Ok(now) if now.is_file() && attributes_of(&now) == seen => Ok(()),
        Ok(_) => Err(failed("the file changed while it was read".to_owned())),
        Err(error) => Err(failed(error.to_string())),
    };
    is_same()?;
    let source = Source::from_reader(name_of(path), &file)?;
    is_same().map(|()| source)
}

/// Returns a hash of the text that was read, or of the errors.
fn digest(read: &[Read]) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(read)
}

/// Decides, from the states alone, when files are read and when they are taken.
#[derive(Debug, Default)]
struct StabilityCheck {
    previous: Vec<Vec<PathState>>,
    /// The state that was taken, with the digest of the content.
    taken: Option<(Vec<Vec<PathState>>, u64)>,
    /// A new digest although the state is the same: the content is read twice.
    suspect: Option<u64>,
    reload: bool,
}

impl StabilityCheck {
    /// Decides whether the files are to be read; otherwise returns the result of the poll.
    fn observe(&mut self, now: &[Vec<PathState>], with_content: bool) -> Result<(), FileEvent> {
        let is_still = self.previous == now;
        let is_taken = self.taken.as_ref().is_some_and(|(taken, _)| taken == now);
        if !is_still {
            self.suspect = None;
            self.previous = now.to_vec();
        }
        match (is_taken && !with_content && !self.reload && self.suspect.is_none(), is_still) {
            (true, _) => Err(FileEvent::Unchanged),
            (false, true) => Ok(()),
            (false, false) => Err(FileEvent::Settling),
        }
    }

    /// Decides whether to take the content that was read, with the state of the files after reading.
    fn read(&mut self, after: &[Vec<PathState>], digest: u64) -> Result<(), FileEvent> {
        if self.previous != after {
            self.suspect = None;
            self.previous = after.to_vec();
            return Err(FileEvent::Settling);
        }
        let suspect = self.suspect.take();
        match &mut self.taken {
            _ if mem::take(&mut self.reload) => {}
            Some((seen, known)) if *known == digest => {
                *seen = after.to_vec();
                return Err(FileEvent::Unchanged);
            }
            Some((seen, _)) if seen == after && suspect != Some(digest) => {
                self.suspect = Some(digest);
                return Err(FileEvent::Settling);
            }
            _ => {}
        }
        self.taken = Some((after.to_vec(), digest));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
