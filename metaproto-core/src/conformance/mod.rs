//! The kit that proves a codec: one call for the author of a codec, and the body of fuzz targets.
//!
//! Hand in whole valid frames; the kit splits, coalesces, truncates, flips, mutates and patches them,
//! drives the codec as the engine does, and fails with a report that names the law, the sample, the
//! byte, what was expected and what was found. [`Law`] lists what is proven.
//!
//! ```
//! # use std::sync::Arc;
//! # use metaproto_core::*;
//! # use metaproto_core::conformance::Samples;
//! # #[derive(Debug)]
//! # struct Tiny;
//! # impl Protocol for Tiny {
//! #     fn name(&self) -> &str { "tiny" }
//! #     fn capabilities(&self) -> Capabilities {
//! #         Capabilities::new(Correlation::Id { bits: 8 })
//! #     }
//! #     fn codec(&self, context: &CodecContext) -> Box<dyn Codec> {
//! #         Box::new(TinyCodec(context.side))
//! #     }
//! #     fn configure(&self, options: &Options) -> Result<Arc<dyn Protocol>, OptionError> {
//! #         no_options("tiny", options)?;
//! #         Ok(Arc::new(Tiny))
//! #     }
//! # }
//! # struct TinyCodec(Side);
//! # impl Codec for TinyCodec {
//! #     fn frame_length(&mut self, head: &[u8]) -> Result<FrameLength, DecodeError> {
//! #         match head.first() {
//! #             None => Ok(FrameLength::Need(1)),
//! #             Some(len) if *len < 3 => {
//! #                 Err(DecodeError::connection("len", Fault::LengthTooSmall((*len).into())))
//! #             }
//! #             Some(len) => Ok(FrameLength::Known((*len).into())),
//! #         }
//! #     }
//! #     fn decode(&mut self, frame: Bytes, m: &mut Metadata) -> Result<(), DecodeError> {
//! #         let mut reader = wire::Reader::new(&frame);
//! #         let [_, id, code] = reader.array("header")?;
//! #         m.request_id = Some(id.into());
//! #         m.header_size = 3;
//! #         if self.0 == Side::Upstream {
//! #             m.kind = MessageKind::Response;
//! #             m.status = Some(match code {
//! #                 0 => Status::ok(0),
//! #                 _ => Status::application_error(code.into()),
//! #             });
//! #         }
//! #         m.frame = frame;
//! #         Ok(())
//! #     }
//! #     fn encode(&self, _: &Metadata, _: &Mutation, _: &mut Output)
//! #         -> Result<(), EncodeError> {
//! #         Err(EncodeError::Unsupported("mutations"))
//! #     }
//! #     fn on_error(&self, request: &RequestHead, _: &Error, out: &mut BytesMut)
//! #         -> Result<(), EncodeError> {
//! #         out.extend_from_slice(&[3, request.request_id.unwrap_or_default() as u8, 1]);
//! #         Ok(())
//! #     }
//! #     fn patch_request_id(&self, header: &mut [u8], id: u64) -> Result<(), EncodeError> {
//! #         match (header, u8::try_from(id)) {
//! #             ([_, place, ..], Ok(id)) => Ok(*place = id),
//! #             _ => Err(EncodeError::InvalidValue { field: "id", reason: "too wide".into() }),
//! #         }
//! #     }
//! # }
//! # fn protocol() -> Arc<dyn Protocol> { Arc::new(Tiny) }
//! // In a test of the codec's crate; `protocol()` is what the crate offers.
//! let samples = Samples::new()
//!     .request([5, 1, 0, b'h', b'i']).named("a call")
//!     .response([3, 1, 0])
//!     .response([3, 1, 9]).named("an error");
//! metaproto_core::conformance::check(&*protocol(), samples);
//! ```
//!
//! # What is proven, and what is not
//!
//! - **Every split**: `frame_length` is asked at every place of every sample (a spread of places in
//!   samples over 512 bytes), at every pair of places in short ones, and byte by byte.
//! - **Hostile bytes**: lengths that lie are written at every place of the header, in all widths and
//!   both byte orders; every bit of the start is flipped; samples are cut off everywhere. Samples over
//!   8 KiB get a share of these cases only.
//! - **Linear cost** is proven without a clock. Either the heads that the codec is handed sum up to
//!   little, or calls are repeated with bytes changed that earlier calls have seen, and the verdicts
//!   may not depend on those. Reads without influence on a verdict go unnoticed.
//! - **Allocation** follows the input: no call may allocate more than 16 KiB and eight bytes for each
//!   byte it is handed, and a decode that has run a few times may not allocate at all. That needs an
//!   [`allocation_meter`](Samples::allocation_meter); without one only the room of the outputs is
//!   measured, which the report notes. That a frame of an announced length beyond the limit is never
//!   read is the engine's own promise.
//! - **No spin**: every step of the loop takes bytes or asks for more than there are. A method that
//!   never returns hangs the test.
//! - **Panics** are caught and reported; with `panic = "abort"` they end the test instead.
//! - **State**: each sample must be readable as the first frame of its connection, and facts may not
//!   depend on the frames before. A protocol with a handshake gives the frames before it and those
//!   behind it to different protocol values.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "the kit runs in tests on samples of their author; a panic here fails a test"
)]

mod allocation;
mod cost;
mod deadline;
mod declaration;
mod decoding;
mod drive;
mod examine;
mod facts;
mod framing;
mod fuzz;
mod hostile;
mod identity;
mod mutation;
mod replies;
mod report;
mod samples;
mod subject;
mod translation;

pub use self::allocation::{Allocations, Meter};
pub use self::fuzz::fuzz;
pub use self::report::{Law, Report, Violation};
pub use self::samples::Samples;

use self::report::{Breach, Journal};
use self::samples::Sample;
use self::subject::Subject;
use crate::{Capabilities, CodecContext, Protocol, Side};

/// Proves that the codecs of `protocol` hold to every [`Law`] on these samples.
///
/// # Panics
/// With a report, if a law is broken.
#[track_caller]
pub fn check(protocol: &dyn Protocol, samples: Samples) {
    if let Err(violations) = try_check(protocol, samples) {
        let texts: Vec<_> = violations.iter().map(Violation::to_string).collect();
        let count = violations.len();
        panic!("{} breaks laws, {count} findings:\n\n{}\n", protocol.name(), texts.join("\n\n"));
    }
}

/// As [`check`], for tools: returns what was checked.
///
/// # Errors
/// Every law that is broken, once for each sample that shows it.
pub fn try_check(protocol: &dyn Protocol, samples: Samples) -> Result<Report, Vec<Violation>> {
    let rig = Rig::new(protocol, &samples);
    let mut journal = Journal::default();
    declaration::check(&rig, &mut journal);
    for sample in &samples.list {
        check_sample(&rig, sample, &mut journal);
    }
    framing::check_streams(&rig, &mut journal);
    mutation::check(&rig, &mut journal);
    replies::check_own(&rig, &mut journal);
    hostile::check_garbage(&rig, &mut journal);
    if samples.meter.is_none() {
        journal.note("without an allocation meter only the room of outputs was measured");
    }
    for side in [Side::Downstream, Side::Upstream] {
        if !samples.list.iter().any(|sample| sample.side == side) {
            journal.note(format!("no sample for the {side:?} side"));
        }
    }
    journal.finish()
}

fn check_sample(rig: &Rig<'_>, sample: &Sample, journal: &mut Journal) {
    if sample.frame.is_empty() {
        let breach = Breach::new(Law::Coverage, "a whole frame", "an empty sample");
        return journal.case(Law::Coverage, &sample.name, Err(breach));
    }
    framing::check(rig, sample, journal);
    decoding::check(rig, sample, journal);
    cost::check(rig, sample, journal);
    allocation::check(rig, sample, journal);
    identity::check(rig, sample, journal);
    if rig.capabilities.translates {
        translation::check(rig, sample, journal);
    }
    replies::check(rig, sample, journal);
    hostile::check(rig, sample, journal);
}

/// The protocol under test and what is known of it.
struct Rig<'a> {
    protocol: &'a dyn Protocol,
    samples: &'a Samples,
    capabilities: Capabilities,
}

impl<'a> Rig<'a> {
    fn new(protocol: &'a dyn Protocol, samples: &'a Samples) -> Self {
        Rig { protocol, samples, capabilities: protocol.capabilities() }
    }

    /// A codec of a new connection.
    fn subject(&self, side: Side) -> Subject {
        self.subject_with(&CodecContext::new(side, self.samples.limits))
    }

    fn subject_with(&self, context: &CodecContext) -> Subject {
        Subject::new(self.protocol.codec(context), self.samples.meter)
    }
}
