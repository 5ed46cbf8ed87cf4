//! What a codec writes on its own: answers to requests, pings, go-aways.

use crate::conformance::Rig;
use crate::conformance::decoding::{decode_fresh, max_id};
use crate::conformance::drive::read_one;
use crate::conformance::framing::places;
use crate::conformance::report::{Breach, Journal, Law, Verdict};
use crate::conformance::samples::Sample;
use crate::{
    Bytes, Correlation, EncodeError, Error, ErrorKind, MessageKind, Metadata, RequestHead, Side,
    StatusClass,
};

pub(super) fn check(rig: &Rig<'_>, sample: &Sample, journal: &mut Journal) {
    let Ok(metadata) = decode_fresh(rig, sample) else { return };
    let name = &sample.name;
    match metadata.kind {
        MessageKind::Request if sample.side == Side::Downstream => {
            let head = RequestHead::of(&metadata);
            for kind in ErrorKind::ALL {
                let verdict = answers(rig, &head, kind);
                let verdict = verdict.map_err(|b| b.while_trying(&format!("error kind {kind}")));
                journal.case(Law::ErrorReply, name, verdict);
            }
            for id in other_ids(rig, &metadata) {
                let verdict = patched(rig, sample, &metadata, id);
                journal.case(Law::ErrorReply, name, verdict);
            }
            for len in places(sample.frame.len()) {
                journal.case(Law::Peek, name, peeked(rig, sample, &metadata, len));
            }
        }
        MessageKind::Ping => {
            journal.case(Law::Ping, name, answer_ping(rig, sample.side, &metadata));
        }
        _ => {}
    }
}

/// Texts that an error may carry: none, plain, hostile to text protocols, longer than a length of
/// two bytes can tell.
fn messages() -> [String; 4] {
    let hostile = "no route: a\r\nb\0c;d=e \u{fffd}ü".to_owned();
    [String::new(), "no route matches".to_owned(), hostile, "long ".repeat(14_000)]
}

fn answers(rig: &Rig<'_>, head: &RequestHead, kind: ErrorKind) -> Verdict {
    for message in messages() {
        // The codec that answers may never have seen the request: its head must be enough.
        let mut subject = rig.subject(Side::Downstream);
        let written = subject.on_error(head, &Error::new(kind, message))?;
        match (written, rig.capabilities.error_replies) {
            (Ok(reply), true) => reads_as_answer(rig, head, &reply)?,
            (Err(error), true) => {
                let found = format!("on_error: {error}");
                return Err(Breach::new(Law::ErrorReply, "an answer for every kind", found));
            }
            (Ok(_), false) => {
                let expected = "an error, as error_replies is declared false";
                return Err(Breach::new(Law::ErrorReply, expected, "on_error returns Ok"));
            }
            (Err(_), false) => {}
        }
    }
    Ok(())
}

/// The caller's own codec must take the reply for the answer to its request.
pub(super) fn reads_as_answer(rig: &Rig<'_>, head: &RequestHead, reply: &Bytes) -> Verdict {
    let read = read_one(&mut rig.subject(Side::Upstream), reply, Law::ErrorReply)?;
    let wrong =
        |expected: String, found: String| Err(Breach::new(Law::ErrorReply, expected, found));
    if read.kind != MessageKind::Response {
        return wrong("a message of kind Response".to_owned(), format!("{:?}", read.kind));
    }
    if read.request_id != head.request_id {
        let expected = format!("the request's own id, {:?}", head.request_id);
        return wrong(expected, format!("{:?}", read.request_id));
    }
    match read.status.map(|status| status.class) {
        None | Some(StatusClass::Ok) => {
            let expected = "a status that is not Ok".to_owned();
            wrong(expected, format!("{:?}", read.status))
        }
        Some(_) => Ok(()),
    }
}

fn other_ids(rig: &Rig<'_>, metadata: &Metadata) -> Vec<u64> {
    match (rig.capabilities.correlation, metadata.request_id) {
        (Correlation::Id { bits }, Some(_)) => vec![0, max_id(bits), max_id(bits) / 3],
        _ => Vec::new(),
    }
}

/// The same request with another id is answered with that id.
fn patched(rig: &Rig<'_>, sample: &Sample, metadata: &Metadata, id: u64) -> Verdict {
    let mut frame = metadata.frame.to_vec();
    if rig.subject(sample.side).patch_request_id(&mut frame, id)?.is_err() {
        // The law of id patches tells of this.
        return Ok(());
    }
    let mut subject = rig.subject(sample.side);
    let request = read_one(&mut subject, &frame.into(), Law::IdPatch)?;
    let head = RequestHead::of(&request);
    match subject.on_error(&head, &Error::new(ErrorKind::Timeout, "too late"))? {
        Ok(reply) => reads_as_answer(rig, &head, &reply),
        Err(_) => Ok(()),
    }
}

/// What is told of a request before all of it is there must be true, and enough for an answer.
fn peeked(rig: &Rig<'_>, sample: &Sample, whole: &Metadata, len: usize) -> Verdict {
    let mut subject = rig.subject(sample.side);
    let start = sample.frame.get(..len).unwrap_or(&sample.frame);
    let Some(head) = subject.peek_request(start)? else { return Ok(()) };
    if head.kind != whole.kind || head.request_id != whole.request_id {
        let expected = format!("{:?} with the id {:?}, or None", whole.kind, whole.request_id);
        let found = format!("{:?} with the id {:?}", head.kind, head.request_id);
        return Err(Breach::new(Law::Peek, expected, found).at(len));
    }
    match subject.on_error(&head, &Error::new(ErrorKind::FrameTooLarge, "too large"))? {
        Ok(reply) => reads_as_answer(rig, &head, &reply).map_err(|breach| breach.at(len)),
        Err(_) if !rig.capabilities.error_replies => Ok(()),
        Err(error) => {
            let found = format!("on_error: {error}");
            Err(Breach::new(Law::Peek, "an answer from what was peeked", found).at(len))
        }
    }
}

/// Pings and go-aways that no sample calls for.
pub(super) fn check_own(rig: &Rig<'_>, journal: &mut Journal) {
    for side in [Side::Downstream, Side::Upstream] {
        let reader = other(side);
        let from = format!("a ping written by the {side:?} codec");
        journal.case(Law::Ping, &from, ping(rig, side, reader));
        let from = format!("a go-away written by the {side:?} codec");
        journal.case(Law::GoAway, &from, go_away(rig, side, reader));
    }
}

fn other(side: Side) -> Side {
    match side {
        Side::Downstream => Side::Upstream,
        Side::Upstream => Side::Downstream,
    }
}

/// What must be written if it is declared, may be refused if it is not called for, and must be
/// refused if it is not declared.
fn written(
    law: Law,
    bytes: Result<Bytes, EncodeError>,
    declared: bool,
    called_for: bool,
) -> Verdict<Option<Bytes>> {
    match bytes {
        Ok(bytes) if declared => Ok(Some(bytes)),
        Ok(_) => Err(Breach::new(law, "an error: it is not declared", "Ok")),
        Err(error) if declared && called_for => {
            Err(Breach::new(law, "Ok: it is declared", error.to_string()))
        }
        Err(_) => Ok(None),
    }
}

/// The engine pings upstreams; pings to clients are the protocol's choice.
fn ping(rig: &Rig<'_>, side: Side, reader: Side) -> Verdict {
    let bits = match rig.capabilities.correlation {
        Correlation::Id { bits } => bits,
        Correlation::Order => 64,
    };
    for id in [1, max_id(bits)] {
        let bytes = rig.subject(side).ping(id)?;
        let called_for = side == Side::Upstream;
        let declared = rig.capabilities.ping;
        let Some(bytes) = written(Law::Ping, bytes, declared, called_for)? else { continue };
        let read = read_one(&mut rig.subject(reader), &bytes, Law::Ping)?;
        expect_kind(Law::Ping, &read, MessageKind::Ping)?;
        if read.request_id.is_some_and(|read| read != id) {
            let found = format!("{:?}", read.request_id);
            return Err(Breach::new(Law::Ping, format!("the id {id} that was asked for"), found));
        }
        answer_ping(rig, reader, &read)?;
    }
    Ok(())
}

fn answer_ping(rig: &Rig<'_>, side: Side, ping: &Metadata) -> Verdict {
    let bytes = rig.subject(side).pong(ping)?;
    let Some(bytes) = written(Law::Ping, bytes, rig.capabilities.ping, true)? else {
        return Ok(());
    };
    let read = read_one(&mut rig.subject(other(side)), &bytes, Law::Ping)?;
    expect_kind(Law::Ping, &read, MessageKind::Pong)?;
    if read.request_id == ping.request_id {
        return Ok(());
    }
    let expected = format!("a pong with the ping's id, {:?}", ping.request_id);
    Err(Breach::new(Law::Ping, expected, format!("{:?}", read.request_id)))
}

/// The engine sends go-aways to clients; those to servers are the protocol's choice.
fn go_away(rig: &Rig<'_>, side: Side, reader: Side) -> Verdict {
    let bytes = rig.subject(side).go_away()?;
    let called_for = side == Side::Downstream;
    let declared = rig.capabilities.go_away;
    let Some(bytes) = written(Law::GoAway, bytes, declared, called_for)? else { return Ok(()) };
    let read = read_one(&mut rig.subject(reader), &bytes, Law::GoAway)?;
    expect_kind(Law::GoAway, &read, MessageKind::GoAway)
}

fn expect_kind(law: Law, read: &Metadata, kind: MessageKind) -> Verdict {
    if read.kind == kind {
        return Ok(());
    }
    Err(Breach::new(law, format!("a message of kind {kind:?}"), format!("{:?}", read.kind)))
}
