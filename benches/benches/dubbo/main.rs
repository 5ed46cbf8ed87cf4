//! Reading calls and results of Dubbo, by what is asked for: instructions, time and allocations of one
//! message. Fails if the forwarding path allocates.
//!
//! The call is a typical one: two arguments, four attachments, 200 bytes.

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use metaproto_benches::{callgrind, table};
use metaproto_core::{
    Bytes, BytesMut, Codec, CodecContext, Interest, Limits, Metadata, Options, Side,
};
use metaproto_dubbo::Dubbo;
use metaproto_dubbo::hessian::{Cursor, Tables, write_int, write_text};

/// Messages of a round.
const ROUND: u64 = 64;
/// Rounds for which instructions are counted.
const COUNTED: u64 = 40;
/// Timed passes; the fastest counts.
const PASSES: usize = 25;

/// One way to read a message.
struct Case {
    name: &'static str,
    /// Reads as often.
    run: Box<dyn FnMut(u64)>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut cases = cases();
    if let [first, name, rounds] = &arguments[..]
        && first == callgrind::CHILD
    {
        let case = cases.iter_mut().find(|case| case.name == name).expect("there is such a case");
        (case.run)(ROUND * rounds.parse::<u64>().expect("a number"));
        return ExitCode::SUCCESS;
    }
    let allocations: Vec<f64> = cases.iter_mut().map(allocations).collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        return verdict(&cases, &allocations); // `cargo test`
    }
    let counts = callgrind::is_installed();
    let heading = ["", "instructions", "ns", "÷ names only", "allocations"];
    let times: Vec<f64> = times(&mut cases);
    let rows = cases.iter().zip(&times).zip(&allocations).map(|((case, time), allocations)| {
        let instructions = counts.then(|| callgrind::per_round(&[case.name], COUNTED));
        let instructions = instructions.map(|count| format!("{:.0}", count / ROUND as f64));
        vec![
            case.name.to_owned(),
            instructions.unwrap_or_default(),
            format!("{time:.0}"),
            format!("{:.2}", time / times[0]),
            format!("{allocations:.0}"),
        ]
    });
    print!("{}", table::markdown(&heading.map(str::to_owned), &rows.collect::<Vec<_>>()));
    verdict(&cases, &allocations)
}

fn cases() -> Vec<Case> {
    let names: &[&str] = &["interface", "method", "version"];
    let all = [names, &["tag"]].concat();
    let arguments = [names, &["argument.1"]].concat();
    let (call, result) = (call(), result());
    vec![
        reading("call: names only", codec(Side::Downstream, Some(names), false), &call),
        reading("call: names and timeout", codec(Side::Downstream, Some(names), true), &call),
        reading("call: and an attachment", codec(Side::Downstream, Some(&all), true), &call),
        reading("call: and an argument", codec(Side::Downstream, Some(&arguments), true), &call),
        reading("call: everything", codec(Side::Downstream, None, true), &call),
        reading("result: nothing", codec(Side::Upstream, Some(&[]), true), &result),
        reading("result: everything", codec(Side::Upstream, None, true), &result),
        skipping("64 KiB of text passed over", 65_536),
    ]
}

/// A codec that is asked for these properties, or for all of them.
fn codec(side: Side, names: Option<&[&str]>, timeout: bool) -> Box<dyn Codec> {
    let interest = names.map_or(Interest::All, |names| {
        Interest::Only(names.iter().map(|&name| name.to_owned()).collect())
    });
    let context = CodecContext::new(side, Limits::default()).with_interest(Arc::new(interest));
    let timeout = if timeout { "honour" } else { "ignore" };
    let options = Options::from([("client_timeout".to_owned(), timeout.to_owned())]);
    Dubbo::protocol().configure(&options).expect("the option is known").codec(&context)
}

fn reading(name: &'static str, mut codec: Box<dyn Codec>, frame: &Bytes) -> Case {
    let frame = frame.clone();
    let mut metadata = Metadata::new();
    let run = move |times| {
        for _ in 0..times {
            metadata.clear();
            codec.frame_length(black_box(&frame)).expect("it is a frame");
            codec.decode(frame.clone(), &mut metadata).expect("it can be read");
            assert!(metadata.unread.is_none());
            black_box(&metadata);
        }
    };
    Case { name, run: Box::new(run) }
}

fn skipping(name: &'static str, size: usize) -> Case {
    let mut text = BytesMut::new();
    write_text(&"x".repeat(size), &mut text);
    let mut tables = Tables::default();
    let run = move |times| {
        for _ in 0..times {
            let mut cursor = Cursor::new(black_box(&text), 0, &mut tables);
            cursor.skip().expect("it is a value");
            black_box(cursor.position());
        }
    };
    Case { name, run: Box::new(run) }
}

fn call() -> Bytes {
    let mut body = BytesMut::new();
    let types = "Ljava/lang/String;I";
    for text in ["2.0.2", "org.example.shop.OrderService", "1.0.0", "findOrders", types, "anna"] {
        write_text(text, &mut body);
    }
    write_int(25, &mut body);
    attachments(&mut body);
    frame(0xc2, 0, &body)
}

fn result() -> Bytes {
    let mut body = BytesMut::new();
    write_int(4, &mut body);
    write_text("an order, and another one", &mut body);
    attachments(&mut body);
    frame(0x02, 20, &body)
}

fn attachments(body: &mut BytesMut) {
    body.extend_from_slice(b"H");
    let path = "org.example.shop.OrderService";
    for (name, value) in
        [("path", path), ("interface", path), ("timeout", "3000"), ("tag", "canary")]
    {
        write_text(name, body);
        write_text(value, body);
    }
    body.extend_from_slice(b"Z");
}

fn frame(flags: u8, status: u8, body: &[u8]) -> Bytes {
    let length = u32::try_from(body.len()).expect("short").to_be_bytes();
    let head = [&[0xda, 0xbb, flags, status][..], &7_u64.to_be_bytes(), &length].concat();
    [&head[..], body].concat().into()
}

/// Allocations of one message, when there have been others.
fn allocations(case: &mut Case) -> f64 {
    (case.run)(ROUND);
    let counted = allocation_counter::measure(|| (case.run)(ROUND));
    counted.count_total as f64 / ROUND as f64
}

/// Nanoseconds of one message of each case. They take turns, and the fastest pass counts: other load on
/// the machine only makes a pass slower.
fn times(cases: &mut [Case]) -> Vec<f64> {
    let mut fastest = vec![f64::INFINITY; cases.len()];
    for _ in 0..PASSES {
        for (case, fastest) in cases.iter_mut().zip(&mut fastest) {
            let start = Instant::now();
            (case.run)(ROUND * COUNTED);
            let time = start.elapsed().as_nanos() as f64 / (ROUND * COUNTED) as f64;
            *fastest = fastest.min(time);
        }
    }
    fastest
}

/// Nothing may allocate.
fn verdict(cases: &[Case], allocations: &[f64]) -> ExitCode {
    let mut kept = true;
    for (case, _) in cases.iter().zip(allocations).filter(|(_, count)| **count > 0.0) {
        println!("MISSED: {}: it allocates", case.name);
        kept = false;
    }
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
