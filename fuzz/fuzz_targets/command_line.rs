//! Lines of a restore, as `ipvsadm -R` reads them, up to where the kernel would be asked.

#![no_main]
#![allow(dead_code, reason = "the program uses more of its own modules than its reader")]

#[path = "../../examples/ipvsadm/address.rs"]
mod address;
#[path = "../../examples/ipvsadm/fault.rs"]
mod fault;
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

use invocation::Origin;
use names::Names;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let words = lines::words(line);
        for origin in [Origin::CommandLine, Origin::Restore] {
            if let Err(fault) = invocation::read(b"ipvsadm", &words, origin, &Names) {
                assert!(fault.status != 0 && !fault.message.is_empty(), "{fault:?}");
            }
        }
    }
});
