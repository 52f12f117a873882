//! Lines in which our program once differed, found by random ones.

use crate::listings::programs;
use crate::namespaces::{Namespace, alone};

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsadm"]
fn lines_that_once_differed_no_longer_do() {
    let table: &[(&[&str], &str)] = &[
        // A restore inside of a restore is refused, but only when nothing else is wrong with the line.
        (&["-R"], "-R -Q\n-L -n\n"),
        (&["-R"], "-R foo\n"),
        (&["-R"], "-R -n\n"),
        (&["-R"], "-R\n"),
        // In the file of hosts this name has only an IPv6 address, which the C library takes for 127.0.0.1.
        (&["-A", "-t", "ip6-localhost:80"], ""),
        (&["-a", "-f", "7", "-6", "-r", "ip6-localhost:80"], ""),
        // The three words have to be there before any of them is looked at.
        (&["--set", "1", "1.5"], ""),
        (&["--set", "1", "1.5", "2"], ""),
    ];
    alone(|| {
        let programs = programs();
        for (words, input) in table {
            let [expected, actual] =
                programs.each_ref().map(|program| program.ipvsadm(&Namespace::new(), words, input.as_bytes()));
            assert_eq!(expected.difference(&actual), None, "{words:?} {input:?}");
        }
    });
}
