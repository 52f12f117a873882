//! The objects that a request names and describes: services and destinations.

use super::machine::{Caller, Machine};
use super::table::{DestinationKey, Forward, HASHED, HZ, Place, ServiceKey, Settings, TCP};
use super::wire::{Attributes, DESTINATION, SERVICE};
use crate::codec::consts::{
    AF_INET, AF_INET6, IPVS_CMD_ATTR_DEST, IPVS_CMD_ATTR_SERVICE, IPVS_DEST_ATTR_ADDR, IPVS_DEST_ATTR_ADDR_FAMILY,
    IPVS_DEST_ATTR_FWD_METHOD, IPVS_DEST_ATTR_L_THRESH, IPVS_DEST_ATTR_PORT, IPVS_DEST_ATTR_TUN_FLAGS,
    IPVS_DEST_ATTR_TUN_PORT, IPVS_DEST_ATTR_TUN_TYPE, IPVS_DEST_ATTR_U_THRESH, IPVS_DEST_ATTR_WEIGHT,
    IPVS_SVC_ATTR_ADDR, IPVS_SVC_ATTR_AF, IPVS_SVC_ATTR_FLAGS, IPVS_SVC_ATTR_FWMARK, IPVS_SVC_ATTR_NETMASK,
    IPVS_SVC_ATTR_PE_NAME, IPVS_SVC_ATTR_PORT, IPVS_SVC_ATTR_PROTOCOL, IPVS_SVC_ATTR_SCHED_NAME, IPVS_SVC_ATTR_TIMEOUT,
};
use crate::error::Errno;

/// The extent of the description that a command needs of an object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Extent {
    Name,
    Everything,
}

/// The contents of the nest of a service.
#[derive(Debug)]
pub(super) struct Described<'a> {
    pub(super) place: Place,
    /// Whether there is such a service.
    pub(super) exists: bool,
    /// `None` unless the extent was [`Everything`](Extent::Everything).
    pub(super) wanted: Option<Wanted<'a>>,
}

/// The settings in a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) scheduler: &'a [u8],
    pub(super) engine: Option<&'a [u8]>,
    flags: u32,
    timeout: u32,
    netmask: [u8; 4],
}

impl Machine {
    /// `ip_vs_genl_parse_service`.
    pub(super) fn described<'a>(
        &self,
        caller: Caller,
        top: &Attributes<'a>,
        extent: Extent,
    ) -> Result<Described<'a>, Errno> {
        let nest = top.get(IPVS_CMD_ATTR_SERVICE).ok_or(Errno::EINVAL)?;
        let attributes = Attributes::parse(nest.value, nest.offset, SERVICE).or(Err(Errno::EINVAL))?;
        let family = attributes.u16(IPVS_SVC_ATTR_AF).ok_or(Errno::EINVAL)?;
        let mark = attributes.u32(IPVS_SVC_ATTR_FWMARK);
        let tuple = (
            attributes.u16(IPVS_SVC_ATTR_PROTOCOL),
            attributes.padded(IPVS_SVC_ATTR_ADDR),
            attributes.port(IPVS_SVC_ATTR_PORT),
        );
        let key = match (mark, tuple) {
            // With the mark 0, the service has neither a mark nor an address.
            (Some(mark), _) => ServiceKey { mark, family, protocol: TCP, address: [0; 16], port: 0 },
            (None, (Some(protocol), Some(address), Some(port))) => {
                ServiceKey { mark: 0, family, protocol, address: of_family(family, address), port }
            }
            _ => return Err(Errno::EINVAL),
        };
        self.check_family(family)?;
        let place = self.place(key, caller.namespace);
        let old = self.services.get(&place);
        let wanted = match extent {
            Extent::Name => None,
            Extent::Everything => {
                let flags: [u8; 8] = attributes.padded(IPVS_SVC_ATTR_FLAGS).ok_or(Errno::EINVAL)?;
                let ([f0, f1, f2, f3, m0, m1, m2, m3], old) = (flags, old.map_or(0, |old| old.settings.flags));
                let (flags, mask) = (u32::from_ne_bytes([f0, f1, f2, f3]), u32::from_ne_bytes([m0, m1, m2, m3]));
                Some(Wanted {
                    scheduler: attributes.name(IPVS_SVC_ATTR_SCHED_NAME).ok_or(Errno::EINVAL)?,
                    engine: attributes.name(IPVS_SVC_ATTR_PE_NAME).filter(|name| !name.is_empty()),
                    flags: (old & !mask) | (flags & mask),
                    timeout: attributes.u32(IPVS_SVC_ATTR_TIMEOUT).ok_or(Errno::EINVAL)?,
                    netmask: attributes.bytes4(IPVS_SVC_ATTR_NETMASK).ok_or(Errno::EINVAL)?,
                })
            }
        };
        Ok(Described { place, exists: old.is_some(), wanted })
    }

    /// The settings that a service would get, if this kernel supports them (`ip_vs_add_service`, `ip_vs_edit_service`).
    pub(super) fn settings(&self, key: &ServiceKey, wanted: &Wanted<'_>) -> Result<Settings, Errno> {
        let has_scheduler = wanted.scheduler == b"none" || self.schedulers.contains(wanted.scheduler);
        let has_engine = wanted.engine.is_none_or(|engine| self.engines.contains(engine));
        if !has_scheduler || !has_engine {
            return Err(Errno::ENOENT);
        }
        if key.family == AF_INET6 && !(1..=128).contains(&u32::from_ne_bytes(wanted.netmask)) {
            return Err(Errno::EINVAL);
        }
        Ok(Settings {
            scheduler: wanted.scheduler.to_vec(),
            engine: wanted.engine.map(<[u8]>::to_vec),
            flags: wanted.flags & !HASHED,
            timeout: wanted.timeout.wrapping_mul(HZ),
            netmask: wanted.netmask,
        })
    }

    pub(super) fn check_family(&self, family: u16) -> Result<(), Errno> {
        match family {
            AF_INET => Ok(()),
            AF_INET6 if self.has_ipv6 => Ok(()),
            _ => Err(Errno::EAFNOSUPPORT),
        }
    }

    /// `ip_vs_genl_parse_dest`, and the checks of its result in `ip_vs_genl_set_cmd`.
    pub(super) fn described_destination(
        &mut self,
        caller: Caller,
        top: &Attributes<'_>,
        service: &ServiceKey,
        extent: Extent,
    ) -> Result<(DestinationKey, Option<Forward>), Errno> {
        let nest = top.get(IPVS_CMD_ATTR_DEST).ok_or(Errno::EINVAL)?;
        let attributes = Attributes::parse(nest.value, nest.offset, DESTINATION).or(Err(Errno::EINVAL))?;
        let address: [u8; 16] = attributes.padded(IPVS_DEST_ATTR_ADDR).ok_or(Errno::EINVAL)?;
        let port = attributes.port(IPVS_DEST_ATTR_PORT).ok_or(Errno::EINVAL)?;
        let forward = match extent {
            Extent::Name => None,
            Extent::Everything => Some(self.forward(&attributes)?),
        };
        let family = attributes.u16(IPVS_DEST_ATTR_ADDR_FAMILY).filter(|family| *family != 0).unwrap_or(service.family);
        self.check_family(family)?;
        if let Some(forward) = forward
            && family != service.family
        {
            const TUNNEL: u32 = 2;
            let syncs = self.namespace(caller.namespace).is_some_and(|it| it.daemons.iter().any(Option::is_some));
            if syncs || forward.method != TUNNEL {
                return Err(Errno::EINVAL);
            }
        }
        if let Some(forward) = forward {
            self.check_forward(&forward)?;
        }
        Ok((DestinationKey { family, address: of_family(family, address), port }, forward))
    }

    /// The checks that `ip_vs_add_dest` and `ip_vs_edit_dest` make first.
    fn check_forward(&self, forward: &Forward) -> Result<(), Errno> {
        const GUE: u8 = 1;
        if forward.weight.cast_signed() < 0 || forward.lower > forward.upper {
            return Err(Errno::ERANGE);
        }
        let is_too_much = forward.upper.cast_signed() < 0 && self.release.limits_thresholds();
        if is_too_much || (forward.tunnel_kind == GUE && forward.tunnel_port == 0) {
            return Err(Errno::EINVAL);
        }
        Ok(())
    }

    fn forward(&self, attributes: &Attributes<'_>) -> Result<Forward, Errno> {
        const METHODS: u32 = 0x7;
        let known = self.knows_tunnels.then_some(());
        Ok(Forward {
            method: attributes.u32(IPVS_DEST_ATTR_FWD_METHOD).ok_or(Errno::EINVAL)? & METHODS,
            weight: attributes.u32(IPVS_DEST_ATTR_WEIGHT).ok_or(Errno::EINVAL)?,
            upper: attributes.u32(IPVS_DEST_ATTR_U_THRESH).ok_or(Errno::EINVAL)?,
            lower: attributes.u32(IPVS_DEST_ATTR_L_THRESH).ok_or(Errno::EINVAL)?,
            tunnel_kind: known.and_then(|()| attributes.u8(IPVS_DEST_ATTR_TUN_TYPE)).unwrap_or(0),
            tunnel_port: known.and_then(|()| attributes.port(IPVS_DEST_ATTR_TUN_PORT)).unwrap_or(0),
            tunnel_flags: known.and_then(|()| attributes.u16(IPVS_DEST_ATTR_TUN_FLAGS)).unwrap_or(0),
        })
    }
}

/// An address of a family: only the first four bytes of an IPv4 address count.
fn of_family(family: u16, address: [u8; 16]) -> [u8; 16] {
    let [a, b, c, d, ..] = address;
    if family == AF_INET { [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] } else { address }
}
