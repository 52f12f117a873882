//! The controller of generic netlink, as far as it concerns IPVS.

use netlink_packet_generic::constants::{
    CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME, CTRL_ATTR_HDRSIZE, CTRL_ATTR_MAXATTR, CTRL_ATTR_OP_FLAGS,
    CTRL_ATTR_OP_ID, CTRL_ATTR_OPS, CTRL_ATTR_VERSION, CTRL_CMD_GETFAMILY, CTRL_CMD_GETPOLICY, CTRL_CMD_NEWFAMILY,
};

use super::answer::{Head, Writer};
use super::command::operations;
use super::machine::{Caller, Machine, Outcome};
use super::wire::{Attributes, BARE, CONTROLLER, Message, Remark, TOP, check_header, parse};
use crate::codec::{FAMILY_NAME, FAMILY_VERSION};
use crate::error::Errno;

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
        // Only the headers of later commands are checked.
        check_header(message, command, reserved, CTRL_CMD_GETPOLICY, remark)?;
        if command != CTRL_CMD_GETFAMILY {
            return Err(Errno::EOPNOTSUPP);
        }
        if message.is_dump() {
            if self.release.checks_lists_of_families() {
                Attributes::check_strictly(message.attributes(), BARE, CONTROLLER, remark)?;
            }
            return Ok(Outcome::List);
        }
        let attributes = parse(message.attributes(), BARE, CONTROLLER, remark)?;
        let is_asked_for = match (attributes.u16(CTRL_ATTR_FAMILY_ID), attributes.name(CTRL_ATTR_FAMILY_NAME)) {
            (_, Some(name)) => name == FAMILY_NAME.as_bytes(),
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
            command: CTRL_CMD_NEWFAMILY,
            version: VERSION,
        };
        let mut out = Writer::default();
        out.data(head, |out| put_family(out, self));
        Ok(Outcome::Reply(out.bytes))
    }
}

/// Appends the description of the family (`ctrl_fill_info`).
pub(super) fn put_family(out: &mut Writer, machine: &Machine) {
    out.name(CTRL_ATTR_FAMILY_NAME, FAMILY_NAME.as_bytes());
    out.u16(CTRL_ATTR_FAMILY_ID, machine.family.unwrap_or(0));
    out.u32(CTRL_ATTR_VERSION, FAMILY_VERSION.into());
    out.u32(CTRL_ATTR_HDRSIZE, 0);
    out.u32(CTRL_ATTR_MAXATTR, TOP.last().map_or(0, |(number, _)| (*number).into()));
    out.nest(CTRL_ATTR_OPS, |out| {
        for (number, (command, flags)) in (1..).zip(operations(machine.release)) {
            out.nest(number, |out| {
                out.u32(CTRL_ATTR_OP_ID, command.number().into());
                out.u32(CTRL_ATTR_OP_FLAGS, flags);
            });
        }
    });
}
