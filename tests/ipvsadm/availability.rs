//! A kernel that has no IPVS. Run by itself, in a machine that lacks it.

use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::output::{self, Output};
use crate::root::Program;

#[test]
#[ignore = "needs root, both programs and no ip_vs: cargo xtask test --only without"]
fn without_ipvs_both_programs_say_so_whatever_they_are_asked() {
    for arguments in [&[][..], &["-h"], &["-v"], &["-Q"], &["-Ln"], &["-A", "-t", "10.0.0.1:80"], &["-R"]] {
        let [expected, actual] = [Program::Debians, Program::Ours].map(|program| run(program, arguments));
        assert_eq!(expected.difference(&actual), None, "{arguments:?}");
        let said = String::from_utf8(actual.stderr).unwrap();
        let end = "Can't initialize ipvs: Protocol not available\n\
                   Are you sure that IP Virtual Server is built in the kernel or as module?\n";
        assert!(said.ends_with(end), "{arguments:?}: {said}");
        assert_eq!((actual.stdout, actual.status), (vec![], 2), "{arguments:?}");
    }
}

#[test]
#[ignore = "needs root, both programs and no ip_vs: cargo xtask test --only without"]
fn without_ipvs_the_program_still_speaks_of_itself() {
    for (argument, inside) in [("--help-all", "--sctp-service"), ("--man", ".SH SYNOPSIS")] {
        let output = run(Program::Ours, &[argument]);
        assert_eq!((String::from_utf8(output.stderr).unwrap().as_str(), output.status), ("", 0));
        assert!(String::from_utf8(output.stdout).unwrap().contains(inside), "{argument}");
    }
}

fn run(program: Program, arguments: &[&str]) -> Output {
    let mut command = Command::new(program.path());
    command.arg0("ipvsadm").args(arguments);
    output::run(command, b"")
}
