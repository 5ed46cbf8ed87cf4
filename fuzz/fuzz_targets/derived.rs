#![no_main]

#[path = "../../metaproto-core/tests/derive_fuzz/everything.rs"]
mod everything;

libfuzzer_sys::fuzz_target!(|data: &[u8]| everything::fuzz(data));
