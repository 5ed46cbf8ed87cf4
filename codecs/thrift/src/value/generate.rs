//! Values for property tests, and their bytes in both encodings.
//!
//! The writers follow the specifications ("Thrift Binary protocol encoding", "Thrift Compact protocol
//! encoding") and share nothing with what they test.

use proptest::collection::vec;
use proptest::prelude::*;

/// The type of a value, as the protocols tell types apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tag {
    Bool,
    Byte,
    I16,
    I32,
    I64,
    Double,
    Text,
    Struct,
    Map,
    Set,
    List,
    Uuid,
}

const SCALARS: [Tag; 8] =
    [Tag::Bool, Tag::Byte, Tag::I16, Tag::I32, Tag::I64, Tag::Double, Tag::Text, Tag::Uuid];
const NESTING: [Tag; 4] = [Tag::Struct, Tag::Map, Tag::Set, Tag::List];

impl Tag {
    fn binary(self) -> u8 {
        match self {
            Tag::Bool => 2,
            Tag::Byte => 3,
            Tag::Double => 4,
            Tag::I16 => 6,
            Tag::I32 => 8,
            Tag::I64 => 10,
            Tag::Text => 11,
            Tag::Struct => 12,
            Tag::Map => 13,
            Tag::Set => 14,
            Tag::List => 15,
            Tag::Uuid => 16,
        }
    }

    /// Of an element, a key or a value. Implementations write 1 for bools, and read 2 as well.
    fn compact(self) -> u8 {
        match self {
            Tag::Bool => 1,
            Tag::Byte => 3,
            Tag::I16 => 4,
            Tag::I32 => 5,
            Tag::I64 => 6,
            Tag::Double => 7,
            Tag::Text => 8,
            Tag::List => 9,
            Tag::Set => 10,
            Tag::Map => 11,
            Tag::Struct => 12,
            Tag::Uuid => 13,
        }
    }
}

/// A value of any type. What is in a list, a set or a map is all of the types in front.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Bool(bool),
    Byte(u8),
    I16(i16),
    I32(i32),
    I64(i64),
    Double(f64),
    Text(Vec<u8>),
    Uuid([u8; 16]),
    Struct(Vec<(i16, Value)>),
    List(Tag, Vec<Value>),
    Set(Tag, Vec<Value>),
    Map(Tag, Tag, Vec<(Value, Value)>),
}

impl Value {
    fn tag(&self) -> Tag {
        match self {
            Value::Bool(_) => Tag::Bool,
            Value::Byte(_) => Tag::Byte,
            Value::I16(_) => Tag::I16,
            Value::I32(_) => Tag::I32,
            Value::I64(_) => Tag::I64,
            Value::Double(_) => Tag::Double,
            Value::Text(_) => Tag::Text,
            Value::Uuid(_) => Tag::Uuid,
            Value::Struct(_) => Tag::Struct,
            Value::List(..) => Tag::List,
            Value::Set(..) => Tag::Set,
            Value::Map(..) => Tag::Map,
        }
    }

    /// The value in the binary protocol.
    pub(crate) fn binary(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_binary(&mut out);
        out
    }

    /// The value in the compact protocol, not as a bool of a field, which has no bytes.
    pub(crate) fn compact(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_compact(&mut out);
        out
    }

    fn write_binary(&self, out: &mut Vec<u8>) {
        let count = |len: usize| u32::try_from(len).unwrap().to_be_bytes();
        match self {
            Value::Bool(is_true) => out.push(u8::from(*is_true)),
            Value::Byte(byte) => out.push(*byte),
            Value::I16(number) => out.extend(number.to_be_bytes()),
            Value::I32(number) => out.extend(number.to_be_bytes()),
            Value::I64(number) => out.extend(number.to_be_bytes()),
            Value::Double(number) => out.extend(number.to_bits().to_be_bytes()),
            Value::Uuid(bytes) => out.extend(bytes),
            Value::Text(bytes) => {
                out.extend(count(bytes.len()));
                out.extend(bytes);
            }
            Value::Struct(fields) => {
                for (id, value) in fields {
                    out.push(value.tag().binary());
                    out.extend(id.to_be_bytes());
                    value.write_binary(out);
                }
                out.push(0);
            }
            Value::List(element, values) | Value::Set(element, values) => {
                out.push(element.binary());
                out.extend(count(values.len()));
                values.iter().for_each(|value| value.write_binary(out));
            }
            Value::Map(key, value, entries) => {
                out.extend([key.binary(), value.binary()]);
                out.extend(count(entries.len()));
                for (key, value) in entries {
                    key.write_binary(out);
                    value.write_binary(out);
                }
            }
        }
    }

    fn write_compact(&self, out: &mut Vec<u8>) {
        match self {
            Value::Bool(is_true) => out.push(if *is_true { 1 } else { 2 }),
            Value::Byte(byte) => out.push(*byte),
            Value::I16(number) => signed(i128::from(*number), out),
            Value::I32(number) => signed(i128::from(*number), out),
            Value::I64(number) => signed(i128::from(*number), out),
            Value::Double(number) => out.extend(number.to_bits().to_le_bytes()),
            Value::Uuid(bytes) => out.extend(bytes),
            Value::Text(bytes) => {
                unsigned(bytes.len() as u128, out);
                out.extend(bytes);
            }
            Value::Struct(fields) => compact_fields(fields, out),
            Value::List(element, values) | Value::Set(element, values) => {
                if values.len() < 15 {
                    out.push(u8::try_from(values.len() * 16).unwrap() + element.compact());
                } else {
                    out.push(0xf0 + element.compact());
                    unsigned(values.len() as u128, out);
                }
                values.iter().for_each(|value| value.write_compact(out));
            }
            Value::Map(_, _, entries) if entries.is_empty() => out.push(0),
            Value::Map(key, value, entries) => {
                unsigned(entries.len() as u128, out);
                out.push(key.compact() * 16 + value.compact());
                for (key, value) in entries {
                    key.write_compact(out);
                    value.write_compact(out);
                }
            }
        }
    }
}

fn compact_fields(fields: &[(i16, Value)], out: &mut Vec<u8>) {
    let mut last = 0;
    for (id, value) in fields {
        let code = match value {
            Value::Bool(false) => 2,
            value => value.tag().compact(),
        };
        let delta = i32::from(*id) - last;
        if (1..16).contains(&delta) {
            out.push(u8::try_from(delta * 16).unwrap() + code);
        } else {
            out.push(code);
            signed(i128::from(*id), out);
        }
        last = i32::from(*id);
        if !matches!(value, Value::Bool(_)) {
            value.write_compact(out);
        }
    }
    out.push(0);
}

/// Numbers below zero take the odd ones.
fn signed(number: i128, out: &mut Vec<u8>) {
    let folded = if number < 0 { -2 * number - 1 } else { 2 * number };
    unsigned(folded.unsigned_abs(), out);
}

fn unsigned(mut number: u128, out: &mut Vec<u8>) {
    while number >= 128 {
        out.push(u8::try_from(number % 128).unwrap() + 128);
        number /= 128;
    }
    out.push(u8::try_from(number).unwrap());
}

/// Structs of all types, nested, as they are written canonically: an empty map is of bytes.
pub(crate) fn structs() -> BoxedStrategy<Value> {
    of(Tag::Struct, 4)
}

/// What writes a value: [`Value::binary`] or [`Value::compact`].
pub(crate) type Write = fn(&Value) -> Vec<u8>;

/// Bytes that are nearly structs of one encoding: some are others, some are missing.
pub(crate) fn nearly(encode: Write) -> BoxedStrategy<Vec<u8>> {
    let changes = vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    let cut = prop::option::weighted(0.2, any::<prop::sample::Index>());
    (structs(), changes, cut, vec(any::<u8>(), 0..20))
        .prop_map(move |(value, changes, cut, behind)| {
            let mut bytes = encode(&value);
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if let Some(cut) = cut {
                bytes.truncate(cut.index(bytes.len()));
            }
            bytes.extend(behind);
            bytes
        })
        .boxed()
}

/// Values of this type with at most so many levels of others inside.
fn of(tag: Tag, depth: usize) -> BoxedStrategy<Value> {
    let few = if depth > 2 { 6 } else { 3 };
    match tag {
        Tag::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Tag::Byte => any::<u8>().prop_map(Value::Byte).boxed(),
        Tag::I16 => prop_oneof![-70..70_i16, any::<i16>()].prop_map(Value::I16).boxed(),
        Tag::I32 => prop_oneof![-70..70_i32, any::<i32>()].prop_map(Value::I32).boxed(),
        Tag::I64 => (any::<i64>(), 0..64_u32).prop_map(|(n, by)| Value::I64(n >> by)).boxed(),
        Tag::Double => any::<u64>().prop_map(|bits| Value::Double(f64::from_bits(bits))).boxed(),
        Tag::Uuid => any::<[u8; 16]>().prop_map(Value::Uuid).boxed(),
        Tag::Text => prop_oneof![9 => vec(any::<u8>(), 0..20), 1 => vec(any::<u8>(), 120..300)]
            .prop_map(Value::Text)
            .boxed(),
        Tag::Struct => {
            let value = tags(depth).prop_flat_map(move |tag| of(tag, depth.saturating_sub(1)));
            let fields = vec((0..18_i16, prop::option::weighted(0.1, any::<i16>()), value), 0..few);
            fields.prop_map(numbered).boxed()
        }
        Tag::List => elements(depth).prop_map(|(tag, values)| Value::List(tag, values)).boxed(),
        Tag::Set => elements(depth).prop_map(|(tag, values)| Value::Set(tag, values)).boxed(),
        Tag::Map => (tags(depth), tags(depth))
            .prop_flat_map(move |(key, value)| {
                let inside = depth.saturating_sub(1);
                let entries = vec((of(key, inside), of(value, inside)), 0..few);
                entries.prop_map(move |entries| match entries.is_empty() {
                    true => Value::Map(Tag::Byte, Tag::Byte, entries),
                    false => Value::Map(key, value, entries),
                })
            })
            .boxed(),
    }
}

/// Types that a value may have that has room for so many levels.
fn tags(depth: usize) -> BoxedStrategy<Tag> {
    match depth {
        0 | 1 => prop::sample::select(&SCALARS[..]).boxed(),
        _ => {
            let nesting = prop::sample::select(&NESTING[..]);
            prop_oneof![3 => prop::sample::select(&SCALARS[..]), 2 => nesting].boxed()
        }
    }
}

/// Elements, and the type of all of them.
type Elements = (Tag, Vec<Value>);

fn elements(depth: usize) -> BoxedStrategy<Elements> {
    tags(depth)
        .prop_flat_map(move |tag| {
            let value = of(tag, depth.saturating_sub(1));
            let values = match SCALARS.contains(&tag) {
                // About 15 the compact protocol changes how it writes the count, and at 128 again.
                true => prop_oneof![
                    8 => vec(value.clone(), 0..4),
                    2 => vec(value.clone(), 13..18),
                    1 => vec(value, 126..131),
                ]
                .boxed(),
                false => vec(value, 0..4).boxed(),
            };
            (Just(tag), values)
        })
        .boxed()
}

/// A field that is so much behind the last, or has a number of its own.
type Unnumbered = (i16, Option<i16>, Value);

fn numbered(fields: Vec<Unnumbered>) -> Value {
    let mut last = 0_i16;
    let fields = fields.into_iter().map(|(delta, own, value)| {
        last = own.unwrap_or(last.wrapping_add(delta));
        (last, value)
    });
    Value::Struct(fields.collect())
}
