//! Protocols whose messages are of several layouts.

use std::fmt;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::choice::Chosen;
use super::codec::{self, MessageCodec};
use super::variants::VariantsCodec;
use super::{Derived, FieldInfo, Header, Message, Spec};
use crate::{
    Capabilities, Codec, CodecContext, Correlation, DecodeError, EncodeError, Error, Explanation,
    MessageKind, OptionError, Options, Probe, Protocol, Sharing, Side, no_options,
};

/// How a variant is told from the first bytes of a frame.
pub(super) type Choose = fn(Side, &[u8]) -> Result<Chosen, DecodeError>;

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

pub(super) type Test<'a> = &'a dyn Fn(&[u8]) -> bool;

/// What is to be answered, and how.
#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "it holds a closure")]
pub struct Asking<'a> {
    /// Whether a header is one of the variant that answers.
    pub(super) is_own: Test<'a>,
    pub(super) fields: &'static [FieldInfo],
    pub(super) header: &'a [u8],
    pub(super) id: Option<u64>,
    pub(super) kind: MessageKind,
    pub(super) error: Option<&'a Error>,
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
