//! Kafka: whether a header has tagged fields depends on the call and its version; the client's name may
//! be missing. What kind of header a response has follows from its request alone.

use metaproto_core::{Auto, Bytes, Codec, Frame, Section, Side};

use super::golden;
use super::held::{self, Framed};
use super::kit;

#[derive(Debug, Clone, PartialEq, Frame, Codec)]
#[frame(choose = side)]
#[meta(protocol = "kafka")]
enum Kafka {
    #[frame(from = client)]
    Request(Request),
    #[frame(from = server)]
    Response(Response),
}

#[derive(Debug, Clone, PartialEq, Frame, Codec)]
#[frame(max_len = 100 << 20)]
#[meta(protocol = "kafka", operation = "{api_key}")]
struct Request {
    #[frame(length(of = rest))]
    length: Auto<u32>,
    #[meta(property)]
    api_key: i16,
    api_version: i16,
    #[meta(request_id)]
    correlation_id: u32,
    #[frame(prefix = i16)]
    #[meta(property)]
    client_id: Option<String>,
    #[frame(
        when = is_flexible(api_key, api_version),
        count = varint,
        tlv(tag = varint, length = varint)
    )]
    tags: Option<Section>,
    #[frame(body)]
    body: Bytes,
}

/// Version 0 of the header of a response.
#[derive(Debug, Clone, PartialEq, Frame, Codec)]
#[frame(max_len = 100 << 20)]
#[meta(protocol = "kafka")]
struct Response {
    #[frame(length(of = rest))]
    length: Auto<u32>,
    #[meta(request_id)]
    correlation_id: u32,
    #[frame(body)]
    body: Bytes,
}

/// Version 1 of it.
#[derive(Debug, Clone, PartialEq, Frame)]
#[frame(max_len = 100 << 20)]
struct FlexibleResponse {
    #[frame(length(of = rest))]
    length: Auto<u32>,
    correlation_id: u32,
    #[frame(count = varint, tlv(tag = varint, length = varint))]
    tags: Section,
    #[frame(body)]
    body: Bytes,
}

/// The calls that are recorded, and their first versions with tagged fields.
const FLEXIBLE_SINCE: [(i16, i16); 10] =
    [(0, 9), (1, 12), (2, 6), (3, 9), (10, 3), (18, 3), (19, 5), (22, 2), (71, 0), (72, 0)];

fn is_flexible(api_key: i16, api_version: i16) -> bool {
    FLEXIBLE_SINCE.iter().any(|(key, since)| *key == api_key && api_version >= *since)
}

#[test]
fn every_request_is_read_and_written() {
    let requests = golden::frames("kafka").into_iter();
    for golden in requests.filter(|golden| golden.side == Side::Downstream) {
        let frame: Request = held::frame(&golden);
        golden.has([
            ("length", frame.size() as i128 - 4),
            ("api_key", frame.api_key.into()),
            ("api_version", frame.api_version.into()),
            ("correlation_id", frame.correlation_id.into()),
            ("header_version", if frame.tags.is_some() { 2 } else { 1 }),
            ("header_size", (frame.size() - frame.body.len()) as i128),
        ]);
        assert_eq!(frame.client_id.as_deref(), Some(golden.text("client_id")));
        if let Some(tags) = &frame.tags {
            golden.has([("tags", tags.len() as i128)]);
        }
        assert!(held::is_shared(&golden, &frame.body));
    }
}

#[test]
fn every_response_is_read_and_written() {
    let responses = golden::frames("kafka").into_iter();
    for golden in responses.filter(|golden| golden.side == Side::Upstream) {
        let (size, correlation_id, body) = match golden.number("header_version") {
            0 => {
                let frame: Response = held::frame(&golden);
                (frame.size(), frame.correlation_id, frame.body)
            }
            _ => {
                let frame: FlexibleResponse = held::frame(&golden);
                golden.has([("tags", frame.tags.len() as i128)]);
                (frame.size(), frame.correlation_id, frame.body)
            }
        };
        golden.has([
            ("length", size as i128 - 4),
            ("correlation_id", correlation_id.into()),
            ("header_size", (size - body.len()) as i128),
        ]);
    }
}

#[test]
fn every_connection_is_cut_into_its_frames() {
    for connection in golden::connections("kafka") {
        held::stream(&connection, Side::Downstream, Framed::of::<Request>);
        held::stream(&connection, Side::Upstream, Framed::of::<Response>);
    }
}

#[test]
fn a_client_without_a_name_is_not_one_with_an_empty_name() {
    let request = |client_id: Option<&str>| Request {
        length: Auto::new(),
        api_key: 3,
        api_version: 9,
        correlation_id: u32::MAX,
        client_id: client_id.map(str::to_owned),
        tags: Some(Section::from_pairs([("7", "x")]).unwrap()),
        body: Bytes::new(),
    };
    for (client_id, name) in
        [(None, &b"\xff\xff"[..]), (Some(""), b"\0\0"), (Some("a"), b"\0\x01a")]
    {
        let mut out = metaproto_core::BytesMut::new();
        request(client_id).write(&mut out).unwrap();
        let expected = [b"\0\x03\0\x09\xff\xff\xff\xff", name, b"\x01\x07\x01x"].concat();
        assert_eq!(&out[4..], expected);
        assert_eq!(Request::read(out.freeze()), Ok(request(client_id)));
    }
}

#[test]
fn the_codec_keeps_every_law() {
    kit::holds(&*Kafka::protocol(), "kafka", |_| true);
}
