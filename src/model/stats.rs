use std::time::Duration;

/// Counters and rates of the traffic of a service or a destination.
///
/// The kernel refreshes these numbers every two seconds, not when they are read. Rates are averages over some eight
/// seconds. Bytes are those of the IP packets.
///
/// # Kernel
///
/// `IPVS_*_ATTR_STATS64` (since Linux 4.1); from an older kernel, `IPVS_*_ATTR_STATS`, whose numbers are 32 bits wide
/// (bytes excepted) and wrap.
#[doc(alias = "IPVS_SVC_ATTR_STATS64")]
#[doc(alias = "IPVS_DEST_ATTR_STATS64")]
#[doc(alias = "ipvsadm --stats")]
#[doc(alias = "ipvsadm --rate")]
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default, deny_unknown_fields))]
#[non_exhaustive]
pub struct Stats {
    /// Connections since the object was created or zeroed (`CONNS`).
    #[doc(alias = "IPVS_STATS_ATTR_CONNS")]
    pub connections: u64,
    /// Packets from clients (`INPKTS`).
    #[doc(alias = "IPVS_STATS_ATTR_INPKTS")]
    pub packets_in: u64,
    /// Packets to clients (`OUTPKTS`); only those that pass through the director, as with masquerading.
    #[doc(alias = "IPVS_STATS_ATTR_OUTPKTS")]
    pub packets_out: u64,
    /// Bytes from clients (`INBYTES`).
    #[doc(alias = "IPVS_STATS_ATTR_INBYTES")]
    pub bytes_in: u64,
    /// Bytes to clients (`OUTBYTES`).
    #[doc(alias = "IPVS_STATS_ATTR_OUTBYTES")]
    pub bytes_out: u64,
    /// New connections per second (`CPS`).
    #[doc(alias = "IPVS_STATS_ATTR_CPS")]
    pub connections_per_sec: u64,
    /// Packets per second from clients (`INPPS`).
    #[doc(alias = "IPVS_STATS_ATTR_INPPS")]
    pub packets_per_sec_in: u64,
    /// Packets per second to clients (`OUTPPS`).
    #[doc(alias = "IPVS_STATS_ATTR_OUTPPS")]
    pub packets_per_sec_out: u64,
    /// Bytes, not bits, per second from clients (`INBPS`).
    #[doc(alias = "IPVS_STATS_ATTR_INBPS")]
    pub bytes_per_sec_in: u64,
    /// Bytes, not bits, per second to clients (`OUTBPS`).
    #[doc(alias = "IPVS_STATS_ATTR_OUTBPS")]
    pub bytes_per_sec_out: u64,
}

impl Stats {
    /// Returns the counters: connections, packets in and out, bytes in and out.
    pub const fn counters(&self) -> [u64; 5] {
        [self.connections, self.packets_in, self.packets_out, self.bytes_in, self.bytes_out]
    }

    /// Returns the rates, in the order of [`counters`](Self::counters).
    pub const fn rates(&self) -> [u64; 5] {
        let Self { connections_per_sec, packets_per_sec_in, packets_per_sec_out, .. } = *self;
        [connections_per_sec, packets_per_sec_in, packets_per_sec_out, self.bytes_per_sec_in, self.bytes_per_sec_out]
    }

    /// Replaces the kernel's averages by the rates since an earlier observation.
    ///
    /// A counter that is less than it was has been zeroed meanwhile, and counts from zero. Where no time has passed,
    /// the averages stay.
    pub fn set_rates_since(&mut self, before: &Self, elapsed: Duration) {
        if elapsed.is_zero() {
            return;
        }
        let rate = |now: u64, before: u64| {
            let grown = now.checked_sub(before).unwrap_or(now);
            let rate = u128::from(grown) * 1_000_000_000 / elapsed.as_nanos().max(1);
            u64::try_from(rate).unwrap_or(u64::MAX)
        };
        self.connections_per_sec = rate(self.connections, before.connections);
        self.packets_per_sec_in = rate(self.packets_in, before.packets_in);
        self.packets_per_sec_out = rate(self.packets_out, before.packets_out);
        self.bytes_per_sec_in = rate(self.bytes_in, before.bytes_in);
        self.bytes_per_sec_out = rate(self.bytes_out, before.bytes_out);
    }
}
