//! The numbers of the kernel's header, read from a copy of it.

use std::collections::BTreeMap;
use std::fs;

use ipvs_rs::ForwardMethod;
use ipvs_rs::codec::{FAMILY_VERSION, IpvsCommand, Reply, Request, attribute_at};
use ipvs_rs::model::{ServiceFlags, SyncRole, Tunnel, TunnelFlags, TunnelKind};

use crate::fixture;
use crate::netlink::attribute;

/// Every line `NAME = number` of the copy.
fn header() -> BTreeMap<String, u32> {
    let text = fs::read_to_string(fixture::folder().join("ip_vs.txt")).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, number) = line.split_once(" = ").unwrap();
            let number = match number.strip_prefix("0x") {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            (name.to_owned(), number.unwrap())
        })
        .collect()
}

/// The names with a prefix and their numbers.
fn names(prefix: &str) -> Vec<(String, u16)> {
    let names = header().into_iter().filter(|(name, _)| name.starts_with(prefix));
    names.map(|(name, number)| (name, u16::try_from(number).unwrap())).collect()
}

/// The name of an attribute of this number at the top of a message, or within a nest of it.
fn name_of(nest: Option<u16>, kind: u16) -> Option<&'static str> {
    let headers = [0; 20];
    let inner = attribute(kind, &[0; 4]);
    match nest {
        None => attribute_at(&[&headers[..], &inner].concat(), 20),
        Some(nest) => attribute_at(&[&headers[..], &attribute(nest, &inner)].concat(), 24),
    }
}

#[test]
fn commands_have_the_numbers_of_the_header() {
    let commands: BTreeMap<u16, String> = names("IPVS_CMD_")
        .into_iter()
        .filter(|(name, _)| !name.starts_with("IPVS_CMD_ATTR_"))
        .map(|(name, number)| (number, name))
        .collect();
    let ours = IpvsCommand::ALL.map(|command| {
        let name = match command {
            IpvsCommand::NewService => "IPVS_CMD_NEW_SERVICE",
            IpvsCommand::SetService => "IPVS_CMD_SET_SERVICE",
            IpvsCommand::DeleteService => "IPVS_CMD_DEL_SERVICE",
            IpvsCommand::GetService => "IPVS_CMD_GET_SERVICE",
            IpvsCommand::NewDestination => "IPVS_CMD_NEW_DEST",
            IpvsCommand::SetDestination => "IPVS_CMD_SET_DEST",
            IpvsCommand::DeleteDestination => "IPVS_CMD_DEL_DEST",
            IpvsCommand::GetDestination => "IPVS_CMD_GET_DEST",
            IpvsCommand::NewDaemon => "IPVS_CMD_NEW_DAEMON",
            IpvsCommand::DeleteDaemon => "IPVS_CMD_DEL_DAEMON",
            IpvsCommand::GetDaemon => "IPVS_CMD_GET_DAEMON",
            IpvsCommand::SetConfig => "IPVS_CMD_SET_CONFIG",
            IpvsCommand::GetConfig => "IPVS_CMD_GET_CONFIG",
            IpvsCommand::SetInfo => "IPVS_CMD_SET_INFO",
            IpvsCommand::GetInfo => "IPVS_CMD_GET_INFO",
            IpvsCommand::Zero => "IPVS_CMD_ZERO",
            IpvsCommand::Flush => "IPVS_CMD_FLUSH",
            other => panic!("{other:?} is not in the header"),
        };
        (u16::from(command.number()), name.to_owned())
    });
    assert_eq!(commands, BTreeMap::from(ours));
}

#[test]
fn commands_are_found_by_their_numbers_and_no_others() {
    for command in IpvsCommand::ALL {
        assert_eq!(IpvsCommand::from_number(command.number()), Some(command));
    }
    for number in (18..=u8::MAX).chain([0]) {
        assert_eq!(IpvsCommand::from_number(number), None, "{number}");
    }
}

#[test]
fn attributes_of_requests_have_the_names_and_numbers_of_the_header() {
    for (prefix, nest, count) in [
        ("IPVS_CMD_ATTR_", None, 6),
        ("IPVS_SVC_ATTR_", Some(1), 12),
        ("IPVS_DEST_ATTR_", Some(2), 15),
        ("IPVS_DAEMON_ATTR_", Some(3), 8),
    ] {
        let names = names(prefix);
        assert_eq!(names.len(), count, "{prefix}");
        for (name, number) in names {
            assert_eq!(name_of(nest, number), Some(name.as_str()), "{prefix} {number}");
        }
        for number in [0, u16::try_from(count).unwrap() + 1, 0x3fff] {
            assert_eq!(name_of(nest, number), None, "{prefix} {number}");
        }
    }
    assert_eq!(name_of(Some(4), 1), None, "a number is no nest");
}

/// They have no place in a request, so it is the error about a value that is too short that tells the name.
#[test]
fn attributes_of_statistics_have_the_names_and_numbers_of_the_header() {
    let names = names("IPVS_STATS_ATTR_");
    assert_eq!(names.len(), 10);
    for block in [10, 12] {
        for (name, number) in &names {
            let mut bytes = Vec::new();
            let entry = ipvs_rs::ServiceEntry::new(ipvs_rs::Service::new(
                "TCP 10.0.0.1:80".parse().unwrap(),
                ipvs_rs::Scheduler::Rr,
            ));
            Reply::Service(entry).encode(&mut bytes);
            // Instead of the two blocks, which are 92 and 124 bytes long, one with a short number.
            let service = bytes[4..bytes.len() - 92 - 124].to_vec();
            let statistics = attribute(block, &attribute(*number, &[0]));
            let bytes = attribute(1, &[service, statistics].concat());
            let error = Reply::decode(IpvsCommand::NewService.number(), &bytes).unwrap_err();
            assert_eq!(error.attribute(), name, "{block}");
        }
    }
}

#[test]
fn attributes_of_the_version_have_the_names_and_numbers_of_the_header() {
    let names = names("IPVS_INFO_ATTR_");
    assert_eq!(names.len(), 2);
    for (name, number) in names {
        let error = Reply::decode(IpvsCommand::SetInfo.number(), &attribute(number, &[0])).unwrap_err();
        assert_eq!(error.attribute(), name);
    }
}

#[test]
fn flags_methods_and_roles_have_the_numbers_of_the_header() {
    let header = header();
    let daemon_state = |role| {
        let mut bytes = Vec::new();
        Request::DeleteDaemon(role).encode(&mut bytes);
        u32::from_ne_bytes(bytes[8..12].try_into().unwrap())
    };
    for (name, number) in [
        ("IP_VS_SVC_F_PERSISTENT", ServiceFlags::PERSISTENT.bits()),
        ("IP_VS_SVC_F_HASHED", ServiceFlags::HASHED.bits()),
        ("IP_VS_SVC_F_ONEPACKET", ServiceFlags::ONE_PACKET.bits()),
        ("IP_VS_SVC_F_SCHED1", ServiceFlags::SCHEDULER_1.bits()),
        ("IP_VS_SVC_F_SCHED2", ServiceFlags::SCHEDULER_2.bits()),
        ("IP_VS_SVC_F_SCHED3", ServiceFlags::SCHEDULER_3.bits()),
        ("IP_VS_CONN_F_MASQ", ForwardMethod::Masquerade.number()),
        ("IP_VS_CONN_F_LOCALNODE", ForwardMethod::Local.number()),
        ("IP_VS_CONN_F_TUNNEL", ForwardMethod::Tunnel(Tunnel::ipip()).number()),
        ("IP_VS_CONN_F_DROUTE", ForwardMethod::DirectRoute.number()),
        ("IP_VS_CONN_F_BYPASS", ForwardMethod::Bypass.number()),
        ("IP_VS_CONN_F_TUNNEL_TYPE_IPIP", TunnelKind::Ipip.number().into()),
        ("IP_VS_CONN_F_TUNNEL_TYPE_GUE", TunnelKind::Gue.number().into()),
        ("IP_VS_CONN_F_TUNNEL_TYPE_GRE", TunnelKind::Gre.number().into()),
        ("IP_VS_TUNNEL_ENCAP_FLAG_CSUM", TunnelFlags::CHECKSUM.bits().into()),
        ("IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM", TunnelFlags::REMOTE_CHECKSUM.bits().into()),
        ("IP_VS_STATE_MASTER", daemon_state(SyncRole::Master)),
        ("IP_VS_STATE_BACKUP", daemon_state(SyncRole::Backup)),
        ("IPVS_GENL_VERSION", FAMILY_VERSION.into()),
    ] {
        assert_eq!(header.get(name), Some(&number), "{name}");
    }
}
