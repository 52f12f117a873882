//! Tables that other programs made, by way of the program: what `get` prints changes nothing, saved plans are carried
//! out, and every name that is printed is taken.

use std::thread;
use std::time::Duration;

use ipvs_rs::transport::{KernelSocket, SocketOptions};
use serde_json::Value;

use self::table::{Request, Wire, add_interface, known, random, together};
use crate::world::{World, scene};

#[allow(dead_code, reason = "no target uses all of it")]
#[path = "../facts/mod.rs"]
mod table;

/// Does something with all known oddities and some random tables, each table in a world of its own.
fn for_tables(body: impl Fn(&World) + Sync) {
    let daemons = known().into_iter().filter(|(name, _)| name.contains("daemons")).map(|(_, requests)| requests);
    let some = (0..3).map(|seed| random(&mut fastrand::Rng::with_seed(seed)));
    let tables: Vec<Vec<Request>> = [together()].into_iter().chain(daemons).chain(some).collect();
    for requests in tables {
        scene(|world| {
            world.network.run(|| {
                add_interface();
                let mut wire = Wire::over(KernelSocket::open(SocketOptions::default()).unwrap());
                for request in &requests {
                    let _ = wire.ask(request);
                }
            });
            body(world);
        });
    }
}

/// The table in words that leave nothing out.
fn rules(world: &World) -> String {
    world.ok(&["get", "-o", "ipvsadm"])
}

fn document(world: &World, words: &[&str]) -> Value {
    serde_json::from_str(&world.ok_but_warned(&[words, &["-o", "json"]].concat())).unwrap()
}

/// The number of daemons.
fn daemons(world: &World) -> usize {
    document(world, &["get", "--all"])["sync"].as_array().map_or(0, Vec::len)
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn output_of_get_changes_nothing() {
    for_tables(|world| {
        let now = || (rules(world), document(world, &["get", "--all"]));
        let before = now();
        for options in [&[][..], &["--all"], &["--all", "-ojson"], &["--factor-defaults"]] {
            let text = world.ok(&[&["get"], options].concat());
            let said = world.run(&["plan", "-f", "-", "--exit-code"], &text, &[]);
            let nothing = "No changes: the table is as it should be.";
            assert_eq!((said.stdout.trim_end(), said.status), (nothing, 0), "{}\n{text}", said.stderr);
            let said = world.run(&["apply", "-f", "-", "--allowed-actions=as"], &text, &[]);
            assert_eq!((&*said.stdout, said.status), ("Applied configuration from -\n", 0), "{}\n{text}", said.stderr);
            assert_eq!(now(), before, "{text}");
        }
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn saved_plan_that_deletes_everything_is_carried_out() {
    for_tables(|world| {
        // A daemon that is stopped before it has run leaves the command without an answer.
        thread::sleep(Duration::from_secs(if daemons(world) == 0 { 0 } else { 2 }));
        world.write("empty.yaml", "version: 2\nservices: []\nsync: []\n");
        world.ok_but_warned(&["plan", "-f", "empty.yaml", "--out", "plan.json"]);
        assert_eq!(world.ok_but_warned(&["apply", "plan.json"]), "Applied configuration from plan.json\n");
        assert_eq!((rules(world), daemons(world)), (String::new(), 0));
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn every_printed_name_is_taken() {
    for_tables(|world| {
        let counted = document(world, &["stats"]);
        for service in counted["services"].as_array().into_iter().flatten() {
            let name = service["address"].as_str().unwrap();
            let of = |words: &[&str]| world.ok_but_warned(&[words, &["-s", name]].concat());
            assert_eq!(of(&["get"]).matches("sched: ").count(), 1, "{name}");
            assert_eq!(document(world, &["stats", "-s", name])["services"][0]["address"], name);
            of(&["zero"]);
            of(&["conns"]);
            of(&["set", "sched", "lc"]);
            assert!(of(&["get"]).contains("sched: lc\n"), "{name}");
            let servers: Vec<&str> =
                service["destinations"].as_array().unwrap().iter().map(|it| it["address"].as_str().unwrap()).collect();
            for (words, weight) in
                [(&["set", "weight", "3"][..], Some(3)), (&["drain"], Some(0)), (&["drain", "--delete"], None)]
            {
                for server in &servers {
                    of(&[words, &["-d", server]].concat());
                }
                let table = document(world, &["get", "-s", name]);
                let left = table["services"][0]["destinations"].as_array().cloned().unwrap_or_default();
                for server in &servers {
                    let found = left.iter().find(|it| it["address"] == *server);
                    let found = found.map(|it| it["weight"].as_u64().unwrap_or(0));
                    assert_eq!(found, weight, "{words:?} {name} {server}");
                }
            }
        }
    });
}
