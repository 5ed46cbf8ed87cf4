//! The command line of `metaproto explain`.

use std::path::PathBuf;

use clap::builder::ValueParser;
use clap::{Args, ValueEnum};
use metaproto_core::Side;

const EXAMPLES: &str = "\
Input:
  hex   text: hex digits with any spaces, # comments, output of xxd, hexdump -C, od -t x1;
        a line that begins with > is what a client sent, with < what a server sent
  raw   the bytes of one direction of a connection
  pcap  a capture by tcpdump, Wireshark and others, pcap or pcapng; TCP is put together

Examples:
  What is in these bytes:
    echo 01 00000007 0000000f 0064 0000 6869 | metaproto explain --protocol awesomerpc -
  What was said on port 9001, as a capture has it:
    tcpdump -i any -s 0 -w calls.pcap tcp port 9001
    metaproto explain --protocol awesomerpc --port 9001 calls.pcap
  The same, as it happens, until ten frames have come:
    tcpdump -i any -U -w - tcp port 9001 | metaproto explain --protocol awesomerpc --limit 10 -

Exit status: 0 if a whole frame was found, 1 for none or an error, 2 for a wrong command line.";

/// What to explain, and how.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExplainArguments {
    /// Protocol of the bytes; see `metaproto protocols`
    #[arg(long, value_name = "NAME")]
    pub(super) protocol: String,

    /// An option of the protocol, as in a configuration file; may be given several times
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = ValueParser::new(option))]
    pub(super) options: Vec<(String, String)>,

    /// Who sent the bytes; where the input tells, only that side is explained
    #[arg(long, value_name = "WHO", default_value = "auto")]
    pub(super) side: Sender,

    /// What the input is
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    pub(super) format: Format,

    /// The servers' port in a capture: others are left out [default: who accepts connections is a
    /// server, else who has the lower port]
    #[arg(long, value_name = "PORT")]
    pub(super) port: Option<u16>,

    /// Stop after this many frames
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) limit: Option<u64>,

    /// Show every byte of long fields
    #[arg(long)]
    pub(super) full: bool,

    /// What to read; - for standard input
    pub(super) file: PathBuf,
}

/// Who sent the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Sender {
    /// As the input tells, else the side that the bytes make sense for
    Auto,
    /// A client: they are requests
    Client,
    /// A server: they are responses
    Server,
}

impl Sender {
    /// The side, if it is given.
    pub(super) fn side(self) -> Option<Side> {
        match self {
            Sender::Auto => None,
            Sender::Client => Some(Side::Downstream),
            Sender::Server => Some(Side::Upstream),
        }
    }
}

/// What the input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// As it looks
    Auto,
    /// Hex digits as text
    Hex,
    /// The bytes themselves
    Raw,
    /// A capture: pcap or pcapng
    Pcap,
}

fn option(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it like name=value")?;
    Ok((name.to_owned(), value.to_owned()))
}
