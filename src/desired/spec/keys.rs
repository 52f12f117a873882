//! One row for each key of a file: its doc, its name, its type, its form in a decoder, and its attributes in the
//! schema.

/// Passes the table of keys to a macro: the types of a file and their decoders are generated from it.
macro_rules! keys {
    ($make:ident) => {
        $make! {
            /// A document: what the table of a network namespace should be.
            #[serde(rename = "File", expecting = "struct File")]
            FileSpec "the file" {
                /// The version of the format, 1 or 2; 1 if it is not written.
                version "version": i64 as i64 [extend("enum" = [1, 2, null])],
                /// The time-outs of connections; those that are not written stay as they are.
                timeouts "timeouts": TimeoutsSpec as TimeoutsSpec,
                /// The synchronization daemons; not written, they are left alone; an empty list stops them.
                sync "sync": Vec<SyncSpec> as Vec<SyncSpec> [length(max = 2)],
                /// The part of the table that is managed; not written, all of it.
                scope "scope": ScopeSpec as ScopeSpec,
                /// How destinations are drained before they are deleted; not written, they are not.
                drain "drain": DrainSpec as DrainSpec,
                /// The settings of services and destinations of this file that do not say.
                defaults "defaults": DefaultsSpec as DefaultsSpec,
                /// The services.
                services "services": Vec<ServiceSpec> as Vec<ServiceSpec>,
            }

            /// `timeouts`: how long the kernel keeps connections that are silent.
            #[serde(rename = "Timeouts", expecting = "struct Timeouts")]
            TimeoutsSpec "timeouts" {
                /// Of established TCP connections.
                tcp "tcp": DurationSpec as DurationSpec,
                /// Of TCP connections after a FIN.
                tcpfin "tcpfin": DurationSpec as DurationSpec,
                /// Of UDP.
                udp "udp": DurationSpec as DurationSpec,
            }

            /// `sync[]`: a synchronization daemon.
            #[serde(rename = "Sync", expecting = "struct Sync")]
            SyncSpec "a synchronization daemon" [extend("required" = ["role", "interface"])] {
                /// `master` or `backup`.
                role "role": String as Text [extend("enum" = ["master", "backup", null])],
                /// The network interface of the multicast.
                interface "interface": String as Text,
                /// The number of those that belong together, 0 to 255; on a backup 0 stands for all.
                id "id": i64 as i64 [range(min = 0, max = 4_294_967_295_u32)],
                /// The multicast group; the kernel's own is 224.0.0.81.
                group "group": String as Text,
                /// The UDP port; the kernel's own is 8848.
                port "port": i64 as i64 [range(min = 1, max = 65535)],
                /// How many routers messages pass; the kernel's own is 1.
                ttl "ttl": i64 as i64 [range(min = 1, max = 255)],
                /// The longest message in bytes, 1024 at least; the kernel's own is what fits the interface.
                maxlen "maxlen": i64 as i64 [range(min = 1, max = 65535)],
            }

            /// `scope`: what of the table is managed.
            #[serde(rename = "Scope", expecting = "struct Scope")]
            ScopeSpec "scope" {
                /// Patterns of services that are managed; not written, all are.
                manage "manage": Vec<String> as Vec<Pattern>,
                /// Patterns of services that are not, after all.
                ignore "ignore": Vec<String> as Vec<Pattern>,
            }

            /// `drain`: how the connections of a destination are given time before it is deleted.
            #[serde(rename = "Drain", expecting = "struct Drain")]
            DrainSpec "drain" {
                /// The longest wait.
                timeout "timeout": DurationSpec as DurationSpec,
                /// The time between two looks at the counters; 500 milliseconds if not written.
                poll "poll": DurationSpec as DurationSpec,
                /// `active` connections are waited for, or `all`; not written, `active`.
                wait "wait": String as Text [extend("enum" = ["active", "all", null])],
                /// `delete`, `keep` or `fail`; not written, `delete`.
                on_timeout "on-timeout": String as Text [extend("enum" = ["delete", "keep", "fail", null])],
            }

            /// `defaults`: what services and destinations of this file have that do not say.
            #[serde(rename = "Defaults", expecting = "struct Defaults")]
            DefaultsSpec "defaults" {
                /// The port of addresses without one, 1 to 65535; firewall marks have none.
                port "port": i64 as i64 [range(min = 1, max = 65535)],
                /// The weight of destinations without one.
                weight "weight": i64 as i64 [range(min = 0, max = 2_147_483_647)],
                /// The scheduler of services without one; not written, `rr`.
                sched "sched": String as Text,
                /// The forwarding method of destinations without one; not written, `direct`.
                forward "forward": String as Text [extend("anyOf" = schema::words(&schema::FORWARDS, "^unknown-[5-7]$"))],
            }

            /// `services[]`: a virtual service.
            #[serde(rename = "Service", expecting = "struct Service")]
            ServiceSpec "a service" [extend("required" = ["address"])] {
                /// Its name: letters, digits, `.`, `_` and `-`, up to 63 of them.
                name "name": String as Text [regex(pattern = "^[A-Za-z0-9._-]{1,63}$")],
                /// `tcp://192.0.2.10:80`, `udp://[2001:db8::1]:53`, `sctp://…`, `ip_47://…`, `fwmark:7`, `fwmark6:7`.
                address "address": String as Address,
                /// `ipv4` or `ipv6`, for a firewall mark only; not written, `ipv4`.
                family "family": String as Text [extend("enum" = ["ipv4", "ipv6", null])],
                /// The scheduler.
                sched "sched": String as Text,
                /// Flags of the scheduler: `flag-1` to `flag-3`, or `fallback` and `port` for `sh` and `mh`; others by number, `0x40`.
                sched_flags "sched-flags": Vec<String> as Vec<Flag>,
                /// Whether each packet is scheduled for itself; UDP and firewall marks only.
                one_packet "one-packet": bool as bool,
                /// Whether, and for how long, a client stays with its destination.
                persistence "persistence": PersistenceSpec as PersistenceSpec,
                /// How its destinations are drained, instead of the way of the file.
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
                /// How long after its last connection a client comes back to its destination; 360 seconds if not written.
                timeout "timeout": DurationSpec as DurationSpec,
                /// The bits that clients have in common which count as one, for an IPv4 service.
                netmask "netmask": String as Text,
                /// The same as a number of bits: 0 to 32, for an IPv6 service 1 to 128.
                prefix "prefix": i64 as i64 [range(min = 0, max = 128)],
                /// The persistence engine: `sip`, for UDP.
                engine "engine": String as Text,
            }

            /// `services[].destinations[]`: a destination (real server).
            #[serde(rename = "Destination", expecting = "struct Destination")]
            DestinationSpec "a destination" [extend("required" = ["address"])] {
                /// `10.0.0.2:8080` or `[2001:db8::2]:8080`.
                address "address": String as Address,
                /// Its share of the connections, relative to the others; 0 takes no new ones.
                weight "weight": i64 as i64 [range(min = 0, max = 2_147_483_647)],
                /// `direct`, `nat` or `tunnel`.
                forward "forward": String as Text [extend("anyOf" = schema::words(&schema::FORWARDS, "^unknown-[5-7]$"))],
                /// The tunnel, with `forward: tunnel` only; not written, IP in IP.
                tunnel "tunnel": TunnelSpec as TunnelSpec,
                /// The numbers of connections between which it takes new ones.
                thresholds "thresholds": ThresholdsSpec as ThresholdsSpec,
                /// `active`, or `drain` for weight 0 in the kernel; not written, `active`.
                state "state": String as Text [extend("enum" = ["active", "drain", null])],
                /// Its counters, as they are printed; not read.
                #[serde(skip_deserializing)]
                stats "stats": Box<StatsSpec> as StatsSpec [skip],
            }

            /// `tunnel`: how packets travel to a destination.
            #[serde(rename = "Tunnel", expecting = "struct Tunnel")]
            TunnelSpec "tunnel" {
                /// `ipip`, `gue` or `gre`; not written, `ipip`.
                kind "type": String as Text [extend("anyOf" = schema::words(&["ipip", "gue", "gre"], "^tunnel-[0-9]{1,3}$"))],
                /// The UDP port of GUE, 1 to 65535.
                port "port": i64 as i64 [range(min = 1, max = 65535)],
                /// `off`, `on`, or for GUE `remote`; not written, `off`.
                checksum "checksum": String as Text [extend("anyOf" = schema::words(&["off", "on", "remote"], "^(csum|remcsum|0x[0-9a-f]+)(,(remcsum|0x[0-9a-f]+))*$"))],
            }

            /// `thresholds`: the numbers of connections between which a destination takes new ones.
            #[serde(rename = "Thresholds", expecting = "struct Thresholds")]
            ThresholdsSpec "thresholds" {
                /// With this many it takes no new ones; 0 is no limit.
                upper "upper": i64 as i64 [range(min = 0, max = 4_294_967_295_u32)],
                /// Below this many it takes new ones again; 0 is three quarters of the upper one.
                lower "lower": i64 as i64 [range(min = 0, max = 4_294_967_295_u32)],
            }
        }
    };
}
pub(in crate::desired) use keys;
