//! The packets of a capture file, pcap or pcapng, read as they come.

use std::fmt;
use std::io::{self, Read};
use std::time::{Duration, SystemTime};

use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{Block, PcapBlockOwned, PcapError, create_reader};

use super::report::Stop;

/// The room for blocks at first, in bytes; it grows with the largest.
const ROOM: usize = 64 << 10;

/// The largest block that is read, in bytes. Packets are smaller.
const LARGEST: usize = 64 << 20;

/// A packet as it was captured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packet<'a> {
    pub(super) time: Option<Time>,
    /// What its first bytes are.
    pub(super) link: i32,
    pub(super) data: &'a [u8],
}

/// When a packet was captured, since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time(Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// The end of the year 9999.
        const LAST: u64 = 253_402_300_799;
        let time = SystemTime::UNIX_EPOCH.checked_add(self.0);
        match time.filter(|_| self.0.as_secs() <= LAST) {
            Some(time) => write!(f, "{}", humantime::format_rfc3339_micros(time)),
            None => write!(f, "second {}", self.0.as_secs()),
        }
    }
}

/// Passes on the packets of a capture.
///
/// # Errors
/// It is not a capture, or is broken somewhere; the packets before that have been passed on.
pub(super) fn read(
    input: impl Read + Send,
    mut each: impl FnMut(Packet<'_>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let broken = |what: &str| Stop::Input(format!("the capture is broken: {what}"));
    let input = WholeHeader { input, begun: false };
    let mut reader = create_reader(ROOM, input)
        .map_err(|_| Stop::Input("is not a capture: neither pcap nor pcapng".to_owned()))?;
    let mut interfaces = Interfaces::default();
    let mut room = ROOM;
    loop {
        let refill = match reader.next() {
            Ok((size, block)) => {
                if let Some(packet) = interfaces.packet(&block) {
                    each(packet)?;
                }
                drop(block);
                reader.consume(size);
                false
            }
            Err(PcapError::Eof) => return Ok(()),
            Err(PcapError::Incomplete(_)) => true,
            Err(PcapError::BufferTooSmall) if room < LARGEST => {
                room *= 2;
                reader.grow(room);
                true
            }
            Err(PcapError::BufferTooSmall) => return Err(broken("a packet is too large")),
            Err(PcapError::UnexpectedEof) => return Err(broken("it ends within a packet")),
            Err(_) => return Err(broken("what should be a packet is none")),
        };
        if refill {
            reader.refill().map_err(|_| broken("it can't be read any further"))?;
        }
    }
}

/// What has been told of the interfaces that packets come from.
#[derive(Default)]
struct Interfaces {
    list: Vec<Interface>,
}

#[derive(Clone, Copy)]
struct Interface {
    link: i32,
    /// Ticks of its clock in a second.
    ticks: u64,
    /// Seconds from 1970 to the start of its clock.
    offset: i64,
}

impl Interfaces {
    /// The packet in a block, if it has one. Other blocks are remembered.
    fn packet<'a>(&mut self, block: &'a PcapBlockOwned<'a>) -> Option<Packet<'a>> {
        match block {
            PcapBlockOwned::LegacyHeader(header) => {
                let nanoseconds = header.is_nanosecond_precision();
                let ticks = if nanoseconds { 1_000_000_000 } else { 1_000_000 };
                self.list = vec![Interface { link: header.network.0, ticks, offset: 0 }];
                None
            }
            PcapBlockOwned::Legacy(packet) => {
                let interface = *self.list.first()?;
                let (seconds, parts) = (u64::from(packet.ts_sec), u64::from(packet.ts_usec));
                let ticks = seconds.saturating_mul(interface.ticks).saturating_add(parts);
                let time = interface.time(ticks);
                Some(Packet { time, link: interface.link, data: packet.data })
            }
            PcapBlockOwned::NG(block) => self.next_generation(block),
        }
    }

    fn next_generation<'a>(&mut self, block: &'a Block<'a>) -> Option<Packet<'a>> {
        match block {
            Block::SectionHeader(_) => {
                self.list.clear();
                None
            }
            Block::InterfaceDescription(interface) => {
                self.list.push(Interface {
                    link: interface.linktype.0,
                    ticks: interface.ts_resolution().unwrap_or(1_000_000),
                    offset: interface.ts_offset(),
                });
                None
            }
            Block::EnhancedPacket(packet) => {
                let interface = *self.list.get(usize::try_from(packet.if_id).ok()?)?;
                let ticks = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                let time = interface.time(ticks);
                Some(Packet { time, link: interface.link, data: packet.packet_data() })
            }
            Block::SimplePacket(packet) => {
                let link = self.list.first()?.link;
                Some(Packet { time: None, link, data: packet.packet_data() })
            }
            _ => None,
        }
    }
}

impl Interface {
    fn time(self, ticks: u64) -> Option<Time> {
        let seconds = ticks.checked_div(self.ticks)?.checked_add_signed(self.offset)?;
        let part = u128::from(ticks.checked_rem(self.ticks)?) * 1_000_000_000;
        let nanos = part.checked_div(u128::from(self.ticks))?;
        Some(Time(Duration::new(seconds, u32::try_from(nanos).ok()?)))
    }
}

/// A reader whose first bytes come at once, as the parser wants the file's header in one piece.
struct WholeHeader<R> {
    input: R,
    begun: bool,
}

impl<R: Read> Read for WholeHeader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        /// The size of the header of a pcap file. A capture that goes on may be slow to say more.
        const PCAP: usize = 24;
        /// What the first block of a pcapng file begins with.
        const NEXT_GENERATION: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
        if self.begun {
            return self.input.read(into);
        }
        self.begun = true;
        let mut filled = 0;
        loop {
            let wanted = match into.get(..filled).is_some_and(|b| b.starts_with(&NEXT_GENERATION)) {
                true => into.len(),
                false => PCAP.min(into.len()),
            };
            let read = match into.get_mut(filled..) {
                Some(room) if filled < wanted => self.input.read(room)?,
                _ => 0,
            };
            if read == 0 {
                return Ok(filled);
            }
            filled += read;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_any_resolution_and_none_is_too_far_away() {
        let clock = |ticks, offset| Interface { link: 1, ticks, offset };
        let shown = |interface: Interface, ticks| interface.time(ticks).unwrap().to_string();
        let expected = "2023-11-14T22:13:20.500000Z";
        assert_eq!(shown(clock(1_000_000, 0), 1_700_000_000_500_000), expected);
        assert_eq!(shown(clock(2, 1_000_000_000), 1_400_000_001), expected);
        assert_eq!(shown(clock(1, 0), u64::MAX), format!("second {}", u64::MAX));
        assert_eq!(clock(1, -5).time(1), None);
        assert_eq!(clock(0, 0).time(1), None);
    }
}
