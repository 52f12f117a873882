#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ipvs_rs::fuzzing::drains(bytes));
