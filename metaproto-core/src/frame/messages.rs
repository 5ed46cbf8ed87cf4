//! Protocols whose messages are of several layouts.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::choice::Chosen;
use super::codec::{self, MessageCodec};
use super::{Derived, FieldInfo, Header, Message, Spec};
use crate::{
    Capabilities, Codec, CodecContext, Correlation, DecodeError, EncodeError, Error, Explanation,
    FrameLength, Interest, MessageKind, Metadata, Mutation, OptionError, Options, Output, Probe,
    Protocol, RequestHead, Sharing, Side, no_options,
};

/// How a variant is told from the first bytes of a frame.
type Choose = fn(Side, &[u8]) -> Result<Chosen, DecodeError>;

/// A protocol whose messages are the variants of an enum. What its `protocol()` returns.
pub struct Variants {
    /// The protocol's name.
    pub name: &'static str,
    /// Its other names.
    pub aliases: &'static [&'static str],
    /// How upstream connections are used by default; what the variants say if `None`.
    pub sharing: Option<Sharing>,
    /// Tells the variant.
    pub choose: Choose,
    /// What each of them is.
    pub variants: &'static [&'static dyn Variant],
}

impl fmt::Debug for Variants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Variants").field(&self.name).finish()
    }
}

/// A variant: a message with a layout of its own.
pub trait Variant: Sync + sealed::Sealed {
    /// What it is, as data.
    #[doc(hidden)]
    fn spec(&self) -> &'static Spec;

    /// The fields of its fixed part.
    #[doc(hidden)]
    fn fields(&self) -> &'static [FieldInfo];

    /// What it can do.
    #[doc(hidden)]
    fn capabilities(&self) -> Capabilities;

    /// A codec for it.
    #[doc(hidden)]
    fn codec(&self, context: &CodecContext) -> Box<dyn Codec>;

    /// Whether the first bytes look like it.
    #[doc(hidden)]
    fn probe(&self, head: &[u8]) -> Probe;

    /// Explains it.
    #[doc(hidden)]
    fn explain(&self, side: Side, bytes: &[u8]) -> Explanation;

    /// Appends a message of this variant that answers one of another.
    ///
    /// # Errors
    /// As [`Codec::on_error`].
    #[doc(hidden)]
    fn answer(&self, to: &Asking<'_>, out: &mut BytesMut) -> Result<(), EncodeError>;
}

mod sealed {
    pub trait Sealed {}
    impl<M: super::Message> Sealed for super::Derived<M> {}
}

type Test<'a> = &'a dyn Fn(&[u8]) -> bool;

/// What is to be answered, and how.
#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "it holds a closure")]
pub struct Asking<'a> {
    /// Whether a header is one of the variant that answers.
    is_own: Test<'a>,
    fields: &'static [FieldInfo],
    header: &'a [u8],
    id: Option<u64>,
    kind: MessageKind,
    error: Option<&'a Error>,
}

impl<M: Message> Variant for Derived<M> {
    fn spec(&self) -> &'static Spec {
        M::SPEC
    }

    fn fields(&self) -> &'static [FieldInfo] {
        M::FIELDS
    }

    fn capabilities(&self) -> Capabilities {
        Protocol::capabilities(self)
    }

    fn codec(&self, context: &CodecContext) -> Box<dyn Codec> {
        Box::new(MessageCodec::<M>::new(context))
    }

    fn probe(&self, head: &[u8]) -> Probe {
        Protocol::probe(self, head)
    }

    fn explain(&self, side: Side, bytes: &[u8]) -> Explanation {
        Protocol::explain(self, side, bytes)
    }

    /// The defaults of this variant, and the fields that have none and the same name as one of what
    /// is answered.
    fn answer(&self, to: &Asking<'_>, out: &mut BytesMut) -> Result<(), EncodeError> {
        let mut header = M::TEMPLATE;
        let is_constant =
            |field: &&FieldInfo| M::CONSTANTS.iter().any(|c| c.offset == field.offset);
        for field in M::FIELDS.iter().filter(|field| !is_constant(field)) {
            let before = header;
            copy_field(field, to, header.as_mut_slice());
            // What tells the variants apart is not taken over.
            if !(to.is_own)(header.as_slice()) && (to.is_own)(before.as_slice()) {
                header = before;
            }
        }
        codec::complete::<M>(&mut header, to.id, to.kind)?;
        codec::answer::<M>(header, to.error, out)
    }
}

fn copy_field(field: &FieldInfo, from: &Asking<'_>, header: &mut [u8]) {
    let same = |other: &&FieldInfo| other.name == field.name && other.width == field.width;
    let Some(source) = from.fields.iter().find(same) else { return };
    let Some(place) = header.get_mut(field.range()) else { return };
    let is_free = place.iter().all(|byte| *byte == 0);
    if let (true, Some(bytes)) = (is_free, from.header.get(source.range())) {
        place.copy_from_slice(bytes);
        if source.format != field.format {
            place.reverse();
        }
    }
}

impl Variants {
    fn variant(&self, has: impl Fn(&Spec) -> bool) -> Option<usize> {
        self.variants.iter().position(|variant| has(variant.spec()))
    }

    fn has_kind(&self, kind: MessageKind) -> bool {
        self.variant(|spec| spec.has_kind(kind)).is_some()
    }
}

impl Protocol for Variants {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[&str] {
        self.aliases
    }

    fn capabilities(&self) -> Capabilities {
        let all: Vec<Capabilities> = self.variants.iter().map(|v| v.capabilities()).collect();
        let bits = all.iter().map(|one| match one.correlation {
            Correlation::Id { bits } => Some(bits),
            Correlation::Order => None,
        });
        // An id is of use only if requests and responses have it.
        let bits = bits.collect::<Option<Vec<_>>>().and_then(|bits| bits.into_iter().min());
        let mut capabilities = Capabilities::new(match bits {
            Some(bits) => Correlation::Id { bits },
            None => Correlation::Order,
        });
        capabilities.sharing = self.sharing.unwrap_or(capabilities.sharing);
        capabilities.oneway = self.has_kind(MessageKind::Oneway);
        capabilities.ping = self.has_kind(MessageKind::Ping) && self.has_kind(MessageKind::Pong);
        capabilities.go_away = self.has_kind(MessageKind::GoAway);
        capabilities.error_replies = all.iter().any(|one| one.error_replies);
        capabilities.probe = all.iter().any(|one| one.probe);
        for properties in all.into_iter().map(|one| one.properties) {
            for property in properties.known {
                let known = &mut capabilities.properties.known;
                if !known.iter().any(|one| one.name.eq_ignore_ascii_case(&property.name)) {
                    known.push(property);
                }
            }
            capabilities.properties.open = capabilities.properties.open.or(properties.open);
        }
        capabilities
    }

    fn codec(&self, context: &CodecContext) -> Box<dyn Codec> {
        Box::new(VariantsCodec {
            side: context.side,
            choose: self.choose,
            variants: self.variants,
            codecs: self.variants.iter().map(|variant| variant.codec(context)).collect(),
        })
    }

    fn configure(&self, options: &Options) -> Result<Arc<dyn Protocol>, OptionError> {
        no_options(self.name, options)?;
        let Variants { name, aliases, sharing, choose, variants } = *self;
        Ok(Arc::new(Variants { name, aliases, sharing, choose, variants }))
    }

    fn probe(&self, head: &[u8]) -> Probe {
        match (self.choose)(Side::Downstream, head) {
            Err(_) => Probe::No,
            Ok(Chosen::Need(needed)) => Probe::Need(needed),
            Ok(Chosen::Variant(index)) => {
                self.variants.get(index).map_or(Probe::No, |variant| variant.probe(head))
            }
        }
    }

    fn explain(&self, side: Side, bytes: &[u8]) -> Explanation {
        let chosen = (self.choose)(side, bytes);
        let variant = match &chosen {
            Ok(Chosen::Variant(index)) => self.variants.get(*index),
            _ => None,
        };
        if let Some(variant) = variant {
            return variant.explain(side, bytes);
        }
        let mut explanation = Explanation::new(Bytes::copy_from_slice(bytes));
        match chosen {
            Err(error) => explanation.stop_at(&error),
            Ok(_) => explanation.stop("the frame ends before what tells its kind"),
        };
        explanation
    }
}

/// Hands each message to the codec of its variant.
struct VariantsCodec {
    side: Side,
    choose: Choose,
    variants: &'static [&'static dyn Variant],
    codecs: Vec<Box<dyn Codec>>,
}

/// A variant, by its place, and its codec.
type Found<'a> = (usize, &'a dyn Codec);

impl VariantsCodec {
    fn chosen(&self, head: &[u8]) -> Result<usize, DecodeError> {
        match (self.choose)(self.side, head)? {
            Chosen::Variant(index) => Ok(index),
            Chosen::Need(_) => Err(super::support::truncated()),
        }
    }

    /// The codec for a frame that has been read before, from this side.
    fn of_frame(&self, side: Side, head: &[u8]) -> Result<Found<'_>, EncodeError> {
        let index = match (self.choose)(side, head) {
            Ok(Chosen::Variant(index)) => Some(index),
            _ => None,
        };
        let found = index.and_then(|index| Some((index, &**self.codecs.get(index)?)));
        found.ok_or(EncodeError::Unsupported("this message"))
    }

    /// Whose messages this codec writes.
    fn written_side(&self) -> Side {
        match self.side {
            Side::Downstream => Side::Upstream,
            Side::Upstream => Side::Downstream,
        }
    }

    /// Whether a property is one of other variants only. In this one its name would be that of an
    /// entry of a section.
    fn is_foreign(&self, index: usize, name: &str) -> bool {
        let has = |variant: &&dyn Variant| {
            let properties = variant.spec().properties;
            properties.iter().any(|property| property.name.eq_ignore_ascii_case(name))
        };
        !self.variants.get(index).is_some_and(has) && self.variants.iter().any(has)
    }

    /// The codec of the first variant that has messages of this kind.
    fn of_kind(&self, kind: MessageKind) -> Result<usize, EncodeError> {
        let found = self.variants.iter().position(|variant| variant.spec().has_kind(kind));
        found.ok_or(EncodeError::Unsupported("messages of this kind"))
    }

    /// Answers the message with this header in a variant of another layout.
    fn answer(
        &self,
        with: usize,
        header: &[u8],
        (id, kind): (Option<u64>, MessageKind),
        error: Option<&Error>,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let asked = self.chosen(header).ok().and_then(|index| self.variants.get(index));
        let fields = asked.map_or(&[][..], |variant| variant.fields());
        let variant = self.variants.get(with).ok_or(EncodeError::Unsupported("answers"))?;
        let is_own =
            |header: &[u8]| (self.choose)(self.written_side(), header) == Ok(Chosen::Variant(with));
        variant.answer(&Asking { is_own: &is_own, fields, header, id, kind, error }, out)
    }
}

impl Codec for VariantsCodec {
    fn frame_length(&mut self, head: &[u8]) -> Result<FrameLength, DecodeError> {
        match (self.choose)(self.side, head)? {
            Chosen::Need(needed) => Ok(FrameLength::Need(needed.max(head.len().saturating_add(1)))),
            Chosen::Variant(index) => match self.codecs.get_mut(index) {
                Some(codec) => codec.frame_length(head),
                None => Err(super::support::truncated()),
            },
        }
    }

    fn decode(&mut self, frame: Bytes, metadata: &mut Metadata) -> Result<(), DecodeError> {
        let chosen = self.chosen(&frame);
        match chosen.map(|index| self.codecs.get_mut(index)) {
            Ok(Some(codec)) => codec.decode(frame, metadata),
            other => {
                metadata.frame = frame;
                Err(other.err().unwrap_or_else(super::support::truncated))
            }
        }
    }

    fn encode(
        &self,
        metadata: &Metadata,
        mutation: &Mutation,
        out: &mut Output,
    ) -> Result<(), EncodeError> {
        // Either side's messages are changed by the codec of the client's connection.
        let side = match metadata.kind {
            MessageKind::Response | MessageKind::Pong => Side::Upstream,
            _ => Side::Downstream,
        };
        let (index, codec) = self.of_frame(side, &metadata.frame)?;
        match mutation.changes().iter().find(|change| self.is_foreign(index, change.name())) {
            None => codec.encode(metadata, mutation, out),
            Some(change) => Err(super::change::unsupported(change)),
        }
    }

    fn on_error(
        &self,
        request: &RequestHead,
        error: &Error,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let can = |index: usize| {
            self.variants.get(index).is_some_and(|variant| variant.capabilities().error_replies)
        };
        let header = request.context();
        let own = self.chosen(header).ok().filter(|index| can(*index));
        if let Some(codec) = own.and_then(|index| self.codecs.get(index)) {
            return codec.on_error(request, error, out);
        }
        let with = (0..self.variants.len()).find(|index| can(*index));
        let with = with.ok_or(EncodeError::Unsupported("error replies"))?;
        let asked = (request.request_id, MessageKind::Response);
        self.answer(with, header, asked, Some(error), out)
    }

    fn patch_request_id(&self, header: &mut [u8], id: u64) -> Result<(), EncodeError> {
        self.of_frame(self.written_side(), header)?.1.patch_request_id(header, id)
    }

    fn set_interest(&mut self, interest: &Arc<Interest>) {
        for codec in &mut self.codecs {
            codec.set_interest(interest);
        }
    }

    fn peek_request(&self, head: &[u8]) -> Option<RequestHead> {
        self.of_frame(self.side, head).ok()?.1.peek_request(head)
    }

    fn ping(&self, id: u64, out: &mut BytesMut) -> Result<(), EncodeError> {
        let index = self.of_kind(MessageKind::Ping)?;
        self.codecs.get(index).map_or(Ok(()), |codec| codec.ping(id, out))
    }

    fn pong(&self, ping: &Metadata, out: &mut BytesMut) -> Result<(), EncodeError> {
        let with = self.of_kind(MessageKind::Pong)?;
        if self.chosen(&ping.frame) == Ok(with) {
            return self.of_frame(self.side, &ping.frame)?.1.pong(ping, out);
        }
        self.answer(with, ping.header(), (ping.request_id, MessageKind::Pong), None, out)
    }

    fn go_away(&self, out: &mut BytesMut) -> Result<(), EncodeError> {
        let index = self.of_kind(MessageKind::GoAway)?;
        self.codecs.get(index).map_or(Ok(()), |codec| codec.go_away(out))
    }

    fn set_deadline(&self, header: &mut [u8], remaining: Duration) -> Result<(), EncodeError> {
        self.of_frame(self.written_side(), header)?.1.set_deadline(header, remaining)
    }
}
