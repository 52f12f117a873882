use super::address::{DestinationAddress, Wrong};
use super::findings::{Findings, Path, Setting};
use super::persistence::Of;
use super::settings::Defaults;
use super::words::{self, Forward};
use crate::desired::{Activity, DesiredDestination, DestinationAttributes, spec};
use crate::model::{Destination, DestinationId, ForwardMethod, Thresholds, Tunnel, TunnelFlags, TunnelKind};

/// A destination as far as it can be understood.
#[derive(Debug)]
pub(super) struct LoweredDestination {
    pub(super) text: String,
    /// Nothing if its address is wrong.
    pub(super) id: Option<DestinationId>,
    /// Nothing if something of it is wrong.
    pub(super) desired: Option<DesiredDestination>,
    /// The weight that is written with it.
    pub(super) own_weight: Option<u32>,
}

impl Findings<'_> {
    pub(super) fn destination(
        &mut self,
        path: &Path<'_>,
        written: &spec::Destination,
        of: Of<'_>,
        defaults: &Defaults,
    ) -> LoweredDestination {
        let service = of.text;
        let mut lowered = LoweredDestination { text: String::new(), id: None, desired: None, own_weight: None };
        if self.is_broken(path) {
            return lowered;
        }
        let address_path = path.key("address");
        let text = self.setting(&address_path, written.address.as_ref());
        let text = match text {
            Setting::Is(text) if !text.is_empty() => Some(text),
            Setting::Absent | Setting::Is(_) => {
                self.error(&address_path, format!("Destination address may not be empty for service {service}"));
                None
            }
            Setting::Broken => None,
        };
        lowered.text = text.cloned().unwrap_or_else(|| path.to_string());
        let text = lowered.text.clone();
        let address = written.address.as_deref().filter(|text| !text.is_empty());
        let address = address.and_then(|address| self.destination_address(&address_path, address, service));
        let port = address.and_then(|address| port(address, of, defaults));
        let id = address.zip(port).map(|(address, port)| DestinationId::verbatim(address.address, port));
        lowered.id = id;

        let max_weight = self.max_weight();
        let weight = self.number(&path.key("weight"), written.weight, 0..=max_weight, |number| {
            format!("invalid weight ({number}) for destination {text} in service {service}.")
        });
        lowered.own_weight = match weight {
            Setting::Is(weight) => Some(weight),
            _ => None,
        };
        let weight = weight.or_else(|| defaults.weight).or(0);
        let forward = self.forward(path, written, &text, service, defaults);
        let thresholds = self.thresholds(&path.key("thresholds"), written.thresholds.as_ref(), &text, service);
        let activity = self.activity(&path.key("state"), written.state.as_ref(), &text, service);

        if let (Some(id), Some(service_id), Some(forward)) = (id, of.id, forward) {
            if id.family() != service_id.family() && !matches!(forward, ForwardMethod::Tunnel(_)) {
                let message = format!(
                    "destination {text} is of another address family than service {service}: that takes forward: tunnel"
                );
                self.error(&address_path, message);
                return lowered;
            }
            let is_direct = matches!(forward, ForwardMethod::Tunnel(_) | ForwardMethod::DirectRoute);
            if is_direct && service_id.port().is_some_and(|port| port != 0 && port != id.port()) {
                let message = format!(
                    "destination {text} has another port than service {service}, but only forward: nat changes ports"
                );
                self.warning(&address_path, message);
            }
        }
        let (Some(id), Some(forward), Some(weight)) = (id, forward, weight) else { return lowered };
        let (Some(thresholds), Some(activity)) = (thresholds, activity) else { return lowered };
        let Ok(destination) = Destination::new(id, forward).thresholds(thresholds).weight(weight) else {
            return lowered;
        };
        let mut desired = DesiredDestination::new(destination).activity(activity);
        if !self.is_version_2 {
            desired.left_alone.set(DestinationAttributes::TUNNEL, written.tunnel.is_none());
            desired.left_alone.set(DestinationAttributes::THRESHOLDS, written.thresholds.is_none());
        }
        desired.written = (text != id.to_string()).then(|| text.into_boxed_str());
        lowered.desired = Some(desired);
        lowered
    }

    fn destination_address(&mut self, path: &Path<'_>, text: &str, service: &str) -> Option<DestinationAddress> {
        let message = match DestinationAddress::parse(text) {
            Ok(address) => return Some(address),
            Err(Wrong::Form) => format!("unable to parse address ({text}) for service {service}. Check host and port."),
            Err(Wrong::Bracketless) => format!(
                "unable to parse address ({text}) for service {service}. Check host and port. IPv6 addresses stand in brackets: [{text}]:80."
            ),
            Err(Wrong::Host(host)) => {
                format!("unable to parse address ({host}) for service {service}. Not an IP address.")
            }
            Err(Wrong::Port(port)) => format!("invalid port ({port}) for destination {text} in service {service}."),
            Err(Wrong::Unusable(reason)) => {
                format!("unable to parse address ({text}) for service {service}. {reason}.")
            }
        };
        self.error(path, message);
        None
    }

    fn forward(
        &mut self,
        path: &Path<'_>,
        written: &spec::Destination,
        text: &str,
        service: &str,
        defaults: &Defaults,
    ) -> Option<ForwardMethod> {
        let forward_path = path.key("forward");
        let is_version_2 = self.is_version_2;
        // An empty word is none, unlike one in the defaults.
        let word = written.forward.as_ref().filter(|word| !word.is_empty());
        let forward = self.setting(&forward_path, word).and_then(|word| {
            let forward = words::forward(word, is_version_2);
            if forward.is_none() {
                let message = format!("invalid forward ({word}) for destination {text} in service {service}. Allowed are direct,nat,tunnel");
                self.error(&forward_path, message);
            }
            forward
        });
        let forward = forward.or_else(|| defaults.forward).or(Forward::Direct);
        let tunnel_path = path.key("tunnel");
        let tunnel = match self.setting(&tunnel_path, written.tunnel.as_ref()) {
            Setting::Absent => Some(Tunnel::ipip()),
            Setting::Broken => None,
            Setting::Is(tunnel) => {
                if forward.is_some_and(|forward| forward != Forward::Tunnel) {
                    let message =
                        format!("destination {text} in service {service} has a tunnel, which takes forward: tunnel");
                    self.error(&tunnel_path, message);
                    return None;
                }
                self.tunnel(&tunnel_path, tunnel, text, service)
            }
        };
        Some(match forward? {
            Forward::Direct => ForwardMethod::DirectRoute,
            Forward::Nat => ForwardMethod::Masquerade,
            Forward::Tunnel => ForwardMethod::Tunnel(tunnel?),
            Forward::Local => ForwardMethod::Local,
            Forward::Bypass => ForwardMethod::Bypass,
        })
    }

    fn tunnel(&mut self, path: &Path<'_>, written: &spec::Tunnel, text: &str, service: &str) -> Option<Tunnel> {
        let owner = format!("destination {text} in service {service}");
        let kind_path = path.key("type");
        let kind = self.setting(&kind_path, written.kind.as_ref()).and_then(|word| {
            let kind = words::tunnel_kind(word);
            if kind.is_none() {
                self.error(&kind_path, format!("invalid tunnel type ({word}) for {owner}. Allowed are ipip,gue,gre"));
            }
            kind
        });
        let kind = kind.or(TunnelKind::Ipip);
        let port_path = path.key("port");
        let port = self.number(&port_path, written.port, 1..=65_535, |number| {
            format!("invalid tunnel port ({number}) for {owner}. Allowed are 1 to 65535")
        });
        let checksum_path = path.key("checksum");
        let checksum = self.setting(&checksum_path, written.checksum.as_ref()).and_then(|word| {
            let checksum = words::checksum(word);
            if checksum.is_none() {
                self.error(
                    &checksum_path,
                    format!("invalid tunnel checksum ({word}) for {owner}. Allowed are off,on,remote"),
                );
            }
            checksum
        });
        let flags = checksum.or(TunnelFlags::empty());
        match (kind, port) {
            (Some(TunnelKind::Gue), Setting::Absent) => {
                self.error(&port_path, format!("a tunnel of type gue takes a port; {owner} has none"));
                return None;
            }
            (Some(TunnelKind::Ipip | TunnelKind::Gre), Setting::Is(_)) => {
                self.error(&port_path, format!("only a tunnel of type gue has a port, not that of {owner}"));
                return None;
            }
            _ => {}
        }
        let (kind, flags) = (kind?, flags?);
        let allowed = match kind {
            TunnelKind::Gue => TunnelFlags::CHECKSUM | TunnelFlags::REMOTE_CHECKSUM,
            TunnelKind::Gre => TunnelFlags::CHECKSUM,
            _ => TunnelFlags::empty(),
        };
        if !allowed.contains(flags) {
            let word = written.checksum.as_deref().unwrap_or_default();
            let kind = written.kind.as_deref().unwrap_or("ipip");
            self.error(
                &checksum_path,
                format!("a tunnel of type {kind} has no checksum \"{word}\", as that of {owner}"),
            );
            return None;
        }
        let tunnel = match (kind, port) {
            (TunnelKind::Gue, Setting::Is(port)) => Tunnel::gue(u16::try_from(port).ok()?).ok()?,
            (TunnelKind::Gue, _) => return None,
            (TunnelKind::Gre, _) => Tunnel::gre(),
            _ => Tunnel::ipip(),
        };
        Some(tunnel.flags(flags))
    }

    fn thresholds(
        &mut self,
        path: &Path<'_>,
        written: Option<&spec::Thresholds>,
        text: &str,
        service: &str,
    ) -> Option<Thresholds> {
        let written = match self.setting(path, written) {
            Setting::Absent => return Some(Thresholds::NONE),
            Setting::Broken => return None,
            Setting::Is(written) => written,
        };
        let owner = format!("destination {text} in service {service}");
        let mut number = |key: &'static str, number: Option<i64>| {
            let number = self.number(&path.key(key), number, 0..=u32::MAX, |number| {
                format!("invalid {key} threshold ({number}) for {owner}. Allowed are 0 to 4294967295")
            });
            number.or(0)
        };
        let (upper, lower) = (number("upper", written.upper), number("lower", written.lower));
        let (upper, lower) = (upper?, lower?);
        if lower > upper {
            let message = format!("the lower threshold ({lower}) of {owner} is above the upper one ({upper})");
            self.error(&path.key("lower"), message);
            return None;
        }
        Some(Thresholds::verbatim(upper, lower))
    }

    fn activity(&mut self, path: &Path<'_>, word: Option<&String>, text: &str, service: &str) -> Option<Activity> {
        let activity = self.setting(path, word).and_then(|word| {
            let known = [Activity::Active, Activity::Drain].into_iter().find(|known| known.name() == word);
            if known.is_none() {
                let message = format!(
                    "invalid state ({word}) for destination {text} in service {service}. Allowed are active,drain"
                );
                self.error(path, message);
            }
            known
        });
        activity.or(Activity::Active)
    }
}

/// The port of a destination: its own, that of the defaults, that of its service.
fn port(address: DestinationAddress, of: Of<'_>, defaults: &Defaults) -> Option<u16> {
    if let Some(port) = address.port.filter(|port| *port != 0) {
        return Some(port);
    }
    match defaults.port {
        Setting::Is(port) => Some(port),
        Setting::Broken => None,
        // 0 is what is printed for a destination that has none; a firewall mark has none.
        Setting::Absent => address.port.or_else(|| of.id.map(|id| id.port().unwrap_or(0))),
    }
}
