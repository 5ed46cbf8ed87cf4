//! What a codec tells about one message.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;

use crate::{DecodeError, Interest, MessageKind, PropertyValue, Source, Status};

/// The facts of one message. Filled by [`Codec::decode`](crate::Codec::decode), read by routes,
/// filters, balancing and observation.
///
/// It borrows: properties are ranges of the frame or numbers, so that decoding a message allocates
/// nothing once the value has been used a few times. One `Metadata` is meant to be reused: see
/// [`clear`](Metadata::clear).
#[derive(Debug, Default)]
pub struct Metadata {
    /// The whole frame, as it came.
    pub frame: Bytes,
    /// What the message is for.
    pub kind: MessageKind,
    /// The id that ties a response to its request, as the peer chose it.
    pub request_id: Option<u64>,
    /// The stream that the message belongs to.
    pub stream_id: Option<u64>,
    /// How the request ended; responses only.
    pub status: Option<Status>,
    /// The bytes of `frame` before the body. The request id lies within them.
    pub header_size: usize,
    /// The bytes of `frame` behind the body: a checksum, mostly.
    pub trailer_size: usize,
    /// The leading bytes of `frame` that [`Codec::on_error`](crate::Codec::on_error) wants to see
    /// again, at most [`RequestHead::MAX_CONTEXT`](crate::RequestHead::MAX_CONTEXT). The engine keeps a copy while the request is in
    /// flight, and lets go of the frame.
    pub context_size: usize,
    /// How long the caller is willing to wait, counted from the message's arrival. Zero says that no
    /// time is left: the engine answers with [`ErrorKind::Timeout`](crate::ErrorKind) and sends
    /// nothing. Where a protocol's zero stands for "no limit" this is `None`.
    pub timeout: Option<Duration>,
    /// The stretch of `frame` that [`Codec::set_deadline`](crate::Codec::set_deadline) wants to see, so
    /// that the time that is left can be written into a request; requests only. It lies within the
    /// header, or behind it. `None` if the request has no place for it, or none that can be changed:
    /// it then goes up as it came.
    pub timeout_place: Option<Range<usize>>,
    /// Why the codec could not read all that it was asked for, though the message can be forwarded:
    /// "attachments: the frame ends inside it". Properties that it has found by then are there.
    /// Counted and logged by the engine, for requests and responses.
    pub unread: Option<DecodeError>,
    operation: Option<Value>,
    properties: Vec<Property>,
    /// In front of which names properties can be asked for, too, and from which of them on.
    prefix: Option<(&'static str, usize)>,
    /// Texts that stand nowhere in the frame; its room is used again and again.
    composed: Vec<u8>,
}

type Property = (Name, Value);

#[derive(Debug, Clone)]
enum Name {
    Static(&'static str),
    InFrame(Range<usize>),
    Composed(Range<usize>),
}

#[derive(Debug, Clone)]
enum Value {
    Static(&'static str),
    Int(i128),
    InFrame(Range<usize>),
    Owned(Box<str>),
    Composed(Range<usize>),
}

/// Where something stands in the frame, if it does.
pub(crate) type Place = Option<Range<usize>>;

impl Value {
    fn place(&self) -> Place {
        match self {
            Value::InFrame(range) => Some(range.clone()),
            Value::Static(_) | Value::Int(_) | Value::Owned(_) | Value::Composed(_) => None,
        }
    }
}

impl Metadata {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes it as new, but keeps the room that it has allocated. Lets go of the frame.
    pub fn clear(&mut self) {
        // Field by field: this runs for every message, and most of them are empty already.
        let Metadata { frame, kind, request_id, stream_id, status, .. } = self;
        if !frame.is_empty() {
            *frame = Bytes::new();
        }
        *kind = MessageKind::default();
        (*request_id, *stream_id, *status) = (None, None, None);
        (self.header_size, self.context_size, self.timeout) = (0, 0, None);
        (self.trailer_size, self.unread, self.timeout_place) = (0, None, None);
        (self.operation, self.prefix) = (None, None);
        self.properties.clear();
        self.composed.clear();
    }

    /// The bytes of the frame before the body.
    #[must_use]
    pub fn header(&self) -> &[u8] {
        self.frame.get(..self.header_size).unwrap_or(&self.frame)
    }

    /// The body, shared with the frame.
    #[must_use]
    pub fn body(&self) -> Bytes {
        let mut body = self.rest();
        body.truncate(self.body_size());
        body
    }

    /// All of the frame behind the header, shared with it: the body and what follows it.
    #[must_use]
    pub fn rest(&self) -> Bytes {
        self.frame.slice(self.header_size.min(self.frame.len())..)
    }

    /// The size of the body in bytes.
    #[must_use]
    pub fn body_size(&self) -> usize {
        self.frame.len().saturating_sub(self.header_size).saturating_sub(self.trailer_size)
    }

    /// Names the operation that the message calls, by its place in the frame.
    pub fn set_operation_in_frame(&mut self, range: Range<usize>) {
        self.operation = Some(Value::InFrame(range));
    }

    /// Names the operation that the message calls.
    pub fn set_operation(&mut self, name: impl Into<Box<str>>) {
        self.operation = Some(Value::Owned(name.into()));
    }

    /// Names the operation that the message calls, by a number.
    pub fn set_operation_int(&mut self, number: impl Into<i128>) {
        self.operation = Some(Value::Int(number.into()));
    }

    /// The operation that the message calls: what people would call the method.
    #[must_use]
    pub fn operation(&self) -> Option<PropertyValue<'_>> {
        self.operation.as_ref().map(|v| self.value(v))
    }

    /// Adds a property that is a number.
    pub fn push_int(&mut self, name: &'static str, value: impl Into<i128>) {
        self.properties.push((Name::Static(name), Value::Int(value.into())));
    }

    /// Adds a property whose text stands in the frame.
    pub fn push_in_frame(&mut self, name: &'static str, value: Range<usize>) {
        self.properties.push((Name::Static(name), Value::InFrame(value)));
    }

    /// Keeps a text that stands nowhere in the frame; allocates only until there is room enough.
    fn compose(&mut self, text: fmt::Arguments<'_>) -> Range<usize> {
        let start = self.composed.len();
        // Writing to a list can't fail; what a `Display` refuses to say stays unsaid.
        let _ = io::Write::write_fmt(&mut self.composed, text);
        start..self.composed.len()
    }

    /// Names the operation that the message calls, by a text made for it: `format_args!(..)`.
    pub fn compose_operation(&mut self, text: fmt::Arguments<'_>) {
        let text = self.compose(text);
        self.operation = Some(Value::Composed(text));
    }

    /// Adds a property with a text made for it: `format_args!(..)`.
    pub fn push_composed(&mut self, name: &'static str, text: fmt::Arguments<'_>) {
        let text = self.compose(text);
        self.properties.push((Name::Static(name), Value::Composed(text)));
    }

    /// Adds a property whose name is a number and whose text stands in the frame, if `interest`
    /// asks for it.
    pub fn push_numbered(&mut self, name: u64, value: Range<usize>, interest: &Interest) {
        let name = self.compose(format_args!("{name}"));
        match interest.wants_bytes(self.composed(&name)) {
            true => self.properties.push((Name::Composed(name), Value::InFrame(value))),
            false => self.composed.truncate(name.start),
        }
    }

    /// Names the operation that the message calls, by texts that are joined for it. Allocates only
    /// until there is room enough.
    pub fn join_operation(&mut self, parts: &[&[u8]]) {
        let start = self.composed.len();
        for part in parts {
            self.composed.extend_from_slice(part);
        }
        self.operation = Some(Value::Composed(start..self.composed.len()));
    }

    /// Adds a property, wherever its name and its value come from. Allocates only until there is room
    /// enough.
    pub fn push(&mut self, name: Source<'_>, value: Source<'_>) {
        let name = match name {
            Source::Static(text) => Name::Static(text),
            Source::InFrame(range) => Name::InFrame(range),
            Source::Text(text) => Name::Composed(self.keep(text)),
            Source::Int(number) => Name::Composed(self.compose(format_args!("{number}"))),
        };
        let value = self.sourced(value);
        self.properties.push((name, value));
    }

    fn sourced(&mut self, value: Source<'_>) -> Value {
        match value {
            Source::Static(text) => Value::Static(text),
            Source::InFrame(range) => Value::InFrame(range),
            Source::Text(text) => Value::Composed(self.keep(text)),
            Source::Int(number) => Value::Int(number),
        }
    }

    fn keep(&mut self, text: &[u8]) -> Range<usize> {
        let start = self.composed.len();
        self.composed.extend_from_slice(text);
        start..self.composed.len()
    }

    /// Adds a property whose name and text both stand in the frame.
    pub fn push_entry_in_frame(&mut self, name: Range<usize>, value: Range<usize>) {
        self.properties.push((Name::InFrame(name), Value::InFrame(value)));
    }

    /// Adds a property whose name is `prefix` and `name`. Allocates only until there is room enough.
    pub fn push_prefixed(&mut self, prefix: &str, name: &[u8], value: Source<'_>) {
        let start = self.composed.len();
        self.composed.extend_from_slice(prefix.as_bytes());
        self.composed.extend_from_slice(name);
        let name = Name::Composed(start..self.composed.len());
        let value = self.sourced(value);
        self.properties.push((name, value));
    }

    /// Adds a property with a text that never changes.
    pub fn push_static(&mut self, name: &'static str, value: &'static str) {
        self.properties.push((Name::Static(name), Value::Static(value)));
    }

    /// Adds a property with a text of its own; allocates.
    pub fn push_owned(&mut self, name: &'static str, value: impl Into<Box<str>>) {
        self.properties.push((Name::Static(name), Value::Owned(value.into())));
    }

    /// Makes the properties that are added from now on answer to their name with `prefix` in front,
    /// too. They are entries of a map: of several with one name the last counts.
    pub fn prefix_from_here(&mut self, prefix: &'static str) {
        self.prefix = Some((prefix, self.properties.len()));
    }

    /// The first property of this name, whose case does not matter. Of those behind a
    /// [prefix](Metadata::prefix_from_here), which are entries of a map, the last.
    #[must_use]
    #[inline(always)]
    pub fn property(&self, name: &str) -> Option<PropertyValue<'_>> {
        let name = name.as_bytes();
        let Some((prefix, from)) = self.prefix else { return self.find(&self.properties, name) };
        let (own, entries) = self.properties.split_at_checked(from)?;
        self.find(own, name).or_else(|| self.find_last(entries, name)).or_else(|| {
            let (front, name) = name.split_at_checked(prefix.len())?;
            let is_meant = front.eq_ignore_ascii_case(prefix.as_bytes());
            is_meant.then(|| self.find_last(entries, name)).flatten()
        })
    }

    // What is found is looked at at once: handed over in memory it would have to be waited for.
    #[inline(always)]
    fn find<'a>(&'a self, among: &'a [Property], name: &[u8]) -> Option<PropertyValue<'a>> {
        let found = among.iter().find(|(n, _)| self.name(n).eq_ignore_ascii_case(name));
        found.map(|(_, value)| self.value(value))
    }

    fn find_last<'a>(&'a self, among: &'a [Property], name: &[u8]) -> Option<PropertyValue<'a>> {
        let found = among.iter().rfind(|(n, _)| self.name(n).eq_ignore_ascii_case(name));
        found.map(|(_, value)| self.value(value))
    }

    /// All properties in the order of the message; names keep their case.
    pub fn properties(&self) -> impl Iterator<Item = (Cow<'_, str>, PropertyValue<'_>)> {
        let text = |name| String::from_utf8_lossy(self.name(name));
        self.properties.iter().map(move |(n, v)| (text(n), self.value(v)))
    }

    /// Where the operation's name stands in the frame, if it does.
    pub(crate) fn operation_place(&self) -> Place {
        self.operation.as_ref().and_then(Value::place)
    }

    /// Where the name and the value of each property stand in the frame, if they do; in the order of
    /// [`properties`](Metadata::properties).
    pub(crate) fn places(&self) -> impl Iterator<Item = (Place, Place)> {
        self.properties.iter().map(|(name, value)| match name {
            Name::Static(_) | Name::Composed(_) => (None, value.place()),
            Name::InFrame(range) => (Some(range.clone()), value.place()),
        })
    }

    /// A range of a name or value that does not lie in the frame: a fault of the codec.
    #[cfg(feature = "conformance")]
    pub(crate) fn stray_range(&self) -> Option<Range<usize>> {
        let names = self.properties.iter().filter_map(|(name, _)| match name {
            Name::InFrame(range) => Some(range),
            Name::Static(_) | Name::Composed(_) => None,
        });
        let values = self.properties.iter().map(|(_, value)| value).chain(&self.operation);
        let values = values.filter_map(|value| match value {
            Value::InFrame(range) => Some(range),
            Value::Static(_) | Value::Int(_) | Value::Owned(_) | Value::Composed(_) => None,
        });
        names.chain(values).find(|range| self.frame.get((*range).clone()).is_none()).cloned()
    }

    #[inline(always)]
    fn name<'a>(&'a self, name: &'a Name) -> &'a [u8] {
        match name {
            Name::Static(text) => text.as_bytes(),
            Name::InFrame(range) => self.in_frame(range),
            Name::Composed(range) => self.composed(range),
        }
    }

    #[inline(always)]
    fn value<'a>(&'a self, value: &'a Value) -> PropertyValue<'a> {
        match value {
            Value::Static(text) => PropertyValue::Text(text.as_bytes()),
            Value::Int(number) => PropertyValue::Int(*number),
            Value::InFrame(range) => PropertyValue::Text(self.in_frame(range)),
            Value::Owned(text) => PropertyValue::Text(text.as_bytes()),
            Value::Composed(range) => PropertyValue::Text(self.composed(range)),
        }
    }

    fn composed(&self, range: &Range<usize>) -> &[u8] {
        self.composed.get(range.clone()).unwrap_or_default()
    }

    /// A range that does not lie in the frame is a fault of the codec and reads as empty.
    fn in_frame(&self, range: &Range<usize>) -> &[u8] {
        self.frame.get(range.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IntText;

    #[test]
    fn properties_borrow_from_the_frame_and_ignore_case() {
        let mut m = Metadata::new();
        m.push_entry_in_frame(0..3, 4..7);
        m.push_int("cmd", -7_i16);
        m.frame = Bytes::from_static(b"Key=val");
        let mut room = IntText::default();
        assert_eq!(m.property("kEY").unwrap().as_bytes(&mut room), b"val");
        assert_eq!(m.property("CMD").unwrap().as_bytes(&mut room), b"-7");
        assert_eq!(m.property("cmd").unwrap().as_int(), Some(-7));
        assert_eq!(m.property("absent"), None);
        let names: Vec<_> = m.properties().map(|(n, _)| n.into_owned()).collect();
        assert_eq!(names, ["Key", "cmd"]);
    }

    #[test]
    fn names_and_values_come_from_anywhere() {
        let mut m = Metadata::new();
        m.push(Source::InFrame(0..1), Source::Int(5));
        m.push(Source::Text(b"b\xff"), Source::InFrame(2..3));
        m.push(Source::Static("c"), Source::Text(b"made"));
        m.push_prefixed("d.", b"e", Source::Static("same"));
        m.join_operation(&[b"service", b"/", b"method"]);
        m.frame = Bytes::from_static(b"a=b");
        let all: Vec<_> = m.properties().map(|(n, v)| format!("{n}={v}")).collect();
        assert_eq!(all, ["a=5", "b\u{fffd}=b", "c=made", "d.e=same"]);
        assert_eq!(m.operation().unwrap().to_text(), "service/method");
    }

    #[test]
    fn a_prefix_finds_what_was_added_behind_it() {
        let mut m = Metadata::new();
        m.push_static("method", "own");
        m.prefix_from_here("attachment.");
        m.push_static("tag", "overwritten");
        m.push_static("tag", "a");
        m.push_static("attachment.method", "other");
        let of = |name: &str| m.property(name).map(|value| value.to_text().into_owned());
        assert_eq!(of("Attachment.Tag").as_deref(), Some("a"));
        assert_eq!(of("tag").as_deref(), Some("a"));
        assert_eq!(of("attachment.method").as_deref(), Some("other"));
        assert_eq!(of("method").as_deref(), Some("own"));
        assert_eq!((of("attachment.absent"), of("attachment")), (None, None));
        m.clear();
        m.push_static("tag", "a");
        assert_eq!(m.property("attachment.tag"), None);
    }

    #[test]
    fn a_range_outside_the_frame_reads_as_empty() {
        let mut m = Metadata::new();
        m.push_in_frame("p", 5..9);
        m.frame = Bytes::from_static(b"ab");
        assert_eq!(m.property("p"), Some(PropertyValue::Text(b"")));
        m.header_size = 99;
        assert_eq!(m.header(), b"ab");
        assert!(m.body().is_empty());
        assert_eq!(m.body_size(), 0);
    }

    #[test]
    fn clear_forgets_everything_but_the_room() {
        let mut m = Metadata { frame: Bytes::from_static(b"abc"), ..Metadata::new() };
        m.push_int("cmd", 1_u8);
        m.set_operation("op");
        m.request_id = Some(1);
        m.unread = Some(DecodeError::message("tail", crate::Fault::Truncated));
        m.clear();
        assert!(m.unread.is_none());
        assert!(m.frame.is_empty() && m.operation().is_none() && m.request_id.is_none());
        assert_eq!(m.properties().count(), 0);
        assert!(m.properties.capacity() > 0);
    }
}
