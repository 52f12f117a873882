use std::net::{IpAddr, Ipv4Addr};

/// A network interface of a namespace, with the properties that matter to IPVS.
///
/// Synchronization daemons need one. Its addresses decide which addresses are broadcast addresses, and which link-local
/// or IPv4-mapped IPv6 addresses can be destinations.
///
/// ```
/// use ipvs_rs::model::SyncDaemon;
/// use ipvs_rs::testing::{FakeKernel, Interface};
///
/// let kernel = FakeKernel::new();
/// let handle = kernel.handle()?;
/// let backup = SyncDaemon::backup("eth1")?;
/// assert_eq!(handle.start_sync(&backup).unwrap_err().to_string(), "start sync backup: no such interface (ENODEV)");
///
/// kernel.add_interface(Interface::new("eth1").mtu(9000));
/// handle.start_sync(&backup)?;
/// assert_eq!(handle.get_sync_daemons()?[0].max_len.map(u16::from), Some(8972));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Interface {
    pub(super) name: Vec<u8>,
    pub(super) mtu: u32,
    is_up: bool,
    addresses: Vec<(IpAddr, u8)>,
}

impl Interface {
    /// An interface that is up, with packets of 1500 bytes and no address. Its name may be any bytes, as in the kernel.
    pub fn new(name: impl AsRef<[u8]>) -> Self {
        Self { name: name.as_ref().to_vec(), mtu: 1500, is_up: true, addresses: Vec::new() }
    }

    /// Sets the length of the longest packet in bytes.
    #[must_use]
    pub fn mtu(mut self, bytes: u32) -> Self {
        self.mtu = bytes;
        self
    }

    /// Takes the interface down: a master cannot be started on it (`ENETUNREACH`).
    #[must_use]
    pub fn down(mut self) -> Self {
        self.is_up = false;
        self
    }

    /// Adds an address with the length of its network prefix in bits.
    #[must_use]
    pub fn address(mut self, address: IpAddr, prefix: u8) -> Self {
        self.addresses.push((address, prefix));
        self
    }

    /// Whether packets to a multicast group can leave by it. The loopback interface has no route for IPv6 groups.
    pub(super) fn carries(&self, group: IpAddr) -> bool {
        self.is_up && (group.is_ipv4() || self.name != b"lo")
    }

    pub(super) fn has(&self, wanted: IpAddr) -> bool {
        self.addresses.iter().any(|(address, _)| *address == wanted)
    }

    /// Whether this is the last address of one of the interface's networks.
    pub(super) fn is_broadcast(&self, wanted: Ipv4Addr) -> bool {
        self.addresses.iter().any(|(address, prefix)| match (address, prefix) {
            // Networks of one or two addresses do not have a broadcast address.
            (IpAddr::V4(own), 0..=30) => {
                let hosts = u32::MAX.checked_shr((*prefix).into()).unwrap_or(0);
                own.to_bits() | hosts == wanted.to_bits()
            }
            _ => false,
        })
    }
}
