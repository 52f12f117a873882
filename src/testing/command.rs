//! The commands that change or read one object (`ip_vs_genl_set_cmd`, `ip_vs_genl_get_cmd`).

use std::collections::VecDeque;
use std::net::IpAddr;

use super::counters::Counters;
use super::identity::{Described, Extent, Wanted};
use super::machine::{Caller, Machine, Namespace, Outcome};
use super::release::Release;
use super::table::{Destination, DestinationKey, Forward, HZ, Place, Service, ServiceKey, address, put_service};
use super::wire::{Attributes, Message, Remark};
use crate::codec::IpvsCommand;
use crate::codec::consts::{
    IPVS_CMD_ATTR_SERVICE, IPVS_CMD_ATTR_TIMEOUT_TCP, IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, IPVS_CMD_ATTR_TIMEOUT_UDP,
    IPVS_INFO_ATTR_CONN_TAB_SIZE, IPVS_INFO_ATTR_VERSION,
};
use crate::error::Errno;

/// TCP, TCP after a FIN, UDP.
const TIMEOUTS: [u16; 3] = [IPVS_CMD_ATTR_TIMEOUT_TCP, IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, IPVS_CMD_ATTR_TIMEOUT_UDP];

/// The forms of a command: whether it can change or read one object, and whether it can list.
pub(super) type Can = (bool, bool);

/// The commands of the family; `SET_INFO` is only the name of a reply.
pub(super) const COMMANDS: [(IpvsCommand, Can); 16] = [
    (IpvsCommand::NewService, (true, false)),
    (IpvsCommand::SetService, (true, false)),
    (IpvsCommand::DeleteService, (true, false)),
    (IpvsCommand::GetService, (true, true)),
    (IpvsCommand::NewDestination, (true, false)),
    (IpvsCommand::SetDestination, (true, false)),
    (IpvsCommand::DeleteDestination, (true, false)),
    (IpvsCommand::GetDestination, (false, true)),
    (IpvsCommand::NewDaemon, (true, false)),
    (IpvsCommand::DeleteDaemon, (true, false)),
    (IpvsCommand::GetDaemon, (false, true)),
    (IpvsCommand::SetConfig, (true, false)),
    (IpvsCommand::GetConfig, (true, false)),
    (IpvsCommand::GetInfo, (true, false)),
    (IpvsCommand::Zero, (true, false)),
    (IpvsCommand::Flush, (true, false)),
];

/// The commands with the flags that the controller reports for them (`CTRL_ATTR_OPS`).
pub(super) fn operations(release: Release) -> impl Iterator<Item = (IpvsCommand, u32)> {
    const ADMIN: u32 = 0x1;
    const DO: u32 = 0x2;
    const LIST: u32 = 0x4;
    const POLICY: u32 = 0x8;
    COMMANDS.into_iter().map(move |(command, (can_do, can_list))| {
        // Since 6.12 the commands that can only list are reported without a policy.
        let has_policy = can_do || release == Release::V6_1;
        let bit = |is_set: bool, bit: u32| if is_set { bit } else { 0 };
        (command, ADMIN | bit(can_do, DO) | bit(can_list, LIST) | bit(has_policy, POLICY))
    })
}

impl Machine {
    pub(super) fn command(
        &mut self,
        caller: Caller,
        message: &Message<'_>,
        command: IpvsCommand,
        top: &Attributes<'_>,
        remark: &mut Remark,
    ) -> Result<Outcome, Errno> {
        match command {
            IpvsCommand::GetService => return self.tell_service(caller, message, top),
            IpvsCommand::GetConfig => return self.tell_config(caller, message),
            IpvsCommand::GetInfo => return self.tell_info(caller, message),
            IpvsCommand::NewDaemon => self.start_daemon(caller, top, remark)?,
            IpvsCommand::DeleteDaemon => self.stop_daemon(caller, top, remark)?,
            IpvsCommand::Flush => {
                for place in self.keys_of(caller.namespace) {
                    self.remove_service(&place);
                }
            }
            IpvsCommand::SetConfig => self.set_config(caller, top)?,
            IpvsCommand::Zero if top.get(IPVS_CMD_ATTR_SERVICE).is_none() => {
                for place in self.keys_of(caller.namespace) {
                    self.zero(&place);
                }
            }
            _ => self.change(caller, command, top)?,
        }
        Ok(Outcome::Done)
    }

    /// Executes the commands that name a service.
    fn change(&mut self, caller: Caller, command: IpvsCommand, top: &Attributes<'_>) -> Result<(), Errno> {
        let extent = if matches!(command, IpvsCommand::NewService | IpvsCommand::SetService) {
            Extent::Everything
        } else {
            Extent::Name
        };
        let Described { place, exists, wanted } = self.described(caller, top, extent)?;
        if command == IpvsCommand::NewService {
            return match (exists, wanted) {
                (true, _) => Err(Errno::EEXIST),
                (false, Some(wanted)) => self.add_service(place, &wanted),
                (false, None) => Err(Errno::EINVAL),
            };
        }
        if !exists {
            return Err(Errno::ESRCH);
        }
        match (command, wanted) {
            (IpvsCommand::SetService, Some(wanted)) => {
                let settings = self.settings(&place.key, &wanted)?;
                self.edit(&place, |service| service.settings = settings)
            }
            (IpvsCommand::DeleteService, _) => {
                self.remove_service(&place);
                Ok(())
            }
            (IpvsCommand::Zero, _) => {
                self.zero(&place);
                Ok(())
            }
            _ => self.change_destination(caller, command, top, place),
        }
    }

    fn change_destination(
        &mut self,
        caller: Caller,
        command: IpvsCommand,
        top: &Attributes<'_>,
        place: Place,
    ) -> Result<(), Errno> {
        let extent = if command == IpvsCommand::DeleteDestination { Extent::Name } else { Extent::Everything };
        let (key, forward) = self.described_destination(caller, top, &place.key, extent)?;
        let service = self.services.get_mut(&place).ok_or(Errno::ESRCH)?;
        let position = service.destinations.iter().position(|destination| destination.key == key);
        match (command, position, forward) {
            (IpvsCommand::NewDestination, Some(_), _) => Err(Errno::EEXIST),
            (IpvsCommand::NewDestination, None, Some(forward)) => self.add_destination(place, key, forward),
            (IpvsCommand::SetDestination, Some(position), Some(forward)) => {
                if let Some(destination) = service.destinations.get_mut(position) {
                    destination.forward = forward;
                }
                Ok(())
            }
            (IpvsCommand::DeleteDestination, Some(position), _) => {
                let (removed, instance) = (service.destinations.remove(position), service.instance);
                self.discard(&place, removed, instance);
                Ok(())
            }
            _ => Err(Errno::ENOENT),
        }
    }

    fn add_service(&mut self, place: Place, wanted: &Wanted<'_>) -> Result<(), Errno> {
        let settings = self.settings(&place.key, wanted)?;
        self.next_instance += 1;
        let service = Service {
            instance: self.next_instance,
            settings,
            destinations: VecDeque::new(),
            counters: Counters::default(),
        };
        self.services.insert(place, service);
        if let Some(namespace) = self.namespace(place.namespace) {
            namespace.has_connection_table = true;
        }
        Ok(())
    }

    fn edit(&mut self, place: &Place, change: impl FnOnce(&mut Service)) -> Result<(), Errno> {
        self.services.get_mut(place).map(change).ok_or(Errno::ESRCH)
    }

    pub(super) fn remove_service(&mut self, place: &Place) {
        if let Some(service) = self.services.remove(place) {
            for destination in service.destinations {
                self.discard(place, Some(destination), service.instance);
            }
        }
    }

    fn discard(&mut self, place: &Place, destination: Option<Destination>, instance: u64) {
        let now = self.now;
        if let (Some(destination), Some(namespace)) = (destination, self.namespace(place.namespace)) {
            namespace.discard(destination, place.key, instance, now);
        }
    }

    /// `ip_vs_add_dest`, from the point where it is known that the destination does not exist.
    fn add_destination(&mut self, place: Place, key: DestinationKey, forward: Forward) -> Result<(), Errno> {
        let service = self.services.get_mut(&place).ok_or(Errno::ESRCH)?;
        let namespace = usize::try_from(place.namespace).ok().and_then(|number| self.namespaces.get_mut(number));
        let namespace = namespace.ok_or(Errno::ESRCH)?;
        let revived = namespace.revive(&place.key, &key);
        let destination = match revived {
            Some((mut destination, instance)) => {
                if instance != service.instance {
                    destination.counters.zero();
                }
                Destination { forward, ..destination }
            }
            None if namespace.can_reach(address(key.family, key.address)) => {
                Destination { key, forward, active: 0, inactive: 0, persistent: 0, counters: Counters::default() }
            }
            None => return Err(Errno::EINVAL),
        };
        if key.family != place.key.family {
            namespace.mixed += 1;
        }
        service.destinations.push_front(destination);
        Ok(())
    }

    fn zero(&mut self, place: &Place) {
        if let Some(service) = self.services.get_mut(place) {
            service.counters.zero();
            service.destinations.iter_mut().for_each(|destination| destination.counters.zero());
        }
    }

    fn set_config(&mut self, caller: Caller, top: &Attributes<'_>) -> Result<(), Errno> {
        const LONGEST: u32 = i32::MAX.unsigned_abs() / HZ;
        // 0 leaves a timeout unchanged, as does an absent attribute.
        let wanted = TIMEOUTS.map(|kind| top.u32(kind).unwrap_or(0));
        if wanted.iter().any(|timeout| *timeout > LONGEST) {
            return Err(Errno::EINVAL);
        }
        if let Some(namespace) = self.namespace(caller.namespace) {
            for (timeout, wanted) in namespace.timeouts.iter_mut().zip(wanted) {
                if wanted != 0 {
                    *timeout = wanted * HZ;
                }
            }
        }
        Ok(())
    }

    fn tell_service(&self, caller: Caller, message: &Message<'_>, top: &Attributes<'_>) -> Result<Outcome, Errno> {
        let place = self.described(caller, top, Extent::Name)?.place;
        let service = self.services.get(&place).ok_or(Errno::ESRCH)?;
        Ok(Self::reply(caller, message, IpvsCommand::NewService, |out| put_service(out, &place.key, service)))
    }

    fn tell_config(&mut self, caller: Caller, message: &Message<'_>) -> Result<Outcome, Errno> {
        let timeouts = self.namespace(caller.namespace).ok_or(Errno::ESRCH)?.timeouts;
        Ok(Self::reply(caller, message, IpvsCommand::SetConfig, |out| {
            for (kind, timeout) in TIMEOUTS.into_iter().zip(timeouts) {
                out.u32(kind, timeout / HZ);
            }
        }))
    }

    fn tell_info(&mut self, caller: Caller, message: &Message<'_>) -> Result<Outcome, Errno> {
        const VERSION: u32 = 0x01_02_01;
        let grows = self.release.grows_the_table();
        let namespace = self.namespace(caller.namespace).ok_or(Errno::ESRCH)?;
        let size = match (grows, namespace.has_connection_table) {
            (false, _) => 4096,
            (true, true) => 256,
            (true, false) => 0,
        };
        Ok(Self::reply(caller, message, IpvsCommand::SetInfo, |out| {
            out.u32(IPVS_INFO_ATTR_VERSION, VERSION);
            out.u32(IPVS_INFO_ATTR_CONN_TAB_SIZE, size);
        }))
    }
}

impl Namespace {
    /// Takes a destination out of the trash, with the instance of the service that it belonged to
    /// (`ip_vs_trash_get_dest`).
    fn revive(&mut self, service: &ServiceKey, key: &DestinationKey) -> Option<(Destination, u64)> {
        let found = self.trash.iter().position(|trashed| {
            trashed.destination.key == *key
                && trashed.service.mark == service.mark
                && trashed.service.protocol == service.protocol
                && (service.mark != 0
                    || (trashed.service.address == service.address && trashed.service.port == service.port))
        });
        let trashed = self.trash.swap_remove(found?);
        Some((trashed.destination, trashed.instance))
    }

    /// Whether a new destination can have this address (`ip_vs_new_dest`).
    fn can_reach(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(v4) => {
                let is_broadcast = self.interfaces.iter().any(|interface| interface.is_broadcast(v4));
                !v4.is_unspecified() && !v4.is_broadcast() && !v4.is_multicast() && !is_broadcast
            }
            IpAddr::V6(v6) if v6.is_unicast_link_local() || v6.to_ipv4_mapped().is_some() => {
                self.interfaces.iter().any(|interface| interface.has(address))
            }
            IpAddr::V6(v6) => !v6.is_unspecified() && !v6.is_multicast(),
        }
    }
}
