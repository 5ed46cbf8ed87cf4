//! The protocol, as an engine is given it.

use std::sync::Arc;

use metaproto_core::{
    Capabilities, Codec, CodecContext, Correlation, MutationSupport, OptionError, Options, Probe,
    PropertyInfo, PropertySchema, Protocol, Sharing,
};

use crate::asked::{ARGUMENT, OWN};
use crate::codec::ThriftCodec;
use crate::describe::Methods;
use crate::dialect::{Detected, Dialect, Encoding, Transport, detect};
use crate::envelope::Envelope;

/// The option that says what carries messages.
const TRANSPORT: &str = "transport";

/// The option that says how messages are encoded.
const PROTOCOL: &str = "protocol";

const TRANSPORTS: [Transport; 4] =
    [Transport::Framed, Transport::Unframed, Transport::Header, Transport::TtHeader];

const ENCODINGS: [Encoding; 3] = [Encoding::Binary, Encoding::OldBinary, Encoding::Compact];

/// What a word of configuration stands for; `auto` is none of them.
fn word<T: Copy + ToString>(value: &str, all: &[T]) -> Result<Option<T>, String> {
    let found = all.iter().find(|one| one.to_string() == value);
    let words: Vec<_> = all.iter().map(T::to_string).collect();
    match found {
        None if value != "auto" => Err(format!("{value:?} is none of auto, {}", words.join(", "))),
        found => Ok(found.copied()),
    }
}

/// The option that names methods without an answer.
const ONEWAY: &str = "oneway";

/// Headers: an entry can be set and taken out, and there is one of each name.
const ENTRY: MutationSupport = MutationSupport { set: true, append: false, remove: true };

/// Apache Thrift, on every transport and in every encoding that can be told by its first bytes.
///
/// The option `transport` is `auto` (the default: the first bytes of each connection tell), `framed`,
/// `unframed`, `header`, `ttheader` or `ttheader-framed`, in which messages behind the header have a length
/// in front once more. With `framed` and `unframed` there are no headers to change.
///
/// The option `protocol` is `auto` (the default), `binary`, `old-binary` or `compact`: how messages are
/// encoded. For a listener both say what clients have to speak; for a cluster, what its endpoints are
/// spoken to in, whatever the client speaks.
///
/// The option `oneway` names methods that have no answer, as in `note,Users:touch`, with a comma between.
/// Clients in Go send calls of such methods like any other, so that the bytes don't tell.
#[derive(Debug, Clone, Default)]
pub struct Thrift {
    dialect: Dialect,
    oneway: Methods,
}

impl Thrift {
    /// The protocol with its default options.
    #[must_use]
    pub fn protocol() -> Arc<dyn Protocol> {
        Arc::new(Thrift::default())
    }
}

impl Protocol for Thrift {
    fn name(&self) -> &str {
        "thrift"
    }

    fn capabilities(&self) -> Capabilities {
        // Clients take answers in the order of their requests, and many send all requests with one
        // number.
        let mut capabilities = Capabilities::new(match self.dialect.has_ids() {
            true => Correlation::Id { bits: 32 },
            false => Correlation::Order,
        });
        capabilities.in_order = true;
        // Most servers take one call of a connection after the other.
        capabilities.sharing = Sharing::Exclusive;
        capabilities.translates = true;
        capabilities.oneway = true;
        capabilities.probe = true;
        let fixed = |name: String| PropertyInfo { name, mutation: MutationSupport::NONE };
        let own = OWN.iter().map(|name| fixed((*name).to_owned()));
        let has_headers = self.dialect.transport.is_none_or(Transport::has_headers);
        capabilities.properties = PropertySchema {
            known: own.chain([fixed(format!("{ARGUMENT}*"))]).collect(),
            open: has_headers.then_some(ENTRY),
            in_body: false,
        };
        capabilities
    }

    fn codec(&self, context: &CodecContext) -> Box<dyn Codec> {
        Box::new(ThriftCodec::new(context, self.dialect, self.oneway.clone()))
    }

    fn configure(&self, options: &Options) -> Result<Arc<dyn Protocol>, OptionError> {
        let mut protocol = self.clone();
        for (option, value) in options {
            let refused = |reason| OptionError { option: option.clone(), reason };
            match option.as_str() {
                TRANSPORT => {
                    let is_within = value == "ttheader-framed";
                    let value = if is_within { "ttheader" } else { value };
                    let transport = word(value, &TRANSPORTS).map_err(refused)?;
                    let is_tt_header = transport == Some(Transport::TtHeader);
                    protocol.dialect.transport = transport;
                    protocol.dialect.framed_within = is_tt_header.then_some(is_within);
                }
                PROTOCOL => protocol.dialect.encoding = word(value, &ENCODINGS).map_err(refused)?,
                ONEWAY => {
                    let names = value.split(',').map(|name| name.trim().as_bytes().into());
                    protocol.oneway = names.collect();
                }
                _ => {
                    let known = format!("thrift has {TRANSPORT:?}, {PROTOCOL:?} and {ONEWAY:?}");
                    return Err(refused(known));
                }
            }
        }
        Ok(Arc::new(protocol))
    }

    fn probe(&self, head: &[u8]) -> Probe {
        match detect(head) {
            Err(_) => Probe::No,
            Ok(Detected::Need(size)) => Probe::Need(size),
            Ok(Detected::Transport(transport)) => {
                let message = if transport == Transport::Framed { 4 } else { 0 };
                match transport.has_headers() || Envelope::read(head, message).is_ok() {
                    true => Probe::Yes,
                    false => Probe::No,
                }
            }
        }
    }
}
