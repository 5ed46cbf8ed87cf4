#![no_main]

#[path = "../../codecs/thrift/tests/thrift/reencoding.rs"]
mod reencoding;

libfuzzer_sys::fuzz_target!(|data: &[u8]| reencoding::fuzz(data));
