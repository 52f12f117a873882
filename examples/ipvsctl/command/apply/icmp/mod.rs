//! Rate limits of ICMP errors from the director, which are strict for a moment and are restored in any case.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::{fs, io, time};

use ipvs_rs::desired::Lock;
use ipvs_rs::desired::plan::{Operation, Plan};
use ipvs_rs::transport::Netns;

use crate::console::Console;
use crate::escape::escaped;
use crate::file;
use crate::session::Session;

/// While this lives, the director does not tell clients that a port cannot be reached.
///
/// The kernel takes a service's old scheduler away before it puts the new one in its place, and tells clients that
/// connect in between that the port cannot be reached. A client without such an answer tries again after a second, and
/// gets through.
pub struct IcmpSuppression {
    netns: Netns,
    limits: Limits,
}

/// The sysctls with the milliseconds between two such messages to the same client.
const LIMITS: [&str; 2] = ["/proc/sys/net/ipv4/icmp_ratelimit", "/proc/sys/net/ipv6/icmp/ratelimit"];
/// A day: longer than the kernel remembers a client to which it has not sent a message.
const SILENT: &str = "86400000";
/// The value of both in a new namespace.
const DEFAULT: &str = "1000";

impl IcmpSuppression {
    /// Begins, if the plan changes a scheduler. The caller holds the lock of that folder. If the limits cannot be set,
    /// or their old values cannot be saved, there is a warning and the limits are left alone.
    pub fn during(session: &mut Session<'_>, plan: &Plan, lock_dir: &Path) -> Option<Self> {
        let is_scheduler = |operation: &Operation| operation.changes().iter().any(|change| change.field == "sched");
        if !plan.operations().iter().any(is_scheduler) {
            return None;
        }
        let Session { netns, console, .. } = session;
        let begun = within(netns, || Limits::here(lock_dir).and_then(|limits| limits.begin().map(|()| limits)));
        match &begun {
            Ok(_) => console.debug(|| "Clients are not told that they are refused while schedulers change".to_owned()),
            Err(error) => console.warning(&format!("Clients may be refused while a scheduler changes: {error}")),
        }
        begun.ok().map(|limits| Self { netns: netns.clone(), limits })
    }

    /// Restores the limits.
    pub fn end(self, console: &mut Console) {
        if let Err(error) = within(&self.netns, || self.limits.restore()) {
            console.warning(&format!("Clients are still not told that they are refused: {error}"));
        }
    }
}

/// Restores the limits that a killed run has left. While another process has the lock of that folder, the limits belong
/// to that process.
pub fn restore(session: &mut Session<'_>, lock_dir: &Path, lock: Option<&Lock>) {
    const WHAT: &str = "A run of ipvsctl with --no-refusals was killed";
    let Session { netns, console, .. } = session;
    let restored = within(netns, || {
        let limits = Limits::here(lock_dir)?;
        if !limits.are_left() {
            return Ok(Vec::new());
        }
        match lock.is_none().then(|| Lock::acquire(lock_dir, time::Duration::ZERO)).transpose() {
            Ok(_lock) => limits.restore(),
            Err(error) if error.is_held() => Ok(Vec::new()),
            Err(error) => Err(io::Error::other(error.to_string())),
        }
    });
    match restored {
        Ok(lines) => lines.iter().for_each(|line| console.warning(&format!("{WHAT}: {line}"))),
        Err(error) => {
            console.warning(&format!("{WHAT}, and clients are still not told that they are refused: {error}"));
        }
    }
}

fn within<T: Send>(netns: &Netns, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    netns.run(work).map_err(io::Error::other)?
}

/// The limits of a network namespace, and the file in which their old values outlive this process.
struct Limits {
    paths: Vec<PathBuf>,
    state: PathBuf,
}

impl Limits {
    /// Those of this thread's namespace. The file is beside the lock file.
    fn here(lock_dir: &Path) -> io::Result<Self> {
        let namespace = fs::metadata("/proc/thread-self/ns/net")?.ino();
        // The file of IPv6 is missing in a kernel without it.
        let paths = LIMITS.map(PathBuf::from).into_iter().filter(|path| path.exists());
        Ok(Self { paths: paths.collect(), state: lock_dir.join(format!("ipvsctl-{namespace}.limits")) })
    }

    /// Saves the old values, and then sets the limits.
    fn begin(&self) -> io::Result<()> {
        let (saved, mut text) = (self.saved(), String::new());
        for path in &self.paths {
            let now = read(path)?;
            // The limit that a killed run has left is not an old value.
            let old = if now == SILENT { saved.get(path).map_or(DEFAULT, String::as_str) } else { &now };
            text.extend([&path.to_string_lossy(), " ", old, "\n"]);
        }
        file::replace(&self.state, text.as_bytes()).map_err(|error| about(&self.state, &error))?;
        let set = self.paths.iter().try_for_each(|path| write(path, SILENT));
        set.inspect_err(|_| drop(self.restore()))
    }

    /// Restores every limit that still is as [`begin`](Self::begin) has set it. Returns a sentence for each.
    fn restore(&self) -> io::Result<Vec<String>> {
        let (saved, mut done, mut failed) = (self.saved(), Vec::new(), None);
        for path in &self.paths {
            let old = saved.get(path).map_or(DEFAULT, String::as_str);
            match read(path).and_then(|now| if now == SILENT { write(path, old).map(|()| true) } else { Ok(false) }) {
                Ok(true) => {
                    let why = if saved.contains_key(path) { "as before" } else { "the default of the kernel" };
                    done.push(format!("{} is set back to {old}, {why}", path.display()));
                }
                Ok(false) => {}
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            Some(error) => Err(error),
            None => match fs::remove_file(&self.state) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(about(&self.state, &error)),
                _ => Ok(done),
            },
        }
    }

    /// Whether there is anything to restore.
    fn are_left(&self) -> bool {
        self.state.exists() || self.paths.iter().any(|path| read(path).is_ok_and(|now| now == SILENT))
    }

    /// The old values that were saved; anything that is not valid is left out.
    fn saved(&self) -> HashMap<PathBuf, String> {
        let text = file::read(&self.state, 4096).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let values = text.lines().filter_map(|line| line.split_once(' '));
        let values = values.filter(|(_, value)| value.parse::<u32>().is_ok() && *value != SILENT);
        values.map(|(path, value)| (PathBuf::from(path), value.to_owned())).collect()
    }
}

fn read(path: &Path) -> io::Result<String> {
    fs::read_to_string(path).map(|text| text.trim().to_owned()).map_err(|error| about(path, &error))
}

fn write(path: &Path, value: &str) -> io::Result<()> {
    fs::write(path, value).map_err(|error| about(path, &error))
}

fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::other(format!("{}: {error}", escaped(path.display())))
}

#[cfg(test)]
mod tests;
