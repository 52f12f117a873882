use std::fs::File;
use std::io;
use std::path::Path;

use super::connections::Connections;
use super::error::{Cause, Place, ProcfsError, ProcfsOperation};
use crate::transport::Netns;

/// The files of a network namespace.
///
/// Reading takes no privilege, with IPVS loaded. Another namespace is entered by a thread of its own, as a
/// [`Netns`] always is; the file that it opens stays that of the namespace.
///
/// ```no_run
/// use ipvs_rs::procfs::Procfs;
/// use ipvs_rs::transport::Netns;
///
/// for connection in Procfs::of(Netns::named("blue")?).connections()? {
///     let connection = connection?;
///     println!("{} {} {}", connection.protocol, connection.client, connection.destination);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Procfs {
    netns: Netns,
}

impl Procfs {
    /// The namespace that the calling thread is in at the time.
    pub const fn current() -> Self {
        Self { netns: Netns::current() }
    }

    /// Another namespace.
    pub fn of(netns: Netns) -> Self {
        Self { netns }
    }

    /// Opens the connection table, with the data of persistence engines.
    ///
    /// # Errors
    ///
    /// [`is_not_available`](ProcfsError::is_not_available) when IPVS is not loaded,
    /// [`is_permission_denied`](ProcfsError::is_permission_denied) when the file or the namespace is out of reach.
    /// What is wrong with a row comes with that row.
    ///
    /// # Kernel
    ///
    /// `/proc/net/ip_vs_conn`, opened as `/proc/thread-self/net/ip_vs_conn`, because `/proc/net` is that of the first
    /// thread of the process.
    #[doc(alias = "ip_vs_conn")]
    #[doc(alias = "ipvsadm -c")]
    pub fn connections(&self) -> Result<Connections, ProcfsError> {
        self.open_connections("/proc/thread-self/net/ip_vs_conn")
    }

    /// Opens the connection table with the [origin](super::ConnectionOrigin) of each row, which leaves out the data of
    /// persistence engines.
    ///
    /// # Errors
    ///
    /// As with [`connections`](Self::connections).
    ///
    /// # Kernel
    ///
    /// `/proc/net/ip_vs_conn_sync`.
    #[doc(alias = "ip_vs_conn_sync")]
    pub fn connections_with_origin(&self) -> Result<Connections, ProcfsError> {
        self.open_connections("/proc/thread-self/net/ip_vs_conn_sync")
    }

    fn open_connections(&self, path: &'static str) -> Result<Connections, ProcfsError> {
        let file = self.open(ProcfsOperation::GetConnections, path)?;
        Ok(Connections::at(self.place(path), file))
    }

    fn open(&self, operation: ProcfsOperation, path: &'static str) -> Result<File, ProcfsError> {
        let cause = match self.netns.run(|| File::open(Path::new(path))) {
            Ok(Ok(file)) => return Ok(file),
            Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => Cause::NotAvailable,
            Ok(Err(error)) => Cause::Io(error),
            Err(error) => Cause::Namespace(error),
        };
        Err(ProcfsError::new(operation, self.place(path), cause))
    }

    fn place(&self, path: &str) -> Place {
        let namespace = (!self.netns.is_current()).then(|| self.netns.to_string());
        Place { file: path.to_owned(), namespace }
    }
}
