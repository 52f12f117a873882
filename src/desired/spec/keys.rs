//! One row for each key of a file: its doc, its name, its type, its form in a decoder, and its attributes in the
//! schema.

/// Passes the table of keys to a macro: the types of a file and their decoders are generated from it.
macro_rules! keys {
    ($make:ident) => {
        $make! {
            /// A document: the desired state of a network namespace.
            #[serde(rename = "File", expecting = "struct File")]
            FileSpec "the file" {
                /// The version of the format, 1 or 2; by default 1.
                version "version": i64 as i64 [extend("enum" = [1, 2, null])],
                /// The timeouts of connections; absent ones stay unchanged.
                timeouts "timeouts": TimeoutsSpec as TimeoutsSpec,
                /// The synchronization daemons; by default they are left alone; an empty list stops them.
                sync "sync": Vec<SyncSpec> as Vec<SyncSpec> [length(max = 2)],
                /// The managed part of the table; by default all of it.
                scope "scope": ScopeSpec as ScopeSpec,
                /// The drain of destinations before they are deleted; by default none.
                drain "drain": DrainSpec as DrainSpec,
                /// The defaults for services and destinations of this file.
                defaults "defaults": DefaultsSpec as DefaultsSpec,
                /// The services.
                services "services": Vec<ServiceSpec> as Vec<ServiceSpec>,
            }

            /// `timeouts`: the times after which the kernel forgets idle connections.
            #[serde(rename = "Timeouts", expecting = "struct Timeouts")]
            TimeoutsSpec "timeouts" {
                /// The timeout of established TCP connections.
                tcp "tcp": DurationSpec as DurationSpec,
                /// The timeout of TCP connections after a FIN.
                tcpfin "tcpfin": DurationSpec as DurationSpec,
                /// The timeout of UDP connections.
                udp "udp": DurationSpec as DurationSpec,
            }

            /// `sync[]`: a synchronization daemon.
            #[serde(rename = "Sync", expecting = "struct Sync")]
            SyncSpec "a synchronization daemon" [extend("required" = ["role", "interface"])] {
                /// `master` or `backup`.
                role "role": String as Text [extend("enum" = schema::roles())],
                /// The network interface of the multicast.
                interface "interface": String as Text,
                /// The ID of a group of daemons, 0 to 255; a backup with 0 accepts the messages of all groups.
                id "id": i64 as i64 [range(min = 0, max = 4_294_967_295_u32)],
                /// The multicast group; the kernel's default is 224.0.0.81.
                group "group": String as Text,
                /// The UDP port; the kernel's default is 8848.
                port "port": i64 as i64 [range(min = 1, max = 65535)],
                /// The TTL of the messages; the kernel's default is 1.
                ttl "ttl": i64 as i64 [range(min = 1, max = 255)],
                /// The longest message in bytes, at least 1024; by default as long as the interface allows.
                maxlen "maxlen": i64 as i64 [range(min = 1, max = 65535)],
            }

            /// `scope`: the managed part of the table.
            #[serde(rename = "Scope", expecting = "struct Scope")]
            ScopeSpec "scope" {
                /// Patterns of managed services; by default all are managed.
                manage "manage": Vec<String> as Vec<Pattern>,
                /// Patterns of services that are not managed, although `manage` matches them.
                ignore "ignore": Vec<String> as Vec<Pattern>,
            }

            /// `drain`: the time that the connections of a destination get before it is deleted.
            #[serde(rename = "Drain", expecting = "struct Drain")]
            DrainSpec "drain" {
                /// The longest wait.
                timeout "timeout": DurationSpec as DurationSpec,
                /// The interval between two reads of the counters; by default 500 milliseconds.
                poll "poll": DurationSpec as DurationSpec,
                /// The connections that are waited for, `active` or `all`; by default `active`.
                wait "wait": String as Text [extend("enum" = schema::waits())],
                /// The action for remaining connections: `delete`, `keep` or `fail`; by default `delete`.
                on_timeout "on-timeout": String as Text [extend("enum" = schema::outcomes())],
            }

            /// `defaults`: settings of services and destinations of this file that do not have their own.
            #[serde(rename = "Defaults", expecting = "struct Defaults")]
            DefaultsSpec "defaults" {
                /// The port of addresses without one, 1 to 65535; firewall marks have none.
                port "port": i64 as i64 [range(min = 1, max = 65535)],
                /// The weight of destinations without one.
                weight "weight": i64 as i64 [range(min = 0, max = 2_147_483_647)],
                /// The scheduler of services without one; by default `rr`.
                sched "sched": String as Text,
                /// The forwarding method of destinations without one; by default `direct`.
                forward "forward": String as Text [extend("anyOf" = schema::forwards())],
            }

            /// `services[]`: a virtual service.
            #[serde(rename = "Service", expecting = "struct Service")]
            ServiceSpec "a service" [extend("required" = ["address"])] {
                /// Its name: letters, digits, `.`, `_` and `-`, up to 63 of them.
                name "name": String as Text [regex(pattern = "^[A-Za-z0-9._-]{1,63}$")],
                /// `tcp://192.0.2.10:80`, `udp://[2001:db8::1]:53`, `sctp://…`, `ip_47://…`, `fwmark:7`, `fwmark6:7`.
                address "address": String as Address,
                /// `ipv4` or `ipv6`, for a firewall mark only; by default `ipv4`.
                family "family": String as Text [extend("enum" = schema::families())],
                /// The scheduler.
                sched "sched": String as Text,
                /// Flags of the scheduler: `flag-1` to `flag-3`, or `fallback` and `port` for `sh` and `mh`; others by number, `0x40`.
                sched_flags "sched-flags": Vec<String> as Vec<Flag>,
                /// Whether each packet is scheduled by itself; for UDP and firewall marks only.
                one_packet "one-packet": bool as bool,
                /// The persistence of clients: `true`, the time that a client stays with its destination, or a mapping.
                persistence "persistence": PersistenceSpec as PersistenceSpec,
                /// The drain of its destinations, instead of that of the file.
                drain "drain": DrainSpec as DrainSpec,
                /// Its counters, as they are printed; not read.
                #[serde(skip_deserializing)]
                stats "stats": Box<StatsSpec> as StatsSpec [skip],
                /// Its destinations.
                destinations "destinations": Vec<DestinationSpec> as Vec<DestinationSpec>,
            }

            /// `persistence` as a mapping.
            #[serde(rename = "PersistenceSettings", expecting = "struct PersistenceSettings")]
            PersistenceSettingsSpec "persistence" {
                /// The time after its last connection for which a client keeps its destination; by default 360 seconds.
                timeout "timeout": DurationSpec as DurationSpec,
                /// The netmask of a network whose clients count as one, for an IPv4 service.
                netmask "netmask": String as Text,
                /// The same as a prefix length: 0 to 32, for an IPv6 service 1 to 128.
                prefix "prefix": i64 as i64 [range(min = 0, max = 128)],
                /// The persistence engine: `sip`, for UDP.
                engine "engine": String as Text,
            }

            /// `services[].destinations[]`: a destination (real server).
            #[serde(rename = "Destination", expecting = "struct Destination")]
            DestinationSpec "a destination" [extend("required" = ["address"])] {
                /// `10.0.0.2:8080` or `[2001:db8::2]:8080`.
                address "address": String as Address,
                /// Its share of new connections, relative to the others; 0 for none.
                weight "weight": i64 as i64 [range(min = 0, max = 2_147_483_647)],
                /// `direct`, `nat` or `tunnel`.
                forward "forward": String as Text [extend("anyOf" = schema::forwards())],
                /// The tunnel, with `forward: tunnel` only; by default IP in IP.
                tunnel "tunnel": TunnelSpec as TunnelSpec,
                /// The numbers of connections at which it stops and resumes taking new ones.
                thresholds "thresholds": ThresholdsSpec as ThresholdsSpec,
                /// `active`, or `drain` for weight 0 in the kernel; by default `active`.
                state "state": String as Text [extend("enum" = schema::states())],
                /// Its counters, as they are printed; not read.
                #[serde(skip_deserializing)]
                stats "stats": Box<StatsSpec> as StatsSpec [skip],
            }

            /// `tunnel`: the encapsulation of packets to a destination.
            #[serde(rename = "Tunnel", expecting = "struct Tunnel")]
            TunnelSpec "tunnel" {
                /// `ipip`, `gue` or `gre`; by default `ipip`.
                kind "type": String as Text [extend("anyOf" = schema::tunnels())],
                /// The UDP port of GUE, 1 to 65535.
                port "port": i64 as i64 [range(min = 1, max = 65535)],
                /// `off`, `on`, or for GUE `remote`; by default `off`.
                checksum "checksum": String as Text [extend("anyOf" = schema::checksums())],
            }

            /// `thresholds`: the numbers of connections at which a destination stops and resumes taking new ones.
            #[serde(rename = "Thresholds", expecting = "struct Thresholds")]
            ThresholdsSpec "thresholds" {
                /// The number of connections from which it takes no new ones; 0 for no limit.
                upper "upper": i64 as i64 [range(min = 0, max = 4_294_967_295_u32)],
                /// The number below which it takes new ones again; 0 for three quarters of the upper one.
                lower "lower": i64 as i64 [range(min = 0, max = 4_294_967_295_u32)],
            }
        }
    };
}
pub(in crate::desired) use keys;
