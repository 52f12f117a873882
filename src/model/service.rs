use std::hash::Hash;

use super::{Granularity, InvalidValue, Persistence, Scheduler, SchedulerFlags, ServiceFlags, ServiceId, Stats};

/// A service as you write it: identity and settings.
///
/// ```
/// use ipvs_rs::{Scheduler, Service, ServiceId};
/// use ipvs_rs::model::SchedulerFlags;
///
/// let dns: ServiceId = "udp://192.0.2.10:53".parse()?;
/// let service = Service::new(dns, Scheduler::Sh)
///     .scheduler_flags(SchedulerFlags::FALLBACK)
///     .one_packet(true);
/// assert_eq!(service.flags().bits(), 0x4 | 0x8);
/// # Ok::<(), ipvs_rs::model::ParseError>(())
/// ```
///
/// Two values are equal when the kernel would behave alike *and* store the same.
#[doc(alias = "virtual service")]
#[doc(alias = "ipvsadm -A")]
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Service {
    /// The identity.
    pub id: ServiceId,
    /// The scheduler, which chooses a destination.
    pub scheduler: Scheduler,
    /// Options of the scheduler.
    pub scheduler_flags: SchedulerFlags,
    /// Whether clients stay with their destination.
    pub persistence: Option<Persistence>,
    /// Whether each packet is scheduled individually; useful for UDP only, accepted for every protocol.
    #[doc(alias = "ipvsadm --ops")]
    pub one_packet: bool,
    /// Bits of the flag word that have no name here.
    pub(crate) unnamed_flags: u32,
    /// Timeout, mask and engine that the kernel keeps for a service that is not persistent. They do nothing, but an
    /// update must not lose them.
    pub(crate) dormant_persistence: Option<Persistence>,
}

impl Service {
    /// A service with a scheduler and no other settings.
    pub fn new(id: ServiceId, scheduler: Scheduler) -> Self {
        Self {
            id,
            scheduler,
            scheduler_flags: SchedulerFlags::empty(),
            persistence: None,
            one_packet: false,
            unnamed_flags: 0,
            dormant_persistence: None,
        }
    }

    /// Sets the options of the scheduler.
    #[must_use]
    pub fn scheduler_flags(mut self, flags: SchedulerFlags) -> Self {
        self.scheduler_flags = flags;
        self
    }

    /// Makes clients stay with their destination.
    #[must_use]
    pub fn persistence(mut self, persistence: Persistence) -> Self {
        self.persistence = Some(persistence);
        self.dormant_persistence = None;
        self
    }

    /// Sets whether each packet is scheduled individually, or each connection.
    #[must_use]
    pub fn one_packet(mut self, one_packet: bool) -> Self {
        self.one_packet = one_packet;
        self
    }

    /// Stores timeout, mask and engine without making the service persistent.
    ///
    /// The kernel accepts such settings without effect; use this to copy a table exactly as it is.
    #[must_use]
    pub fn dormant_persistence(mut self, persistence: Persistence) -> Self {
        // Storing nothing is the same as storing zero seconds for each client.
        let nothing = Persistence::from_kernel(0, Granularity::Client, None);
        self.persistence = None;
        self.dormant_persistence = Some(persistence).filter(|stored| *stored != nothing);
        self
    }

    /// Sets the bits of the flag word that have no name, as a kernel stores them for another program; others are left
    /// out.
    #[must_use]
    pub fn unnamed_flags(mut self, flags: ServiceFlags) -> Self {
        self.unnamed_flags = flags.difference(ServiceFlags::NAMED).bits();
        self
    }

    /// The flag word of the settings.
    pub fn flags(&self) -> ServiceFlags {
        let mut flags = ServiceFlags::from_bits_retain(self.unnamed_flags) | self.scheduler_flags.into();
        flags.set(ServiceFlags::PERSISTENT, self.persistence.is_some());
        flags.set(ServiceFlags::ONE_PACKET, self.one_packet);
        flags
    }

    /// Checks a rule that the types cannot express: that the granularity of persistence fits the family of the service.
    ///
    /// Every call of a handle that writes a service does this before it sends anything.
    ///
    /// # Errors
    ///
    /// When an IPv6 service has an IPv4 mask, or an IPv4 service an IPv6 prefix.
    pub fn validate(&self) -> Result<(), InvalidValue> {
        match self.stored_persistence() {
            Some(persistence) if !persistence.granularity.fits(self.id.family()) => Err(InvalidValue::unfit(
                "persistence granularity",
                persistence.granularity,
                "a mask for an IPv4 service, a prefix length for an IPv6 one",
            )),
            _ => Ok(()),
        }
    }

    /// The timeout, mask and engine that the kernel stores, whether in effect or
    /// [dormant](Self::dormant_persistence); `None` where it stores nothing but zeros.
    pub fn stored_persistence(&self) -> Option<&Persistence> {
        self.persistence.as_ref().or(self.dormant_persistence.as_ref())
    }

    /// The values that the kernel would hold, in a normalized form: without persistence it holds a timeout of 0, and
    /// the mask of a single client is a full one.
    fn stored(&self) -> impl Hash + Ord {
        let mut persistence = *self.stored_persistence().unwrap_or(&Persistence::NEUTRAL);
        persistence.granularity = persistence.granularity.normalized();
        (self.id, self.scheduler, self.flags(), persistence)
    }
}

compare_by_stored!(Service);

/// A service as you read it: settings and counters.
#[doc(alias = "IPVS_CMD_GET_SERVICE")]
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct ServiceEntry {
    /// Identity and settings; to change a setting, pass a modified copy to
    /// [`update_service`](crate::Handle::update_service).
    pub service: Service,
    /// Counters and rates.
    #[cfg_attr(feature = "serde", serde(default))]
    pub stats: Stats,
    /// The flag word as the kernel reports it, with the bits that it sets by itself.
    pub flags: ServiceFlags,
}

impl ServiceEntry {
    /// A service without traffic, for a fake kernel or a test.
    pub fn new(service: Service) -> Self {
        let flags = service.flags() | ServiceFlags::HASHED;
        Self { service, stats: Stats::default(), flags }
    }

    /// The identity of the service.
    pub fn id(&self) -> ServiceId {
        self.service.id
    }
}
