//! The kit must take good codecs and refuse each that is broken in one way, for the right reason.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "toy codecs; some are meant to be wrong, and the kit finds those that are"
)]

mod binary;
mod broken;

mod lines;
mod translating;

use std::collections::BTreeSet;

use metaproto_core::conformance::{Allocations, Law, Samples, check, fuzz, try_check};

use self::binary::Binary;
use self::broken::{Broken, FLAWS, Flaw};
use self::lines::Lines;

/// Counts what the calling thread allocates.
fn meter(run: &mut dyn FnMut()) -> Allocations {
    let info = allocation_counter::measure(run);
    Allocations { count: info.count_total, bytes: info.bytes_total }
}

const LINES: Lines = Lines(lines::Flaw::None);

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
    // The one in the middle is for codecs that write messages anew.
    let nested = [Law::Progress, Law::ZeroLength, Law::Independence, Law::Translation];
    assert_eq!(held, nested.iter().chain(&[Law::AllOrNothing]).collect::<Vec<_>>());
    assert_eq!(report.notes, Vec::<String>::new());
}

#[test]
fn flaws_of_translation_are_found() {
    use translating::{Flaw, Translating};
    let report = try_check(&Translating(Flaw::None), binary::samples().allocation_meter(meter));
    let cases = report.map(|report| report.cases.contains_key(&Law::Translation));
    assert!(matches!(cases, Ok(true)), "{cases:?}");
    for (flaw, law) in [
        (Flaw::KeepsTheId, Law::Translation),
        (Flaw::ChangesTheBody, Law::Translation),
        (Flaw::ChangesWhatIsToStay, Law::Translation),
        (Flaw::ForgetsTheDeadline, Law::Translation),
        (Flaw::ForgetsTheRequest, Law::Translation),
        (Flaw::ChangesTheStatus, Law::Translation),
        (Flaw::WritesBeforeItRefuses, Law::AllOrNothing),
    ] {
        let violations = try_check(&Translating(flaw), binary::samples()).err().unwrap_or_default();
        assert!(violations.iter().any(|v| v.law == law), "{flaw:?}: {violations:?}");
    }
}

#[test]
fn every_flaw_without_a_length_prefix_is_found_and_the_right_law_named() {
    use lines::Flaw;
    for (flaw, law) in [
        (Flaw::ScansAgain, Law::LinearCost),
        (Flaw::InjectsValues, Law::Mutation),
        (Flaw::InjectsErrors, Law::ErrorReply),
        (Flaw::RefusesNewProperties, Law::Mutation),
        (Flaw::AppendsInPlaceOfOthers, Law::Mutation),
        (Flaw::RemovesInSilence, Law::Mutation),
        (Flaw::PatchesIds, Law::IdPatch),
    ] {
        let violations = try_check(&Lines(flaw), lines::samples()).err().unwrap_or_default();
        let laws: BTreeSet<_> = violations.iter().map(|v| v.law).collect();
        assert_eq!(laws, BTreeSet::from([law]), "{flaw:?}");
    }
}

/// What is wrong with how the kit refuses a flaw. What follows from a flaw may be named too, but the
/// flaw itself comes first.
fn misjudged(flaw: Flaw, law: Law) -> Option<String> {
    let samples = binary::samples().allocation_meter(meter);
    let violations = try_check(&Broken(flaw), samples).err().unwrap_or_default();
    if violations.first().is_some_and(|first| first.law == law) {
        return None;
    }
    let laws: BTreeSet<_> = violations.iter().map(|v| v.law).collect();
    Some(format!("{flaw:?} must break {law}, but breaks {laws:?}"))
}

#[test]
fn every_flaw_is_found_and_the_right_law_named() {
    let (left, right) = FLAWS.split_at(FLAWS.len() / 2);
    let judge = |flaws: &'static [(Flaw, Law)]| {
        flaws.iter().filter_map(|(flaw, law)| misjudged(*flaw, *law)).collect::<Vec<_>>()
    };
    let missed = std::thread::scope(|scope| {
        let right = scope.spawn(move || judge(right));
        let mut missed = judge(left);
        missed.extend(right.join().unwrap());
        missed
    });
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn a_flaw_of_allocation_in_decode_needs_the_meter_and_the_report_says_so() {
    assert!(try_check(&Broken(Flaw::AllocatesInEachDecode), binary::samples()).is_ok());
    let report = try_check(&Binary, binary::samples()).unwrap();
    assert!(report.notes.iter().any(|note| note.contains("allocation meter")), "{report}");
}

#[test]
#[should_panic(
    expected = "every error kind has an answer that reads as one\n  sample:   request 0"
)]
fn a_refusal_names_the_law_the_sample_and_what_was_expected() {
    check(&Broken(Flaw::AnswersWithTheIdZero), binary::samples());
}

#[test]
fn a_fuzz_target_finds_flaws_too() {
    let data = [&[3][..], &binary::frame(0, 7, 0, "echo", b"hello")].concat();
    for flaw in [Flaw::KnowsTooEarly, Flaw::PatchesMoreThanTheId, Flaw::AnswersWithOk] {
        let found = std::panic::catch_unwind(|| fuzz(&Broken(flaw), &data));
        assert!(found.is_err(), "{flaw:?}");
    }
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
    assert!(violations.iter().all(|v| v.sample.starts_with("request 5")), "{violations:#?}");
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
