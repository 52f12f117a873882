//! From the command line to what is done.

use std::ffi::OsString;
use std::time::Duration;

use ipvs_rs::desired::{Drain, OnTimeout, WaitFor};
use ipvs_rs::procfs::Procfs;
use ipvs_rs::{DestinationId, ServiceId};

use crate::address;
use crate::args::{self, Command, Globals, Names, Set, Target};
use crate::command::conns::{self, Listing};
use crate::command::drain::{self, Draining};
use crate::command::set::{self, Place};
use crate::command::stats::{self, Counting};
use crate::command::get;
use crate::console::Console;
use crate::failure::{Exit, Failure};
use crate::generate;
use crate::pace::Signals;
use crate::session::{self, Session};

/// Does what was asked for.
pub fn run(global: &Globals, command: Command, console: &mut Console) -> Result<(), Failure> {
    let runner = Runner { global };
    match command {
        Command::Get(get) => runner.get(console, &get),
        Command::Set(set) => runner.set(console, set),
        Command::Drain(drain) => runner.drain(console, &drain),
        Command::Zero(zero) => {
            let service = zero.service.as_deref().map(|service| runner.service(service, &zero.names)).transpose()?;
            set::zero(&runner.open(console)?.handle, console, service.as_ref())
        }
        Command::Stats(stats) => {
            let service = stats.service.as_deref().map(|service| runner.service(service, &stats.names)).transpose()?;
            let watch = stats.watch.map(Duration::from);
            let counting = Counting { service, output: stats.output, watch };
            let handle = runner.open(console)?.handle;
            stats::stats(&handle, console, &mut Signals::catch()?, &counting)
        }
        Command::Conns(conns) => runner.conns(console, &conns),
        Command::Completions { shell } => {
            console.print(&generate::completions(shell));
            Ok(())
        }
        Command::Man => {
            console.print(&generate::man());
            Ok(())
        }
        _ => Ok(()),
    }
}

struct Runner<'a> {
    global: &'a Globals,
}

impl Runner<'_> {
    fn open(&self, console: &mut Console) -> Result<Session, Failure> {
        Session::open(self.global, console)
    }

    /// A service by its address, or by the name that it has in a file.
    fn service(&self, handle: &str, _names: &Names) -> Result<ServiceId, Failure> {
        address::service(handle).ok_or_else(|| Failure::new(Exit::Value, "x"))
    }

    fn place(&self, target: &Target) -> Result<Place, Failure> {
        let service = self.service(&target.service, &target.names)?;
        Ok(Place { service, destination: address::destination(&target.destination, &service)? })
    }
}
