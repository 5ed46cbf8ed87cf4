//! DNS: a word of flags that RFC 1035 draws with bit 0 as the most significant one. Over TCP there is a
//! length in front, over UDP there is none.

use metaproto_core::frame::parts::Cursor;
use metaproto_core::{Auto, Bytes, BytesMut, Codec, Frame, Side, Wire};

use super::golden::{self, Golden};
use super::held::{self, Framed};
use super::kit;

#[derive(Debug, Clone, PartialEq, Wire)]
#[frame(bit_order = msb0)]
struct Header {
    id: u16,
    #[frame(bits(
        qr = 0,
        opcode = 1..=4,
        aa = 5,
        tc = 6,
        rd = 7,
        ra = 8,
        z = 9,
        ad = 10,
        cd = 11,
        rcode = 12..=15
    ))]
    flags: u16,
    questions: u16,
    answers: u16,
    authorities: u16,
    additionals: u16,
}

#[derive(Debug, Clone, PartialEq, Frame, Codec)]
#[meta(protocol = "dns")]
struct OverTcp {
    #[frame(length(of = rest))]
    length: Auto<u16>,
    #[frame(bytes = 12)]
    header: Header,
    #[frame(body)]
    records: Bytes,
}

fn check(golden: &Golden, header: &Header) {
    golden.has([
        ("id", header.id.into()),
        ("qr", header.qr().into()),
        ("opcode", header.opcode().into()),
        ("aa", header.aa().into()),
        ("tc", header.tc().into()),
        ("rd", header.rd().into()),
        ("ra", header.ra().into()),
        ("z", header.z().into()),
        ("ad", header.ad().into()),
        ("cd", header.cd().into()),
        ("rcode", header.rcode().into()),
        ("questions", header.questions.into()),
        ("answers", header.answers.into()),
        ("authorities", header.authorities.into()),
        ("additionals", header.additionals.into()),
    ]);
}

#[test]
fn every_frame_over_tcp_is_read_and_written() {
    for golden in golden::frames("dns").iter().filter(|golden| golden.says("length")) {
        let frame: OverTcp = held::frame(golden);
        check(golden, &frame.header);
        golden.has([("length", frame.size() as i128 - 2)]);
        assert!(held::is_shared(golden, &frame.records));
    }
}

#[test]
fn every_connection_is_cut_into_its_frames() {
    let connections = golden::connections("dns").into_iter();
    for connection in connections.filter(|connection| connection.name != "dns/udp") {
        for side in [Side::Downstream, Side::Upstream] {
            held::stream(&connection, side, Framed::of::<OverTcp>);
        }
    }
}

#[test]
fn the_header_of_a_datagram_is_read_alone() {
    let datagrams = golden::frames("dns").into_iter().filter(|golden| !golden.says("length"));
    let mut count = 0;
    for golden in datagrams {
        let header = Header::read(&mut Cursor::whole(&golden.bytes)).unwrap();
        check(&golden, &header);
        let mut out = BytesMut::new();
        header.write(&mut out).unwrap();
        assert_eq!((&out[..], header.size()), (&golden.bytes[..12], 12));
        count += 1;
    }
    assert_eq!(count, 4);
}

#[test]
fn bits_are_set_where_the_rfc_draws_them() {
    let mut header =
        Header { id: 0, flags: 0, questions: 0, answers: 0, authorities: 0, additionals: 0 };
    header.set_qr(true);
    header.set_rcode(3).unwrap();
    assert_eq!((header.flags, Header::FLAGS_OPCODE), (0x8003, 0x7800));
    assert!(header.set_opcode(16).is_err());
}

#[test]
fn the_codec_keeps_every_law() {
    kit::holds(&*OverTcp::protocol(), "dns", |golden| !golden.to_string().contains("udp"));
}
