use crate::desired::spec;
use crate::desired::written::{self, Field};
use crate::model::{Config, Timeout};

/// A time-out of connections.
pub(in crate::desired) struct TimeoutSetting {
    /// Its key in a file.
    pub(in crate::desired) key: &'static str,
    pub(in crate::desired) written: fn(&written::Timeouts) -> &Field<spec::Duration>,
    pub(in crate::desired) spec: fn(&mut spec::Timeouts) -> &mut Option<spec::Duration>,
    pub(in crate::desired) get: fn(&Config) -> Option<Timeout>,
    pub(in crate::desired) set: fn(&mut Config) -> &mut Option<Timeout>,
}

/// Every time-out, in the order of a file.
pub(in crate::desired) static TIMEOUTS: [TimeoutSetting; 3] = [
    TimeoutSetting {
        key: "tcp",
        written: |written| &written.tcp,
        spec: |spec| &mut spec.tcp,
        get: |config| config.tcp,
        set: |config| &mut config.tcp,
    },
    TimeoutSetting {
        key: "tcpfin",
        written: |written| &written.tcpfin,
        spec: |spec| &mut spec.tcpfin,
        get: |config| config.tcp_fin,
        set: |config| &mut config.tcp_fin,
    },
    TimeoutSetting {
        key: "udp",
        written: |written| &written.udp,
        spec: |spec| &mut spec.udp,
        get: |config| config.udp,
        set: |config| &mut config.udp,
    },
];
