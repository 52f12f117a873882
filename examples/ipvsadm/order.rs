//! The order of a listing.
//!
//! Addresses and marks compare by the sign of their wrapped difference, as in the original. That is not a consistent
//! order for numbers more than 2^31 apart, so the sorting has to be exactly the same: a merge sort that halves, and
//! takes from the left where the right is not smaller.

use std::cmp::Ordering;
use std::net::IpAddr;

use ipvs_rs::model::{AddressFamily, Protocol};
use ipvs_rs::{DestinationId, ServiceId, Table};

/// Sorts the services of a table, and the destinations of each.
pub fn sort(table: &mut Table) {
    merge_sort(&mut table.services, &|left, right| compare_services(&left.id(), &right.id()));
    for service in &mut table.services {
        merge_sort(&mut service.destinations, &|left, right| compare_destinations(&left.id(), &right.id()));
    }
}

fn compare_services(left: &ServiceId, right: &ServiceId) -> Ordering {
    let mark = |id: &ServiceId| id.mark().map_or(0, u32::from);
    let protocol = |id: &ServiceId| id.protocol().map_or(0, Protocol::number);
    wrapped(mark(left), mark(right))
        .then_with(|| family(left.family()).cmp(&family(right.family())))
        .then_with(|| protocol(left).cmp(&protocol(right)))
        .then_with(|| match (left.address(), right.address()) {
            (Some(left), Some(right)) => compare_addresses(left, right),
            _ => Ordering::Equal,
        })
        .then_with(|| left.port().cmp(&right.port()))
}

fn compare_destinations(left: &DestinationId, right: &DestinationId) -> Ordering {
    compare_addresses(left.address(), right.address()).then_with(|| left.port().cmp(&right.port()))
}

/// The family of the left one decides how many words count.
fn compare_addresses(left: IpAddr, right: IpAddr) -> Ordering {
    let count = match left {
        IpAddr::V4(_) => 1,
        IpAddr::V6(_) => 4,
    };
    let pairs = words(left).into_iter().zip(words(right)).take(count);
    pairs.map(|(left, right)| wrapped(left, right)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// An address as four words, of which an IPv4 address fills the first.
fn words(address: IpAddr) -> [u32; 4] {
    match address {
        IpAddr::V4(address) => [address.to_bits(), 0, 0, 0],
        IpAddr::V6(address) => {
            let bits = address.to_bits();
            [96, 64, 32, 0].map(|shift| u32::try_from((bits >> shift) & u128::from(u32::MAX)).unwrap_or_default())
        }
    }
}

fn wrapped(left: u32, right: u32) -> Ordering {
    left.wrapping_sub(right).cast_signed().cmp(&0)
}

const fn family(family: AddressFamily) -> u8 {
    match family {
        AddressFamily::Ipv4 => 2,
        AddressFamily::Ipv6 => 10,
    }
}

/// `slice::sort_by` may panic where the order is not consistent.
fn merge_sort<T>(items: &mut Vec<T>, compare: &impl Fn(&T, &T) -> Ordering) {
    if items.len() < 2 {
        return;
    }
    let mut right = items.split_off(items.len() / 2);
    let mut left = std::mem::take(items);
    merge_sort(&mut left, compare);
    merge_sort(&mut right, compare);
    items.reserve_exact(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(first), Some(second)) = (left.peek(), right.peek()) {
        let from_left = compare(first, second).is_le();
        items.extend(if from_left { left.next() } else { right.next() });
    }
    items.extend(left);
    items.extend(right);
}

#[cfg(test)]
mod tests {
    use std::fmt::{Debug, Display};
    use std::str::FromStr;

    use super::*;

    fn sorted<T: FromStr<Err: Debug> + Display>(texts: &[&str], compare: impl Fn(&T, &T) -> Ordering) -> Vec<String> {
        let mut items: Vec<T> = texts.iter().map(|text| text.parse().unwrap()).collect();
        merge_sort(&mut items, &compare);
        items.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn addresses_far_apart_sort_by_the_wrapped_difference() {
        let servers = ["10.0.0.1:80", "172.16.0.1:80", "192.168.0.1:80"];
        assert_eq!(sorted(&servers, compare_destinations), ["172.16.0.1:80", "192.168.0.1:80", "10.0.0.1:80"]);
        let servers = ["[2001:db8::1]:80", "[fd00::1]:80"];
        assert_eq!(sorted(&servers, compare_destinations), ["[fd00::1]:80", "[2001:db8::1]:80"]);
    }

    #[test]
    fn services_sort_by_mark_family_protocol_address_and_port() {
        let services = [
            "FWM 2",
            "FWM 1 IPv6",
            "FWM 1",
            "FWM 4294967295",
            "UDP 10.0.0.1:1",
            "TCP [2001:db8::1]:80",
            "TCP 10.0.0.2:80",
            "TCP 10.0.0.1:443",
            "TCP 10.0.0.1:80",
            "SCTP 10.0.0.1:1",
        ];
        let expected = [
            "FWM 4294967295",
            "TCP 10.0.0.1:80",
            "TCP 10.0.0.1:443",
            "TCP 10.0.0.2:80",
            "UDP 10.0.0.1:1",
            "SCTP 10.0.0.1:1",
            "TCP [2001:db8::1]:80",
            "FWM 1",
            "FWM 1 IPv6",
            "FWM 2",
        ];
        assert_eq!(sorted(&services, compare_services), expected);
    }

    #[test]
    fn ipv4_servers_come_before_ipv6_ones_of_the_same_first_word() {
        let servers = ["[2001:db8::4]:80", "10.0.0.3:80", "10.0.0.2:90", "10.0.0.2:80"];
        let expected = ["10.0.0.2:80", "10.0.0.2:90", "10.0.0.3:80", "[2001:db8::4]:80"];
        assert_eq!(sorted(&servers, compare_destinations), expected);
    }
}
