//! Any bytes at all: what must hold when nothing is known of them. Hostile samples and fuzzing end
//! up here.

use std::time::Duration;

use crate::conformance::Rig;
use crate::conformance::decoding::sane;
use crate::conformance::drive::{Chunks, Drive, Next, read_one};
use crate::conformance::facts::Facts;
use crate::conformance::identity::only_the_id;
use crate::conformance::replies::reads_as_answer;
use crate::conformance::report::{Breach, Law, Verdict};
use crate::conformance::subject::Subject;
use crate::conformance::translation;
use crate::{
    Bytes, Correlation, DecodeError, Error, ErrorKind, MessageKind, Metadata, Mutation,
    RequestHead, Scope, Side,
};

/// A frame that lacks at most this much is filled up, so that announced lengths are believed too.
const FILL_MAX: usize = 4096;

/// The frames that a stream was cut into, and how it ended.
pub(super) type Seen = (Vec<Bytes>, Next);

/// Pushes `stream` through the loop and tries every method on every frame that comes out.
pub(super) fn examine(rig: &Rig<'_>, side: Side, stream: &[u8], chunks: Chunks) -> Verdict<Seen> {
    let mut examiner = Examiner {
        rig,
        side,
        subject: rig.subject(side),
        sender: rig.subject(opposite(side)),
        drive: Drive::new(rig.samples.limits.max_frame),
        metadata: Metadata::new(),
        frames: Vec::new(),
    };
    let _ = examiner.subject.peek_request(stream.get(..64).unwrap_or(stream))?;
    for chunk in chunks.cut(stream) {
        let end = examiner.push(chunk)?;
        if end != Next::Starved {
            return Ok((examiner.frames, end));
        }
    }
    let end = match examiner.drive.lacks() {
        Some(lacks) if lacks <= FILL_MAX => examiner.push(&vec![0; lacks])?,
        _ => Next::Starved,
    };
    Ok((examiner.frames, end))
}

/// The other end.
pub(super) const fn opposite(side: Side) -> Side {
    match side {
        Side::Downstream => Side::Upstream,
        Side::Upstream => Side::Downstream,
    }
}

struct Examiner<'a> {
    rig: &'a Rig<'a>,
    side: Side,
    subject: Subject,
    /// The codec of the connection that the message would leave on.
    sender: Subject,
    drive: Drive,
    metadata: Metadata,
    frames: Vec<Bytes>,
}

impl Examiner<'_> {
    fn push(&mut self, chunk: &[u8]) -> Verdict<Next> {
        self.drive.push(chunk);
        loop {
            let position = self.drive.position;
            let frame = match self.drive.next(&mut self.subject)? {
                Next::Frame(frame) => frame,
                end => return Ok(end),
            };
            let decoded = self.frame(&frame).map_err(|breach| breach.at(position))?;
            self.frames.push(frame);
            match decoded {
                Err(error) if error.scope == Scope::Connection => return Ok(Next::Lost(error)),
                _ => {}
            }
        }
    }

    fn frame(&mut self, frame: &Bytes) -> Verdict<Result<(), DecodeError>> {
        self.metadata.clear();
        let decoded = self.subject.decode(frame.clone(), &mut self.metadata)?;
        if decoded.is_ok() {
            sane(&self.metadata, frame)?;
            self.patches()?;
            self.mutations()?;
        }
        if self.side == Side::Downstream && self.metadata.kind == MessageKind::Request {
            self.answer()?;
        }
        if self.metadata.kind == MessageKind::Ping {
            let _ = self.subject.pong(&self.metadata)?;
        }
        Ok(decoded)
    }

    /// A bad request is answered too, if its id is known.
    fn answer(&mut self) -> Verdict {
        let head = RequestHead::of(&self.metadata);
        let error = Error::new(ErrorKind::BadRequest, "conformance");
        let reply = self.subject.on_error(&head, &error)?;
        let by_order = self.rig.capabilities.correlation == Correlation::Order;
        match reply {
            Ok(reply) if by_order || head.request_id.is_some() => {
                reads_as_answer(self.rig, &head, &reply)
            }
            _ => Ok(()),
        }
    }

    fn patches(&mut self) -> Verdict {
        let place = self.metadata.timeout_place.clone().unwrap_or(0..self.metadata.header_size);
        let mut stretch = self.metadata.frame.get(place).unwrap_or_default().to_vec();
        let _ = self.sender.set_deadline(&mut stretch, Duration::from_secs(1))?;
        let Some(own) = self.metadata.request_id else { return Ok(()) };
        if self.rig.capabilities.translates {
            let is_request =
                matches!(self.metadata.kind, MessageKind::Request | MessageKind::Oneway);
            return match self.side == Side::Downstream && is_request {
                true => translation::with_id(self.rig, &mut self.sender, &self.metadata, own ^ 1),
                false => Ok(()),
            };
        }
        let mut header = self.metadata.header().to_vec();
        let other = own ^ 1;
        if self.sender.patch_request_id(&mut header, other)?.is_err() {
            return Ok(());
        }
        let patched: Bytes = [&header[..], &self.metadata.rest()].concat().into();
        let read = read_one(&mut self.rig.subject(self.side), &patched, Law::IdPatch)?;
        only_the_id(&self.metadata, &Facts::of(&read), other, Law::IdPatch)
    }

    fn mutations(&mut self) -> Verdict {
        // A name that is not UTF-8 can't be asked for.
        let names = self.metadata.properties().map(|(name, _)| name.into_owned());
        let first = { names }.find(|name| !name.contains(char::REPLACEMENT_CHARACTER));
        let name = first.unwrap_or_else(|| "x-conformance".to_owned());
        for value in ["1", "a b\r\n;=&"] {
            let set = Mutation::new().set(name.as_str(), value);
            if let Ok(bytes) = self.subject.encode(&self.metadata, &set)? {
                let read = read_one(&mut self.rig.subject(self.side), &bytes, Law::Mutation)?;
                self.was_set(&Facts::of(&read), &name, value)?;
            }
        }
        let others = [
            Mutation::new(),
            Mutation::new().append(name.as_str(), "1"),
            Mutation::new().remove(name.as_str()),
        ];
        for mutation in others {
            if let Ok(bytes) = self.subject.encode(&self.metadata, &mutation)? {
                let _ = read_one(&mut self.rig.subject(self.side), &bytes, Law::Mutation)?;
            }
        }
        Ok(())
    }

    fn was_set(&self, read: &Facts, name: &str, value: &str) -> Verdict {
        let values = read.values(name);
        if values == [value.as_bytes()] && read.body == self.metadata.body() {
            return Ok(());
        }
        let expected = format!("{name:?} = [{value:?}] and the same body");
        let found = format!("{values:?} and a body of {} bytes", read.body.len());
        Err(Breach::new(Law::Mutation, expected, found))
    }
}
