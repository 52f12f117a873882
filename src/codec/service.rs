use std::net::Ipv4Addr;
use std::num::NonZeroU32;

use super::attr::{Attr, Attrs, PresentAttributes, ShortAttribute, Sink, Writer};
use super::consts::{
    IPVS_CMD_ATTR_SERVICE, IPVS_SVC_ATTR_ADDR, IPVS_SVC_ATTR_AF, IPVS_SVC_ATTR_FLAGS, IPVS_SVC_ATTR_FWMARK,
    IPVS_SVC_ATTR_NETMASK, IPVS_SVC_ATTR_PE_NAME, IPVS_SVC_ATTR_PORT, IPVS_SVC_ATTR_PROTOCOL, IPVS_SVC_ATTR_SCHED_NAME,
    IPVS_SVC_ATTR_STATS, IPVS_SVC_ATTR_STATS64, IPVS_SVC_ATTR_TIMEOUT,
};
use super::error::DecodeError;
use super::stats::{self, StatsBlocks};
use crate::model::{
    AddressFamily, Granularity, Persistence, PersistenceEngine, Prefix, Protocol, Scheduler, Service, ServiceEntry,
    ServiceFlags, ServiceId, ServiceKind,
};

/// Writes the identity of a service, as in every command but the two below.
pub(super) fn encode_id<S: Sink>(out: &mut Writer<'_, S>, id: &ServiceId) {
    out.nest(IPVS_CMD_ATTR_SERVICE, |out| put_id(out, id));
}

/// Writes a whole service, as in `NEW_SERVICE` and `SET_SERVICE`.
pub(super) fn encode<S: Sink>(out: &mut Writer<'_, S>, service: &Service) {
    out.nest(IPVS_CMD_ATTR_SERVICE, |out| put_settings(out, service, service.flags()));
}

/// Writes an observed service, as the kernel sends it.
pub(super) fn encode_entry<S: Sink>(out: &mut Writer<'_, S>, entry: &ServiceEntry) {
    out.plain_nest(IPVS_CMD_ATTR_SERVICE, |out| {
        put_settings(out, &entry.service, entry.flags);
        stats::encode(out, IPVS_SVC_ATTR_STATS, IPVS_SVC_ATTR_STATS64, &entry.stats);
    });
}

fn put_id<S: Sink>(out: &mut Writer<'_, S>, id: &ServiceId) {
    let family = ShortAttribute::family(IPVS_SVC_ATTR_AF, id.family());
    match id.kind() {
        ServiceKind::Address { protocol, address, port } => {
            out.words([family, ShortAttribute::u16(IPVS_SVC_ATTR_PROTOCOL, protocol.number())]);
            out.address(IPVS_SVC_ATTR_ADDR, address);
            out.words([ShortAttribute::port(IPVS_SVC_ATTR_PORT, port)]);
        }
        ServiceKind::Mark { mark, .. } => out.words([family, ShortAttribute::u32(IPVS_SVC_ATTR_FWMARK, mark.get())]),
    }
}

fn put_settings<S: Sink>(out: &mut Writer<'_, S>, service: &Service, flags: ServiceFlags) {
    let family = service.id.family();
    let persistence = service.stored_persistence();
    put_id(out, &service.id);
    out.name(IPVS_SVC_ATTR_SCHED_NAME, service.scheduler.as_bytes());
    if let Some(engine) = persistence.and_then(|persistence| persistence.engine) {
        out.name(IPVS_SVC_ATTR_PE_NAME, engine.as_bytes());
    }
    let [a, b, c, d] = flags.bits().to_ne_bytes();
    // The mask says which of the stored flags to replace: all of them.
    out.bytes(IPVS_SVC_ATTR_FLAGS, &[a, b, c, d, 0xff, 0xff, 0xff, 0xff]);
    let timeout = ShortAttribute::u32(IPVS_SVC_ATTR_TIMEOUT, persistence.map_or(0, Persistence::timeout_secs));
    let netmask = match (persistence.map_or(Granularity::Client, |persistence| persistence.granularity), family) {
        (Granularity::Mask(mask), _) => u32::from_ne_bytes(mask.octets()),
        (Granularity::Prefix(prefix), _) => prefix.bits().into(),
        (Granularity::Client, AddressFamily::Ipv4) => u32::MAX,
        (Granularity::Client, AddressFamily::Ipv6) => Prefix::FULL.bits().into(),
    };
    out.words([timeout, ShortAttribute::u32(IPVS_SVC_ATTR_NETMASK, netmask)]);
}

/// Reads the identity of a service.
pub(super) fn decode_id(attrs: Attrs<'_>) -> Result<ServiceId, DecodeError> {
    Fields::read(attrs)?.id()
}

/// Reads an observed service.
pub(super) fn decode(attrs: Attrs<'_>) -> Result<ServiceEntry, DecodeError> {
    let fields = Fields::read(attrs)?;
    let id = fields.id()?;
    fields.present.require(&SETTINGS, fields.offset)?;
    let scheduler = fields.scheduler.ok_or_else(|| DecodeError::missing("IPVS_SVC_ATTR_SCHED_NAME", fields.offset))?;
    let flags = fields.flags;
    let bits = fields.netmask.u32("IPVS_SVC_ATTR_NETMASK")?;
    let granularity = match id.family() {
        AddressFamily::Ipv4 => Granularity::Mask(Ipv4Addr::from(bits.to_ne_bytes())),
        AddressFamily::Ipv6 => {
            let prefix = u8::try_from(bits).ok().and_then(|bits| Prefix::new(bits).ok());
            Granularity::Prefix(prefix.ok_or_else(|| fields.netmask.out_of_range("IPVS_SVC_ATTR_NETMASK", bits))?)
        }
    };
    let stored = Persistence::from_kernel(fields.timeout, granularity.normalized(), fields.engine);

    let mut service = Service::new(id, scheduler)
        .scheduler_flags(flags.scheduler_flags())
        .one_packet(flags.contains(ServiceFlags::ONE_PACKET));
    service.unnamed_flags = flags.difference(ServiceFlags::NAMED).bits();
    let service = if flags.contains(ServiceFlags::PERSISTENT) {
        service.persistence(stored)
    } else {
        service.dormant_persistence(stored)
    };
    Ok(ServiceEntry { service, stats: fields.stats.decode()?, flags })
}

const ADDRESS: [(u16, &str); 3] = [
    (IPVS_SVC_ATTR_PROTOCOL, "IPVS_SVC_ATTR_PROTOCOL"),
    (IPVS_SVC_ATTR_ADDR, "IPVS_SVC_ATTR_ADDR"),
    (IPVS_SVC_ATTR_PORT, "IPVS_SVC_ATTR_PORT"),
];

const SETTINGS: [(u16, &str); 3] = [
    (IPVS_SVC_ATTR_FLAGS, "IPVS_SVC_ATTR_FLAGS"),
    (IPVS_SVC_ATTR_TIMEOUT, "IPVS_SVC_ATTR_TIMEOUT"),
    (IPVS_SVC_ATTR_NETMASK, "IPVS_SVC_ATTR_NETMASK"),
];

/// The attributes of a service nest; of repeated ones, the last. Absent numbers are zero.
#[derive(Debug)]
struct Fields<'a> {
    offset: usize,
    present: PresentAttributes,
    family: Option<AddressFamily>,
    protocol: u16,
    address: Attr<'a>,
    port: u16,
    mark: Option<NonZeroU32>,
    scheduler: Option<Scheduler>,
    flags: ServiceFlags,
    timeout: u32,
    netmask: Attr<'a>,
    engine: Option<PersistenceEngine>,
    stats: StatsBlocks<'a>,
}

#[allow(
    clippy::inline_always,
    reason = "rows are decoded in one piece, and of a match on a known type nothing is left"
)]
impl<'a> Fields<'a> {
    #[inline(always)]
    fn read(mut attrs: Attrs<'a>) -> Result<Self, DecodeError> {
        let mut fields = Self {
            offset: attrs.offset(),
            present: PresentAttributes::default(),
            family: None,
            protocol: 0,
            address: Attr::default(),
            port: 0,
            mark: None,
            scheduler: None,
            flags: ServiceFlags::empty(),
            timeout: 0,
            netmask: Attr::default(),
            engine: None,
            stats: StatsBlocks::default(),
        };
        // In the order of the kernel, which leaves out some; the name does not have a fixed length.
        fields.expect::<IPVS_SVC_ATTR_AF, 2>(&mut attrs)?;
        fields.expect::<IPVS_SVC_ATTR_PROTOCOL, 2>(&mut attrs)?;
        fields.expect::<IPVS_SVC_ATTR_ADDR, 16>(&mut attrs)?;
        fields.expect::<IPVS_SVC_ATTR_PORT, 2>(&mut attrs)?;
        if let Some(name) = attrs.next()? {
            fields.take(name)?;
        }
        fields.expect::<IPVS_SVC_ATTR_FLAGS, 8>(&mut attrs)?;
        fields.expect::<IPVS_SVC_ATTR_TIMEOUT, 4>(&mut attrs)?;
        fields.expect::<IPVS_SVC_ATTR_NETMASK, 4>(&mut attrs)?;
        fields.expect::<IPVS_SVC_ATTR_STATS, 88>(&mut attrs)?;
        fields.expect::<IPVS_SVC_ATTR_STATS64, 120>(&mut attrs)?;
        while let Some(attr) = attrs.next()? {
            fields.take(attr)?;
        }
        Ok(fields)
    }

    #[inline]
    fn expect<const KIND: u16, const LEN: usize>(&mut self, attrs: &mut Attrs<'a>) -> Result<(), DecodeError> {
        match attrs.next_if::<KIND, LEN>() {
            Some(attr) => self.take(attr),
            None => Ok(()),
        }
    }

    #[inline(always)]
    fn take(&mut self, attr: Attr<'a>) -> Result<(), DecodeError> {
        match attr.kind {
            IPVS_SVC_ATTR_AF => self.family = Some(attr.family("IPVS_SVC_ATTR_AF")?),
            IPVS_SVC_ATTR_PROTOCOL => self.protocol = attr.u16("IPVS_SVC_ATTR_PROTOCOL")?,
            IPVS_SVC_ATTR_ADDR => self.address = attr,
            IPVS_SVC_ATTR_PORT => self.port = attr.port("IPVS_SVC_ATTR_PORT")?,
            IPVS_SVC_ATTR_FWMARK => self.mark = NonZeroU32::new(attr.u32("IPVS_SVC_ATTR_FWMARK")?),
            IPVS_SVC_ATTR_SCHED_NAME => self.scheduler = Some(scheduler(attr)?),
            IPVS_SVC_ATTR_PE_NAME => self.engine = engine(attr)?,
            IPVS_SVC_ATTR_FLAGS => self.flags = ServiceFlags::from_bits_retain(attr.u32("IPVS_SVC_ATTR_FLAGS")?),
            IPVS_SVC_ATTR_TIMEOUT => self.timeout = attr.u32("IPVS_SVC_ATTR_TIMEOUT")?,
            IPVS_SVC_ATTR_NETMASK => self.netmask = attr,
            IPVS_SVC_ATTR_STATS => self.stats.narrow = Some(attr),
            IPVS_SVC_ATTR_STATS64 => self.stats.wide = Some(attr),
            _ => return Ok(()),
        }
        self.present.insert(attr.kind);
        Ok(())
    }

    #[inline(always)]
    fn id(&self) -> Result<ServiceId, DecodeError> {
        let family = self.family.ok_or_else(|| DecodeError::missing("IPVS_SVC_ATTR_AF", self.offset))?;
        if let Some(mark) = self.mark {
            return Ok(ServiceId::from(ServiceKind::Mark { mark, family }));
        }
        self.present.require(&ADDRESS, self.offset)?;
        let address = self.address.address("IPVS_SVC_ATTR_ADDR", family)?;
        Ok(ServiceId::verbatim(Protocol::from_number(self.protocol), address, self.port))
    }
}

// A name needs more code than the rest of `take` together, which for one known attribute is a load and a store where
// it is inlined.
#[inline(never)]
fn scheduler(attr: Attr<'_>) -> Result<Scheduler, DecodeError> {
    let name = attr.name("IPVS_SVC_ATTR_SCHED_NAME")?;
    let scheduler = Scheduler::from_kernel(name).filter(|_| !name.is_empty());
    scheduler.ok_or_else(|| attr.bad_name("IPVS_SVC_ATTR_SCHED_NAME"))
}

/// An empty name stands for no engine.
#[inline(never)]
fn engine(attr: Attr<'_>) -> Result<Option<PersistenceEngine>, DecodeError> {
    match attr.name("IPVS_SVC_ATTR_PE_NAME")? {
        [] => Ok(None),
        name => PersistenceEngine::from_kernel(name).map(Some).ok_or_else(|| attr.bad_name("IPVS_SVC_ATTR_PE_NAME")),
    }
}
