#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    metaproto_core::conformance::fuzz(&*metaproto_awesomerpc::AwesomeRpc::protocol(), data);
});
