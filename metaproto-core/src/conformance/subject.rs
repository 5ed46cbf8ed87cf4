//! A codec under test: every call is guarded against panics, half-done work and waste.

use std::any::Any;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use bytes::Buf;

use crate::conformance::allocation::allowance;
use crate::conformance::report::{Breach, Law, Verdict};
use crate::conformance::{Allocations, Meter};
use crate::{
    Bytes, BytesMut, Change, Codec, DecodeError, EncodeError, Error, FrameLength, Metadata,
    Mutation, Output, RequestHead,
};

/// What was written, and where in it the time that is left stands.
pub(super) type Timed = (Bytes, Option<Range<usize>>);

/// What stands in an output before a codec appends to it.
const BEFORE: &[u8] = b"what was there before";
static LARGE_BEFORE: [u8; Output::SHARE_MIN] = [0x55; Output::SHARE_MIN];

pub(super) struct Subject {
    codec: Box<dyn Codec>,
    meter: Option<Meter>,
    /// What the last call has allocated; nothing without a meter.
    pub(super) allocations: Allocations,
}

/// Runs one call. `input` is the number of bytes that it was handed.
fn guarded<T>(
    meter: Option<Meter>,
    what: &str,
    input: usize,
    call: impl FnOnce() -> T,
) -> Verdict<(T, Allocations)> {
    let mut call = Some(call);
    let mut result = None;
    let mut run = || result = call.take().map(|call| catch_unwind(AssertUnwindSafe(call)));
    let used = match meter {
        Some(meter) => meter(&mut run),
        None => {
            run();
            Allocations::default()
        }
    };
    let value = match result {
        Some(Ok(value)) => value,
        Some(Err(payload)) => {
            let found = format!("{what} panics: {}", panic_message(payload.as_ref()));
            return Err(Breach::new(Law::NoPanic, "a value or an error", found));
        }
        None => {
            let found = "an allocation meter that does not run what it is given";
            return Err(Breach::new(Law::Allocation, "a meter that runs it", found));
        }
    };
    let allowed = allowance(input);
    if used.bytes > allowed as u64 {
        let found = format!("{what} allocates {} bytes", used.bytes);
        let expected = format!("at most {allowed} bytes for an input of {input}");
        return Err(Breach::new(Law::Allocation, expected, found));
    }
    Ok((value, used))
}

fn panic_message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no message)")
}

fn not_as_it_was(what: &str) -> Breach {
    let found = format!("{what} returns an error and leaves other bytes");
    Breach::new(Law::AllOrNothing, "on an error: the bytes from before, no others", found)
}

impl Subject {
    pub(super) fn new(codec: Box<dyn Codec>, meter: Option<Meter>) -> Self {
        Subject { codec, meter, allocations: Allocations::default() }
    }

    fn run<T>(
        &mut self,
        what: &str,
        input: usize,
        call: impl FnOnce(&mut dyn Codec) -> T,
    ) -> Verdict<T> {
        let codec = self.codec.as_mut();
        let (value, used) = guarded(self.meter, what, input, || call(codec))?;
        self.allocations = used;
        Ok(value)
    }

    pub(super) fn frame_length(
        &mut self,
        head: &[u8],
    ) -> Verdict<Result<FrameLength, DecodeError>> {
        self.run("frame_length", head.len(), |codec| codec.frame_length(head))
            .map_err(|breach| breach.at(head.len()))
    }

    pub(super) fn decode(
        &mut self,
        frame: Bytes,
        metadata: &mut Metadata,
    ) -> Verdict<Result<(), DecodeError>> {
        self.run("decode", frame.len(), |codec| codec.decode(frame, metadata))
    }

    pub(super) fn peek_request(&mut self, head: &[u8]) -> Verdict<Option<RequestHead>> {
        self.run("peek_request", head.len(), |codec| codec.peek_request(head))
            .map_err(|breach| breach.at(head.len()))
    }

    /// The bytes that `encode` appends.
    pub(super) fn encode(
        &mut self,
        metadata: &Metadata,
        mutation: &Mutation,
    ) -> Verdict<Result<Bytes, EncodeError>> {
        let values: usize = mutation.changes().iter().map(size).sum();
        let input = metadata.frame.len().saturating_add(values);
        self.append("encode", input, |codec, out| codec.encode(metadata, mutation, out))
    }

    /// The bytes that `encode_timed` appends, and where in them the time stands.
    pub(super) fn encode_timed(
        &mut self,
        metadata: &Metadata,
        mutation: &Mutation,
    ) -> Verdict<Result<Timed, EncodeError>> {
        let values: usize = mutation.changes().iter().map(size).sum();
        let input = metadata.frame.len().saturating_add(values);
        let mut place = None;
        let written = self.append("encode_timed", input, |codec, out| {
            place = codec.encode_timed(metadata, mutation, out)?;
            Ok(())
        })?;
        Ok(written.map(|bytes| (bytes, place)))
    }

    /// The bytes that `translate_request` appends.
    pub(super) fn translate_request(
        &mut self,
        frame: &Bytes,
        (id, remaining): (Option<u64>, Option<Duration>),
    ) -> Verdict<Result<Bytes, EncodeError>> {
        self.append("translate_request", frame.len(), |codec, out| {
            codec.translate_request(frame, id, remaining, out)
        })
    }

    /// The bytes that `translate_response` appends.
    pub(super) fn translate_response(
        &mut self,
        frame: &Bytes,
        request: &RequestHead,
    ) -> Verdict<Result<Bytes, EncodeError>> {
        self.append("translate_response", frame.len(), |codec, out| {
            codec.translate_response(frame, request, out)
        })
    }

    /// What a call appends to an output that holds something already.
    fn append(
        &mut self,
        what: &str,
        input: usize,
        call: impl FnOnce(&mut dyn Codec, &mut Output) -> Result<(), EncodeError>,
    ) -> Verdict<Result<Bytes, EncodeError>> {
        let mut out = Output::new();
        out.copy(BEFORE);
        out.share(Bytes::from_static(&LARGE_BEFORE));
        out.copy(BEFORE);
        let before = out.len();
        let input = input.saturating_add(before);
        let result = self.run(what, input, |codec| call(codec, &mut out))?;
        room(what, out.tail().capacity(), input)?;
        let all = out.copy_to_bytes(out.len());
        let kept = all.get(..before).is_some_and(|front| {
            front.starts_with(BEFORE)
                && front.ends_with(BEFORE)
                && front.get(BEFORE.len()..before - BEFORE.len()) == Some(&LARGE_BEFORE)
        });
        if !kept || (result.is_err() && all.len() != before) {
            return Err(not_as_it_was(what));
        }
        Ok(result.map(|()| all.slice(before..)))
    }

    /// The bytes that `on_error` appends.
    pub(super) fn on_error(
        &mut self,
        request: &RequestHead,
        error: &Error,
    ) -> Verdict<Result<Bytes, EncodeError>> {
        let input = request.context().len().saturating_add(error.message.len());
        self.write("on_error", input, |codec, out| codec.on_error(request, error, out))
    }

    /// The bytes that `ping` appends.
    pub(super) fn ping(&mut self, id: u64) -> Verdict<Result<Bytes, EncodeError>> {
        self.write("ping", 8, |codec, out| codec.ping(id, out))
    }

    /// The bytes that `pong` appends.
    pub(super) fn pong(&mut self, ping: &Metadata) -> Verdict<Result<Bytes, EncodeError>> {
        self.write("pong", ping.frame.len(), |codec, out| codec.pong(ping, out))
    }

    /// The bytes that `go_away` appends.
    pub(super) fn go_away(&mut self) -> Verdict<Result<Bytes, EncodeError>> {
        self.write("go_away", 0, |codec, out| codec.go_away(out))
    }

    pub(super) fn patch_request_id(
        &mut self,
        header: &mut [u8],
        id: u64,
    ) -> Verdict<Result<(), EncodeError>> {
        self.patch("patch_request_id", header, |codec, header| codec.patch_request_id(header, id))
    }

    pub(super) fn set_deadline(
        &mut self,
        stretch: &mut [u8],
        remaining: Duration,
    ) -> Verdict<Result<(), EncodeError>> {
        self.patch("set_deadline", stretch, |codec, bytes| codec.set_deadline(bytes, remaining))
    }

    fn write(
        &mut self,
        what: &str,
        input: usize,
        call: impl FnOnce(&dyn Codec, &mut BytesMut) -> Result<(), EncodeError>,
    ) -> Verdict<Result<Bytes, EncodeError>> {
        let mut out = BytesMut::from(BEFORE);
        let result = self.run(what, input, |codec| call(codec, &mut out))?;
        room(what, out.capacity(), input)?;
        if !out.starts_with(BEFORE) || (result.is_err() && out.len() != BEFORE.len()) {
            return Err(not_as_it_was(what));
        }
        Ok(result.map(|()| out.freeze().slice(BEFORE.len()..)))
    }

    fn patch(
        &mut self,
        what: &str,
        header: &mut [u8],
        call: impl FnOnce(&dyn Codec, &mut [u8]) -> Result<(), EncodeError>,
    ) -> Verdict<Result<(), EncodeError>> {
        let before = header.to_vec();
        let result = self.run(what, before.len(), |codec| call(codec, header))?;
        if result.is_err() && header != before.as_slice() {
            return Err(not_as_it_was(what));
        }
        Ok(result)
    }
}

/// The bytes of a change's name and value.
fn size(change: &Change) -> usize {
    let value = match change {
        Change::Set { value, .. } | Change::Append { value, .. } => value.len(),
        Change::Remove { .. } => 0,
    };
    change.name().len().saturating_add(value)
}

fn room(what: &str, capacity: usize, input: usize) -> Verdict {
    let allowed = allowance(input);
    if capacity <= allowed {
        return Ok(());
    }
    let found = format!("{what} makes room for {capacity} bytes");
    Err(Breach::new(Law::Allocation, format!("room for at most {allowed} bytes"), found))
}
