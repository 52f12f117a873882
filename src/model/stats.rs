/// What went through a service or a destination.
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
    /// Connections since the object was made or zeroed (`CONNS`).
    #[doc(alias = "IPVS_STATS_ATTR_CONNS")]
    pub connections: u64,
    /// Packets from clients (`INPKTS`).
    #[doc(alias = "IPVS_STATS_ATTR_INPKTS")]
    pub packets_in: u64,
    /// Packets to clients (`OUTPKTS`); only those that pass the director, as with masquerading.
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
