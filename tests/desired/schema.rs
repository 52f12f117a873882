//! The JSON schema of files: the copy that editors fetch, and whether it takes what the library takes.

use std::path::Path;
use std::{env, fs};

use ipvs_rs::desired::spec;
use serde_json::Value;

#[test]
fn the_copy_in_the_repository_is_the_schema_of_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/ipvsctl.schema.json");
    let text = format!("{:#}\n", spec::schema());
    if env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let copy = fs::read_to_string(&path).unwrap();
    assert!(
        copy == text,
        "the schema is another by now: UPDATE_SCHEMA=1 cargo test --all-features --test desired schema"
    );
}

#[test]
fn every_key_of_a_service_has_a_description() {
    let schema = spec::schema();
    for definition in ["Service", "Destination", "Drain", "Sync"] {
        let Value::Object(keys) = &schema["$defs"][definition]["properties"] else { panic!("{definition}") };
        for (key, value) in keys {
            assert!(value["description"].as_str().is_some_and(|text| !text.is_empty()), "{definition}.{key}");
        }
    }
}
