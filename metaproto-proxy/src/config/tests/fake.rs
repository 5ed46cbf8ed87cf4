//! A protocol to configure.

use std::sync::Arc;

use bytes::BytesMut;
use metaproto_core::{
    Bytes, Capabilities, Codec, CodecContext, Correlation, DecodeError, EncodeError, FrameLength,
    Metadata, Mutation, MutationSupport, OptionError, Options, Output, PropertyInfo, Protocol,
    RequestHead,
};

use crate::config::Protocols;

/// A protocol that nobody speaks: `cmd` can be set, `trace` can only be read.
#[derive(Debug, Clone)]
struct Fake {
    name: &'static str,
    correlation: Correlation,
    ping: bool,
    dialect: String,
}

impl Protocol for Fake {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[&str] {
        if self.name == "fake" { &["pretend"] } else { &[] }
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::new(self.correlation);
        capabilities.ping = self.ping;
        capabilities.properties.known = vec![
            PropertyInfo { name: "cmd".to_owned(), mutation: MutationSupport::SET },
            PropertyInfo { name: "trace".to_owned(), mutation: MutationSupport::NONE },
        ];
        capabilities
    }

    fn codec(&self, _: &CodecContext) -> Box<dyn Codec> {
        Box::new(Mute)
    }

    fn configure(&self, options: &Options) -> Result<Arc<dyn Protocol>, OptionError> {
        let mut this = self.clone();
        for (option, value) in options {
            if option != "dialect" {
                let reason = "the only option is dialect".to_owned();
                return Err(OptionError { option: option.clone(), reason });
            }
            this.dialect.clone_from(value);
        }
        Ok(Arc::new(this))
    }
}

struct Mute;

impl Codec for Mute {
    fn frame_length(&mut self, head: &[u8]) -> Result<FrameLength, DecodeError> {
        Ok(FrameLength::Known(head.len()))
    }

    fn decode(&mut self, _: Bytes, _: &mut Metadata) -> Result<(), DecodeError> {
        Ok(())
    }

    fn encode(&self, _: &Metadata, _: &Mutation, _: &mut Output) -> Result<(), EncodeError> {
        Err(EncodeError::Unsupported("anything"))
    }

    fn on_error(
        &self,
        _: &RequestHead,
        _: &metaproto_core::Error,
        _: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        Err(EncodeError::Unsupported("anything"))
    }
}

/// It with ids and pings, as `fake` and `pretend`, and by order and without pings, as `lines`.
pub(in crate::config) fn protocols() -> Protocols {
    let fake = |name, correlation, ping| Fake { name, correlation, ping, dialect: String::new() };
    Protocols::new()
        .with(Arc::new(fake("fake", Correlation::Id { bits: 32 }, true)))
        .with(Arc::new(fake("lines", Correlation::Order, false)))
}
