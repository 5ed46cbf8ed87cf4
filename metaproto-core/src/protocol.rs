//! A protocol as the engine sees it before any byte has arrived: its name, what it can do, and a
//! way to make codecs for connections.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::{Codec, Explanation, Limits, explain};

/// Makes the codecs of one protocol. Cheap to share, made once, usually by `main`.
///
/// Protocols of one name that look different when printed with [`Debug`](fmt::Debug) have other options:
/// the engine keeps their upstream connections apart.
pub trait Protocol: Send + Sync + fmt::Debug {
    /// The name used in configuration, metrics and logs; lower case.
    fn name(&self) -> &str;

    /// Other names that configuration may use.
    fn aliases(&self) -> &[&str] {
        &[]
    }

    /// What the protocol can do; checked when configuration is loaded.
    fn capabilities(&self) -> Capabilities;

    /// Makes the codec for one direction of a new connection.
    fn codec(&self, context: &CodecContext) -> Box<dyn Codec>;

    /// The protocol with `options` applied, as they stand in configuration below the protocol.
    ///
    /// # Errors
    /// [`OptionError`] names the option that isn't known or has a bad value. By default a protocol
    /// has no options.
    fn configure(&self, options: &Options) -> Result<Arc<dyn Protocol>, OptionError>;

    /// Whether the first bytes of a connection, sent by a client, look like this protocol.
    /// Must reach a verdict within a few dozen bytes.
    fn probe(&self, head: &[u8]) -> Probe {
        let _ = head;
        Probe::No
    }

    /// Tells a person what the frame at the front of `bytes` says, part by part; `side` is who sent
    /// it. Bytes that can't be read are explained as far as they can be.
    ///
    /// The default asks the codec: it tells what a decoded message has, and where in the frame the
    /// codec has found it. A protocol that knows its fields by name can tell more.
    fn explain(&self, side: Side, bytes: &[u8]) -> Explanation {
        explain::by_decoding(self, side, bytes)
    }
}

/// The options of a protocol, by name, as written in configuration.
pub type Options = BTreeMap<String, String>;

/// Refuses `options` of a protocol that has none: what most [`Protocol::configure`] begin with.
///
/// # Errors
/// [`OptionError`] for the first option, if there is one.
pub fn no_options(protocol: &str, options: &Options) -> Result<(), OptionError> {
    match options.keys().next() {
        None => Ok(()),
        Some(name) => Err(OptionError {
            option: name.clone(),
            reason: format!("the protocol {protocol} has no options"),
        }),
    }
}

/// An option that a protocol refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("option {option:?}: {reason}")]
pub struct OptionError {
    /// The option's name.
    pub option: String,
    /// What is wrong and what would be right.
    pub reason: String,
}

/// What a new codec is told.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CodecContext {
    /// Whose bytes the codec reads.
    pub side: Side,
    /// Bounds that the codec must keep.
    pub limits: Limits,
    /// The properties that anybody will ask for; others need not be decoded.
    pub interest: Arc<Interest>,
}

impl CodecContext {
    /// A context that asks for every property.
    #[must_use]
    pub fn new(side: Side, limits: Limits) -> Self {
        CodecContext { side, limits, interest: Arc::new(Interest::All) }
    }

    /// The same context with other `interest`.
    #[must_use]
    pub fn with_interest(mut self, interest: Arc<Interest>) -> Self {
        self.interest = interest;
        self
    }
}

/// The end of a connection that a codec's peer is.
///
/// Protocols whose frames do not tell requests from responses use it to tell the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The peer is a client: the codec reads requests and writes responses.
    Downstream,
    /// The peer is a server: the codec reads responses and writes requests.
    Upstream,
}

/// Which properties routes, filters, logs and tags ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interest {
    /// Every property.
    All,
    /// Only these, in lower case; the list may be empty.
    Only(Vec<String>),
}

impl Interest {
    /// Whether a property of this name is asked for.
    #[must_use]
    pub fn wants(&self, name: &str) -> bool {
        self.wants_bytes(name.as_bytes())
    }

    /// The same, for a name as it stands in a frame.
    #[must_use]
    pub fn wants_bytes(&self, name: &[u8]) -> bool {
        match self {
            Interest::All => true,
            Interest::Only(names) => names.iter().any(|n| n.as_bytes().eq_ignore_ascii_case(name)),
        }
    }
}

/// The verdict of [`Protocol::probe`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// These bytes are not of this protocol.
    No,
    /// Can't be told before this many bytes have arrived.
    Need(usize),
    /// These bytes are of this protocol.
    Yes,
}

/// What a protocol can do. The engine reads it where others would compare names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// How a response finds its request.
    pub correlation: Correlation,
    /// Clients expect responses in the order of their requests, although each has an id: they don't
    /// choose ids that tell requests apart. Upstream connections that are shared go by ids all the
    /// same; exclusive ones go by order.
    pub in_order: bool,
    /// Messages are written by [`Codec::translate_request`] and [`Codec::translate_response`] for the
    /// connection that they leave on, which may be of another dialect than that which they came on.
    pub translates: bool,
    /// How upstream connections are used unless configuration says otherwise.
    pub sharing: Sharing,
    /// There are requests without a response.
    pub oneway: bool,
    /// There are messages of the `Stream` kinds.
    pub streaming: bool,
    /// The codec can write pings and pongs.
    pub ping: bool,
    /// The codec can write a go-away.
    pub go_away: bool,
    /// The codec can write error replies.
    pub error_replies: bool,
    /// Which properties messages have, and what can be done to them.
    pub properties: PropertySchema,
    /// [`Protocol::probe`] tells this protocol from others.
    pub probe: bool,
}

impl Capabilities {
    /// The least a request/response protocol has: no ids, no one-way, no pings, no properties.
    #[must_use]
    pub fn new(correlation: Correlation) -> Self {
        let sharing = match correlation {
            Correlation::Id { .. } => Sharing::Shared,
            Correlation::Order => Sharing::Exclusive,
        };
        Capabilities {
            correlation,
            in_order: correlation == Correlation::Order,
            translates: false,
            sharing,
            oneway: false,
            streaming: false,
            ping: false,
            go_away: false,
            error_replies: true,
            properties: PropertySchema::default(),
            probe: false,
        }
    }
}

/// How a response finds its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correlation {
    /// By an id of this many bits that the response repeats. Responses may come in any order.
    Id {
        /// The width of the id, 8 to 64: ids are remapped within it.
        bits: u8,
    },
    /// By order: the n-th response answers the n-th request.
    Order,
}

/// How the engine uses the connections to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sharing {
    /// Many clients on few connections; ids are remapped on the way up and restored on the way back.
    Shared,
    /// One request at a time on a connection, which goes back to a pool after the response.
    Exclusive,
    /// One upstream connection for each client connection, for protocols with a handshake or session.
    Bound,
}

impl Sharing {
    /// The word that configuration uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Sharing::Shared => "shared",
            Sharing::Exclusive => "exclusive",
            Sharing::Bound => "bound",
        }
    }
}

impl fmt::Display for Sharing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The properties of a protocol's messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PropertySchema {
    /// The properties that messages always have, or have by definition.
    pub known: Vec<PropertyInfo>,
    /// Whether messages may have others besides (header sections, attachments).
    pub open: Option<MutationSupport>,
    /// Properties stand in the body, so that a change of them is one of the body.
    pub in_body: bool,
}

impl PropertySchema {
    /// What can be done to the property `name`, or `None` if no message can have it.
    #[must_use]
    pub fn support(&self, name: &str) -> Option<MutationSupport> {
        let known = self.known.iter().find(|p| p.name.eq_ignore_ascii_case(name));
        let begun = || self.known.iter().filter(|p| p.stands_for(name));
        let known = known.or_else(|| begun().max_by_key(|p| p.name.len()));
        known.map(|p| p.mutation).or(self.open)
    }
}

/// One property that a protocol defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyInfo {
    /// The name, in the protocol's own case. One that ends in `*` stands for all names that begin so.
    pub name: String,
    /// What can be done to it.
    pub mutation: MutationSupport,
}

impl PropertyInfo {
    /// Whether it stands for `name`, among others.
    fn stands_for(&self, name: &str) -> bool {
        let front = self
            .name
            .strip_suffix('*')
            .and_then(|prefix| Some((prefix, name.as_bytes().get(..prefix.len())?)));
        front.is_some_and(|(prefix, front)| prefix.as_bytes().eq_ignore_ascii_case(front))
    }
}

/// Which mutations a property allows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MutationSupport {
    /// It can be given another value.
    pub set: bool,
    /// A further value can be added.
    pub append: bool,
    /// It can be taken out.
    pub remove: bool,
}

impl MutationSupport {
    /// Can be read, not written.
    pub const NONE: Self = MutationSupport { set: false, append: false, remove: false };
    /// Can be set; always there. Fields of a fixed header.
    pub const SET: Self = MutationSupport { set: true, append: false, remove: false };
    /// Everything. Entries of a header section.
    pub const ALL: Self = MutationSupport { set: true, append: true, remove: true };
}
