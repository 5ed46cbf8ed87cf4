//! Passing over values of Hessian 2 with nom, to compare. It knows all of the grammar, too, but recurses
//! where ours keeps a list.

use nom::Parser;
use nom::bytes::complete::{tag, take};
use nom::error::{Error, ErrorKind};
use nom::multi::many_till;
use nom::number::complete::{be_i8, be_i16, be_i32, be_i64, be_u8, be_u16, be_u24};

type Parsed<'a, T> = nom::IResult<&'a [u8], T>;

/// As deep as the stack allows for.
const DEEPEST: usize = 1024;

fn refused<T>(input: &[u8]) -> Parsed<'_, T> {
    Err(nom::Err::Error(Error::new(input, ErrorKind::Alt)))
}

/// Passes over a value; `classes` are the fields of the classes that are defined.
pub(crate) fn skip<'a>(input: &'a [u8], classes: &mut Vec<usize>, depth: usize) -> Parsed<'a, ()> {
    if depth > DEEPEST {
        return refused(input);
    }
    let (rest, code) = be_u8(input)?;
    let depth = depth + 1;
    match code {
        b'N' | b'T' | b'F' | 0x80..=0xbf | 0xd8..=0xef | 0x5b | 0x5c => Ok((rest, ())),
        0xc0..=0xcf | 0xf0..=0xff | 0x5d => be_i8(rest).map(done),
        0xd0..=0xd7 | 0x38..=0x3f | 0x5e => be_i16(rest).map(done),
        b'I' | 0x59 | 0x5f | 0x4b => be_i32(rest).map(done),
        b'L' | b'D' | 0x4a => be_i64(rest).map(done),
        0x00..=0x1f | 0x30..=0x33 | b'S' | b'R' => text(input),
        0x20..=0x2f | 0x34..=0x37 | b'B' | b'A' => binary(input),
        0x51 => int(rest).map(done),
        b'C' => {
            let (rest, fields) = class(rest)?;
            classes.push(fields);
            skip(rest, classes, depth)
        }
        b'O' => {
            let (rest, number) = int(rest)?;
            fields(rest, number as usize, classes, depth)
        }
        0x60..=0x6f => fields(rest, usize::from(code - 0x60), classes, depth),
        0x55 | 0x57 => {
            let (rest, ()) = if code == 0x55 { type_name(rest)? } else { (rest, ()) };
            let one = |input| skip(input, classes, depth);
            many_till(one, tag(&b"Z"[..])).parse(rest).map(done)
        }
        b'M' | b'H' => {
            let (rest, ()) = if code == b'M' { type_name(rest)? } else { (rest, ()) };
            let one = |input| {
                let (rest, ()) = skip(input, classes, depth)?;
                skip(rest, classes, depth)
            };
            many_till(one, tag(&b"Z"[..])).parse(rest).map(done)
        }
        0x56 | 0x58 => {
            let (rest, ()) = if code == 0x56 { type_name(rest)? } else { (rest, ()) };
            let (rest, count) = int(rest)?;
            values(rest, count as usize, classes, depth)
        }
        0x70..=0x77 => {
            let (rest, ()) = type_name(rest)?;
            values(rest, usize::from(code - 0x70), classes, depth)
        }
        0x78..=0x7f => values(rest, usize::from(code - 0x78), classes, depth),
        _ => refused(input),
    }
}

fn done<T>((rest, _): (&[u8], T)) -> (&[u8], ()) {
    (rest, ())
}

fn values<'a>(
    mut input: &'a [u8],
    count: usize,
    classes: &mut Vec<usize>,
    depth: usize,
) -> Parsed<'a, ()> {
    if count > input.len() {
        return refused(input);
    }
    for _ in 0..count {
        (input, ()) = skip(input, classes, depth)?;
    }
    Ok((input, ()))
}

fn fields<'a>(
    input: &'a [u8],
    class: usize,
    classes: &mut Vec<usize>,
    depth: usize,
) -> Parsed<'a, ()> {
    match classes.get(class) {
        Some(count) => values(input, *count, classes, depth),
        None => refused(input),
    }
}

fn class(input: &[u8]) -> Parsed<'_, usize> {
    let (rest, ()) = text(input)?;
    let (mut rest, count) = int(rest)?;
    if count as usize > rest.len() {
        return refused(rest);
    }
    for _ in 0..count {
        (rest, ()) = text(rest)?;
    }
    Ok((rest, count as usize))
}

fn type_name(input: &[u8]) -> Parsed<'_, ()> {
    match input.first() {
        Some(0x00..=0x1f | 0x30..=0x33 | b'S' | b'R') => text(input),
        _ => int(input).map(done),
    }
}

fn int(input: &[u8]) -> Parsed<'_, u32> {
    let (rest, code) = be_u8(input)?;
    match code {
        0x90..=0xbf => Ok((rest, u32::from(code - 0x90))),
        0xc8..=0xcf => {
            be_u8(rest).map(|(rest, low)| (rest, u32::from(code - 0xc8) << 8 | u32::from(low)))
        }
        0xd4..=0xd7 => {
            be_u16(rest).map(|(rest, low)| (rest, u32::from(code - 0xd4) << 16 | u32::from(low)))
        }
        b'I' => be_i32(rest).map(|(rest, number)| (rest, number as u32)),
        _ => refused(input),
    }
}

/// The length of a chunk, and whether it is the last.
fn chunk(input: &[u8]) -> Parsed<'_, (usize, bool)> {
    let (rest, code) = be_u8(input)?;
    match code {
        0x00..=0x1f => Ok((rest, (usize::from(code), true))),
        0x30..=0x33 => be_u8(rest)
            .map(|(rest, low)| (rest, (usize::from(code - 0x30) << 8 | usize::from(low), true))),
        b'S' | b'R' => be_u16(rest).map(|(rest, len)| (rest, (usize::from(len), code == b'S'))),
        _ => refused(input),
    }
}

fn text(mut input: &[u8]) -> Parsed<'_, ()> {
    loop {
        let (rest, (units, is_last)) = chunk(input)?;
        input = characters(rest, units)?.0;
        if is_last {
            return Ok((input, ()));
        }
    }
}

fn characters(mut input: &[u8], units: usize) -> Parsed<'_, ()> {
    let (rest, front) = take(units)(input)?;
    if front.is_ascii() {
        return Ok((rest, ()));
    }
    let mut left = units;
    while left > 0 {
        let (rest, first) = be_u8(input)?;
        (input, left) = match first {
            0x00..=0x7f => (rest, left - 1),
            0xc0..=0xdf => (be_u8(rest)?.0, left - 1),
            0xe0..=0xef => (be_u16(rest)?.0, left - 1),
            0xf0..=0xf7 => (be_u24(rest)?.0, left.saturating_sub(2)),
            _ => return refused(input),
        };
    }
    Ok((input, ()))
}

fn binary(mut input: &[u8]) -> Parsed<'_, ()> {
    loop {
        let (rest, code) = be_u8(input)?;
        let (rest, len) = match code {
            0x20..=0x2f => (rest, usize::from(code - 0x20)),
            0x34..=0x37 => {
                let (rest, low) = be_u8(rest)?;
                (rest, usize::from(code - 0x34) << 8 | usize::from(low))
            }
            b'A' | b'B' => be_u16(rest).map(|(rest, len)| (rest, usize::from(len)))?,
            _ => return refused(input),
        };
        input = take(len)(rest)?.0;
        if code != b'A' {
            return Ok((input, ()));
        }
    }
}
