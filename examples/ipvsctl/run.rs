//! From the command line to what is done.

use std::time::Duration;

use ipvs_rs::desired::{Drain, OnTimeout, WaitFor};
use ipvs_rs::model::Weight;
use ipvs_rs::procfs::Procfs;
use ipvs_rs::{DestinationId, ServiceId};

use crate::address;
use crate::args::{self, Command, Globals, Names, Set, Target};
use crate::command::conns::{self, Listing};
use crate::command::drain::{self, Draining};
use crate::command::get;
use crate::command::set::{self, Place};
use crate::command::stats::{self, Counting};
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
        Command::Undrain(undrain) => runner.undrain(console, &undrain),
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

    fn get(&self, console: &mut Console, get: &args::Get) -> Result<(), Failure> {
        let service = get.service.as_deref().map(|service| self.service(service, &get.names)).transpose()?;
        get::get(&self.open(console)?.handle, console, get, service.as_ref())
    }

    fn set(&self, console: &mut Console, set: Set) -> Result<(), Failure> {
        match set {
            Set::Weight { weight, target, time } => {
                let (weight, place) = (set::weight(&weight)?, self.place(&target)?);
                let handle = self.open(console)?.handle;
                set::ramp_weight(&handle, console, &mut Signals::catch()?, &place, (weight, time))
            }
            Set::Thresholds { upper, lower, target } => {
                let place = self.place(&target)?;
                set::set_thresholds(&self.open(console)?.handle, console, &place, (upper, lower))
            }
            Set::Sched { scheduler, flags, service, names } => {
                let service = self.service(&service, &names)?;
                let handle = self.open(console)?.handle;
                set::set_scheduler(&handle, console, &service, (&scheduler, flags.as_deref()))
            }
            Set::Timeouts { tcp, tcpfin, udp } => {
                let timeouts = [tcp, tcpfin, udp].map(|timeout| timeout.map(Duration::from));
                set::set_timeouts(&self.open(console)?.handle, console, timeouts)
            }
            Set::State { state: args::State::Drain, target, .. } => {
                let place = self.place(&target)?;
                set::set_weight(&self.open(console)?.handle, console, &place, Weight::ZERO)
            }
            Set::State { state: args::State::Active, target, weight } => {
                self.undrain(console, &args::Undrain { target, weight })
            }
        }
    }

    fn drain(&self, console: &mut Console, args: &args::Drain) -> Result<(), Failure> {
        let service = self.service(&args.service, &args.names)?;
        let destinations = args.destination.iter().map(|destination| address::destination(destination, &service));
        let destinations: Vec<DestinationId> = destinations.collect::<Result<_, _>>()?;
        let wait = match args.wait {
            args::WaitFor::Active => WaitFor::Active,
            args::WaitFor::All => WaitFor::All,
        };
        let on_timeout = match args.on_timeout {
            Some(args::OnTimeout::Delete) => OnTimeout::Delete,
            Some(args::OnTimeout::Fail) => OnTimeout::Fail,
            None if args.delete => OnTimeout::Delete,
            Some(args::OnTimeout::Keep) | None => OnTimeout::Keep,
        };
        let drain = Drain::new(args.timeout.get()).poll(args.poll.get()).wait(wait).on_timeout(on_timeout);
        let draining = Draining { service, destinations: &destinations, drain, delete: args.delete };
        let Session { handle, netns } = self.open(console)?;
        drain::warn(&handle, console, &Procfs::of(netns), &draining)?;
        drain::drain(&handle, console, &mut Signals::catch()?, &draining)
    }

    fn undrain(&self, console: &mut Console, args: &args::Undrain) -> Result<(), Failure> {
        let weight = args.weight.as_deref().map(set::any_weight).transpose()?;
        let place = self.place(&args.target)?;
        let weight = weight.unwrap_or_default();
        drain::undrain(&self.open(console)?.handle, console, &place, weight)
    }

    fn conns(&self, console: &mut Console, args: &args::Conns) -> Result<(), Failure> {
        let service = args.service.as_deref().map(|service| self.service(service, &args.names)).transpose()?;
        let destination = args.destination.as_deref().map(|text| {
            let id = text.trim().parse::<DestinationId>();
            id.map_err(|error| {
                Failure::new(Exit::Value, format!("Invalid destination \"{}\": {error}", text.escape_debug()))
            })
        });
        let listing = Listing { service, destination: destination.transpose()?, output: args.output };
        let netns = session::namespace(self.global.netns.as_deref())?;
        conns::conns(&Procfs::of(netns), console, &listing)
    }

    fn place(&self, target: &Target) -> Result<Place, Failure> {
        let service = self.service(&target.service, &target.names)?;
        Ok(Place { service, destination: address::destination(&target.destination, &service)? })
    }
}
