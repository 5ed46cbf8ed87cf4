//! The protocol, as an engine is given it.

use std::sync::Arc;

use metaproto_core::{
    Capabilities, Codec, CodecContext, Correlation, Explanation, MutationSupport, OptionError,
    Options, Probe, PropertyInfo, PropertySchema, Protocol, Side,
};

use crate::asked::{ARGUMENT, OWN};
use crate::codec::DubboCodec;
use crate::explain;
use crate::message::Message;

/// The option that tells whether the timeout of a client counts.
const CLIENT_TIMEOUT: &str = "client_timeout";

/// Attachments are a map: an entry can be set and taken out, and there is one of each name.
const ENTRY: MutationSupport = MutationSupport { set: true, append: false, remove: true };

/// Dubbo 2 over TCP.
///
/// The option `client_timeout` is `honour` (the default) or `ignore`: whether the `timeout`
/// attachment of a request bounds the time that it may take. To find it a request is read up to its
/// end.
#[derive(Debug, Clone)]
pub struct Dubbo {
    honours_timeout: bool,
}

impl Dubbo {
    /// The protocol with its default options.
    #[must_use]
    pub fn protocol() -> Arc<dyn Protocol> {
        Arc::new(Dubbo::default())
    }
}

impl Default for Dubbo {
    fn default() -> Self {
        Dubbo { honours_timeout: true }
    }
}

impl Protocol for Dubbo {
    fn name(&self) -> &str {
        "dubbo"
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::new(Correlation::Id { bits: 64 });
        capabilities.oneway = true;
        capabilities.ping = true;
        capabilities.go_away = true;
        capabilities.probe = true;
        let property = |name: String, mutation| PropertyInfo { name, mutation };
        let own = OWN.iter().map(|name| property((*name).to_owned(), MutationSupport::NONE));
        let arguments = property(format!("{ARGUMENT}*"), MutationSupport::NONE);
        capabilities.properties = PropertySchema {
            known: own.chain([arguments]).collect(),
            open: Some(ENTRY),
            in_body: true,
        };
        capabilities
    }

    fn codec(&self, context: &CodecContext) -> Box<dyn Codec> {
        Box::new(DubboCodec::new(context, self.honours_timeout))
    }

    fn configure(&self, options: &Options) -> Result<Arc<dyn Protocol>, OptionError> {
        let mut protocol = self.clone();
        for (option, value) in options {
            let refuse = |reason: String| Err(OptionError { option: option.clone(), reason });
            protocol.honours_timeout = match (option.as_str(), value.as_str()) {
                (CLIENT_TIMEOUT, "honour") => true,
                (CLIENT_TIMEOUT, "ignore") => false,
                (CLIENT_TIMEOUT, other) => {
                    return refuse(format!("{other:?} is neither \"honour\" nor \"ignore\""));
                }
                _ => return refuse(format!("dubbo has one option: {CLIENT_TIMEOUT:?}")),
            };
        }
        Ok(Arc::new(protocol))
    }

    fn explain(&self, side: Side, bytes: &[u8]) -> Explanation {
        explain::message(side, bytes)
    }

    fn probe(&self, head: &[u8]) -> Probe {
        Message::protocol().probe(head)
    }
}
