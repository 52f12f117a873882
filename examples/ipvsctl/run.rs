//! From the command line to what is done.

use std::path::Path;
use std::time::Duration;

use ipvs_rs::desired::{Drain, Lock, OnTimeout, WaitFor, spec};
use ipvs_rs::model::Weight;
use ipvs_rs::procfs::Procfs;
use ipvs_rs::{DestinationId, ServiceId};

use crate::address;
use crate::args::{self, Command, Files, Globals, Names, PlanFormat, Set, Target};
use crate::command::apply::silence;
use crate::command::conns::{self, Listing};
use crate::command::drain::{self, Draining};
use crate::command::plan::Planned;
use crate::command::set::{self, Place};
use crate::command::stats::{self, Counting};
use crate::command::{apply, get, plan, validate, watch};
use crate::console::Console;
use crate::failure::{Exit, Failure};
use crate::generate;
use crate::pace::Signals;
use crate::session::Session;
use crate::shown::shown;
use crate::source::{self, Input, Voice};

/// Does what was asked for.
pub fn run(global: &Globals, command: Command, console: &mut Console) -> Result<(), Failure> {
    let runner = Runner { global };
    match command {
        Command::Get(get) => runner.get(console, &get),
        Command::Validate(args) => validate::validate(console, runner.input(&args.files, Voice::Validate), args.output),
        Command::Plan(args) => runner.plan(console, &args),
        Command::Changeset(args) => runner.changeset(console, &args),
        Command::Apply(args) => runner.apply(console, &args),
        Command::Watch(args) => runner.watch(console, &args),
        Command::Set(set) => runner.set(console, set),
        Command::Drain(drain) => runner.drain(console, &drain),
        Command::Undrain(undrain) => runner.undrain(console, &undrain),
        Command::Zero(args) => {
            let service = runner.optional(args.service.as_deref(), &args.names)?;
            set::zero(&runner.open_to_change(console)?.handle, console, service.as_ref())
        }
        Command::Stats(args) => {
            let service = runner.optional(args.service.as_deref(), &args.names)?;
            let counting = Counting { service, output: args.output, watch: args.watch.map(Duration::from) };
            let handle = runner.open(console)?.handle;
            stats::stats(&handle, console, &mut Signals::catch(SECOND)?, &counting)
        }
        Command::Conns(args) => runner.conns(console, &args),
        Command::Schema => {
            console.print(&get::as_json(&spec::schema())?);
            Ok(())
        }
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

/// The signal that ends the program at once: the one after the wish.
const SECOND: usize = 2;
/// The same where the second one is the wish to leave everything as it is.
const THIRD: usize = 3;

struct Runner<'a> {
    global: &'a Globals,
}

impl Runner<'_> {
    fn open(&self, console: &mut Console) -> Result<Session, Failure> {
        Session::open(self.global, console)
    }

    /// The same for a command that changes something: what a run that was killed has left is set back first.
    fn open_to_change(&self, console: &mut Console) -> Result<Session, Failure> {
        let session = self.open(console)?;
        silence::restore(&session.netns, Path::new(Lock::DIRECTORY), None, console);
        Ok(session)
    }

    fn input<'i>(&'i self, files: &'i Files, voice: Voice) -> Input<'i> {
        Input { global: self.global, file: &files.file, merge: files.merge, voice }
    }

    fn service(&self, handle: &str, names: &Names) -> Result<ServiceId, Failure> {
        source::service(self.global, handle, names)
    }

    fn optional(&self, handle: Option<&str>, names: &Names) -> Result<Option<ServiceId>, Failure> {
        handle.map(|handle| self.service(handle, names)).transpose()
    }

    fn place(&self, target: &Target) -> Result<Place, Failure> {
        let service = self.service(&target.service, &target.names)?;
        Ok(Place { service, destination: address::destination(&target.destination, &service)? })
    }

    fn plan(&self, console: &mut Console, args: &args::Plan) -> Result<(), Failure> {
        let input = self.input(&args.files, Voice::Table);
        let loaded = input.load(console)?;
        let silent = input.silent(&loaded);
        let allowed = plan::allowed(&args.planning)?;
        plan::plan(&self.open(console)?.handle, console, &loaded.state, args, allowed, silent.as_deref())
    }

    fn changeset(&self, console: &mut Console, args: &args::Changeset) -> Result<(), Failure> {
        let input = self.input(&args.files, Voice::Changes);
        let loaded = input.load(console)?;
        let silent = input.silent(&loaded);
        let allowed = plan::allowed(&args.planning)?;
        plan::changeset(&self.open(console)?.handle, console, &loaded.state, args, allowed, silent.as_deref())
    }

    fn apply(&self, console: &mut Console, args: &args::Apply) -> Result<(), Failure> {
        let input = self.input(&args.files, Voice::Table);
        let loaded = if args.saved.is_none() { Some(input.load(console)?) } else { None };
        let silent = loaded.as_ref().filter(|_| !args.allow_empty).and_then(|loaded| input.silent(loaded));
        let allowed = plan::allowed(&args.planning)?;
        let session = self.open(console)?;
        let handle = &session.handle;
        // What is only shown keeps no other process waiting.
        let lock = if args.dry_run { None } else { Some(apply::lock(&session, &args.applying)?) };
        if lock.is_some() {
            silence::restore(&session.netns, &args.applying.lock_dir, lock.as_ref(), console);
        }
        let (mut planned, name) = match (&args.saved, &loaded) {
            (Some(path), _) => (apply::saved(handle, path)?, shown(path.display())),
            (None, Some(loaded)) => (plan::make(handle, console, &loaded.state, &args.planning)?, input.name()),
            (None, None) => return Ok(()),
        };
        if args.dry_run {
            plan::show(console, &planned, PlanFormat::Text)?;
        }
        let check =
            |planned: &Planned| match silent.as_deref().and_then(|name| source::problem_of_silence(name, planned)) {
                Some(problem) => Err(Failure::new(Exit::Invalid, format!("{}{problem}", plan::APPLYING))),
                None => plan::check(&planned.plan, allowed, plan::APPLYING),
            };
        check(&planned)?;
        if args.dry_run {
            return Ok(());
        }
        apply::confirm(console, &planned.plan, args)?;
        apply::warn_of_persistence(console, &Procfs::of(session.netns.clone()), &planned.plan);
        let signals = Signals::catch(THIRD)?;
        for round in 1.. {
            let way = apply::way(&session, console, &planned.plan, (&args.applying, allowed));
            let raced = match apply::apply(handle, console, &signals, &planned.plan, way, None) {
                Ok(report) => {
                    apply::undrained(&report)?;
                    if report.drains.is_empty() {
                        break;
                    }
                    // Servers took their time, in which other programs could do much.
                    None
                }
                Err(error) if error.is_raced() => Some(error),
                Err(error) => return Err(apply::explain(&error)),
            };
            let Some(loaded) = &loaded else {
                raced.map_or(Ok(()), |error| Err(apply::explain(&error)))?;
                break;
            };
            let again = plan::make(handle, console, &loaded.state, &args.planning)?;
            match raced {
                _ if again.plan.is_empty() => break,
                Some(error) if round == apply::ROUNDS => return Err(apply::explain(&error)),
                None if round == apply::ROUNDS => {
                    let message = format!("{}another program keeps changing the table", plan::APPLYING);
                    return Err(Failure::new(Exit::Apply, message));
                }
                _ => console.warning("Another program has changed the table meanwhile; planning again"),
            }
            check(&again)?;
            planned = again;
        }
        console.done(&format!("Applied configuration from {name}"));
        Ok(())
    }

    fn watch(&self, console: &mut Console, args: &args::Watch) -> Result<(), Failure> {
        let input = self.input(&args.files, Voice::Table);
        let allowed = plan::allowed(&args.planning)?;
        let session = self.open(console)?;
        silence::restore(&session.netns, &args.applying.lock_dir, None, console);
        watch::watch(&session, console, &mut Signals::catch(THIRD)?, (input, args), allowed)
    }

    fn get(&self, console: &mut Console, get: &args::Get) -> Result<(), Failure> {
        let service = self.optional(get.service.as_deref(), &get.names)?;
        get::get(&self.open(console)?.handle, console, get, service.as_ref())
    }

    fn set(&self, console: &mut Console, set: Set) -> Result<(), Failure> {
        match set {
            Set::Weight { weight, target, time } => {
                let (weight, place) = (set::weight(&weight)?, self.place(&target)?);
                let handle = self.open_to_change(console)?.handle;
                set::ramp_weight(&handle, console, &mut Signals::catch(SECOND)?, &place, (weight, time))
            }
            Set::Thresholds { upper, lower, target } => {
                let place = self.place(&target)?;
                set::set_thresholds(&self.open_to_change(console)?.handle, console, &place, (upper, lower))
            }
            Set::Sched { scheduler, flags, service, names } => {
                let service = self.service(&service, &names)?;
                let handle = self.open_to_change(console)?.handle;
                set::set_scheduler(&handle, console, &service, (&scheduler, flags.as_deref()))
            }
            Set::Timeouts { tcp, tcpfin, udp } => {
                let timeouts = [tcp, tcpfin, udp].map(|timeout| timeout.map(Duration::from));
                set::set_timeouts(&self.open_to_change(console)?.handle, console, timeouts)
            }
            Set::State { state: args::State::Drain, target, .. } => {
                let place = self.place(&target)?;
                set::set_weight(&self.open_to_change(console)?.handle, console, &place, Weight::ZERO)
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
        let Session { handle, netns } = self.open_to_change(console)?;
        drain::warn(&handle, console, &Procfs::of(netns), &draining)?;
        drain::drain(&handle, console, &mut Signals::catch(SECOND)?, &draining)
    }

    fn undrain(&self, console: &mut Console, args: &args::Undrain) -> Result<(), Failure> {
        let place = self.place(&args.target)?;
        let weight = match &args.weight {
            Some(weight) => set::any_weight(weight)?,
            None => source::weight(self.global, &place, &args.target.names)?,
        };
        drain::undrain(&self.open_to_change(console)?.handle, console, &place, weight)
    }

    fn conns(&self, console: &mut Console, args: &args::Conns) -> Result<(), Failure> {
        let service = self.optional(args.service.as_deref(), &args.names)?;
        let destination = args.destination.as_deref().map(|text| {
            let id = text.trim().parse::<DestinationId>();
            id.map_err(|error| Failure::new(Exit::Value, format!("Invalid destination \"{}\": {error}", shown(text))))
        });
        let listing = Listing { service, destination: destination.transpose()?, output: args.output };
        // The files are there once IPVS is loaded, which asking for it does.
        let Session { netns, .. } = self.open(console)?;
        conns::conns(&Procfs::of(netns), console, &listing)
    }
}
