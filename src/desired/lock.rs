use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg, OFlag};

/// The exclusive right to change the table of a network namespace, among all processes that ask for it in the same
/// folder.
///
/// It is advisory: the kernel does not know of it, and a process that does not ask for it can write nevertheless. It is
/// released when it is dropped and when its process ends, for whatever reason.
///
/// The file is `ipvsctl-INODE.lock`, with the inode of the namespace. It is not removed: otherwise two processes could
/// hold the lock at once. It contains the process ID of the holder.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use ipvs_rs::desired::Lock;
///
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// let lock = Lock::acquire(folder, Duration::ZERO)?;
/// assert!(Lock::acquire(folder, Duration::ZERO).unwrap_err().is_held());
/// drop(lock);
/// assert!(Lock::acquire(folder, Duration::ZERO).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// For a handle to another namespace it is asked for there:
/// `netns.run(|| Lock::acquire(folder, timeout))`, see [`Netns::run`](crate::transport::Netns::run).
#[derive(Debug)]
#[must_use = "it ends when it is dropped"]
pub struct Lock {
    file: Flock<File>,
    path: PathBuf,
}

/// The reason that a [`Lock`] was not acquired. It prints as [every error](crate::error#how-errors-print).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another process holds it, and did not release it in time.
    #[error("{}: another process{} is changing the table of this network namespace, and did not end within {waited:?}", .path.display(), number(*.process))]
    #[non_exhaustive]
    Held {
        /// The file.
        path: PathBuf,
        /// The ID of that process, if the file has it.
        process: Option<u32>,
        /// The timeout.
        waited: Duration,
    },
    /// The system refused the file.
    #[error("{}: {error}", .path.display())]
    #[non_exhaustive]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        #[source]
        error: io::Error,
    },
}

/// The longest time until a waiting process notices that the lock is free.
const RETRY_INTERVAL: Duration = Duration::from_millis(20);

impl Lock {
    /// The folder in which programs keep such files.
    pub const DIRECTORY: &str = "/run";

    /// Acquires the right to change the table of this thread's network namespace, and waits for it at most this long.
    ///
    /// The folder is made if it is not there.
    ///
    /// # Errors
    ///
    /// When another process holds it until the timeout has passed ([`is_held`](LockError::is_held)), when the system
    /// refuses the file, and when there is something else in its place: a link, a file with several names, a FIFO, a
    /// device, or a file of another user that others can write to.
    pub fn acquire(directory: &Path, timeout: Duration) -> Result<Self, LockError> {
        let namespace = Path::new("/proc/thread-self/ns/net");
        let inode = fs::metadata(namespace).map_err(|error| LockError::Io { path: namespace.to_owned(), error })?.ino();
        let path = directory.join(format!("ipvsctl-{inode}.lock"));
        let refused = |error| LockError::Io { path: path.clone(), error };
        let mut file = open(directory, &path).map_err(refused)?;
        let start = Instant::now();
        loop {
            file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(mut locked) => {
                    // Other processes can do without the process ID, and a full disk must not keep this one from the
                    // table.
                    let _ = write_number(&mut locked);
                    return Ok(Self { file: locked, path });
                }
                Err((file, Errno::EWOULDBLOCK | Errno::EINTR)) => file,
                Err((_, errno)) => return Err(refused(errno.into())),
            };
            let left = timeout.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Err(LockError::Held { process: read_number(&mut file), path, waited: timeout });
            }
            thread::sleep(left.min(RETRY_INTERVAL));
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The lock itself ends with the file. A process that reads the file now should not find the ID of a process
        // that has ended.
        let _ = self.file.set_len(0);
    }
}

impl LockError {
    /// Whether another process holds it; otherwise the system refused the file.
    pub const fn is_held(&self) -> bool {
        matches!(self, Self::Held { .. })
    }
}

/// Opens the file of a lock, in a folder that is made if it is not there.
fn open(directory: &Path, path: &Path) -> io::Result<File> {
    DirBuilder::new().recursive(true).mode(0o755).create(directory)?;
    let mut options = OpenOptions::new();
    // Any process that can open the file can keep the others waiting, and a link would have another file written to.
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    options.read(true).write(true).create(true).mode(0o600).custom_flags(flags.bits());
    let file = options.open(path)?;
    check(&file.metadata()?)?;
    Ok(file)
}

/// Refuses a file that is not a plain lock file, or that other users may write to.
fn check(file: &Metadata) -> io::Result<()> {
    let refused = |found: &str| Err(io::Error::other(format!("expected a lock file, found {found}; remove it")));
    if !file.is_file() {
        return refused("something that is not a regular file");
    }
    if file.nlink() != 1 {
        return refused(&format!("a file with {} names (hard links)", file.nlink()));
    }
    let process = fs::metadata("/proc/thread-self")?.uid();
    if file.uid() != process && file.mode() & 0o022 != 0 {
        return refused(&format!("a file of user {} that others can write to", file.uid()));
    }
    Ok(())
}

fn write_number(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn read_number(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn number(process: Option<u32>) -> String {
    process.map_or_else(String::new, |process| format!(" ({process})"))
}
