//! Request ids, and connections that are shared because of them.

use syn::Ident;

use super::view::View;
use super::{integer, single};
use crate::meaning::RequestId;
use crate::mistakes::{Mistakes, suggest};
use crate::model::Layout;
use crate::parse::{Field, Int};

pub(super) fn request_id(view: &View<'_>, mistakes: &mut Mistakes) -> Option<RequestId> {
    let found = single(view, "request id", |field: &Field| field.meta.request_id, mistakes)?;
    let refuse = |int: Int| {
        (int.signed || int.size > 8).then_some("is unsigned: `u8`, `u16`, `u32` or `u64`")
    };
    let span = found.field.meta.request_id?;
    integer(&found, "a request id", refuse, mistakes).map(|(field, _)| RequestId { field, span })
}

pub(super) fn sharing(view: &View<'_>, has_id: bool, mistakes: &mut Mistakes) -> Option<Ident> {
    let word = view.declaration.meta.sharing.as_ref()?;
    let variant = variant(word, mistakes)?;
    if variant == "Shared" && !has_id && !view.unclear() {
        let text = "only messages with a request id can share a connection; use `exclusive` or \
                    `bound`";
        mistakes.add(word.span(), text);
    }
    Some(variant)
}

/// The variant of `Sharing` that a word means.
pub(super) fn variant(word: &Ident, mistakes: &mut Mistakes) -> Option<Ident> {
    let variant = match word.to_string().as_str() {
        "shared" => "Shared",
        "exclusive" => "Exclusive",
        "bound" => "Bound",
        other => {
            let suggestion = suggest(other, &["shared", "exclusive", "bound"]);
            mistakes.add(word.span(), format_args!("unknown sharing `{other}`; {suggestion}"));
            return None;
        }
    };
    Some(Ident::new(variant, word.span()))
}

/// A checksum over more than the fixed part can't be made anew when only the id is at hand.
pub(super) fn can_be_patched(
    id: &RequestId,
    layout: &Layout,
    sharing: Option<&Ident>,
    mistakes: &mut Mistakes,
) {
    let Some(checksum) = layout.sealed_by(id.field) else { return };
    if sharing.is_none_or(|sharing| sharing == "Shared") {
        let text = format_args!(
            "the checksum `{}` covers the request id and more than the fixed part of the header, \
             so the id can't be changed on the way: let the checksum cover the fixed part only, \
             or say `sharing = exclusive` or `sharing = bound`",
            checksum.name
        );
        mistakes.add(id.span, text);
    }
}
