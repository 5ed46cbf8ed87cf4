//! A message told to a person, value by value.

use metaproto_core::{DecodeError, Explanation, Frame, FrameLength, Side};

use crate::body::{Hessian2, Json, Jsonb, Text, Value, Values};
use crate::hessian::Tables;
use crate::message::{self, Message, status};
use crate::request::count;
use crate::response::ResultType;
use crate::serialization::Serialization;

/// Tells what the header says, and what the body does, if that can be read.
pub(crate) fn message(side: Side, bytes: &[u8]) -> Explanation {
    let mut told = Message::protocol().explain(side, bytes);
    let Ok(FrameLength::Known(length)) = Message::frame_length(bytes) else { return told };
    let Some(frame) = bytes.get(..length) else { return told };
    let (at, serialization) = (Message::HEADER, Serialization::of(frame));
    told.fact("serialization", serialization.to_string());
    told.nested(|told| match serialization {
        Serialization::HESSIAN2 => {
            let mut tables = Tables::default();
            body(&mut Hessian2::new(frame, at, &mut tables), frame, told);
        }
        Serialization::FASTJSON => body(&mut Json::new(frame, at), frame, told),
        Serialization::FASTJSON2 => body(&mut Jsonb::new(frame, at), frame, told),
        _ => {}
    });
    told
}

fn body<'a>(values: &mut impl Values<'a>, frame: &'a [u8], told: &mut Explanation) {
    let flags = message::flags(frame);
    let read = if flags & Message::EVENT != 0 {
        if values.is_at_end() { Ok(()) } else { one(values, "event", frame, told).map(drop) }
    } else if flags & Message::REQUEST != 0 {
        request(values, frame, told)
    } else if frame.get(Message::OFFSET_STATUS) == Some(&status::OK) {
        result(values, frame, told)
    } else {
        one(values, "error", frame, told).map(drop)
    };
    if let Err(error) = read {
        told.note(values.position()..frame.len(), "unread", error.to_string());
    }
}

fn request<'a>(
    values: &mut impl Values<'a>,
    frame: &'a [u8],
    told: &mut Explanation,
) -> Result<(), DecodeError> {
    for name in ["dubbo", "interface", "version", "method"] {
        one(values, name, frame, told)?;
    }
    let types = match one(values, "parameter_types", frame, told)? {
        Value::Text(types) => count(types.bytes(frame))?,
        _ => 0,
    };
    (0..types).try_for_each(|_| one(values, "argument", frame, told).map(drop))?;
    attachments(values, frame, told)
}

fn result<'a>(
    values: &mut impl Values<'a>,
    frame: &'a [u8],
    told: &mut Explanation,
) -> Result<(), DecodeError> {
    let start = values.position();
    let kind = ResultType::read(values)?;
    told.note(start..values.position(), "result", format!("{} {}", kind.number(), kind.as_str()));
    if kind.has_value() {
        let name = if kind.is_exception() { "exception" } else { "value" };
        one(values, name, frame, told)?;
    }
    match kind.has_attachments() {
        true => attachments(values, frame, told),
        false => Ok(()),
    }
}

/// Reads a value and tells it.
fn one<'a>(
    values: &mut impl Values<'a>,
    name: &'static str,
    frame: &'a [u8],
    told: &mut Explanation,
) -> Result<Value<'a>, DecodeError> {
    let start = values.position();
    let value = values.value()?;
    let range = start..values.position();
    told.note(range.clone(), name, shown(&value, frame, range.len()));
    Ok(value)
}

fn attachments<'a>(
    values: &mut impl Values<'a>,
    frame: &'a [u8],
    told: &mut Explanation,
) -> Result<(), DecodeError> {
    if values.is_at_end() {
        return Ok(());
    }
    values
        .map(
            |_| true,
            |entry| {
                let key = entry.key.as_ref().map_or_else(|| "?".to_owned(), |key| text(key, frame));
                let value = shown(&entry.value, frame, entry.place.len());
                told.note(entry.place, "attachment", format!("{key}={value}"));
            },
        )
        .map(drop)
}

fn shown(value: &Value<'_>, frame: &[u8], size: usize) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Text(found) => format!("{:?}", text(found, frame)),
        Value::Other => format!("a value of {size} bytes"),
    }
}

fn text(text: &Text<'_>, frame: &[u8]) -> String {
    String::from_utf8_lossy(text.bytes(frame)).into_owned()
}
