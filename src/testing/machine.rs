//! The kernel itself: its abilities, and the state that all namespaces share.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use netlink_packet_generic::constants::GENL_ID_CTRL;

use super::answer::{Head, Options, Writer};
use super::counters::Counters;
use super::fault::FaultPlan;
use super::interface::Interface;
use super::release::Release;
use super::table::{Daemon, Destination, HZ, Place, Service, ServiceKey, Trashed};
use super::wire::Message;
use crate::codec::{FAMILY_VERSION, IpvsCommand};

/// The interval of the estimator.
const ESTIMATION: Duration = Duration::from_secs(2);
/// The time for which a deleted destination without connections can still be revived.
const TRASH: Duration = Duration::from_secs(120);

/// The state that everything created from one [`FakeKernel`](super::FakeKernel) shares.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) release: Release,
    /// The number of the family; `None` while IPVS is not loaded.
    pub(super) family: Option<u16>,
    pub(super) next_family: u16,
    pub(super) next_port: u32,
    pub(super) next_instance: u64,
    pub(super) namespaces: Vec<Namespace>,
    pub(super) services: BTreeMap<Place, Service>,
    pub(super) schedulers: BTreeSet<Vec<u8>>,
    pub(super) engines: BTreeSet<Vec<u8>>,
    pub(super) has_ipv6: bool,
    pub(super) knows_tunnels: bool,
    pub(super) seed: u64,
    pub(super) now: Duration,
    pub(super) plan: FaultPlan,
}

/// The state of one network namespace besides its services.
#[derive(Debug)]
pub(super) struct Namespace {
    /// TCP, TCP after a FIN, UDP; in ticks.
    pub(super) timeouts: [u32; 3],
    pub(super) interfaces: Vec<Interface>,
    /// Master and backup.
    pub(super) daemons: [Option<Daemon>; 2],
    /// The number of destinations that are of another family than their service.
    pub(super) mixed: u32,
    pub(super) trash: Vec<Trashed>,
    /// The time of the next check of the trash.
    trash_check: Option<Duration>,
    pub(super) has_connection_table: bool,
}

/// The sender of a request: its namespace, port id and privilege, and the options of its socket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    pub(super) namespace: u32,
    pub(super) port: u32,
    pub(super) is_privileged: bool,
    pub(super) options: Options,
}

/// The outcome of a request that succeeded.
#[derive(Debug)]
pub(super) enum Outcome {
    Done,
    /// One message of data.
    Reply(Vec<u8>),
    /// A list, which is sent piece by piece.
    List,
}

impl Default for Namespace {
    fn default() -> Self {
        Self {
            timeouts: [900 * HZ, 120 * HZ, 300 * HZ],
            interfaces: vec![Interface::new("lo").mtu(65_536)],
            daemons: [None, None],
            mixed: 0,
            trash: Vec::new(),
            trash_check: None,
            has_connection_table: false,
        }
    }
}

impl Machine {
    pub(super) fn new(release: Release) -> Self {
        let names = |names: &[&str]| names.iter().map(|name| name.as_bytes().to_vec()).collect::<BTreeSet<_>>();
        let mut schedulers =
            names(&["rr", "wrr", "lc", "wlc", "fo", "ovf", "lblc", "lblcr", "dh", "sh", "mh", "sed", "nq"]);
        if release.has_twos() {
            schedulers.insert(b"twos".to_vec());
        }
        Self {
            release,
            family: Some(release.family()),
            next_family: release.family() + 1,
            next_port: 1000,
            next_instance: 0,
            namespaces: vec![Namespace::default()],
            services: BTreeMap::new(),
            schedulers,
            engines: names(&["sip"]),
            has_ipv6: true,
            knows_tunnels: true,
            seed: 0,
            now: Duration::ZERO,
            plan: FaultPlan::default(),
        }
    }

    /// Forgets everything, as when the module is unloaded.
    pub(super) fn unload(&mut self) {
        self.family = None;
        self.services.clear();
        for namespace in &mut self.namespaces {
            let interfaces = std::mem::take(&mut namespace.interfaces);
            *namespace = Namespace { interfaces, ..Namespace::default() };
        }
    }

    /// Loads the module again, under a number that the family did not have before.
    pub(super) fn load(&mut self) {
        if self.family.is_none() {
            self.family = Some(self.next_family);
            self.next_family = self.next_family.checked_add(1).unwrap_or(GENL_ID_CTRL + 1);
        }
    }

    pub(super) fn namespace(&mut self, number: u32) -> Option<&mut Namespace> {
        usize::try_from(number).ok().and_then(|number| self.namespaces.get_mut(number))
    }

    pub(super) fn place(&self, key: ServiceKey, namespace: u32) -> Place {
        Place::of(key, namespace, self.release, self.seed)
    }

    /// The services of the table that a namespace uses, in order. Before Linux 7 these include the services of other
    /// namespaces.
    pub(super) fn table(&self, namespace: u32) -> impl Iterator<Item = (&Place, &Service)> {
        let table = if self.release.shares_the_table() { 0 } else { namespace };
        self.services.range(Place::first_of(table)..).take_while(move |(place, _)| place.table == table)
    }

    pub(super) fn keys_of(&self, namespace: u32) -> Vec<Place> {
        self.table(namespace).filter(|(place, _)| place.namespace == namespace).map(|(place, _)| *place).collect()
    }

    /// Lets time pass.
    pub(super) fn advance(&mut self, time: Duration) {
        let before = self.now;
        self.now = self.now.saturating_add(time);
        let rounds = |now: Duration| now.as_secs() / ESTIMATION.as_secs();
        for _ in rounds(before)..rounds(self.now) {
            let mut is_settled = true;
            let mut estimate = |counters: &mut Counters| {
                counters.estimate();
                is_settled &= counters.is_settled();
            };
            for service in self.services.values_mut() {
                estimate(&mut service.counters);
                service.destinations.iter_mut().for_each(|destination| estimate(&mut destination.counters));
            }
            if is_settled {
                break;
            }
        }
        for namespace in &mut self.namespaces {
            namespace.empty_trash(self.now);
        }
    }

    /// A reply to a request that is not a list.
    pub(super) fn reply(
        caller: Caller,
        message: &Message<'_>,
        command: IpvsCommand,
        fill: impl FnOnce(&mut Writer),
    ) -> Outcome {
        let mut out = Writer::default();
        let (sequence, port) = (message.sequence, caller.port);
        let head =
            Head { family: message.kind, flags: 0, sequence, port, command: command.number(), version: FAMILY_VERSION };
        out.data(head, fill);
        Outcome::Reply(out.bytes)
    }
}

impl Namespace {
    /// Keeps a destination that was deleted (`__ip_vs_del_dest`).
    pub(super) fn discard(&mut self, destination: Destination, service: ServiceKey, instance: u64, now: Duration) {
        if destination.key.family != service.family {
            self.mixed = self.mixed.saturating_sub(1);
        }
        self.trash_check.get_or_insert(now.saturating_add(TRASH / 2));
        self.trash.push(Trashed { destination, service, instance, idle_since: None });
    }

    /// Runs `ip_vs_dest_trash_expire` as often as it was due.
    fn empty_trash(&mut self, now: Duration) {
        while let Some(check) = self.trash_check.filter(|check| *check <= now) {
            self.trash.retain_mut(|trashed| {
                if trashed.destination.is_referred_to() {
                    return true;
                }
                let since = *trashed.idle_since.get_or_insert(check);
                check < since.saturating_add(TRASH)
            });
            // When connections refer to every destination, further checks would change nothing.
            let is_stuck = self.trash.iter().all(|trashed| trashed.destination.is_referred_to());
            self.trash_check = match self.trash.is_empty() {
                true => None,
                false if is_stuck => Some(now.max(check).saturating_add(TRASH / 2)),
                false => Some(check.saturating_add(TRASH / 2)),
            };
        }
    }
}
