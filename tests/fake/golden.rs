//! The recordings of real kernels are said again, and the kernel in memory plays the same scenarios to the letter.

use std::fs;
use std::path::PathBuf;

use ipvs_rs::testing::{FakeKernel, Interface, Release, Replay};

use crate::scenarios::{INTERFACE, SCENARIOS, record, run};

#[test]
fn calls_over_a_recording_come_to_what_they_came_to() {
    for release in Release::ALL {
        for (name, scenario) in SCENARIOS {
            let text = recorded(name, release);
            // Behind the names of kernel and scenario.
            let then = text.lines().map_while(|line| line.strip_prefix('#')).skip(3).map(str::trim_start);
            let now = run(scenario, Replay::new(text.parse().unwrap()), &|| ());
            assert_eq!(now, then.collect::<Vec<_>>(), "{name}, {release}");
        }
    }
}

#[test]
#[cfg(target_endian = "little")]
fn fake_kernel_plays_every_scene_as_the_recorded_kernel_did() {
    for release in Release::ALL {
        for (name, scenario) in SCENARIOS {
            let kernel = FakeKernel::of(release);
            kernel.add_interface(Interface::new(INTERFACE));
            let played = record("in memory", name, scenario, kernel.transport(), &|| ());
            let recorded = recorded(name, release);
            // The first line says which kernel it was.
            for (number, (played, recorded)) in (1..).zip(played.lines().zip(recorded.lines())).skip(1) {
                assert_eq!(played, recorded, "{name}, {release}, line {number}");
            }
            assert_eq!(played.lines().count(), recorded.lines().count(), "{name}, {release}");
        }
    }
}

#[test]
fn every_recording_has_its_scene() {
    let mut found: Vec<String> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    found.sort_unstable();
    let mut expected: Vec<String> =
        SCENARIOS.iter().flat_map(|(name, _)| Release::ALL.map(|release| format!("{name}.{release}.txt"))).collect();
    expected.sort_unstable();
    assert_eq!(found, expected, "`cargo xtask golden` makes what is missing");
}

fn recorded(name: &str, release: Release) -> String {
    let path = folder().join(format!("{name}.{release}.txt"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/transcripts")
}
