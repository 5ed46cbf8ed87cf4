//! STAND-IN until the real codec is merged.
use metaproto_core::*;
use std::sync::Arc;
#[derive(Debug, Clone)]
struct P;
struct C;
pub fn protocol() -> Arc<dyn Protocol> {
    Arc::new(P)
}
impl Protocol for P {
    fn name(&self) -> &str {
        "awesomerpc"
    }
    fn capabilities(&self) -> Capabilities {
        let mut c = Capabilities::new(Correlation::Id { bits: 32 });
        c.properties
            .known
            .push(PropertyInfo { name: "cmd".into(), mutation: MutationSupport::SET });
        c
    }
    fn codec(&self, _: &CodecContext) -> Box<dyn Codec> {
        Box::new(C)
    }
    fn configure(&self, o: &Options) -> Result<Arc<dyn Protocol>, OptionError> {
        no_options("awesomerpc", o)?;
        Ok(Arc::new(P))
    }
}
impl Codec for C {
    fn frame_length(&mut self, head: &[u8]) -> Result<FrameLength, DecodeError> {
        Ok(FrameLength::Known(head.len()))
    }
    fn decode(&mut self, _: Bytes, _: &mut Metadata) -> Result<(), DecodeError> {
        Ok(())
    }
    fn encode(&self, _: &Metadata, _: &Mutation, _: &mut Output) -> Result<(), EncodeError> {
        Ok(())
    }
    fn on_error(&self, _: &RequestHead, _: &Error, _: &mut BytesMut) -> Result<(), EncodeError> {
        Ok(())
    }
}
