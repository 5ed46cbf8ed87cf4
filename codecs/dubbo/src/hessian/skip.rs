//! Values of any kind, passed over.

use metaproto_core::{DecodeError, Fault};

use super::cursor::{Cursor, truncated, wrong};
use super::text;

/// What is kept while a stream is gone through. To be used again: then nothing is allocated.
#[derive(Debug, Default)]
pub struct Tables {
    /// How many fields the classes have, in the order of their definitions.
    classes: Vec<usize>,
    /// What has been begun and not ended, from outside to inside.
    open: Vec<Open>,
}

impl Tables {
    /// Values nested deeper than this are refused.
    pub const DEEPEST: usize = 1024;

    /// A stream that defines more classes than this is refused.
    pub const MOST_CLASSES: usize = 4096;

    #[inline]
    pub(super) fn clear(&mut self) {
        self.classes.clear();
        self.open.clear();
    }
}

/// A value that has values inside.
#[derive(Debug, Clone, Copy)]
enum Open {
    /// So many more.
    Count(usize),
    /// Up to the end mark.
    List,
    /// Up to the end mark, which may not come between a key and its value.
    Map { has_key: bool },
}

/// Passes over one value.
///
/// There is no recursion: what is open around the innermost value is kept in a list. Every step reads
/// a byte at least or ends something, so that the cost is linear in the bytes.
pub(super) fn pass(cursor: &mut Cursor<'_>) -> Result<(), DecodeError> {
    cursor.tables.open.clear();
    let mut innermost = Open::Count(1);
    loop {
        if innermost.next(cursor) {
            if cursor.short().is_some() {
                continue;
            }
            let code = cursor.byte()?;
            if let Some(inside) = begin(cursor, code)? {
                if cursor.tables.open.len() >= Tables::DEEPEST {
                    return Err(DecodeError::message("body", Fault::TooDeep));
                }
                cursor.tables.open.push(innermost);
                innermost = inside;
            }
            continue;
        }
        match cursor.tables.open.pop() {
            Some(outer) => innermost = outer,
            None => return Ok(()),
        }
    }
}

impl Open {
    /// Whether there is a further value; otherwise the end mark, if there is one, is read.
    #[inline(always)]
    fn next(&mut self, cursor: &mut Cursor<'_>) -> bool {
        match self {
            Open::Count(left) => {
                let more = *left > 0;
                *left = left.saturating_sub(1);
                more
            }
            Open::Map { has_key: has_key @ true } => {
                *has_key = false;
                true
            }
            Open::Map { .. } | Open::List => {
                if cursor.peek() == Some(b'Z') {
                    cursor.position = cursor.position.saturating_add(1);
                    return false;
                }
                if let Open::Map { has_key } = self {
                    *has_key = true;
                }
                true
            }
        }
    }
}

/// Passes over the value whose first byte is `code`, or its start, if it has others inside.
#[inline]
fn begin(cursor: &mut Cursor<'_>, code: u8) -> Result<Option<Open>, DecodeError> {
    let fixed = match code {
        0x00..=0x1f | 0x30..=0x33 | b'S' | b'R' => {
            text::pass(cursor, code)?;
            0
        }
        b'N' | b'T' | b'F' | 0x80..=0xbf | 0xd8..=0xef | 0x5b | 0x5c => 0,
        0xc0..=0xcf | 0xf0..=0xff | 0x5d => 1,
        0xd0..=0xd7 | 0x38..=0x3f | 0x5e => 2,
        b'I' | 0x59 | 0x5f | 0x4b => 4,
        b'L' | b'D' | 0x4a => 8,
        0x20..=0x2f | 0x34..=0x37 | b'B' | b'A' => binary(cursor, code)?,
        _ => return structure(cursor, code),
    };
    if fixed > 0 {
        cursor.take(fixed)?;
    }
    Ok(None)
}

/// The size of the last chunk of a binary; those before it are passed over.
fn binary(cursor: &mut Cursor<'_>, mut code: u8) -> Result<usize, DecodeError> {
    loop {
        match code {
            0x20..=0x2f => return Ok(usize::from(code.saturating_sub(0x20))),
            0x34..=0x37 => return cursor.length(usize::from(code.saturating_sub(0x34)), 1),
            b'B' => return cursor.length(0, 2),
            b'A' => {
                let size = cursor.length(0, 2)?;
                cursor.take(size)?;
            }
            _ => return Err(wrong("has a binary without its last chunk")),
        }
        code = cursor.byte()?;
    }
}

/// The start of a list, a map or an object. A definition of a class stands in front of a value.
fn structure(cursor: &mut Cursor<'_>, code: u8) -> Result<Option<Open>, DecodeError> {
    match code {
        0x51 => {
            cursor.int()?;
            return Ok(None);
        }
        b'C' => {
            define(cursor)?;
            let code = cursor.byte()?;
            // Definitions in a row are read in a row, not one within the other.
            let mut code = code;
            while code == b'C' {
                define(cursor)?;
                code = cursor.byte()?;
            }
            return begin(cursor, code);
        }
        b'O' => {
            let number = cursor.int()?;
            return object(cursor, usize::try_from(number).ok());
        }
        0x60..=0x6f => return object(cursor, Some(usize::from(code.saturating_sub(0x60)))),
        _ => {}
    }
    if matches!(code, b'M' | 0x55 | 0x56 | 0x70..=0x77) {
        cursor.type_name()?;
    }
    Ok(Some(match code {
        b'M' | b'H' => Open::Map { has_key: false },
        0x55 | 0x57 => Open::List,
        0x56 | 0x58 => {
            let count = cursor.int()?;
            counted(cursor, usize::try_from(count).ok())?
        }
        0x70..=0x77 => counted(cursor, Some(usize::from(code.saturating_sub(0x70))))?,
        0x78..=0x7f => counted(cursor, Some(usize::from(code.saturating_sub(0x78))))?,
        _ => return Err(wrong("has a value of unknown kind in Hessian 2")),
    }))
}

/// So many values, each of which takes a byte at least.
fn counted(cursor: &Cursor<'_>, count: Option<usize>) -> Result<Open, DecodeError> {
    let count = count.filter(|count| *count <= cursor.left());
    count.map(Open::Count).ok_or_else(truncated)
}

fn object(cursor: &Cursor<'_>, class: Option<usize>) -> Result<Option<Open>, DecodeError> {
    let fields = class.and_then(|class| cursor.tables.classes.get(class));
    let fields = fields.copied().ok_or_else(|| wrong("has an object of an unknown class"))?;
    counted(cursor, Some(fields)).map(Some)
}

/// Reads the definition of a class: its name, and the names of its fields.
fn define(cursor: &mut Cursor<'_>) -> Result<(), DecodeError> {
    if cursor.tables.classes.len() >= Tables::MOST_CLASSES {
        return Err(wrong("defines too many classes"));
    }
    cursor.type_name()?;
    let count = cursor.int()?;
    let count = usize::try_from(count).ok().filter(|count| *count <= cursor.left());
    let count = count.ok_or_else(truncated)?;
    for _ in 0..count {
        text::read(cursor)?;
    }
    cursor.tables.classes.push(count);
    Ok(())
}
