//! Bodies in Hessian 2.

use std::ops::Range;

use metaproto_core::{BytesMut, DecodeError};

use super::{Bounded, Entry, Kept, Text, Value, Values, WriteMap};
use crate::hessian::{self, Cursor, Tables};

/// The values of a body in Hessian 2.
pub(crate) struct Hessian2<'a>(Cursor<'a>);

impl<'a> Hessian2<'a> {
    pub(crate) fn new(frame: &'a [u8], at: usize, tables: &'a mut Tables) -> Self {
        Hessian2(Cursor::new(frame, at, tables))
    }
}

#[inline(always)]
fn text(text: hessian::Text<'_>) -> Text<'_> {
    match text.place() {
        Some(place) => Text::InFrame(place),
        None => Text::Made(text.to_text()),
    }
}

fn value(value: hessian::Value<'_>) -> Value<'_> {
    match value {
        hessian::Value::Null => Value::Null,
        hessian::Value::Bool(value) => Value::Bool(value),
        hessian::Value::Int(number) => Value::Int(number),
        hessian::Value::Text(found) => Value::Text(text(found)),
        hessian::Value::Double(_) | hessian::Value::Other { .. } => Value::Other,
    }
}

impl<'a> Values<'a> for Hessian2<'a> {
    fn position(&self) -> usize {
        self.0.position()
    }

    fn is_at_end(&self) -> bool {
        self.0.is_at_end()
    }

    #[inline(always)]
    fn text(&mut self) -> Result<Option<Text<'a>>, DecodeError> {
        Ok(self.0.text()?.map(text))
    }

    fn value(&mut self) -> Result<Value<'a>, DecodeError> {
        self.0.value().map(value)
    }

    #[inline(always)]
    fn skip(&mut self) -> Result<(), DecodeError> {
        self.0.skip()
    }

    fn map(
        &mut self,
        wanted: impl Fn(&[u8]) -> bool,
        each: impl FnMut(Entry<'a>),
    ) -> Result<Option<Range<usize>>, DecodeError> {
        let mut entries = Bounded::new(each);
        let start = self.0.position();
        if !self.0.map()? {
            return Ok(None);
        }
        let marks = start..self.0.position();
        while !self.0.map_end()? {
            let start = self.0.position();
            let Some(key) = self.0.key()? else {
                self.0.skip()?;
                self.0.skip()?;
                entries.hand(Entry::nameless(start..self.0.position()))?;
                continue;
            };
            let key = text(key);
            if !wanted(key.bytes(self.0.input())) {
                self.0.skip()?;
                continue;
            }
            let found = self.0.value()?;
            let counts = matches!(found, hessian::Value::Other { compound: true });
            let place = start..self.0.position();
            entries.hand(Entry { key: Some(key), value: value(found), counts, place })?;
        }
        Ok(Some(marks))
    }
}

/// Writes maps in Hessian 2. One that had a type keeps it: others may refer to it.
pub(crate) struct WriteHessian2;

impl WriteMap for WriteHessian2 {
    fn map(
        &self,
        start: Option<&[u8]>,
        entries: &[Kept<'_>],
        out: &mut BytesMut,
    ) -> Option<Range<usize>> {
        let mut noted = None;
        out.extend_from_slice(start.unwrap_or(b"H"));
        for entry in entries {
            entry.write(out, b"", hessian::write_text, &mut noted);
        }
        out.extend_from_slice(b"Z");
        noted
    }

    fn result_type(&self, kind: u8, out: &mut BytesMut) {
        hessian::write_int(i32::from(kind), out);
    }
}
