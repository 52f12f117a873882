//! The connection to the kernel, and the context of commands.

use std::io::{self, Write};
use std::process::Command;

use ipvs_rs::model::{Info, Version};
use ipvs_rs::transport::{Netns, NetnsError};
use ipvs_rs::{Error, Handle};

use crate::fault::Fault;
use crate::kernel;
use crate::names::Names;
use crate::output::Output;
use crate::run;

/// The context of every command.
pub struct Session {
    /// The name that the program was called by.
    pub program: Vec<u8>,
    pub handle: Handle,
    pub info: Info,
    pub netns: Netns,
    pub names: Names,
    pub out: Output,
}

impl Session {
    /// Connects, and reads the version and size that listings begin with. Without IPVS in the kernel, there is one
    /// attempt to load its module.
    pub fn open(program: &[u8], netns: Option<&[u8]>) -> Result<Self, Fault> {
        let netns = match netns {
            None => Netns::current(),
            Some(place) => {
                let place = String::from_utf8_lossy(place);
                place.parse().map_err(|error: NetnsError| Fault::usage(error.to_string()))?
            }
        };
        let connected = connect(&netns).or_else(|error| {
            if error.namespace_error().is_some() {
                return Err(error);
            }
            // It reports its errors itself.
            let _ = Command::new("/sbin/modprobe").args(["--", "ip_vs"]).status();
            connect(&netns)
        });
        let (handle, info) = connected.map_err(|error| match error.namespace_error() {
            Some(error) => Fault::usage(error.to_string()),
            None => Fault::usage(format!(
                "Can't initialize ipvs: {}\nAre you sure that IP Virtual Server is built in the kernel or as module?",
                run::text(&error)
            )),
        })?;
        if info.version < OLDEST {
            let warning = format!("the kernel's IPVS has version {}, at least {OLDEST} is expected\n", info.version);
            let _ = io::stderr().write_all(warning.as_bytes());
        }
        Ok(Self { program: program.to_vec(), handle, info, netns, names: Names::default(), out: Output::standard() })
    }
}

fn connect(netns: &Netns) -> Result<(Handle, Info), Error> {
    let handle = kernel::connect(netns)?;
    let info = handle.get_info()?;
    Ok((handle, info))
}

/// The IPVS version that the original was made for.
const OLDEST: Version = Version::from_number(0x01_01_04);
