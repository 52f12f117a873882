//! The same bytes by way of rust-netlink.

use ipvs_rs::codec::{FAMILY_NAME, Message, Reply, put_request};
use netlink_packet_core::{
    Emitable, NLM_F_ACK, NLM_F_REQUEST, NetlinkBuffer, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_generic::{GenlFamily, GenlMessage};
use proptest::prelude::*;

use crate::fixture;
use crate::law::{arb_reply, arb_request};

/// A message with its headers, as rust-netlink writes it.
fn packet(message: Message, family: u16, flags: u16, sequence: u32) -> Vec<u8> {
    let mut message = GenlMessage::from_payload(message);
    message.set_resolved_family_id(family);
    message.finalize();
    let mut header = NetlinkHeader::default();
    header.flags = flags;
    header.sequence_number = sequence;
    let mut packet = NetlinkMessage::new(header, NetlinkPayload::from(message));
    packet.finalize();
    let mut bytes = vec![0; packet.buffer_len()];
    packet.serialize(&mut bytes);
    bytes
}

proptest! {
    #[test]
    fn packet_of_a_request_is_what_this_library_sends(request in arb_request(), family in 16..u16::MAX, sequence: u32) {
        let flags = NLM_F_REQUEST | NLM_F_ACK;
        let mut expected = Vec::new();
        put_request(&mut expected, family, flags, sequence, &request);
        prop_assert_eq!(packet(request.into(), family, flags, sequence), expected);
    }

    #[test]
    fn reply_survives_the_way_through_a_packet(reply in arb_reply(), sequence: u32) {
        let bytes = packet(reply.clone().into(), 31, 0, sequence);
        let packet = NetlinkMessage::<GenlMessage<Message>>::deserialize(&bytes).unwrap();
        prop_assert_eq!(packet.header.sequence_number, sequence);
        prop_assert_eq!(packet.header.message_type, 31);
        let NetlinkPayload::InnerMessage(message) = packet.payload else { panic!("not a message") };
        prop_assert_eq!(message.payload, Message::Reply(reply));
    }

    #[test]
    fn message_fills_the_length_that_it_announces(reply in arb_reply()) {
        let mut expected = Vec::new();
        reply.encode(&mut expected);
        let message = Message::Reply(reply);
        prop_assert_eq!(message.buffer_len(), expected.len());
        let mut buffer = vec![0xee; expected.len() + 3];
        message.emit(&mut buffer[..expected.len()]);
        prop_assert_eq!(&buffer[..expected.len()], &expected[..]);
        prop_assert_eq!(&buffer[expected.len()..], [0xee; 3]);
    }

    #[test]
    fn buffer_that_is_too_short_is_filled_without_panic(reply in arb_reply(), len in 0..400usize) {
        let message = Message::Reply(reply);
        message.emit(&mut vec![0; len.min(message.buffer_len())]);
    }
}

#[test]
fn recorded_replies_are_read_from_packets() {
    let mut count = 0;
    for exchange in fixture::all().iter().filter(|exchange| !exchange.name.starts_with("ctrl-")) {
        for datagram in &exchange.replies {
            let mut rest = datagram.as_slice();
            while !rest.is_empty() {
                let len = usize::try_from(NetlinkBuffer::new(rest).length()).unwrap();
                let packet = NetlinkMessage::<GenlMessage<Message>>::deserialize(rest).unwrap();
                if let NetlinkPayload::InnerMessage(message) = packet.payload {
                    let Message::Reply(reply) = message.payload else { panic!("{}: not a reply", exchange.name) };
                    let mut bytes = Vec::new();
                    reply.encode(&mut bytes);
                    assert_eq!(bytes, &rest[20..len], "{}", exchange.name);
                    count += 1;
                }
                rest = &rest[len..];
            }
        }
    }
    assert_eq!(count, 33);
}

#[test]
fn packet_that_cannot_be_read_is_an_error_with_our_words() {
    let mut bytes = packet(Message::Reply(arbitrary_reply()), 31, 0, 1);
    bytes.truncate(20);
    bytes[..4].copy_from_slice(&20_u32.to_ne_bytes());
    let error = NetlinkMessage::<GenlMessage<Message>>::deserialize(&bytes).unwrap_err();
    assert!(format!("{error:?}").contains("IPVS_CMD_ATTR_SERVICE is missing"), "{error:?}");
}

fn arbitrary_reply() -> Reply {
    let service = ipvs_rs::Service::new("TCP 10.0.0.1:80".parse().unwrap(), ipvs_rs::Scheduler::Rr);
    Reply::Service(ipvs_rs::ServiceEntry::new(service))
}

#[test]
fn family_of_a_message_is_ipvs_in_version_one() {
    let message = Message::Reply(arbitrary_reply());
    assert_eq!((Message::family_name(), message.version(), message.command()), (FAMILY_NAME, 1, 1));
}
