//! Commands to the kernel, and messages about its refusals.

use std::io;

use ipvs_rs::error::{Call, Errno, ErrorKind};
use ipvs_rs::handle::Batch;
use ipvs_rs::model::TableService;
use ipvs_rs::procfs::{Procfs, ProcfsError};
use ipvs_rs::{Error, ServiceId, Table};

use crate::fault::Fault;
use crate::invocation::{Change, Invocation, ListTarget, Listing};
use crate::list::{self, Printer};
use crate::session::Session;
use crate::unreadable::UnreadableRows;
use crate::{generate, json, order, save, watch};

/// The action of a restore after a command.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AfterLine {
    Continue,
    /// A text about the program was printed, which ends everything.
    End,
}

impl Session {
    /// Executes a command line. [`Invocation::Restore`] is up to the caller.
    pub fn run(&mut self, invocation: &Invocation) -> Result<AfterLine, Fault> {
        match invocation {
            Invocation::Change(change) => self.change(change)?,
            Invocation::List(listing) => match listing.watch {
                Some(interval) => watch::run(self, listing, interval)?,
                None => self.list(listing)?,
            },
            Invocation::Save { numeric } => {
                let table = self.table(true).map_err(|error| Fault::list(text(&error)))?;
                save::table(&table, *numeric, &mut self.names, &mut self.out);
            }
            Invocation::StartDaemon(daemon) => self.handle.start_sync(daemon).map_err(|error| refusal(&error))?,
            Invocation::StopDaemon(role) => self.handle.stop_sync(*role).map_err(|error| refusal(&error))?,
            Invocation::Help => {
                self.out.write(generate::usage(&self.program).as_slice());
                return Ok(AfterLine::End);
            }
            Invocation::Version => {
                self.out.write(generate::VERSION.as_bytes());
                return Ok(AfterLine::End);
            }
            Invocation::HelpAll | Invocation::Completions(_) | Invocation::Man | Invocation::Restore => {
                generate::print(invocation, &self.program, &mut self.out)?;
                return Ok(AfterLine::End);
            }
        }
        Ok(AfterLine::Continue)
    }

    fn change(&self, change: &Change) -> Result<(), Fault> {
        let handle = &self.handle;
        match change {
            Change::NewService(service) => handle.new_service(service),
            Change::UpdateService(service) => handle.update_service(service),
            Change::DeleteService(id) => handle.delete_service(id),
            Change::NewDestination(id, destination) => handle.new_destination(id, destination),
            Change::UpdateDestination(id, destination) => handle.update_destination(id, destination),
            Change::DeleteDestination(id, destination) => handle.delete_destination(id, destination),
            Change::Flush => handle.flush(),
            Change::Zero(Some(id)) => handle.zero_service(id),
            Change::Zero(None) => handle.zero_all(),
            Change::Set(config) => handle.set_config(config),
        }
        .map_err(|error| refusal(&error))
    }

    /// Lists once.
    pub fn list(&mut self, listing: &Listing) -> Result<(), Fault> {
        match &listing.what {
            ListTarget::Table | ListTarget::Service(_) => {
                let table = self.listed(listing)?;
                self.print(listing, &table);
            }
            ListTarget::Connections { engine_data } => self.connections(listing, *engine_data)?,
            ListTarget::Timeouts => {
                // Without a message about a refusal, as in the original.
                let config = self.handle.get_config().map_err(|_unsaid| Fault::list(""))?;
                let text = if listing.json { json::timeouts(&config) } else { list::timeouts(&config) };
                self.out.write(text.as_bytes());
            }
            ListTarget::Daemons => {
                let daemons = self.handle.get_sync_daemons().map_err(|_unsaid| Fault::list(""))?;
                if listing.json {
                    self.out.write(json::daemons(&daemons).as_bytes());
                } else {
                    let lines: Vec<_> = daemons.iter().map(list::daemon).collect();
                    self.out.write(&lines.concat());
                }
            }
        }
        Ok(())
    }

    /// The services to list, in the order of the listing.
    pub fn listed(&self, listing: &Listing) -> Result<Table, Fault> {
        let table = match listing.what {
            ListTarget::Service(id) => self.service(&id, listing.sorted),
            _ => self.table(listing.sorted).map(Some),
        };
        table.map_err(|error| Fault::list(text(&error)))?.ok_or_else(|| Fault::list("No such service"))
    }

    /// Prints services.
    pub fn print(&mut self, listing: &Listing, table: &Table) {
        let is_whole = listing.what == ListTarget::Table;
        if listing.json {
            let text = json::table(is_whole.then_some(self.info), table);
            self.out.write(text.as_bytes());
            return;
        }
        let mut printer = Printer::new(listing, &mut self.names);
        if is_whole {
            printer.table(self.info, table, &mut self.out);
        } else {
            printer.services(table, &mut self.out);
        }
    }

    fn table(&self, sorted: bool) -> Result<Table, Error> {
        let mut table = self.handle.snapshot()?;
        if sorted {
            order::sort(&mut table);
        }
        Ok(table)
    }

    fn service(&self, id: &ServiceId, sorted: bool) -> Result<Option<Table>, Error> {
        let Some(service) = self.handle.get_service(id)? else { return Ok(None) };
        let destinations = self.handle.get_destinations(id)?;
        let mut table = Table::new(vec![TableService::new(service, destinations)]);
        if sorted {
            order::sort(&mut table);
        }
        Ok(Some(table))
    }

    fn connections(&mut self, listing: &Listing, engine_data: bool) -> Result<(), Fault> {
        let cannot_open = |_unsaid: ProcfsError| Fault::list("cannot open file /proc/net/ip_vs_conn");
        let connections = Procfs::of(self.netns.clone()).connections().map_err(cannot_open)?;
        let mut unreadable = UnreadableRows::default();
        let connections = unreadable.readable(connections);
        if listing.json {
            json::connections(connections, &mut self.out);
        } else {
            Printer::connection_titles(engine_data, &mut self.out);
            let mut printer = Printer::new(listing, &mut self.names);
            connections.for_each(|connection| printer.connection(&connection, engine_data, &mut self.out));
        }
        let lines = unreadable.lines();
        if lines.is_empty() { Ok(()) } else { Err(Fault::partial(&lines)) }
    }
}

/// Appends a change to a batch.
pub fn add<'h>(batch: Batch<'h>, change: &Change) -> Batch<'h> {
    match change {
        Change::NewService(service) => batch.new_service(service),
        Change::UpdateService(service) => batch.update_service(service),
        Change::DeleteService(id) => batch.delete_service(id),
        Change::NewDestination(id, destination) => batch.new_destination(id, destination),
        Change::UpdateDestination(id, destination) => batch.update_destination(id, destination),
        Change::DeleteDestination(id, destination) => batch.delete_destination(id, destination),
        Change::Flush => batch.flush(),
        Change::Zero(Some(id)) => batch.zero_service(id),
        Change::Zero(None) => batch.zero_all(),
        Change::Set(config) => batch.set_config(config),
    }
}

/// A refusal of the kernel, after which a restore goes on.
pub fn refusal(error: &Error) -> Fault {
    Fault::refused(text(error))
}

/// The message of the original for an error of the kernel, by operation; that of the library where the error is not
/// from the kernel.
pub fn text(error: &Error) -> String {
    let number = match (error.errno(), error.io_error().and_then(io::Error::raw_os_error)) {
        (Some(errno), _) => errno,
        (None, Some(number)) => Errno::from_raw(number.unsigned_abs()),
        (None, None) if error.kind() == ErrorKind::NotAvailable => Errno::ENOPROTOOPT,
        (None, None) => return error.to_string(),
    };
    let words = match (number, error.call()) {
        (Errno::EEXIST, Call::NewService) => "Service already exists",
        (Errno::ENOENT, Call::NewService | Call::UpdateService) => "Scheduler or persistence engine not found",
        (Errno::ESRCH, Call::UpdateService | Call::DeleteService | Call::Zero | Call::GetService) => "No such service",
        (Errno::ESRCH, Call::NewDestination | Call::UpdateDestination | Call::DeleteDestination) => {
            "Service not defined"
        }
        (Errno::EEXIST, Call::NewDestination) => "Destination already exists",
        (Errno::ENOENT, Call::UpdateDestination | Call::DeleteDestination) => "No such destination",
        (Errno::EEXIST, Call::StartSync) => "Daemon has already run",
        (Errno::ESRCH, Call::StopSync) => "No daemon is running",
        (Errno::EPERM, _) => "Permission denied (you must be root)",
        (Errno::EINVAL, _) => "Invalid operation.  Possibly wrong module version, address not unicast, ...",
        (Errno::ENOPROTOOPT, _) => "Protocol not available",
        (Errno::ENOMEM, _) => "Memory allocation problem",
        (Errno::EOPNOTSUPP, _) => "Call not supported with IPv6",
        (Errno::EAFNOSUPPORT, _) => "Call not supported with specified address family",
        (Errno::EMSGSIZE, _) => "Module is wrong version",
        _ => return c_text(number),
    };
    words.to_owned()
}

/// The C library's text for an error.
fn c_text(errno: Errno) -> String {
    let Ok(number) = i32::try_from(errno.raw()) else { return errno.to_string() };
    let text = io::Error::from_raw_os_error(number).to_string();
    // The standard library appends the number.
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}
