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

/// A network namespace, and the way into it.
///
/// Nothing is entered until something is done there, and then by a thread of its own that ends with it: the calling
/// thread stays where it is, also when something fails.
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
/// Two are equal when they were given alike: the same path, or clones of one that holds a descriptor. Whether two paths
/// lead to the same namespace is not looked up.
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

/// A descriptor that clones share. It has its number for itself as long as it is open.
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
    /// The namespace that the calling thread is in at the time.
    pub const fn current() -> Self {
        Self(Place::Current)
    }

    /// The namespace of a file, such as `/proc/1234/ns/net` or `/run/netns/blue`.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        Self(Place::Path(path.into()))
    }

    /// The namespace that `ip netns add` made under this name: `/run/netns/NAME`.
    ///
    /// # Errors
    ///
    /// When the name could not be one: empty, `.`, `..`, or with a slash.
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
    /// When the process has no more descriptors.
    pub fn fd(fd: impl AsFd) -> Result<Self, NetnsError> {
        match fd.as_fd().try_clone_to_owned() {
            Ok(fd) => Ok(Self(Place::Fd(Descriptor(Arc::new(fd))))),
            Err(error) => Err(NetnsError::new("descriptor", NetnsProblem::Io(error))),
        }
    }

    /// Does something in the namespace, on a thread of its own, and waits for it.
    ///
    /// Sockets that are opened there, and processes that are started there, belong to the namespace. In the
    /// [current](Self::current) namespace it is done at once, by the calling thread.
    ///
    /// # Errors
    ///
    /// When the namespace cannot be entered, with a [`NetnsProblem`] that says why. Then nothing was done.
    ///
    /// # Panics
    ///
    /// When what is done panics, with the same panic.
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
                // It is a namespace, so the only thing that can be wrong with it is its kind.
                Ok(Err(Errno::EINVAL)) => Err(NetnsError::new(self.to_string(), NetnsProblem::NotOfNetwork)),
                Ok(Err(errno)) => Err(self.error(errno.into())),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }

    /// Whether it is [`current`](Self::current), which needs no other thread.
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

    /// Reads the number of a [process](Self::pid), a [path](Self::path), which has a slash, or else a [name](Self::named).
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

/// Opens without waiting: a path that turns out to be a pipe must not hang.
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

/// What is wrong with a network namespace.
#[derive(Debug)]
#[non_exhaustive]
pub enum NetnsProblem {
    /// There is no such file or process.
    Missing,
    /// The file is not one of a namespace.
    NotANamespace,
    /// The file is one of a namespace of another kind.
    NotOfNetwork,
    /// Entering takes `CAP_SYS_ADMIN`, opening the file the right to read it.
    PermissionDenied,
    /// No namespace can have this name.
    BadName,
    /// Something else.
    Io(io::Error),
}

impl NetnsError {
    fn new(place: impl Into<String>, problem: NetnsProblem) -> Self {
        Self(Arc::new(Inner { place: place.into(), problem }))
    }

    /// What is wrong.
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
                f.write_str("there is no such file or process; `ip netns` lists those with a name")
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
