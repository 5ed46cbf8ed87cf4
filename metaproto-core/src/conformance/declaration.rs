//! What a protocol says of itself before any byte has come.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::conformance::Rig;
use crate::conformance::decoding::decode_fresh;
use crate::conformance::drive::Random;
use crate::conformance::report::{Breach, Journal, Law, Verdict};
use crate::conformance::samples::Sample;
use crate::{Correlation, MessageKind, Options, Probe, Protocol, Side};

/// A probe must have made up its mind after so many bytes.
const PROBE_MAX: usize = 64;

/// How connections of other protocols begin.
const STRANGERS: [&[u8]; 6] = [
    b"GET /index.html HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\nConnection: close\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64\0\x04\0\xa0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03 a hello of TLS, with random bytes that are none......",
    b"SSH-2.0-OpenSSH_9.6\r\nand the algorithms that it would like to talk about with us.....",
    &[0; PROBE_MAX],
    &[0xff; PROBE_MAX],
];

pub(super) fn check(rig: &Rig<'_>, journal: &mut Journal) {
    let what = "the protocol itself";
    journal.case(Law::Declaration, what, name(rig.protocol));
    journal.case(Law::Declaration, what, options(rig.protocol));
    journal.case(Law::Declaration, what, correlation(rig));
    for sample in rig.samples.list.iter().filter(|sample| sample.side == Side::Downstream) {
        let request = decode_fresh(rig, sample).is_ok_and(|metadata| {
            matches!(metadata.kind, MessageKind::Request | MessageKind::Oneway)
        });
        if rig.capabilities.probe && request {
            journal.case(Law::Probe, &sample.name, probe_knows(rig, sample));
        }
    }
    journal.case(Law::Probe, "the start of other protocols", probe_tells(rig));
    journal.case(Law::Coverage, "all samples", coverage(rig));
}

fn name(protocol: &dyn Protocol) -> Verdict {
    let wrong = |name: &str| {
        let strange = |c: char| c.is_uppercase() || c.is_whitespace() || c.is_control();
        name.is_empty() || name.contains(strange)
    };
    let names = [protocol.name()].into_iter().chain(protocol.aliases().iter().copied());
    match names.into_iter().find(|name| wrong(name)) {
        None => Ok(()),
        Some(name) => {
            Err(Breach::new(Law::Declaration, "names in lower case, one word", format!("{name:?}")))
        }
    }
}

fn options(protocol: &dyn Protocol) -> Verdict {
    let breach =
        |expected: &str, found: String| Err(Breach::new(Law::Declaration, expected, found));
    match protocol.configure(&Options::new()) {
        Ok(configured) if configured.name() == protocol.name() => {}
        Ok(configured) => {
            return breach("the same name once configured", configured.name().to_owned());
        }
        Err(error) => return breach("Ok from configure without options", error.to_string()),
    }
    let unknown = "no-such-option";
    match protocol.configure(&Options::from([(unknown.to_owned(), "1".to_owned())])) {
        Err(error) if error.option == unknown => Ok(()),
        Err(error) => breach("an error that names the option", error.to_string()),
        Ok(_) => breach("an error for an option that is not known", format!("Ok for {unknown:?}")),
    }
}

fn correlation(rig: &Rig<'_>) -> Verdict {
    match rig.capabilities.correlation {
        Correlation::Id { bits } if !(8..=64).contains(&bits) => {
            Err(Breach::new(Law::Declaration, "ids of 8 to 64 bits", format!("{bits} bits")))
        }
        _ => Ok(()),
    }
}

fn coverage(rig: &Rig<'_>) -> Verdict {
    let mut decoded =
        rig.samples.list.iter().filter_map(|s| Some((s.side, decode_fresh(rig, s).ok()?)));
    let request =
        decoded.any(|(side, m)| side == Side::Downstream && m.kind == MessageKind::Request);
    if request || !rig.capabilities.error_replies {
        return Ok(());
    }
    let expected = "a two-way request, as error replies are declared";
    Err(Breach::new(Law::Coverage, expected, "no sample that decodes as one"))
}

/// Runs the probe, which must not panic.
pub(super) fn probe(protocol: &dyn Protocol, head: &[u8]) -> Verdict<Probe> {
    catch_unwind(AssertUnwindSafe(|| protocol.probe(head))).map_err(|_| {
        let found = format!("probe panics on {} bytes", head.len());
        Breach::new(Law::NoPanic, "a verdict", found).at(head.len())
    })
}

/// The first bytes of a request are never refused, and recognised in time.
fn probe_knows(rig: &Rig<'_>, sample: &Sample) -> Verdict {
    let followed = sample.frame.repeat(PROBE_MAX / sample.frame.len().max(1) + 1);
    let mut recognised = false;
    for len in 0..=followed.len().min(PROBE_MAX.max(sample.frame.len())) {
        let head = followed.get(..len).unwrap_or(&followed);
        let wrong = |expected: &str, verdict: Probe| {
            Err(Breach::new(Law::Probe, expected, format!("{verdict:?} after {len} bytes")).at(len))
        };
        match probe(rig.protocol, head)? {
            Probe::Yes => recognised = true,
            verdict if recognised => return wrong("Yes, as with fewer bytes", verdict),
            Probe::Need(need) if need > len && len < PROBE_MAX => {}
            verdict => return wrong("Yes, or Need of more bytes, a few dozen at most", verdict),
        }
    }
    Ok(())
}

fn probe_tells(rig: &Rig<'_>) -> Verdict {
    let mut random = Random::new(7);
    for len in 0..128 {
        let _ = probe(rig.protocol, &random.bytes(len))?;
    }
    let mut refused = false;
    for stranger in STRANGERS {
        for len in 0..=stranger.len() {
            let verdict = probe(rig.protocol, stranger.get(..len).unwrap_or(stranger))?;
            refused |= verdict == Probe::No;
        }
    }
    if refused || !rig.capabilities.probe {
        return Ok(());
    }
    Err(Breach::new(Law::Probe, "No to the start of another protocol", "Yes to all that was tried"))
}
