//! The kit must take good codecs and refuse each that is broken in one way, for the right reason.

mod binary;
mod broken;

mod lines;

use std::collections::BTreeSet;

use metaproto_core::conformance::{Allocations, Law, Samples, check, fuzz, try_check};

use self::binary::Binary;
use self::lines::Lines;

/// Counts what the calling thread allocates.
fn meter(run: &mut dyn FnMut()) -> Allocations {
    let info = allocation_counter::measure(run);
    Allocations { count: info.count_total, bytes: info.bytes_total }
}

const LINES: Lines = Lines { forgetful: false };

#[test]
fn a_good_codec_with_a_length_prefix_passes() {
    check(&Binary, binary::samples().allocation_meter(meter));
    check(&Binary, binary::samples());
}

#[test]
fn a_good_codec_that_scans_for_the_end_passes() {
    // Its decode gathers the entries in a vector that is new each time.
    check(&LINES, lines::samples().allocation_meter(meter).allocations_per_decode(2));
}

#[test]
fn every_law_is_checked_on_a_codec_that_can_do_much() {
    let report = try_check(&Binary, binary::samples().allocation_meter(meter)).unwrap();
    let held: Vec<_> = Law::ALL.iter().filter(|law| !report.cases.contains_key(law)).collect();
    // These have no cases of their own: they are checked within the cases of others.
    assert_eq!(held, [&Law::Progress, &Law::ZeroLength, &Law::Independence, &Law::AllOrNothing]);
    assert_eq!(report.notes, Vec::<String>::new());
}

#[test]
fn a_scan_that_starts_over_is_refused() {
    let violations = try_check(&Lines { forgetful: true }, lines::samples()).unwrap_err();
    assert!(violations.iter().all(|v| v.law == Law::LinearCost), "{violations:#?}");
}

#[test]
fn every_flaw_is_found_and_the_right_law_named() {
    let mut missed = Vec::new();
    for (flaw, law) in broken::FLAWS {
        let samples = binary::samples().allocation_meter(meter);
        let violations = try_check(&broken::Broken(*flaw), samples).err().unwrap_or_default();
        // What follows from a flaw may be named too, but the flaw itself comes first.
        if violations.first().is_none_or(|first| first.law != *law) {
            let laws: BTreeSet<_> = violations.iter().map(|v| v.law).collect();
            missed.push(format!("{flaw:?} must break {law}, but breaks {laws:?}"));
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn samples_that_prove_nothing_are_refused() {
    let violations = try_check(&Binary, Samples::new()).unwrap_err();
    assert!(violations.iter().any(|v| v.law == Law::Coverage), "{violations:#?}");
}

#[test]
fn a_sample_that_is_not_a_whole_frame_is_refused() {
    let samples = binary::samples().request(&binary::frame(0, 1, 0, "echo", b"")[..13]);
    let violations = try_check(&Binary, samples).unwrap_err();
    assert!(violations.iter().any(|v| v.law == Law::Length), "{violations:#?}");
    assert!(violations.iter().all(|v| v.sample.starts_with("request 4")), "{violations:#?}");
}

#[test]
fn good_codecs_survive_random_and_nearly_valid_bytes() {
    let mut state = 1_u64;
    let mut random = move || {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        (state >> 33) as usize
    };
    let valid =
        [binary::frame(0, 7, 0, "echo", b"hello"), binary::frame(3, 1, 0, "", b"")].concat();
    let text = b"Q a=b c=d;body\nA;\nE x=y;\n";
    for round in 0..400 {
        let garbage: Vec<u8> = (0..round).map(|_| random() as u8).collect();
        fuzz(&Binary, &garbage);
        fuzz(&LINES, &garbage);
        for (protocol, seed) in
            [(&Binary as &dyn metaproto_core::Protocol, &valid[..]), (&LINES, text)]
        {
            let mut data = [&[round as u8], seed, seed].concat();
            let at = random() % data.len();
            data[at] = random() as u8;
            fuzz(protocol, &data);
        }
    }
}
