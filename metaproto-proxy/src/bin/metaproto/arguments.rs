//! The command line.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use metaproto_proxy::config::schema::{
    Admin, Balance, Cluster, Endpoint, File, Listener, Period, Protocol, Route, Size, Timeout,
    UpstreamMode,
};

use crate::explain::ExplainArguments;
use crate::new::New;

/// Layer-7 proxy for RPC protocols.
#[derive(Debug, Parser)]
#[command(name = "metaproto", version, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  metaproto proxy --protocol awesomerpc --listen 127.0.0.1:9000 --upstream 127.0.0.1:9001
  metaproto proxy -c proxy.yaml
  metaproto check proxy.yaml
  metaproto protocols
  metaproto explain --protocol awesomerpc calls.pcap
  metaproto new pelican";

const PROXY_USAGE: &str = "\
metaproto proxy -c <FILE> [OPTIONS]
       metaproto proxy --protocol <NAME> --listen <HOST:PORT> --upstream <HOST:PORT>... [OPTIONS]";

const PROXY_EXAMPLES: &str = "\
Examples:
  Forward to two servers, and serve metrics:
    metaproto proxy --protocol awesomerpc --listen 127.0.0.1:9000 \\
      --upstream 127.0.0.1:9001 --upstream 127.0.0.1:9002 --admin 127.0.0.1:9901
  Begin a file with what the flags amount to, then run it:
    metaproto proxy --protocol awesomerpc --listen 127.0.0.1:9000 \\
      --upstream 127.0.0.1:9001 --print-config > proxy.yaml
    metaproto proxy -c proxy.yaml

Signals:
  SIGTERM, SIGINT  stop accepting, let requests in flight end, exit; a second one exits at once
  SIGHUP           load the configuration file now

Environment:
  RUST_LOG         what is logged to standard error: error, warn, info (the default), debug, trace

Exit status: 0 after a clean stop, 1 for an error, 2 for a wrong command line.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the proxy, from a configuration file or from flags
    Proxy(Box<ProxyArguments>),
    /// Check a configuration file: exit with 0, or with 1 and what is wrong with it
    Check {
        /// The configuration file
        file: PathBuf,
        /// Don't look the names of endpoints up
        #[arg(long)]
        offline: bool,
    },
    /// List the protocols in this binary and what they can do
    Protocols,
    /// Show what frames say, field by field: of hex text, raw bytes or a network capture
    Explain(Box<ExplainArguments>),
    /// Write a crate for a protocol of your own: its codec, tests, a proxy, a client and a server
    New(Box<New>),
}

#[derive(Debug, Args)]
#[command(after_help = PROXY_EXAMPLES, override_usage = PROXY_USAGE)]
pub(crate) struct ProxyArguments {
    /// Configuration file; it is watched, and a good change is applied
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Worker threads [default: one for each processor]
    #[arg(long, value_name = "N")]
    workers: Option<NonZeroUsize>,

    /// Serve /metrics, /ready, /live and /config at this address
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) admin: Option<SocketAddr>,

    /// Unix socket at which another process may take this one's listening sockets; this one then drains
    #[arg(long, value_name = "PATH")]
    pub(crate) handover: Option<PathBuf>,

    /// Take the listening sockets of the process at --handover, which drains when this one serves
    #[arg(long, requires = "handover")]
    pub(crate) takeover: bool,

    /// Print the configuration as a file, and exit
    #[arg(long)]
    pub(crate) print_config: bool,

    #[command(flatten)]
    simple: Simple,
}

/// One listener in front of one cluster: what needs no file.
#[derive(Debug, Args)]
#[group(id = "simple", multiple = true, conflicts_with = "config")]
#[command(next_help_heading = "Instead of a file")]
struct Simple {
    /// Protocol of the clients and the upstreams; see `metaproto protocols`
    #[arg(long, value_name = "NAME", required_unless_present = "config")]
    protocol: Option<String>,

    /// Address to listen on
    #[arg(long, value_name = "HOST:PORT", required_unless_present = "config")]
    listen: Option<String>,

    /// Server to forward to; give it several times for several servers
    #[arg(long, value_name = "HOST:PORT", required_unless_present = "config")]
    upstream: Vec<String>,

    /// How upstream connections are used [default: as the protocol prefers]
    #[arg(long, value_name = "MODE", value_parser = words::<UpstreamMode>(["shared", "exclusive", "bound"]))]
    upstream_mode: Option<UpstreamMode>,

    /// How a server is chosen for a call [default: round_robin]
    #[arg(long, value_name = "HOW", value_parser = words::<Balance>(["round_robin", "random", "least_request", "peak_ewma"]))]
    balance: Option<Balance>,

    /// How long a call may take, or none [default: 15s]
    #[arg(long, value_name = "DURATION")]
    timeout: Option<Timeout>,

    /// How long connecting to a server may take [default: 1s]
    #[arg(long, value_name = "DURATION")]
    connect_timeout: Option<Period>,

    /// How long a silent client connection is kept, or none [default: 10m]
    #[arg(long, value_name = "DURATION")]
    idle_timeout: Option<Timeout>,

    /// The largest message [default: 4MiB]
    #[arg(long, value_name = "SIZE")]
    max_frame: Option<Size>,

    /// How long requests in flight may take after a stop [default: 30s]
    #[arg(long, value_name = "DURATION")]
    drain_timeout: Option<Period>,
}

/// Reads one of `words`, which are those of the configuration file.
fn words<T>(words: impl Into<PossibleValuesParser>) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err: Error + Send + Sync> + Clone + Send + Sync + 'static,
{
    words.into().try_map(|word| word.parse())
}

impl ProxyArguments {
    /// The number of workers, if it is given.
    pub(crate) fn workers(&self) -> Option<usize> {
        self.workers.map(NonZeroUsize::get)
    }

    /// The file that the flags amount to.
    pub(crate) fn to_file(&self) -> File {
        let simple = &self.simple;
        let cluster = Cluster {
            endpoints: simple.upstream.iter().map(Endpoint::at).collect(),
            balance: simple.balance,
            upstream_mode: simple.upstream_mode,
            connect_timeout: simple.connect_timeout,
            ..Cluster::default()
        };
        let route = Route {
            cluster: Some(CLUSTER.to_owned()),
            timeout: simple.timeout,
            ..Route::default()
        };
        let listener = Listener {
            routes: vec![route],
            max_frame: simple.max_frame,
            idle_timeout: simple.idle_timeout,
            ..Listener::new(
                simple.listen.clone().unwrap_or_default(),
                Protocol::named(simple.protocol.clone().unwrap_or_default()),
            )
        };
        File {
            workers: self.workers(),
            drain_timeout: simple.drain_timeout,
            admin: self.admin.map(|address| Admin { address: address.to_string() }),
            dns: None,
            overload: None,
            listeners: vec![listener],
            clusters: BTreeMap::from([(CLUSTER.to_owned(), cluster)]),
        }
    }
}

/// The name of the only cluster.
const CLUSTER: &str = "upstream";

/// The flag that a key of [`ProxyArguments::to_file`] comes from.
pub(crate) fn flag(path: &str) -> Option<&'static str> {
    let flags = [
        ("listeners[0].protocol", "--protocol"),
        ("listeners[0].address", "--listen"),
        ("listeners[0].max_frame", "--max-frame"),
        ("clusters.upstream.endpoints", "--upstream"),
        ("clusters.upstream.upstream_mode", "--upstream-mode"),
        ("clusters.upstream.connect_timeout", "--connect-timeout"),
        ("admin.address", "--admin"),
    ];
    flags.into_iter().find(|(key, _)| path.starts_with(key)).map(|(_, flag)| flag)
}
