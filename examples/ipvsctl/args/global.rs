//! Options that may stand anywhere, and their values from the environment.

#![expect(clippy::doc_markdown, reason = "help is printed as it stands")]

use std::path::PathBuf;

use clap::{ArgAction, Args, ColorChoice, ValueHint};

use super::{Format, words};
use crate::escape::escaped;
use crate::failure::{Failure, failure};

// Options that stand anywhere. (What is written in the form of documentation becomes the help of commands.)
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = GLOBAL)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub struct Globals {
    /// Log actions to standard error; twice for more detail [env: IPVSCTL_LOG_VERBOSE]
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
    /// Log errors only
    #[arg(short, long)]
    pub quiet: bool,
    /// Format of messages
    #[arg(long, value_name = "FORMAT", value_parser = words([
        ("text", "A line of text each", Format::Text),
        ("json", "A JSON object in a line each", Format::Json),
    ]))]
    pub log_format: Option<Format>,
    /// When to color output; NO_COLOR is honored
    #[arg(long, value_name = "WHEN", value_parser = words([
        ("auto", "On a terminal", ColorChoice::Auto),
        ("always", "Always", ColorChoice::Always),
        ("never", "Never", ColorChoice::Never),
    ]))]
    pub color: Option<ColorChoice>,
    /// Work in another network namespace: a name of `ip netns`, a path, or the number of a process
    #[arg(long, value_name = "NAME|PATH|PID", value_hint = ValueHint::AnyPath)]
    pub netns: Option<String>,
    /// Do not try to load the kernel module when IPVS is missing
    #[arg(long)]
    pub no_modprobe: bool,
    /// Treat warnings about files as errors
    #[arg(long)]
    pub strict: bool,
    /// Parameters from addresses of this host: ${host.IF}, ${host.IF_N} [env: IPVSCTL_PARAMS_HOST_NETWORK]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub params_network: Option<bool>,
    /// Parameters from the environment: ${env.NAME} [env: IPVSCTL_PARAMS_HOST_ENV]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub params_env: Option<bool>,
    /// Parameters from a file of YAML or JSON; may be repeated [env: IPVSCTL_PARAMS_FILE]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub params_file: Vec<PathBuf>,
    /// Parameters from a document of YAML or JSON on a web server; may be repeated [env: IPVSCTL_PARAMS_URLS]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub params_url: Vec<String>,
    /// Allow plain HTTP for parameters from other hosts
    #[arg(long)]
    pub params_insecure: bool,
    /// Certificates (PEM) to trust for web servers of parameters, instead of the default ones
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub params_ca: Option<PathBuf>,
    /// Headers of requests for parameters, `Name: value` in each line
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub params_header_file: Option<PathBuf>,
}

/// The heading of options that may stand anywhere.
pub const GLOBAL: &str = "Global options";

impl Globals {
    /// Adds the options that stand further right: lists grow, and of everything else the last one counts.
    pub fn add(&mut self, right: Self) {
        self.verbose = self.verbose.saturating_add(right.verbose);
        self.quiet |= right.quiet;
        self.log_format = right.log_format.or(self.log_format);
        self.color = right.color.or(self.color);
        self.netns = right.netns.or(self.netns.take());
        self.no_modprobe |= right.no_modprobe;
        self.strict |= right.strict;
        self.params_network = right.params_network.or(self.params_network);
        self.params_env = right.params_env.or(self.params_env);
        self.params_file.extend(right.params_file);
        self.params_url.extend(right.params_url);
        self.params_insecure |= right.params_insecure;
        self.params_ca = right.params_ca.or(self.params_ca.take());
        self.params_header_file = right.params_header_file.or(self.params_header_file.take());
    }

    /// Takes from the environment the options that the command line does not have.
    ///
    /// # Errors
    ///
    /// When a variable that is a switch is neither on nor off.
    pub fn add_environment(&mut self, variable: impl Fn(&str) -> Option<String>) -> Result<(), Failure> {
        let switch = |name: &str| match variable(name).as_deref() {
            None | Some("") => Ok(false),
            Some(value) => {
                boolean(value).ok_or_else(|| failure!(Usage, "{name}=\"{}\" is neither true nor false", escaped(value)))
            }
        };
        let list = |name: &str| {
            let value = variable(name).unwrap_or_default();
            value.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        if switch("IPVSCTL_LOG_VERBOSE")? && self.verbose == 0 {
            self.verbose = 1;
        }
        let network = switch("IPVSCTL_PARAMS_HOST_NETWORK")?;
        let environment = switch("IPVSCTL_PARAMS_HOST_ENV")?;
        self.params_network.get_or_insert(network);
        self.params_env.get_or_insert(environment);
        if self.params_file.is_empty() {
            self.params_file = list("IPVSCTL_PARAMS_FILE").into_iter().map(PathBuf::from).collect();
        }
        if self.params_url.is_empty() {
            self.params_url = list("IPVSCTL_PARAMS_URLS");
        }
        Ok(())
    }
}

/// Reads a word that counts as on or off in the environment.
pub fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}
