//! Mutations do what they say, or say that they do not.

use std::collections::BTreeSet;

use crate::conformance::Rig;
use crate::conformance::decoding::decode_fresh;
use crate::conformance::drive::read_one;
use crate::conformance::facts::Facts;
use crate::conformance::identity::first_difference;
use crate::conformance::report::{Breach, Journal, Law, Verdict};
use crate::conformance::samples::Sample;
use crate::conformance::subject::Subject;
use crate::{Bytes, Change, EncodeError, Metadata, Mutation, MutationSupport, Side};

/// A property that no protocol defines.
const UNKNOWN: &str = "x-conformance";
/// Values that most properties can or can't take; a codec may refuse any of them.
const CANDIDATES: [&str; 9] =
    ["7", "conformance", "", "-1", "ünïcode", "a\r\nb", " x=y;z ", "\0", "99999"];

pub(super) fn check(rig: &Rig<'_>, journal: &mut Journal) {
    let mut took = BTreeSet::new();
    for sample in &rig.samples.list {
        let Ok(metadata) = decode_fresh(rig, sample) else { continue };
        // The engine encodes with the codec that read the message or the one that sends it on.
        for side in [Side::Downstream, Side::Upstream] {
            let mut case = Case::new(rig, sample, &metadata, side);
            for name in case.names() {
                let verdict = case.property(&name, &mut took);
                let verdict = verdict.map_err(|b| b.while_trying(&format!("property {name:?}")));
                journal.case(Law::Mutation, &sample.name, verdict);
            }
            journal.case(Law::Mutation, &sample.name, case.empty());
        }
    }
    if journal.is_clean() {
        unexercised(rig, &took, journal);
    }
}

/// A declaration that no sample has borne out.
fn unexercised(rig: &Rig<'_>, took: &BTreeSet<String>, journal: &mut Journal) {
    let schema = &rig.capabilities.properties;
    for info in schema.known.iter().filter(|info| info.mutation.set) {
        if !took.contains(&info.name.to_ascii_lowercase()) {
            journal.note(format!("no sample lets the property {:?} be set", info.name));
        }
    }
    if schema.open.is_some_and(|open| open.set) && !took.contains(UNKNOWN) {
        let found = "every sample refuses it";
        let expected = format!("some message that takes a new property, {UNKNOWN:?}");
        let breach = Breach::new(Law::Mutation, expected, found);
        journal.case(Law::Mutation, "all samples", Err(breach));
    }
}

struct Case<'a> {
    rig: &'a Rig<'a>,
    sample: &'a Sample,
    metadata: &'a Metadata,
    facts: Facts,
    subject: Subject,
}

impl<'a> Case<'a> {
    fn new(rig: &'a Rig<'a>, sample: &'a Sample, metadata: &'a Metadata, side: Side) -> Self {
        let facts = Facts::of(metadata);
        Case { rig, sample, metadata, facts, subject: rig.subject(side) }
    }

    /// The properties to try: those that are declared, those that are there, and one that is neither.
    fn names(&self) -> BTreeSet<String> {
        let known = self.rig.capabilities.properties.known.iter().map(|info| info.name.clone());
        let here = self.facts.properties.iter().map(|(name, _)| name.clone());
        // A name that is not UTF-8 can't be asked for.
        let here = here.filter(|name| !name.contains(char::REPLACEMENT_CHARACTER));
        known.chain(here).chain([UNKNOWN.to_owned()]).collect()
    }

    fn property(&mut self, name: &str, took: &mut BTreeSet<String>) -> Verdict {
        let support =
            self.rig.capabilities.properties.support(name).unwrap_or(MutationSupport::NONE);
        let own: Vec<String> = self.facts.values(name).into_iter().filter_map(utf8).collect();
        for value in self.values(name, &own) {
            if self.set(name, &value, support, &own)? {
                took.insert(name.to_ascii_lowercase());
            }
            self.append(name, &value, support, &own)?;
        }
        self.remove(name, support, &own)
    }

    /// Its own values first, then those of other samples, then ones that come to mind.
    fn values(&self, name: &str, own: &[String]) -> Vec<String> {
        let others = self.rig.samples.list.iter().filter_map(|s| decode_fresh(self.rig, s).ok());
        let others = others.flat_map(|metadata| {
            let facts = Facts::of(&metadata);
            facts.values(name).into_iter().filter_map(utf8).collect::<Vec<_>>()
        });
        let mut values = own.to_vec();
        for value in others.chain(CANDIDATES.map(str::to_owned)).chain(["v".repeat(70_000)]) {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        values
    }

    fn set(
        &mut self,
        name: &str,
        value: &str,
        support: MutationSupport,
        own: &[String],
    ) -> Verdict<bool> {
        let certain = own.iter().any(|v| v == value);
        let spelled = if certain { name.to_ascii_uppercase() } else { name.to_owned() };
        let mutation = Mutation::new().set(&spelled, value);
        let Some(read) = self.encode(&mutation, support.set, own, certain)? else {
            return Ok(false);
        };
        self.reads(&read, name, &[value.as_bytes()])?;
        // A later change sees an earlier one.
        let back = own.first().map_or("0", String::as_str);
        let mutation = Mutation::new().set(name, back).set(name, value);
        if let Ok(bytes) = self.subject.encode(self.metadata, &mutation)? {
            let read = self.read(&bytes)?;
            self.reads(&read, name, &[value.as_bytes()])?;
        }
        self.half_done(name, value)?;
        Ok(true)
    }

    /// A change that can be made, then one that can't: neither is made.
    fn half_done(&mut self, name: &str, value: &str) -> Verdict {
        let schema = &self.rig.capabilities.properties;
        let support = schema.support(name).unwrap_or(MutationSupport::NONE);
        let first = Mutation::new().set(name, value);
        let impossible = [
            (!schema.support(UNKNOWN).is_some_and(|s| s.set))
                .then(|| first.clone().set(UNKNOWN, "1")),
            (!support.append).then(|| first.clone().append(name, value)),
            (!support.remove).then(|| first.clone().remove(name)),
        ];
        for mutation in impossible.into_iter().flatten() {
            self.encode(&mutation, false, &[], false)?;
        }
        Ok(())
    }

    fn append(
        &mut self,
        name: &str,
        value: &str,
        support: MutationSupport,
        own: &[String],
    ) -> Verdict {
        let mutation = Mutation::new().append(name, value);
        let certain = own.iter().any(|v| v == value);
        let Some(read) = self.encode(&mutation, support.append, own, certain)? else {
            return Ok(());
        };
        let before = self.facts.values(name);
        let expected: Vec<_> = before.into_iter().chain([value.as_bytes()]).collect();
        self.reads(&read, name, &expected)
    }

    fn remove(&mut self, name: &str, support: MutationSupport, own: &[String]) -> Verdict {
        let mutation = Mutation::new().remove(name);
        match self.encode(&mutation, support.remove, own, !own.is_empty())? {
            Some(read) => self.reads(&read, name, &[]),
            None => Ok(()),
        }
    }

    /// Encodes, and reads back what was written. `certain`: it must succeed, as the message has
    /// taken this very value before.
    fn encode(
        &mut self,
        mutation: &Mutation,
        declared: bool,
        own: &[String],
        certain: bool,
    ) -> Verdict<Option<Facts>> {
        let wrong = |expected: &str, found: String| {
            Err(Breach::new(Law::Mutation, expected, format!("{found} for {}", brief(mutation))))
        };
        match self.subject.encode(self.metadata, mutation)? {
            Ok(_) if !declared => wrong("an error: the schema does not allow it", "Ok".to_owned()),
            Ok(bytes) => {
                let read = self.read(&bytes);
                read.map(Some).map_err(|breach| breach.while_trying(&brief(mutation)))
            }
            Err(error) if declared && certain => {
                wrong("Ok: the schema allows it, and the value is one it has", error.to_string())
            }
            Err(error @ (EncodeError::Unsupported(_) | EncodeError::UnsupportedChange { .. }))
                if declared && !own.is_empty() =>
            {
                wrong("what the schema declares, or InvalidValue", error.to_string())
            }
            Err(_) => Ok(None),
        }
    }

    fn read(&self, bytes: &Bytes) -> Verdict<Facts> {
        let mut subject = self.rig.subject(self.sample.side);
        Ok(Facts::of(&read_one(&mut subject, bytes, Law::Mutation)?))
    }

    /// The property has these values, and nothing else has changed.
    fn reads(&self, read: &Facts, name: &str, expected: &[&[u8]]) -> Verdict {
        let wrong = |expected: String, found: String| {
            Err(Breach::new(Law::Mutation, shorten(expected), shorten(found)))
        };
        let text = |values: &[&[u8]]| {
            let values: Vec<_> = values.iter().map(|v| String::from_utf8_lossy(v)).collect();
            format!("{name} = {values:?}")
        };
        let values = read.values(name);
        if values != expected {
            return wrong(text(expected), text(&values));
        }
        let (before, after) = (self.facts.others(name), read.others(name));
        if before != after {
            return wrong(format!("other properties {before:?}"), format!("{after:?}"));
        }
        let in_body = self.rig.capabilities.properties.in_body;
        if read.body != self.facts.body && !in_body {
            let found = format!("another one, of {} bytes", read.body.len());
            return wrong(format!("the body of {} bytes", self.facts.body.len()), found);
        }
        let identity = |facts: &Facts| (facts.kind, facts.request_id, facts.stream_id);
        let (before, after) = (identity(&self.facts), identity(read));
        if before != after {
            return wrong(format!("kind and ids {before:?}"), format!("{after:?}"));
        }
        Ok(())
    }

    /// Nothing to change: whoever encodes it all the same changes nothing.
    fn empty(&mut self) -> Verdict {
        let Ok(bytes) = self.subject.encode(self.metadata, &Mutation::new())? else {
            return Ok(());
        };
        match first_difference(&bytes, &self.sample.frame) {
            None => Ok(()),
            Some(at) => {
                let expected = "the frame as it came for an empty mutation";
                Err(Breach::new(Law::Mutation, expected, "other bytes").at(at))
            }
        }
    }
}

fn utf8(value: &[u8]) -> Option<String> {
    String::from_utf8(value.to_vec()).ok()
}

fn brief(mutation: &Mutation) -> String {
    let change = |change: &Change| match change {
        Change::Set { name, value } | Change::Append { name, value } => {
            format!("{} {name:?} {}", change.verb(), shorten(format!("{value:?}")))
        }
        Change::Remove { name } => format!("remove {name:?}"),
    };
    mutation.changes().iter().map(change).collect::<Vec<_>>().join(", ")
}

fn shorten(text: String) -> String {
    const MOST: usize = 120;
    match text.char_indices().nth(MOST) {
        None => text,
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default()),
    }
}
