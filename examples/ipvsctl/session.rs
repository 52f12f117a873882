//! The connection to the kernel.

use std::path::Path;
use std::process::Command;

use ipvs_rs::Handle;
use ipvs_rs::desired::Lock;
use ipvs_rs::transport::{Netns, NetnsError};

use crate::args::{Globals, boolean};
use crate::command::apply::icmp;
use crate::console::Console;
use crate::failure::{Failure, failure};
use crate::kernel::connect;

/// A connection to IPVS, its namespace, and the console for messages about it.
pub struct Session<'a> {
    pub handle: Handle,
    pub netns: Netns,
    pub console: &'a mut Console,
}

impl<'a> Session<'a> {
    /// Connects. Where the kernel has no IPVS and could not load it by itself, there is one attempt to load its module.
    pub fn open(global: &Globals, console: &'a mut Console) -> Result<Self, Failure> {
        let netns = namespace(global)?;
        let handle = match connect(&netns) {
            Err(error) if error.is_not_available() && !global.no_modprobe => {
                console.info("The kernel has no IPVS; running modprobe ip_vs");
                load_module()?;
                connect(&netns)
            }
            connected => connected,
        };
        Ok(Self { handle: handle.map_err(|error| Failure::open(&error))?, netns, console })
    }

    /// Connects for a command that changes something: limits that a killed run has left are restored first.
    pub fn open_to_change(global: &Globals, console: &'a mut Console) -> Result<Self, Failure> {
        let mut session = Self::open(global, console)?;
        icmp::restore(&mut session, Path::new(Lock::DIRECTORY), None);
        Ok(session)
    }
}

/// The namespace that the command line names.
pub fn namespace(global: &Globals) -> Result<Netns, Failure> {
    let Some(place) = &global.netns else { return Ok(Netns::current()) };
    place.parse().map_err(|error: NetnsError| failure!(Value, "--netns: {error}"))
}

fn load_module() -> Result<(), Failure> {
    let is_optional = std::env::var("SKIP_IPVSKERNELREQ").ok().and_then(|value| boolean(&value)).unwrap_or(false);
    let (output, error) = match Command::new("/sbin/modprobe").args(["-va", "ip_vs"]).output() {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => ([output.stdout, output.stderr].concat(), output.status.to_string()),
        Err(error) => (Vec::new(), error.to_string()),
    };
    if is_optional {
        return Ok(());
    }
    Err(failure!(
        Modprobe,
        "Running modprobe ip_vs failed with message: `{}`, error: {error}\nThe kernel has no IPVS: install its modules, or \
         load ip_vs on the host of this container; --no-modprobe leaves it at that",
        String::from_utf8_lossy(&output).trim()
    ))
}
