use std::iter::Peekable;
use std::str::{FromStr, SplitWhitespace};

use super::Rule;
use crate::model::notation::identity::{ServiceOption, service_id, service_option};
use crate::model::notation::piece::{ADDRESS, endpoint, next, number};
use crate::model::notation::settings::{mask, persistence, thresholds};
use crate::model::{
    AddressFamily, Destination, DestinationId, ForwardMethod, Granularity, ParseError, Persistence, PersistenceEngine,
    Prefix, Scheduler, SchedulerFlags, Service, ServiceId, Tunnel, TunnelFlags, TunnelKind, Weight,
};

impl FromStr for Rule {
    type Err = ParseError;

    fn from_str(line: &str) -> Result<Self, ParseError> {
        let mut words = line.split_whitespace().peekable();
        words.next_if_eq(&"ipvsadm");
        let command = next(RULE, &mut words, COMMANDS)?;
        let options = Options { words, value: None };
        match command {
            "-A" | "--add-service" => parse_service(options).map(Self::Service),
            "-a" | "--add-server" => {
                parse_destination(options).map(|(service, destination)| Self::Destination { service, destination })
            }
            other => Err(ParseError::new(RULE, other, COMMANDS)),
        }
    }
}

fn parse_service(mut options: Options<'_>) -> Result<Service, ParseError> {
    let mut target = Target::default();
    let (mut scheduler, mut flags, mut timeout, mut netmask, mut engine) = (None, None, None, None, None);
    let mut one_packet = None;
    while let Some(name) = options.next() {
        match name {
            "-s" | "--scheduler" => once(&mut scheduler, name, options.value("the name of a scheduler")?)?,
            "-b" | "--sched-flags" => once(&mut flags, name, options.value("a list of scheduler flags")?)?,
            "-p" | "--persistent" => once(&mut timeout, name, options.optional_value().unwrap_or(TIMEOUT))?,
            "-M" | "--netmask" => once(&mut netmask, name, options.value("a mask or a prefix length")?)?,
            "--pe" => once(&mut engine, name, options.value("the name of an engine")?)?,
            "-o" | "--ops" => once(&mut one_packet, name, options.flag(name)?)?,
            _ => target.take(name, &mut options, SERVICE_OPTIONS)?,
        }
    }
    let id = target.id()?;
    let scheduler = scheduler.map_or(Ok(Scheduler::Wlc), str::parse)?;
    let flags = flags.map_or(Ok(SchedulerFlags::empty()), |list| SchedulerFlags::from_notation(list, &scheduler))?;
    let service = Service::new(id, scheduler).scheduler_flags(flags).one_packet(one_packet.is_some());

    // ipvsadm stores a mask and an engine for a service without persistence as well.
    let mut stored = persistence(timeout.unwrap_or("0"))?;
    stored.granularity = netmask.map_or(Ok(Granularity::Client), |text| granularity(text, id.family()))?;
    stored.engine = engine.map(str::parse::<PersistenceEngine>).transpose()?;
    Ok(if timeout.is_some() {
        service.persistence(stored)
    } else if stored == Persistence::NEUTRAL {
        service
    } else {
        service.dormant_persistence(stored)
    })
}

fn parse_destination(mut options: Options<'_>) -> Result<(ServiceId, Destination), ParseError> {
    let mut target = Target::default();
    let (mut server, mut forward, mut weight, mut upper, mut lower) = (None, None, None, None, None);
    let mut tunnel = TunnelOptions::default();
    while let Some(name) = options.next() {
        match name {
            "-r" | "--real-server" => once(&mut server, name, options.value(ADDRESS)?)?,
            "-w" | "--weight" => once(&mut weight, name, options.value("a weight")?)?,
            "-x" | "--u-threshold" => once(&mut upper, name, options.value("a number of connections")?)?,
            "-y" | "--l-threshold" => once(&mut lower, name, options.value("a number of connections")?)?,
            "-m" | "--masquerading" | "-i" | "--ipip" | "-g" | "--gatewaying" => {
                options.flag(name)?;
                once(&mut forward, name, name)?;
            }
            "--forward" => once(&mut forward, name, options.value("a forwarding method")?)?,
            _ if name.starts_with("--tun-") => tunnel.take(name, &mut options)?,
            _ => target.take(name, &mut options, DESTINATION_OPTIONS)?,
        }
    }
    let service = target.id()?;
    let server = server.ok_or_else(|| ParseError::new(RULE, "", "-r and the address of a server"))?;
    let (address, port) = endpoint("destination", server)?;
    let port = port.or(service.port()).unwrap_or(0);
    let forward = forward.map_or(Ok(ForwardMethod::DirectRoute), str::parse)?;

    let mut destination = Destination::new(DestinationId::verbatim(address, port), tunnel.apply(forward)?);
    destination.weight = weight.map_or(Ok(Weight::default()), str::parse)?;
    destination.thresholds = thresholds(upper.unwrap_or("0"), lower.unwrap_or("0"))?;
    Ok((service, destination))
}

/// The options of a line and their values, one after the other.
#[derive(Debug)]
struct Options<'a> {
    words: Peekable<SplitWhitespace<'a>>,
    /// The value after the equals sign of a long option.
    value: Option<&'a str>,
}

impl<'a> Options<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let word = self.words.next()?;
        match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => {
                self.value = Some(value);
                Some(name)
            }
            _ => Some(word),
        }
    }

    /// The value of an option that must have one: the next word, even if it begins with a dash.
    fn value(&mut self, expected: &str) -> Result<&'a str, ParseError> {
        self.value.take().map_or_else(|| next(RULE, &mut self.words, expected), Ok)
    }

    /// The value of an option that may have one; it cannot begin with a dash.
    fn optional_value(&mut self) -> Option<&'a str> {
        self.value.take().or_else(|| self.words.next_if(|word| !word.starts_with('-')))
    }

    /// Checks that an option without a value has none.
    fn flag(&mut self, name: &str) -> Result<(), ParseError> {
        match self.value.take() {
            Some(value) => Err(ParseError::new(RULE, value, format!("no value for {name}"))),
            None => Ok(()),
        }
    }
}

/// The options that select the service, which both commands have.
#[derive(Debug, Default)]
struct Target<'a> {
    service: Option<(ServiceOption, &'a str)>,
    ipv6: Option<&'a str>,
}

impl<'a> Target<'a> {
    fn take(&mut self, name: &'a str, options: &mut Options<'a>, expected: &str) -> Result<(), ParseError> {
        if let "-6" | "--ipv6" = name {
            options.flag(name)?;
            return once(&mut self.ipv6, name, name);
        }
        let option = service_option(name).ok_or_else(|| ParseError::new(RULE, name, expected))?;
        let value = options.value(match option {
            ServiceOption::Address(_) => ADDRESS,
            ServiceOption::Mark => "a firewall mark",
        })?;
        once(&mut self.service, name, (option, value))
    }

    fn id(self) -> Result<ServiceId, ParseError> {
        match (self.service, self.ipv6) {
            (None, _) => Err(ParseError::new(RULE, "", "-t, -u or -f and a service")),
            (Some((ServiceOption::Address(_), _)), Some(name)) => {
                Err(ParseError::new(RULE, name, "an address that says its family by itself"))
            }
            (Some((option, value)), None) => service_id(option, value, AddressFamily::Ipv4),
            (Some((option, value)), Some(_)) => service_id(option, value, AddressFamily::Ipv6),
        }
    }
}

/// The options of a tunnel.
#[derive(Debug, Default)]
struct TunnelOptions<'a> {
    kind: Option<&'a str>,
    port: Option<&'a str>,
    flags: TunnelFlags,
    /// One of the options that were given, for the error.
    seen: Option<&'a str>,
}

impl<'a> TunnelOptions<'a> {
    fn take(&mut self, name: &'a str, options: &mut Options<'a>) -> Result<(), ParseError> {
        self.seen = Some(name);
        match name {
            "--tun-type" => once(&mut self.kind, name, options.value("ipip, gue or gre")?)?,
            "--tun-port" => once(&mut self.port, name, options.value("a port")?)?,
            "--tun-flags" => self.flags |= options.value("bits such as 0x4")?.parse()?,
            "--tun-nocsum" => options.flag(name)?,
            "--tun-csum" => {
                options.flag(name)?;
                self.flags |= TunnelFlags::CHECKSUM;
            }
            "--tun-remcsum" => {
                options.flag(name)?;
                self.flags |= TunnelFlags::REMOTE_CHECKSUM;
            }
            _ => return Err(ParseError::new(RULE, name, DESTINATION_OPTIONS)),
        }
        Ok(())
    }

    fn apply(self, forward: ForwardMethod) -> Result<ForwardMethod, ParseError> {
        match (forward, self.seen) {
            (other, None) => Ok(other),
            (ForwardMethod::Tunnel(_), Some(_)) => self.tunnel().map(ForwardMethod::Tunnel),
            (_, Some(name)) => Err(ParseError::new(RULE, name, "-i with options of a tunnel")),
        }
    }

    fn tunnel(&self) -> Result<Tunnel, ParseError> {
        let kind = self.kind.map_or(Ok(TunnelKind::Ipip), str::parse)?;
        let port = match self.port {
            Some(port) => {
                let number: Option<u16> = number(port).filter(|port| *port > 0);
                number.ok_or_else(|| ParseError::new("tunnel", port, "a port of 1 to 65535"))?
            }
            None if kind == TunnelKind::Gue => return Err(ParseError::new("tunnel", "", "--tun-port and a port")),
            None => 0,
        };
        Ok(Tunnel::from_kernel(kind.number(), port, self.flags.bits()))
    }
}

/// A mask or a prefix length, of which each family has one.
fn granularity(text: &str, family: AddressFamily) -> Result<Granularity, ParseError> {
    match family {
        AddressFamily::Ipv4 => mask(text).map(Granularity::Mask),
        AddressFamily::Ipv6 => text.parse::<Prefix>().map(Granularity::Prefix),
    }
}

fn once<T>(slot: &mut Option<T>, name: &str, value: T) -> Result<(), ParseError> {
    match slot.replace(value) {
        Some(_) => Err(ParseError::new(RULE, name, "each option once")),
        None => Ok(()),
    }
}

const RULE: &str = "rule";
const COMMANDS: &str = "-A for a service or -a for a destination";
const SERVICE_OPTIONS: &str = "-t, -u, --sctp-service, -f, -6, -s, -p, -M, --pe, -o or -b";
const DESTINATION_OPTIONS: &str = "-t, -u, --sctp-service, -f, -6, -r, -m, -i, -g, -w, -x, -y or --tun-…";
/// The timeout of ipvsadm for `-p` without a value, in seconds.
const TIMEOUT: &str = "360";
