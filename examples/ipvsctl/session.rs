//! The way to the kernel.

use std::process::Command;
use std::time::Duration;

use ipvs_rs::Handle;
use ipvs_rs::error::Error;
use ipvs_rs::transport::Netns;

use crate::args::{Globals, boolean};
use crate::console::Console;
use crate::failure::{Exit, Failure};

/// A connection to IPVS, and the namespace that it leads to.
pub struct Session {
    pub handle: Handle,
    pub netns: Netns,
}

impl Session {
    /// Connects. Where the kernel has no IPVS and could not load it by itself, its module is asked for once.
    pub fn open(global: &Globals, console: &mut Console) -> Result<Self, Failure> {
        let netns = namespace(global.netns.as_deref())?;
        let handle = match connect(&netns) {
            Err(error) if error.is_not_available() && !global.no_modprobe => {
                console.info("The kernel has no IPVS; running modprobe ip_vs");
                load_module()?;
                connect(&netns)
            }
            connected => connected,
        };
        Ok(Self { handle: handle.map_err(|error| Failure::open(&error))?, netns })
    }
}

fn connect(netns: &Netns) -> Result<Handle, Error> {
    Handle::builder().netns(netns.clone()).deadline(DEADLINE).open()
}

/// A process by its number, a file by a path, else a name.
pub fn namespace(name: Option<&str>) -> Result<Netns, Failure> {
    let Some(name) = name else { return Ok(Netns::current()) };
    match name.parse() {
        Ok(pid) => Ok(Netns::pid(pid)),
        Err(_) if name.contains('/') => Ok(Netns::path(name)),
        Err(_) => Netns::named(name).map_err(|error| Failure::new(Exit::Value, format!("--netns: {error}"))),
    }
}

fn load_module() -> Result<(), Failure> {
    let is_optional = std::env::var("SKIP_IPVSKERNELREQ").ok().and_then(|value| boolean(&value)).unwrap_or(false);
    let failed = |output: &str, error: &str| {
        if is_optional {
            return Ok(());
        }
        Err(Failure::new(
            Exit::Modprobe,
            format!(
                "Running modprobe ip_vs failed with message: `{output}`, error: {error}\nThe kernel has no IPVS: install \
                 its modules, or load ip_vs on the host of this container; --no-modprobe leaves it at that"
            ),
        ))
    };
    match Command::new("/sbin/modprobe").args(["-va", "ip_vs"]).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = [output.stdout, output.stderr].concat();
            failed(String::from_utf8_lossy(&said).trim(), &output.status.to_string())
        }
        Err(error) => failed("", &error.to_string()),
    }
}

/// The kernel answers at once, but for the loading of modules, which is not cut short. A table of hundreds of thousands
/// of rows is one answer.
const DEADLINE: Duration = Duration::from_secs(60);
