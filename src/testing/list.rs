//! Lists, one datagram at a time (`netlink_dump`).

use netlink_packet_core::NLM_F_MULTIPART;
use netlink_packet_generic::constants::{CTRL_CMD_NEWFAMILY, GENL_ID_CTRL};

use super::answer::{Head, Writer, done};
use super::controller::{self, put_family};
use super::identity::Extent;
use super::machine::{Caller, Machine};
use super::table::{put_daemon, put_destination, put_service};
use super::wire::{BARE, Message, Remark, TOP, parse};
use crate::codec::{FAMILY_VERSION, IpvsCommand};

/// A list that is being read. It remembers only the number of rows that were passed, so that rows which are inserted or
/// removed before that position meanwhile shift the rest. Of daemons it remembers which were sent.
#[derive(Clone, Debug)]
pub(super) struct Listing {
    family: u16,
    command: Option<IpvsCommand>,
    sequence: u32,
    attributes: Vec<u8>,
    passed: usize,
}

impl Listing {
    pub(super) fn new(message: &Message<'_>) -> Self {
        Self {
            family: message.kind,
            command: message.command().and_then(|(number, _)| IpvsCommand::from_number(number)),
            sequence: message.sequence,
            attributes: message.attributes().to_vec(),
            passed: 0,
        }
    }

    /// The next datagram of at most `room` bytes, and whether it is the last.
    pub(super) fn next(&mut self, machine: &mut Machine, caller: Caller, room: usize) -> (Vec<u8>, bool) {
        let mut remark = Remark::default();
        let mut piece = Piece { out: Writer::default(), room, row: 0, passed: self.passed };
        match (self.family, self.command) {
            (GENL_ID_CTRL, _) => self.families(machine, caller, &mut piece),
            (_, Some(IpvsCommand::GetService)) => self.services(machine, caller, &mut piece),
            (_, Some(IpvsCommand::GetDestination)) => self.destinations(machine, caller, &mut piece, &mut remark),
            _ => self.daemons(machine, caller, &mut piece),
        }
        self.passed = piece.passed;
        let mut bytes = piece.out.bytes;
        let is_last =
            bytes.is_empty() || (self.family == GENL_ID_CTRL && machine.release.ends_lists_of_families_at_once());
        if is_last {
            bytes.extend(done(self.sequence, caller.port, &remark, caller.options));
        }
        (bytes, is_last)
    }

    fn head(&self, caller: Caller, command: u8, version: u8) -> Head {
        let (family, sequence, port) = (self.family, self.sequence, caller.port);
        Head { family, flags: NLM_F_MULTIPART, sequence, port, command, version }
    }

    fn services(&self, machine: &Machine, caller: Caller, piece: &mut Piece) {
        let head = self.head(caller, IpvsCommand::NewService.number(), FAMILY_VERSION);
        for (place, service) in machine.table(caller.namespace) {
            // Services of other namespaces in the same table are skipped, but counted.
            let is_ours = place.namespace == caller.namespace;
            let fits = piece.row(is_ours, |out| out.data(head, |out| put_service(out, &place.key, service)));
            if !fits {
                return;
            }
        }
    }

    fn destinations(&self, machine: &Machine, caller: Caller, piece: &mut Piece, remark: &mut Remark) {
        let head = self.head(caller, IpvsCommand::NewDestination.number(), FAMILY_VERSION);
        // For any error in the request the answer is an empty list.
        let Ok(top) = parse(&self.attributes, BARE, TOP, remark) else { return };
        let Ok(described) = machine.described(caller, &top, Extent::Name) else { return };
        let Some(service) = machine.services.get(&described.place) else { return };
        for destination in &service.destinations {
            let fits = piece.row(true, |out| {
                out.data(head, |out| put_destination(out, destination, machine.knows_tunnels));
            });
            if !fits {
                return;
            }
        }
    }

    fn daemons(&self, machine: &mut Machine, caller: Caller, piece: &mut Piece) {
        let head = self.head(caller, IpvsCommand::NewDaemon.number(), FAMILY_VERSION);
        let Some(namespace) = machine.namespace(caller.namespace) else { return };
        for (slot, daemon) in namespace.daemons.iter().enumerate() {
            // `passed` has a bit for each of the two daemons here, not a number.
            let told = 1 << slot;
            if piece.passed & told == 0
                && let Some(daemon) = daemon
            {
                if !piece.put(|out| out.data(head, |out| put_daemon(out, slot, daemon))) {
                    return;
                }
                piece.passed |= told;
            }
        }
    }

    fn families(&self, machine: &Machine, caller: Caller, piece: &mut Piece) {
        let head = self.head(caller, CTRL_CMD_NEWFAMILY, controller::VERSION);
        piece.row(machine.family.is_some(), |out| {
            out.data(head, |out| put_family(out, machine));
        });
    }
}

/// One datagram of a list that is being written.
#[derive(Debug)]
struct Piece {
    out: Writer,
    room: usize,
    /// The number of rows that were visited.
    row: usize,
    /// The number of rows that were written or skipped; of daemons, a bit for each.
    passed: usize,
}

impl Piece {
    /// Appends a row unless it was passed before or is not to be shown; `false` when it does not fit.
    fn row(&mut self, is_shown: bool, fill: impl FnOnce(&mut Writer)) -> bool {
        self.row += 1;
        if self.row <= self.passed {
            return true;
        }
        if is_shown && !self.put(fill) {
            return false;
        }
        self.passed = self.row;
        true
    }

    /// Appends a row; `false` when it does not fit.
    fn put(&mut self, fill: impl FnOnce(&mut Writer)) -> bool {
        let start = self.out.bytes.len();
        fill(&mut self.out);
        let fits = self.out.bytes.len() <= self.room;
        if !fits {
            self.out.bytes.truncate(start);
        }
        fits
    }
}
