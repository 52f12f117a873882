use clap::Parser;
use ipvs_rs::testing::FakeKernel;

use super::*;
use crate::console::Console;
use crate::tests::session;

#[derive(Parser)]
struct Words {
    #[command(flatten)]
    get: Get,
}

const RULES: &str = "-A -t 192.0.2.80:80 -s rr\n\
                     -a -t 192.0.2.80:80 -r 198.51.100.12:80 -g -w 0\n\
                     -a -t 192.0.2.80:80 -r 198.51.100.11:8080 -m -w 5 -x 20 -y 10\n\
                     -A -u 192.0.2.53:53 -s wlc -o\n\
                     -A -f 7 -6 -s sh -b sh-port -p 300\n";

fn kernel(rules: &str) -> FakeKernel {
    let kernel = FakeKernel::new();
    let handle = kernel.handle().unwrap();
    for line in rules.lines() {
        use ipvs_rs::model::notation::Rule;
        match line.parse().unwrap() {
            Rule::Service(service) => handle.new_service(&service).unwrap(),
            Rule::Destination { service, destination } => handle.new_destination(&service, &destination).unwrap(),
            other => panic!("{other:?}"),
        }
    }
    kernel
}

fn printed(kernel: &FakeKernel, words: &[&str], service: Option<&str>) -> Result<String, Failure> {
    let get_words = Words::try_parse_from([&["get"], words].concat()).unwrap().get;
    let mut console = Console::memory(0);
    let service = service.map(|service| service.parse().unwrap());
    get(&mut session(kernel, &mut console), &get_words, service.as_ref())?;
    Ok(console.taken().0)
}

#[test]
fn empty_table_is_an_empty_mapping() {
    assert_eq!(printed(&FakeKernel::new(), &[], None).as_deref(), Ok("{}\n"));
    assert_eq!(printed(&FakeKernel::new(), &["-ojson"], None).as_deref(), Ok("{}\n"));
    assert_eq!(printed(&FakeKernel::new(), &["-o", "ipvsadm"], None).as_deref(), Ok(""));
}

#[test]
fn table_is_printed_with_the_keys_of_a_file() {
    let text = printed(&kernel(RULES), &[], None).unwrap();
    assert_eq!(
        text,
        "services:\n\
         - address: tcp://192.0.2.80:80\n\
        \x20 sched: rr\n\
        \x20 destinations:\n\
        \x20 - address: 198.51.100.11:8080\n\
        \x20   weight: 5\n\
        \x20   forward: nat\n\
        \x20   thresholds:\n\
        \x20     upper: 20\n\
        \x20     lower: 10\n\
        \x20 - address: 198.51.100.12:80\n\
        \x20   forward: direct\n\
         - address: udp://192.0.2.53:53\n\
        \x20 sched: wlc\n\
        \x20 one-packet: true\n\
         - address: fwmark:7\n\
        \x20 family: ipv6\n\
        \x20 sched: sh\n\
        \x20 sched-flags:\n\
        \x20 - port\n\
        \x20 persistence: 300\n"
    );
}

#[test]
fn rules_are_sorted_and_restore_everything() {
    let text = printed(&kernel(RULES), &["-o", "ipvsadm"], None).unwrap();
    assert_eq!(
        text.lines().collect::<Vec<_>>(),
        [
            "-A -t 192.0.2.80:80 -s rr",
            "-a -t 192.0.2.80:80 -r 198.51.100.11:8080 -m -w 5 -x 20 -y 10",
            "-a -t 192.0.2.80:80 -r 198.51.100.12:80 -g -w 0",
            "-A -u 192.0.2.53:53 -s wlc -o",
            "-A -f 7 -6 -s sh -p 300 -b sh-port",
        ]
    );
}

#[test]
fn table_has_a_row_for_everything() {
    let text = printed(&kernel(RULES), &["-o", "table"], None).unwrap();
    assert_eq!(
        text,
        "SERVICE               SCHED   WEIGHT  ACTIVE  INACTIVE  SETTINGS\n\
         tcp://192.0.2.80:80   rr\n\
        \x20 198.51.100.11:8080  nat          5       0         0  upper 20, lower 10\n\
        \x20 198.51.100.12:80    direct       0       0         0\n\
         udp://192.0.2.53:53   wlc                               one-packet\n\
         fwmark6:7             sh                                flags sh-port, persistent 300s\n"
    );
}

#[test]
fn one_service_is_all_that_is_printed() {
    let text = printed(&kernel(RULES), &[], Some("udp://192.0.2.53:53")).unwrap();
    assert_eq!(text, "services:\n- address: udp://192.0.2.53:53\n  sched: wlc\n  one-packet: true\n");
    let failure = printed(&kernel(RULES), &[], Some("udp://192.0.2.54:53")).unwrap_err();
    assert_eq!(failure.exit, Exit::Query);
    assert!(failure.message.contains("udp://192.0.2.54:53 not found"), "{}", failure.message);
}
