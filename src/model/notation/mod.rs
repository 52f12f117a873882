//! The notation of ipvsadm(8) for the values of the model.
//!
//! Every value of the model prints in it and is read back from it: `value.to_string().parse()` gives the value again.
//! A value prints as one line without padding, so that logs, files, arguments and labels agree; a width in the format
//! pads it, for tables. Names are never resolved: addresses and ports are numbers.
//!
//! | value | prints | reads as well |
//! |---|---|---|
//! | [`ServiceId`] | `TCP 192.0.2.10:80`, `UDP [2001:db8::1]:53`, `IP_47 192.0.2.10:0` | `tcp://192.0.2.10:80`, `-t 192.0.2.10:80`, `--tcp-service 192.0.2.10:80`; no port is port 0; IPv6 in brackets in a URL |
//! | by firewall mark | `FWM 7`, `FWM 7 IPv6` | `fwmark:7`, `fwmark6:7`, `fwmark:7:ipv6`, `-f 7 -6`, `--fwmark-service 7 --ipv6` |
//! | [`DestinationId`] | `10.0.0.2:8080`, `[2001:db8::2]:8080` | no port is port 0, then `2001:db8::2` too |
//! | [`Protocol`] | `TCP`, `UDP`, `SCTP`, `AH`, `ESP`, `IP_47` | any case |
//! | [`AddressFamily`] | `IPv4`, `IPv6` | any case |
//! | [`ForwardMethod`] | `Masq`, `Route`, `Local`, `Bypass`, `Unknown-5`, `Tunnel`, `Tunnel gue:6080+csum` | any case; `-m`, `-g`, `-i` and their long names, `masquerading`, `nat`, `gatewaying`, `direct`, `ipip`, `gre` |
//! | [`Tunnel`] | `ipip`, `gue:6080`, `gre+csum`, `gue:6080+csum+remcsum+0x4` | `gue:6080:-c`, `gue:6080:+c`, `gue:6080:r+c` |
//! | [`TunnelKind`] | `ipip`, `gue`, `gre`, `tunnel-3` | any case |
//! | [`TunnelFlags`] | `nocsum`, `csum,remcsum`, `csum,0x4` | |
//! | [`Scheduler`], [`PersistenceEngine`] | `wlc`, `sip` | known names in any case |
//! | [`SchedulerFlags`] | `flag-1,flag-2`; [`notation`](SchedulerFlags::notation): `sh-fallback,sh-port` | either |
//! | [`ServiceFlags`] | `persistent,hashed,ops,flag-1,0x40` | |
//! | [`Weight`] | `10` | |
//! | [`Thresholds`] | `1000/800`, upper and lower; 0 is none | `1000` |
//! | [`Granularity`] | `client`, `255.255.255.0`, `64` | |
//! | [`Persistence`] | `persistent 300 mask 255.255.255.0 pe sip` | `300 mask 255.255.255.0 pe sip` |
//! | [`Timeout`] | `900s` | `900` |
//! | [`Config`] | `tcp 900s, tcpfin 120s, udp 300s`, `unchanged` | |
//! | [`Version`] | `1.2.1` | |
//! | [`SyncRole`] | `master`, `backup` | any case |
//! | [`SyncDaemon`] | `master sync daemon (mcast=eth1, syncid=7, ttl=1)` | parts in any order |
//! | [`Rule`] | `-A -t 192.0.2.10:80 -s wlc`, `-a -t 192.0.2.10:80 -r 10.0.0.2:80 -m -w 1` | see there |
//!
//! A [`ServiceEntry`] and a [`DestinationEntry`] print as one line for a log, which is not read back.
//!
//! Any other text is refused with a [`ParseError`] that carries the offending piece and the expected text in its
//! place. Every value that a kernel may hold is accepted, even where [`ServiceId::new`], [`Thresholds::with_upper`]
//! and [`Persistence::for_secs`] refuse it: an IPv4-mapped IPv6 address, any upper threshold, any timeout. Bytes of
//! a name that are not printable, and a backslash, print as `\x5c` and are read from that.
//!
//! ```
//! use ipvs_rs::model::notation::Rule;
//!
//! let rules = "\
//! -A -t 192.0.2.10:80 -s wlc -p 300
//! -a -t 192.0.2.10:80 -r 10.0.0.2:8080 -m -w 10
//! ";
//! for line in rules.lines() {
//!     match line.parse()? {
//!         Rule::Service(service) => assert_eq!(service.rule().to_string(), line),
//!         Rule::Destination { service, destination } => assert_eq!(destination.rule(&service).to_string(), line),
//!         _ => unreachable!("a rule of a later version"),
//!     }
//! }
//! # Ok::<(), ipvs_rs::model::ParseError>(())
//! ```

mod entry;
mod flags;
mod forward;
mod identity;
mod piece;
mod rule;
mod settings;
mod sync_daemon;

pub use rule::{DestinationRule, Rule, ServiceRule, ServiceSelector, TableRules};

#[cfg(doc)]
use super::{
    AddressFamily, Config, DestinationEntry, DestinationId, ForwardMethod, Granularity, ParseError, Persistence,
    PersistenceEngine, Protocol, Scheduler, SchedulerFlags, ServiceEntry, ServiceFlags, ServiceId, SyncDaemon,
    SyncRole, Thresholds, Timeout, Tunnel, TunnelFlags, TunnelKind, Version, Weight,
};
