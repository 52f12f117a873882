use std::net::SocketAddr;

use crate::desired::words::FAMILIES;
use crate::model::{AddressFamily, ServiceId, ServiceKind};

/// The address of a service as it stands in a file: `tcp://192.0.2.10:80`, `fwmark:7`.
///
/// A port of 0 is left out. The family of a mark has a key of its own.
pub(in crate::desired) fn service_address(id: &ServiceId) -> String {
    match id.kind() {
        ServiceKind::Address { protocol, address, port } => {
            let protocol = protocol.to_string().to_ascii_lowercase();
            match SocketAddr::new(address, port) {
                SocketAddr::V6(address) if port == 0 => format!("{protocol}://[{}]", address.ip()),
                address if port == 0 => format!("{protocol}://{}", address.ip()),
                address => format!("{protocol}://{address}"),
            }
        }
        ServiceKind::Mark { mark, .. } => format!("fwmark:{mark}"),
    }
}

/// The value of `family`, which only a mark of IPv6 needs.
pub(in crate::desired) fn family_word(id: &ServiceId) -> Option<&'static str> {
    let word = FAMILIES.into_iter().find(|(_, family)| *family == id.family() && *family != AddressFamily::Ipv4);
    word.filter(|_| id.mark().is_some()).map(|(word, _)| word)
}

/// A service as people write it in files and on command lines: `tcp://192.0.2.10:80`, `fwmark:7`, `fwmark6:7`.
///
/// ```
/// let id = "FWM 7 IPv6".parse()?;
/// assert_eq!(ipvs_rs::desired::service_text(&id), "fwmark6:7");
/// # Ok::<(), ipvs_rs::model::ParseError>(())
/// ```
pub fn service_text(id: &ServiceId) -> String {
    match (id.mark(), family_word(id)) {
        (Some(mark), Some(_)) => format!("fwmark6:{mark}"),
        _ => service_address(id),
    }
}
