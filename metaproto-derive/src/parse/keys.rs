//! Every key there is, and where it belongs.

use syn::Ident;

use crate::mistakes::{Mistakes, suggest};

/// A place where keys may stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    attribute: &'static str,
    on: &'static str,
    keys: &'static [&'static str],
}

pub(super) const FRAME_STRUCT: Place = Place {
    attribute: "frame",
    on: "the struct",
    keys: &["bit_order", "endian", "fixed", "magic", "max_header", "max_len"],
};

pub(super) const FRAME_FIELD: Place = Place {
    attribute: "frame",
    on: "a field",
    keys: &[
        "align_before",
        "at",
        "bit_order",
        "bits",
        "body",
        "bytes",
        "checksum",
        "constant",
        "count",
        "default",
        "each",
        "endian",
        "kv",
        "length",
        "max",
        "pad_before",
        "prefix",
        "reserved",
        "rest",
        "tag",
        "tlv",
        "until",
        "varint",
        "when",
        "with",
        "zigzag",
    ],
};

pub(super) const META_STRUCT: Place = Place {
    attribute: "meta",
    on: "the struct",
    keys: &[
        "aliases",
        "error_text",
        "errors",
        "kind",
        "make",
        "operation",
        "property",
        "protocol",
        "reply",
        "sharing",
        "status",
    ],
};

pub(super) const META_FIELD: Place = Place {
    attribute: "meta",
    on: "a field",
    keys: &["kind", "operation", "properties", "property", "request_id", "status", "timeout"],
};

impl Place {
    /// Reports a key that does not belong here: where it does, or which one was meant.
    pub(super) fn unknown(self, key: &Ident, mistakes: &mut Mistakes) {
        let (attribute, name) = (self.attribute, key.to_string());
        let mut elsewhere = [FRAME_STRUCT, FRAME_FIELD, META_STRUCT, META_FIELD]
            .into_iter()
            .filter(|place| place.keys.contains(&name.as_str()));
        // The other attribute on the same thing is the more likely one.
        let same = elsewhere.clone().find(|place| place.on == self.on);
        let elsewhere = same.or_else(|| elsewhere.next());
        let text = match elsewhere {
            Some(place) => {
                format!("`{name}` belongs in `#[{}(..)]` on {}", place.attribute, place.on)
            }
            None => {
                let suggestion = suggest(&name, self.keys);
                format!("unknown key `{name}` in `#[{attribute}(..)]`; {suggestion}")
            }
        };
        mistakes.add(key.span(), text);
    }
}
