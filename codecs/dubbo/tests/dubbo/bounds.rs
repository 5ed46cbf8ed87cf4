//! What a large frame of small parts costs.

use metaproto_core::{Bytes, Mutation, Output, Side};

use super::frames::{asked, codec, decoded, frame, property, texts, two_way};

/// A frame of about a megabyte, and what it is full of.
fn frames() -> Vec<(&'static str, Bytes)> {
    let many = 500_000;
    let bare = texts(&["2.0.2", "s", "1", "m", ""]);
    let hessian = |entries: &[u8]| two_way(&[&bare[..], b"H", entries, b"Z"].concat());
    let types = texts(&["2.0.2", "s", "1", "m", &"I".repeat(many)]);
    let entries = "\"tag\":0,".repeat(many / 4);
    let json = format!("\"2.0.2\"\n\"s\"\n\"1\"\n\"m\"\n\"\"\n{{{entries}\"tag\":0}}\n");
    let map = [&[0xa6][..], &vec![0x49; 2 * many], &[0xa5]].concat();
    let values: [&[u8]; 6] = [b"\x4e2.0.2", b"\x4as", b"\x4a1", b"\x4am", b"\x49", &map];
    let block = |value: &&[u8]| [&(value.len() as u32).to_be_bytes(), *value].concat();
    let jsonb: Vec<u8> = values.iter().flat_map(block).collect();
    vec![
        ("entries without names", hessian(&vec![0; 2 * many])),
        ("entries of one name", hessian(&b"\x03tag\x00".repeat(many / 2))),
        ("entries whose keys are no texts", hessian(&b"NN".repeat(many))),
        ("arguments", two_way(&[types, vec![0x90; many]].concat())),
        ("entries in JSON", frame(0xc6, 0, 7, json.as_bytes())),
        ("entries in JSONB", frame(0xd7, 0, 7, &jsonb)),
    ]
}

#[test]
fn a_frame_of_many_small_parts_does_not_multiply_in_memory() {
    for (name, frame) in frames() {
        let limit = 2 * frame.len() as u64;
        for mut codec in [codec(Side::Downstream), asked(Side::Downstream, &["tag", "argument.0"])]
        {
            let used = allocation_counter::measure(|| {
                let m = decoded(&mut *codec, &frame);
                assert_eq!(m.operation().unwrap().to_text(), "s/m", "{name}");
                let mut out = Output::new();
                codec.encode(&m, &Mutation::new().set("a", "b"), &mut out).expect_err(name);
            });
            assert!(used.bytes_max <= limit, "{name}: {} of {}", used.bytes_max, frame.len());
        }
    }
}

#[test]
fn attachments_that_nobody_asks_for_may_be_many() {
    for (name, frame) in frames().iter().filter(|(name, _)| *name == "entries without names") {
        let m = decoded(&mut *asked(Side::Downstream, &["tag"]), frame);
        assert_eq!((m.unread, property(&m, "tag")), (None, None), "{name}");
    }
}
