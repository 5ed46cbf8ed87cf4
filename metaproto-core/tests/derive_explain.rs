//! Frames told field by field: those that are whole, and those that are cut off or wrong.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests may panic"
)]

use metaproto_core::frame::parts::{Cursor, IntForm, Number, Part, Progress, Stop, Wire};
use metaproto_core::{
    Auto, Bytes, BytesMut, Codec, EncodeError, Explanation, Frame, FrameLength, Section, Side,
};
use proptest::prelude::*;

/// A type with a layout of its own that tells its fields.
#[derive(Debug, Clone, Default, PartialEq)]
struct Point {
    x: u64,
    y: u64,
}

const COORDINATE: Number<u64> = Number::new(IntForm::Varint);

impl Wire for Point {
    const MIN_SIZE: usize = 2;
    const SIZE: Option<usize> = None;
    fn skip(cursor: &mut Cursor<'_>, _: &mut Progress) -> Result<(), Stop> {
        Self::read(cursor).map(|_| ())
    }
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Stop> {
        Ok(Point { x: COORDINATE.read(cursor)?, y: COORDINATE.read(cursor)? })
    }
    fn size(&self) -> usize {
        COORDINATE.size(&self.x) + COORDINATE.size(&self.y)
    }
    fn write(&self, out: &mut BytesMut) -> Result<(), EncodeError> {
        COORDINATE.write(&self.x, out)?;
        COORDINATE.write(&self.y, out)
    }
    fn explain(cursor: &mut Cursor<'_>, notes: &mut Explanation) -> Result<(), Stop> {
        COORDINATE.explain(cursor, "x".into(), notes)?;
        COORDINATE.explain(cursor, "y".into(), notes)
    }
}

/// One that does not.
#[derive(Debug, Clone, Default, PartialEq)]
struct Silent(u8);

impl Wire for Silent {
    const MIN_SIZE: usize = 1;
    const SIZE: Option<usize> = Some(1);
    fn skip(cursor: &mut Cursor<'_>, _: &mut Progress) -> Result<(), Stop> {
        cursor.advance(1).map(|_| ())
    }
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Stop> {
        cursor.array().map(|[byte]| Silent(byte))
    }
    fn size(&self) -> usize {
        1
    }
    fn write(&self, out: &mut BytesMut) -> Result<(), EncodeError> {
        out.extend_from_slice(&[self.0]);
        Ok(())
    }
}

#[derive(Debug, Clone, PartialEq, Frame)]
#[frame(magic = b"KT", max_len = 8 << 20)]
struct Ktlv {
    version: u8,
    #[frame(bits(reply = 0, oneway = 1, level = 4..=6))]
    flags: u8,
    id: u32,
    #[frame(bytes = 3)]
    shard: i32,
    ratio: f32,
    trace: u128,
    token: [u8; 4],
    #[frame(length(of = body))]
    body_len: Auto<u32>,
    #[frame(count(of = headers))]
    n: Auto<u16>,
    #[frame(kv(key = u16, value = u16))]
    headers: Section,
    #[frame(prefix = varint)]
    name: String,
    #[frame(when = reply)]
    code: Option<i16>,
    #[frame(when = oneway)]
    absent: Option<i16>,
    #[frame(until = b"\0")]
    path: Bytes,
    #[frame(count = u8, each(prefix = u8))]
    tags: Vec<String>,
    origin: Point,
    #[frame(prefix = u8)]
    points: Vec<Point>,
    silent: Silent,
    #[frame(prefix = i16)]
    note: Option<Bytes>,
    samples: [u16; 3],
    weight: f64,
    #[frame(align_before = 4)]
    aligned: u32,
    #[frame(body)]
    body: Bytes,
    #[frame(checksum(with = sum, over = id..=body))]
    crc: Auto<u32>,
    end: u16,
}

fn sum(bytes: &[u8]) -> u32 {
    bytes.iter().map(|byte| u32::from(*byte)).sum()
}

fn example() -> Ktlv {
    Ktlv {
        version: 1,
        flags: Ktlv::FLAGS_REPLY | 0x10,
        id: 7,
        shard: -2,
        ratio: 0.5,
        trace: 1 << 100,
        token: [0xff, 0, 1, 2],
        body_len: Auto::new(),
        n: Auto::new(),
        headers: Section::from_pairs([("a", "1"), ("bb", "")]).unwrap(),
        name: "name".to_owned(),
        code: Some(-2),
        absent: None,
        path: Bytes::from_static(b"/p"),
        tags: vec!["x".to_owned(), String::new()],
        origin: Point { x: 1, y: 300 },
        points: vec![Point { x: 2, y: 3 }, Point { x: 4, y: 5 }],
        silent: Silent(9),
        note: None,
        samples: [1, 2, 3],
        weight: -1.25,
        aligned: 0x0102_0304,
        body: Bytes::from_static(b"hello"),
        crc: Auto::new(),
        end: 0xeeee,
    }
}

fn wire(frame: &impl Frame) -> Bytes {
    let mut out = BytesMut::new();
    frame.write(&mut out).unwrap();
    out.freeze()
}

#[test]
fn everything_is_told_where_it_is() {
    let expected = "\
0000  4b 54                    KT        magic     \"KT\"
0002  01                       .         version   1 (0x01)
0003  11                       .         flags     17 (0x11)
                                           reply   true (bit 0)
                                           oneway  false (bit 1)
                                           level   1 (bits 4 to 6)
0004  00 00 00 07              ....      id        7 (0x00000007)
0008  ff ff fe                 ...       shard     -2 (0xfffffe)
000b  3f 00 00 00              ?...      ratio     0.5
000f  00 00 00 10 00 00 00 00  ........  trace     1267650600228229401496703205376 (0x00000010000000000000000000000000)
0017  00 00 00 00 00 00 00 00  ........
001f  ff 00 01 02              ....      token     0xff000102
0023  00 00 00 05              ....      body_len  5 (0x00000005)
0027  00 02                    ..        n         2 (0x0002)
0029                                     headers   2 entries
0029  00 01 61 00 01 31        ..a..1      a       \"1\"
002f  00 02 62 62 00 00        ..bb..      bb      \"\"
0035  04 6e 61 6d 65           .name     name      \"name\"
003a  ff fe                    ..        code      -2
003c  2f 70 00                 /p.       path      \"/p\"
003f  02                       .         tags      2 items
0040  01 78                    .x          [0]     \"x\"
0042  00                       .           [1]     \"\"
0043                                     origin    Point
0043  01                       .           x       1
0044  ac 02                    ..          y       300
0046  04                       .         points    2 items
0047                                       [0]     Point
0047  02                       .             x     2
0048  03                       .             y     3
0049                                       [1]     Point
0049  04                       .             x     4
004a  05                       .             y     5
004b  09                       .         silent    Silent
004c  ff ff                    ..        note      nothing
004e  00 01 00 02 00 03        ......    samples   [1, 2, 3]
0054  bf f4 00 00 00 00 00 00  ........  weight    -1.25
005c  01 02 03 04              ....      aligned   16909060
0060  68 65 6c 6c 6f           hello     body      5 bytes
0065  00 00 11 10              ....      crc       4368 (0x00001110)  matches
0069  ee ee                    ..        end       61166 (0xeeee)
";
    assert_eq!(Ktlv::explain(&wire(&example())).to_string(), expected);
}

#[test]
fn a_frame_is_printed_with_names_and_places() {
    let expected = "\
Ktlv {
    0000 magic: \"KT\",
    0002 version: 1,
    0003 flags: 0x11 {
        reply: true,
        oneway: false,
        level: 1,
    },
    0004 id: 7,
    0008 shard: -2,
    000b ratio: 0.5,
    000f trace: 1267650600228229401496703205376,
    001f token: 0xff000102,
    0023 body_len: 5,
    0027 n: 2,
    0029 headers: 2 entries {
        0029 a: \"1\",
        002f bb: \"\",
    },
    0035 name: \"name\",
    003a code: -2,
    003c path: \"/p\",
    003f tags: 2 items {
        0040 [0]: \"x\",
        0042 [1]: \"\",
    },
    0043 origin: Point {
        0043 x: 1,
        0044 y: 300,
    },
    0046 points: 2 items {
        0047 [0]: Point {
            0047 x: 2,
            0048 y: 3,
        },
        0049 [1]: Point {
            0049 x: 4,
            004a y: 5,
        },
    },
    004b silent: Silent,
    004c note: nothing,
    004e samples: [1, 2, 3],
    0054 weight: -1.25,
    005c aligned: 16909060,
    0060 body: \"hello\",
    0065 crc: 4368,
    0069 end: 61166,
}";
    assert_eq!(format!("{:#?}", example().with_offsets()), expected);
    let line = format!("{:?}", example().with_offsets());
    let start = r#"Ktlv { 0000 magic: "KT", 0002 version: 1, 0003 flags: 0x11 { reply: true, "#;
    assert!(line.starts_with(start), "{line}");
    let points =
        "0047 [0]: Point { 0047 x: 2, 0048 y: 3 }, 0049 [1]: Point { 0049 x: 4, 004a y: 5 }";
    assert!(line.contains(&format!("0046 points: 2 items {{ {points} }}, 004b")), "{line}");
}

#[test]
fn a_frame_that_cannot_be_written_is_printed_with_the_reason() {
    let unwritable = Ktlv { body: vec![0; 9 << 20].into(), ..example() };
    let shown = format!("{:?}", unwritable.with_offsets());
    let why = "frame: a frame of 9437286 bytes is longer than 8388608";
    assert_eq!(shown, format!("Ktlv(can't be written: {why})"));
}

/// The text from the line on that starts with `from`.
fn tail(bytes: &[u8], from: &str) -> String {
    let text = Ktlv::explain(bytes).to_string();
    let at = text.find(&format!("\n{from}")).unwrap_or_else(|| panic!("{text}"));
    text[at + 1..].to_owned()
}

#[test]
fn a_frame_that_is_cut_off_is_told_as_far_as_it_goes() {
    let bytes = wire(&example());
    let expected = "\
003f  02                       .         tags      2 items
0040  01 78                    .x          [0]     \"x\"
0042  00                       .           [1]     \"\"
0043                                     origin    Point
0043  01                       .           x       1
0044  --                                   y       cut off
error: how long the frame is can't be told from 68 bytes: it takes 69
";
    assert_eq!(tail(&bytes[..0x44], "003f"), expected);
    let expected = "\
0060  68 65 6c 6c 6f           hello     body      5 bytes
0065  00 00 -- --              ..        crc       cut off
error: the frame is 107 bytes long, of which 4 are missing
";
    assert_eq!(tail(&bytes[..0x67], "0060"), expected);
    for end in 0..bytes.len() {
        let explanation = Ktlv::explain(&bytes[..end]);
        assert!(explanation.error().is_some(), "{end}: {explanation}");
        assert!(!explanation.to_string().contains("unknown"), "{end}: {explanation}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_what_follows_is_unknown() {
    let mut bytes = wire(&example()).to_vec();
    bytes[0x46] = 5;
    let expected = "\
0046  05                       .         points    2 items that can be read
0047                                       [0]     Point
0047  02                       .             x     2
0048  03                       .             y     3
0049                                       [1]     Point
0049  04                       .             x     4
004a  05                       .             y     5
004b                                       [2]     Point
004b  09                       .             x     9
004c                                         y     a length of 5 is too small
004c  ff ff 00 01 00 02 00 03  ........  ...       31 bytes unknown
0054  bf f4 00 00 00 00 00 00  ........
005c  01 02 03 04 68 65 6c 6c  ....hell
0064  6f 00 00 11 10 ee ee     o......
error: at 004c, points: a length of 5 is too small; the connection can't be used any longer
";
    assert_eq!(tail(&bytes, "0046"), expected);
}

#[test]
fn a_checksum_is_told_with_what_it_must_be() {
    let mut bytes = wire(&example()).to_vec();
    bytes[0x60] ^= 1;
    bytes.push(0);
    let expected = "\
0060  69 65 6c 6c 6f           iello     body              5 bytes
0065  00 00 11 10              ....      crc               4368 (0x00001110)  must be 4369 (0x00001111)
0069  ee ee                    ..        end               61166 (0xeeee)
006b  00                       .         behind the frame  1 byte that is not of this frame
error: at 0065, crc: does not match the bytes that it covers; this message can't be used, the connection can
";
    assert_eq!(tail(&bytes, "0060"), expected);
}

#[derive(Debug, Frame)]
struct Told {
    #[frame(length(of = frame))]
    len: Auto<u8>,
    #[frame(rest)]
    words: Bytes,
}

#[derive(Debug, Frame)]
struct Bodiless {
    #[frame(length(of = frame))]
    len: Auto<u8>,
    #[frame(count = u8)]
    items: Vec<u8>,
}

proptest! {
    #[test]
    fn any_bytes_are_told_and_without_an_error_only_what_can_be_read(
        bytes: Vec<u8>,
        changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 0..4),
        end in 0..150_usize,
    ) {
        fn check<F: Frame>(bytes: &[u8]) {
            let explanation = F::explain(bytes);
            let whole = match F::frame_length(bytes) {
                Ok(FrameLength::Known(total)) => bytes.get(..total),
                _ => None,
            };
            let is_read = whole.is_some_and(|frame| F::read(frame.to_vec().into()).is_ok());
            assert_eq!(explanation.error().is_none(), is_read, "{explanation}");
            assert!(explanation.notes().len() < 2 * bytes.len() + 40);
            let text = explanation.to_string();
            assert!(text.len() < 200 * bytes.len() + 2000, "{text}");
            assert!(!is_read || !text.contains("unknown"), "{text}");
        }
        let mut frame = wire(&example()).to_vec();
        for (at, byte) in changes {
            let at = at % frame.len();
            frame[at] = byte;
        }
        frame.truncate(end);
        for bytes in [&frame, &bytes] {
            check::<Ktlv>(bytes);
            check::<Told>(bytes);
            check::<Bodiless>(bytes);
        }
    }
}

/// A type that takes no bytes.
#[derive(Debug, Default)]
struct Void;

impl Wire for Void {
    const MIN_SIZE: usize = 0;
    const SIZE: Option<usize> = Some(0);
    fn skip(_: &mut Cursor<'_>, _: &mut Progress) -> Result<(), Stop> {
        Ok(())
    }
    fn read(_: &mut Cursor<'_>) -> Result<Self, Stop> {
        Ok(Void)
    }
    fn size(&self) -> usize {
        0
    }
    fn write(&self, _: &mut BytesMut) -> Result<(), EncodeError> {
        Ok(())
    }
}

#[test]
fn items_that_take_no_bytes_are_counted_but_not_told() {
    #[derive(Debug, Frame)]
    struct Many {
        #[frame(length(of = frame))]
        len: Auto<u8>,
        #[frame(count = u16)]
        voids: Vec<Void>,
    }
    let expected = "\
0000  03                       .         len    3 (0x03)
0001  ff ff                    ..        voids  65535 items
";
    assert_eq!(Many::explain(b"\x03\xff\xff").to_string(), expected);
}

/// Its fields mean something to a protocol.
#[derive(Debug, Frame, Codec)]
#[meta(protocol = "call", sharing = exclusive, errors(_ => 9))]
struct Call {
    #[frame(length(of = frame))]
    len: Auto<u16>,
    #[meta(kind(0 => Request, 1 => Response))]
    what: u8,
    #[meta(request_id)]
    id: u32,
    #[meta(status(ok = 0))]
    code: u8,
    #[meta(property = "level")]
    #[frame(bits(high = 7))]
    level: u8,
    #[frame(prefix = u8)]
    method: String,
    #[frame(body)]
    body: Bytes,
    #[frame(checksum(with = sum, over = len..=body))]
    crc: Auto<u32>,
}

#[test]
fn a_protocol_tells_what_fields_mean_in_frames_that_have_more_than_a_header() {
    let call = Call {
        len: Auto::new(),
        what: 1,
        id: 26,
        code: 9,
        level: 0x82,
        method: "echo".to_owned(),
        body: Bytes::from_static(b"hi"),
        crc: Auto::new(),
    };
    let expected = "\
kind        response
request id  26 (0x1a)
status      internal (9)
size        20 bytes: header 14, body 2, trailer 4

0000  00 14                    ..        len     20 (0x0014)
0002  01                       .         what    1 (0x01)  kind
0003  00 00 00 1a              ....      id      26 (0x0000001a)
0007  09                       .         code    9 (0x09)  status
0008  82                       .         level   130 (0x82)  property level
                                           high  true (bit 7)
0009  04 65 63 68 6f           .echo     method  \"echo\"
000e  68 69                    hi        body    2 bytes
0010  00 00 03 2e              ....      crc     814 (0x0000032e)  matches
";
    let protocol = Call::protocol();
    assert_eq!(protocol.explain(Side::Upstream, &wire(&call)).to_string(), expected);
    let expected = "\
kind        response
request id  26 (0x1a)
status      internal (9)

0000  00 14                    ..        len     20 (0x0014)
0002  01                       .         what    1 (0x01)  kind
0003  00 00 00 1a              ....      id      26 (0x0000001a)
0007  09                       .         code    9 (0x09)  status
0008  82                       .         level   130 (0x82)  property level
                                           high  true (bit 7)
0009  04 65 63 -- --           .ec       method  cut off
error: the frame is 20 bytes long, of which 8 are missing
";
    assert_eq!(protocol.explain(Side::Upstream, &wire(&call)[..12]).to_string(), expected);
}
