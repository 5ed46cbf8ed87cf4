//! A value of RESP, the protocol of Redis, for `#[frame(with = resp)]`: what no attribute can say, because
//! values hold values.

use metaproto_core::frame::parts::{Cursor, Part, Progress, Stop, Terminated};
use metaproto_core::{Bytes, BytesMut, EncodeError, Fault};

/// A value of RESP2 or RESP3, as it was written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// A mark and the rest of a line: `+OK`, `:1`, `$-1`.
    Line(u8, Bytes),
    /// A line without a mark, as people type it.
    Inline(Bytes),
    /// `$` or `=`, and bytes whose number is told.
    Bulk(u8, Bytes),
    /// `*`, `~`, `>` or `%`, and values; twice as many as told if it is `%`.
    Many(u8, Vec<Value>),
    /// Values that say something of the next one.
    Attribute(Vec<Value>, Box<Value>),
}

/// How deep values may be inside of others.
const MAX_DEPTH: usize = 32;
/// The longest line in bytes.
const LINE: Terminated<Bytes> = Terminated::new(b"\r\n", 64 << 10);

thread_local! {
    /// How many lines have been looked for by [`skip`], for the test that this is linear.
    pub(crate) static STEPS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// What a line announces.
enum Begun {
    Done,
    /// So many bytes and a line's end.
    Bytes(u64),
    /// So many values.
    Values(u64),
}

/// Passes over a value.
///
/// What is kept in [`Progress::stack`] when bytes are missing: how many values are left on each level.
/// [`Progress::at`] is how far that has been settled, or, while a line is searched for its end, how far
/// the search has come; [`Progress::left`] is then where the line starts.
pub(crate) fn skip(cursor: &mut Cursor<'_>, progress: &mut Progress) -> Result<(), Stop> {
    if progress.stack.is_empty() {
        progress.stack.push(1);
    }
    if progress.at != 0 {
        cursor.seek(progress.at);
    }
    while let Some(left) = progress.stack.last_mut() {
        if *left == 0 {
            progress.stack.pop();
            continue;
        }
        let begun = one(cursor, progress)?;
        if let Some(left) = progress.stack.last_mut() {
            *left -= 1;
        }
        if let Begun::Values(values) = begun {
            if progress.stack.len() >= MAX_DEPTH {
                return Err(cursor.bad(Fault::Other("values are too deep inside of others")));
            }
            progress.stack.push(values);
        }
        // A position of 0 would say that nothing has been settled; a line takes more than that.
        progress.at = cursor.position();
    }
    progress.at = 0;
    Ok(())
}

/// Passes over a line, and the bytes that it announces.
fn one(cursor: &mut Cursor<'_>, progress: &mut Progress) -> Result<Begun, Stop> {
    STEPS.set(STEPS.get() + 1);
    let start = progress.left.map_or(cursor.position(), |start| start as usize);
    let mut line = Progress { at: progress.at, left: progress.left, stack: Vec::new() };
    if let Err(stop) = LINE.skip(cursor, &mut line) {
        (progress.at, progress.left) = (line.at, line.left);
        return Err(stop);
    }
    let end = cursor.position();
    let begun = begun(cursor, start..end - 2)?;
    if let Begun::Bytes(bytes) = begun
        && let Err(stop) = cursor.advance(bytes + 2)
    {
        // The line is short: to read it again when the bytes are there costs nothing.
        (progress.at, progress.left) = (start, None);
        if start == 0 {
            progress.at = 0;
        }
        return Err(stop);
    }
    progress.left = None;
    Ok(begun)
}

fn begun(cursor: &Cursor<'_>, line: std::ops::Range<usize>) -> Result<Begun, Stop> {
    let bytes = cursor.bytes(line);
    let Some((mark, rest)) = bytes.split_first() else { return Ok(Begun::Done) };
    let number = || {
        let text = std::str::from_utf8(rest).ok().filter(|text| !text.starts_with('+'));
        let number = text.and_then(|text| text.parse::<i64>().ok());
        number.filter(|n| *n >= -1).ok_or_else(|| cursor.bad(Fault::Other("is not a length")))
    };
    Ok(match mark {
        b'$' | b'=' => u64::try_from(number()?).map_or(Begun::Done, Begun::Bytes),
        b'*' | b'~' | b'>' => u64::try_from(number()?).map_or(Begun::Done, Begun::Values),
        b'%' => u64::try_from(number()?).map_or(Begun::Done, |n| Begun::Values(n * 2)),
        // What it says something of comes behind it.
        b'|' => u64::try_from(number()?).map_or(Begun::Done, |n| Begun::Values(n * 2 + 1)),
        _ => Begun::Done,
    })
}

pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Value, Stop> {
    value(cursor, MAX_DEPTH)
}

fn value(cursor: &mut Cursor<'_>, depth: usize) -> Result<Value, Stop> {
    let depth = depth.checked_sub(1);
    let depth = depth.ok_or_else(|| cursor.bad(Fault::Other("values are too deep")))?;
    let start = cursor.position();
    let line = LINE.read(cursor)?;
    let begun = begun(cursor, start..start + line.len())?;
    let mark = line.first().copied().unwrap_or_default();
    let rest = line.slice(line.len().min(1)..);
    match begun {
        Begun::Bytes(bytes) => {
            let range = cursor.advance(bytes)?;
            match cursor.array()? {
                [b'\r', b'\n'] => Ok(Value::Bulk(mark, cursor.share(range))),
                _ => Err(cursor.bad(Fault::Other("does not end with a line's end"))),
            }
        }
        Begun::Values(values) => {
            let mut items = Vec::new();
            for _ in 0..values {
                items.push(value(cursor, depth)?);
            }
            match (mark, items.pop()) {
                (b'|', Some(of)) => Ok(Value::Attribute(items, Box::new(of))),
                (_, last) => {
                    items.extend(last);
                    Ok(Value::Many(mark, items))
                }
            }
        }
        Begun::Done if b"+-:$*_#,(=~>%".contains(&mark) => Ok(Value::Line(mark, rest)),
        Begun::Done => Ok(Value::Inline(line)),
    }
}

pub(crate) fn size(value: &Value) -> usize {
    let all = |items: &[Value]| items.iter().map(size).sum::<usize>();
    let line = |count: usize| 3 + count.to_string().len();
    match value {
        Value::Line(_, rest) => 3 + rest.len(),
        Value::Inline(text) => 2 + text.len(),
        Value::Bulk(_, bytes) => line(bytes.len()) + bytes.len() + 2,
        Value::Many(b'%', items) => line(items.len() / 2) + all(items),
        Value::Many(_, items) => line(items.len()) + all(items),
        Value::Attribute(items, of) => line(items.len() / 2) + all(items) + size(of),
    }
}

pub(crate) fn write(value: &Value, out: &mut BytesMut) -> Result<(), EncodeError> {
    let line = |mark: u8, count: usize, out: &mut BytesMut| {
        out.extend_from_slice(&[mark]);
        out.extend_from_slice(format!("{count}\r\n").as_bytes());
    };
    match value {
        Value::Line(mark, rest) => {
            out.extend_from_slice(&[*mark]);
            return LINE.write(rest, out);
        }
        Value::Inline(text) => return LINE.write(text, out),
        Value::Bulk(mark, bytes) => {
            line(*mark, bytes.len(), out);
            out.extend_from_slice(bytes);
            out.extend_from_slice(b"\r\n");
        }
        Value::Many(mark, items) => {
            line(*mark, if *mark == b'%' { items.len() / 2 } else { items.len() }, out);
            items.iter().try_for_each(|item| write(item, out))?;
        }
        Value::Attribute(items, of) => {
            line(b'|', items.len() / 2, out);
            items.iter().chain([&**of]).try_for_each(|item| write(item, out))?;
        }
    }
    Ok(())
}
