//! The command line.

#![expect(clippy::doc_markdown, reason = "help is printed as it stands")]

mod global;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{NonEmptyStringValueParser, PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueHint};
use clap_complete::Shell;
use ipvs_rs::desired::apply::OnError;
use ipvs_rs::desired::spec::DurationSpec;
use ipvs_rs::desired::{Activity, OnTimeout, Order, WaitFor};

pub use global::{GLOBAL, Globals, boolean};

/// The command of a command line, and its global options.
#[derive(Debug)]
pub struct Invocation {
    pub global: Globals,
    pub command: Command,
}

#[derive(Clone, Debug, Parser)]
#[command(
    name = "ipvsctl",
    version,
    about = "Make the table of the Linux kernel's load balancer what a file says",
    subcommand_required = true,
    arg_required_else_help = true,
    args_override_self = true,
    after_help = "Exit statuses and examples are in the man page: ipvsctl man | man -l -"
)]
pub enum Command {
    /// Print the table
    Get(Get),
    /// Check files; needs neither root nor IPVS
    Validate {
        #[command(flatten)]
        files: Files,
        /// Format
        #[arg(short, long, default_value = "text", value_parser = words([
            ("text", "A sentence; what is wrong goes to standard error", Format::Text),
            ("json", "Everything that was found, as JSON", Format::Json),
        ]))]
        output: Format,
    },
    /// Show the changes that apply would make
    #[command(visible_alias = "diff")]
    Plan(Plan),
    /// Print the changes that apply would make, as a list of items
    Changeset {
        #[command(flatten)]
        files: Files,
        #[command(flatten)]
        planning: Planning,
        /// Format
        #[arg(short, long, default_value = "yaml", value_parser = words([
            ("yaml", "", Format::Yaml),
            ("json", "", Format::Json),
        ]))]
        output: Format,
    },
    /// Apply files to the table
    Apply(Apply),
    /// Apply files whenever they or the table change
    Watch(Watch),
    /// Change one setting in the table and leave the rest
    #[command(subcommand)]
    Set(Set),
    /// Drain destinations: set weight 0 and wait until their connections have ended
    Drain {
        /// Service, such as tcp://192.0.2.10:80 or fwmark:7, or its name in a file
        #[arg(short, long)]
        service: String,
        /// Destination, such as 10.0.0.2:8080; may be repeated
        #[arg(short, long, required = true)]
        destination: Vec<String>,
        #[command(flatten)]
        names: Names,
        /// The longest wait
        #[arg(long, value_name = "TIME", default_value = "60s")]
        timeout: DurationSpec,
        /// Interval between two reads of the counters
        #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = pause)]
        poll: DurationSpec,
        /// Connections to wait for
        #[arg(long, default_value = "active", value_parser = choice(WaitFor::ALL, WaitFor::name, [
            "Active ones, which UDP does not have",
            "Active and inactive ones",
        ]))]
        wait: WaitFor,
        /// Delete the destinations afterward
        #[arg(long)]
        delete: bool,
        /// Action for a destination with connections left at the timeout [default: delete with --delete, else keep]
        #[arg(long, value_name = "WHAT", value_parser = choice(OnTimeout::ALL, OnTimeout::name, [
            "It is deleted",
            "It stays with weight 0",
            "It gets its weight back",
        ]))]
        on_timeout: Option<OnTimeout>,
    },
    /// Restore the weight of a drained destination
    Undrain {
        #[command(flatten)]
        target: Target,
        /// Weight to restore [default: that of the file]
        #[arg(short, long)]
        weight: Option<String>,
    },
    /// Set counters to zero
    Zero {
        /// Only this service and its destinations
        #[arg(short, long)]
        service: Option<String>,
        #[command(flatten)]
        names: Names,
    },
    /// Show counters and rates
    Stats {
        /// Only this service
        #[arg(short, long)]
        service: Option<String>,
        #[command(flatten)]
        names: Names,
        /// Format
        #[arg(short, long, default_value = "table", value_parser = words(LIST_FORMATS))]
        output: Format,
        /// Repeat at this interval, with the rates since the last time
        #[arg(
            long, value_name = "TIME", num_args = 0..=1, require_equals = true, default_missing_value = "2s",
            value_parser = pause
        )]
        watch: Option<DurationSpec>,
    },
    /// Show connections
    Conns {
        /// Only those to this service
        #[arg(short, long)]
        service: Option<String>,
        /// Only those to this destination
        #[arg(short, long)]
        destination: Option<String>,
        #[command(flatten)]
        names: Names,
        /// Format
        #[arg(short, long, default_value = "table", value_parser = words(LIST_FORMATS))]
        output: Format,
    },
    /// Print the JSON schema of files
    Schema,
    /// Print a completion script for a shell
    Completions { shell: Shell },
    /// Print the man page
    Man,
}

// The files that say what the table should be.
#[derive(Args, Clone, Debug, Default)]
pub struct Files {
    /// File or directory with the desired state, - for standard input; may be repeated
    /// [default: /etc/ipvsctl.yaml, or else /etc/ipvsctl.d]
    #[arg(short, long = "file", value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub file: Vec<OsString>,
    /// Merge the destinations of a service that is in several files
    #[arg(long)]
    pub merge: bool,
}

// The file that names of services stand in.
#[derive(Args, Clone, Debug, Default)]
pub struct Names {
    /// File or directory with the names of services
    #[arg(short, long = "file", value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub file: Vec<OsString>,
}

// A destination, by its service and its address.
#[derive(Args, Clone, Debug)]
pub struct Target {
    /// Service, such as tcp://192.0.2.10:80 or fwmark:7, or its name in a file
    #[arg(short, long)]
    pub service: String,
    /// Destination, such as 10.0.0.2:8080; without a port, that of the service
    #[arg(short, long)]
    pub destination: String,
    #[command(flatten)]
    pub names: Names,
}

// How a plan is made.
#[derive(Args, Clone, Debug)]
pub struct Planning {
    /// Keep the weights of existing destinations
    #[arg(
        long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "false",
        default_missing_value = "true"
    )]
    pub keep_weights: bool,
    /// Whether to delete services that are not in a file
    #[arg(
        long, value_name = "BOOL", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
        default_value = "true", default_missing_value = "true"
    )]
    pub prune: bool,
    /// Drain destinations before they are deleted, for at most this time; overrides the files
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true, default_missing_value = "60s")]
    pub drain: Option<DurationSpec>,
    /// Delete without draining; overrides the files
    #[arg(long, conflicts_with = "drain")]
    pub no_drain: bool,
    /// Changes that may be made: * for all, or a list with commas of as,us,ds (add, update, delete services), ad,ud,dd
    /// (destinations), ut (timeouts), ay,dy (start and stop synchronization daemons)
    #[arg(long, value_name = "LIST", default_value = "*", value_parser = NonEmptyStringValueParser::new())]
    pub allowed_actions: String,
}

#[derive(Args, Clone, Debug)]
pub struct Get {
    /// Format
    #[arg(short, long, default_value = "yaml", value_parser = words([
        ("yaml", "A file that apply takes", Format::Yaml),
        ("json", "The same as JSON", Format::Json),
        ("table", "A table for people", Format::Table),
        ("ipvsadm", "Rules for `ipvsadm --restore`", Format::Ipvsadm),
    ]))]
    pub output: Format,
    /// Include counters
    #[arg(long)]
    pub stats: bool,
    /// Only this service
    #[arg(short, long)]
    pub service: Option<String>,
    /// Order of services and destinations
    #[arg(long, default_value = "sorted", value_parser = choice(Order::ALL, Order::name, [
        "By family, protocol, address and port; firewall marks last",
        "As the kernel lists them",
    ]))]
    pub order: Order,
    /// Include timeouts and synchronization daemons
    #[arg(long)]
    pub all: bool,
    /// Move the most frequent scheduler, forwarding method and weight into defaults
    #[arg(long)]
    pub factor_defaults: bool,
    #[command(flatten)]
    pub names: Names,
}

#[derive(Args, Clone, Debug)]
pub struct Plan {
    #[command(flatten)]
    pub files: Files,
    #[command(flatten)]
    pub planning: Planning,
    /// Format
    #[arg(short, long, default_value = "text", value_parser = words([
        ("text", "For people", Format::Text),
        ("yaml", "As YAML", Format::Yaml),
        ("json", "As JSON, which is what --out saves", Format::Json),
        ("ipvsadm", "As lines of ipvsadm", Format::Ipvsadm),
    ]))]
    pub output: Format,
    /// Exit with status 10 if something would change
    #[arg(long)]
    pub exit_code: bool,
    /// Save the plan in a new file, or over a regular one, for `ipvsctl apply FILE`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
}

// How a plan is carried out.
#[derive(Args, Clone, Debug)]
pub struct Applying {
    /// Action after a failed operation
    #[arg(long, value_name = "WAY", default_value = "rollback", value_parser = choice(OnError::ALL, OnError::name, [
        "Undo the operations before it",
        "Stop there",
        "Continue with the rest",
    ]))]
    pub on_error: OnError,
    /// Have clients try again, instead of being refused, while the scheduler of a service changes
    ///
    /// The kernel takes the old scheduler away before it puts the new one in its place, and tells clients in between
    /// that the port cannot be reached. With this option net.ipv4.icmp_ratelimit and net.ipv6.icmp.ratelimit are a day for
    /// as long as schedulers change, so that no client is told, and clients try again after a second. When it is killed
    /// meanwhile, the next command that changes something sets them back.
    #[arg(long)]
    pub no_refusals: bool,
    /// Longest wait for another ipvsctl that is changing the table
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub lock_timeout: DurationSpec,
    /// Directory of the lock file
    #[arg(long, value_name = "DIRECTORY", default_value = "/run", value_hint = ValueHint::DirPath)]
    pub lock_dir: PathBuf,
}

#[derive(Args, Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub struct Apply {
    /// Carry out a plan that `ipvsctl plan --out` saved
    #[arg(
        value_name = "PLANFILE", value_hint = ValueHint::FilePath,
        conflicts_with_all = ["file", "merge", "keep_weights", "prune", "drain", "no_drain", "allow_empty"]
    )]
    pub saved: Option<PathBuf>,
    #[command(flatten)]
    pub files: Files,
    #[command(flatten)]
    pub planning: Planning,
    #[command(flatten)]
    pub applying: Applying,
    /// Delete all services even if the files have no key `services`; {} and services: [] do not need this
    #[arg(long)]
    pub allow_empty: bool,
    /// Show the plan and check it, without changes
    #[arg(long)]
    pub dry_run: bool,
    /// Ask before something is deleted
    #[arg(long)]
    pub confirm: bool,
    /// Answer the confirmation with yes
    #[arg(short, long)]
    pub yes: bool,
}

#[derive(Args, Clone, Debug)]
pub struct Watch {
    #[command(flatten)]
    pub files: Files,
    #[command(flatten)]
    pub planning: Planning,
    #[command(flatten)]
    pub applying: Applying,
    /// Interval between two comparisons of the table with the files, and of the files with their last content
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = pause)]
    pub interval: DurationSpec,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Set {
    /// The weight of a destination
    Weight {
        /// The weight, 0 for no new connections
        weight: String,
        #[command(flatten)]
        target: Target,
        /// Change in steps of one second, over this many seconds
        #[arg(short, long, value_name = "SECONDS", default_value_t = 0)]
        time: u32,
    },
    /// The numbers of connections at which a destination stops and resumes taking new ones
    Thresholds {
        /// Number of connections from which it takes no new ones, 0 for no limit
        #[arg(long, value_name = "N")]
        upper: u32,
        /// Number below which it takes new ones again, 0 for three quarters of the upper one
        #[arg(long, value_name = "N", default_value_t = 0)]
        lower: u32,
        #[command(flatten)]
        target: Target,
    },
    /// The scheduler of a service
    Sched {
        /// The scheduler: rr, wrr, lc, wlc, sh, mh, ...
        scheduler: String,
        /// Its flags, separated by commas [default: unchanged]
        #[arg(long, value_name = "LIST")]
        flags: Option<String>,
        /// Service, such as tcp://192.0.2.10:80 or fwmark:7, or its name in a file
        #[arg(short, long)]
        service: String,
        #[command(flatten)]
        names: Names,
    },
    /// The times after which the kernel forgets idle connections
    #[command(group = clap::ArgGroup::new("timeouts").required(true).multiple(true).args(["tcp", "tcpfin", "udp"]))]
    Timeouts {
        /// Timeout of established TCP connections
        #[arg(long, value_name = "TIME")]
        tcp: Option<DurationSpec>,
        /// Timeout of TCP connections after a FIN
        #[arg(long, value_name = "TIME")]
        tcpfin: Option<DurationSpec>,
        /// Timeout of UDP connections
        #[arg(long, value_name = "TIME")]
        udp: Option<DurationSpec>,
    },
    /// Whether a destination takes new connections
    State {
        #[arg(value_parser = choice(Activity::ALL, Activity::name, [
            "It has its weight",
            "It has weight 0",
        ]))]
        state: Activity,
        #[command(flatten)]
        target: Target,
        /// Weight of an active destination [default: that of the file]
        #[arg(short, long)]
        weight: Option<String>,
    },
}

/// How data is printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    Text,
    Table,
    Yaml,
    Json,
    Ipvsadm,
}

const LIST_FORMATS: [(&str, &str, Format); 2] = [("table", "Columns", Format::Table), ("json", "JSON", Format::Json)];

impl Command {
    /// Whether it only prints, so that nothing is left half done when its reader goes away.
    pub const fn only_prints(&self) -> bool {
        use Command::{Apply, Drain, Set, Undrain, Watch, Zero};
        !matches!(self, Apply(_) | Watch(_) | Set(_) | Drain { .. } | Undrain { .. } | Zero { .. })
    }
}

/// Takes the name of one of the values of a type of the library, each of which has a meaning.
fn choice<T, const N: usize>(
    all: [T; N],
    name: impl Fn(T) -> &'static str,
    meanings: [&'static str; N],
) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    let mut meanings = meanings.into_iter();
    words(all.map(|value| (name(value), meanings.next().unwrap_or_default(), value)))
}

/// Takes one of some words, each of which has a meaning and stands for a value.
fn words<T, const N: usize>(words: [(&'static str, &'static str, T); N]) -> impl TypedValueParser<Value = T>
where
    T: Clone + Send + Sync + 'static,
{
    let possible = words.each_ref().map(|(word, meaning, _)| {
        let word = PossibleValue::new(*word);
        if meaning.is_empty() { word } else { word.help(*meaning) }
    });
    PossibleValuesParser::new(possible).try_map(move |word| {
        let found = words.iter().find(|(known, ..)| *known == word);
        found.map(|(.., value)| value.clone()).ok_or("not one of these words")
    })
}

/// Reads the time between two reads of the table or its counters, which is not 0.
fn pause(text: &str) -> Result<DurationSpec, String> {
    match text.parse::<DurationSpec>() {
        Ok(pause) if pause.get().is_zero() => Err("expected a time longer than 0, such as 500ms or 10s".to_owned()),
        pause => pause.map_err(|error| error.to_string()),
    }
}

/// The whole command line, as clap knows it.
pub fn grammar() -> clap::Command {
    with_globals(Command::command())
}

/// Reads a command line, the name of the program included.
///
/// # Errors
///
/// When help or the version was asked for, or the command line is wrong: the error has the text.
pub fn read(words: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Invocation, clap::Error> {
    let matches = grammar().try_get_matches_from(words)?;
    let mut global = Globals::default();
    let mut level = Some(&matches);
    while let Some(matches) = level {
        global.add(Globals::from_arg_matches(matches)?);
        level = matches.subcommand().map(|(_, matches)| matches);
    }
    let command = Command::from_arg_matches(&matches)?;
    Ok(Invocation { global, command })
}

/// Clap's own global options take the values of one place only; these are options of every level instead.
fn with_globals(command: clap::Command) -> clap::Command {
    let without_repeating = |argument: clap::Arg| {
        let is_global = argument.get_help_heading() == Some(GLOBAL);
        argument.hide_short_help(is_global)
    };
    let below = |command: clap::Command| with_globals(command).mut_args(without_repeating);
    Globals::augment_args(command).args_override_self(true).mut_subcommands(below)
}

#[cfg(test)]
mod tests;
