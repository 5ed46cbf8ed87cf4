//! The laws, and what is said when one is broken.

use std::collections::BTreeMap;
use std::fmt;

macro_rules! laws {
    ($($(#[doc = $doc:literal])* $law:ident = $name:literal: $sentence:literal;)*) => {
        /// What a codec must hold to. Each is checked on every sample that it applies to.
        ///
        /// In the order in which findings are best looked at: a later law is often broken because
        /// an earlier one is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Law {
            $($(#[doc = $doc])* $law,)*
        }

        impl Law {
            /// Every law.
            pub const ALL: &[Law] = &[$(Law::$law),*];

            /// The law's name in reports.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Law::$law => $name,)* }
            }

            /// The law in a sentence.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Law::$law => $sentence,)* }
            }
        }
    };
}

laws! {
    /// The samples reach the laws that the protocol's declaration calls for.
    Coverage = "coverage": "the samples exercise what the protocol declares";
    /// Name, options and capabilities agree with each other and with the samples.
    Declaration = "declaration": "a protocol is what it declares to be";
    /// No bytes make any method panic.
    NoPanic = "no-panic": "no bytes make a codec panic";
    /// Every split of a frame yields its true length, and never more is asked for than there is.
    Length = "length": "wherever a frame is split, its length is told right and in time";
    /// `Need` asks for more than there is.
    Progress = "progress": "who needs more bytes asks for more than there are";
    /// No frame is empty.
    ZeroLength = "zero-length": "a frame has at least one byte";
    /// Bytes that trickle in are not scanned again and again.
    LinearCost = "linear-cost": "bytes that trickle in cost as much as bytes that come at once";
    /// The same stream gives the same frames whatever its chunks.
    Chunking = "chunking": "a stream is cut the same way whatever its chunks";
    /// A valid sample decodes.
    Decodes = "decodes": "a valid frame can be read";
    /// The frame is stored as it came.
    StoresFrame = "stores-frame": "the frame is kept as it came, to be forwarded bit-exact";
    /// Sizes and ranges lie inside the frame.
    Layout = "layout": "sizes and ranges lie inside the frame";
    /// Messages carry the id that the correlation calls for.
    Correlation = "correlation": "what is matched by id has an id of the declared width";
    /// What one message says does not show in another.
    Independence = "independence": "a message says nothing of the messages before it";
    /// Properties have the names that the schema declares.
    Schema = "schema": "properties have the names that the schema declares";
    /// Asking for fewer properties changes nothing else.
    Interest = "interest": "who asks for fewer properties still gets all other facts";
    /// A request id can be patched and patched back.
    IdPatch = "id-patch": "a patched id reads back, alone, and patches back bit-exact";
    /// A message that is written anew for another connection says what it said.
    Translation = "translation": "a translated message says the same, with the id that it was given";
    /// A deadline that is set reads back.
    Deadline = "deadline": "a deadline that was set reads back";
    /// Mutations do what they say, or say that they do not.
    Mutation = "mutation": "a declared mutation reads back, alone; any other is refused";
    /// Who fails leaves no trace.
    AllOrNothing = "all-or-nothing": "what fails leaves its output as it was";
    /// Every error kind has an answer that the caller can read.
    ErrorReply = "error-reply": "every error kind has an answer that reads as one";
    /// What is peeked agrees with what is decoded.
    Peek = "peek": "what is peeked from a request's start agrees with the whole";
    /// Pings and pongs read as such.
    Ping = "ping": "pings and their answers read as such, or are not declared";
    /// A go-away reads as such.
    GoAway = "go-away": "a go-away reads as one, or is not declared";
    /// The probe knows its own protocol, soon, and not everything else.
    Probe = "probe": "a probe knows its own requests soon, and not everything else";
    /// Memory follows the bytes that came, not the bytes that were announced.
    Allocation = "allocation": "memory follows the bytes that came, not those announced";
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One law that a codec breaks, and where it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The law.
    pub law: Law,
    /// The sample that shows it, or what else was tried.
    pub sample: String,
    /// The byte of the sample at which it shows, counted from its start.
    pub offset: Option<usize>,
    /// What the law expects.
    pub expected: String,
    /// What was found instead.
    pub found: String,
    /// How many further cases of this sample break the same law.
    pub further: usize,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.law, self.law.sentence())?;
        write!(f, "  sample:   {}", self.sample)?;
        if let Some(offset) = self.offset {
            write!(f, ", byte {offset}")?;
        }
        write!(f, "\n  expected: {}\n  found:    {}", self.expected, self.found)?;
        if self.further > 0 {
            write!(f, "\n  and {} further cases", self.further)?;
        }
        Ok(())
    }
}

/// What was checked of a codec that breaks no law.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// How many cases each law was checked on. A law that is absent was not checked.
    pub cases: BTreeMap<Law, usize>,
    /// What could not be checked, and why.
    pub notes: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (law, cases) in &self.cases {
            writeln!(f, "{:<15} {cases:>8} cases: {}", law.as_str(), law.sentence())?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "note: {note}"))
    }
}

/// A broken law before the sample is known.
#[derive(Debug, Clone)]
pub(super) struct Breach {
    pub(super) law: Law,
    pub(super) offset: Option<usize>,
    pub(super) expected: String,
    pub(super) found: String,
}

impl Breach {
    pub(super) fn new(law: Law, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Breach { law, offset: None, expected: expected.into(), found: found.into() }
    }

    /// The same at this byte, unless one is known already.
    pub(super) fn at(mut self, offset: usize) -> Self {
        self.offset = self.offset.or(Some(offset));
        self
    }

    /// The same with a word on what was tried.
    pub(super) fn while_trying(mut self, what: &str) -> Self {
        self.found = format!("{} ({what})", self.found);
        self
    }

    pub(super) fn of_sample(self, sample: &str) -> Violation {
        let Breach { law, offset, expected, found } = self;
        Violation { law, sample: sample.to_owned(), offset, expected, found, further: 0 }
    }
}

/// The outcome of one case.
pub(super) type Verdict<T = ()> = Result<T, Breach>;

/// Collects outcomes.
#[derive(Debug, Default)]
pub(super) struct Journal {
    report: Report,
    violations: Vec<Violation>,
}

impl Journal {
    /// Counts a case of `law`, and the breach if it is one.
    pub(super) fn case(&mut self, law: Law, sample: &str, verdict: Verdict) {
        let cases = self.report.cases.entry(law).or_default();
        *cases = cases.saturating_add(1);
        let Err(breach) = verdict else { return };
        let known = self.violations.iter_mut().find(|v| v.law == breach.law && v.sample == sample);
        match known {
            Some(violation) => violation.further = violation.further.saturating_add(1),
            None => self.violations.push(breach.of_sample(sample)),
        }
    }

    /// Records what can't be checked.
    pub(super) fn note(&mut self, note: impl Into<String>) {
        self.report.notes.push(note.into());
    }

    pub(super) fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }

    pub(super) fn finish(mut self) -> Result<Report, Vec<Violation>> {
        self.violations.sort_by_key(|violation| violation.law);
        if self.violations.is_empty() { Ok(self.report) } else { Err(self.violations) }
    }
}
