//! The man page and completions.

use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use crate::args;
use crate::failure::Exit;
use crate::manual::Page;

/// A completion script.
pub fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::grammar(), "ipvsctl", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// The man page: one for all commands.
pub fn man() -> String {
    let mut grammar = args::grammar();
    grammar.build();
    Page::new(grammar.clone())
        .generated(Man::render_synopsis_section)
        .paragraphs("DESCRIPTION", &DESCRIPTION)
        .generated(Man::render_options_section)
        .section("COMMANDS", |section| commands(&grammar, "", section))
        .meanings("ENVIRONMENT", ENVIRONMENT)
        .meanings("FILES", FILES)
        .meanings("EXIT STATUS", [(0, "Done.".to_owned())].into_iter().chain(Exit::all()))
        .examples(&EXAMPLES)
        .finish()
}

/// A section for each command, with its own options.
fn commands(grammar: &clap::Command, prefix: &str, page: &mut Roff) {
    for command in grammar.get_subcommands().filter(|command| command.get_name() != "help") {
        let name = format!("{prefix}{}", command.get_name());
        if command.has_subcommands() {
            commands(command, &format!("{name} "), page);
            continue;
        }
        let positional = command.get_positionals().map(|argument| {
            let name = argument.get_id().as_str().to_uppercase();
            if argument.is_required_set() { format!(" {name}") } else { format!(" [{name}]") }
        });
        let heading = format!("{name}{}", positional.collect::<String>());
        page.control("SS", [heading.as_str()]);
        page.text([roman(command.get_about().map(ToString::to_string).unwrap_or_default())]);
        let own = command.get_arguments().filter(|argument| {
            let is_help = matches!(argument.get_id().as_str(), "help" | "version");
            !argument.is_hide_set() && argument.get_help_heading() != Some(args::GLOBAL) && !is_help
        });
        for argument in own {
            page.control("TP", []).text([roman(form(argument))]).text([roman(help(argument))]);
        }
    }
}

/// `-s, --service SERVICE`.
fn form(argument: &clap::Arg) -> String {
    let short = argument.get_short().map(|short| format!("-{short}"));
    let long = argument.get_long().map(|long| format!("--{long}"));
    let mut form = short.into_iter().chain(long).collect::<Vec<_>>().join(", ");
    let value = argument.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    let value = value.filter(|_| argument.get_action().takes_values());
    match value {
        Some(value) if form.is_empty() => form = value,
        Some(value) if argument.is_require_equals_set() => form.extend(["[=", &value, "]"]),
        Some(value) => form.extend([" ", &value]),
        None => {}
    }
    form
}

fn help(argument: &clap::Arg) -> String {
    let mut help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let possible = argument.get_possible_values();
    let words: Vec<_> = possible.iter().map(clap::builder::PossibleValue::get_name).collect();
    if !words.is_empty() && argument.get_action().takes_values() && words != ["true", "false"] {
        help.extend([" (", &words.join(", "), ")"]);
    }
    help
}

const DESCRIPTION: [&str; 7] = [
    "Makes the table of IPVS in the running kernel what files of YAML or JSON say: virtual services, each with the \
     destinations that connections to it are spread over. It reads the table, works out the smallest change in an order \
     in which connections always find a server, and makes it; what fails is taken back. Without anything to change it \
     changes nothing.",
    "Options that are not those of a command may stand before it or behind it. Data goes to standard output, words to \
     standard error.",
    "A service is written tcp://192.0.2.10:80, udp://[2001:db8::1]:53, fwmark:7, or for IPv6 fwmark6:7; what ipvsadm \
     prints and takes is understood, too. With -f, commands that take a service take the name that it has in the file.",
    "Reading the table takes the privilege CAP_NET_ADMIN, as changing it does. validate, schema, completions and man \
     take neither privilege nor IPVS.",
    "Input that says nothing of services does not empty a table: apply refuses it unless --allow-empty is given. The \
     empty model written out, {} or services: [], deletes everything.",
    "watch takes a file when it has stood still for two looks, half a second apart, and was read to its end between them. \
     What cannot be used, because it was emptied or cut off, has vanished, is not a regular file, says nothing of services \
     or is wrong, is reported once, and the table is kept as the files were before.",
    "SIGINT, SIGTERM and SIGHUP end apply between two changes, and what was done is taken back; a second one ends it at \
     once. During a drain they end the wait. For watch, SIGHUP means to read files and parameters again.",
];

const ENVIRONMENT: [(&str, &str); 8] = [
    ("IPVSCTL_LOG_VERBOSE", "true is -v."),
    ("IPVSCTL_PARAMS_HOST_NETWORK", "true is --params-network."),
    ("IPVSCTL_PARAMS_HOST_ENV", "true is --params-env."),
    ("IPVSCTL_PARAMS_FILE", "Files of parameters, with commas, unless there is a --params-file."),
    ("IPVSCTL_PARAMS_URLS", "URLs of parameters, with commas, unless there is a --params-url."),
    ("SKIP_IPVSKERNELREQ", "true goes on when modprobe fails."),
    ("NO_COLOR", "Anything at all is --color never, unless --color says otherwise."),
    ("HTTPS_PROXY, HTTP_PROXY, NO_PROXY", "Proxies on the way to parameters."),
];

const FILES: [(&str, &str); 4] = [
    ("/etc/ipvsctl.yaml", "Read when there is no -f."),
    ("/etc/ipvsctl.d/", "Read instead when that is missing: *.yaml, *.yml and *.json, by name."),
    ("/run/ipvsctl-*.lock", "Held while the table of a network namespace is changed."),
    (
        "/run/ipvsctl-*.limits",
        "What --no-refusals has to set back, until it has. After a run that was killed, the next command that changes \
         something does.",
    ),
];

const EXAMPLES: [(&str, &[&str]); 5] = [
    (
        "Write down what is there, and look at what a change of it would do:",
        &["ipvsctl get > table.yaml", "ipvsctl plan -f table.yaml"],
    ),
    (
        "Apply just what was looked at, and give connections a minute before a server goes:",
        &["ipvsctl plan -f table.yaml --drain=60s --out plan.json", "ipvsctl apply plan.json"],
    ),
    (
        "Take a server out for maintenance and back in:",
        &[
            "ipvsctl drain -s tcp://192.0.2.10:80 -d 10.0.0.2:8080",
            "ipvsctl set weight 100 -s tcp://192.0.2.10:80 -d 10.0.0.2:8080 -t 30",
        ],
    ),
    ("Keep the table of a container as a directory says:", &["ipvsctl watch -f /etc/ipvsctl.d --netns blue"]),
    ("Ask in a script whether the table is as it should be:", &["ipvsctl plan -q --exit-code > /dev/null || echo no"]),
];

#[cfg(test)]
mod tests;
