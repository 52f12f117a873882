//! The controller of generic netlink, as far as it concerns IPVS.

use super::answer::{BARE, Head, Remark, Writer};
use super::list::Listing;
use super::machine::{Caller, Machine, Outcome, VERSION as FAMILY_VERSION, check_header, operations, parse};
use super::wire::{Attributes, CONTROLLER, Message};
use crate::error::Errno;

const NAME: &[u8] = b"IPVS";
pub(super) const NEWFAMILY: u8 = 1;
const GETFAMILY: u8 = 3;
/// `CTRL_CMD_GETPOLICY`, the last command whose headers are not checked.
const LAST_COMMAND: u8 = 10;
/// The version of the controller's messages.
pub(super) const VERSION: u8 = 2;

impl Machine {
    /// `ctrl_getfamily`. It requires no privilege.
    pub(super) fn control(
        &mut self,
        caller: Caller,
        message: &Message<'_>,
        remark: &mut Remark,
    ) -> Result<Outcome, Errno> {
        let (command, reserved) = message.command().ok_or(Errno::EINVAL)?;
        check_header(message, command, reserved, LAST_COMMAND, remark)?;
        if command != GETFAMILY {
            return Err(Errno::EOPNOTSUPP);
        }
        if message.is_dump() {
            if self.release.checks_lists_of_families() {
                Attributes::check_strictly(message.attributes(), BARE, CONTROLLER, remark)?;
            }
            return Ok(Outcome::List(Listing::new(command, message)));
        }
        let attributes = parse(message.attributes(), BARE, CONTROLLER, remark)?;
        let is_asked_for = match (attributes.u16(1), attributes.name(2)) {
            (_, Some(name)) => name == NAME,
            (Some(id), None) => Some(id) == self.family,
            (None, None) => return Err(Errno::EINVAL),
        };
        if !is_asked_for || self.family.is_none() {
            return Err(Errno::ENOENT);
        }
        let head = Head {
            family: message.kind,
            flags: 0,
            sequence: message.sequence,
            port: caller.port,
            command: NEWFAMILY,
            version: VERSION,
        };
        let mut out = Writer::default();
        out.data(head, |out| put_family(out, self));
        Ok(Outcome::Reply(out.bytes))
    }
}

/// Appends the description of the family (`ctrl_fill_info`).
pub(super) fn put_family(out: &mut Writer, machine: &Machine) {
    out.name(2, NAME);
    out.u16(1, machine.family.unwrap_or(0));
    out.u32(3, FAMILY_VERSION.into());
    out.u32(4, 0);
    out.u32(5, 6);
    out.nest(6, |out| {
        for (number, (command, flags)) in (1..).zip(operations(machine.release)) {
            out.nest(number, |out| {
                out.u32(1, command.into());
                out.u32(2, flags);
            });
        }
    });
}
