//! Reading calls of Thrift, by transport and by what is asked for, and writing them in the other encoding:
//! instructions, time and allocations of one message. Fails if any of it allocates.
//!
//! The call is a typical one: a multiplexed name, three arguments, 120 bytes with its frame. The large one
//! has a list of structs, 64 KiB in the binary protocol.

mod messages;

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use metaproto_benches::{callgrind, table};
use metaproto_core::{
    Bytes, Codec, CodecContext, FrameLength, Interest, Limits, Metadata, Options, Output, Side,
};
use metaproto_thrift::Thrift;

use self::messages::{call, framed, large, with_header};

/// Rounds for which instructions are counted.
const COUNTED: u64 = 40;
/// Timed passes; the fastest counts.
const PASSES: usize = 25;
/// What one read of a socket brings, when it does not bring all.
const PIECE: usize = 1460;

/// Something that is done with a message.
struct Case {
    name: &'static str,
    /// Bytes of the message.
    size: usize,
    /// Does it as often.
    run: Box<dyn FnMut(u64)>,
}

impl Case {
    /// Messages of a round: fewer of large ones.
    fn round(&self) -> u64 {
        if self.size < 1000 { 64 } else { 2 }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut cases = cases();
    if let [first, name, rounds] = &arguments[..]
        && first == callgrind::CHILD
    {
        let case = cases.iter_mut().find(|case| case.name == name).expect("there is such a case");
        let round = case.round();
        (case.run)(round * rounds.parse::<u64>().expect("a number"));
        return ExitCode::SUCCESS;
    }
    let allocations: Vec<f64> = cases.iter_mut().map(allocations).collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        return verdict(&cases, &allocations); // `cargo test`
    }
    let counts = callgrind::is_installed();
    let heading = ["", "bytes", "instructions", "per byte", "ns", "MB/s", "allocations"];
    let times: Vec<f64> = times(&mut cases);
    let rows = cases.iter().zip(&times).zip(&allocations).map(|((case, time), allocations)| {
        let size = case.size as f64;
        let instructions =
            counts.then(|| callgrind::per_round(&[case.name], COUNTED) / case.round() as f64);
        let told = |count: Option<f64>, places: usize| {
            count.map(|count| format!("{count:.places$}")).unwrap_or_default()
        };
        vec![
            case.name.to_owned(),
            case.size.to_string(),
            told(instructions, 0),
            told(instructions.map(|count| count / size), 2),
            format!("{time:.0}"),
            format!("{:.0}", size * 1e3 / time),
            format!("{allocations:.1}"),
        ]
    });
    print!("{}", table::markdown(&heading.map(str::to_owned), &rows.collect::<Vec<_>>()));
    verdict(&cases, &allocations)
}

fn cases() -> Vec<Case> {
    let names: &[&str] = &["service", "method"];
    let argument = [names, &["argument.1"]].concat();
    let header = [names, &["tenant"]].concat();
    let (unframed, in_frame, in_header) = (Bytes::from(call()), framed(&call()), with_header());
    let binary = Bytes::from(large());
    let compact = reencoded(&binary, "compact");
    assert_eq!(in_frame.len(), 120);
    assert_eq!(reencoded(&compact, "binary"), binary);
    vec![
        reading("framed call: names only", Some(names), &in_frame),
        reading("framed call: and an argument", Some(&argument), &in_frame),
        reading("framed call: everything", None, &in_frame),
        reading("unframed call: names only", Some(names), &unframed),
        reading("compact call: names only", Some(names), &reencoded(&unframed, "compact")),
        reading("THeader call: names only", Some(names), &in_header),
        reading("THeader call: and a header", Some(&header), &in_header),
        reading("THeader call: everything", None, &in_header),
        writing("framed call: to compact", "compact", &in_frame),
        reading("64 KiB unframed: names only", Some(names), &binary),
        arriving("64 KiB unframed: in pieces", &binary),
        reading("64 KiB compact: names only", Some(names), &compact),
        writing("64 KiB: binary to compact", "compact", &binary),
        writing("64 KiB: compact to binary", "binary", &compact),
    ]
}

/// A codec for calls of clients, asked for these properties or for all of them.
fn codec(names: Option<&[&str]>) -> Box<dyn Codec> {
    let interest = names.map_or(Interest::All, |names| {
        Interest::Only(names.iter().map(|&name| name.to_owned()).collect())
    });
    let context = CodecContext::new(Side::Downstream, Limits::default());
    Thrift::protocol().codec(&context.with_interest(Arc::new(interest)))
}

/// A codec for servers that are spoken to unframed, in this encoding.
fn upstream(protocol: &str) -> Box<dyn Codec> {
    let option = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let options = Options::from([option("transport", "unframed"), option("protocol", protocol)]);
    let protocol = Thrift::protocol().configure(&options).expect("there is such a dialect");
    protocol.codec(&CodecContext::new(Side::Upstream, Limits::default()))
}

fn reencoded(call: &[u8], protocol: &str) -> Bytes {
    let mut out = Output::new();
    upstream(protocol)
        .translate_request(&framed(call), None, None, &mut out)
        .expect("it can be read");
    out.parts().flat_map(|part| part.to_vec()).collect::<Vec<_>>().into()
}

fn reading(name: &'static str, names: Option<&[&str]>, frame: &Bytes) -> Case {
    let frame = frame.clone();
    let size = frame.len();
    let mut codec = codec(names);
    let mut metadata = Metadata::new();
    let run = move |times| {
        for _ in 0..times {
            metadata.clear();
            let length = codec.frame_length(black_box(&frame));
            assert_eq!(length, Ok(FrameLength::Known(size)));
            codec.decode(frame.clone(), &mut metadata).expect("it can be read");
            assert!(metadata.unread.is_none());
            black_box(&metadata);
        }
    };
    Case { name, size, run: Box::new(run) }
}

/// The end of a message is looked for as its bytes arrive.
fn arriving(name: &'static str, frame: &Bytes) -> Case {
    let frame = frame.clone();
    let size = frame.len();
    let mut codec = codec(Some(&[]));
    let run = move |times| {
        for _ in 0..times {
            let mut there = 0;
            while there < size {
                there = size.min(there + PIECE);
                let length = codec.frame_length(black_box(&frame[..there]));
                assert_eq!(length == Ok(FrameLength::Known(size)), there == size);
            }
        }
    };
    Case { name, size, run: Box::new(run) }
}

fn writing(name: &'static str, protocol: &str, call: &Bytes) -> Case {
    // A message in a frame is told by its envelope alone.
    let frame = if call.starts_with(&[0, 0]) { call.clone() } else { framed(call) };
    let size = call.len();
    let mut codec = upstream(protocol);
    let mut out = Output::new();
    let run = move |times| {
        for _ in 0..times {
            out.truncate(0);
            codec
                .translate_request(black_box(&frame), None, None, &mut out)
                .expect("it can be read");
            black_box(&out);
        }
    };
    Case { name, size, run: Box::new(run) }
}

/// Allocations of one message, when there have been others.
fn allocations(case: &mut Case) -> f64 {
    let round = case.round();
    (case.run)(round);
    let counted = allocation_counter::measure(|| (case.run)(round));
    counted.count_total as f64 / round as f64
}

/// Nanoseconds of one message of each case. They take turns, and the fastest pass counts: other load on
/// the machine only makes a pass slower.
fn times(cases: &mut [Case]) -> Vec<f64> {
    let mut fastest = vec![f64::INFINITY; cases.len()];
    for _ in 0..PASSES {
        for (case, fastest) in cases.iter_mut().zip(&mut fastest) {
            let messages = case.round() * COUNTED;
            let start = Instant::now();
            (case.run)(messages);
            *fastest = fastest.min(start.elapsed().as_nanos() as f64 / messages as f64);
        }
    }
    fastest
}

/// None of it may allocate.
fn verdict(cases: &[Case], allocations: &[f64]) -> ExitCode {
    let mut kept = true;
    for (case, _) in cases.iter().zip(allocations).filter(|(_, count)| **count > 0.0) {
        println!("MISSED: {}: it allocates", case.name);
        kept = false;
    }
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
