//! The protocol that a message makes.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use super::codec::MessageCodec;
use super::{Message, Spec, explain, support};
use crate::{
    Capabilities, Codec, CodecContext, Correlation, Explanation, MessageKind, MutationSupport,
    OptionError, Options, Probe, PropertyInfo, PropertySchema, Protocol, Side, no_options,
};

/// The protocol whose messages are `M`s. What `M::protocol()` returns.
pub struct Derived<M>(PhantomData<M>);

impl<M> Derived<M> {
    /// The only value there is.
    #[must_use]
    pub const fn new() -> Self {
        Derived(PhantomData)
    }
}

impl<M> Default for Derived<M> {
    fn default() -> Self {
        Derived::new()
    }
}

impl<M: Message> fmt::Debug for Derived<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Derived").field(&M::SPEC.protocol).finish()
    }
}

impl<M: Message> Protocol for Derived<M> {
    fn name(&self) -> &str {
        M::SPEC.protocol
    }

    fn aliases(&self) -> &[&str] {
        M::SPEC.aliases
    }

    fn capabilities(&self) -> Capabilities {
        let spec = M::SPEC;
        let correlation = match spec.request_id_bits {
            // An id that can't be changed must be left as the client has chosen it.
            Some(bits) if !spec.sealed_id => Correlation::Id { bits },
            _ => Correlation::Order,
        };
        let mut capabilities = Capabilities::new(correlation);
        capabilities.sharing = spec.sharing.unwrap_or(capabilities.sharing);
        capabilities.oneway = spec.has_kind(MessageKind::Oneway);
        capabilities.ping = spec.has_kind(MessageKind::Ping) && spec.has_kind(MessageKind::Pong);
        capabilities.go_away = spec.has_kind(MessageKind::GoAway);
        capabilities.error_replies = spec.errors.is_some() && spec.status.is_some();
        capabilities.properties = schema(spec);
        capabilities.probe = starts_with_constant::<M>();
        capabilities
    }

    fn codec(&self, context: &CodecContext) -> Box<dyn Codec> {
        Box::new(MessageCodec::<M>::new(context))
    }

    fn configure(&self, options: &Options) -> Result<Arc<dyn Protocol>, OptionError> {
        no_options(self.name(), options)?;
        Ok(Arc::new(Self::new()))
    }

    fn probe(&self, head: &[u8]) -> Probe {
        if !starts_with_constant::<M>() || support::check_prefix(head, M::CONSTANTS).is_err() {
            return Probe::No;
        }
        let ends = M::CONSTANTS.iter().map(|c| c.offset.saturating_add(c.bytes.len()));
        match ends.max() {
            Some(end) if head.len() < end => Probe::Need(end),
            _ => Probe::Yes,
        }
    }

    fn explain(&self, side: Side, bytes: &[u8]) -> Explanation {
        explain::message::<M>(side, bytes)
    }
}

/// What can be asked of messages: fields, entries whose names are known, and any other entry.
fn schema(spec: &Spec) -> PropertySchema {
    let fields = spec.properties.iter().map(|property| PropertyInfo {
        name: property.name.to_owned(),
        mutation: if property.settable { MutationSupport::SET } else { MutationSupport::NONE },
    });
    let mut schema = PropertySchema { known: fields.collect(), open: None, in_body: false };
    for section in spec.sections {
        let named = section.tags.unwrap_or_default().iter().map(|(_, name)| PropertyInfo {
            name: format!("{}{name}", section.prefix),
            mutation: MutationSupport::ALL,
        });
        schema.known.extend(named);
        // A tag without a name goes by its digits, and a name that is none can't be written.
        let others = match section.tags {
            Some(_) => MutationSupport::NONE,
            None => MutationSupport::ALL,
        };
        match section.prefix {
            "" => schema.open = Some(others),
            prefix => {
                let name = format!("{prefix}*");
                schema.known.push(PropertyInfo { name, mutation: others });
            }
        }
    }
    schema
}

/// A constant further back is too little to tell a protocol by: others may have the same byte there.
fn starts_with_constant<M: Message>() -> bool {
    M::CONSTANTS.iter().any(|constant| constant.offset == 0)
}
