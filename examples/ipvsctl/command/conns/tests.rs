use ipvs_rs::procfs::Connections;

use super::*;
use crate::args::Globals;

const FILE: &str = "\
Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData
TCP 0A020002 A028 C000020A 0050 0A010003 1F90 ESTABLISHED     895
TCP 0A020003 A028 C000020A 01BB 0A010003 01BB TIME_WAIT        61
UDP 0A020004 A028 C000020A 0050 0A010004 1F90 UDP             299
IP  0A020005 0000 00000007 0000 0A010003 0000 NONE            100
IP  2001:0db8:0000:0000:0000:0000:0000:0005 0000 0000:0007:0000:0000:0000:0000:0000:0000 0000 2001:0db8:0000:0000:0000:0000:0000:0003 0000 NONE 100
IP_50 0A020006 0000 C000020A 0000 0A010003 0000 NONE            100
";

fn printed(output: Format, service: Option<&str>, destination: Option<&str>) -> String {
    let filter = ConnectionFilter {
        service: service.map(|service| service.parse().unwrap()),
        destination: destination.map(|destination| destination.parse().unwrap()),
    };
    let mut console = Console::memory_of(&Globals::default());
    show(Connections::from_reader(FILE.as_bytes()), &mut console, filter, output).unwrap();
    let (stdout, stderr) = console.taken();
    assert_eq!(stderr, "");
    stdout
}

#[test]
fn rows_that_cannot_be_read_are_a_failure_behind_the_others() {
    let rows = FILE.replace('\n', "\nrubbish\n");
    for (table, told) in [(rows.as_str(), 6), (&*FILE.replacen("C000020A", "C000", 1), 1), ("rubbish\n", 1)] {
        for output in [Format::Table, Format::Json] {
            let mut console = Console::memory_of(&Globals::default());
            let all = ConnectionFilter { service: None, destination: None };
            let failure = show(Connections::from_reader(table.as_bytes()), &mut console, all, output).unwrap_err();
            let found = Connections::from_reader(table.as_bytes()).flatten().count();
            let (stdout, _) = console.taken();
            match output {
                Format::Json => {
                    let document: Value = serde_json::from_str(&stdout).unwrap();
                    assert_eq!(document["connections"].as_array().unwrap().len(), found);
                }
                _ => assert_eq!(stdout.lines().count(), found + 1),
            }
            let reasons: Vec<_> = failure.message.lines().skip(1).collect();
            assert_eq!((failure.exit, reasons.len()), (Exit::Query, told), "{}", failure.message);
            assert!(reasons[0].starts_with("Reason: get connections: ip_vs_conn: line "), "{}", failure.message);
        }
    }
}

#[test]
fn connections_are_in_columns() {
    assert_eq!(
        printed(Format::Table, None, None),
        "PROTOCOL  CLIENT           SERVICE         DESTINATION      STATE        EXPIRES\n\
         TCP       10.2.0.2:41000   192.0.2.10:80   10.1.0.3:8080    ESTABLISHED    14:55\n\
         TCP       10.2.0.3:41000   192.0.2.10:443  10.1.0.3:443     TIME_WAIT       1:01\n\
         UDP       10.2.0.4:41000   192.0.2.10:80   10.1.0.4:8080    UDP             4:59\n\
         IP        10.2.0.5:0       fwmark:7        10.1.0.3:0       NONE            1:40\n\
         IP        [2001:db8::5]:0  fwmark6:7       [2001:db8::3]:0  NONE            1:40\n\
         IP_50     10.2.0.6:0       192.0.2.10:0    10.1.0.3:0       NONE            1:40\n"
    );
}

#[test]
fn connections_of_a_service_or_destination() {
    let clients = |service, destination| {
        let text = printed(Format::Json, service, destination);
        let document: Value = serde_json::from_str(&text).unwrap();
        let records = document["connections"].as_array().unwrap().iter();
        records.map(|record| record["client"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(clients(Some("tcp://192.0.2.10:80"), None), ["10.2.0.2:41000"]);
    assert_eq!(clients(Some("tcp://192.0.2.10"), None), ["10.2.0.2:41000", "10.2.0.3:41000"], "every port");
    assert_eq!(clients(Some("fwmark:7"), None), ["10.2.0.5:0"]);
    assert_eq!(clients(Some("fwmark6:7"), None), ["[2001:db8::5]:0"]);
    assert_eq!(clients(Some("esp://192.0.2.10"), None), ["10.2.0.6:0"]);
    assert_eq!(clients(Some("tcp://192.0.2.10"), Some("10.1.0.3:443")), ["10.2.0.3:41000"]);
    assert_eq!(clients(Some("udp://192.0.2.99:80"), None), [""; 0]);
}
