//! The laws of every table that some program can make: names are read as they are printed, a file of the table
//! changes nothing, and saved plans lead to any other state.
//!
//! `IPVS_RS_FACTS` says how many random tables, `IPVS_RS_SEED` which ones. The kernel in memory is held to the same.

use fastrand::Rng;
use ipvs_rs::Handle;
use ipvs_rs::desired::DesiredState;
use ipvs_rs::transport::{KernelSocket, SocketOptions};

use self::table::{Case, Request, Wire, add_interface, known, random, tasteful};
use crate::desired::universe::{self, Dice};
use crate::kernel;
use crate::namespaces::{Namespace, fresh, ip};

#[allow(dead_code, reason = "no target uses all of it")]
#[path = "../facts/mod.rs"]
mod table;

/// Does something with a table in a namespace of its own, with the interfaces that daemons and odd addresses need.
fn on(requests: Vec<Request>, other: DesiredState, body: impl Fn(&mut Case) + Sync) {
    Namespace::new().run(|| {
        ip(&format!("link add {} up type dummy", universe::INTERFACE));
        ip(&format!("address add 10.8.8.8/24 dev {}", universe::INTERFACE));
        add_interface();
        let wire = Wire::over(KernelSocket::open(SocketOptions::default()).unwrap());
        body(&mut Case { wire, handle: Handle::new().unwrap(), requests, other });
    });
}

fn for_known(body: impl Fn(&mut Case) + Sync) {
    fresh(|| {
        for (name, requests) in known() {
            println!("{name}");
            on(requests, DesiredState::new(), &body);
        }
    });
}

fn for_random(body: impl Fn(&mut Case) + Sync) {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().expect(name));
    let first = number("IPVS_RS_SEED").unwrap_or_else(|| fastrand::u64(..));
    let tables = number("IPVS_RS_FACTS").unwrap_or(20);
    kernel::note(&format!("IPVS_RS_SEED={first} IPVS_RS_FACTS={tables}"));
    fresh(|| {
        for seed in (0..tables).map(|number| first.wrapping_add(number)) {
            println!("seed {seed}");
            let mut rng = Rng::with_seed(seed);
            let bytes: Vec<u8> = std::iter::repeat_with(|| rng.u8(..)).take(400).collect();
            let other = tasteful(Dice(&bytes).case().desired);
            on(random(&mut rng), other, &body);
        }
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn known_oddities_are_taken_by_the_kernel() {
    const EINVAL: i32 = -22;
    for_known(|case| {
        let answers: Vec<i32> = case.requests.iter().map(|request| case.wire.ask(request)).collect();
        // Newer kernels take no upper threshold of 32 bits.
        assert!(answers.iter().all(|answer| *answer == 0) || answers == [0, EINVAL], "{answers:?}");
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn every_name_is_read_as_it_is_printed() {
    for_known(Case::names_are_read);
    for_random(Case::names_are_read);
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn file_of_a_known_oddity_changes_nothing() {
    for_known(Case::file_changes_nothing);
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn file_of_any_table_changes_nothing() {
    for_random(Case::file_changes_nothing);
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn saved_plans_lead_away_from_known_oddities() {
    for_known(Case::plans_lead_away);
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn saved_plans_lead_away_from_any_table() {
    for_random(Case::plans_lead_away);
}
