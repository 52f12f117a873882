//! The path of a request through the kernel (`genl_rcv_msg`).

use netlink_packet_generic::constants::GENL_ID_CTRL;

use super::command::COMMANDS;
use super::machine::{Caller, Machine, Outcome};
use super::wire::{BARE, Message, Remark, TOP, check_header, parse};
use crate::codec::IpvsCommand;
use crate::error::Errno;

impl Machine {
    /// Executes a request.
    pub(super) fn follow(
        &mut self,
        caller: Caller,
        message: &Message<'_>,
        remark: &mut Remark,
    ) -> Result<Outcome, Errno> {
        if message.kind == GENL_ID_CTRL {
            return self.control(caller, message, remark);
        }
        if Some(message.kind) != self.family {
            return Err(Errno::ENOENT);
        }
        let (number, reserved) = message.command().ok_or(Errno::EINVAL)?;
        check_header(message, number, reserved, IpvsCommand::Flush.number(), remark)?;
        let known = COMMANDS.into_iter().find(|(command, _)| command.number() == number);
        let (command, (can_do, can_list)) = known.ok_or(Errno::EOPNOTSUPP)?;
        let is_possible = if message.is_dump() { can_list } else { can_do };
        let (first, second) = if self.release.asks_for_privilege_first() {
            ((caller.is_privileged, Errno::EPERM), (is_possible, Errno::EOPNOTSUPP))
        } else {
            ((is_possible, Errno::EOPNOTSUPP), (caller.is_privileged, Errno::EPERM))
        };
        for (is_well, errno) in [first, second] {
            if !is_well {
                return Err(errno);
            }
        }
        if message.is_dump() {
            return Ok(Outcome::List);
        }
        let attributes = parse(message.attributes(), BARE, TOP, remark)?;
        self.command(caller, message, command, &attributes, remark)
    }
}
