use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};

use super::error::{Cause, Place, ProcfsError, ProcfsOperation};
use super::{Connections, CpuStats, Modules, Sysctl, SysctlValue, stats};
use crate::model::Stats;
use crate::transport::Netns;

/// The files of IPVS in a network namespace.
///
/// Reading requires no privilege, provided that IPVS is loaded. Another namespace is entered by a separate thread, as a
/// [`Netns`] always is; the file that it opens remains that of the namespace.
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
    /// The files of the namespace that the calling thread is in at the time of each call.
    pub const fn current() -> Self {
        Self { netns: Netns::current() }
    }

    /// The files of another namespace.
    pub fn of(netns: Netns) -> Self {
        Self { netns }
    }

    /// Opens the connection table, with the data of persistence engines.
    ///
    /// # Errors
    ///
    /// [`is_not_available`](ProcfsError::is_not_available) when IPVS is not loaded,
    /// [`is_permission_denied`](ProcfsError::is_permission_denied) when the file or the namespace may not be opened.
    /// A malformed row is an error of that row.
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

    /// Reads the totals of the namespace: the traffic of all its services since they were zeroed.
    ///
    /// # Errors
    ///
    /// As with [`connections`](Self::connections); [`is_malformed`](ProcfsError::is_malformed) when the file has an
    /// unexpected format.
    ///
    /// # Kernel
    ///
    /// `/proc/net/ip_vs_stats`. These numbers are not available by a handle.
    #[doc(alias = "ip_vs_stats")]
    pub fn get_stats(&self) -> Result<Stats, ProcfsError> {
        let path = "/proc/thread-self/net/ip_vs_stats";
        let file = self.open(ProcfsOperation::GetStats, path)?;
        stats::stats(self.place(path), file)
    }

    /// Reads the counters of each processor, and the totals.
    ///
    /// # Errors
    ///
    /// As with [`get_stats`](Self::get_stats).
    ///
    /// # Kernel
    ///
    /// `/proc/net/ip_vs_stats_percpu`.
    #[doc(alias = "ip_vs_stats_percpu")]
    pub fn get_cpu_stats(&self) -> Result<CpuStats, ProcfsError> {
        let path = "/proc/thread-self/net/ip_vs_stats_percpu";
        let file = self.open(ProcfsOperation::GetCpuStats, path)?;
        CpuStats::at(self.place(path), file)
    }

    /// Finds out which schedulers and persistence engines are loaded or built into the kernel.
    ///
    /// The result is the same in every namespace. Its limits are described at [`Modules`].
    ///
    /// # Errors
    ///
    /// When `/proc` is not mounted or does not show modules. A kernel without IPVS is not an error.
    ///
    /// # Kernel
    ///
    /// `/proc/modules`, and `/lib/modules/RELEASE/modules.builtin` where it exists.
    pub fn get_modules() -> Result<Modules, ProcfsError> {
        let open = |path: &str| {
            File::open(path).map_err(|error| {
                ProcfsError::new(ProcfsOperation::GetModules, Place::of_reader(path), Cause::Io(error))
            })
        };
        let mut modules = Modules::default();
        let loaded = "/proc/modules";
        modules.read_loaded(Place::of_reader(loaded), open(loaded)?)?;

        let release = "/proc/sys/kernel/osrelease";
        let text = io::read_to_string(open(release)?.take(LIMIT));
        let text = text.map_err(|error| {
            ProcfsError::new(ProcfsOperation::GetModules, Place::of_reader(release), Cause::Io(error))
        })?;
        let builtin = format!("/lib/modules/{}/modules.builtin", text.trim_ascii_end());
        // Without the file the built-in modules are not known, which `knows_builtin` reports.
        if let Ok(file) = File::open(&builtin) {
            modules.read_builtin(Place::of_reader(&builtin), file)?;
        }
        Ok(modules)
    }

    /// Reads a sysctl.
    ///
    /// # Errors
    ///
    /// [`is_not_available`](ProcfsError::is_not_available) when IPVS is not loaded,
    /// [`is_unsupported`](ProcfsError::is_unsupported) when it is, but without this sysctl,
    /// [`is_permission_denied`](ProcfsError::is_permission_denied) when the namespace may not be entered.
    ///
    /// # Kernel
    ///
    /// `/proc/sys/net/ipv4/vs`.
    pub fn get_sysctl(&self, sysctl: Sysctl) -> Result<SysctlValue, ProcfsError> {
        let operation = ProcfsOperation::GetSysctl(sysctl);
        self.in_namespace(operation, sysctl.path(), || read_sysctl(sysctl))
    }

    /// Reads every sysctl that this kernel has, in the order of their names.
    ///
    /// # Errors
    ///
    /// [`is_not_available`](ProcfsError::is_not_available) when IPVS is not loaded,
    /// [`is_permission_denied`](ProcfsError::is_permission_denied) when the namespace may not be entered.
    pub fn get_sysctls(&self) -> Result<Vec<(Sysctl, SysctlValue)>, ProcfsError> {
        let mut values = Vec::with_capacity(Sysctl::ALL.len());
        for sysctl in Sysctl::ALL.iter().copied() {
            match self.get_sysctl(sysctl) {
                Ok(value) => values.push((sysctl, value)),
                Err(error) if error.is_unsupported() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(values)
    }

    /// Sets a sysctl, and verifies that the kernel has taken the value.
    ///
    /// Success means that the value reads back. Two kinds of values do not read back as they were written and count as
    /// success, too: the kernel itself changes between the modes 1 and 2 of the defenses, and a list of processors
    /// reads back in another form.
    ///
    /// ```no_run
    /// use ipvs_rs::procfs::{Procfs, Sysctl};
    ///
    /// let here = Procfs::current();
    /// here.set_sysctl(Sysctl::ExpireNodestConn, true)?;
    /// here.set_sysctl(Sysctl::SyncRefreshPeriod, 10)?;
    /// # Ok::<(), ipvs_rs::procfs::ProcfsError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`get_sysctl`](Self::get_sysctl). [`is_invalid`](ProcfsError::is_invalid) when the value is not of the
    /// kind that the sysctl has, in which case nothing was written, or when the kernel refused it.
    /// [`is_permission_denied`](ProcfsError::is_permission_denied) when the caller may not write.
    /// [`read_back`](ProcfsError::read_back) has the present value when the kernel reported success and has not taken
    /// the new one, or when another program has set it since.
    pub fn set_sysctl(&self, sysctl: Sysctl, value: impl Into<SysctlValue>) -> Result<(), ProcfsError> {
        let value = value.into();
        let set = self.in_namespace(ProcfsOperation::SetSysctl(sysctl), sysctl.path(), || {
            let value = sysctl.fit(&value).map_err(Cause::Value)?;
            write_sysctl(sysctl, &value)?;
            match read_sysctl(sysctl)? {
                read if sysctl.has_taken(&value, &read) => Ok(()),
                read => Err(Cause::NotTaken { read }),
            }
        });
        set.map_err(|error| error.with_value(value))
    }

    fn open_connections(&self, path: &'static str) -> Result<Connections, ProcfsError> {
        let file = self.open(ProcfsOperation::GetConnections, path)?;
        Ok(Connections::at(self.place(path), file))
    }

    /// Opens a file of the namespace; it stays in that namespace when another thread reads it.
    fn open(&self, operation: ProcfsOperation, path: &'static str) -> Result<File, ProcfsError> {
        self.in_namespace(operation, path, || {
            File::open(path).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => Cause::NotAvailable,
                _ => Cause::Io(error),
            })
        })
    }

    fn in_namespace<T: Send>(
        &self,
        operation: ProcfsOperation,
        path: &str,
        work: impl FnOnce() -> Result<T, Cause> + Send,
    ) -> Result<T, ProcfsError> {
        let done = self.netns.run(work).unwrap_or_else(|error| Err(Cause::Namespace(error)));
        done.map_err(|cause| ProcfsError::new(operation, self.place(path), cause))
    }

    fn place(&self, path: &str) -> Place {
        let namespace = (!self.netns.is_current()).then(|| self.netns.to_string());
        Place { file: path.to_owned(), namespace }
    }
}

// The effect of a sysctl may depend on the namespace of the thread that reads or writes, and not only of the one that
// opened the file: opening, reading and writing all happen in the namespace.

fn read_sysctl(sysctl: Sysctl) -> Result<SysctlValue, Cause> {
    let file = File::open(sysctl.path()).map_err(missing_sysctl)?;
    let mut bytes = Vec::new();
    file.take(LIMIT).read_to_end(&mut bytes).map_err(Cause::Io)?;
    let text = String::from_utf8_lossy(bytes.trim_ascii_end());
    sysctl.value(&text).map_err(|error| Cause::Line { number: 1, error })
}

fn write_sysctl(sysctl: Sysctl, value: &SysctlValue) -> Result<(), Cause> {
    let mut file = OpenOptions::new().write(true).open(sysctl.path()).map_err(missing_sysctl)?;
    // In one piece, because the kernel takes the bytes of a single call as the value. With the end of the line, so that
    // the system call is made even for an empty list.
    file.write_all(format!("{value}\n").as_bytes()).map_err(Cause::Io)
}

/// The cause when a sysctl cannot be opened, judged by whether the others are there.
fn missing_sysctl(error: io::Error) -> Cause {
    if error.kind() != io::ErrorKind::NotFound {
        return Cause::Io(error);
    }
    match fs::read_dir(FOLDER).map(|mut others| others.next()) {
        Ok(Some(_)) => Cause::NoSuchSysctl,
        Ok(None) => Cause::NoSysctls,
        Err(_) => Cause::NotAvailable,
    }
}

/// The directory of the sysctls.
const FOLDER: &str = "/proc/sys/net/ipv4/vs";
/// The longest value in bytes; a list of all processors that Linux supports is half as long.
const LIMIT: u64 = 65_536;
