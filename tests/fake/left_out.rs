//! The tests that the kernel in memory cannot run, named each time.

use std::io::Write;

use ipvs_rs::testing::Release;

/// Modules of `tests/vm`, the releases in memory that they are left out of, and why.
const LEFT_OUT: [(&str, &[Release], &str); 18] = [
    ("alone", &Release::ALL, "modules that the machine loads and unloads"),
    ("availability", &Release::ALL, "what the machine says when a module cannot be loaded"),
    (
        "churn",
        &Release::ALL,
        "lists that are disturbed on a second processor; what is made of such lists is tried elsewhere",
    ),
    ("desired", &Release::ALL, "plans on the real kernel; they are tried in memory elsewhere, step by step"),
    ("differential", &Release::ALL, "the comparison of the real kernel with the one in memory"),
    ("drain", &Release::ALL, "lists that the real kernel leaves servers out of, and connections of real clients"),
    ("facts", &Release::ALL, "odd tables of the real kernel; tests/desired has the same ones in memory"),
    ("forwarding", &Release::ALL, "schedulers that choose, packets that are lost, connections that end by themselves"),
    ("golden", &Release::ALL, "recordings of the real kernel; they are compared with the one in memory elsewhere"),
    ("ipvsadm", &Release::ALL, "a program that opens a socket of its own"),
    (
        "killed",
        &Release::ALL,
        "processes that are killed while they write; what a write that fails leaves is tried elsewhere",
    ),
    ("lifetime", &Release::ALL, "descriptors, threads and memory, which the machine counts"),
    ("netns", &Release::ALL, "names, files and processes of network namespaces"),
    ("privilege", &Release::ALL, "users, capabilities and user namespaces; what they are refused is tried here too"),
    ("procfs", &Release::ALL, "files under /proc"),
    ("soak", &Release::ALL, "a receive buffer that overflows by itself; a kernel that misbehaves has its own soak"),
    ("steady", &Release::ALL, "packets of a client that never pauses"),
    ("syscalls", &Release::ALL, "system calls, traced"),
];

#[test]
fn every_module_that_is_left_out_is_in_the_table() {
    for (module, releases, why) in LEFT_OUT {
        let releases: Vec<String> = releases.iter().map(Release::to_string).collect();
        // In one piece, and past the runner, which would keep it to itself.
        let note = format!("note: in memory, as {}, is left out: {module}: {why}\n", releases.join(", "));
        let _ = std::io::stderr().write_all(note.as_bytes());
    }
    // Behind what they are made with stand the modules that have tests, apart from the suite.
    let (_, tests) = include_str!("../vm/main.rs").split_once("mod world;").unwrap();
    let modules = tests.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'));
    assert_eq!(modules.collect::<Vec<_>>(), LEFT_OUT.map(|(module, ..)| module));
}
