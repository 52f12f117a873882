//! The same bytes through three codecs, and the same request out of them.
//!
//! Features that one of the peers lacks are left out for all: there is only TCP, IPv4 and masquerading.

#[allow(dead_code, missing_docs, reason = "shared with the benches of the library, which use more of it")]
#[path = "../../messages/mod.rs"]
pub mod messages;

use ipvs_rs::codec::Request;

/// Makes a destination; the request that all libraries encode.
pub fn request() -> Request {
    Request::NewDestination(messages::service(1).service.id, messages::destination(1).destination)
}

/// The flags of a request that wants an acknowledgement.
const FLAGS: u16 = 0x5;

/// The library.
pub mod ipvs_rs_codec {
    use ipvs_rs::codec::{Frames, Payload, Reply, Request, put_request};
    use ipvs_rs::model::AddressFamily;
    use ipvs_rs::{DestinationEntry, ServiceEntry};

    use super::{FLAGS, messages};

    /// Decodes a list of services.
    pub fn services(list: &[u8]) -> Vec<ServiceEntry> {
        rows_of(list).map(|(command, attributes)| Reply::decode_service(command, attributes).unwrap()).collect()
    }

    /// Decodes a list of destinations.
    pub fn destinations(list: &[u8]) -> Vec<DestinationEntry> {
        let decode = |(command, attributes)| Reply::decode_destination(command, attributes, AddressFamily::Ipv4);
        rows_of(list).map(|row| decode(row).unwrap()).collect()
    }

    fn rows_of(list: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
        Frames::new(list).filter_map(|frame| match frame.unwrap().payload {
            Payload::Data { command, attributes } => Some((command, attributes)),
            _ => None,
        })
    }

    /// Encodes a request into a buffer that is used again.
    pub fn encode(request: &Request, buffer: &mut Vec<u8>) {
        buffer.clear();
        put_request(buffer, messages::FAMILY, FLAGS, 1, request);
    }
}

/// `netlink-packet-ipvs`, on the traits of rust-netlink.
///
/// It panics on any forwarding method but masquerading.
pub mod netlink_packet_ipvs_codec {
    use netlink_packet_core::{NetlinkMessage, NetlinkPayload};
    use netlink_packet_generic::GenlMessage;
    use netlink_packet_ipvs::ctrl::nlas::destination::{Destination, DestinationExtended, ForwardTypeFull};
    use netlink_packet_ipvs::ctrl::nlas::service::{Flags, Netmask, Protocol, Scheduler, Service, ServiceExtended};
    use netlink_packet_ipvs::ctrl::nlas::{AddressFamily, IpvsCtrlAttrs};
    use netlink_packet_ipvs::ctrl::{IpvsCtrlCmd, IpvsServiceCtrl};

    use super::messages;

    /// Decodes a list of services.
    pub fn services(list: &[u8]) -> Vec<ServiceExtended> {
        rows_of(list, |row| match row {
            IpvsCtrlAttrs::Service(attributes) => Service::from_nlas(&attributes).unwrap(),
            IpvsCtrlAttrs::Destination(_) => unreachable!("a list of services"),
        })
    }

    /// Decodes a list of destinations.
    pub fn destinations(list: &[u8]) -> Vec<DestinationExtended> {
        rows_of(list, |row| match row {
            IpvsCtrlAttrs::Destination(attributes) => DestinationExtended::from_nlas(&attributes).unwrap(),
            IpvsCtrlAttrs::Service(_) => unreachable!("a list of destinations"),
        })
    }

    fn rows_of<R>(mut list: &[u8], decode: impl Fn(IpvsCtrlAttrs) -> R) -> Vec<R> {
        let mut rows = Vec::new();
        loop {
            let message = NetlinkMessage::<GenlMessage<IpvsServiceCtrl>>::deserialize(list).unwrap();
            let NetlinkPayload::InnerMessage(data) = message.payload else {
                return rows;
            };
            rows.extend(data.payload.nlas.into_iter().map(&decode));
            list = &list[usize::try_from(message.header.length).unwrap()..];
        }
    }

    /// The form of [`request`](super::request) in this library.
    pub fn request() -> IpvsServiceCtrl {
        let (service, destination) = (messages::service(1).service, messages::destination(1).destination);
        let family = AddressFamily::IPv4;
        let service = Service {
            address: service.id.address().unwrap(),
            netmask: Netmask::new(32, family),
            scheduler: Scheduler::WeightedLeastConnection,
            flags: Flags(0),
            port: service.id.port(),
            fw_mark: None,
            persistence_timeout: None,
            family,
            protocol: Protocol::TCP,
        };
        let destination = Destination {
            address: destination.id.address(),
            fwd_method: ForwardTypeFull::Masquerade,
            weight: destination.weight.get(),
            upper_threshold: None,
            lower_threshold: None,
            port: destination.id.port(),
            family,
        };
        let nests =
            vec![IpvsCtrlAttrs::Service(service.create_nlas()), IpvsCtrlAttrs::Destination(destination.create_nlas())];
        IpvsServiceCtrl { cmd: IpvsCtrlCmd::NewDest, nlas: nests, family_id: messages::FAMILY }
    }

    /// Encodes a request; each time into a buffer of its own.
    pub fn encode(request: IpvsServiceCtrl) -> Vec<u8> {
        request.serialize(false)
    }
}

/// `nlrs`, a client of its own.
///
/// It reads neither counters nor flags.
pub mod nlrs_codec {
    use nlrs::genetlink::GenericMessageBuilder;
    use nlrs::ipvs::destination::{
        GetDestinationMessageBuilder, IpvsDestination, IpvsForwardMethod, NewDestinationMessageBuilder,
    };
    use nlrs::ipvs::service::{GetServiceMessageBuilder, IpvsServiceDetails};
    use nlrs::ipvs::{IpvsService, Protocol};

    use super::messages;

    /// Decodes a list of services.
    pub fn services(mut list: &[u8]) -> Vec<IpvsServiceDetails> {
        GetServiceMessageBuilder::<Vec<u8>>::parse_response(&mut list).unwrap()
    }

    /// Decodes a list of destinations.
    pub fn destinations(mut list: &[u8]) -> Vec<IpvsDestination> {
        GetDestinationMessageBuilder::<Vec<u8>>::parse_response(&mut list).unwrap()
    }

    /// Encodes [`request`](super::request) into a buffer that is used again.
    pub fn encode(buffer: &mut Vec<u8>) {
        let (service, destination) = (messages::service(1).service.id, messages::destination(1).destination);
        let service_address = (service.address().unwrap(), service.port().unwrap()).into();
        let service = IpvsService { service_address, protocol: Protocol::TCP };
        buffer.clear();
        let (mut message, _) =
            NewDestinationMessageBuilder::new(buffer, messages::FAMILY, 1, (service, destination.id.into()));
        message.set_forwarding_method(IpvsForwardMethod::Masquerade);
        message.set_weight(destination.weight.get());
        message.build().unwrap();
    }
}
