//! Values for property tests, written in both encodings straight from their specifications.

use proptest::prelude::*;
use proptest::strategy::Union;

/// A value.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Bool(bool),
    Byte(u8),
    I16(i16),
    I32(i32),
    I64(i64),
    /// The bits of a double.
    Double(u64),
    Text(Vec<u8>),
    Uuid([u8; 16]),
    /// Fields by number; numbers may come in any order, and more than once.
    Struct(Vec<(i16, Value)>),
    /// Whether it is a set, the type of its elements, and these.
    List(bool, Type, Vec<Value>),
    Map(Type, Type, Vec<(Value, Value)>),
}

/// A type.
#[derive(Debug, Clone)]
pub(crate) enum Type {
    Bool,
    Byte,
    I16,
    I32,
    I64,
    Double,
    Text,
    Uuid,
    Struct,
    List(bool, Box<Type>),
    Map(Box<Type>, Box<Type>),
}

impl Type {
    fn binary(&self) -> u8 {
        match self {
            Type::Bool => 2,
            Type::Byte => 3,
            Type::Double => 4,
            Type::I16 => 6,
            Type::I32 => 8,
            Type::I64 => 10,
            Type::Text => 11,
            Type::Struct => 12,
            Type::Map(..) => 13,
            Type::List(true, _) => 14,
            Type::List(false, _) => 15,
            Type::Uuid => 16,
        }
    }

    fn compact(&self) -> u8 {
        match self {
            Type::Bool => 1,
            Type::Byte => 3,
            Type::I16 => 4,
            Type::I32 => 5,
            Type::I64 => 6,
            Type::Double => 7,
            Type::Text => 8,
            Type::List(false, _) => 9,
            Type::List(true, _) => 10,
            Type::Map(..) => 11,
            Type::Struct => 12,
            Type::Uuid => 13,
        }
    }
}

fn types() -> impl Strategy<Value = Type> {
    let plain = prop_oneof![
        Just(Type::Bool),
        Just(Type::Byte),
        Just(Type::I16),
        Just(Type::I32),
        Just(Type::I64),
        Just(Type::Double),
        Just(Type::Text),
        Just(Type::Uuid),
        Just(Type::Struct),
    ];
    plain.prop_recursive(3, 8, 2, |inner| {
        let boxed = || inner.clone().prop_map(Box::new);
        prop_oneof![
            (any::<bool>(), boxed()).prop_map(|(set, element)| Type::List(set, element)),
            (boxed(), boxed()).prop_map(|(key, value)| Type::Map(key, value)),
        ]
    })
}

/// Numbers of all sizes: most of those that are drawn evenly are long.
fn numbers() -> impl Strategy<Value = i64> {
    (any::<i64>(), 0..64_u32).prop_map(|(number, shift)| number >> shift)
}

/// Values of a type, with structs nested no deeper than this.
fn values(kind: &Type, depth: usize) -> BoxedStrategy<Value> {
    match kind {
        Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Type::Byte => any::<u8>().prop_map(Value::Byte).boxed(),
        Type::I16 => numbers().prop_map(|number| Value::I16(number as i16)).boxed(),
        Type::I32 => numbers().prop_map(|number| Value::I32(number as i32)).boxed(),
        Type::I64 => numbers().prop_map(Value::I64).boxed(),
        Type::Double => any::<u64>().prop_map(Value::Double).boxed(),
        Type::Text => proptest::collection::vec(any::<u8>(), 0..140).prop_map(Value::Text).boxed(),
        Type::Uuid => any::<[u8; 16]>().prop_map(Value::Uuid).boxed(),
        Type::Struct => fields(depth).prop_map(Value::Struct).boxed(),
        Type::List(set, element) => {
            let (set, element) = (*set, (**element).clone());
            let many = Union::new([0..3_usize, 0..3, 14..17]);
            let elements = many.prop_flat_map({
                let element = element.clone();
                move |count| proptest::collection::vec(values(&element, depth), count)
            });
            elements.prop_map(move |all| Value::List(set, element.clone(), all)).boxed()
        }
        Type::Map(key, value) => {
            let (key, value) = ((**key).clone(), (**value).clone());
            let pair = (values(&key, depth), values(&value, depth));
            proptest::collection::vec(pair, 0..4)
                .prop_map(move |all| Value::Map(key.clone(), value.clone(), all))
                .boxed()
        }
    }
}

fn fields(depth: usize) -> BoxedStrategy<Vec<(i16, Value)>> {
    if depth == 0 {
        return Just(Vec::new()).boxed();
    }
    let id = prop_oneof![4 => 1..40_i16, 1 => any::<i16>()];
    let field = types().prop_flat_map(move |kind| values(&kind, depth - 1));
    proptest::collection::vec((id, field), 0..4).boxed()
}

/// Structs of all kinds of values.
pub(crate) fn structs() -> impl Strategy<Value = Value> {
    fields(2).prop_map(Value::Struct)
}

/// The type of a value.
fn type_of(value: &Value) -> Type {
    match value {
        Value::Bool(_) => Type::Bool,
        Value::Byte(_) => Type::Byte,
        Value::I16(_) => Type::I16,
        Value::I32(_) => Type::I32,
        Value::I64(_) => Type::I64,
        Value::Double(_) => Type::Double,
        Value::Text(_) => Type::Text,
        Value::Uuid(_) => Type::Uuid,
        Value::Struct(_) => Type::Struct,
        Value::List(set, element, _) => Type::List(*set, Box::new(element.clone())),
        Value::Map(key, value, _) => Type::Map(Box::new(key.clone()), Box::new(value.clone())),
    }
}

/// Appends a value as the binary protocol has it.
///
/// Source: "Thrift Binary protocol encoding", Apache Thrift.
pub(crate) fn binary(value: &Value, out: &mut Vec<u8>) {
    let count = |count: usize| u32::try_from(count).unwrap().to_be_bytes();
    match value {
        Value::Bool(value) => out.push(u8::from(*value)),
        Value::Byte(value) => out.push(*value),
        Value::I16(value) => out.extend(value.to_be_bytes()),
        Value::I32(value) => out.extend(value.to_be_bytes()),
        Value::I64(value) => out.extend(value.to_be_bytes()),
        Value::Double(bits) => out.extend(bits.to_be_bytes()),
        Value::Text(text) => {
            out.extend(count(text.len()));
            out.extend(text);
        }
        Value::Uuid(bytes) => out.extend(bytes),
        Value::Struct(fields) => {
            for (id, value) in fields {
                out.push(type_of(value).binary());
                out.extend(id.to_be_bytes());
                binary(value, out);
            }
            out.push(0);
        }
        Value::List(_, element, all) => {
            out.push(element.binary());
            out.extend(count(all.len()));
            all.iter().for_each(|one| binary(one, out));
        }
        // The only empty map that comes back from the compact protocol.
        Value::Map(_, _, all) if all.is_empty() => out.extend([3, 3, 0, 0, 0, 0]),
        Value::Map(key, value, all) => {
            out.extend([key.binary(), value.binary()]);
            out.extend(count(all.len()));
            for (key, value) in all {
                binary(key, out);
                binary(value, out);
            }
        }
    }
}

fn varint(mut number: u64, out: &mut Vec<u8>) {
    loop {
        let byte = (number % 128) as u8;
        number /= 128;
        if number == 0 {
            return out.push(byte);
        }
        out.push(byte + 128);
    }
}

fn zigzag(number: i64, out: &mut Vec<u8>) {
    let number = i128::from(number);
    let folded = if number < 0 { -2 * number - 1 } else { 2 * number };
    varint(u64::try_from(folded).unwrap(), out);
}

/// Appends a value as the compact protocol has it.
///
/// Source: "Thrift Compact protocol encoding", Apache Thrift.
pub(crate) fn compact(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Bool(value) => out.push(if *value { 1 } else { 2 }),
        Value::Byte(value) => out.push(*value),
        Value::I16(value) => zigzag((*value).into(), out),
        Value::I32(value) => zigzag((*value).into(), out),
        Value::I64(value) => zigzag(*value, out),
        Value::Double(bits) => out.extend(bits.to_le_bytes()),
        Value::Text(text) => {
            varint(text.len() as u64, out);
            out.extend(text);
        }
        Value::Uuid(bytes) => out.extend(bytes),
        Value::Struct(fields) => {
            let mut last = 0_i16;
            for (id, value) in fields {
                let code = match value {
                    Value::Bool(value) => 2 - u8::from(*value),
                    value => type_of(value).compact(),
                };
                match i32::from(*id) - i32::from(last) {
                    delta @ 1..=15 => out.push((delta as u8) * 16 + code),
                    _ => {
                        out.push(code);
                        zigzag((*id).into(), out);
                    }
                }
                last = *id;
                if !matches!(value, Value::Bool(_)) {
                    compact(value, out);
                }
            }
            out.push(0);
        }
        Value::List(_, element, all) => {
            match all.len() {
                count @ 0..=14 => out.push((count as u8) * 16 + element.compact()),
                count => {
                    out.push(0xf0 + element.compact());
                    varint(count as u64, out);
                }
            }
            all.iter().for_each(|one| compact(one, out));
        }
        Value::Map(_, _, all) if all.is_empty() => out.push(0),
        Value::Map(key, value, all) => {
            varint(all.len() as u64, out);
            out.push(key.compact() * 16 + value.compact());
            for (key, value) in all {
                compact(key, out);
                compact(value, out);
            }
        }
    }
}
