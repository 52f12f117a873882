use std::io::Read;

use super::error::{Cause, Place, ProcfsError, ProcfsOperation};
use super::lines::Lines;
use super::row::Row;
use crate::model::{PersistenceEngine, Scheduler};

/// The parts of IPVS that the kernel has available, without loading anything.
///
/// A scheduler or engine that is not among these need not be missing: the kernel loads it as soon as a service uses it,
/// if it can. Modules belong to the machine, and are the same in every network namespace.
///
/// # Limits
///
/// A part that is built into the kernel, instead of being a module, appears in no file of the running kernel: not in
/// `/proc/modules`, and in `/sys/module` only if it has parameters, as `ip_vs` itself has. The built-in parts are
/// listed in `/lib/modules/RELEASE/modules.builtin`, which is written when the kernel is built. If that file exists it
/// is taken into account; if not, as in most containers, [`knows_builtin`](Self::knows_builtin) is `false` and the
/// built-in parts are missing here. Whether a scheduler can be used is only certain after a service was created with
/// it.
///
/// ```
/// use ipvs_rs::Scheduler;
/// use ipvs_rs::procfs::Modules;
///
/// let saved = "\
/// ip_vs_pe_sip 16384 0 - Live 0x0000000000000000
/// ip_vs_wlc 16384 3 - Live 0x0000000000000000
/// ip_vs 188416 10 ip_vs_pe_sip,ip_vs_wlc, Live 0x0000000000000000
/// ";
/// let modules = Modules::from_reader(saved.as_bytes())?;
/// assert!(modules.has_ipvs);
/// assert_eq!(modules.schedulers, [Scheduler::Wlc]);
/// assert_eq!(modules.engines[0].name(), "sip");
/// # Ok::<(), ipvs_rs::procfs::ProcfsError>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Modules {
    /// Whether IPVS itself is loaded or built in.
    pub has_ipvs: bool,
    /// Schedulers, in order.
    pub schedulers: Vec<Scheduler>,
    /// Persistence engines, in order.
    pub engines: Vec<PersistenceEngine>,
    /// Whether parts that are built into the kernel would be among these.
    pub knows_builtin: bool,
}

impl Modules {
    /// Reads the list of loaded modules from a reader, such as a saved `/proc/modules`.
    ///
    /// # Errors
    ///
    /// When the reader fails, or a line is longer than 64 KiB.
    pub fn from_reader(modules: impl Read) -> Result<Self, ProcfsError> {
        let mut found = Self::default();
        found.read_loaded(Place::of_reader("modules"), modules)?;
        Ok(found)
    }

    /// Adds the parts that are built into the kernel, from a `modules.builtin`: one path of a module per line.
    ///
    /// # Errors
    ///
    /// When the reader fails, or a line is longer than 64 KiB.
    pub fn with_builtin(mut self, builtin: impl Read) -> Result<Self, ProcfsError> {
        self.read_builtin(Place::of_reader("modules.builtin"), builtin)?;
        Ok(self)
    }

    pub(super) fn read_loaded(&mut self, place: Place, modules: impl Read) -> Result<(), ProcfsError> {
        self.read(place, modules, |line| {
            // Name, size, number of users, their names, state.
            let mut row = Row::new(line);
            let [name, _, _, _, state] = std::array::from_fn(|_| row.word());
            // A module that is being loaded or unloaded cannot be used.
            (state == b"Live").then_some(name)
        })
    }

    pub(super) fn read_builtin(&mut self, place: Place, builtin: impl Read) -> Result<(), ProcfsError> {
        self.read(place, builtin, |line| line.rsplit(|byte| *byte == b'/').next()?.strip_suffix(b".ko"))?;
        self.knows_builtin = true;
        Ok(())
    }

    fn read(
        &mut self,
        place: Place,
        reader: impl Read,
        name: impl Fn(&[u8]) -> Option<&[u8]>,
    ) -> Result<(), ProcfsError> {
        let mut lines = Lines::new(reader, MAX_LINE);
        loop {
            match lines.next() {
                Ok(None) => break,
                Ok(Some(line)) => name(line).into_iter().for_each(|name| self.add(name)),
                Err(error) => {
                    let cause = Cause::of_line(error, lines.number(), MAX_LINE);
                    return Err(ProcfsError::new(ProcfsOperation::GetModules, place, cause));
                }
            }
        }
        self.schedulers.sort_unstable();
        self.schedulers.dedup();
        self.engines.sort_unstable();
        self.engines.dedup();
        Ok(())
    }

    fn add(&mut self, module: &[u8]) {
        let named = |prefix: &[u8]| module.strip_prefix(prefix).filter(|name| !name.is_empty());
        if module == b"ip_vs" {
            self.has_ipvs = true;
        } else if let Some(name) = named(b"ip_vs_pe_") {
            self.engines.extend(PersistenceEngine::from_kernel(name));
        } else if let Some(name) = named(b"ip_vs_").filter(|name| !APPLICATIONS.contains(name)) {
            self.schedulers.extend(Scheduler::from_kernel(name));
        }
    }
}

/// Modules that handle an application protocol, and are not schedulers although their names have the same prefix.
const APPLICATIONS: [&[u8]; 1] = [b"ftp"];
/// The longest line in bytes: the line of a module names all modules that use it.
const MAX_LINE: usize = 65_536;
