//! The protocol, as an engine is given it.

use std::sync::Arc;

use metaproto_core::{
    Capabilities, Codec, CodecContext, Correlation, MutationSupport, OptionError, Options, Probe,
    PropertyInfo, PropertySchema, Protocol,
};

use crate::asked::{ARGUMENT, OWN};
use crate::codec::{Methods, ThriftCodec};
use crate::dialect::{Detected, Transport, detect};
use crate::envelope::Envelope;

/// The option that says what carries messages.
const TRANSPORT: &str = "transport";

/// The option that names methods without an answer.
const ONEWAY: &str = "oneway";

/// Headers: an entry can be set and taken out, and there is one of each name.
const ENTRY: MutationSupport = MutationSupport { set: true, append: false, remove: true };

/// Apache Thrift, on every transport and in every encoding that can be told by its first bytes.
///
/// The option `transport` is `auto` (the default: the first bytes of each connection tell), `framed`,
/// `unframed`, `header` or `ttheader`. With `framed` and `unframed` there are no headers to change.
///
/// The option `oneway` names methods that have no answer, as in `note,Users:touch`, with a comma between.
/// Clients in Go send calls of such methods like any other, so that the bytes don't tell.
#[derive(Debug, Clone, Default)]
pub struct Thrift {
    transport: Option<Transport>,
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
        let mut capabilities = Capabilities::new(Correlation::Order);
        capabilities.oneway = true;
        capabilities.probe = true;
        let fixed = |name: String| PropertyInfo { name, mutation: MutationSupport::NONE };
        let own = OWN.iter().map(|name| fixed((*name).to_owned()));
        let has_headers = self.transport.is_none_or(Transport::has_headers);
        capabilities.properties = PropertySchema {
            known: own.chain([fixed(format!("{ARGUMENT}*"))]).collect(),
            open: has_headers.then_some(ENTRY),
            in_body: false,
        };
        capabilities
    }

    fn codec(&self, context: &CodecContext) -> Box<dyn Codec> {
        Box::new(ThriftCodec::new(context, self.transport, self.oneway.clone()))
    }

    fn configure(&self, options: &Options) -> Result<Arc<dyn Protocol>, OptionError> {
        let mut protocol = self.clone();
        for (option, value) in options {
            let refuse = |reason: String| Err(OptionError { option: option.clone(), reason });
            if option == ONEWAY {
                let names = value.split(',').map(|name| name.trim().as_bytes().into());
                protocol.oneway = names.collect();
                continue;
            }
            if option != TRANSPORT {
                return refuse(format!("thrift has two options: {TRANSPORT:?} and {ONEWAY:?}"));
            }
            protocol.transport = match value.as_str() {
                "auto" => None,
                "framed" => Some(Transport::Framed),
                "unframed" => Some(Transport::Unframed),
                "header" => Some(Transport::Header),
                "ttheader" => Some(Transport::TtHeader),
                other => {
                    return refuse(format!(
                        "{other:?} is none of auto, framed, unframed, header, ttheader"
                    ));
                }
            };
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
