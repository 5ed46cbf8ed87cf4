//! `metaproto explain`: what the frames in a file say, field by field.
//!
//! Bytes go from an input through a [`splitter`](splitter::Splitter) for each direction of each
//! connection to one [`report`](report::Report). Nothing is read further than what is printed needs.

mod arguments;
mod capture;
mod connections;
mod hex;
mod input;
mod packet;
mod reassembly;
mod report;
mod splitter;
mod stream;
#[cfg(test)]
mod tests;

use std::io::{BufWriter, Write};
use std::sync::Arc;

use metaproto_core::Protocol;
use metaproto_proxy::config::Protocols;

pub(crate) use self::arguments::ExplainArguments;
use self::arguments::Format;
use self::connections::Connections;
use self::input::Input;
use self::report::{Report, Stop};
use self::stream::{Directions, Stream};
use crate::Outcome;

/// Explains what the arguments name, on standard output.
pub(crate) fn explain(arguments: &ExplainArguments, protocols: &Protocols) -> Outcome {
    let protocol = protocol(arguments, protocols)?;
    let out = BufWriter::new(std::io::stdout().lock());
    let mut report = Report::new(protocol, out, arguments.limit, arguments.full);
    let explained = Input::open(&arguments.file).map_err(Stop::from);
    let explained = explained.and_then(|input| read(input, arguments, &mut report));
    match explained.and_then(|()| report.finish()) {
        Ok(()) | Err(Stop::Enough) => Ok(()),
        // Whoever read the output has seen enough, as `head` does.
        Err(Stop::Write(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(Stop::Write(error)) => Err(error.into()),
        Err(Stop::Input(what)) => {
            report.flush().ok();
            Err(format!("{}: {what}", arguments.file.display()).into())
        }
    }
}

fn protocol(
    arguments: &ExplainArguments,
    protocols: &Protocols,
) -> Result<Arc<dyn Protocol>, String> {
    let name = &arguments.protocol;
    let found = protocols.find(name).ok_or_else(|| {
        let known: Vec<_> = protocols.iter().map(|protocol| protocol.name()).collect();
        format!("--protocol: no protocol named {name:?}; known are: {}", known.join(", "))
    })?;
    if arguments.options.is_empty() {
        return Ok(found.clone());
    }
    let options = arguments.options.iter().cloned().collect();
    found.configure(&options).map_err(|error| format!("--option: {error}"))
}

fn read<W: Write>(
    mut input: Input,
    arguments: &ExplainArguments,
    report: &mut Report<W>,
) -> Result<(), Stop> {
    let side = arguments.side.side();
    let format = match arguments.format {
        Format::Auto => input.format()?,
        told => told,
    };
    // What came before a fault of the input is explained to its end.
    match format {
        Format::Pcap => {
            let mut connections = Connections::new(arguments.port, side);
            let read = capture::read(input, |packet| connections.push(&packet, report));
            ended(read, || connections.finish(report))
        }
        Format::Hex => {
            let mut directions = Directions::new(side);
            let read = hex::read(input, |sender, bytes| directions.push(sender, bytes, report));
            ended(read, || directions.finish(report))
        }
        Format::Raw | Format::Auto => {
            let mut stream = Stream::new(side);
            let read = input.chunks(|bytes| stream.push(bytes, report));
            ended(read, || stream.finish(report))
        }
    }
}

/// Finishes what has been read, unless nothing more is to be printed.
fn ended(read: Result<(), Stop>, finish: impl FnOnce() -> Result<(), Stop>) -> Result<(), Stop> {
    match read {
        Ok(()) => finish(),
        Err(Stop::Input(what)) => finish().and(Err(Stop::Input(what))),
        Err(stop) => Err(stop),
    }
}
