use super::findings::Findings;
use super::{Context, Lowering, address, version};
use crate::desired::{Activity, DesiredDestination, DestinationAttributes, spec};
use crate::model::{Destination, DestinationId, ForwardMethod, ServiceId, Thresholds, Tunnel, TunnelFlags};

impl Lowering {
    /// A destination of a service, which is named as it was written: its identity if its address is right, and all of it
    /// if everything is.
    #[expect(clippy::unused_self, reason = "the steps of lowering stand together")]
    pub(super) fn destination(
        &self,
        (service, service_text): (Option<ServiceId>, &str),
        context: &Context,
        spec: &spec::Destination,
        path: impl Fn() -> String,
        findings: &mut Findings<'_>,
    ) -> (Option<DestinationId>, Option<DesiredDestination>) {
        let before = findings.errors();
        let written = spec.address.as_deref().filter(|text| !text.is_empty());
        if written.is_none() && !findings.is_key_broken(&path(), "address") {
            findings.error(&path(), format!("Destination address may not be empty for service {service_text}"));
        }
        let id = written.and_then(|text| {
            let id = address::destination(text, service, service_text, context.port);
            id.map_err(|message| findings.error(&format!("{}.address", path()), message)).ok()
        });
        // What cannot be called by its address is called by its place.
        let own_path = if written.is_none() { path() } else { String::new() };
        let text = written.unwrap_or(&own_path);
        let mut weight = context.weight;
        if let Some(number) = spec.weight {
            if let Some(own) = context.version.weight(number) {
                weight = own;
            } else {
                let message = format!("invalid weight ({number}) for destination {text} in service {service_text}.");
                findings.error(&format!("{}.weight", path()), message);
            }
        }
        let forward = forward((text, service_text), context, spec, &path, findings);
        let thresholds = match &spec.thresholds {
            Some(spec) => thresholds(spec, text, &path(), findings),
            None => Some(Thresholds::NONE),
        };
        let activity = activity(spec, text, &path, findings);
        let Some(mut forward) = forward else { return (id, None) };
        if let Some(spec) = &spec.tunnel {
            tunnel(&mut forward, spec, text, &path(), findings);
        }
        let (Some(identity), Some(thresholds), Some(activity)) = (id, thresholds, activity) else { return (id, None) };
        let is_tunnel = matches!(forward, ForwardMethod::Tunnel(_));
        if service.is_some_and(|service| identity.family() != service.family()) && !is_tunnel {
            let message = format!(
                "destination {text} is of the other address family than service {service_text}: that takes forward: tunnel"
            );
            findings.error(&format!("{}.address", path()), message);
        }
        let mut destination = Destination::new(identity, forward).thresholds(thresholds);
        destination.weight = weight;
        let mut desired = DesiredDestination::new(destination).activity(activity);
        if context.version == version::Version::One {
            desired.left_alone.set(DestinationAttributes::TUNNEL, spec.tunnel.is_none());
            desired.left_alone.set(DestinationAttributes::THRESHOLDS, spec.thresholds.is_none());
        }
        if identity.to_string() != text {
            desired.written = Some(text.into());
        }
        (id, (findings.errors() == before).then_some(desired))
    }
}

/// The forwarding method, its own or that of the defaults; nothing if it is wrong.
fn forward(
    (text, service_text): (&str, &str),
    context: &Context,
    spec: &spec::Destination,
    path: impl Fn() -> String,
    findings: &mut Findings<'_>,
) -> Option<ForwardMethod> {
    // An empty word is as good as none, unlike in the defaults.
    let Some(word) = spec.forward.as_deref().filter(|word| !word.is_empty()) else {
        return context.forward.filter(|_| !findings.has_broken() || !findings.is_key_broken(&path(), "forward"));
    };
    let forward = context.version.forward(word);
    if forward.is_none() {
        let message = format!(
            "invalid forward ({word}) for destination {text} in service {service_text}. Allowed are direct,nat,tunnel"
        );
        findings.error(&format!("{}.forward", path()), message);
    }
    forward
}

fn activity(
    spec: &spec::Destination,
    text: &str,
    path: impl Fn() -> String,
    findings: &mut Findings<'_>,
) -> Option<Activity> {
    match spec.state.as_deref() {
        None | Some("active") => Some(Activity::Active),
        Some("drain") => Some(Activity::Drain),
        Some(other) => {
            let message = format!("invalid state ({other}) for destination {text}: expected active or drain");
            findings.error(&format!("{}.state", path()), message);
            None
        }
    }
}

fn tunnel(forward: &mut ForwardMethod, spec: &spec::Tunnel, text: &str, path: &str, findings: &mut Findings<'_>) {
    let at = |key: &str| format!("{path}.tunnel.{key}");
    if !matches!(forward, ForwardMethod::Tunnel(_)) {
        findings
            .error(&format!("{path}.tunnel"), format!("destination {text} has a tunnel, which takes forward: tunnel"));
        return;
    }
    let tunnel_path = format!("{path}.tunnel");
    if ["type", "port", "checksum"].into_iter().any(|key| findings.is_key_broken(&tunnel_path, key)) {
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
    *forward = ForwardMethod::Tunnel(tunnel.flags(flags));
}

fn thresholds(spec: &spec::Thresholds, text: &str, path: &str, findings: &mut Findings<'_>) -> Option<Thresholds> {
    let own_path = format!("{path}.thresholds");
    if ["upper", "lower"].into_iter().any(|key| findings.is_key_broken(&own_path, key)) {
        return None;
    }
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
