//! A kernel that has no IPVS. Run by itself, in a machine that lacks it.

use std::process::Command;

use crate::world::{ProgramOutput, ours, said};

fn run(words: &[&str], variables: &[(&str, &str)]) -> ProgramOutput {
    let mut command = Command::new(ours());
    command.args(words).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").envs(variables.iter().copied());
    said(command, "{}")
}

const TABLE: [&[&str]; 7] = [
    &["get"],
    &["conns"],
    &["apply", "-f", "-"],
    &["changeset", "-f", "-"],
    &["stats"],
    &["zero"],
    &["set", "weight", "1", "-s", "fwmark:1", "-d", "10.0.0.2"],
];

#[test]
#[ignore = "needs root, our program and no ip_vs: cargo xtask test --only without"]
fn module_that_cannot_be_loaded_is_reported() {
    for words in TABLE {
        let said = run(words, &[]);
        assert_eq!((said.status, &*said.stdout), (1, ""), "{words:?}: {}", said.stderr);
        assert!(said.stderr.starts_with("Running modprobe ip_vs failed with message: `"), "{}", said.stderr);
    }
}

#[test]
#[ignore = "needs root, our program and no ip_vs: cargo xtask test --only without"]
fn without_modprobe_ipvs_is_not_available() {
    for words in TABLE {
        for (options, variables) in [(&["--no-modprobe"][..], &[][..]), (&[], &[("SKIP_IPVSKERNELREQ", "1")])] {
            let said = run(&[options, words].concat(), variables);
            assert_eq!((said.status, &*said.stdout), (20, ""), "{words:?}: {}", said.stderr);
            let first = "Unable to get current ipvs config: Unable to create IPVS handle. Is the kernel module installed \
                         and active?\n";
            assert!(said.stderr.starts_with(first), "{}", said.stderr);
            assert!(said.stderr.contains("modprobe ip_vs"), "what to do: {}", said.stderr);
        }
    }
}

#[test]
#[ignore = "needs root, our program and no ip_vs: cargo xtask test --only without"]
fn without_ipvs_files_can_be_checked_all_the_same() {
    assert_eq!(run(&["validate", "-f", "-"], &[]).stdout, "Configuration valid.\n");
    for (words, inside) in [
        (&["--help"][..], "Usage: ipvsctl"),
        (&["schema"], "$defs"),
        (&["completions", "bash"], "_ipvsctl"),
        (&["man"], ".SH \"EXIT STATUS\""),
    ] {
        let said = run(words, &[]);
        assert_eq!((said.status, &*said.stderr), (0, ""), "{words:?}");
        assert!(said.stdout.contains(inside), "{words:?}");
    }
}
