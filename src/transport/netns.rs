use std::fmt;
use std::fs::{File, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::thread;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sched::{CloneFlags, setns};
use nix::sys::statfs::{NSFS_MAGIC, fstatfs};

/// A network namespace, and how to enter it.
///
/// The namespace is entered only when work is done in it, by a separate thread that ends with the work: the calling
/// thread stays in its own namespace, even after a failure.
///
/// ```no_run
/// use ipvs_rs::Handle;
/// use ipvs_rs::transport::Netns;
///
/// let blue = Netns::named("blue")?;
/// let handle = Handle::builder().netns(blue.clone()).open()?;
/// let interfaces = blue.run(|| std::fs::read_to_string("/proc/thread-self/net/dev"))??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Two values are equal when they have the same path, or are clones of one that holds a descriptor. Whether two paths
/// lead to the same namespace is not checked.
///
/// ```
/// use ipvs_rs::transport::Netns;
///
/// assert_eq!(Netns::named("blue")?, Netns::path("/run/netns/blue"));
/// assert_ne!(Netns::named("blue")?, Netns::current());
/// # Ok::<(), ipvs_rs::transport::NetnsError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Netns(Place);

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Place {
    Current,
    Path(PathBuf),
    Fd(Descriptor),
}

/// A descriptor that clones share. Its number is unique as long as it is open.
#[derive(Clone, Debug)]
struct Descriptor(Arc<OwnedFd>);

impl PartialEq for Descriptor {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_raw_fd() == other.0.as_raw_fd()
    }
}

impl Eq for Descriptor {}

impl Hash for Descriptor {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.as_raw_fd().hash(state);
    }
}

impl Netns {
    /// The namespace of the calling thread at the time of use.
    pub const fn current() -> Self {
        Self(Place::Current)
    }

    /// The namespace of a file, such as `/proc/1234/ns/net` or `/run/netns/blue`.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        Self(Place::Path(path.into()))
    }

    /// The namespace that `ip netns add` created under this name: `/run/netns/NAME`.
    ///
    /// # Errors
    ///
    /// When the name is not valid: empty, `.`, `..`, or with a slash.
    pub fn named(name: &str) -> Result<Self, NetnsError> {
        if matches!(name, "" | "." | "..") || name.contains(['/', '\0']) {
            return Err(NetnsError::new(format!("\"{}\"", name.escape_debug()), NetnsProblem::BadName));
        }
        Ok(Self::path(Path::new("/run/netns").join(name)))
    }

    /// The namespace of a process.
    pub fn pid(pid: u32) -> Self {
        Self::path(format!("/proc/{pid}/ns/net"))
    }

    /// The namespace of an open file. The descriptor is duplicated.
    ///
    /// # Errors
    ///
    /// When the process is out of descriptors.
    pub fn fd(fd: impl AsFd) -> Result<Self, NetnsError> {
        match fd.as_fd().try_clone_to_owned() {
            Ok(fd) => Ok(Self(Place::Fd(Descriptor(Arc::new(fd))))),
            Err(error) => Err(NetnsError::new("descriptor", NetnsProblem::Io(error))),
        }
    }

    /// Runs a function in the namespace, on a separate thread, and waits for it.
    ///
    /// Sockets that are opened there, and processes that are started there, belong to the namespace. In the
    /// [current](Self::current) namespace the calling thread runs the function itself.
    ///
    /// # Errors
    ///
    /// When the namespace cannot be entered, with a [`NetnsProblem`] as the reason. Then the function was not called.
    ///
    /// # Panics
    ///
    /// When the function panics, with the same panic.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, NetnsError> {
        let file;
        let fd = match &self.0 {
            Place::Current => return Ok(work()),
            Place::Fd(fd) => fd.0.as_fd(),
            Place::Path(path) => {
                file = open(path).map_err(|error| self.error(error))?;
                file.as_fd()
            }
        };
        let of_namespaces = fstatfs(fd).map_err(|errno| self.error(errno.into()))?.filesystem_type() == NSFS_MAGIC;
        if !of_namespaces {
            return Err(NetnsError::new(self.to_string(), NetnsProblem::NotANamespace));
        }
        thread::scope(|scope| {
            let worker = thread::Builder::new().name("ipvs-netns".to_owned()).spawn_scoped(scope, || {
                setns(fd, CloneFlags::CLONE_NEWNET)?;
                Ok(work())
            });
            match worker.map_err(|error| self.error(error))?.join() {
                Ok(Ok(done)) => Ok(done),
                // The file is one of a namespace, so that this error can only be about its kind.
                Ok(Err(Errno::EINVAL)) => Err(NetnsError::new(self.to_string(), NetnsProblem::NotOfNetwork)),
                Ok(Err(errno)) => Err(self.error(errno.into())),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }

    /// Whether it is [`current`](Self::current), which does not need another thread.
    pub(crate) const fn is_current(&self) -> bool {
        matches!(self.0, Place::Current)
    }

    fn error(&self, error: io::Error) -> NetnsError {
        let problem = match error.kind() {
            io::ErrorKind::NotFound => NetnsProblem::Missing,
            io::ErrorKind::PermissionDenied => NetnsProblem::PermissionDenied,
            _ => NetnsProblem::Io(error),
        };
        NetnsError::new(self.to_string(), problem)
    }
}

impl FromStr for Netns {
    type Err = NetnsError;

    /// Reads the number of a [process](Self::pid), a [path](Self::path), which has a slash, or else a
    /// [name](Self::named).
    ///
    /// ```
    /// use ipvs_rs::transport::Netns;
    ///
    /// assert_eq!("1234".parse::<Netns>()?.to_string(), "/proc/1234/ns/net");
    /// assert_eq!("blue".parse::<Netns>()?.to_string(), "/run/netns/blue");
    /// # Ok::<(), ipvs_rs::transport::NetnsError>(())
    /// ```
    fn from_str(place: &str) -> Result<Self, NetnsError> {
        match place.parse() {
            Ok(pid) => Ok(Self::pid(pid)),
            Err(_) if place.contains('/') => Ok(Self::path(place)),
            Err(_) => Self::named(place),
        }
    }
}

/// Opens without blocking, because opening a path that turns out to be a pipe must not hang.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags((OFlag::O_NONBLOCK | OFlag::O_CLOEXEC).bits()).open(path)
}

impl fmt::Display for Netns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Current => f.write_str("the current namespace"),
            Place::Path(path) => write!(f, "{}", path.display()),
            Place::Fd(fd) => write!(f, "descriptor {}", fd.0.as_raw_fd()),
        }
    }
}

/// Why a network namespace could not be entered.
///
/// It prints as [every error](crate::error#how-errors-print).
///
/// ```
/// use ipvs_rs::transport::{Netns, NetnsProblem};
///
/// let error = Netns::path("/run/netns/no-such-namespace").run(|| ()).unwrap_err();
/// assert!(matches!(error.problem(), NetnsProblem::Missing));
/// ```
#[derive(Clone, Debug)]
pub struct NetnsError(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    place: String,
    problem: NetnsProblem,
}

/// The reason of a [`NetnsError`].
#[derive(Debug)]
#[non_exhaustive]
pub enum NetnsProblem {
    /// The file or process does not exist.
    Missing,
    /// The file is not that of a namespace.
    NotANamespace,
    /// The file is that of a namespace of another kind.
    NotOfNetwork,
    /// Permission denied: entering requires `CAP_SYS_ADMIN`, opening the file the permission to read it.
    PermissionDenied,
    /// The name is not valid for a namespace.
    BadName,
    /// Another error of the system.
    Io(io::Error),
}

impl NetnsError {
    fn new(place: impl Into<String>, problem: NetnsProblem) -> Self {
        Self(Arc::new(Inner { place: place.into(), problem }))
    }

    /// The reason.
    pub fn problem(&self) -> &NetnsProblem {
        &self.0.problem
    }

    /// The namespace as it was given.
    pub fn place(&self) -> &str {
        &self.0.place
    }
}

impl fmt::Display for NetnsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { place, problem } = &*self.0;
        write!(f, "network namespace {place}: ")?;
        match problem {
            NetnsProblem::Missing => {
                f.write_str("the file or process does not exist; `ip netns` lists those with a name")
            }
            NetnsProblem::NotANamespace => f.write_str("this is not the file of a namespace"),
            NetnsProblem::NotOfNetwork => f.write_str("this is a namespace, but not one of network"),
            NetnsProblem::PermissionDenied => f.write_str("permission denied; entering takes CAP_SYS_ADMIN"),
            NetnsProblem::BadName => f.write_str("no namespace can have this name; a path needs `Netns::path`"),
            NetnsProblem::Io(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for NetnsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.problem {
            NetnsProblem::Io(error) => Some(error),
            _ => None,
        }
    }
}
