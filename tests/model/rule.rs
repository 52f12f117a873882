//! Rule lines: what prints, what is read, what is refused.

use ipvs_rs::model::notation::Rule;
use ipvs_rs::model::{AddressFamily, Granularity, Persistence, SchedulerFlags, TableService, Thresholds, Weight};
use ipvs_rs::{Destination, DestinationEntry, ForwardMethod, Scheduler, Service, ServiceEntry, ServiceId, Table};

#[test]
fn lines_that_ipvsadm_prints_read_back_to_the_byte() {
    let lines = [
        "-A -t 10.0.0.1:80 -s wlc",
        "-A -u 10.0.0.1:53 -s wlc -o",
        "-A -u 10.0.0.2:53 -s wlc -p 20 -o",
        "-A -u 10.0.0.2:5060 -s wlc --pe sip",
        "-A -u 10.0.0.1:5060 -s wlc -p 60 --pe sip",
        "-A --sctp-service 10.0.0.1:80 -s rr",
        "-A -t [2001:db8::1]:80 -s wlc",
        "-A -t 10.0.0.1:80 -s wlc -p 360 -M 0.0.0.24",
        "-A -t 10.0.0.4:80 -s wlc -p 300 -M 0.0.0.0",
        "-A -t 10.0.0.1:80 -s sh -b sh-fallback,sh-port",
        "-A -t 10.0.0.1:80 -s sh -p 50 -M 255.255.255.0 -b sh-port",
        "-A -t 10.0.0.1:80 -s mh -b mh-port",
        "-A -t 10.0.0.1:80 -s rr -b flag-1,flag-3",
        "-A -t 10.0.0.1:80 -s hrw",
        "-A -f 1 -s rr",
        "-A -f 1 -6 -s rr -p 300 -M 64",
        "-A -f 7 -s wlc -p 360 --pe sip",
        "-a -t 10.0.0.1:80 -r 10.0.0.2:8080 -m -w 1",
        "-a -t 10.0.0.1:80 -r 10.0.0.5:80 -g -w 0",
        "-a -f 1 -6 -r [2001:db8::2]:80 -m -w 1",
        "-a -t [2001:db8::1]:80 -r 10.0.0.2:80 -i -w 2 --tun-type ipip",
        "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum",
        "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum",
        "-a -t 10.0.0.1:80 -r 10.0.0.5:80 -i -w 1 --tun-type gue --tun-port 65535 --tun-remcsum",
        "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -i -w 1 --tun-type gre --tun-nocsum",
        "-a -t 10.0.0.1:80 -r 10.0.0.3:80 -i -w 2147483647 --tun-type gre --tun-csum",
    ];
    for line in lines {
        let rule = read(line);
        assert_eq!(rule.to_string(), line);
        match rule {
            Rule::Service(service) => assert_eq!(service.rule().to_string(), line),
            Rule::Destination { service, destination } => assert_eq!(destination.rule(&service).to_string(), line),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn lines_beyond_ipvsadm_read_back_in_full() {
    // The line that is written, and the line that ipvsadm saves.
    let table = [
        ("-A -f 4294967295 -6 -s rr", "-A -f -1 -6 -s rr"),
        ("-A -f 2147483648 -s rr", "-A -f -2147483648 -s rr"),
        ("-A --esp-service 10.0.0.1:0 -s rr", "-A --xxx-service 10.0.0.1:0 -s rr"),
        ("-A --ip_47-service 10.0.0.1:0 -s rr", "-A --xxx-service 10.0.0.1:0 -s rr"),
        ("-A -t 10.0.0.1:80 -s sh -b flag-3", "-A -t 10.0.0.1:80 -s sh -b "),
        ("-A -t 10.0.0.1:80 -s mh -b mh-port,flag-3", "-A -t 10.0.0.1:80 -s mh -b mh-port"),
        ("-A -t 10.0.0.1:80 -s rr -M 255.0.0.0 --pe sip", "-A -t 10.0.0.1:80 -s rr --pe sip"),
        ("-A -t 10.0.0.1:80 -s rr -p 0", "-A -t 10.0.0.1:80 -s rr -p 0"),
        ("-A -t 10.0.0.1:80 -s rr -p 17179869 -M 0.0.0.24", "-A -t 10.0.0.1:80 -s rr -p 17179869 -M 0.0.0.24"),
        ("-A -t [::ffff:10.0.0.1]:80 -s rr", "-A -t [::ffff:10.0.0.1]:80 -s rr"),
        (
            "-a -t 10.0.0.1:80 -r [::ffff:10.0.0.2]:80 -i -w 1 -x 4294967295 -y 2147483648 --tun-type ipip",
            "-a -t 10.0.0.1:80 -r [::ffff:10.0.0.2]:80 -i -w 1 --tun-type ipip",
        ),
        ("-a -t 10.0.0.1:80 -r 10.0.0.2:80 -m -w 1 -x 10 -y 5", "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -m -w 1"),
        ("-a -t 10.0.0.1:80 -r 10.0.0.2:80 --forward Local -w 1", "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -g -w 1"),
        ("-a -t 10.0.0.1:80 -r 10.0.0.2:80 --forward Bypass -w 1", "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -g -w 1"),
        ("-a -t 10.0.0.1:80 -r 10.0.0.2:80 --forward Unknown-6 -w 1", "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -g -w 1"),
        (
            "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -i -w 1 --tun-type gue --tun-port 9 --tun-csum --tun-remcsum --tun-flags 0x8",
            "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -i -w 1 --tun-type gue --tun-port 9 --tun-csum",
        ),
        (
            "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -i -w 1 --tun-type ipip --tun-port 9 --tun-csum",
            "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -i -w 1 --tun-type ipip",
        ),
        ("-a -t 10.0.0.1:80 -r 10.0.0.2:80 -i -w 1 --tun-type tunnel-9", "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -i -w 1"),
    ];
    for (full, ipvsadm) in table {
        let rule = read(full);
        assert_eq!(rule.to_string(), full);
        let line = match rule {
            Rule::Service(service) => service.rule().to_string(),
            Rule::Destination { service, destination } => destination.rule(&service).to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(line, ipvsadm);
    }
}

#[test]
fn lines_read_with_long_names_in_any_order() {
    let table = [
        ("ipvsadm -A -t 10.0.0.1:80 -s rr", "-A -t 10.0.0.1:80 -s rr"),
        ("  -A\t-t 10.0.0.1:80   -s rr \r", "-A -t 10.0.0.1:80 -s rr"),
        ("--add-service --scheduler=rr --tcp-service=10.0.0.1:80", "-A -t 10.0.0.1:80 -s rr"),
        ("-A -s RR -t 10.0.0.1", "-A -t 10.0.0.1:0 -s rr"),
        ("-A -t 10.0.0.1:80", "-A -t 10.0.0.1:80 -s wlc"),
        ("-A -t 10.0.0.1:80 -p", "-A -t 10.0.0.1:80 -s wlc -p 360"),
        ("-A -p -t 10.0.0.1:80", "-A -t 10.0.0.1:80 -s wlc -p 360"),
        ("-A -t 10.0.0.1:80 --persistent=20 --netmask=255.255.0.0", "-A -t 10.0.0.1:80 -s wlc -p 20 -M 255.255.0.0"),
        ("-A -M 64 -p 20 -t [2001:db8::1]:80", "-A -t [2001:db8::1]:80 -s wlc -p 20 -M 64"),
        ("-A --ops --pe=sip -p 9 --udp-service 10.0.0.1:5060", "-A -u 10.0.0.1:5060 -s wlc -p 9 --pe sip -o"),
        ("-A -6 -f 1", "-A -f 1 -6 -s wlc"),
        ("-A --ipv6 --fwmark-service 1", "-A -f 1 -6 -s wlc"),
        ("-A --sched-flags mh-port -s mh -t 10.0.0.1:80", "-A -t 10.0.0.1:80 -s mh -b mh-port"),
        ("-A -t 10.0.0.1:80 -b ,", "-A -t 10.0.0.1:80 -s wlc"),
        ("-a -t 10.0.0.1:80 -r 10.0.0.2", "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -g -w 1"),
        ("-a -r 10.0.0.2 -t 10.0.0.1:80", "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -g -w 1"),
        ("-a -t 10.0.0.1:80 -r 10.0.0.2:0", "-a -t 10.0.0.1:80 -r 10.0.0.2:0 -g -w 1"),
        ("-a -t 10.0.0.1:80 -r 10.0.0.2:81 -g", "-a -t 10.0.0.1:80 -r 10.0.0.2:81 -g -w 1"),
        ("-a -f 7 -r 10.0.0.2", "-a -f 7 -r 10.0.0.2:0 -g -w 1"),
        (
            "--add-server --tcp-service 10.0.0.1:80 --real-server 10.0.0.2:80 --masquerading --weight 5 --u-threshold 9 --l-threshold 3",
            "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -m -w 5 -x 9 -y 3",
        ),
        ("-a -y 3 -x 9 -t 10.0.0.1:80 -r 10.0.0.2 -g", "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -g -w 1 -x 9 -y 3"),
        ("-a -t 10.0.0.1:80 -r 10.0.0.2 --forward nat", "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -m -w 1"),
        ("-a -t 10.0.0.1:80 -r 10.0.0.2 --gatewaying", "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -g -w 1"),
        ("-a -t 10.0.0.1:80 -r 10.0.0.2 --ipip", "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -i -w 1 --tun-type ipip"),
        (
            "-a --tun-port=6080 --tun-type=gue -i -t 10.0.0.1:80 -r 10.0.0.2",
            "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum",
        ),
    ];
    for (line, full) in table {
        assert_eq!(read(line).to_string(), full, "{line:?}");
    }
}

#[test]
fn invalid_rule_lines_are_refused_with_their_token() {
    let commands = "-A for a service or -a for a destination";
    let service = "-t, -u, --sctp-service, -f, -6, -s, -p, -M, --pe, -o or -b";
    let destination = "-t, -u, --sctp-service, -f, -6, -r, -m, -i, -g, -w, -x, -y or --tun-…";
    let once = "each option once";
    let address = "an address such as 192.0.2.1:80 or [2001:db8::1]:80; names are not looked up";
    let table = [
        ("", "rule", "", commands),
        ("ipvsadm", "rule", "", commands),
        ("# a comment", "rule", "#", commands),
        ("-C", "rule", "-C", commands),
        ("-D -t 10.0.0.1:80", "rule", "-D", commands),
        ("-t 10.0.0.1:80 -A", "rule", "-t", commands),
        ("-At 10.0.0.1:80", "rule", "-At", commands),
        ("--add-service=x -t 10.0.0.1:80", "rule", "--add-service=x", commands),
        ("-A", "rule", "", "-t, -u or -f and a service"),
        ("-A -s rr", "rule", "", "-t, -u or -f and a service"),
        ("-A -6", "rule", "", "-t, -u or -f and a service"),
        ("-A -t", "rule", "", address),
        ("-A -t www.example.org:80", "service", "www.example.org", address),
        ("-A -t 10.0.0.1:80 -u 10.0.0.1:80", "rule", "-u", once),
        ("-A -f 1 -6 -6", "rule", "-6", once),
        ("-A -t 10.0.0.1:80 -6", "rule", "-6", "an address that says its family by itself"),
        ("-A -f 0", "service", "0", "1 to 4294967295"),
        ("-A -f -1", "service", "-1", "a firewall mark of 1 to 4294967295"),
        ("-A -f", "rule", "", "a firewall mark"),
        ("-A -t 10.0.0.1:80 -s", "rule", "", "the name of a scheduler"),
        (
            "-A -t 10.0.0.1:80 -s a-name-of-16-byt",
            "scheduler",
            "a-name-of-16-byt",
            "1 to 15 printable characters without blanks",
        ),
        ("-A -t 10.0.0.1:80 -s rr --scheduler rr", "rule", "--scheduler", once),
        ("-A -t 10.0.0.1:80 -p 4294967296", "persistence", "4294967296", "0 to 4294967295 seconds"),
        ("-A -t 10.0.0.1:80 -p x", "persistence", "x", "0 to 4294967295 seconds"),
        ("-A -t 10.0.0.1:80 -p -5", "rule", "-5", service),
        ("-A -t 10.0.0.1:80 -p 5 -M 24", "persistence granularity", "24", "a mask such as 255.255.255.0"),
        ("-A -t [2001:db8::1]:80 -p 5 -M 255.0.0.0", "IPv6 prefix length", "255.0.0.0", "1 to 128"),
        ("-A -f 1 -6 -p 5 -M 129", "IPv6 prefix length", "129", "1 to 128"),
        ("-A -t 10.0.0.1:80 -b sh-port", "scheduler flags", "sh-port", "flag-1, flag-2 or flag-3"),
        ("-A -t 10.0.0.1:80 -s sh -b ", "rule", "", "a list of scheduler flags"),
        ("-A -t 10.0.0.1:80 --ops=1", "rule", "1", "no value for --ops"),
        ("-A -t 10.0.0.1:80 -r 10.0.0.2", "rule", "-r", service),
        ("-A -t 10.0.0.1:80 --weight=5", "rule", "--weight", service),
        ("-A -t 10.0.0.1:80 rr", "rule", "rr", service),
        ("-A -t 10.0.0.1:80 #", "rule", "#", service),
        ("-A --xxx-service 10.0.0.1:80", "rule", "--xxx-service", service),
        ("-a -t 10.0.0.1:80", "rule", "", "-r and the address of a server"),
        ("-a -r 10.0.0.2:80", "rule", "", "-t, -u or -f and a service"),
        ("-a -t 10.0.0.1:80 -r server:80", "destination", "server", address),
        ("-a -t 10.0.0.1:80 -r 10.0.0.2 -m -g", "rule", "-g", once),
        ("-a -t 10.0.0.1:80 -r 10.0.0.2 --ipip=1", "rule", "1", "no value for --ipip"),
        ("-a -t 10.0.0.1:80 -r 10.0.0.2 --forward x", "forwarding method", "x", "Masq, Tunnel, Route, Local or Bypass"),
        ("-a -t 10.0.0.1:80 -r 10.0.0.2 -s rr", "rule", "-s", destination),
        ("-a -t 10.0.0.1:80 -r 10.0.0.2 -w", "rule", "", "a weight"),
        ("-a -t 10.0.0.1:80 -r 10.0.0.2 -w -1", "weight", "-1", "0 to 2147483647"),
        ("-a -t 10.0.0.1:80 -r 10.0.0.2 -x 4294967296", "thresholds", "4294967296", "0 to 4294967295 connections"),
        ("-a -t 10.0.0.1:80 -r 10.0.0.2 -y 1", "thresholds", "1", "0 to the upper threshold"),
        ("-a -t 10.0.0.1:80 -r 10.0.0.2 -m --tun-csum", "rule", "--tun-csum", "-i with options of a tunnel"),
        ("-a -t 10.0.0.1:80 -r 10.0.0.2 --tun-type ipip", "rule", "--tun-type", "-i with options of a tunnel"),
        ("-a -t 10.0.0.1:80 -r 10.0.0.2 -i --tun-type gue", "tunnel", "", "--tun-port and a port"),
        ("-a -t 10.0.0.1:80 -r 10.0.0.2 -i --tun-type gue --tun-port 0", "tunnel", "0", "a port of 1 to 65535"),
        (
            "-a -t 10.0.0.1:80 -r 10.0.0.2 -i --tun-type foo",
            "tunnel kind",
            "foo",
            "ipip, gue, gre, or tunnel- and a number",
        ),
        ("-a -t 10.0.0.1:80 -r 10.0.0.2 -i --tun-info", "rule", "--tun-info", destination),
        ("-a -t 10.0.0.1:80 -r 10.0.0.2 -i --tun-csum=1", "rule", "1", "no value for --tun-csum"),
    ];
    for (line, what, piece, expected) in table {
        let error = line.parse::<Rule>().expect_err(line);
        assert_eq!((error.what(), error.piece(), error.expected()), (what, piece, expected), "{line:?}");
    }
}

#[test]
fn rule_holds_what_the_line_says() {
    let Rule::Service(service) = read("-A -f 7 -6 -s mh -p 90 -M 64 --pe sip -o -b mh-port") else { panic!() };
    assert_eq!(service.id, ServiceId::fwmark(7, AddressFamily::Ipv6).unwrap());
    assert_eq!((service.scheduler, service.scheduler_flags), (Scheduler::Mh, SchedulerFlags::PORT));
    assert!(service.one_packet);
    let persistence = service.persistence.unwrap();
    assert_eq!((persistence.timeout_secs(), persistence.granularity.to_string().as_str()), (90, "64"));
    assert_eq!(persistence.engine.unwrap().name(), "sip");

    let Rule::Destination { service, destination } = read("-a -t 10.0.0.1:80 -r 10.0.0.2:8080 -m -w 3 -x 10 -y 5")
    else {
        panic!()
    };
    assert_eq!(service.to_string(), "TCP 10.0.0.1:80");
    assert_eq!(destination.id.to_string(), "10.0.0.2:8080");
    assert_eq!((destination.forward, destination.weight), (ForwardMethod::Masquerade, Weight::from(3)));
    assert_eq!(destination.thresholds, Thresholds::with_upper(10).unwrap().with_lower(5).unwrap());
}

#[test]
fn mask_without_persistence_is_kept_without_effect() {
    let Rule::Service(read) = read("-A -t 10.0.0.1:80 -s rr -M 255.255.0.0") else { panic!() };
    let mask = Granularity::Mask("255.255.0.0".parse().unwrap());
    let written =
        Service::new(read.id, Scheduler::Rr).dormant_persistence(Persistence::for_secs(0).unwrap().granularity(mask));
    assert_eq!((read.persistence, &read), (None, &written));
    let Ok(Rule::Service(full)) = "-A -t 10.0.0.1:80 -s rr -M 255.255.255.255".parse() else { panic!() };
    assert_eq!(full, Service::new(full.id, Scheduler::Rr));
}

#[test]
fn table_prints_each_service_before_its_destinations() {
    let service = |text: &str| Service::new(text.parse().unwrap(), Scheduler::Rr);
    let server = |text: &str| {
        let thresholds = Thresholds::with_upper(9).unwrap();
        DestinationEntry::new(Destination::new(text.parse().unwrap(), ForwardMethod::Masquerade).thresholds(thresholds))
    };
    let table = Table::new(vec![
        TableService::new(
            ServiceEntry::new(service("tcp://10.0.0.1:80")),
            vec![server("10.0.0.3:80"), server("10.0.0.2:80")],
        ),
        TableService::new(ServiceEntry::new(service("fwmark:1:ipv6")), vec![]),
    ]);
    assert_eq!(
        table.rules().to_string(),
        "-A -t 10.0.0.1:80 -s rr\n\
         -a -t 10.0.0.1:80 -r 10.0.0.3:80 -m -w 1\n\
         -a -t 10.0.0.1:80 -r 10.0.0.2:80 -m -w 1\n\
         -A -f 1 -6 -s rr\n"
    );
    assert!(table.full_rules().to_string().contains("-r 10.0.0.2:80 -m -w 1 -x 9\n"));
    assert_eq!(Table::default().rules().to_string(), "");

    let id: ServiceId = "tcp://10.0.0.1:80".parse().unwrap();
    assert_eq!((table.len(), table.is_empty(), table.destination_count()), (2, false, 2));
    let row = table.get(&id).unwrap();
    assert_eq!((row.id(), row.destinations.len()), (id, 2));
    assert!(row.get(&"10.0.0.2:80".parse().unwrap()).unwrap().is_idle());
    assert_eq!(row.get(&"10.0.0.9:80".parse().unwrap()), None);
    assert_eq!(table.get(&"udp://10.0.0.1:80".parse().unwrap()), None);
}

#[track_caller]
fn read(line: &str) -> Rule {
    line.parse().unwrap_or_else(|error| panic!("{line:?}: {error}"))
}
