//! One row for each key of a file: its doc, what a schema says of it, its name, its type, and the form in which it is read.

/// Hands the table of keys to a macro: the types of a file are made of it, and the way in which they are read.
macro_rules! keys {
    ($make:ident) => {
        $make! {
            /// A document: what the table of a network namespace should be.
            File "the file" {
                /// The version of the format, 1 or 2; 1 if it is not written.
                #[cfg_attr(feature = "schema", schemars(extend("enum" = [1, 2, null])))]
                version "version": i64 as i64,
                /// The time-outs of connections; those that are not written stay as they are.
                timeouts "timeouts": Timeouts as Timeouts,
                /// The synchronization daemons; not written, they are left alone; an empty list stops them.
                #[cfg_attr(feature = "schema", schemars(length(max = 2)))]
                sync "sync": Vec<Sync> as Vec<Sync>,
                /// The part of the table that is managed; not written, all of it.
                scope "scope": Scope as Scope,
                /// How destinations are drained before they are deleted; not written, they are not.
                drain "drain": Drain as Drain,
                /// The settings of services and destinations of this file that do not say.
                defaults "defaults": Defaults as Defaults,
                /// The services.
                services "services": Vec<Service> as Vec<Service>,
            }

            /// `timeouts`: how long the kernel keeps connections that are silent.
            Timeouts "timeouts" {
                /// Of established TCP connections.
                tcp "tcp": Duration as Duration,
                /// Of TCP connections after a FIN.
                tcpfin "tcpfin": Duration as Duration,
                /// Of UDP.
                udp "udp": Duration as Duration,
            }

            /// `sync[]`: a synchronization daemon.
            #[cfg_attr(feature = "schema", schemars(extend("required" = ["role", "interface"])))]
            Sync "a synchronization daemon" {
                /// `master` or `backup`.
                #[cfg_attr(feature = "schema", schemars(extend("enum" = ["master", "backup", null])))]
                role "role": String as Text,
                /// The network interface of the multicast.
                interface "interface": String as Text,
                /// The number of those that belong together, 0 to 255; on a backup 0 stands for all.
                #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 4_294_967_295_u32)))]
                id "id": i64 as i64,
                /// The multicast group; the kernel's own is 224.0.0.81.
                group "group": String as Text,
                /// The UDP port; the kernel's own is 8848.
                #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 65535)))]
                port "port": i64 as i64,
                /// How many routers messages pass; the kernel's own is 1.
                #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 255)))]
                ttl "ttl": i64 as i64,
                /// The longest message in bytes, 1024 at least; the kernel's own is what fits the interface.
                #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 65535)))]
                maxlen "maxlen": i64 as i64,
            }

            /// `scope`: what of the table is managed.
            Scope "scope" {
                /// Patterns of services that are managed; not written, all are.
                manage "manage": Vec<String> as Vec<Pattern>,
                /// Patterns of services that are not, after all.
                ignore "ignore": Vec<String> as Vec<Pattern>,
            }

            /// `drain`: how the connections of a destination are given time before it is deleted.
            Drain "drain" {
                /// The longest wait.
                timeout "timeout": Duration as Duration,
                /// The time between two looks at the counters; 500 milliseconds if not written.
                poll "poll": Duration as Duration,
                /// `active` connections are waited for, or `all`; not written, `active`.
                #[cfg_attr(feature = "schema", schemars(extend("enum" = ["active", "all", null])))]
                wait "wait": String as Text,
                /// `delete`, `keep` or `fail`; not written, `delete`.
                #[cfg_attr(feature = "schema", schemars(extend("enum" = ["delete", "keep", "fail", null])))]
                on_timeout "on-timeout": String as Text,
            }

            /// `defaults`: what services and destinations of this file have that do not say.
            Defaults "defaults" {
                /// The port of addresses without one, 1 to 65535; firewall marks have none.
                #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 65535)))]
                port "port": i64 as i64,
                /// The weight of destinations without one.
                #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 2_147_483_647)))]
                weight "weight": i64 as i64,
                /// The scheduler of services without one; not written, `rr`.
                sched "sched": String as Text,
                /// The forwarding method of destinations without one; not written, `direct`.
                #[cfg_attr(feature = "schema", schemars(extend("anyOf" = schema::words(&schema::FORWARDS, "^unknown-[5-7]$"))))]
                forward "forward": String as Text,
            }

            /// `services[]`: a virtual service.
            #[cfg_attr(feature = "schema", schemars(extend("required" = ["address"])))]
            Service "a service" {
                /// Its name: letters, digits, `.`, `_` and `-`, up to 63 of them.
                #[cfg_attr(feature = "schema", schemars(regex(pattern = "^[A-Za-z0-9._-]{1,63}$")))]
                name "name": String as Text,
                /// `tcp://192.0.2.10:80`, `udp://[2001:db8::1]:53`, `sctp://…`, `ip_47://…`, `fwmark:7`, `fwmark6:7`.
                address "address": String as Address,
                /// `ipv4` or `ipv6`, for a firewall mark only; not written, `ipv4`.
                #[cfg_attr(feature = "schema", schemars(extend("enum" = ["ipv4", "ipv6", null])))]
                family "family": String as Text,
                /// The scheduler.
                sched "sched": String as Text,
                /// Flags of the scheduler: `flag-1` to `flag-3`, or `fallback` and `port` for `sh` and `mh`; others by number, `0x40`.
                sched_flags "sched-flags": Vec<String> as Vec<Flag>,
                /// Whether each packet is scheduled for itself; UDP and firewall marks only.
                one_packet "one-packet": bool as bool,
                /// Whether, and for how long, a client stays with its destination.
                persistence "persistence": Persistence as Persistence,
                /// How its destinations are drained, instead of the way of the file.
                drain "drain": Drain as Drain,
                /// Its counters, as they are printed; not read.
                #[serde(skip_deserializing)]
                #[cfg_attr(feature = "schema", schemars(skip))]
                stats "stats": Box<Stats> as Stats,
                /// Its destinations.
                destinations "destinations": Vec<Destination> as Vec<Destination>,
            }

            /// `persistence` as a mapping.
            PersistenceSettings "persistence" {
                /// How long after its last connection a client comes back to its destination; 360 seconds if not written.
                timeout "timeout": Duration as Duration,
                /// The bits that clients have in common which count as one, for an IPv4 service.
                netmask "netmask": String as Text,
                /// The same as a number of bits: 0 to 32, for an IPv6 service 1 to 128.
                #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 128)))]
                prefix "prefix": i64 as i64,
                /// The persistence engine: `sip`, for UDP.
                engine "engine": String as Text,
            }

            /// `services[].destinations[]`: a destination (real server).
            #[cfg_attr(feature = "schema", schemars(extend("required" = ["address"])))]
            Destination "a destination" {
                /// `10.0.0.2:8080` or `[2001:db8::2]:8080`.
                address "address": String as Address,
                /// Its share of the connections, relative to the others; 0 takes no new ones.
                #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 2_147_483_647)))]
                weight "weight": i64 as i64,
                /// `direct`, `nat` or `tunnel`.
                #[cfg_attr(feature = "schema", schemars(extend("anyOf" = schema::words(&schema::FORWARDS, "^unknown-[5-7]$"))))]
                forward "forward": String as Text,
                /// The tunnel, with `forward: tunnel` only; not written, IP in IP.
                tunnel "tunnel": Tunnel as Tunnel,
                /// The numbers of connections between which it takes new ones.
                thresholds "thresholds": Thresholds as Thresholds,
                /// `active`, or `drain` for weight 0 in the kernel; not written, `active`.
                #[cfg_attr(feature = "schema", schemars(extend("enum" = ["active", "drain", null])))]
                state "state": String as Text,
                /// Its counters, as they are printed; not read.
                #[serde(skip_deserializing)]
                #[cfg_attr(feature = "schema", schemars(skip))]
                stats "stats": Box<Stats> as Stats,
            }

            /// `tunnel`: how packets travel to a destination.
            Tunnel "tunnel" {
                /// `ipip`, `gue` or `gre`; not written, `ipip`.
                #[cfg_attr(feature = "schema", schemars(extend("anyOf" = schema::words(&["ipip", "gue", "gre"], "^tunnel-[0-9]{1,3}$"))))]
                kind "type": String as Text,
                /// The UDP port of GUE, 1 to 65535.
                #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 65535)))]
                port "port": i64 as i64,
                /// `off`, `on`, or for GUE `remote`; not written, `off`.
                #[cfg_attr(feature = "schema", schemars(extend("anyOf" = schema::words(&["off", "on", "remote"], "^(csum|remcsum|0x[0-9a-f]+)(,(remcsum|0x[0-9a-f]+))*$"))))]
                checksum "checksum": String as Text,
            }

            /// `thresholds`: the numbers of connections between which a destination takes new ones.
            Thresholds "thresholds" {
                /// With this many it takes no new ones; 0 is no limit.
                #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 4_294_967_295_u32)))]
                upper "upper": i64 as i64,
                /// Below this many it takes new ones again; 0 is three quarters of the upper one.
                #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 4_294_967_295_u32)))]
                lower "lower": i64 as i64,
            }
        }
    };
}
pub(in crate::desired) use keys;
