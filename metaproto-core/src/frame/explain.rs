//! The fields of a derived frame, told to a person.

use bytes::Bytes;

use super::{Asked, ByteOrder, FieldInfo, Format, Frame, Header, Message, Spec};
use crate::explain::{count, facts, measure, text};
use crate::{Explanation, Metadata, Side};

/// Explains the frame at the front of `bytes`, field by field, and what the fields mean.
pub(super) fn message<M: Message>(side: Side, bytes: &[u8]) -> Explanation {
    let mut explanation = Explanation::new(Bytes::copy_from_slice(bytes));
    // Fields first: an error is told with the place of its field.
    fields::<M>(&mut explanation, M::SPEC);
    measure(M::frame_length(bytes), &mut explanation);
    body::<M>(&mut explanation);
    if let Some(header) = M::Header::first(bytes) {
        let mut metadata = Metadata::new();
        metadata.header_size = M::HEADER_SIZE;
        let described = M::describe(header, &Asked::nothing(side), &mut metadata);
        metadata.frame = explanation.bytes().clone();
        facts(&mut explanation, &metadata, described.is_ok());
        if let Err(error) = described {
            explanation.stop_at(&error);
        }
    }
    explanation
}

/// Notes every field of which anything is there, and what it is to `spec`.
fn fields<F: Frame>(explanation: &mut Explanation, spec: &Spec) {
    let bytes = explanation.bytes().clone();
    for field in F::FIELDS {
        if field.offset >= bytes.len() {
            return;
        }
        let value = match bytes.get(field.range()) {
            None => "cut off".to_owned(),
            Some(found) => {
                let meanings = expected::<F>(field, found).into_iter().chain(meanings(field, spec));
                meanings.fold(value(field, found), |value, meaning| format!("{value}  {meaning}"))
            }
        };
        explanation.note(field.range(), field.name, value);
    }
}

/// What a constant must be, if it is not.
fn expected<F: Frame>(field: &FieldInfo, found: &[u8]) -> Option<String> {
    let constant = F::CONSTANTS.iter().find(|constant| constant.offset == field.offset)?;
    (constant.bytes != found).then(|| format!("must be {}", value(field, constant.bytes)))
}

fn meanings(field: &FieldInfo, spec: &Spec) -> Vec<String> {
    let is = |other: &FieldInfo| other.offset == field.offset;
    let mut meanings = Vec::new();
    if spec.kind.is_some_and(|kind| kind.place.field().is_some_and(is)) {
        meanings.push("kind".to_owned());
    }
    if spec.status.is_some_and(|status| status.place.field().is_some_and(is)) {
        meanings.push("status".to_owned());
    }
    let properties = spec.properties.iter().filter(|p| p.place.field().is_some_and(is));
    meanings.extend(properties.map(|property| format!("property {}", property.name)));
    meanings
}

fn body<F: Frame>(explanation: &mut Explanation) {
    let Some(range) = explanation.part_from(F::HEADER_SIZE) else { return };
    let value = count(range.len());
    explanation.note(range, "body", value);
}

/// A number in decimal and as it stands, or text.
fn value(field: &FieldInfo, bytes: &[u8]) -> String {
    let (signed, order) = match field.format {
        Format::Unsigned(order) => (false, order),
        Format::Signed(order) => (true, order),
        Format::Float(order) => return float(order, bytes),
        Format::Bytes => {
            let padding = bytes.iter().rev().take_while(|byte| **byte == 0).count();
            return text(bytes.get(..bytes.len().saturating_sub(padding)).unwrap_or_default());
        }
    };
    let raw = number(order, bytes);
    let digits = bytes.len().saturating_mul(2);
    let unused = 64_usize.saturating_sub(bytes.len().saturating_mul(8)) as u32;
    match signed {
        true => {
            let top = raw.checked_shl(unused).unwrap_or_default();
            let value = top.cast_signed().checked_shr(unused).unwrap_or_default();
            format!("{value} (0x{raw:0digits$x})")
        }
        false => format!("{raw} (0x{raw:0digits$x})"),
    }
}

fn float(order: ByteOrder, bytes: &[u8]) -> String {
    let bits = number(order, bytes);
    match bytes.len() {
        4 => f32::from_bits(bits as u32).to_string(),
        _ => f64::from_bits(bits).to_string(),
    }
}

fn number(order: ByteOrder, bytes: &[u8]) -> u64 {
    let append = |all: u64, byte: &u8| all << 8 | u64::from(*byte);
    match order {
        ByteOrder::Big => bytes.iter().fold(0, append),
        ByteOrder::Little => bytes.iter().rev().fold(0, append),
    }
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
