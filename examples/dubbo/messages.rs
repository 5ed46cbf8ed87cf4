//! Calls and answers in Hessian 2.

use metaproto_core::{
    Auto, Bytes, BytesMut, CodecContext, Frame, Limits, MessageKind, Metadata, Side,
};
use metaproto_dubbo::hessian::{Cursor, Tables, Value, write_int, write_text};
use metaproto_dubbo::{Dubbo, Message};

/// The answer to a message, if it wants one.
pub(crate) fn answer(tag: &str, message: &Message) -> Option<Message> {
    let mut wire = BytesMut::new();
    message.write(&mut wire).ok()?;
    let context = CodecContext::new(Side::Downstream, Limits::default());
    let mut codec = Dubbo::protocol().codec(&context);
    let mut metadata = Metadata::new();
    codec.decode(wire.freeze(), &mut metadata).ok()?;
    let mut out = BytesMut::new();
    match metadata.kind {
        MessageKind::Ping => {
            codec.pong(&metadata, &mut out).ok()?;
            return Message::read(out.freeze()).ok();
        }
        MessageKind::Request => {}
        _ => return None,
    }
    let told = |name: &str| metadata.property(name).map(|value| value.to_text().into_owned());
    let arguments = (0..).map_while(|number| told(&format!("argument.{number}")));
    let called = metadata.operation().map(|operation| operation.to_text().into_owned());
    let text = format!(
        "{tag}: {}({}) version {}",
        called.unwrap_or_default(),
        arguments.collect::<Vec<_>>().join(", "),
        told("version").unwrap_or_default(),
    );
    write_int(1, &mut out); // a value, without attachments
    write_text(&text, &mut out);
    Some(Message { flags: 2, status: 20, length: Auto::new(), body: out.freeze(), ..*message })
}

/// What is called.
#[derive(Debug, Clone, Default)]
pub(crate) struct Called<'a> {
    pub(crate) interface: &'a str,
    pub(crate) method: &'a str,
    pub(crate) version: &'a str,
    pub(crate) arguments: Vec<&'a str>,
    pub(crate) attachments: Vec<(&'a str, &'a str)>,
}

/// The request that calls it.
pub(crate) fn request(id: u64, call: &Called<'_>) -> Message {
    let types = "Ljava/lang/String;".repeat(call.arguments.len());
    let mut body = BytesMut::new();
    for text in ["2.0.2", call.interface, call.version, call.method, &types] {
        write_text(text, &mut body);
    }
    call.arguments.iter().for_each(|argument| write_text(argument, &mut body));
    body.extend_from_slice(b"H");
    for (name, value) in &call.attachments {
        write_text(name, &mut body);
        write_text(value, &mut body);
    }
    body.extend_from_slice(b"Z");
    Message { flags: 0xc2, status: 0, id, length: Auto::new(), body: body.freeze() }
}

/// The text of a response, which is behind the type of the result or is all that an error says.
pub(crate) fn describe(response: &Message) -> String {
    let body: &Bytes = &response.body;
    let mut tables = Tables::default();
    let mut values = Cursor::new(body, 0, &mut tables);
    let first = values.value();
    let text = if response.status == 20 { values.value() } else { first };
    match text {
        Ok(Value::Text(text)) => format!("status {}: {}", response.status, text.to_text()),
        _ => format!("status {}: {} bytes", response.status, body.len()),
    }
}
