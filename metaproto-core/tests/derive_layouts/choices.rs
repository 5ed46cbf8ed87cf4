//! Enums inside of frames.

use metaproto_core::{Auto, Bytes, Section, Wire};
use proptest::prelude::*;

use crate::values::Sample;

macro_rules! sampled_enum {
    ($name:ident: $($strategy:expr),* $(,)?) => {
        impl Sample for $name {
            fn sample() -> BoxedStrategy<Self> {
                prop_oneof![$($strategy),*].boxed()
            }
        }
    };
}

wire! {
    struct Pair {
        a: u8,
        #[frame(prefix = u8)]
        b: String,
    }
}

#[derive(Debug, Clone, PartialEq, Wire)]
#[frame(tag = u8)]
enum Own {
    #[frame(tag = 0)]
    Nothing,
    #[frame(tag = 1)]
    Number(u32),
    #[frame(tag = 2, prefix = u8)]
    Text(String),
    #[frame(tag = 3)]
    Pair(Pair),
    #[frame(tag = 4, count = u8, each(varint))]
    List(Vec<u64>),
    #[frame(tag = 5, varint)]
    Varint(u32),
    #[frame(tag = 0xff, count = u8, kv(key = u8, value = u8))]
    Section(Section),
}

sampled_enum! { Own:
    Just(Own::Nothing),
    u32::sample().prop_map(Own::Number),
    String::sample().prop_map(Own::Text),
    Pair::sample().prop_map(Own::Pair),
    Vec::<u64>::sample().prop_map(Own::List),
    u32::sample().prop_map(Own::Varint),
    Section::sample().prop_map(Own::Section),
}

#[derive(Debug, Clone, PartialEq, Wire)]
#[frame(tag = u16, endian = little)]
enum Open {
    #[frame(tag = 1)]
    One,
    #[frame(tag = 300)]
    Two(u16),
    #[frame(other)]
    Other(u16),
}

sampled_enum! { Open:
    Just(Open::One),
    u16::sample().prop_map(Open::Two),
    (301..=u16::MAX).prop_map(Open::Other),
}

#[derive(Debug, Clone, PartialEq, Wire)]
#[frame(tag = varint)]
enum Wide {
    #[frame(tag = 5, prefix = varint)]
    Short(Bytes),
    #[frame(tag = 1_000_000)]
    Long(i64),
}

sampled_enum! { Wide:
    Bytes::sample().prop_map(Wide::Short),
    i64::sample().prop_map(Wide::Long),
}

#[derive(Debug, Clone, PartialEq, Wire)]
enum Started {
    #[frame(magic = b"AB", prefix = u8)]
    Ab(String),
    #[frame(magic = b"CDE")]
    Cde,
    #[frame(magic = 0x4142_4344_u32)]
    Number(u16),
}

sampled_enum! { Started:
    // What starts like another variant would be that.
    "[a-z]{0,5}".prop_map(Started::Ab),
    Just(Started::Cde),
}

#[derive(Debug, Clone, PartialEq, Wire)]
enum Given {
    #[frame(tag = 0)]
    Nothing,
    #[frame(tag = 1 | 2, prefix = u8)]
    Text(String),
    #[frame(tag = 3..=9)]
    Number(u64),
    #[frame(other, prefix = u8)]
    Other(Bytes),
}

sampled_enum! { Given:
    Just(Given::Nothing),
    String::sample().prop_map(Given::Text),
    u64::sample().prop_map(Given::Number),
    Bytes::sample().prop_map(Given::Other),
}

fn tag_of(given: &Given) -> u8 {
    match given {
        Given::Nothing => 0,
        Given::Text(_) => 2,
        Given::Number(_) => 7,
        Given::Other(_) => 15,
    }
}

layout! { enums_with_a_tag_in_front:
    struct Owns {
        one: Own,
        #[frame(count = u8)]
        many: Vec<Own>,
        #[frame(prefix = u16)]
        measured: Vec<Own>,
        open: Open,
        #[frame(count = varint)]
        opens: Vec<Open>,
        #[frame(length(of = wide))]
        len: Auto<u16>,
        wide: Wide,
    }
}

layout! { enums_with_a_tag_elsewhere:
    struct Givens {
        kind: u8,
        #[frame(bits(kind2 = 4..=7))]
        flags: u8,
        #[frame(length(of = rest))]
        len: Auto<u16>,
        #[frame(tag = kind)]
        first: Given,
        #[frame(tag = kind2)]
        second: Given,
        #[frame(body)]
        body: Bytes,
    }
    fix |frame| {
        frame.kind = tag_of(&frame.first);
        frame.flags = tag_of(&frame.second) << 4;
    }
}

layout! { enums_with_a_tag_behind_parts:
    struct LateGivens {
        #[frame(prefix = u8)]
        name: String,
        #[frame(varint)]
        kind: u8,
        #[frame(tag = kind)]
        first: Given,
        second: u16,
    }
    fix |frame| frame.kind = tag_of(&frame.first)
}

layout! { enums_told_by_their_constants:
    struct Starteds {
        a: u8,
        started: Started,
        b: u8,
        #[frame(count = u8)]
        more: Vec<Started>,
    }
}

layout! { enums_of_fixed_size_among_fields_of_fixed_size:
    struct FixedChoice {
        #[frame(bytes = 1)]
        flag: Flag,
        #[frame(length(of = body))]
        len: Auto<u16>,
        #[frame(bytes = 2)]
        code: Code,
        #[frame(body)]
        body: Bytes,
    }
}

#[derive(Debug, Clone, PartialEq, Wire)]
#[frame(tag = u8)]
enum Flag {
    #[frame(tag = 1)]
    On,
    #[frame(tag = 2)]
    Off,
}

sampled_enum! { Flag: Just(Flag::On), Just(Flag::Off) }

#[derive(Debug, Clone, PartialEq, Wire)]
#[frame(tag = u16)]
enum Code {
    #[frame(tag = 200)]
    Good,
    #[frame(other)]
    Other(u16),
}

sampled_enum! { Code: Just(Code::Good), (300..=u16::MAX).prop_map(Code::Other) }
