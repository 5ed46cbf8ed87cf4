//! The end of a struct, found without a length.

use metaproto_core::{DecodeError, Fault};

use super::kind::Kind;
use super::varint::{Varint, varint};
use crate::dialect::Encoding;

/// Structs nested deeper than this are refused.
pub(super) const DEEPEST: usize = 64;

/// What is known of the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It is here.
    End(usize),
    /// It can't be told before so many bytes are there.
    Need(usize),
}

/// Goes through a value as its bytes arrive. What has been gone through is not looked at again.
#[derive(Debug)]
pub(crate) struct Scan {
    encoding: Encoding,
    /// What comes next stands here; it may lie behind what has arrived.
    position: usize,
    /// What has been begun and not ended, from outside to inside.
    open: Vec<Open>,
    /// The type of a value whose start is yet to be read.
    next: Option<Kind>,
    /// No value reaches further than this.
    limit: usize,
}

/// A value that has values inside.
#[derive(Debug, Clone, Copy)]
enum Open {
    Struct,
    /// So many more of this type.
    List(Kind, usize),
    /// So many more keys and values, keys first.
    Map(Kind, Kind, usize),
}

/// What one step has come to.
enum Step {
    Done,
    /// So many bytes have to be there.
    Need(usize),
}

impl Scan {
    /// Begins in front of a value at `position`, which can't reach further than `limit`.
    pub(crate) fn new(kind: Kind, encoding: Encoding, position: usize, limit: usize) -> Self {
        Scan { encoding, position, open: Vec::new(), next: Some(kind), limit }
    }

    /// Sets how far values may reach.
    pub(crate) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Begins anew, without giving back memory.
    pub(crate) fn restart(&mut self, kind: Kind, encoding: Encoding, position: usize) {
        self.open.clear();
        (self.encoding, self.position, self.next) = (encoding, position, Some(kind));
    }

    /// Goes on with all that has arrived.
    pub(crate) fn go_on(&mut self, head: &[u8]) -> Result<Progress, DecodeError> {
        loop {
            if self.position > self.limit {
                let told = u64::try_from(self.position).unwrap_or(u64::MAX);
                return Err(DecodeError::connection("struct", Fault::LengthTooLarge(told)));
            }
            let step = match (self.next, self.open.last().copied()) {
                (Some(kind), _) => self.begin(kind, head)?,
                (None, None) => return Ok(Progress::End(self.position)),
                (None, Some(open)) => self.inside(open, head)?,
            };
            if let Step::Need(size) = step {
                return Ok(Progress::Need(size));
            }
        }
    }

    /// What has arrived from here on.
    fn rest<'a>(&self, head: &'a [u8]) -> &'a [u8] {
        head.get(self.position..).unwrap_or_default()
    }

    fn need(&self, more: usize) -> Step {
        Step::Need(self.position.saturating_add(more))
    }

    fn pass(&mut self, size: usize) -> Step {
        self.position = self.position.saturating_add(size);
        Step::Done
    }

    /// The next value inside of what is open, or its end.
    fn inside(&mut self, open: Open, head: &[u8]) -> Result<Step, DecodeError> {
        let encoding = self.encoding;
        let changed = match open {
            Open::Struct => return self.field(head),
            Open::List(_, 0) | Open::Map(_, _, 0) => {
                self.open.pop();
                return Ok(Step::Done);
            }
            Open::List(kind, left) => match kind.fixed(encoding) {
                Some(size) => {
                    self.pass(size.saturating_mul(left));
                    Open::List(kind, 0)
                }
                None => {
                    self.next = Some(kind);
                    Open::List(kind, left.saturating_sub(1))
                }
            },
            Open::Map(key, value, left) => match (key.fixed(encoding), value.fixed(encoding)) {
                // At once: one by one an announced count would be work, before any of them is there.
                (Some(key_size), Some(size)) => {
                    self.pass(key_size.saturating_add(size).saturating_mul(left / 2));
                    Open::Map(key, value, 0)
                }
                _ => {
                    self.next = Some(if left.is_multiple_of(2) { key } else { value });
                    Open::Map(key, value, left.saturating_sub(1))
                }
            },
        };
        if let Some(open) = self.open.last_mut() {
            *open = changed;
        }
        Ok(Step::Done)
    }

    /// The head of a field, or the end of a struct.
    fn field(&mut self, head: &[u8]) -> Result<Step, DecodeError> {
        let rest = self.rest(head);
        let Some(&first) = rest.first() else { return Ok(self.need(1)) };
        if first == 0 {
            self.open.pop();
            return Ok(self.pass(1));
        }
        if self.encoding != Encoding::Compact {
            self.next = Some(Kind::of(first, self.encoding)?);
            return Ok(self.pass(3));
        }
        let kind = Kind::of(first & 0x0f, self.encoding)?;
        let id = match first >> 4 {
            // The number of the field follows in full.
            0 => match varint(rest.get(1..).unwrap_or_default())? {
                Some((_, size)) => size,
                None => return Ok(self.need(rest.len().saturating_add(1))),
            },
            _ => 0,
        };
        // The value of a bool is in its type.
        self.next = Some(kind).filter(|kind| *kind != Kind::Bool);
        Ok(self.pass(id.saturating_add(1)))
    }

    /// The start of a value, or all of it.
    fn begin(&mut self, kind: Kind, head: &[u8]) -> Result<Step, DecodeError> {
        if let Some(size) = kind.fixed(self.encoding) {
            self.next = None;
            return Ok(self.pass(size));
        }
        let step = match (kind, self.encoding) {
            (Kind::Struct, _) => {
                self.push(Open::Struct)?;
                Step::Done
            }
            (Kind::I16 | Kind::I32 | Kind::I64, _) => match varint(self.rest(head))? {
                Some((_, size)) => self.pass(size),
                None => self.need(self.rest(head).len().saturating_add(1)),
            },
            (Kind::Text, _) => match self.length(head)? {
                Some((len, size)) => self.pass(size.saturating_add(self.bounded(len, 1)?)),
                None => self.need(self.rest(head).len().saturating_add(1)),
            },
            (_, Encoding::Compact) => self.compact_container(kind, head)?,
            _ => self.binary_container(kind, head)?,
        };
        if let Step::Done = step {
            self.next = None;
        }
        Ok(step)
    }

    /// The length of a text, and the bytes that it took.
    fn length(&self, head: &[u8]) -> Result<Varint, DecodeError> {
        let rest = self.rest(head);
        match self.encoding {
            Encoding::Compact => varint(rest),
            _ => Ok(rest.first_chunk().map(|len| (u64::from(u32::from_be_bytes(*len)), 4))),
        }
    }

    /// A count of values of `least` bytes, if there can be as many.
    fn bounded(&self, count: u64, least: usize) -> Result<usize, DecodeError> {
        let room = self.limit.saturating_sub(self.position);
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        match count.saturating_mul(least) <= room {
            true => Ok(count),
            false => {
                let told = u64::try_from(count).unwrap_or(u64::MAX);
                Err(DecodeError::connection("size of a container", Fault::LengthTooLarge(told)))
            }
        }
    }

    fn binary_container(&mut self, kind: Kind, head: &[u8]) -> Result<Step, DecodeError> {
        let rest = self.rest(head);
        let count = |bytes: &[u8; 4]| u64::from(u32::from_be_bytes(*bytes));
        match (kind, rest) {
            (Kind::Map, [key, value, sizes @ ..]) => {
                let Some(bytes) = sizes.first_chunk() else { return Ok(self.need(6)) };
                let (key, value) = (self.kind(*key), self.kind(*value));
                self.map(key, value, count(bytes), 6)
            }
            (Kind::Map, _) => Ok(self.need(6)),
            (_, [element, sizes @ ..]) => {
                let Some(bytes) = sizes.first_chunk() else { return Ok(self.need(5)) };
                self.list(self.kind(*element), count(bytes), 5)
            }
            _ => Ok(self.need(5)),
        }
    }

    fn compact_container(&mut self, kind: Kind, head: &[u8]) -> Result<Step, DecodeError> {
        let rest = self.rest(head);
        let more = rest.len().saturating_add(1);
        let Some((&first, behind)) = rest.split_first() else { return Ok(self.need(1)) };
        if kind == Kind::Map {
            let Some((count, size)) = varint(rest)? else { return Ok(self.need(more)) };
            if count == 0 {
                return Ok(self.pass(size));
            }
            let Some(types) = rest.get(size) else { return Ok(self.need(more)) };
            let (key, value) = (self.kind(types >> 4), self.kind(types & 0x0f));
            return self.map(key, value, count, size.saturating_add(1));
        }
        let element = self.kind(first & 0x0f);
        match first >> 4 {
            15 => match varint(behind)? {
                Some((count, size)) => self.list(element, count, size.saturating_add(1)),
                None => Ok(self.need(more)),
            },
            count => self.list(element, u64::from(count), 1),
        }
    }

    fn kind(&self, code: u8) -> Result<Kind, DecodeError> {
        Kind::of(code, self.encoding)
    }

    /// Begins a list whose head takes `size` bytes. The type of no elements is not looked at.
    fn list(
        &mut self,
        kind: Result<Kind, DecodeError>,
        count: u64,
        size: usize,
    ) -> Result<Step, DecodeError> {
        if count > 0 {
            let kind = kind?;
            let count = self.bounded(count, kind.least(self.encoding))?;
            self.push(Open::List(kind, count))?;
        }
        Ok(self.pass(size))
    }

    fn map(
        &mut self,
        key: Result<Kind, DecodeError>,
        value: Result<Kind, DecodeError>,
        count: u64,
        size: usize,
    ) -> Result<Step, DecodeError> {
        if count > 0 {
            let (key, value) = (key?, value?);
            let least = key.least(self.encoding).saturating_add(value.least(self.encoding));
            let count = self.bounded(count, least)?;
            self.push(Open::Map(key, value, count.saturating_mul(2)))?;
        }
        Ok(self.pass(size))
    }

    fn push(&mut self, open: Open) -> Result<(), DecodeError> {
        if self.open.len() >= DEEPEST {
            return Err(DecodeError::connection("struct", Fault::TooDeep));
        }
        self.open.push(open);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::generate::{Value, Write, nearly, structs};
    use super::*;

    /// The longest head of a value: that of a list in the compact protocol, a byte and a varint.
    const LONGEST_HEAD: usize = 11;

    /// Both encodings, with what writes them.
    const ENCODINGS: [(Encoding, Write); 2] =
        [(Encoding::Binary, Value::binary), (Encoding::Compact, Value::compact)];

    proptest! {
        #[test]
        fn the_end_is_found_however_the_bytes_arrive(
            value in structs(),
            at in 0..5_usize,
            behind in vec(any::<u8>(), 0..5),
            pieces in vec(prop_oneof![1..4_usize, 1..200_usize], 1..20),
        ) {
            for (encoding, encode) in ENCODINGS {
                let mut bytes = vec![0xff; at];
                bytes.extend(encode(&value));
                let end = bytes.len();
                bytes.extend(&behind);
                let mut scan = Scan::new(Kind::Struct, encoding, at, usize::MAX);
                let mut pieces = pieces.iter().cycle();
                let mut there = 0;
                let found = loop {
                    match scan.go_on(&bytes[..there]).unwrap() {
                        Progress::End(found) => break found,
                        Progress::Need(need) => prop_assert!(need > there && need <= end),
                    }
                    // What has been gone through is not looked at again, and of the rest there is never
                    // more than a head: the work is linear.
                    prop_assert!(there.saturating_sub(scan.position) < LONGEST_HEAD);
                    let passed = scan.position;
                    bytes[..passed].fill(0xff);
                    there = (there + pieces.next().unwrap()).min(bytes.len());
                };
                prop_assert_eq!(found, end);
            }
        }

        #[test]
        fn a_value_that_is_cut_asks_for_more(value in structs()) {
            for (encoding, encode) in ENCODINGS {
                let bytes = encode(&value);
                for cut in 0..bytes.len() {
                    let mut scan = Scan::new(Kind::Struct, encoding, 0, bytes.len());
                    let early = scan.go_on(&bytes[..cut]);
                    prop_assert!(
                        matches!(early, Ok(Progress::Need(need)) if need > cut && need <= bytes.len()),
                        "{early:?} of {cut} bytes",
                    );
                }
            }
        }

        #[test]
        fn any_bytes_end_or_ask_for_more_or_are_refused(
            binary in nearly(Value::binary),
            compact in nearly(Value::compact),
            noise in vec(any::<u8>(), 0..100),
        ) {
            for bytes in [binary, compact, noise] {
                for (encoding, _) in ENCODINGS {
                    // A limit that is far away lets containers be large: they must cost nothing.
                    for limit in [bytes.len(), 1 << 30, usize::MAX] {
                        let mut scan = Scan::new(Kind::Struct, encoding, 0, limit);
                        match scan.go_on(&bytes) {
                            Ok(Progress::End(end)) => prop_assert!(end <= bytes.len()),
                            Ok(Progress::Need(need)) => prop_assert!(need > bytes.len()),
                            Err(_) => {}
                        }
                        prop_assert!(scan.open.capacity() <= 2 * DEEPEST);
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_nested_too_deep_is_refused() {
        for (encoding, head) in
            [(Encoding::Binary, &b"\x0c\x00\x01"[..]), (Encoding::Compact, b"\x1c")]
        {
            for (depth, is_fine) in [(DEEPEST, true), (DEEPEST + 1, false)] {
                // The outermost struct has no head.
                let bytes = [head.repeat(depth - 1), vec![0; depth]].concat();
                let found = Scan::new(Kind::Struct, encoding, 0, bytes.len()).go_on(&bytes);
                assert_eq!(found.ok(), is_fine.then_some(Progress::End(bytes.len())));
            }
        }
    }

    #[test]
    fn values_of_known_size_are_passed_at_once_before_they_arrive() {
        // Taken one by one, so many would take minutes.
        const MANY: usize = 0x7000_0000;
        for (element, size) in [(&b"\x0f\x00\x01\x02"[..], 1), (b"\x0d\x00\x01\x06\x0a", 10)] {
            let bytes = [element, &u32::try_from(MANY).unwrap().to_be_bytes()].concat();
            let mut scan = Scan::new(Kind::Struct, Encoding::Binary, 0, 1 << 40);
            let need = bytes.len() + MANY * size + 1;
            assert_eq!(scan.go_on(&bytes), Ok(Progress::Need(need)));
        }
    }

    #[test]
    fn a_count_that_cannot_be_is_refused_before_its_values_arrive() {
        for (encoding, bytes) in [
            (Encoding::Binary, &b"\x0f\x00\x01\x0a\x00\x00\x00\x80"[..]),
            (Encoding::Binary, b"\x0d\x00\x01\x0c\x0b\x00\x00\x00\xff"),
            (Encoding::Binary, b"\x0b\x00\x01\xff\xff\xff\xff"),
            (Encoding::Compact, b"\x19\xfc\x81\x08"),
            (Encoding::Compact, b"\x1b\x81\x08\xcc"),
            (Encoding::Compact, b"\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
        ] {
            let refused = Scan::new(Kind::Struct, encoding, 0, 1000).go_on(bytes);
            let fault = refused.expect_err("there is no room for it").fault;
            assert!(matches!(fault, Fault::LengthTooLarge(_)), "{bytes:02x?}: {fault}");
        }
    }
}
