//! `metaproto`: the proxy with the codecs that it was built with.

mod arguments;
mod codecs;
mod explain;
mod new;
mod restart;
mod serve;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use metaproto_core::{Correlation, Protocol};
use metaproto_proxy::config::schema::File;
use metaproto_proxy::config::{Config, Overrides, Protocols, Watched};
use metaproto_proxy::dns;
use tracing_subscriber::EnvFilter;

use self::arguments::{Arguments, Command, ProxyArguments};
use self::restart::Restart;

/// What goes wrong is printed and ends the process with 1; usage errors end it with 2.
type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let protocols = codecs::protocols();
    let outcome = match arguments.command {
        Command::Proxy(arguments) => proxy(*arguments, protocols),
        Command::Check { file, offline } => check(&file, offline, &protocols),
        Command::Protocols => print(&list(&protocols)),
        Command::Explain(arguments) => explain::explain(&arguments, &protocols),
        Command::New(new) => new.write().map_err(Into::into).and_then(|report| print(&report)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("metaproto: {error}");
            ExitCode::FAILURE
        }
    }
}

fn proxy(arguments: ProxyArguments, protocols: Protocols) -> Outcome {
    let filter = EnvFilter::builder().with_default_directive(tracing::Level::INFO.into());
    tracing_subscriber::fmt()
        .with_env_filter(filter.from_env_lossy())
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_target(false)
        .init();
    let admin = arguments.admin;
    let overrides = Overrides { workers: arguments.workers(), admin };
    let (watched, config) = match &arguments.config {
        Some(path) => {
            let (watched, config) = Watched::open(path.clone(), protocols, overrides)?;
            (Some(watched), config)
        }
        None => (None, from_flags(&arguments, &protocols)?),
    };
    if arguments.print_config {
        return print(&config.to_yaml());
    }
    let ProxyArguments { handover, takeover, .. } = arguments;
    Ok(serve::run(config, watched, Restart { handover, takeover })?)
}

/// A fault is told by the flag that it came from, as there is no file with the key.
fn from_flags(arguments: &ProxyArguments, protocols: &Protocols) -> Result<Config, String> {
    let file: File = arguments.to_file();
    Config::new(file, protocols).map_err(|error| match arguments::flag(&error.path) {
        Some(flag) => format!("{flag}: {}", error.reason),
        None => error.to_string(),
    })
}

fn check(path: &Path, offline: bool, protocols: &Protocols) -> Outcome {
    let config = Config::load(path, protocols)?;
    let mut snapshot = config.snapshot.clone();
    if !offline {
        let found = dns::look_up(snapshot)?;
        config.check_names(&found.failures)?;
        snapshot = found.snapshot;
    }
    let routes: usize = snapshot.listeners.iter().map(|l| l.routes.len()).sum();
    let endpoints: usize = snapshot
        .clusters
        .values()
        .map(|c| {
            c.endpoints.len() + c.names.iter().map(|n| n.endpoints().len().max(1)).sum::<usize>()
        })
        .sum();
    print(&format!(
        "{} is good: {}, {}, {}, {}\n",
        path.display(),
        count(snapshot.listeners.len(), "listener"),
        count(routes, "route"),
        count(snapshot.clusters.len(), "cluster"),
        count(endpoints, "endpoint"),
    ))
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn list(protocols: &Protocols) -> String {
    protocols.iter().map(|protocol| describe(protocol.as_ref())).collect()
}

fn describe(protocol: &dyn Protocol) -> String {
    let can = protocol.capabilities();
    let mut text = format!("{}\n", protocol.name());
    let mut line = |name: &str, value: String| text.push_str(&format!("  {name:<14}{value}\n"));
    if !protocol.aliases().is_empty() {
        line("aliases", protocol.aliases().join(", "));
    }
    let correlation = match can.correlation {
        Correlation::Id { bits } => format!("by an id of {bits} bits"),
        Correlation::Order => "by order".to_owned(),
    };
    line("responses", correlation);
    line("upstream mode", can.sharing.to_string());
    let features = [
        ("oneway", can.oneway),
        ("streaming", can.streaming),
        ("ping", can.ping),
        ("go-away", can.go_away),
        ("error replies", can.error_replies),
        ("detection", can.probe),
    ];
    let features: Vec<_> = features.iter().filter(|(_, has)| *has).map(|(name, _)| *name).collect();
    line("features", features.join(", "));
    for property in &can.properties.known {
        let may = property.mutation;
        let verbs = [("set", may.set), ("append", may.append), ("remove", may.remove)];
        let verbs: Vec<_> = verbs.iter().filter(|(_, can)| *can).map(|(verb, _)| *verb).collect();
        let verbs = if verbs.is_empty() { "read only".to_owned() } else { verbs.join(", ") };
        line("property", format!("{} ({verbs})", property.name));
    }
    if can.properties.open.is_some() {
        line("property", "and any other that a message brings".to_owned());
    }
    text
}

/// Prints to standard output. Unlike `print!` it does not panic when nobody reads it.
fn print(text: &str) -> Outcome {
    use std::io::Write;
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}
