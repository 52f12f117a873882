//! Lines of a restore, as `ipvsadm -R` reads them, up to where the kernel would be asked.

#![no_main]
#![allow(dead_code, reason = "the program uses more of its own modules than its reader")]

#[path = "../../examples/ipvsadm/address.rs"]
mod address;
#[path = "../../examples/ipvsadm/fault.rs"]
mod fault;
#[path = "../../examples/ipvsadm/fuzzing.rs"]
mod fuzzing;
#[path = "../../examples/ipvsadm/grammar.rs"]
mod grammar;
#[path = "../../examples/ipvsadm/invocation.rs"]
mod invocation;
#[path = "../../examples/ipvsadm/lines.rs"]
mod lines;
#[path = "../../examples/ipvsadm/matrix.rs"]
mod matrix;
#[path = "../stand_ins/names.rs"]
mod names;
#[path = "../../examples/ipvsadm/number.rs"]
mod number;
#[path = "../../examples/ipvsadm/words.rs"]
mod words;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzing::command_line(bytes, &names::Names));
