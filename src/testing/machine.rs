//! The kernel itself: its abilities, the state that all namespaces share, and the path of a request through it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::answer::{BARE, Head, Options, Remark, Writer};
use super::counters::Counters;
use super::daemon::{Daemon, Interface};
use super::fault::FaultPlan;
use super::list::Listing;
use super::release::Release;
use super::table::{Destination, HZ, Place, Service, ServiceKey, Trashed};
use super::wire::{
    Attributes, LEFTOVER, Message, NLM_F_ACK, NLM_F_DUMP, NLM_F_ECHO, NLM_F_REQUEST, Policy, TOP, VIOLATION, Violation,
};
use crate::error::Errno;

/// The interval of the estimator.
const ESTIMATION: Duration = Duration::from_secs(2);
/// The time for which a deleted destination without connections can still be revived.
const TRASH: Duration = Duration::from_secs(120);
/// The family number of the generic netlink controller.
pub(super) const CONTROLLER: u16 = 16;
/// The version of the family's messages.
pub(super) const VERSION: u8 = 1;

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
    List(Listing),
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
            self.next_family = self.next_family.checked_add(1).unwrap_or(CONTROLLER + 1);
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

    /// Executes a request (`genl_rcv_msg`).
    pub(super) fn follow(
        &mut self,
        caller: Caller,
        message: &Message<'_>,
        remark: &mut Remark,
    ) -> Result<Outcome, Errno> {
        if message.kind == CONTROLLER {
            return self.control(caller, message, remark);
        }
        if Some(message.kind) != self.family {
            return Err(Errno::ENOENT);
        }
        let (command, reserved) = message.command().ok_or(Errno::EINVAL)?;
        check_header(message, command, reserved, LAST_COMMAND, remark)?;
        let Some((_, (can_do, can_list))) = COMMANDS.into_iter().find(|(number, _)| *number == command) else {
            return Err(Errno::EOPNOTSUPP);
        };
        let is_possible = if message.is_dump() { can_list } else { can_do };
        let (first, second) = if self.release.asks_for_privilege_first() {
            ((caller.is_privileged, Errno::EPERM), (is_possible, Errno::EOPNOTSUPP))
        } else {
            ((is_possible, Errno::EOPNOTSUPP), (caller.is_privileged, Errno::EPERM))
        };
        for (is_well, errno) in [first, second] {
            if !is_well {
                return Err(errno);
            }
        }
        if message.is_dump() {
            return Ok(Outcome::List(Listing::new(command, message)));
        }
        let attributes = parse(message.attributes(), BARE, TOP, remark)?;
        self.command(caller, message, command, &attributes, remark)
    }

    /// A reply to a request that is not a list.
    pub(super) fn reply(caller: Caller, message: &Message<'_>, command: u8, fill: impl FnOnce(&mut Writer)) -> Outcome {
        let mut out = Writer::default();
        let (sequence, port) = (message.sequence, caller.port);
        let head = Head { family: message.kind, flags: 0, sequence, port, command, version: VERSION };
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

/// The forms of a command: whether it can change or read one object, and whether it can list.
type Can = (bool, bool);

/// The commands of the family. 14 is only the name of a reply.
const COMMANDS: [(u8, Can); 16] = [
    (1, (true, false)),
    (2, (true, false)),
    (3, (true, false)),
    (4, (true, true)),
    (5, (true, false)),
    (6, (true, false)),
    (7, (true, false)),
    (8, (false, true)),
    (9, (true, false)),
    (10, (true, false)),
    (11, (false, true)),
    (12, (true, false)),
    (13, (true, false)),
    (15, (true, false)),
    (16, (true, false)),
    (17, (true, false)),
];
const LAST_COMMAND: u8 = 17;

/// The commands with the flags that the controller reports for them (`CTRL_ATTR_OPS`).
pub(super) fn operations(release: Release) -> impl Iterator<Item = (u8, u32)> {
    const ADMIN: u32 = 0x1;
    const DO: u32 = 0x2;
    const LIST: u32 = 0x4;
    const POLICY: u32 = 0x8;
    COMMANDS.into_iter().map(move |(command, (can_do, can_list))| {
        // Since 6.12 the commands that can only list are reported without a policy.
        let has_policy = can_do || release == Release::V6_1;
        let bit = |is_set: bool, bit: u32| if is_set { bit } else { 0 };
        (command, ADMIN | bit(can_do, DO) | bit(can_list, LIST) | bit(has_policy, POLICY))
    })
}

/// Checks the fields that must not be set in a message whose command is newer than the check (`genl_header_check`).
pub(super) fn check_header(
    message: &Message<'_>,
    command: u8,
    reserved: u16,
    last: u8,
    remark: &mut Remark,
) -> Result<(), Errno> {
    if command <= last {
        return Ok(());
    }
    if reserved != 0 {
        remark.message = Some("genlmsghdr.reserved field is not 0");
        return Err(Errno::EINVAL);
    }
    let flags = if message.is_dump() { message.flags & !NLM_F_DUMP } else { message.flags };
    if flags & !(NLM_F_REQUEST | NLM_F_ACK | NLM_F_ECHO) != 0 {
        remark.message = Some("ambiguous or reserved bits set in nlmsg_flags");
        return Err(Errno::EINVAL);
    }
    Ok(())
}

/// Parses attributes, and reports in the remark what is wrong with them.
pub(super) fn parse<'a>(
    bytes: &'a [u8],
    offset: usize,
    policy: Policy,
    remark: &mut Remark,
) -> Result<Attributes<'a>, Errno> {
    match Attributes::parse(bytes, offset, policy) {
        Ok(attributes) => {
            if attributes.leftover {
                remark.message = Some(LEFTOVER);
            }
            Ok(attributes)
        }
        Err(Violation { errno, offset, shape }) => {
            *remark = Remark { message: Some(VIOLATION), attribute: Some((offset, Some(shape))) };
            Err(errno)
        }
    }
}
