//! SOFA bolt: requests and responses have layouts of their own, told apart by the byte behind the
//! protocol's version. Version 2 may end with a checksum, which a byte in the header says.

use metaproto_core::{Auto, Bytes, Codec, Frame, Section, Side};

use super::golden::{self, Golden};
use super::held::{self, Framed};
use super::kit;

#[derive(Debug, Clone, PartialEq, Frame, Codec)]
#[frame(tag(u8, at = 1))]
#[meta(protocol = "bolt", aliases("sofa-bolt"))]
enum Bolt {
    #[frame(tag = 1 | 2)]
    Request(Request),
    #[frame(tag = 0)]
    Response(Response),
}

#[derive(Debug, Clone, PartialEq, Frame, Codec)]
#[frame(magic = 1_u8)]
#[meta(protocol = "bolt", kind(command == 0 => Ping, ty == 2 => Oneway, _ => Request))]
#[meta(make(Request(command = 1, ty = 1), Ping(command = 0, ty = 1), Oneway(command = 1, ty = 2)))]
struct Request {
    ty: u8,
    command: u16,
    version: u8,
    #[meta(request_id)]
    id: u32,
    codec: u8,
    #[meta(timeout(unit = ms, none = -1))]
    timeout: i32,
    #[frame(length(of = class))]
    class_length: Auto<u16>,
    #[frame(length(of = headers))]
    header_length: Auto<u16>,
    #[frame(length(of = content))]
    content_length: Auto<u32>,
    #[meta(property, operation)]
    class: String,
    #[frame(kv(key = u32, value = u32))]
    #[meta(properties)]
    headers: Section,
    #[frame(body)]
    content: Bytes,
}

#[derive(Debug, Clone, PartialEq, Frame, Codec)]
#[frame(magic = 1_u8)]
#[meta(protocol = "bolt", kind(command == 0 => Pong, _ => Response))]
#[meta(make(Response(command = 2)))]
#[meta(errors(Overloaded => 4, ConnectionFailure => 5, RouteNotFound => 6, Timeout => 7, BadRequest => 9, _ => 1))]
struct Response {
    #[frame(constant = 0)]
    ty: Auto<u8>,
    command: u16,
    version: u8,
    #[meta(request_id)]
    id: u32,
    codec: u8,
    #[meta(status(ok = 0))]
    status: u16,
    #[frame(length(of = class))]
    class_length: Auto<u16>,
    #[frame(length(of = headers))]
    header_length: Auto<u16>,
    #[frame(length(of = content))]
    content_length: Auto<u32>,
    class: String,
    #[frame(kv(key = u32, value = u32))]
    #[meta(properties)]
    headers: Section,
    #[frame(body)]
    content: Bytes,
}

/// Version 2, with what the peers differ in: a timeout or a status, and a checksum or none.
macro_rules! version_2 {
    ($name:ident, $switch:literal, $own:ident: $type:ty $(, $crc:ident)?) => {
        #[derive(Debug, Clone, PartialEq, Frame)]
        #[frame(magic = 2_u8)]
        struct $name {
            version1: u8,
            ty: u8,
            command: u16,
            version: u8,
            id: u32,
            codec: u8,
            #[frame(constant = $switch)]
            switch: Auto<u8>,
            $own: $type,
            #[frame(length(of = class))]
            class_length: Auto<u16>,
            #[frame(length(of = headers))]
            header_length: Auto<u16>,
            #[frame(length(of = content))]
            content_length: Auto<u32>,
            class: String,
            #[frame(kv(key = u32, value = u32))]
            headers: Section,
            #[frame(body)]
            content: Bytes,
            $(
                #[frame(checksum(with = crc32))]
                $crc: Auto<u32>,
            )?
        }

        impl $name {
            fn check(golden: &Golden) {
                let frame: Self = held::frame(golden);
                let head = [frame.command.into(), frame.version.into(), frame.id.into(), frame.codec.into()];
                golden.has([
                    ("protocol", 2),
                    ("version1", frame.version1.into()),
                    ("type", frame.ty.into()),
                    ("switch", $switch),
                    (stringify!($own), frame.$own.into()),
                    ("fixed_size", Self::HEADER_SIZE as i128),
                ]);
                check(golden, head, &frame.class, &frame.headers, &frame.content);
            }
        }
    };
}

version_2!(Request2, 0, timeout: i32);
version_2!(CheckedRequest2, 1, timeout: i32, crc);
version_2!(Response2, 0, status: u16);
version_2!(CheckedResponse2, 1, status: u16, crc);

/// CRC-32 of IEEE 802.3, a bit at a time.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

/// What all layouts have.
fn check(golden: &Golden, head: [i128; 4], class: &str, headers: &Section, content: &Bytes) {
    let [command, version, id, codec] = head;
    let headers_size: usize =
        headers.iter().map(|(name, value)| 8 + name.len() + value.len()).sum();
    golden.has([
        ("command", command),
        ("version2", version),
        ("id", id),
        ("codec", codec),
        ("class_length", class.len() as i128),
        ("header_length", headers_size as i128),
        ("content_length", content.len() as i128),
    ]);
    assert!(held::is_shared(golden, content));
    for told in golden.notes("class ") {
        assert_eq!(told, format!("class {class}"));
    }
    for told in golden.notes("header: ") {
        assert!(told.starts_with(&format!("header: {} entries:", headers.len())), "{golden}");
        for (name, value) in headers.iter() {
            let (name, value) = (String::from_utf8_lossy(&name), String::from_utf8_lossy(value));
            assert!(told.contains(&format!(" {name}={value}")), "{golden}: {name}={value}");
        }
    }
}

fn of_version(version: i128) -> impl Iterator<Item = Golden> {
    golden::frames("bolt").into_iter().filter(move |golden| golden.number("protocol") == version)
}

#[test]
fn every_frame_of_version_1_is_read_and_written() {
    for golden in of_version(1) {
        match held::one_of(&golden) {
            Bolt::Request(frame) => {
                assert_eq!(golden.side, Side::Downstream);
                golden.has([
                    ("type", frame.ty.into()),
                    ("timeout", frame.timeout.into()),
                    ("fixed_size", Request::HEADER_SIZE as i128),
                ]);
                let head = [
                    frame.command.into(),
                    frame.version.into(),
                    frame.id.into(),
                    frame.codec.into(),
                ];
                check(&golden, head, &frame.class, &frame.headers, &frame.content);
            }
            Bolt::Response(frame) => {
                assert_eq!(golden.side, Side::Upstream);
                golden.has([
                    ("type", 0),
                    ("status", frame.status.into()),
                    ("fixed_size", Response::HEADER_SIZE as i128),
                ]);
                let head = [
                    frame.command.into(),
                    frame.version.into(),
                    frame.id.into(),
                    frame.codec.into(),
                ];
                check(&golden, head, &frame.class, &frame.headers, &frame.content);
            }
        }
    }
}

#[test]
fn every_connection_of_version_1_is_cut_into_its_frames() {
    let connections = golden::connections("bolt").into_iter();
    for connection in connections.filter(|connection| connection.name != "bolt/v2") {
        for side in [Side::Downstream, Side::Upstream] {
            held::stream(&connection, side, || Framed::one_of::<Bolt>(side));
        }
    }
}

#[test]
fn every_frame_of_version_2_is_read_and_written() {
    for golden in of_version(2) {
        match (golden.says("timeout"), golden.number("switch")) {
            (true, 0) => Request2::check(&golden),
            (true, _) => CheckedRequest2::check(&golden),
            (false, 0) => Response2::check(&golden),
            (false, _) => CheckedResponse2::check(&golden),
        }
    }
}

#[test]
fn every_byte_is_proved_by_the_checksum() {
    let golden = of_version(2).find(|golden| golden.number("switch") == 1).unwrap();
    for at in 0..golden.bytes.len() {
        let mut bytes = golden.bytes.to_vec();
        bytes[at] ^= 0x10;
        assert!(CheckedRequest2::read(bytes.into()).is_err(), "{golden}, byte {at} changed");
    }
}

#[test]
fn the_codec_keeps_every_law() {
    kit::holds(&*Bolt::protocol(), "bolt", |golden| golden.number("protocol") == 1);
}
