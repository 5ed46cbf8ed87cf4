//! The conformance kit on derived codecs, with an allocation meter.

use metaproto_core::conformance::{Allocations, Samples, check};
use metaproto_core::{Bytes, Section};

use crate::frames::{Flags, Rich, Sealed, flags, rich, sealed, section, wire};

fn meter(work: &mut dyn FnMut()) -> Allocations {
    let info = allocation_counter::measure(work);
    Allocations { count: info.count_total, bytes: info.bytes_total }
}

#[test]
fn a_protocol_of_bits_conforms() {
    let reply = Flags { flags: 2, code: 20, ..flags() };
    let samples = Samples::new()
        .allocation_meter(meter)
        .request(wire(&flags()))
        .request(wire(&Flags { flags: Flags::FLAGS_REQUEST, body: Bytes::new(), ..flags() }))
        .request(wire(&Flags { flags: Flags::FLAGS_REQUEST | Flags::FLAGS_EVENT, ..flags() }))
        .response(wire(&reply))
        .response(wire(&Flags { code: 40, ..reply }));
    check(&*Flags::protocol(), samples);
}

#[test]
fn a_protocol_of_parts_sections_and_checksums_conforms() {
    let reply = Rich { flags: 2, code: None, ..rich() };
    let tags = section(&[("tenant", "a"), ("9", "nine")]);
    let samples = Samples::new()
        .allocation_meter(meter)
        .request(wire(&rich()))
        .request(wire(&Rich { flags: 1, code: None, headers: Section::new(), ..rich() }))
        .request(wire(&Rich { tags, body: vec![7; 5000].into(), ..rich() }))
        .request(wire(&Rich { flags: 3, code: None, ..rich() }))
        .response(wire(&reply))
        .response(wire(&Rich { status: -1, ..reply }));
    check(&*Rich::protocol(), samples);
}

#[test]
fn a_protocol_with_a_checksum_in_its_header_conforms() {
    let samples = Samples::new()
        .allocation_meter(meter)
        .request(wire(&Sealed { timeout: 0, ..sealed() }))
        .response(wire(&sealed()))
        .response(wire(&Sealed { status: 9, ..sealed() }));
    check(&*Sealed::protocol(), samples);
}
