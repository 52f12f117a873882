use std::fmt;
use std::io;

/// An error number of the kernel.
///
/// ```
/// use ipvs_rs::error::Errno;
///
/// assert_eq!(Errno::EEXIST.to_string(), "EEXIST");
/// assert_eq!(Errno::from_raw(17), Errno::EEXIST);
/// assert_eq!(Errno::from_raw(9999).to_string(), "errno 9999");
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Errno(u32);

macro_rules! errno {
    ($($name:ident = $number:literal, $text:literal;)*) => {
        impl Errno {
            $(
                #[doc = $text]
                #[cfg(target_os = "linux")]
                pub const $name: Self = Self((nix::errno::Errno::$name as i32).unsigned_abs());
                // On other systems than Linux only recorded answers are read, and those come from Linux.
                #[doc = $text]
                #[cfg(not(target_os = "linux"))]
                pub const $name: Self = Self($number);
            )*

            /// The name of the number, where IPVS or netlink use it.
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

errno! {
    EPERM = 1, "Call not permitted.";
    ENOENT = 2, "No such destination, scheduler, persistence engine or family.";
    ESRCH = 3, "No such service, or the daemon does not run.";
    EINTR = 4, "Interrupted.";
    EIO = 5, "Input or output failed.";
    ENOMEM = 12, "Out of memory.";
    EACCES = 13, "Permission denied.";
    EBUSY = 16, "Another list is being read on the socket.";
    EEXIST = 17, "Already there.";
    ENODEV = 19, "No such interface.";
    EINVAL = 22, "Malformed, or not possible together.";
    ERANGE = 34, "Weight or threshold out of range, or an attribute that is too short.";
    EAGAIN = 11, "Not now.";
    EMSGSIZE = 90, "Message too long.";
    ENOPROTOOPT = 92, "The module is going away.";
    EPROTONOSUPPORT = 93, "The system has no such protocol.";
    EOPNOTSUPP = 95, "No such command.";
    EAFNOSUPPORT = 97, "No such address family.";
    EADDRNOTAVAIL = 99, "The address cannot be used here.";
    ENETUNREACH = 101, "No way to the network.";
    ENOBUFS = 105, "Answers were lost.";
}

impl Errno {
    /// The error with this number.
    pub const fn from_raw(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn raw(self) -> u32 {
        self.0
    }
}

impl From<u32> for Errno {
    fn from(number: u32) -> Self {
        Self::from_raw(number)
    }
}

impl From<Errno> for u32 {
    fn from(errno: Errno) -> Self {
        errno.raw()
    }
}

impl From<Errno> for io::Error {
    /// The error of a system call with this number.
    ///
    /// ```
    /// use std::io;
    /// use ipvs_rs::error::Errno;
    ///
    /// let error = io::Error::from(Errno::from(13));
    /// # #[cfg(target_os = "linux")]
    /// assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    /// # #[cfg(target_os = "linux")]
    /// assert_eq!(error.raw_os_error(), Some(13));
    /// ```
    fn from(errno: Errno) -> Self {
        Self::from_raw_os_error(i32::try_from(errno.raw()).unwrap_or(i32::MAX))
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "errno {}", self.0),
        }
    }
}
