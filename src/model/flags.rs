use bitflags::bitflags;

bitflags! {
    /// The flag word of a service, as the kernel stores it.
    ///
    /// Bits without a name are kept, not dropped.
    ///
    /// # Kernel
    ///
    /// `IPVS_SVC_ATTR_FLAGS`, constants `IP_VS_SVC_F_*`.
    #[doc(alias = "IPVS_SVC_ATTR_FLAGS")]
    #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
    pub struct ServiceFlags: u32 {
        /// Clients stay with their server for the persistence timeout (`IP_VS_SVC_F_PERSISTENT`).
        #[doc(alias = "IP_VS_SVC_F_PERSISTENT")]
        const PERSISTENT = 0x0001;
        /// Set by the kernel on every live service (`IP_VS_SVC_F_HASHED`); it is not a setting.
        #[doc(alias = "IP_VS_SVC_F_HASHED")]
        const HASHED = 0x0002;
        /// Each packet is scheduled individually (`IP_VS_SVC_F_ONEPACKET`, `ipvsadm --ops`).
        #[doc(alias = "IP_VS_SVC_F_ONEPACKET")]
        const ONE_PACKET = 0x0004;
        /// First flag of the scheduler (`IP_VS_SVC_F_SCHED1`).
        #[doc(alias = "IP_VS_SVC_F_SCHED1")]
        const SCHEDULER_1 = 0x0008;
        /// Second flag of the scheduler (`IP_VS_SVC_F_SCHED2`).
        #[doc(alias = "IP_VS_SVC_F_SCHED2")]
        const SCHEDULER_2 = 0x0010;
        /// Third flag of the scheduler (`IP_VS_SVC_F_SCHED3`).
        #[doc(alias = "IP_VS_SVC_F_SCHED3")]
        const SCHEDULER_3 = 0x0020;
        // Every other bit is stored and reported by the kernel as well.
        const _ = !0;
    }
}

bitflags! {
    /// Options of a scheduler; each scheduler gives them its own meaning.
    ///
    /// `sh` and `mh` use the first two; every other scheduler ignores them.
    ///
    /// ```
    /// use ipvs_rs::Scheduler;
    /// use ipvs_rs::model::SchedulerFlags;
    ///
    /// let flags = SchedulerFlags::FALLBACK | SchedulerFlags::PORT;
    /// assert_eq!(flags.notation(&Scheduler::Mh), "mh-fallback,mh-port");
    /// assert_eq!(flags.notation(&Scheduler::Rr), "flag-1,flag-2");
    /// ```
    ///
    /// # Kernel
    ///
    /// `IP_VS_SVC_F_SCHED1` to `IP_VS_SVC_F_SCHED3`; `ipvsadm --sched-flags`.
    #[doc(alias = "ipvsadm --sched-flags")]
    #[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
    pub struct SchedulerFlags: u32 {
        /// `flag-1`; for `sh` and `mh`: take another server when the chosen one is not available.
        #[doc(alias = "IP_VS_SVC_F_SCHED_SH_FALLBACK")]
        #[doc(alias = "IP_VS_SVC_F_SCHED_MH_FALLBACK")]
        const FALLBACK = 0x0008;
        /// `flag-2`; for `sh` and `mh`: the client's port takes part in the hash.
        #[doc(alias = "IP_VS_SVC_F_SCHED_SH_PORT")]
        #[doc(alias = "IP_VS_SVC_F_SCHED_MH_PORT")]
        const PORT = 0x0010;
        /// `flag-3`: no scheduler of the kernel uses it.
        #[doc(alias = "IP_VS_SVC_F_SCHED3")]
        const FLAG_3 = 0x0020;
    }
}

impl ServiceFlags {
    /// Every bit that has a name here.
    pub(crate) const NAMED: Self = Self::PERSISTENT
        .union(Self::HASHED)
        .union(Self::ONE_PACKET)
        .union(Self::SCHEDULER_1)
        .union(Self::SCHEDULER_2)
        .union(Self::SCHEDULER_3);

    /// The bits that belong to the scheduler.
    pub fn scheduler_flags(self) -> SchedulerFlags {
        SchedulerFlags::from_bits_truncate(self.bits())
    }

    /// The word without the bit that the kernel sets by itself, to compare requested and reported flags.
    ///
    /// ```
    /// use ipvs_rs::model::ServiceFlags;
    ///
    /// let reported = ServiceFlags::PERSISTENT | ServiceFlags::HASHED;
    /// assert_eq!(reported.settings(), ServiceFlags::PERSISTENT);
    /// ```
    #[must_use]
    pub fn settings(self) -> Self {
        self.difference(Self::HASHED)
    }
}

impl From<SchedulerFlags> for ServiceFlags {
    /// Bits that do not belong to the scheduler are dropped, because they would set something else.
    fn from(flags: SchedulerFlags) -> Self {
        Self::from_bits_retain(flags.bits() & SchedulerFlags::all().bits())
    }
}
