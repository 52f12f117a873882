use super::findings::Findings;
use super::{Context, Lowering, address, version};
use crate::desired::{Activity, DesiredDestination, DestinationAttributes, spec};
use crate::model::{Destination, ForwardMethod, ServiceId, Thresholds, Tunnel, TunnelFlags};

impl Lowering {
    /// A destination of a service, which is named as it was written.
    #[expect(clippy::unused_self, reason = "the steps of lowering stand together")]
    pub(super) fn destination(
        &self,
        (service, service_text): (ServiceId, &str),
        context: &Context,
        spec: &spec::Destination,
        path: impl Fn() -> String,
        findings: &mut Findings<'_>,
    ) -> Option<DesiredDestination> {
        let before = findings.errors();
        let Some(text) = spec.address.as_deref().filter(|text| !text.is_empty()) else {
            findings.error(&path(), format!("Destination address may not be empty for service {service_text}"));
            return None;
        };
        let id = match address::destination(text, &service, service_text, context.port) {
            Ok(id) => id,
            Err(message) => {
                findings.error(&format!("{}.address", path()), message);
                return None;
            }
        };
        let mut destination = Destination::new(id, context.forward);
        destination.weight = context.weight;
        if let Some(weight) = spec.weight {
            if let Some(weight) = context.version.weight(weight) {
                destination.weight = weight;
            } else {
                let message = format!("invalid weight ({weight}) for destination {text} in service {service_text}.");
                findings.error(&format!("{}.weight", path()), message);
            }
        }
        if let Some(word) = &spec.forward {
            if let Some(forward) = context.version.forward(word) {
                destination.forward = forward;
            } else {
                let message = format!(
                    "invalid forward ({word}) for destination {text} in service {service_text}. Allowed are \
                     direct,nat,tunnel"
                );
                findings.error(&format!("{}.forward", path()), message);
            }
        }
        if let Some(spec) = &spec.tunnel {
            tunnel(&mut destination, spec, text, &path(), findings);
        }
        if let Some(spec) = &spec.thresholds {
            destination.thresholds = thresholds(spec, text, &path(), findings)?;
        }
        let is_tunnel = matches!(destination.forward, ForwardMethod::Tunnel(_));
        if id.family() != service.family() && !is_tunnel {
            let message = format!(
                "destination {text} is of the other address family than service {service_text}: that takes forward: tunnel"
            );
            findings.error(&format!("{}.address", path()), message);
        }
        let mut desired = DesiredDestination::new(destination);
        desired.activity = match spec.state.as_deref() {
            None | Some("active") => Activity::Active,
            Some("drain") => Activity::Drain,
            Some(other) => {
                let message = format!("invalid state ({other}) for destination {text}: expected active or drain");
                findings.error(&format!("{}.state", path()), message);
                Activity::Active
            }
        };
        if context.version == version::Version::One {
            desired.left_alone.set(DestinationAttributes::TUNNEL, spec.tunnel.is_none());
            desired.left_alone.set(DestinationAttributes::THRESHOLDS, spec.thresholds.is_none());
        }
        if id.to_string() != text {
            desired.written = Some(text.into());
        }
        (findings.errors() == before).then_some(desired)
    }
}

fn tunnel(destination: &mut Destination, spec: &spec::Tunnel, text: &str, path: &str, findings: &mut Findings<'_>) {
    let at = |key: &str| format!("{path}.tunnel.{key}");
    if !matches!(destination.forward, ForwardMethod::Tunnel(_)) {
        findings
            .error(&format!("{path}.tunnel"), format!("destination {text} has a tunnel, which takes forward: tunnel"));
        return;
    }
    let kind = spec.kind.as_deref().unwrap_or("ipip");
    let tunnel = match kind {
        "ipip" => Tunnel::ipip(),
        "gre" => Tunnel::gre(),
        "gue" => {
            let Some(port) = spec.port else {
                findings.error(&format!("{path}.tunnel"), format!("the gue tunnel of destination {text} needs a port"));
                return;
            };
            if let Some(tunnel) = u16::try_from(port).ok().and_then(|port| Tunnel::gue(port).ok()) {
                tunnel
            } else {
                let message = format!("invalid tunnel port ({port}) for destination {text}: expected 1 to 65535");
                findings.error(&at("port"), message);
                return;
            }
        }
        other => {
            let message = format!("invalid tunnel type ({other}) for destination {text}: expected ipip, gue or gre");
            findings.error(&at("type"), message);
            return;
        }
    };
    if spec.port.is_some() && kind != "gue" {
        findings.error(&at("port"), format!("the {kind} tunnel of destination {text} has no port: that is for gue"));
    }
    let flags = match (spec.checksum.as_deref().unwrap_or("off"), kind) {
        ("off", _) => TunnelFlags::empty(),
        ("on", "gue" | "gre") => TunnelFlags::CHECKSUM,
        ("remote", "gue") => TunnelFlags::REMOTE_CHECKSUM,
        (other, _) => {
            let fitting = match kind {
                "gue" => "off, on or remote",
                "gre" => "off or on",
                _ => "off",
            };
            let message =
                format!("invalid tunnel checksum ({other}) for destination {text}: with {kind} expected {fitting}");
            findings.error(&at("checksum"), message);
            return;
        }
    };
    destination.forward = ForwardMethod::Tunnel(tunnel.flags(flags));
}

fn thresholds(spec: &spec::Thresholds, text: &str, path: &str, findings: &mut Findings<'_>) -> Option<Thresholds> {
    let upper = spec.upper.unwrap_or(0);
    let Some(thresholds) = u32::try_from(upper).ok().and_then(|upper| Thresholds::with_upper(upper).ok()) else {
        let message = format!("invalid upper threshold ({upper}) for destination {text}: expected 0 to 2147483647");
        findings.error(&format!("{path}.thresholds.upper"), message);
        return None;
    };
    let lower = spec.lower.unwrap_or(0);
    let both = u32::try_from(lower).ok().and_then(|lower| thresholds.with_lower(lower).ok());
    if both.is_none() {
        let message =
            format!("invalid lower threshold ({lower}) for destination {text}: expected 0 to the upper one, {upper}");
        findings.error(&format!("{path}.thresholds.lower"), message);
    }
    both
}
