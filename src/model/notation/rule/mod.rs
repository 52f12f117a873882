mod parse;
mod print;

pub use print::{DestinationRule, ServiceRule, ServiceSelector, TableRules};

use crate::model::{Destination, Service, ServiceId, Table};

/// One line of a rule file, as `ipvsadm -S` writes it and `ipvsadm -R` reads it.
///
/// Options are accepted in any order, by their short or long name, `--name value` or `--name=value`; short ones cannot
/// be combined: `-A -t`, not `-At`. The defaults are those of ipvsadm: scheduler `wlc`, 360 seconds after a `-p`,
/// direct routing, weight 1, and for a destination the port of the service. Two things differ: names of hosts and ports
/// are never resolved, and the port of a destination stays as written, where ipvsadm replaces it by that of the service
/// unless the method is masquerading.
///
/// It prints the line of [`Service::full_rule`] or [`Destination::full_rule`].
///
/// ```
/// use ipvs_rs::model::notation::Rule;
///
/// let line = "-a -t 192.0.2.10:80 -r 10.0.0.2:8080 -m -w 3 -x 1000 -y 800";
/// let Rule::Destination { service, destination } = line.parse()? else { unreachable!() };
/// assert_eq!(service.to_string(), "TCP 192.0.2.10:80");
/// assert_eq!(destination.weight.get(), 3);
/// assert_eq!(destination.full_rule(&service).to_string(), line);
/// # Ok::<(), ipvs_rs::model::ParseError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Rule {
    /// `-A`: a service.
    Service(Service),
    /// `-a`: a destination of a service.
    Destination {
        /// The identity of the service.
        service: ServiceId,
        /// The destination.
        destination: Destination,
    },
}

impl ServiceId {
    /// The options of ipvsadm(8) that select the service: `-t 192.0.2.10:80`, `-f 7 -6`.
    ///
    /// ```
    /// use ipvs_rs::ServiceId;
    ///
    /// assert_eq!("udp://[2001:db8::1]:53".parse::<ServiceId>()?.selector().to_string(), "-u [2001:db8::1]:53");
    /// # Ok::<(), ipvs_rs::model::ParseError>(())
    /// ```
    pub fn selector(&self) -> ServiceSelector<'_> {
        ServiceSelector(self)
    }
}

impl Service {
    /// The line that `ipvsadm -S -n` prints for the service, to the byte.
    ///
    /// ipvsadm cannot express every service: a firewall mark above 2147483647 becomes negative, a protocol other than
    /// TCP, UDP and SCTP becomes `xxx`, the third flag of `sh` and `mh` is missing. [`full_rule`](Self::full_rule) has
    /// all of it.
    ///
    /// ```
    /// use ipvs_rs::{Scheduler, Service};
    /// use ipvs_rs::model::Persistence;
    ///
    /// let service = Service::new("udp://192.0.2.10:5060".parse()?, Scheduler::Wlc)
    ///     .persistence(Persistence::for_secs(60)?.engine("sip".parse()?));
    /// assert_eq!(service.rule().to_string(), "-A -u 192.0.2.10:5060 -s wlc -p 60 --pe sip");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "ipvsadm -S")]
    pub fn rule(&self) -> ServiceRule<'_> {
        ServiceRule::ipvsadm(self)
    }

    /// The line from which [`Rule`] reads the same service again.
    ///
    /// It equals the line of ipvsadm wherever ipvsadm can express the service. Beyond that, protocols go by their names
    /// (`--esp-service`, `--ip_47-service`), and a mask is printed without persistence as well. Every service that a
    /// kernel reports is read back the same, except for settings without effect that have no option: a timeout without
    /// persistence and bits without a name are left out.
    pub fn full_rule(&self) -> ServiceRule<'_> {
        ServiceRule::full(self)
    }
}

impl Destination {
    /// The line that `ipvsadm -S -n` prints for the destination of a service, to the byte.
    ///
    /// ipvsadm prints neither thresholds nor forwarding methods other than `-m`, `-i` and `-g`, the last of which it
    /// prints in place of any other. [`full_rule`](Self::full_rule) has all of it.
    ///
    /// ```
    /// use ipvs_rs::{Destination, ForwardMethod, ServiceId};
    /// use ipvs_rs::model::{Thresholds, Tunnel};
    ///
    /// let web: ServiceId = "tcp://192.0.2.10:80".parse()?;
    /// let server = Destination::new("10.0.0.2:80".parse()?, ForwardMethod::Tunnel(Tunnel::gue(6080)?))
    ///     .thresholds(Thresholds::with_upper(100)?);
    /// assert_eq!(
    ///     server.rule(&web).to_string(),
    ///     "-a -t 192.0.2.10:80 -r 10.0.0.2:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum"
    /// );
    /// assert_eq!(
    ///     server.full_rule(&web).to_string(),
    ///     "-a -t 192.0.2.10:80 -r 10.0.0.2:80 -i -w 1 -x 100 --tun-type gue --tun-port 6080 --tun-nocsum"
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "ipvsadm -S")]
    pub fn rule<'a>(&'a self, service: &'a ServiceId) -> DestinationRule<'a> {
        DestinationRule::ipvsadm(service, self)
    }

    /// The line from which [`Rule`] reads the same destination again.
    ///
    /// It equals the line of ipvsadm wherever ipvsadm can express the destination, with the thresholds after the
    /// weight. Beyond that there are `--forward Local`, `Bypass` and `Unknown-5` in place of a letter,
    /// `--tun-flags 0x4` for bits without a name, and combinations of tunnel options that ipvsadm does not allow. Every
    /// destination that a kernel reports is read back the same, except for tunnel settings of a destination that is not
    /// reached by a tunnel, which have no effect and are left out.
    pub fn full_rule<'a>(&'a self, service: &'a ServiceId) -> DestinationRule<'a> {
        DestinationRule::full(service, self)
    }
}

impl Table {
    /// The output of `ipvsadm -S -n` for the table: a line for each service and its destinations, each with its line
    /// end. ipvsadm sorts the services and the destinations of each; here they are in the order of the table.
    #[doc(alias = "ipvsadm -S")]
    pub fn rules(&self) -> TableRules<'_> {
        TableRules::ipvsadm(self)
    }

    /// The same in the lines of [`Service::full_rule`] and [`Destination::full_rule`].
    pub fn full_rules(&self) -> TableRules<'_> {
        TableRules::full(self)
    }
}
