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

impl Default for Scan {
    /// One that is to be begun anew before it is used.
    fn default() -> Self {
        Scan::new(Kind::Struct, Encoding::Binary, 0, 0)
    }
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
            Open::Map(key, value, left) => {
                self.next = Some(if left.is_multiple_of(2) { key } else { value });
                Open::Map(key, value, left.saturating_sub(1))
            }
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
