//! Whole frames: what is done around the parts, the same for every layout.

use bytes::{Buf, Bytes, BytesMut};

use super::parts::{Cursor, IntForm, Part, Stop};
use super::{Frame, Header, Located, OVERLONG, Places, Plain, support};
use crate::{DecodeError, EncodeError, Explanation, Fault, FrameLength, Output};

/// Tells the length of a frame by going through its header.
///
/// # Errors
/// The header is wrong, or longer than allowed.
pub(super) fn scan<F: Frame>(
    located: &mut Located<F::Starts>,
    head: &[u8],
) -> Result<FrameLength, DecodeError> {
    let mut cursor = Cursor::open(head).max(F::MAX_HEADER);
    match F::locate(&mut cursor, located) {
        Ok(()) => {}
        Err(Stop::Need(needed)) => {
            let more = head.len().saturating_add(1);
            return Ok(FrameLength::Need(needed.max(more)));
        }
        // A header that can't be read has no end that could be found.
        Err(Stop::Bad(error)) => return Err(DecodeError::connection(error.field, error.fault)),
    }
    let total = located.total().unwrap_or(cursor.position() as u64);
    let least = cursor.position().saturating_add(F::TRAILER_SIZE).max(1) as u64;
    support::total("length", total, 0, least.min(total.max(1)), F::MAX_LENGTH)
        .map(|total| FrameLength::Known(total.unwrap_or(usize::MAX)))
}

/// Looks at a frame that is whole: its length, and where its parts are.
///
/// # Errors
/// It is not as long as it says, or its header is wrong.
pub(super) fn locate<F: Frame>(frame: &Bytes) -> Result<Located<F::Starts>, DecodeError> {
    let prefix = F::Prefix::first(frame).ok_or_else(support::truncated)?;
    let told = F::length(prefix)?;
    if let Some(told) = told {
        support::check_total(told, frame.len())?;
    }
    let mut located = Located::default();
    let mut cursor = Cursor::whole(frame);
    F::locate(&mut cursor, &mut located).map_err(Stop::into_error)?;
    if told.is_none() {
        let total = located.total().unwrap_or(cursor.position() as u64);
        support::check_total(usize::try_from(total).unwrap_or(usize::MAX), frame.len())?;
    }
    if located.header_size().saturating_add(F::TRAILER_SIZE) > frame.len() {
        return Err(support::truncated());
    }
    Ok(located)
}

/// Reads a frame that has parts or a trailer.
///
/// # Errors
/// As [`Frame::read`].
pub fn read_frame<F: Frame>(frame: &Bytes) -> Result<F, DecodeError> {
    let located = locate::<F>(frame)?;
    F::verify(frame, located.starts())?;
    F::read_from(&mut Cursor::whole(frame)).map_err(Stop::into_error)
}

/// Reads a frame that has neither.
///
/// # Errors
/// As [`Frame::read`].
#[inline]
pub fn read_plain<F: Plain>(frame: Bytes) -> Result<F, DecodeError> {
    let header = *F::Header::first(&frame).ok_or_else(support::truncated)?;
    let prefix = F::Prefix::first(header.as_slice()).ok_or_else(support::truncated)?;
    if let Some(told) = F::length(prefix)? {
        support::check_total(told, frame.len())?;
    }
    let mut body = frame;
    body.advance(F::HEADER_SIZE.min(body.len()));
    Ok(F::from_parts(&header, body))
}

/// Writes a frame that has neither.
///
/// # Errors
/// As [`Frame::write`].
#[inline]
pub fn write_plain<F: Plain>(frame: &F, out: &mut BytesMut) -> Result<(), EncodeError> {
    let header = frame.to_header()?;
    out.reserve(F::HEADER_SIZE.saturating_add(frame.body().len()));
    out.extend_from_slice(header.as_slice());
    out.extend_from_slice(frame.body());
    Ok(())
}

/// Writes a header and a body, of a frame that has nothing else.
///
/// # Errors
/// As [`Frame::write`].
pub(super) fn write_header<F: Frame>(
    mut header: F::Header,
    body: &[u8],
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    F::set_lengths(&mut header, &F::Sizes::ZERO, body.len())?;
    out.extend_from_slice(header.as_slice());
    out.extend_from_slice(body);
    Ok(())
}

/// Undoes what a writer that fails has appended.
///
/// # Errors
/// What the writer fails with.
pub fn all_or_nothing(
    out: &mut BytesMut,
    write: impl FnOnce(&mut BytesMut) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let before = out.len();
    let written = write(out);
    if written.is_err() {
        out.truncate(before);
    }
    written
}

/// Appends a frame whose body is shared with where it comes from. `write` appends all of it but the
/// body; a frame with a checksum over the body and more is written with the body (`copies`).
///
/// # Errors
/// What `write` fails with. `out` is then as it was.
pub fn write_around(
    out: &mut Output,
    body: &Bytes,
    trailer: usize,
    copies: bool,
    write: impl FnOnce(&[u8], &mut BytesMut) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let copied: &[u8] = if copies { body } else { &[] };
    all_or_nothing(out.tail(), |tail| write(copied, tail))?;
    if copies {
        return Ok(());
    }
    let tail = out.tail();
    let end = tail.split_off(tail.len().saturating_sub(trailer));
    out.share(body.clone());
    out.copy(&end);
    Ok(())
}

/// Writes over what is there already.
pub fn overwrite(out: &mut BytesMut, at: usize, bytes: &[u8]) {
    let end = at.saturating_add(bytes.len());
    if let Some(place) = out.get_mut(at..end) {
        place.copy_from_slice(bytes);
    }
}

/// Part of a frame that starts at `start`; what does not exist is empty.
#[must_use]
pub fn part(bytes: &[u8], start: usize, from: usize, to: usize) -> &[u8] {
    let range = start.saturating_add(from)..start.saturating_add(to);
    bytes.get(range).unwrap_or_default()
}

/// Where parts of these sizes start, and where the last one ends.
#[must_use]
pub fn starts<const N: usize, const P: usize>(head: usize, sizes: &[usize; N]) -> [usize; P] {
    let mut starts = [head; P];
    let mut at = head;
    for (start, size) in starts.iter_mut().skip(1).zip(sizes) {
        at = at.saturating_add(*size);
        *start = at;
    }
    starts
}

/// The size of a value, found out by writing it.
#[must_use]
pub fn measured(write: impl FnOnce(&mut BytesMut) -> Result<(), EncodeError>) -> usize {
    let mut out = BytesMut::new();
    match write(&mut out) {
        Ok(()) => out.len(),
        Err(_) => 0,
    }
}

/// The size of a value, found out by adding up; 0 if it can't be written.
#[must_use]
pub fn added_up(size: impl FnOnce() -> Result<usize, EncodeError>) -> usize {
    size().unwrap_or_default()
}

/// How many items there are in a list that may be missing.
pub trait Counted {
    /// How many.
    fn count(&self) -> usize;
}

impl<T> Counted for Vec<T> {
    fn count(&self) -> usize {
        self.len()
    }
}

impl Counted for super::parts::Section {
    fn count(&self) -> usize {
        self.len()
    }
}

impl<T: Counted> Counted for Option<T> {
    fn count(&self) -> usize {
        self.as_ref().map_or(0, Counted::count)
    }
}

/// How many items there are.
#[must_use]
pub fn count_of(list: &impl Counted) -> usize {
    list.count()
}

/// Reads a part.
///
/// # Errors
/// As [`Part::read`].
#[inline]
pub fn read<P: Part>(
    cursor: &mut Cursor<'_>,
    field: &'static str,
    part: &P,
) -> Result<P::Value, Stop> {
    cursor.enter(field);
    part.read(cursor)
}

/// Writes a part.
///
/// # Errors
/// As [`Part::write`]; the error names the field.
#[inline]
pub fn write<P: Part>(
    field: &'static str,
    part: &P,
    value: &P::Value,
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    part.write(value, out).map_err(|error| error.in_field(field))
}

/// Notes what a part says.
///
/// # Errors
/// As [`Part::explain`].
pub fn explain<P: Part>(
    cursor: &mut Cursor<'_>,
    field: &'static str,
    part: &P,
    notes: &mut Explanation,
) -> Result<(), Stop> {
    cursor.enter(field);
    part.explain(cursor, field.into(), notes)
}

/// Reads a part again that starts at `start`.
///
/// # Errors
/// As [`Part::read`].
#[inline]
pub fn again<P: Part>(cursor: &mut Cursor<'_>, start: usize, part: &P) -> Result<P::Value, Stop> {
    let here = cursor.position();
    cursor.seek(start);
    let value = part.read(cursor);
    cursor.seek(here);
    value
}

/// The body, and a trailer of `T` bytes.
pub(crate) type Tail<const T: usize> = (Bytes, [u8; T]);

/// The body and the trailer: all that is left.
///
/// # Errors
/// The trailer is cut off, or something is left that there is no body for.
pub fn close<const T: usize>(cursor: &mut Cursor<'_>, has_body: bool) -> Result<Tail<T>, Stop> {
    cursor.enter("body");
    let rest = cursor.rest()?;
    let end = rest.end.checked_sub(T).filter(|end| *end >= rest.start);
    let end = end.ok_or_else(|| Stop::Bad(support::truncated()))?;
    let trailer = cursor.bytes(end..rest.end).first_chunk().copied().unwrap_or([0; T]);
    if !has_body && end > rest.start {
        return Err(Stop::Bad(DecodeError::connection("", OVERLONG)));
    }
    Ok((cursor.share(rest.start..end), trailer))
}

/// Reads a value that has a place of fixed size.
///
/// # Errors
/// As [`Part::read`]; or it takes fewer bytes.
pub fn read_fixed<P: Part>(field: &'static str, part: &P, bytes: &[u8]) -> Result<P::Value, Stop> {
    let mut cursor = Cursor::over(bytes);
    cursor.enter(field);
    let value = part.read(&mut cursor)?;
    match cursor.position() == bytes.len() {
        true => Ok(value),
        false => Err(Stop::Bad(DecodeError::message(field, Fault::Other("is shorter than it is")))),
    }
}

/// The bytes of a value that has a place of fixed size.
///
/// # Errors
/// As [`Part::write`]; or it takes another number of bytes.
pub fn write_fixed<P: Part, const N: usize>(
    field: &'static str,
    part: &P,
    value: &P::Value,
) -> Result<[u8; N], EncodeError> {
    let mut out = BytesMut::with_capacity(N);
    write(field, part, value, &mut out)?;
    <[u8; N]>::try_from(&out[..]).map_err(|_| support::wider_than(field, N))
}

/// Proves a checksum: `right` is what must stand at its `place`.
///
/// # Errors
/// Something else stands there.
#[inline]
pub fn prove(
    frame: &[u8],
    field: &'static str,
    place: std::ops::Range<usize>,
    right: &[u8],
) -> Result<(), DecodeError> {
    if frame.get(place) == Some(right) { Ok(()) } else { Err(bad_checksum(field)) }
}

/// A checksum proves that bytes are not what they were.
#[cold]
fn bad_checksum(field: &'static str) -> DecodeError {
    DecodeError::message(field, Fault::Other("does not match the bytes that it covers"))
}

/// Reads the tag of an enum.
///
/// # Errors
/// As [`IntForm::read`].
pub fn read_tag(cursor: &mut Cursor<'_>, form: IntForm) -> Result<i128, Stop> {
    form.read(cursor)
}

/// Finds out which of these the value starts with, and passes over it.
///
/// # Errors
/// None of them, or too few bytes have arrived to tell.
pub fn read_magic(cursor: &mut Cursor<'_>, magic: &[&[u8]]) -> Result<usize, Stop> {
    let ahead = cursor.ahead();
    if let Some(index) = magic.iter().position(|magic| ahead.starts_with(magic)) {
        let len = magic.get(index).map_or(0, |magic| magic.len());
        cursor.advance(len as u64)?;
        return Ok(index);
    }
    let possible = magic.iter().filter(|magic| magic.starts_with(ahead));
    match possible.map(|magic| magic.len()).min() {
        Some(least) => Err(cursor.advance(least as u64).err().unwrap_or(Stop::Need(least))),
        None => {
            let found = ahead.iter().take(8).fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
            Err(cursor.bad(Fault::BadMagic(found)))
        }
    }
}

/// No variant has this tag.
#[cold]
#[must_use]
pub fn unknown_tag(cursor: &Cursor<'_>, tag: u64) -> Stop {
    cursor.bad(Fault::UnknownValue(tag.cast_signed()))
}

/// A tag, for people.
#[must_use]
pub fn tag_text(cursor: &Cursor<'_>, range: std::ops::Range<usize>) -> String {
    let bytes = cursor.bytes(range).iter();
    bytes.fold("0x".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}
