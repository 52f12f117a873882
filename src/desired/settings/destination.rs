use std::borrow::Cow;
use std::num::NonZeroU32;

use super::version::forward_text;
use super::{FieldValue, Setting, Subject, Table};
use crate::desired::escaped;
use crate::desired::oddity::fitting_checksums;
use crate::desired::spec::{DestinationSpec, ThresholdsSpec, TunnelSpec};
use crate::desired::state::DestinationAttributes;
use crate::desired::words::CHECKSUMS;
use crate::desired::written::text;
use crate::model::{Destination, ForwardMethod, Thresholds, Tunnel, TunnelFlags, TunnelKind};

/// The settings of a destination, in the order of a file.
pub(in crate::desired) static DESTINATION: Table<Destination, DestinationSpec, DestinationAttributes> = Table {
    by_version_1: DestinationAttributes::TUNNEL.union(DestinationAttributes::THRESHOLDS),
    rows: &[
        Setting {
            key: "weight",
            attribute: DestinationAttributes::WEIGHT,
            is_said: |spec| spec.weight.is_some(),
            read: read_weight,
            print: |destination, spec| {
                spec.weight = Some(destination.weight.get().into()).filter(|weight| *weight != 0);
            },
            show: |destination| FieldValue::Number(destination.weight.get().into()),
            is_same: |one, other| one.weight == other.weight,
            copy: |from, to| to.weight = from.weight,
            remark: |destination| format!("weight {}", destination.weight.get()),
        },
        Setting {
            key: "forward",
            attribute: DestinationAttributes::empty(),
            is_said: |spec| text(spec.forward.as_ref()).is_some(),
            read: read_forward,
            print: |destination, spec| spec.forward = Some(forward_text(destination.forward).into_owned()),
            show: |destination| FieldValue::Text(forward_text(destination.forward).into_owned()),
            is_same: |one, other| one.forward.number() == other.forward.number(),
            copy: |from, to| {
                if from.forward.number() != to.forward.number() {
                    to.forward = from.forward;
                }
            },
            remark: |destination| format!(", {}", forward_text(destination.forward)),
        },
        Setting {
            key: "tunnel",
            attribute: DestinationAttributes::TUNNEL,
            is_said: |spec| spec.tunnel.is_some(),
            read: read_tunnel,
            print: |destination, spec| {
                spec.tunnel = tunnel(destination).filter(|it| *it != Tunnel::ipip()).map(tunnel_as_is);
            },
            show: |destination| {
                FieldValue::Text(tunnel(destination).map_or_else(|| "none".to_owned(), |it| tunnel_text(it, ", ")))
            },
            is_same: |one, other| tunnel(one) == tunnel(other),
            copy: |from, to| {
                if tunnel(from).is_some() && tunnel(to).is_some() {
                    to.forward = from.forward;
                }
            },
            remark: |destination| {
                tunnel(destination).map_or_else(String::new, |it| format!(" {}", tunnel_text(it, " ")))
            },
        },
        Setting {
            key: "thresholds",
            attribute: DestinationAttributes::THRESHOLDS,
            is_said: |spec| spec.thresholds.is_some(),
            read: read_thresholds,
            print: |destination, spec| {
                let number = |limit: Option<NonZeroU32>| limit.map(|number| number.get().into());
                let Destination { thresholds, .. } = destination;
                let thresholds =
                    ThresholdsSpec { upper: number(thresholds.upper()), lower: number(thresholds.lower()) };
                spec.thresholds = Some(thresholds).filter(|thresholds| *thresholds != ThresholdsSpec::default());
            },
            show: |destination| FieldValue::Text(thresholds_text(destination.thresholds)),
            is_same: |one, other| one.thresholds == other.thresholds,
            copy: |from, to| to.thresholds = from.thresholds,
            remark: |destination| match destination.thresholds.upper() {
                Some(upper) => format!(", at most {upper} connections"),
                None => String::new(),
            },
        },
    ],
};

fn read_weight(spec: &DestinationSpec, subject: Subject<'_>, destination: &mut Destination) {
    destination.weight = subject.context.weight;
    let Some(number) = spec.weight else { return };
    if let Some(weight) = subject.context.version.weight(number) {
        destination.weight = weight;
    } else {
        let Subject { spot, text, service, .. } = subject;
        let message = format!("invalid weight ({number}) for destination {text} in service {service}.");
        spot.at("weight").error(message);
    }
}

/// The forwarding method, its own or that of the defaults; `None` if it is wrong.
fn forward(spec: &DestinationSpec, subject: Subject<'_>) -> Option<ForwardMethod> {
    match text(spec.forward.as_ref()) {
        None => subject.context.forward.filter(|_| !subject.spot.at("forward").is_broken()),
        Some(word) => subject.context.version.forward(word),
    }
}

fn read_forward(spec: &DestinationSpec, subject: Subject<'_>, destination: &mut Destination) {
    if let Some(forward) = forward(spec, subject) {
        destination.forward = forward;
    } else if let Some(word) = text(spec.forward.as_ref()) {
        let (word, Subject { spot, text, service, .. }) = (escaped(word), subject);
        let message = format!(
            "invalid forward ({word}) for destination {text} in service {service}. Allowed are direct,nat,tunnel"
        );
        spot.at("forward").error(message);
    }
}

fn read_tunnel(spec: &DestinationSpec, subject: Subject<'_>, destination: &mut Destination) {
    let (Some(spec), Some(forward)) = (&spec.tunnel, forward(spec, subject)) else { return };
    let Subject { spot, text, .. } = subject;
    if !matches!(forward, ForwardMethod::Tunnel(_)) {
        let message = format!("destination {text} has a tunnel, which takes forward: tunnel");
        return spot.at("tunnel").error(message);
    }
    if spot.at("tunnel").is_damaged() {
        return;
    }
    let name = spec.kind.as_deref().unwrap_or("ipip");
    let kind: Option<TunnelKind> = name.parse().ok().filter(|kind: &TunnelKind| kind.to_string() == name);
    let Some(kind) = kind else {
        return subject.invalid("tunnel.type", "tunnel type", escaped(name), "ipip, gue or gre");
    };
    let Ok(tunnel) = spec.port.map_or_else(|| name.to_owned(), |port| format!("{name}:{port}")).parse::<Tunnel>()
    else {
        return match spec.port {
            None => spot.at("tunnel").error(format_args!("the {name} tunnel of destination {text} needs a port")),
            Some(port) => subject.invalid("tunnel.port", "tunnel port", port, "1 to 65535"),
        };
    };
    let word = spec.checksum.as_deref().unwrap_or("off");
    let Some(flags) = checksum(word) else {
        let message = format!(
            "invalid tunnel checksum ({}) for destination {text}: with {name} expected {}",
            escaped(word),
            fitting_checksums(kind).1
        );
        return spot.at("tunnel.checksum").error(message);
    };
    destination.forward = ForwardMethod::Tunnel(tunnel.flags(flags));
}

fn read_thresholds(spec: &DestinationSpec, subject: Subject<'_>, destination: &mut Destination) {
    let Some(spec) = &spec.thresholds else { return };
    if subject.spot.at("thresholds").is_damaged() {
        return;
    }
    let [upper, lower] = [spec.upper, spec.lower].map(|limit| limit.unwrap_or(0));
    match (u32::try_from(upper), u32::try_from(lower)) {
        (Ok(upper), Ok(lower)) => destination.thresholds = Thresholds::verbatim(upper, lower),
        (Err(_), _) => subject.invalid("thresholds.upper", "upper threshold", upper, "0 to 2147483647"),
        (Ok(_), Err(_)) => {
            let expected = format!("0 to the upper one, {upper}");
            subject.invalid("thresholds.lower", "lower threshold", lower, expected);
        }
    }
}

fn tunnel(destination: &Destination) -> Option<Tunnel> {
    if let ForwardMethod::Tunnel(tunnel) = destination.forward { Some(tunnel) } else { None }
}

fn tunnel_as_is(tunnel: Tunnel) -> TunnelSpec {
    let flags = tunnel.tunnel_flags();
    TunnelSpec {
        kind: Some(tunnel.kind().to_string()),
        port: tunnel.port().map(|port| port.get().into()),
        checksum: (!flags.is_empty()).then(|| checksum_word(flags).into_owned()),
    }
}

/// The word for the checksum of a tunnel in a file; other flags are written as in ipvsadm and the model.
fn checksum_word(flags: TunnelFlags) -> Cow<'static, str> {
    match CHECKSUMS.into_iter().find(|(_, known)| *known == flags) {
        Some((word, _)) => word.into(),
        None => flags.to_string().into(),
    }
}

fn checksum(word: &str) -> Option<TunnelFlags> {
    let known = CHECKSUMS.into_iter().find(|(known, _)| *known == word).map(|(_, flags)| flags);
    known.or_else(|| word.parse().ok().filter(|flags: &TunnelFlags| flags.to_string() == word))
}

fn tunnel_text(tunnel: Tunnel, separator: &str) -> String {
    let TunnelSpec { kind, port, checksum } = tunnel_as_is(tunnel);
    let parts = [kind, port.map(|it| format!("port {it}")), checksum.map(|it| format!("checksum {it}"))];
    parts.into_iter().flatten().collect::<Vec<_>>().join(separator)
}

fn thresholds_text(thresholds: Thresholds) -> String {
    match (thresholds.upper(), thresholds.lower()) {
        (None, None) => "none".to_owned(),
        (upper, None) => format!("upper {}", upper.map_or(0, NonZeroU32::get)),
        (upper, Some(lower)) => format!("upper {}, lower {lower}", upper.map_or(0, NonZeroU32::get)),
    }
}
