//! Texts about the program itself: usage, man page, completions.

use std::fmt::Write as _;

use clap::{Arg, ArgAction, ValueHint};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};
use ipvs_rs::model::SyncRole;

use crate::fault::Fault;
use crate::grammar::{Command, GRAMMAR, Meaning, Opt, OptionValue, Section};
use crate::invocation::Invocation;
use crate::manual::Page;
use crate::matrix::TUNNELS;
use crate::output::Output;

/// The output of the original for `-v`.
pub const VERSION: &str = "ipvsadm v1.31 2019/12/24 (compiled with popt and IPVS v1.2.1)\n";

/// The output of the original for `-h`, with the name that the program was called by.
pub fn usage(program: &[u8]) -> Vec<u8> {
    let mut text = VERSION.as_bytes().to_vec();
    for (place, part) in include_str!("usage.txt").split("PROGRAM").enumerate() {
        if place > 0 {
            text.extend_from_slice(program);
        }
        text.extend_from_slice(part.as_bytes());
    }
    text
}

/// Prints the texts that do not need a kernel.
pub fn print(invocation: &Invocation, program: &[u8], out: &mut Output) -> Result<(), Fault> {
    match invocation {
        Invocation::HelpAll => out.write(all(&String::from_utf8_lossy(program)).as_bytes()),
        Invocation::Completions(shell) => out.write(&completions(shell)?),
        Invocation::Man => out.write(&man()),
        _ => {}
    }
    Ok(())
}

/// Every entry of the grammar in two columns.
fn all(program: &str) -> String {
    let mut text = format!("Usage: {program} COMMAND [OPTION]...\n");
    for Section { heading, entries } in GRAMMAR {
        // Writing to a string does not fail.
        let _ = write!(text, "\n{heading}:\n");
        for entry in *entries {
            let short: Vec<String> = entry.short.chars().map(|letter| format!("-{letter}")).collect();
            let value = match entry.takes {
                OptionValue::Nothing => String::new(),
                OptionValue::Value(name) => format!(" {name}"),
                OptionValue::Optional(name) => format!(" [{name}]"),
            };
            let _ =
                writeln!(text, "  {:<6} --{:<30} {}", short.join("|"), format!("{}{value}", entry.long), entry.about);
        }
    }
    text.push_str("\nThe first option is the command. The man page (--man) says which options fit which command.\n");
    text
}

/// The grammar as clap knows it, for its generators.
fn clap() -> clap::Command {
    let headed = GRAMMAR.iter().flat_map(|section| section.entries.iter().map(|entry| (section.heading, entry)));
    let arguments = headed.map(|(heading, entry)| {
        let mut letters = entry.short.chars();
        let argument = Arg::new(entry.long).long(entry.long).help(entry.about).help_heading(heading);
        let argument = match letters.next() {
            Some(letter) => argument.short(letter).visible_short_aliases(letters.collect::<Vec<_>>()),
            None => argument,
        };
        match entry.takes {
            OptionValue::Nothing => argument.action(ArgAction::SetTrue),
            OptionValue::Value(name) => with_values(argument.value_name(name).num_args(1), entry.means),
            OptionValue::Optional(name) => argument.value_name(name).num_args(0..=1),
        }
    });
    clap::Command::new("ipvsadm")
        .about("Administer the virtual services of the Linux kernel's load balancer")
        .version(env!("CARGO_PKG_VERSION"))
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args(arguments)
}

/// Adds the values that a shell can complete.
fn with_values(argument: Arg, means: Meaning) -> Arg {
    match means {
        Meaning::Command(Command::StartDaemon | Command::StopDaemon) => {
            argument.value_parser(SyncRole::ALL.map(SyncRole::name))
        }
        Meaning::Command(Command::Completions) => {
            argument.value_parser(["bash", "elvish", "fish", "powershell", "zsh"])
        }
        Meaning::Option(Opt::TunnelType) => argument.value_parser(TUNNELS),
        Meaning::Option(Opt::Scheduler) => argument.value_parser(SCHEDULERS),
        Meaning::Option(Opt::Netns) => argument.value_hint(ValueHint::AnyPath),
        Meaning::Option(Opt::Tcp | Opt::Udp | Opt::Sctp | Opt::Service | Opt::RealServer) => {
            argument.value_hint(ValueHint::Hostname)
        }
        _ => argument,
    }
}

const SCHEDULERS: [&str; 13] = ["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh"];

fn completions(shell: &[u8]) -> Result<Vec<u8>, Fault> {
    let parsed = std::str::from_utf8(shell).ok().and_then(|shell| shell.parse::<Shell>().ok());
    let expected = " specified: expected bash, elvish, fish, powershell or zsh";
    let shell = parsed.ok_or_else(|| Fault::value("invalid shell ", shell, expected))?;
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut clap(), "ipvsadm", &mut script);
    Ok(script)
}

fn man() -> Vec<u8> {
    let usage = include_str!("usage.txt").lines().filter_map(|line| line.trim_start().strip_prefix("PROGRAM "));
    let synopsis = |section: &mut Roff| {
        for line in usage {
            section.text([roman(format!("ipvsadm {line}"))]).control("br", []);
        }
    };
    Page::new(clap())
        .section("SYNOPSIS", synopsis)
        .paragraphs("DESCRIPTION", &DESCRIPTION)
        .generated(Man::render_options_section)
        .meanings("EXIT STATUS", STATUSES)
        .examples(&EXAMPLES)
        .finish()
        .into_bytes()
}

const DESCRIPTION: [&str; 5] = [
    "Shows and changes the table of IPVS in the running kernel: virtual services, each with the real servers that \
     connections to it are spread over. The first option is the command; the others follow in any order.",
    "Adding and editing a virtual service takes its address or firewall mark, and optionally scheduler, persistence, \
     netmask, persistence engine, one-packet scheduling and scheduler flags. Adding and editing a real server takes the \
     virtual service and the real server, and optionally the forwarding method, weight, thresholds and tunnel. Editing \
     replaces all settings: what is not given falls back to its default.",
    "A listing is about the whole table, one virtual service, the connections, the timeouts or the daemons.",
    "Rules for --restore are command lines, one in a line, without quotes and comments. A rule that the kernel refuses \
     is reported and those after it are executed; one that cannot be understood ends the run. Nothing is taken back.",
    "This program stands in for ipvsadm 1.31 and prints the same. The options json, watch and netns and the commands \
     help-all, completions and man are its own.",
];

const STATUSES: [(&str, &str); 4] = [
    ("0", "Done."),
    ("1", "A listing could not be had."),
    ("2", "The command line cannot be executed, or the kernel has no IPVS, or does not let this user in."),
    ("255", "The kernel refused the command, or the words of the command line cannot be told apart."),
];

const EXAMPLES: [(&str, &[&str]); 3] = [
    (
        "A web service over two servers, by address translation:",
        &[
            "ipvsadm -A -t 192.0.2.10:80 -s wlc",
            "ipvsadm -a -t 192.0.2.10:80 -r 10.0.0.2:8080 -m",
            "ipvsadm -a -t 192.0.2.10:80 -r 10.0.0.3:8080 -m -w 2",
        ],
    ),
    ("Save the table, and put it back:", &["ipvsadm -S -n > rules", "ipvsadm -R < rules"]),
    ("Rates of a container, every two seconds:", &["ipvsadm -L -n --rate --watch 2 --netns blue"]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grammar;

    #[test]
    fn every_entry_is_in_what_is_generated() {
        clap().debug_assert();
        let texts = [all("ipvsadm"), String::from_utf8(man()).unwrap().replace("\\-", "-")];
        let scripts = ["bash", "elvish", "fish", "powershell", "zsh"]
            .map(|shell| String::from_utf8(completions(shell.as_bytes()).unwrap()).unwrap());
        for entry in grammar::entries() {
            for text in texts.iter().chain(&scripts) {
                assert!(text.contains(entry.long), "{} is missing in:\n{text}", entry.long);
            }
        }
    }

    #[test]
    fn unknown_shell_is_an_error() {
        let fault = completions(b"tcsh").unwrap_err();
        assert_eq!(
            String::from_utf8(fault.message).unwrap(),
            "invalid shell `tcsh' specified: expected bash, elvish, fish, powershell or zsh"
        );
    }

    #[test]
    fn usage_names_the_program_as_it_was_called() {
        let text = String::from_utf8(usage(b"/sbin/ipvsadm")).unwrap();
        assert!(text.starts_with("ipvsadm v1.31 2019/12/24"), "{text}");
        assert!(text.contains("\n  /sbin/ipvsadm -C\n"), "{text}");
    }
}
