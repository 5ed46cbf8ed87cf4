//! The good binary codec, broken in one way at a time.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Buf;
use metaproto_core::conformance::Law;
use metaproto_core::{
    Bytes, BytesMut, Capabilities, Change, Codec, CodecContext, DecodeError, EncodeError, Error,
    ErrorKind, Fault, FrameLength, Interest, MessageKind, Metadata, Mutation, OptionError, Options,
    Output, Probe, Protocol, RequestHead, Side,
};

use crate::binary::{Binary, BinaryCodec, CODE, FIXED, frame};

macro_rules! flaws {
    ($($flaw:ident => $law:ident,)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Flaw { $($flaw,)* }

        /// Every flaw and the law that it breaks.
        pub(crate) const FLAWS: &[(Flaw, Law)] = &[$((Flaw::$flaw, Law::$law),)*];
    };
}

flaws! {
    KnowsTooEarly => Length,
    AsksForTooMuch => Length,
    TakesAllThereIs => Length,
    RefusesSplitFrames => Length,
    AsksForNothing => Progress,
    TakesEmptyFrames => ZeroLength,
    RemembersTheLastLength => Chunking,
    RefusesOneways => Decodes,
    ForgetsTheFrame => StoresFrame,
    TouchesTheFrame => StoresFrame,
    HeaderBehindTheEnd => Layout,
    ContextBehindTheEnd => Layout,
    PropertyBehindTheEnd => Layout,
    ForgetsTheId => Correlation,
    PropertyNotDeclared => Schema,
    OnewayNotDeclared => Declaration,
    TakesAnyOption => Declaration,
    ForgetsIdsNobodyAskedFor => Interest,
    KeepsThePropertyBefore => Independence,
    PanicsOnTruncatedFrames => NoPanic,
    PanicsOnUnknownKinds => NoPanic,
    PanicsInProbe => NoPanic,
    PanicsOnShortHeaders => NoPanic,
    PanicsOnEmptyMetadata => NoPanic,
    TrustsTheLength => Allocation,
    ReservesForReplies => Allocation,
    AllocatesInEachDecode => Allocation,
    PatchesLittleEndian => IdPatch,
    PatchesMoreThanTheId => IdPatch,
    PatchesWideIdsCutOff => IdPatch,
    RefusesToPatch => IdPatch,
    PatchesBeforeItRefuses => AllOrNothing,
    SetsDeadlinesInSilence => Deadline,
    RefusesDeadlines => Deadline,
    TakesNoTimeForNoLimit => Deadline,
    SetsMoreThanTheDeadline => Deadline,
    SetsDeadlinesElsewhere => Deadline,
    EncodesOtherwiseWhenTimed => Deadline,
    DeadlineBehindTheEnd => Layout,
    LeavesLengthsAsTheyWere => Mutation,
    IgnoresMutations => Mutation,
    RefusesDeclaredMutations => Mutation,
    AppendsInSilence => Mutation,
    DropsTheBody => Mutation,
    FindsNamesByCase => Mutation,
    EncodesBeforeItRefuses => AllOrNothing,
    ClearsTheOutput => AllOrNothing,
    HasNoAnswerForDraining => ErrorReply,
    AnswersWithTheIdZero => ErrorReply,
    AnswersWithHalfAnId => ErrorReply,
    AnswersWithTheLastId => ErrorReply,
    AnswersWithOk => ErrorReply,
    AnswersWithARequest => ErrorReply,
    AnswersWithLongTexts => ErrorReply,
    AnswersBeforeItRefuses => AllOrNothing,
    PeeksAnotherId => Peek,
    HasNoPing => Ping,
    PongsWithAnotherId => Ping,
    PongsWithAPing => Ping,
    GoesAwayWithAPing => GoAway,
    ProbesNoOnFewBytes => Probe,
    ProbesYesOnAnything => Probe,
    ProbesForTooLong => Probe,
}

#[derive(Debug)]
pub(crate) struct Broken(pub(crate) Flaw);

impl Protocol for Broken {
    fn name(&self) -> &str {
        "broken"
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Binary.capabilities();
        capabilities.oneway = self.0 != Flaw::OnewayNotDeclared;
        capabilities
    }

    fn codec(&self, context: &CodecContext) -> Box<dyn Codec> {
        let asked_for_all = *context.interest == Interest::All;
        Box::new(BrokenCodec { flaw: self.0, asked_for_all, last: None, side: context.side })
    }

    fn configure(&self, options: &Options) -> Result<Arc<dyn Protocol>, OptionError> {
        if self.0 != Flaw::TakesAnyOption {
            Binary.configure(options)?;
        }
        Ok(Arc::new(Broken(self.0)))
    }

    fn probe(&self, head: &[u8]) -> Probe {
        match self.0 {
            Flaw::PanicsInProbe => panic!("probe of {} bytes", head[..2].len()),
            Flaw::ProbesNoOnFewBytes if head.len() < 6 => Probe::No,
            Flaw::ProbesYesOnAnything => Probe::Yes,
            Flaw::ProbesForTooLong if head.len() < 1000 => Probe::Need(1000),
            _ => Binary.probe(head),
        }
    }
}

#[derive(Debug)]
struct BrokenCodec {
    flaw: Flaw,
    asked_for_all: bool,
    side: Side,
    /// What some flaws remember of earlier frames.
    last: Option<u64>,
}

fn unsupported(what: &'static str) -> Result<(), EncodeError> {
    Err(EncodeError::Unsupported(what))
}

impl BrokenCodec {
    /// Spoils what a good decode has found.
    fn spoil(&mut self, metadata: &mut Metadata) -> Result<(), DecodeError> {
        let len = metadata.frame.len();
        match self.flaw {
            Flaw::RefusesOneways if metadata.kind == MessageKind::Oneway => {
                return Err(DecodeError::message("kind", Fault::Other("is one-way")));
            }
            Flaw::ForgetsTheFrame => metadata.frame = Bytes::new(),
            Flaw::TouchesTheFrame => {
                let mut frame = metadata.frame.to_vec();
                frame[10] ^= 1;
                metadata.frame = frame.into();
            }
            Flaw::HeaderBehindTheEnd => metadata.header_size = len + 1,
            Flaw::ContextBehindTheEnd => metadata.context_size = len + 1,
            Flaw::DeadlineBehindTheEnd => metadata.timeout_place = Some(len - 1..len + 1),
            Flaw::PropertyBehindTheEnd => metadata.push_in_frame("method", len..len + 4),
            Flaw::ForgetsTheId => metadata.request_id = None,
            Flaw::PropertyNotDeclared => metadata.push_int("size", len as i64),
            Flaw::ForgetsIdsNobodyAskedFor if !self.asked_for_all => metadata.request_id = None,
            Flaw::KeepsThePropertyBefore => {
                if let Some(last) = self.last.replace(len as u64) {
                    metadata.push_int("method", last);
                }
            }
            Flaw::AllocatesInEachDecode => {
                metadata.set_operation(metadata.frame.len().to_string());
            }
            Flaw::AnswersWithTheLastId => self.last = metadata.request_id,
            _ => {}
        }
        Ok(())
    }

    fn encode_wrongly(
        &self,
        metadata: &Metadata,
        mutation: &Mutation,
        out: &mut Output,
    ) -> Result<(), EncodeError> {
        match self.flaw {
            Flaw::LeavesLengthsAsTheyWere => {
                let mut whole = Output::new();
                BinaryCodec.encode(metadata, mutation, &mut whole)?;
                let mut whole = whole.copy_to_bytes(whole.len()).to_vec();
                whole[2..6].copy_from_slice(&metadata.frame[2..6]);
                out.copy(&whole);
                Ok(())
            }
            Flaw::IgnoresMutations => {
                BinaryCodec.encode(metadata, mutation, &mut Output::new())?;
                BinaryCodec.encode(metadata, &Mutation::new(), out)
            }
            Flaw::RefusesDeclaredMutations => unsupported("mutations"),
            Flaw::AppendsInSilence => {
                let appends = |c: &Change| matches!(c, Change::Append { .. });
                match mutation.changes() {
                    [change] if appends(change) => {
                        BinaryCodec.encode(metadata, &Mutation::new(), out)
                    }
                    _ => BinaryCodec.encode(metadata, mutation, out),
                }
            }
            Flaw::DropsTheBody => {
                let mut bare = Metadata::new();
                bare.frame = metadata.frame.slice(..metadata.header_size);
                bare.header_size = metadata.header_size;
                bare.kind = metadata.kind;
                BinaryCodec.encode(&bare, mutation, out)
            }
            Flaw::FindsNamesByCase => {
                let exact = |c: &Change| c.name() == "method";
                if mutation.changes().iter().all(exact) {
                    BinaryCodec.encode(metadata, mutation, out)
                } else {
                    unsupported("this name")
                }
            }
            Flaw::PanicsOnEmptyMetadata => {
                assert!(!metadata.frame.is_empty(), "no frame");
                BinaryCodec.encode(metadata, mutation, out)
            }
            _ => BinaryCodec.encode(metadata, mutation, out),
        }
    }
}

impl Codec for BrokenCodec {
    fn frame_length(&mut self, head: &[u8]) -> Result<FrameLength, DecodeError> {
        let good = match (self.flaw, BinaryCodec.frame_length(head)) {
            (Flaw::TakesEmptyFrames, Err(DecodeError { fault: Fault::LengthTooSmall(0), .. })) => {
                FrameLength::Known(0)
            }
            (_, result) => result?,
        };
        match (self.flaw, good) {
            (Flaw::KnowsTooEarly, FrameLength::Need(_)) => Ok(FrameLength::Known(FIXED)),
            (Flaw::AsksForTooMuch, FrameLength::Need(_)) => Ok(FrameLength::Need(64)),
            (Flaw::TakesAllThereIs, FrameLength::Known(total)) => {
                Ok(FrameLength::Known(total.max(head.len())))
            }
            (Flaw::RefusesSplitFrames, FrameLength::Need(_)) => {
                Err(DecodeError::connection("head", Fault::Truncated))
            }
            (Flaw::AsksForNothing, FrameLength::Need(_)) => Ok(FrameLength::Need(head.len())),
            (Flaw::RemembersTheLastLength, FrameLength::Known(total)) => {
                Ok(FrameLength::Known(*self.last.get_or_insert(total as u64) as usize))
            }
            (Flaw::TrustsTheLength, FrameLength::Known(total)) => {
                let room = Vec::<u8>::with_capacity(total.min(1 << 28));
                Ok(FrameLength::Known(total.max(room.len())))
            }
            _ => Ok(good),
        }
    }

    fn decode(&mut self, frame: Bytes, metadata: &mut Metadata) -> Result<(), DecodeError> {
        match self.flaw {
            Flaw::PanicsOnTruncatedFrames => assert!(frame[..FIXED].len() == FIXED),
            Flaw::PanicsOnUnknownKinds => assert!(frame.get(1).is_none_or(|kind| *kind < 6)),
            _ => {}
        }
        BinaryCodec.decode(frame, metadata)?;
        self.spoil(metadata)
    }

    fn encode(
        &self,
        metadata: &Metadata,
        mutation: &Mutation,
        out: &mut Output,
    ) -> Result<(), EncodeError> {
        let result = self.encode_wrongly(metadata, mutation, out);
        match (self.flaw, &result) {
            (Flaw::EncodesBeforeItRefuses, Err(_)) => out.copy(b"half"),
            (Flaw::ClearsTheOutput, Err(_)) => out.clear(),
            _ => {}
        }
        result
    }

    fn on_error(
        &self,
        request: &RequestHead,
        error: &Error,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let id = request.request_id.unwrap_or_default();
        match self.flaw {
            Flaw::ReservesForReplies => out.reserve(10 << 20),
            Flaw::HasNoAnswerForDraining if error.kind == ErrorKind::Draining => {
                return unsupported("draining");
            }
            Flaw::AnswersBeforeItRefuses if error.kind == ErrorKind::Draining => {
                out.extend_from_slice(b"half");
                return unsupported("draining");
            }
            _ => {}
        }
        let answer = |id: u64, kind: u8, code: u8| frame(kind, id as u32, code, "", b"");
        let reply = match self.flaw {
            Flaw::AnswersWithTheIdZero => answer(0, 2, 1),
            Flaw::AnswersWithHalfAnId => answer(id & 0xffff, 2, 1),
            Flaw::AnswersWithTheLastId => answer(self.last.unwrap_or_default(), 2, 1),
            Flaw::AnswersWithOk => answer(id, 2, 0),
            Flaw::AnswersWithARequest => answer(id, 0, 1),
            Flaw::AnswersWithLongTexts => {
                let mut reply = frame(2, id as u32, 1, "", error.message.as_bytes());
                let short = (reply.len() as u16).to_be_bytes();
                reply[2..6].copy_from_slice(&[0, 0, short[0], short[1]]);
                reply
            }
            _ => return BinaryCodec.on_error(request, error, out),
        };
        out.extend_from_slice(&reply);
        Ok(())
    }

    fn patch_request_id(&self, header: &mut [u8], id: u64) -> Result<(), EncodeError> {
        match self.flaw {
            Flaw::RefusesToPatch => return unsupported("ids"),
            Flaw::PatchesLittleEndian => {
                BinaryCodec.patch_request_id(header, id)?;
                header[6..10].reverse();
            }
            Flaw::PatchesMoreThanTheId => {
                BinaryCodec.patch_request_id(header, id)?;
                header[1] = 2;
            }
            Flaw::PatchesWideIdsCutOff => {
                return BinaryCodec.patch_request_id(header, id & 0xffff_ffff);
            }
            Flaw::PatchesBeforeItRefuses => {
                if let Some(first) = header.get_mut(6) {
                    *first = id as u8;
                }
            }
            Flaw::PanicsOnShortHeaders => header[6..10].fill(0),
            _ => {}
        }
        match self.flaw {
            Flaw::PatchesLittleEndian | Flaw::PatchesMoreThanTheId => Ok(()),
            _ => BinaryCodec.patch_request_id(header, id),
        }
    }

    fn peek_request(&self, head: &[u8]) -> Option<RequestHead> {
        let good = BinaryCodec.peek_request(head)?;
        match self.flaw {
            Flaw::PeeksAnotherId => {
                Some(RequestHead::peeked(good.kind, good.request_id.map(|id| id ^ 1), &[]))
            }
            _ => Some(good),
        }
    }

    fn ping(&self, id: u64, out: &mut BytesMut) -> Result<(), EncodeError> {
        match self.flaw {
            Flaw::HasNoPing => unsupported("pings"),
            _ => BinaryCodec.ping(id, out),
        }
    }

    fn pong(&self, ping: &Metadata, out: &mut BytesMut) -> Result<(), EncodeError> {
        match self.flaw {
            Flaw::PongsWithAnotherId => out.extend_from_slice(&frame(4, 99, 0, "", b"")),
            Flaw::PongsWithAPing => {
                return BinaryCodec.ping(ping.request_id.unwrap_or_default(), out);
            }
            _ => return BinaryCodec.pong(ping, out),
        }
        Ok(())
    }

    fn go_away(&self, out: &mut BytesMut) -> Result<(), EncodeError> {
        match (self.flaw, self.side) {
            (Flaw::GoesAwayWithAPing, _) => BinaryCodec.ping(0, out),
            // That a server may not be asked to go away is no flaw.
            (_, Side::Upstream) => unsupported("go-aways to servers"),
            (_, Side::Downstream) => BinaryCodec.go_away(out),
        }
    }

    fn set_deadline(&self, stretch: &mut [u8], remaining: Duration) -> Result<(), EncodeError> {
        match (self.flaw, &mut *stretch) {
            (Flaw::SetsDeadlinesInSilence, _) => Ok(()),
            (Flaw::RefusesDeadlines, _) => unsupported("deadlines"),
            (Flaw::TakesNoTimeForNoLimit, [seconds, _]) if remaining.is_zero() => {
                *seconds = 0;
                Ok(())
            }
            (Flaw::SetsMoreThanTheDeadline, [_, method_len]) => {
                *method_len = method_len.saturating_sub(1);
                BinaryCodec.set_deadline(stretch, remaining)
            }
            _ => BinaryCodec.set_deadline(stretch, remaining),
        }
    }

    fn encode_timed(
        &self,
        metadata: &Metadata,
        mutation: &Mutation,
        out: &mut Output,
    ) -> Result<Option<Range<usize>>, EncodeError> {
        match self.flaw {
            Flaw::SetsDeadlinesElsewhere => {
                self.encode(metadata, mutation, out).map(|()| Some(CODE - 1..FIXED - 1))
            }
            Flaw::EncodesOtherwiseWhenTimed => {
                BinaryCodec.encode_timed(metadata, &Mutation::new(), out)
            }
            _ => {
                self.encode(metadata, mutation, out)?;
                Ok(metadata.timeout_place.clone())
            }
        }
    }
}
