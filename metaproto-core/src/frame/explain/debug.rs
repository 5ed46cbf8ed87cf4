//! Frames for `{:?}`, with the places of their fields.

use std::fmt;

use bytes::{Bytes, BytesMut};

use super::super::Frame;
use crate::explain::Clean;
use crate::{Explanation, Note};

/// A frame that is printed with the names and the places of its fields.
pub(in crate::frame) struct WithOffsets<'a, F>(pub(in crate::frame) &'a F);

impl<F: Frame> fmt::Debug for WithOffsets<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = type_name::<F>();
        let mut written = BytesMut::new();
        if let Err(error) = self.0.write(&mut written) {
            let why = format!("can't be written: {error}");
            return f.debug_tuple(name).field(&format_args!("{}", Clean(&why))).finish();
        }
        let mut explanation = Explanation::brief(Bytes::from(written));
        F::explain_into(&mut explanation);
        fields(f, name, explanation.notes())
    }
}

/// The name of a type without its path and its parameters.
pub(in crate::frame) fn type_name<T>() -> &'static str {
    let whole = std::any::type_name::<T>();
    let path = whole.split('<').next().unwrap_or(whole);
    path.rsplit("::").next().unwrap_or(path)
}

/// A note and the notes within it.
struct Field<'a>(&'a Note, &'a [Note]);

impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = Clean(&self.0.value);
        match self.1 {
            [] => write!(f, "{value}"),
            inner => fields(f, &value.to_string(), inner),
        }
    }
}

fn fields(f: &mut fmt::Formatter<'_>, name: &str, mut notes: &[Note]) -> fmt::Result {
    let mut shown = f.debug_struct(name);
    while let Some((note, rest)) = notes.split_first() {
        let inner = rest.iter().take_while(|inner| inner.depth > note.depth).count();
        let (inner, rest) = rest.split_at_checked(inner).unwrap_or((&[], rest));
        let name = Clean(&note.name);
        let label = match &note.range {
            Some(range) => format!("{:04x} {name}", range.start),
            None => name.to_string(),
        };
        shown.field(&label, &Field(note, inner));
        notes = rest;
    }
    shown.finish()
}
