//! The laws of every table that some program can make. The tests on the real kernel hold it to the same.

use fastrand::Rng;
use ipvs_rs::desired::DesiredState;
use ipvs_rs::testing::{FakeKernel, Interface, Release};

use super::facts_table::{Case, INTERFACE, LOCAL, Request, Wire, known, random, tasteful};
use super::universe::{self, Dice};

/// Does something with a table on a kernel of its own, with the interface that daemons and odd addresses need.
fn on(release: Release, requests: Vec<Request>, other: DesiredState, body: impl Fn(&mut Case)) {
    let kernel = FakeKernel::of(release);
    let local = LOCAL.map(|address| address.parse().unwrap());
    kernel.add_interface(local.into_iter().fold(Interface::new(INTERFACE), |it, address| it.address(address, 64)));
    kernel.add_interface(Interface::new(universe::INTERFACE));
    let handle = kernel.handle().unwrap();
    body(&mut Case { wire: Wire::over(kernel.transport()), handle, requests, other });
}

fn for_known(body: impl Fn(&mut Case)) {
    for (name, requests) in known() {
        println!("{name}");
        on(Release::V6_1, requests, DesiredState::new(), &body);
    }
}

/// A failure names its seed.
fn for_random(body: impl Fn(&mut Case)) {
    for seed in 0..200 {
        println!("seed {seed}");
        let mut rng = Rng::with_seed(seed);
        let bytes: Vec<u8> = std::iter::repeat_with(|| rng.u8(..)).take(400).collect();
        let other = tasteful(Dice(&bytes).case().desired);
        on(Release::ALL[rng.usize(..3)], random(&mut rng), other, &body);
    }
}

#[test]
fn known_oddities_are_taken_by_the_kernel() {
    for_known(|case| {
        let answers: Vec<i32> = case.requests.iter().map(|request| case.wire.ask(request)).collect();
        assert!(answers.iter().all(|answer| *answer == 0), "{answers:?}");
    });
}

#[test]
fn every_name_is_read_as_it_is_printed() {
    for_known(Case::names_are_read);
    for_random(Case::names_are_read);
}

#[test]
fn file_of_a_known_oddity_changes_nothing() {
    for_known(Case::file_changes_nothing);
}

#[test]
fn file_of_any_table_changes_nothing() {
    for_random(Case::file_changes_nothing);
}

#[test]
fn saved_plans_lead_away_from_known_oddities() {
    for_known(Case::plans_lead_away);
}

#[test]
fn saved_plans_lead_away_from_any_table() {
    for_random(Case::plans_lead_away);
}
