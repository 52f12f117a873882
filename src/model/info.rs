/// The kernel's information about IPVS itself.
///
/// # Kernel
///
/// `IPVS_CMD_GET_INFO`; the first line of `ipvsadm -L`.
#[doc(alias = "IPVS_CMD_GET_INFO")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct Info {
    /// The version of IPVS: 1.2.1 in every kernel of the last fifteen years.
    pub version: Version,
    /// The number of buckets of the connection table. From Linux 7 on the table grows and shrinks with its load and
    /// has 0 buckets until this namespace holds a service.
    #[doc(alias = "IPVS_INFO_ATTR_CONN_TAB_SIZE")]
    pub connection_table_size: u32,
}

/// A version of IPVS.
#[doc(alias = "IPVS_INFO_ATTR_VERSION")]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[allow(clippy::exhaustive_structs, reason = "the kernel packs three numbers into one")]
pub struct Version {
    /// First number.
    pub major: u16,
    /// Second number.
    pub minor: u8,
    /// Third number.
    pub patch: u8,
}

impl Version {
    /// Decodes the number of `IPVS_INFO_ATTR_VERSION`.
    pub const fn from_number(number: u32) -> Self {
        let [high, major, minor, patch] = number.to_be_bytes();
        Self { major: u16::from_be_bytes([high, major]), minor, patch }
    }

    /// The number that [`from_number`](Self::from_number) decodes.
    pub const fn number(self) -> u32 {
        let [high, major] = self.major.to_be_bytes();
        u32::from_be_bytes([high, major, self.minor, self.patch])
    }
}
