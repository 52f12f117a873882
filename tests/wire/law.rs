//! Laws that hold for every value, on a machine of either byte order.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use ipvs_rs::codec::{DecodeError, Frames, IpvsCommand, Payload, Reply, Request, put_request};
use ipvs_rs::model::AddressFamily;
use ipvs_rs::{Destination, ServiceId};
use netlink_packet_core::NLM_F_DUMP;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::strategy::*;
use crate::tree::{self, Node, Value};

/// Every command with anything in it.
pub(crate) fn arb_request() -> impl Strategy<Value = Request> {
    let nothing = prop_oneof![
        Just(Request::GetServices),
        Just(Request::GetDaemons),
        Just(Request::GetConfig),
        Just(Request::GetInfo),
        Just(Request::Flush),
    ];
    prop_oneof![
        arb_service().prop_map(Request::NewService),
        arb_service().prop_map(Request::SetService),
        arb_service_id().prop_map(Request::DeleteService),
        arb_service_id().prop_map(Request::GetService),
        (arb_service_id(), arb_destination()).prop_map(|(id, to)| Request::NewDestination(id, to)),
        (arb_service_id(), arb_destination()).prop_map(|(id, to)| Request::SetDestination(id, to)),
        (arb_service_id(), arb_destination_id()).prop_map(|(id, to)| Request::DeleteDestination(id, to)),
        arb_service_id().prop_map(Request::GetDestinations),
        arb_sync_daemon().prop_map(Request::NewDaemon),
        arb_sync_role().prop_map(Request::DeleteDaemon),
        arb_config().prop_map(Request::SetConfig),
        option::of(arb_service_id()).prop_map(Request::Zero),
        nothing,
    ]
}

/// Everything that the kernel can answer.
pub(crate) fn arb_reply() -> impl Strategy<Value = Reply> {
    prop_oneof![
        arb_service_entry().prop_map(Reply::Service),
        arb_destination_entry().prop_map(Reply::Destination),
        arb_sync_daemon().prop_map(Reply::Daemon),
        arb_config().prop_map(Reply::Config),
        arb_info_reply(),
    ]
}

/// There is no other way to make one than to read it.
fn arb_info_reply() -> impl Strategy<Value = Reply> {
    any::<[u32; 2]>().prop_map(|[version, size]| {
        let numbers = [version, size].map(|number| Value::Leaf(number.to_ne_bytes().to_vec()));
        let nodes: Vec<Node> = (1..).zip(numbers).map(|(kind, value)| Node { kind, value }).collect();
        Reply::decode(IpvsCommand::SetInfo.number(), &tree::write(&nodes)).unwrap()
    })
}

/// A message of either direction, as a command and its attributes.
pub(crate) fn arb_message() -> impl Strategy<Value = Message> {
    prop_oneof![arb_request().prop_map(Message::from).boxed(), arb_reply().prop_map(Message::from).boxed()]
}

#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) command: u8,
    pub(crate) direction: Direction,
    pub(crate) attributes: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Direction {
    ToKernel { dump: bool },
    FromKernel,
}

impl From<Request> for Message {
    fn from(request: Request) -> Self {
        Self {
            command: request.command().number(),
            direction: Direction::ToKernel { dump: request.is_dump() },
            attributes: request_bytes(&request),
        }
    }
}

impl From<Reply> for Message {
    fn from(reply: Reply) -> Self {
        Self { command: reply.command().number(), direction: Direction::FromKernel, attributes: reply_bytes(&reply) }
    }
}

impl Message {
    pub(crate) fn decode(&self) -> Result<ipvs_rs::codec::Message, DecodeError> {
        self.decode_as(&self.attributes)
    }

    /// The value of other attributes of the same message.
    fn decode_as(&self, attributes: &[u8]) -> Result<ipvs_rs::codec::Message, DecodeError> {
        match self.direction {
            Direction::ToKernel { dump } => Request::decode(self.command, dump, attributes).map(Into::into),
            Direction::FromKernel => Reply::decode(self.command, attributes).map(Into::into),
        }
    }

    fn tree(&self) -> Vec<Node> {
        tree::parse(self.command, &self.attributes)
    }
}

fn request_bytes(request: &Request) -> Vec<u8> {
    let mut bytes = Vec::new();
    request.encode(&mut bytes);
    bytes
}

fn reply_bytes(reply: &Reply) -> Vec<u8> {
    let mut bytes = Vec::new();
    reply.encode(&mut bytes);
    bytes
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Attributes of an unknown kind.
fn arb_unknown() -> impl Strategy<Value = Node> {
    let kind = prop_oneof![Just(0), 64..0x4000u16];
    (kind, vec(any::<u8>(), 0..24)).prop_map(|(kind, value)| Node { kind, value: Value::Leaf(value) })
}

proptest! {
    #[test]
    fn request_reads_back_as_what_was_written(request in arb_request()) {
        let bytes = request_bytes(&request);
        prop_assert_eq!(bytes.len() % 4, 0);
        let decoded = Request::decode(request.command().number(), request.is_dump(), &bytes).unwrap();
        prop_assert_eq!(&decoded, &request);
        prop_assert_eq!(request_bytes(&decoded), bytes);
    }

    #[test]
    fn reply_reads_back_as_what_was_written(reply in arb_reply(), family in arb_family()) {
        let bytes = reply_bytes(&reply);
        let decoded = Reply::decode_for(reply.command().number(), &bytes, family).unwrap();
        prop_assert_eq!(&decoded, &reply);
        prop_assert_eq!(reply_bytes(&decoded), bytes);
    }

    #[test]
    fn flag_word_of_the_kernel_is_kept_bit_by_bit(mut entry in arb_service_entry(), flags in arb_service_flags()) {
        entry.flags = flags;
        let bytes = reply_bytes(&Reply::Service(entry));
        let decoded = Reply::decode(IpvsCommand::NewService.number(), &bytes).unwrap();
        prop_assert_eq!(reply_bytes(&decoded), bytes);
        let Reply::Service(decoded) = decoded else { panic!("not a service") };
        prop_assert_eq!(decoded.flags, flags);
        prop_assert_eq!(decoded.service.flags(), flags.settings());
    }

/// An update with the settings that were read sends the settings that are stored.
    #[test]
    fn settings_that_were_read_are_written_unchanged(mut entry in arb_service_entry(), flags in arb_service_flags()) {
        entry.flags = flags;
        let Reply::Service(entry) =
            Reply::decode(IpvsCommand::NewService.number(), &reply_bytes(&Reply::Service(entry))).unwrap()
        else { panic!("not a service") };
        let update = Request::SetService(entry.service.clone());
        let Request::SetService(sent) = Request::decode(2, false, &request_bytes(&update)).unwrap()
        else { panic!("not an update") };
        prop_assert_eq!(hash(&sent), hash(&entry.service));
        prop_assert_eq!(sent, entry.service);
    }

    /// The kernel keeps what was said of a tunnel when the method is changed to another.
    #[test]
    fn tunnel_of_a_destination_without_one_is_kept(
        entry in arb_destination_entry(),
        method in 0..8u32,
        kind: u8,
        port: u16,
        flags: u16,
    ) {
        let mut nodes = tree::parse(5, &reply_bytes(&Reply::Destination(entry)));
        let Value::Nest(destination) = &mut nodes[0].value else { panic!("not a nest") };
        for node in destination {
            node.value = match node.kind {
                3 => Value::Leaf(method.to_ne_bytes().to_vec()),
                13 => Value::Leaf(vec![kind]),
                14 => Value::Leaf(port.to_be_bytes().to_vec()),
                15 => Value::Leaf(flags.to_ne_bytes().to_vec()),
                _ => continue,
            };
        }
        let bytes = tree::write(&nodes);
        let decoded = Reply::decode(5, &bytes).unwrap();
        prop_assert_eq!(reply_bytes(&decoded), bytes);
        let Reply::Destination(entry) = decoded else { panic!("not a destination") };
        let update = Request::SetDestination("FWM 1".parse().unwrap(), entry.destination);
        prop_assert_eq!(Request::decode(6, false, &request_bytes(&update)), Ok(update));
    }

    #[test]
    fn whole_message_has_its_header_and_its_length(request in arb_request(), family in 16..u16::MAX, sequence: u32) {
        let mut datagram = vec![0xee; 4];
        let flags = if request.is_dump() { NLM_F_DUMP | 1 } else { 1 };
        put_request(&mut datagram, family, flags, sequence, &request);
        prop_assert_eq!(&datagram[..4], [0xee; 4], "appended");
        let frames: Vec<_> = Frames::new(&datagram[4..]).map(Result::unwrap).collect();
        prop_assert_eq!(frames.len(), 1);
        prop_assert_eq!((frames[0].kind, frames[0].flags, frames[0].sequence), (family, flags, sequence));
        prop_assert_eq!((frames[0].port, frames[0].offset), (0, 0));
        let Payload::Data { command, attributes } = frames[0].payload else { panic!("no data") };
        prop_assert_eq!(command, request.command().number());
        prop_assert_eq!(attributes, request_bytes(&request));
    }

    #[test]
    fn order_of_attributes_does_not_matter(message in arb_message(), seed: u64) {
        let mut nodes = message.tree();
        let mut turn = seed;
        tree::at_every_level(&mut nodes, &mut |nodes| {
            let by = |node: &Node| (u64::from(node.kind) << 32 | 1).wrapping_mul(turn | 1).rotate_left(23);
            nodes.sort_by_key(by);
            turn = turn.rotate_left(7);
        });
        prop_assert_eq!(message.decode_as(&tree::write(&nodes)), message.decode());
    }

    #[test]
    fn unknown_attributes_are_skipped(message in arb_message(), unknown in vec(arb_unknown(), 1..4), at: usize) {
        let mut nodes = message.tree();
        tree::at_every_level(&mut nodes, &mut |nodes| {
            for (place, node) in unknown.iter().enumerate() {
                let place = at.wrapping_add(place) % (nodes.len() + 1);
                nodes.insert(place, node.clone());
            }
        });
        prop_assert_eq!(message.decode_as(&tree::write(&nodes)), message.decode());
    }

    #[test]
    fn of_attributes_that_stand_there_twice_the_last_counts((first, second) in arb_twins()) {
        let nodes = tree::preceded(&first.tree(), &second.tree());
        prop_assert_eq!(second.decode_as(&tree::write(&nodes)), second.decode());
    }

    #[test]
    fn flag_bits_of_an_attribute_say_nothing(message in arb_message(), bits: u64) {
        let mut nodes = message.tree();
        let mut bits = bits;
        tree::at_every_level(&mut nodes, &mut |nodes| {
            for node in nodes {
                node.kind = node.kind & 0x3fff | u16::try_from(bits & 3).unwrap() << 14;
                bits = bits.rotate_right(2);
            }
        });
        prop_assert_eq!(message.decode_as(&tree::write(&nodes)), message.decode());
    }

    #[test]
    fn longer_attributes_are_read_as_far_as_known(message in arb_message(), more in vec(any::<u8>(), 1..9)) {
        let mut nodes = message.tree();
        tree::at_every_level(&mut nodes, &mut |nodes| {
            for node in nodes {
                if let Value::Leaf(value) = &mut node.value {
                    value.extend(&more);
                }
            }
        });
        prop_assert_eq!(message.decode_as(&tree::write(&nodes)), message.decode());
    }

    #[test]
    fn padding_behind_the_last_attribute_may_be_absent(message in arb_message()) {
        let unpadded = message.tree().last().map_or(0, |node| match &node.value {
            Value::Leaf(value) => value.len().next_multiple_of(4) - value.len(),
            Value::Nest(_) => 0,
        });
        let end = message.attributes.len() - unpadded;
        prop_assert_eq!(message.decode_as(&message.attributes[..end]), message.decode());
    }

    /// A 32-bit block is the low half of the 64-bit one, and is believed where it stands alone.
    #[test]
    fn narrow_block_counts_without_a_wide_one(entry in arb_service_entry()) {
        let mut expected = entry.clone();
        let bytes = reply_bytes(&Reply::Service(entry));
        let mut nodes = tree::parse(1, &bytes);
        tree::at_every_level(&mut nodes, &mut |nodes| nodes.retain(|node| node.kind != 12));
        let decoded = Reply::decode(1, &tree::write(&nodes)).unwrap();
        let stats = &mut expected.stats;
        for number in [
            &mut stats.connections,
            &mut stats.packets_in,
            &mut stats.packets_out,
            &mut stats.connections_per_sec,
            &mut stats.packets_per_sec_in,
            &mut stats.packets_per_sec_out,
            &mut stats.bytes_per_sec_in,
            &mut stats.bytes_per_sec_out,
        ] {
            *number &= u64::from(u32::MAX);
        }
        prop_assert_eq!(decoded, Reply::Service(expected));
    }

    #[test]
    fn family_that_is_not_told_is_the_services(entry in arb_destination_entry(), is_zero: bool) {
        let family = AddressFamily::of(entry.id().address());
        let mut nodes = tree::parse(5, &reply_bytes(&Reply::Destination(entry.clone())));
        let Value::Nest(destination) = &mut nodes[0].value else { panic!("not a nest") };
        if is_zero {
            let node = destination.iter_mut().find(|node| node.kind == 11).unwrap();
            node.value = Value::Leaf(vec![0, 0]);
        } else {
            destination.retain(|node| node.kind != 11);
        }
        prop_assert_eq!(Reply::decode_for(5, &tree::write(&nodes), family), Ok(Reply::Destination(entry)));
    }

    /// A row that is as the kernel writes it is read by its places, one with something behind it is not.
    #[test]
    fn bytes_say_the_same_whatever_stands_behind_the_nest(
        reply in prop_oneof![
            arb_service_entry().prop_map(Reply::Service),
            arb_destination_entry().prop_map(Reply::Destination),
        ],
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        family in arb_family(),
    ) {
        let mut bytes = reply_bytes(&reply);
        for (place, byte) in changes {
            // The header of the nest stays.
            let inner = &mut bytes[4..];
            let place = place.index(inner.len());
            inner[place] = byte;
        }
        let mut followed = bytes.clone();
        followed.extend([8_u16.to_ne_bytes(), 99_u16.to_ne_bytes(), [0; 2], [0; 2]].concat());
        let command = reply.command().number();
        prop_assert_eq!(Reply::decode_for(command, &bytes, family), Reply::decode_for(command, &followed, family));
    }
}

/// Two messages of the same form. Boxed, because what makes them is too large for a stack all in one.
fn arb_twins() -> impl Strategy<Value = (Message, Message)> {
    fn twins<T>(
        values: impl Strategy<Value = (T, T)> + 'static,
        message: fn(T) -> Message,
    ) -> BoxedStrategy<(Message, Message)>
    where
        T: std::fmt::Debug + 'static,
    {
        values.prop_map(move |(first, second)| (message(first), message(second))).boxed()
    }
    prop_oneof![
        twins((arb_service(), arb_service()), |service| Request::NewService(service).into()),
        twins((arb_pair(), arb_pair()), |(id, to)| Request::NewDestination(id, to).into()),
        twins((arb_config(), arb_config()), |config| Request::SetConfig(config).into()),
        twins((arb_sync_daemon(), arb_sync_daemon()), |daemon| Request::NewDaemon(daemon).into()),
        twins((arb_service_entry(), arb_service_entry()), |entry| Reply::Service(entry).into()),
        twins((arb_destination_entry(), arb_destination_entry()), |entry| Reply::Destination(entry).into()),
        twins((arb_info_reply(), arb_info_reply()), Message::from),
    ]
}

fn arb_pair() -> impl Strategy<Value = (ServiceId, Destination)> {
    (arb_service_id(), arb_destination())
}
