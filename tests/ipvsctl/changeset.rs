//! The output of `changeset`.

use crate::world::scene;

const BASE: &str = "\
services:
- address: tcp://192.0.2.1:80
  sched: wrr
  destinations:
  - {address: '10.0.0.2:80', weight: 1, forward: direct}
  - {address: '10.0.0.3:80', weight: 1, forward: nat}
";

const TYPES: [&str; 6] =
    ["add-service", "update-service", "delete-service", "add-destination", "update-destination", "delete-destination"];

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn nothing_to_change_is_an_empty_mapping() {
    scene(|world| {
        world.write("empty.yaml", "{}");
        assert_eq!(world.ok(&["changeset", "-f", "empty.yaml"]), "{}\n");
        assert_eq!(world.ok(&["changeset", "-f", "empty.yaml", "-o", "json"]), "{}\n");
        world.apply(BASE);
        assert_eq!(world.ok(&["changeset", "-f", "apply.yaml"]), "{}\n");
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
#[expect(clippy::too_many_lines, reason = "a table")]
fn each_change_is_one_item_of_its_type() {
    let without_second = BASE.replace("  - {address: '10.0.0.3:80', weight: 1, forward: nat}\n", "");
    let table = [
        (
            "add-service",
            format!("{BASE}- address: udp://192.0.2.5:53\n  sched: lc\n"),
            "\
items:
- type: add-service
  description: Adding new service udp://192.0.2.5:53 because it does not yet exist
  service:
    address: udp://192.0.2.5:53
    sched: lc
",
        ),
        (
            "add-service",
            format!("{BASE}- address: udp://192.0.2.5:53\n  destinations:\n  - {{address: '10.0.0.9:53', weight: 4}}\n"),
            "\
items:
- type: add-service
  description: Adding new service udp://192.0.2.5:53 because it does not yet exist
  service:
    address: udp://192.0.2.5:53
    sched: rr
    destinations:
    - address: 10.0.0.9:53
      weight: 4
      forward: direct
",
        ),
        (
            "delete-service",
            "{}".to_owned(),
            "\
items:
- type: delete-service
  description: Delete existing service tcp://192.0.2.1:80 because it does not exist in updated model any more
  service:
    address: tcp://192.0.2.1:80
",
        ),
        (
            "update-service",
            BASE.replace("wrr", "rr"),
            "\
items:
- type: update-service
  description: Updating existing service tcp://192.0.2.1:80 because details have changed
  service:
    address: tcp://192.0.2.1:80
    sched: rr
    destinations:
    - address: 10.0.0.2:80
      weight: 1
      forward: direct
    - address: 10.0.0.3:80
      weight: 1
      forward: nat
  changes:
  - field: sched
    from: wrr
    to: rr
",
        ),
        (
            "add-destination",
            format!("{BASE}  - {{address: '10.0.0.4:80', weight: 200}}\n"),
            "\
items:
- type: add-destination
  description: Adding new destination 10.0.0.4:80 to service tcp://192.0.2.1:80 because it does not yet exist
  service:
    address: tcp://192.0.2.1:80
  destination:
    address: 10.0.0.4:80
    weight: 200
    forward: direct
",
        ),
        (
            "update-destination",
            BASE.replace("weight: 1, forward: nat", "weight: 0, forward: nat"),
            "\
items:
- type: update-destination
  description: Updating existing destination 10.0.0.3:80 in service tcp://192.0.2.1:80 because details have changed
  service:
    address: tcp://192.0.2.1:80
  destination:
    address: 10.0.0.3:80
    forward: nat
  changes:
  - field: weight
    from: 1
    to: 0
",
        ),
        (
            "delete-destination",
            without_second,
            "\
items:
- type: delete-destination
  description: Delete existing destination 10.0.0.3:80 in service tcp://192.0.2.1:80 because it does not exist in updated \
             model any more
  service:
    address: tcp://192.0.2.1:80
  destination:
    address: 10.0.0.3:80
",
        ),
    ];
    scene(|world| {
        world.apply(BASE);
        let before = world.saved();
        for (kind, model, expected) in &table {
            world.write("model.yaml", model);
            let said = world.ok(&["changeset", "-f", "model.yaml"]);
            let words = TYPES.iter().filter(|word| said.contains(**word)).collect::<Vec<_>>();
            assert_eq!(words, [kind], "{said}");
            let expected = expected.replace("updated              model", "updated model");
            assert_eq!(said, expected, "{kind}");
        }
        assert_eq!(world.saved(), before);
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn changeset_is_planned_like_apply() {
    scene(|world| {
        world.apply(BASE);
        world.write("model.yaml", &BASE.replace("weight: 1", "weight: 9"));
        assert_eq!(world.ok(&["changeset", "-f", "model.yaml", "--keep-weights"]), "{}\n");
        let said = world.ctl(&["changeset", "-f", "model.yaml", "--allowed-actions=as"]);
        assert_eq!(said.status, 31);
        let first = "Error building/applying changeset: not allowed to update a destination";
        assert!(said.stderr.lines().any(|line| line == first), "{}", said.stderr);
        let document: serde_json::Value =
            serde_json::from_str(&world.ok(&["changeset", "-f", "model.yaml", "-o", "json"])).unwrap();
        assert_eq!(document["items"][0]["type"], "update-destination");
        assert_eq!(document["items"][0]["changes"][0]["to"], 9);
    });
}
