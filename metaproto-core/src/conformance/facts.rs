//! What a metadata says, in a form that can be kept and compared.

use std::time::Duration;

use crate::conformance::report::{Breach, Law, Verdict};
use crate::{Bytes, IntText, MessageKind, Metadata, PropertyValue, Status};

/// A property's name and the text of its value.
type Property = (String, Vec<u8>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) kind: MessageKind,
    pub(super) request_id: Option<u64>,
    pub(super) stream_id: Option<u64>,
    pub(super) status: Option<Status>,
    pub(super) header_size: usize,
    pub(super) context_size: usize,
    pub(super) timeout: Option<Duration>,
    pub(super) operation: Option<Vec<u8>>,
    pub(super) properties: Vec<Property>,
    pub(super) body: Bytes,
}

fn text(value: PropertyValue<'_>) -> Vec<u8> {
    value.as_bytes(&mut IntText::default()).to_vec()
}

impl Facts {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Facts {
            kind: metadata.kind,
            request_id: metadata.request_id,
            stream_id: metadata.stream_id,
            status: metadata.status,
            header_size: metadata.header_size,
            context_size: metadata.context_size,
            timeout: metadata.timeout,
            operation: metadata.operation().map(text),
            properties: metadata.properties().map(|(n, v)| (n.into_owned(), text(v))).collect(),
            body: metadata.body(),
        }
    }

    /// The values of a property in order.
    pub(super) fn values(&self, name: &str) -> Vec<&[u8]> {
        let of_name = self.properties.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        of_name.map(|(_, value)| value.as_slice()).collect()
    }

    /// All other properties in order.
    pub(super) fn others(&self, name: &str) -> Vec<&Property> {
        self.properties.iter().filter(|(n, _)| !n.eq_ignore_ascii_case(name)).collect()
    }

    /// Fails with `law` at the first fact in which `self` differs from what is expected.
    pub(super) fn expect(&self, expected: &Facts, law: Law) -> Verdict {
        macro_rules! same {
            ($($fact:ident)*) => {$(
                if self.$fact != expected.$fact {
                    return Err(Breach::new(
                        law,
                        format!("{} = {:?}", stringify!($fact), expected.$fact),
                        format!("{} = {:?}", stringify!($fact), self.$fact),
                    ));
                }
            )*};
        }
        same!(kind request_id stream_id status header_size context_size timeout operation);
        same!(properties body);
        Ok(())
    }
}
