//! Runs the command of a command line.

use std::time::Duration;

use ipvs_rs::desired::{Activity, Drain, OnTimeout, spec};
use ipvs_rs::model::Weight;
use ipvs_rs::procfs::Procfs;

use crate::args::{Command, Files, Format, Globals, Names, Planning, Set, Target};
use crate::command::conns::{self, ConnectionFilter};
use crate::command::drain::{self, Draining};
use crate::command::plan::Task;
use crate::command::{apply, get, plan, set, stats, validate, watch};
use crate::console::Console;
use crate::document;
use crate::failure::Failure;
use crate::generate;
use crate::place::{self, Place};
use crate::session::Session;
use crate::signals;
use crate::source::{Input, MessageStyle};

/// Runs a command.
pub fn run(global: &Globals, command: Command, console: &mut Console) -> Result<(), Failure> {
    let find =
        |handle: Option<String>, names: &Names| handle.map(|handle| place::service(global, &handle, names)).transpose();
    match command {
        Command::Get(args) => {
            let service = find(args.service.clone(), &args.names)?;
            get::get(&mut Session::open(global, console)?, &args, service.as_ref())
        }
        Command::Validate { files, output } => {
            validate::validate(console, Input::new(global, &files, MessageStyle::Validate), output)
        }
        Command::Plan(args) => {
            compare(global, console, (&args.files, &args.planning, MessageStyle::Table), |session, task| {
                plan::plan(session, task, &args)
            })
        }
        Command::Changeset { files, planning, output } => {
            compare(global, console, (&files, &planning, MessageStyle::Changes), |session, task| {
                plan::changeset(session, task, output)
            })
        }
        Command::Apply(args) => apply::apply(global, console, &args),
        Command::Watch(args) => watch::watch(global, console, &args),
        Command::Set(args) => change(global, console, args),
        Command::Drain { service, destination, names, timeout, poll, wait, delete, on_timeout } => {
            let service = place::service(global, &service, &names)?;
            let destinations = destination.iter().map(|destination| place::destination(destination, &service));
            let destinations = destinations.collect::<Result<_, _>>()?;
            let on_timeout = on_timeout.unwrap_or(if delete { OnTimeout::Delete } else { OnTimeout::Keep });
            let drain = Drain::new(timeout.get()).poll(poll.get()).wait(wait).on_timeout(on_timeout);
            let draining = Draining { service, destinations, drain, delete };
            let session = &mut Session::open_to_change(global, console)?;
            drain::warn(session, &draining)?;
            drain::drain(session, &mut signals::catch(signals::SECOND)?, &draining)
        }
        Command::Undrain { target, weight } => undrain(global, console, &target, weight.as_deref()),
        Command::Zero { service, names } => {
            let service = find(service, &names)?;
            set::zero(&mut Session::open_to_change(global, console)?, service.as_ref())
        }
        Command::Stats { service, names, output, watch } => {
            let service = find(service, &names)?;
            let session = &mut Session::open(global, console)?;
            let signals = &mut signals::catch(signals::SECOND)?;
            stats::stats(session, signals, service.as_ref(), (output, watch.map(Duration::from)))
        }
        Command::Conns { service, destination, names, output } => {
            let service = find(service, &names)?;
            let destination = destination.as_deref().map(place::exact_destination).transpose()?;
            let wanted = ConnectionFilter { service, destination };
            // The files exist once IPVS is loaded, which opening a session does.
            let Session { netns, console, .. } = Session::open(global, console)?;
            conns::conns(&Procfs::of(netns), console, wanted, output)
        }
        Command::Schema => document::text(Format::Json, &spec::schema()).map(|text| console.print(&text)),
        Command::Completions { shell } => {
            console.print(&generate::completions(shell));
            Ok(())
        }
        Command::Man => {
            console.print(&generate::man());
            Ok(())
        }
    }
}

/// Reads files, and shows the changes that they would make.
fn compare(
    global: &Globals,
    console: &mut Console,
    (files, planning, style): (&Files, &Planning, MessageStyle),
    show: impl FnOnce(&mut Session<'_>, &Task<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let input = Input::new(global, files, style);
    let loaded = input.load(console)?;
    let (silent, allowed) = (input.silent(&loaded), plan::allowed(planning)?);
    let task = Task { state: &loaded.state, planning, allowed, silent };
    show(&mut Session::open(global, console)?, &task)
}

/// Changes one setting.
fn change(global: &Globals, console: &mut Console, set: Set) -> Result<(), Failure> {
    match set {
        Set::Weight { weight, target, time } => {
            let weight = place::weight(&weight, u16::MAX.into())?;
            let place = Place::of(global, &target)?;
            let session = &mut Session::open_to_change(global, console)?;
            set::ramp_weight(session, &mut signals::catch(signals::SECOND)?, &place, (weight, time))
        }
        Set::Thresholds { upper, lower, target } => {
            let place = Place::of(global, &target)?;
            set::set_thresholds(&mut Session::open_to_change(global, console)?, &place, (upper, lower))
        }
        Set::Sched { scheduler, flags, service, names } => {
            let service = place::service(global, &service, &names)?;
            let session = &mut Session::open_to_change(global, console)?;
            set::set_scheduler(session, &service, (&scheduler, flags.as_deref()))
        }
        Set::Timeouts { tcp, tcpfin, udp } => {
            let timeouts = [tcp, tcpfin, udp].map(|timeout| timeout.map(Duration::from));
            set::set_timeouts(&mut Session::open_to_change(global, console)?, timeouts)
        }
        Set::State { state: Activity::Drain, target, .. } => {
            let place = Place::of(global, &target)?;
            set::set_weight(&mut Session::open_to_change(global, console)?, set::WEIGHT, &place, Weight::ZERO)
        }
        Set::State { target, weight, .. } => undrain(global, console, &target, weight.as_deref()),
    }
}

/// Gives a destination its weight again: the one of the command line, or else that of a file.
fn undrain(global: &Globals, console: &mut Console, target: &Target, weight: Option<&str>) -> Result<(), Failure> {
    let place = Place::of(global, target)?;
    let weight = match weight {
        Some(weight) => place::weight(weight, Weight::MAX.get())?,
        None => place::weight_in_file(global, &place, &target.names)?,
    };
    set::set_weight(&mut Session::open_to_change(global, console)?, set::UNDRAIN, &place, weight)
}
