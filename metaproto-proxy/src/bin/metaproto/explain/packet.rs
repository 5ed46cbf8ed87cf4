//! The TCP segment in a packet.

use std::net::{IpAddr, SocketAddr};

use etherparse::{EtherType, LaxNetSlice, LaxSlicedPacket, TransportSlice};

/// A segment of TCP, as captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment<'a> {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) sequence: u32,
    pub(super) syn: bool,
    pub(super) ack: bool,
    pub(super) bytes: &'a [u8],
    /// The capture does not have all of its bytes.
    pub(super) cut: bool,
}

/// Why a packet has no segment to explain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub(super) enum Foreign {
    #[error("of link type {0}, which is not known")]
    Link(i32),
    #[error("not of TCP over IP")]
    Protocol,
    #[error("a fragment of an IP packet")]
    Fragment,
    #[error("cut within the headers")]
    Header,
}

// As registered at https://www.tcpdump.org/linktypes.html.
const NULL: i32 = 0;
const ETHERNET: i32 = 1;
const RAW: [i32; 5] = [12, 14, 101, 228, 229];
const LOOP: i32 = 108;
const LINUX_SLL: i32 = 113;
const LINUX_SLL2: i32 = 276;

/// The segment in a packet of this link type.
pub(super) fn segment(link: i32, data: &[u8]) -> Result<Segment<'_>, Foreign> {
    let packet = match link {
        ETHERNET => LaxSlicedPacket::from_ethernet(data).map_err(|_| Foreign::Header)?,
        // The address family in front has a number of each system's own; the packet says it, too.
        NULL | LOOP => ip(data.get(4..))?,
        LINUX_SLL => by_ether_type(data, 14, 16)?,
        LINUX_SLL2 => by_ether_type(data, 0, 20)?,
        raw if RAW.contains(&raw) => ip(Some(data))?,
        other => return Err(Foreign::Link(other)),
    };
    let (from, to): (IpAddr, IpAddr) = match &packet.net {
        Some(LaxNetSlice::Ipv4(ip)) => {
            (ip.header().source_addr().into(), ip.header().destination_addr().into())
        }
        Some(LaxNetSlice::Ipv6(ip)) => {
            (ip.header().source_addr().into(), ip.header().destination_addr().into())
        }
        _ => return Err(Foreign::Protocol),
    };
    let payload = packet.ip_payload();
    match &packet.transport {
        Some(TransportSlice::Tcp(tcp)) => Ok(Segment {
            from: SocketAddr::new(from, tcp.source_port()),
            to: SocketAddr::new(to, tcp.destination_port()),
            sequence: tcp.sequence_number(),
            syn: tcp.syn(),
            ack: tcp.ack(),
            bytes: tcp.payload(),
            cut: payload.is_some_and(|payload| payload.incomplete),
        }),
        Some(_) => Err(Foreign::Protocol),
        None if payload.is_some_and(|payload| payload.fragmented) => Err(Foreign::Fragment),
        None if packet.stop_err.is_some() => Err(Foreign::Header),
        None => Err(Foreign::Protocol),
    }
}

fn ip(packet: Option<&[u8]>) -> Result<LaxSlicedPacket<'_>, Foreign> {
    LaxSlicedPacket::from_ip(packet.unwrap_or_default()).map_err(|_| Foreign::Protocol)
}

/// A packet behind a header of `header` bytes, in which the ether type stands at `at`.
fn by_ether_type(data: &[u8], at: usize, header: usize) -> Result<LaxSlicedPacket<'_>, Foreign> {
    let found = data.get(at..).and_then(|rest| rest.first_chunk());
    let (Some(number), Some(packet)) = (found, data.get(header..)) else {
        return Err(Foreign::Header);
    };
    Ok(LaxSlicedPacket::from_ether_type(EtherType(u16::from_be_bytes(*number)), packet))
}

#[cfg(test)]
mod tests {
    use etherparse::PacketBuilder;
    use proptest::prelude::*;

    use super::*;

    fn ip_packet() -> Vec<u8> {
        let builder = PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64);
        let mut packet = Vec::new();
        builder.tcp(5000, 9001, 7, 100).syn().write(&mut packet, b"hello").unwrap();
        packet
    }

    #[test]
    fn a_segment_is_found_behind_every_link_header() {
        let ip = ip_packet();
        let ethernet = [&[0; 12][..], &[8, 0], &ip, b"padding"].concat();
        let vlan = [&[0; 12][..], &[0x81, 0, 0, 5, 8, 0], &ip].concat();
        let sll = [&[0; 14][..], &[8, 0], &ip].concat();
        let sll2 = [&[8, 0][..], &[0; 18], &ip].concat();
        let null = [&[2, 0, 0, 0][..], &ip].concat();
        let cases = [
            (1, &ethernet),
            (1, &vlan),
            (113, &sll),
            (276, &sll2),
            (0, &null),
            (108, &null),
            (101, &ip),
            (228, &ip),
        ];
        for (link, packet) in cases {
            let found = segment(link, packet).unwrap();
            assert_eq!(found.from, "10.0.0.1:5000".parse().unwrap(), "{link}");
            assert_eq!(found.to, "10.0.0.2:9001".parse().unwrap());
            assert_eq!((found.sequence, found.syn, found.ack, found.cut), (7, true, false, false));
            assert_eq!(found.bytes, b"hello");
        }
    }

    #[test]
    fn ipv6_is_read_and_a_cut_packet_is_known_as_such() {
        let builder = PacketBuilder::ipv6([1; 16], [2; 16], 64).tcp(5000, 9001, 7, 100);
        let mut packet = Vec::new();
        builder.write(&mut packet, b"hello").unwrap();
        let found = segment(229, &packet[..packet.len() - 3]).unwrap();
        assert_eq!((found.bytes, found.cut), (b"he".as_slice(), true));
        assert_eq!(found.from.to_string(), "[101:101:101:101:101:101:101:101]:5000");
    }

    #[test]
    fn what_is_not_tcp_is_told_why() {
        let mut udp = Vec::new();
        let builder = PacketBuilder::ipv4([1; 4], [2; 4], 64).udp(1, 2);
        builder.write(&mut udp, b"x").unwrap();
        assert_eq!(segment(101, &udp), Err(Foreign::Protocol));
        assert_eq!(segment(147, &udp), Err(Foreign::Link(147)));
        assert_eq!(segment(1, &[0; 5]), Err(Foreign::Header));
        assert_eq!(segment(101, &ip_packet()[..25]), Err(Foreign::Header));
        let mut fragment = ip_packet();
        fragment[6] = 0x20;
        assert_eq!(segment(101, &fragment), Err(Foreign::Fragment));
    }

    proptest! {
        #[test]
        fn no_packet_makes_it_panic(
            link in prop_oneof![any::<i32>(), prop::sample::select(vec![0, 1, 101, 113, 276])],
            mut packet in proptest::collection::vec(any::<u8>(), 0..80),
            front in proptest::option::of(0_usize..40),
        ) {
            if let Some(front) = front {
                packet.splice(..0, ip_packet().into_iter().take(front));
            }
            let _ = segment(link, &packet);
        }
    }
}
