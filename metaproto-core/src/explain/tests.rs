use std::sync::Arc;

use bytes::BytesMut;

use super::*;
use crate::{
    Capabilities, Codec, CodecContext, Correlation, EncodeError, Error, Fault, FrameLength,
    MessageKind, Metadata, Mutation, OptionError, Options, Output, Protocol, RequestHead, Side,
    Status,
};

fn of(bytes: &[u8]) -> Explanation {
    Explanation::new(bytes.to_vec())
}

#[test]
fn fields_are_lines_with_aligned_columns() {
    let mut explanation = of(b"HI\x00\x07\x05hello");
    explanation.note(0..2, "magic", "\"HI\"").note(2..4, "id", "7 (0x0007)");
    explanation.note(4..5, "len", "5 (0x05)").note(5..10, "body", "5 bytes");
    let expected = "\
0000  48 49                    HI        magic  \"HI\"
0002  00 07                    ..        id     7 (0x0007)
0004  05                       .         len    5 (0x05)
0005  68 65 6c 6c 6f           hello     body   5 bytes
";
    assert_eq!(explanation.to_string(), expected);
}

#[test]
fn parts_are_indented_below_what_they_are_parts_of() {
    let mut explanation = of(b"\xc2method=echo");
    explanation.note(0..1, "flags", "0xc2").nested(|flags| {
        flags.note(0..1, "request", "1... ....").note(0..1, "serialization", "...0 0010");
        flags.fact("meaning", "hessian2");
    });
    explanation.note(1..12, "section", "1 entry").nested(|section| {
        section.note(8..12, "method", "\"echo\"");
    });
    let expected = "\
0000  c2                       .         flags            0xc2
0000  c2                       .           request        1... ....
0000  c2                       .           serialization  ...0 0010
                                           meaning        hessian2
0001  11 bytes                           section          1 entry
0001  6d 65 74 68 6f 64 3d     method=     ...            7 bytes unknown
0008  65 63 68 6f              echo        method         \"echo\"
";
    assert_eq!(explanation.to_string(), expected);
}

#[test]
fn a_note_counts_for_its_bytes_unless_its_parts_do() {
    let mut explanation = of(b"\x02abc");
    explanation.note(0..1, "items", "2 items").nested(|items| {
        items.note(1..2, "[0]", "\"a\"").nested(|item| {
            item.fact("upper", "false");
        });
        items.note(2..2, "[1]", "cut off");
    });
    let expected = "\
0000  02                       .         items      2 items
0001  61                       a           [0]      \"a\"
                                             upper  false
0002                                       [1]      cut off
0002  62 63                    bc        ...        2 bytes unknown
";
    assert_eq!(explanation.to_string(), expected);
}

#[test]
fn a_long_name_does_not_make_every_line_long() {
    let mut explanation = of(&[1, 2]);
    explanation.note(0..1, "n".repeat(1000), "1").note(1..2, "short", "2");
    let text = explanation.to_string();
    assert!(text.lines().last().is_some_and(|line| line.len() < 100), "{text}");
}

#[test]
fn bytes_without_a_note_and_behind_the_frame_are_shown_as_such() {
    let mut explanation = of(&[1, 2, 3, 4, 5, 6, 7]);
    explanation.note(1..2, "a", "2").note(3..4, "b", "4").length(5);
    let expected = "\
0000  01                       .         ...               1 byte unknown
0001  02                       .         a                 2
0002  03                       .         ...               1 byte unknown
0003  04                       .         b                 4
0004  05                       .         ...               1 byte unknown
0005  06 07                    ..        behind the frame  2 bytes that are not of this frame
";
    assert_eq!(explanation.to_string(), expected);
}

#[test]
fn a_field_that_is_cut_off_has_a_place_for_what_is_missing() {
    let mut explanation = of(&[1, 2]);
    explanation.note(1..4, "id", "cut off").stop("the frame ends inside id");
    let expected = "\
0000  01                       .         ...  1 byte unknown
0001  02 -- --                 .         id   cut off
error: the frame ends inside id
";
    assert_eq!(explanation.to_string(), expected);
}

#[test]
fn long_fields_are_cut_unless_asked_for_whole() {
    let mut explanation = of(&[b'x'; 41]);
    explanation.note(0..41, "body", "41 bytes");
    let line = "78 78 78 78 78 78 78 78  xxxxxxxx";
    let expected = format!(
        "0000  {line}  body  41 bytes\n0008  {line}\n0010  {line}\n0018  {line}\n\
         0020  ... 9 bytes more\n"
    );
    assert_eq!(explanation.to_string(), expected);
    let whole = format!("{explanation:#}");
    assert!(whole.ends_with(&format!("0020  {line}\n0028  78                       x\n")));
}

#[test]
fn nothing_that_a_terminal_obeys_is_printed() {
    let mut explanation = of(b"\x1b[2J");
    explanation.note(0..4, "na\u{1b}me".to_owned(), "a\n\u{202e}b").fact("f\r", "\u{7}");
    explanation.stop("why\u{9b}");
    let text = explanation.to_string();
    assert!(text.chars().all(|c| c == '\n' || c == ' ' || c.is_ascii_graphic()), "{text:?}");
    assert_eq!(text.lines().count(), 4);
}

#[test]
fn an_error_is_told_with_the_place_of_its_field_and_the_first_one_counts() {
    let mut explanation = of(&[1, 2]);
    explanation.note(1..2, "len", "2");
    explanation.stop_at(&DecodeError::connection("len", Fault::LengthTooSmall(2)));
    explanation.stop("later");
    let expected =
        "at 0001, len: a length of 2 is too small; the connection can't be used any longer";
    assert_eq!(explanation.error(), Some(expected));
}

/// A hand-written codec: a length, a kind, then `name=value;` and a body.
#[derive(Debug)]
struct ByHand;

impl Protocol for ByHand {
    fn name(&self) -> &str {
        "by-hand"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(Correlation::Order)
    }

    fn codec(&self, _: &CodecContext) -> Box<dyn Codec> {
        Box::new(ByHand)
    }

    fn configure(&self, _: &Options) -> Result<Arc<dyn Protocol>, OptionError> {
        Ok(Arc::new(ByHand))
    }
}

impl Codec for ByHand {
    fn frame_length(&mut self, head: &[u8]) -> Result<FrameLength, DecodeError> {
        match head {
            [0, ..] => Err(DecodeError::connection("len", Fault::LengthTooSmall(0))),
            [len, _, ..] => Ok(FrameLength::Known(usize::from(*len))),
            _ => Ok(FrameLength::Need(2)),
        }
    }

    fn decode(&mut self, frame: Bytes, metadata: &mut Metadata) -> Result<(), DecodeError> {
        metadata.request_id = Some(26);
        metadata.kind = match frame.get(1) {
            Some(b'A') => MessageKind::Response,
            _ => MessageKind::Request,
        };
        metadata.status = (metadata.kind == MessageKind::Response).then_some(Status::ok(0));
        let at = |wanted: u8| frame.iter().position(|byte| *byte == wanted);
        let missing = DecodeError::message("entry", Fault::Truncated);
        let (equals, end) = (at(b'=').ok_or(missing)?, at(b';').ok_or(missing)?);
        metadata.push_entry_in_frame(2..equals, equals.saturating_add(1)..end);
        metadata.set_operation_in_frame(equals.saturating_add(1)..end);
        metadata.push_int("port", 80);
        metadata.header_size = end.saturating_add(1);
        metadata.unread =
            at(b'?').map(|_| DecodeError::message("body", Fault::Other("is a riddle")));
        metadata.frame = frame;
        Ok(())
    }

    fn encode(&self, _: &Metadata, _: &Mutation, _: &mut Output) -> Result<(), EncodeError> {
        Err(EncodeError::Unsupported("this"))
    }

    fn on_error(&self, _: &RequestHead, _: &Error, _: &mut BytesMut) -> Result<(), EncodeError> {
        Err(EncodeError::Unsupported("this"))
    }
}

#[test]
fn a_codec_written_by_hand_is_explained_by_what_it_decodes() {
    let explanation = ByHand.explain(Side::Upstream, b"\x0eAop=echo;body\x0eA");
    let expected = "\
kind           response
request id     26 (0x1a)
status         ok (0)
operation      \"echo\"
size           14 bytes: header 10, body 4
property port  80

0000  10 bytes                           header            10 bytes
0000  0e 41                    .A          ...             2 bytes unknown
0002  6f 70 3d 65 63 68 6f     op=echo     op              \"echo\"
0009  3b                       ;           ...             1 byte unknown
000a  62 6f 64 79              body      body              4 bytes
000e  0e 41                    .A        behind the frame  2 bytes that are not of this frame
";
    assert_eq!(explanation.to_string(), expected);
}

#[test]
fn what_a_codec_could_not_read_is_told() {
    let explanation = ByHand.explain(Side::Upstream, b"\x0bAop=echo;?");
    let text = explanation.to_string();
    assert!(text.contains("\nnot read       body: is a riddle\n"), "{text}");
}

#[test]
fn bytes_that_cannot_be_decoded_are_explained_as_far_as_they_can_be() {
    let text = |bytes: &[u8]| ByHand.explain(Side::Downstream, bytes).to_string();
    let undecodable = "\
kind        request
request id  26 (0x1a)

0000  03 51 78                 .Qx       ...  3 bytes unknown
error: entry: the frame ends inside it; this message can't be used, the connection can
";
    assert_eq!(text(b"\x03Qx"), undecodable);
    assert_eq!(text(b""), "error: there are no bytes\n");
    let error = |bytes: &[u8]| ByHand.explain(Side::Downstream, bytes).error().map(str::to_owned);
    let expected = "how long the frame is can't be told from 1 byte: it takes 2";
    assert_eq!(error(b"\x03").as_deref(), Some(expected));
    let expected = "len: a length of 0 is too small; the connection can't be used any longer";
    assert_eq!(error(b"\0").as_deref(), Some(expected));
    let expected = "the frame is 20 bytes long, of which 12 are missing";
    assert_eq!(error(b"\x14Qop=a;c").as_deref(), Some(expected));
}
