//! The frames of a protocol, with what their fields mean to it.

use super::super::parts::Stop;
use super::super::{Asked, FieldInfo, Header, Located, Message, Spec, whole};
use crate::explain::{count, facts};
use crate::{DecodeError, Explanation, Metadata, Side};

/// Explains the frame at the front of `bytes`, field by field, and what the fields mean.
pub(in crate::frame) fn message<M: Message>(side: Side, bytes: &[u8]) -> Explanation {
    let mut explanation = M::explain(bytes);
    for (field, meaning) in meanings(M::SPEC) {
        explanation.annotate(&field.range(), field.name, &meaning);
    }
    let located = explanation.frame().and_then(|frame| whole::locate::<M>(&frame).ok());
    let mut metadata = Metadata::new();
    let described = describe::<M>(side, &explanation, located.as_ref(), &mut metadata);
    let Some(described) = described else { return explanation };
    facts(&mut explanation, &metadata, described.is_ok());
    // Of frames with parts it takes all parts to tell how large the header is.
    let header = located.map(|located| located.header_size());
    let header = header.or(M::IS_FIXED.then_some(M::HEADER_SIZE));
    if let (Some(total), Some(header)) = (explanation.told_length(), header) {
        explanation.fact("size", size::<M>(total, header));
    }
    if let Err(error) = described {
        explanation.stop_at(&error);
    }
    explanation
}

/// Fills in what the frame tells, as far as it is there; `None` if the fixed part is cut off.
fn describe<M: Message>(
    side: Side,
    explanation: &Explanation,
    located: Option<&Located<M::Starts>>,
    metadata: &mut Metadata,
) -> Option<Result<(), DecodeError>> {
    let bytes = explanation.bytes();
    let asked = Asked::nothing(side);
    let mut described = M::describe(M::Header::first(bytes)?, &asked, metadata);
    if let (Some(located), Some(frame)) = (located, explanation.frame()) {
        let parts = M::describe_parts(&frame, located.starts(), &asked, metadata);
        described = described.and(parts.map_err(Stop::into_error));
    }
    metadata.frame = bytes.clone();
    Some(described)
}

fn size<M: Message>(total: usize, header: usize) -> String {
    let body = total.saturating_sub(header).saturating_sub(M::TRAILER_SIZE);
    let trailer = match M::TRAILER_SIZE {
        0 => String::new(),
        size => format!(", trailer {size}"),
    };
    format!("{}: header {header}, body {body}{trailer}", count(total))
}

/// The fields that mean something to the protocol.
fn meanings(spec: &Spec) -> impl Iterator<Item = (FieldInfo, String)> {
    let kind = spec.kind.iter().map(|kind| (kind.place, "kind".to_owned()));
    let status = spec.status.iter().map(|status| (status.place, "status".to_owned()));
    let property = spec
        .properties
        .iter()
        .map(|property| (property.place, format!("property {}", property.name)));
    let all = kind.chain(status).chain(property);
    all.filter_map(|(place, meaning)| Some((*place.field()?, meaning)))
}

#[cfg(test)]
mod tests {
    use crate::{Auto, Bytes, Codec, Frame, Side};

    #[derive(Debug, Frame, Codec)]
    #[frame(magic = b"HI")]
    #[meta(protocol = "greeting")]
    #[meta(errors(_ => -1))]
    struct Greeting {
        #[meta(request_id)]
        id: u16,
        #[meta(property = "cmd", operation)]
        #[frame(endian = little)]
        command: i16,
        name: [u8; 4],
        #[meta(status(ok = 0))]
        code: i8,
        #[frame(length(of = body))]
        len: Auto<u8>,
        #[frame(body)]
        body: Bytes,
    }

    const WIRE: &[u8] = b"HI\x00\x07\xfe\xffme\0\0\x00\x05hello";

    fn explain(side: Side, bytes: &[u8]) -> String {
        Greeting::protocol().explain(side, bytes).to_string()
    }

    #[test]
    fn a_derived_frame_is_explained_field_by_field() {
        let expected = "\
kind        request
request id  7 (0x7)
operation   -2
size        17 bytes: header 12, body 5

0000  48 49                    HI        magic    \"HI\"
0002  00 07                    ..        id       7 (0x0007)
0004  fe ff                    ..        command  -2 (0xfffe)  property cmd
0006  6d 65 00 00              me..      name     \"me\"
000a  00                       .         code     0 (0x00)  status
000b  05                       .         len      5 (0x05)
000c  68 65 6c 6c 6f           hello     body     5 bytes
";
        assert_eq!(explain(Side::Downstream, WIRE), expected);
        let response = explain(Side::Upstream, WIRE);
        assert!(response.starts_with("kind        response\n"), "{response}");
        assert!(response.contains("\nstatus      ok (0)\n"), "{response}");
    }

    #[test]
    fn a_wrong_constant_is_told_with_what_it_must_be() {
        let text = explain(Side::Downstream, b"HO\x00\x07");
        let expected = "\
0000  48 4f                    HO        magic  \"HO\"  must be \"HI\"
0002  00 07                    ..        id     7 (0x0007)
error: at 0000, magic: is 0x484f, which is not this protocol; \
the connection can't be used any longer
";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_frame_cut_anywhere_is_explained_as_far_as_it_goes() {
        for end in 0..WIRE.len() {
            let text = explain(Side::Downstream, &WIRE[..end]);
            assert!(text.contains("error: "), "{end}: {text}");
        }
        let text = explain(Side::Downstream, &WIRE[..14]);
        let expected = "\
000c  68 65 -- -- --           he        body     5 bytes
error: the frame is 17 bytes long, of which 3 are missing
";
        assert!(text.ends_with(expected), "{text}");
        let text = explain(Side::Downstream, &WIRE[..3]);
        assert!(
            text.contains("0002  00 --                    .         id     cut off\n"),
            "{text}"
        );
    }

    #[test]
    fn what_follows_the_frame_is_shown_as_such() {
        let text = explain(Side::Downstream, &[WIRE, b"HI"].concat());
        assert!(text.ends_with("behind the frame  2 bytes that are not of this frame\n"), "{text}");
    }
}
