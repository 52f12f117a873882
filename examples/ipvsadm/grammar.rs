//! The command line as a table: every command and option once, for the parser, the completions and the man page.

/// The meaning of an option.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Meaning {
    Command(Command),
    Option(Opt),
}

/// The commands. One of them comes first and decides which options may follow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Command {
    AddService,
    EditService,
    DeleteService,
    Clear,
    List,
    AddServer,
    DeleteServer,
    EditServer,
    Set,
    StartDaemon,
    StopDaemon,
    Restore,
    Save,
    Zero,
    Help,
    Version,
    HelpAll,
    Completions,
    Man,
}

impl Command {
    /// The name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AddService => "add-service",
            Self::EditService => "edit-service",
            Self::DeleteService => "delete-service",
            Self::Clear => "flush",
            Self::List => "list",
            Self::AddServer => "add-server",
            Self::DeleteServer => "delete-server",
            Self::EditServer => "edit-server",
            Self::Set => "set",
            Self::StartDaemon => "start-daemon",
            Self::StopDaemon => "stop-daemon",
            Self::Restore => "restore",
            Self::Save => "save",
            Self::Zero => "zero",
            Self::Help => "help",
            Self::Version => "version",
            Self::HelpAll => "help-all",
            Self::Completions => "completions",
            Self::Man => "man",
        }
    }

    /// Whether the command only prints texts of the program itself, without a kernel. `-h` and `-v` are not among them:
    /// scripts use those to see whether IPVS is there.
    pub const fn is_about_the_program(self) -> bool {
        matches!(self, Self::HelpAll | Self::Completions | Self::Man)
    }
}

/// The options.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Opt {
    Tcp,
    Udp,
    Sctp,
    Service,
    Mark,
    Ipv6,
    Scheduler,
    Persistent,
    Netmask,
    Engine,
    OnePacket,
    SchedulerFlags,
    RealServer,
    Gatewaying,
    Ipip,
    Masquerading,
    Weight,
    UpperThreshold,
    LowerThreshold,
    TunnelType,
    TunnelPort,
    TunnelNoChecksum,
    TunnelChecksum,
    TunnelRemoteChecksum,
    Numeric,
    Connection,
    Timeout,
    Daemon,
    Stats,
    Rate,
    Thresholds,
    PersistentConnections,
    TunnelInfo,
    NoSort,
    Sort,
    Exact,
    SyncId,
    SyncMaxLen,
    MulticastInterface,
    MulticastGroup,
    MulticastPort,
    MulticastTtl,
    Json,
    Watch,
    Netns,
}

/// Names of slots, in the order in which they are checked.
macro_rules! slots {
    ($($slot:ident = $name:literal,)*) => {
        /// A slot records whether an option was given, given twice, and fits the command. Options that exclude each
        /// other share one.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub enum Slot {
            $($slot,)*
        }

        impl Slot {
            /// All, in the order of the check.
            pub const ALL: &[Self] = &[$(Self::$slot,)*];

            /// The name in messages.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$slot => $name,)*
                }
            }
        }
    };
}

slots! {
    Numeric = "numeric",
    Connection = "connection",
    ServiceAddress = "service-address",
    Scheduler = "scheduler",
    Persistent = "persistent",
    Netmask = "netmask",
    RealServer = "real-server",
    ForwardingMethod = "forwarding-method",
    Weight = "weight",
    UpperThreshold = "u-threshold",
    LowerThreshold = "l-threshold",
    MulticastInterface = "mcast-interface",
    Timeout = "timeout",
    Daemon = "daemon",
    Stats = "stats",
    Rate = "rate",
    Thresholds = "thresholds",
    PersistentConnections = "persistent-conn",
    NoSort = "nosort",
    SyncId = "syncid",
    Exact = "exact",
    OnePacket = "ops",
    Engine = "pe",
    SchedulerFlags = "sched-flags",
    MulticastGroup = "mcast-group",
    MulticastPort = "mcast-port",
    MulticastTtl = "mcast-ttl",
    SyncMaxLen = "sync-maxlen",
    TunnelInfo = "tun-info",
    TunnelType = "tun-type",
    TunnelPort = "tun-port",
    TunnelNoChecksum = "tun-nocsum",
    TunnelChecksum = "tun-csum",
    TunnelRemoteChecksum = "tun-remcsum",
    Json = "json",
    Watch = "watch",
    Netns = "netns",
}

impl Opt {
    /// Its slot; `None` where nothing is checked.
    pub const fn slot(self) -> Option<Slot> {
        Some(match self {
            Self::Tcp | Self::Udp | Self::Sctp | Self::Service | Self::Mark => Slot::ServiceAddress,
            Self::Ipv6 | Self::Sort => return None,
            Self::Scheduler => Slot::Scheduler,
            Self::Persistent => Slot::Persistent,
            Self::Netmask => Slot::Netmask,
            Self::Engine => Slot::Engine,
            Self::OnePacket => Slot::OnePacket,
            Self::SchedulerFlags => Slot::SchedulerFlags,
            Self::RealServer => Slot::RealServer,
            Self::Gatewaying | Self::Ipip | Self::Masquerading => Slot::ForwardingMethod,
            Self::Weight => Slot::Weight,
            Self::UpperThreshold => Slot::UpperThreshold,
            Self::LowerThreshold => Slot::LowerThreshold,
            Self::TunnelType => Slot::TunnelType,
            Self::TunnelPort => Slot::TunnelPort,
            Self::TunnelNoChecksum => Slot::TunnelNoChecksum,
            Self::TunnelChecksum => Slot::TunnelChecksum,
            Self::TunnelRemoteChecksum => Slot::TunnelRemoteChecksum,
            Self::Numeric => Slot::Numeric,
            Self::Connection => Slot::Connection,
            Self::Timeout => Slot::Timeout,
            Self::Daemon => Slot::Daemon,
            Self::Stats => Slot::Stats,
            Self::Rate => Slot::Rate,
            Self::Thresholds => Slot::Thresholds,
            Self::PersistentConnections => Slot::PersistentConnections,
            Self::TunnelInfo => Slot::TunnelInfo,
            Self::NoSort => Slot::NoSort,
            Self::Exact => Slot::Exact,
            Self::SyncId => Slot::SyncId,
            Self::SyncMaxLen => Slot::SyncMaxLen,
            Self::MulticastInterface => Slot::MulticastInterface,
            Self::MulticastGroup => Slot::MulticastGroup,
            Self::MulticastPort => Slot::MulticastPort,
            Self::MulticastTtl => Slot::MulticastTtl,
            Self::Json => Slot::Json,
            Self::Watch => Slot::Watch,
            Self::Netns => Slot::Netns,
        })
    }
}

/// The value that follows an option.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OptionValue {
    Nothing,
    Value(&'static str),
    Optional(&'static str),
}

/// A command or an option.
#[derive(Debug)]
pub struct Entry {
    pub long: &'static str,
    /// One letter, or several that mean the same.
    pub short: &'static str,
    pub takes: OptionValue,
    pub means: Meaning,
    /// One line for completions and the man page.
    pub about: &'static str,
}

const fn command(long: &'static str, short: &'static str, command: Command, about: &'static str) -> Entry {
    Entry { long, short, takes: OptionValue::Nothing, means: Meaning::Command(command), about }
}

const fn command_with(long: &'static str, value: &'static str, command: Command, about: &'static str) -> Entry {
    Entry { long, short: "", takes: OptionValue::Value(value), means: Meaning::Command(command), about }
}

const fn flag(long: &'static str, short: &'static str, option: Opt, about: &'static str) -> Entry {
    Entry { long, short, takes: OptionValue::Nothing, means: Meaning::Option(option), about }
}

const fn value(
    long: &'static str,
    short: &'static str,
    value: &'static str,
    option: Opt,
    about: &'static str,
) -> Entry {
    Entry { long, short, takes: OptionValue::Value(value), means: Meaning::Option(option), about }
}

/// Entries that belong together.
#[derive(Debug)]
pub struct Section {
    pub heading: &'static str,
    pub entries: &'static [Entry],
}

/// Everything that may stand on the command line.
pub const GRAMMAR: &[Section] = &[
    Section {
        heading: "Commands",
        entries: &[
            command("add-service", "A", Command::AddService, "Add a virtual service"),
            command("edit-service", "E", Command::EditService, "Replace the settings of a virtual service"),
            command("delete-service", "D", Command::DeleteService, "Delete a virtual service with its real servers"),
            command("clear", "C", Command::Clear, "Delete everything"),
            command("list", "Ll", Command::List, "List the table, connections, timeouts or synchronization daemons"),
            command("add-server", "a", Command::AddServer, "Add a real server to a virtual service"),
            command("delete-server", "d", Command::DeleteServer, "Remove a real server from a virtual service"),
            command("edit-server", "e", Command::EditServer, "Replace the settings of a real server"),
            command(
                "set",
                "",
                Command::Set,
                "Set the timeouts for TCP, TCP after a FIN, and UDP, in seconds; 0 keeps one",
            ),
            command_with(
                "start-daemon",
                "STATE",
                Command::StartDaemon,
                "Start synchronizing connections: master or backup",
            ),
            command_with(
                "stop-daemon",
                "STATE",
                Command::StopDaemon,
                "Stop synchronizing connections: master or backup",
            ),
            command("restore", "R", Command::Restore, "Read rules from standard input, one in a line"),
            command("save", "S", Command::Save, "Print the table as rules for --restore"),
            command("zero", "Z", Command::Zero, "Set the counters of one or of all virtual services to zero"),
            command("help", "h", Command::Help, "Print the usage of the original"),
            command(
                "version",
                "v",
                Command::Version,
                "Print the version of the original that this program stands in for",
            ),
        ],
    },
    Section {
        heading: "Virtual service",
        entries: &[
            value("tcp-service", "t", "ADDRESS", Opt::Tcp, "Virtual service by TCP address, HOST[:PORT]"),
            value("udp-service", "u", "ADDRESS", Opt::Udp, "Virtual service by UDP address, HOST[:PORT]"),
            value("sctp-service", "", "ADDRESS", Opt::Sctp, "Virtual service by SCTP address, HOST[:PORT]"),
            value("fwmark-service", "f", "MARK", Opt::Mark, "Virtual service by firewall mark, 1 to 4294967295"),
            flag("ipv6", "6", Opt::Ipv6, "The firewall mark before it is one of IPv6"),
            value("scheduler", "s", "NAME", Opt::Scheduler, "Scheduler that chooses the real server; wlc by default"),
            Entry {
                long: "persistent",
                short: "p",
                takes: OptionValue::Optional("SECONDS"),
                means: Meaning::Option(Opt::Persistent),
                about: "Clients keep their real server for this time after a connection; 360 s by default",
            },
            value(
                "netmask",
                "M",
                "MASK",
                Opt::Netmask,
                "Network whose clients count as one for persistence: IPv4 mask, IPv6 prefix length",
            ),
            value("pe", "", "NAME", Opt::Engine, "Persistence engine, such as sip"),
            flag("ops", "o", Opt::OnePacket, "Schedule each packet by itself (UDP and firewall marks)"),
            value("sched-flags", "b", "FLAGS", Opt::SchedulerFlags, "Options of the scheduler, separated by commas"),
        ],
    },
    Section {
        heading: "Real server",
        entries: &[
            value("real-server", "r", "ADDRESS", Opt::RealServer, "Real server, HOST[:PORT]"),
            flag("gatewaying", "g", Opt::Gatewaying, "Forward by direct routing, which is the default"),
            flag("ipip", "i", Opt::Ipip, "Forward through a tunnel"),
            flag("masquerading", "m", Opt::Masquerading, "Forward by network address translation"),
            value("weight", "w", "WEIGHT", Opt::Weight, "Share of new connections, 0 to 2147483647; 1 by default"),
            value(
                "u-threshold",
                "x",
                "CONNECTIONS",
                Opt::UpperThreshold,
                "Number of connections that overloads the server",
            ),
            value(
                "l-threshold",
                "y",
                "CONNECTIONS",
                Opt::LowerThreshold,
                "Number of connections below which it is not overloaded any more",
            ),
            value("tun-type", "", "TYPE", Opt::TunnelType, "Tunnel type: ipip (the default), gue or gre"),
            value("tun-port", "", "PORT", Opt::TunnelPort, "UDP port of a gue tunnel"),
            flag("tun-nocsum", "", Opt::TunnelNoChecksum, "Tunnel without checksums, which is the default"),
            flag("tun-csum", "", Opt::TunnelChecksum, "Tunnel with checksums"),
            flag("tun-remcsum", "", Opt::TunnelRemoteChecksum, "Tunnel with remote checksums"),
        ],
    },
    Section {
        heading: "Listing",
        entries: &[
            flag("numeric", "n", Opt::Numeric, "Print addresses and ports as numbers"),
            flag("connection", "c", Opt::Connection, "List connections"),
            flag("timeout", "", Opt::Timeout, "List the timeouts for TCP, TCP after a FIN, and UDP"),
            flag("daemon", "", Opt::Daemon, "List the synchronization daemons"),
            flag("stats", "", Opt::Stats, "List counters"),
            flag("rate", "", Opt::Rate, "List rates for each second"),
            flag("thresholds", "", Opt::Thresholds, "List thresholds"),
            flag("persistent-conn", "", Opt::PersistentConnections, "List persistent connections"),
            flag("tun-info", "", Opt::TunnelInfo, "List tunnels"),
            flag("nosort", "", Opt::NoSort, "List in the kernel's order"),
            flag("sort", "", Opt::Sort, "Has no effect"),
            flag("exact", "X", Opt::Exact, "Print counters with all digits"),
        ],
    },
    Section {
        heading: "Synchronization daemon",
        entries: &[
            value("syncid", "", "ID", Opt::SyncId, "ID of the group of daemons, 0 to 255; 0 by default"),
            value("sync-maxlen", "", "BYTES", Opt::SyncMaxLen, "Longest message of the daemon, 1 to 65507"),
            value(
                "mcast-interface",
                "",
                "INTERFACE",
                Opt::MulticastInterface,
                "Interface of the daemon; eth0 by default",
            ),
            value(
                "mcast-group",
                "",
                "ADDRESS",
                Opt::MulticastGroup,
                "Multicast group of the daemon; 224.0.0.81 by default",
            ),
            value("mcast-port", "", "PORT", Opt::MulticastPort, "UDP port of the daemon; 8848 by default"),
            value("mcast-ttl", "", "TTL", Opt::MulticastTtl, "TTL of the daemon's messages, 1 to 255; 1 by default"),
        ],
    },
    Section {
        heading: "Not in the original",
        entries: &[
            value("service", "", "SERVICE", Opt::Service, "Virtual service of any protocol, such as esp://192.0.2.1:0"),
            flag("json", "", Opt::Json, "List as JSON"),
            value(
                "watch",
                "",
                "SECONDS",
                Opt::Watch,
                "Repeat the list at this interval until q or an interrupt; rates are since the last one",
            ),
            value(
                "netns",
                "",
                "NAMESPACE",
                Opt::Netns,
                "Work in a network namespace: its name, a path, or a process by number",
            ),
            command(
                "help-all",
                "",
                Command::HelpAll,
                "Print every command and option, with those that are not in the original",
            ),
            command_with(
                "completions",
                "SHELL",
                Command::Completions,
                "Print completions for bash, elvish, fish, powershell or zsh",
            ),
            command("man", "", Command::Man, "Print the man page"),
        ],
    },
];

/// All entries.
pub fn entries() -> impl Iterator<Item = &'static Entry> {
    GRAMMAR.iter().flat_map(|section| section.entries)
}

/// The entry of a long option.
pub fn long(name: &[u8]) -> Option<&'static Entry> {
    entries().find(|entry| entry.long.as_bytes() == name)
}

/// The entry of a letter.
pub fn short(letter: u8) -> Option<&'static Entry> {
    entries().find(|entry| entry.short.as_bytes().contains(&letter))
}
