#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    metaproto_core::conformance::fuzz(&*metaproto_thrift::Thrift::protocol(), data);
});
