//! Who is compared, and how each is configured and started.

use std::fmt;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::process::{Pinning, Server, free_address, version};
use crate::Failure;
use crate::cli::CompareArguments;

/// Something that can stand between the load and the backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Contender {
    /// No proxy: a backend in the proxy's place.
    Direct,
    /// HAProxy in TCP mode, one thread.
    Haproxy,
    /// Envoy's tcp_proxy, one worker.
    Envoy,
    /// metaproto, many clients sharing few upstream connections.
    MetaprotoShared,
    /// metaproto, pooled upstream connections with one call each.
    MetaprotoExclusive,
    /// metaproto, one upstream connection for each client.
    MetaprotoBound,
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Contender::Direct => "direct (the backend alone)",
            Contender::Haproxy => "HAProxy, TCP mode",
            Contender::Envoy => "Envoy, tcp_proxy",
            Contender::MetaprotoShared => "metaproto, shared",
            Contender::MetaprotoExclusive => "metaproto, exclusive",
            Contender::MetaprotoBound => "metaproto, bound",
        })
    }
}

impl Contender {
    /// How to have it take part when its program is missing.
    fn remedy(self) -> &'static str {
        match self {
            Contender::Direct => "",
            Contender::Haproxy => "install it, or add its folder to PATH",
            Contender::Envoy => "add its folder to PATH, or set ENVOY to the binary",
            _ => "build it first, or name the binary with --metaproto",
        }
    }
}

/// Those that run unless others are asked for.
const USUAL: [Contender; 5] = [
    Contender::Direct,
    Contender::Haproxy,
    Contender::Envoy,
    Contender::MetaprotoShared,
    Contender::MetaprotoExclusive,
];

/// Where the programs are.
#[derive(Debug)]
pub(crate) struct Programs {
    own: PathBuf,
    haproxy: PathBuf,
    envoy: PathBuf,
    metaproto: PathBuf,
    /// True if the user named the binary, so that its absence is an error.
    metaproto_named: bool,
}

impl Programs {
    /// HAProxy from the PATH, Envoy from $ENVOY or the PATH, metaproto as told or next to this.
    pub(crate) fn find(arguments: &CompareArguments) -> Result<Self, Failure> {
        let own = std::env::current_exe()?;
        let beside = own.with_file_name("metaproto");
        Ok(Programs {
            haproxy: PathBuf::from("haproxy"),
            envoy: std::env::var_os("ENVOY").map_or_else(|| "envoy".into(), PathBuf::from),
            metaproto: arguments.metaproto.clone().unwrap_or(beside),
            metaproto_named: arguments.metaproto.is_some(),
            own,
        })
    }

    /// This program itself, which is the backend and the load generator too.
    pub(crate) fn own(&self) -> &Path {
        &self.own
    }

    fn of(&self, contender: Contender) -> &Path {
        match contender {
            Contender::Direct => &self.own,
            Contender::Haproxy => &self.haproxy,
            Contender::Envoy => &self.envoy,
            _ => &self.metaproto,
        }
    }

    /// Keeps those of `wanted` (the usual ones when empty) whose program is there, and tells for
    /// each program its version, or why it is left out.
    pub(crate) async fn present(
        &self,
        wanted: &[Contender],
    ) -> Result<(Vec<Contender>, Vec<String>), Failure> {
        let wanted = if wanted.is_empty() { &USUAL[..] } else { wanted };
        let (mut present, mut notes) = (Vec::new(), Vec::new());
        for &contender in wanted {
            let program = self.of(contender);
            let note = match contender {
                Contender::Direct => None,
                _ => Some(version(program, contender == Contender::Haproxy).await),
            };
            match note {
                Some(Err(error)) if self.metaproto_named && *program == *self.metaproto => {
                    return Err(format!("cannot run {}: {error}", program.display()).into());
                }
                Some(Err(error)) => {
                    let remedy = contender.remedy();
                    let program = program.display();
                    notes.push(format!("{contender}: LEFT OUT, {program}: {error}; {remedy}"));
                    continue;
                }
                Some(Ok(version)) => notes.push(format!("{contender}: {version}")),
                None => {}
            }
            if !present.contains(&contender) {
                present.push(contender);
            }
        }
        Ok((present, notes))
    }
}

/// What it takes to start a contender.
#[derive(Debug)]
pub(crate) struct Stage<'a> {
    /// Where the programs are.
    pub(crate) programs: &'a Programs,
    /// Which CPU is whose.
    pub(crate) pinning: &'a Pinning,
    /// Where configuration and logs are written.
    pub(crate) folder: &'a Path,
    /// Connections that a proxy must be able to hold.
    pub(crate) connections: usize,
}

impl Stage<'_> {
    /// Starts a backend on the load's CPU.
    pub(crate) async fn backend(&self) -> Result<Server, Failure> {
        let command = self.pinning.beside_load(self.programs.own());
        Server::start_backend(command, &self.folder.join("backend.log")).await
    }

    /// Starts `contender` before `upstream`, and waits until it accepts connections.
    pub(crate) async fn start(
        &self,
        contender: Contender,
        upstream: SocketAddr,
    ) -> Result<Server, Failure> {
        let mut command = self.pinning.measured(self.programs.of(contender));
        let log = self.folder.join(format!("{contender:?}.log"));
        if contender == Contender::Direct {
            return Server::start_backend(command, &log).await;
        }
        let listen = free_address()?;
        // Envoy tells the format of its configuration by the name of the file.
        let config = self.folder.join(format!("{contender:?}.yaml"));
        match contender {
            Contender::Haproxy => {
                fs::write(&config, haproxy_config(listen, upstream, self.connections))?;
                command.args(["-q", "-db", "-f"]).arg(&config);
            }
            Contender::Envoy => {
                fs::write(&config, envoy_config(listen, upstream))?;
                command.args(["--concurrency", "1", "--disable-hot-restart"]);
                command.args(["--use-dynamic-base-id", "--log-level", "error"]);
                command.arg("--config-path").arg(&config);
            }
            _ => {
                command.args(metaproto_flags(contender, listen, upstream));
            }
        }
        Server::start(command, listen, &log).await
    }
}

fn metaproto_flags(contender: Contender, listen: SocketAddr, upstream: SocketAddr) -> Vec<String> {
    let mode = match contender {
        Contender::MetaprotoExclusive => "exclusive",
        Contender::MetaprotoBound => "bound",
        _ => "shared",
    };
    let flags = format!(
        "proxy --protocol awesomerpc --listen {listen} --upstream {upstream} --workers 1 \
         --upstream-mode {mode}"
    );
    flags.split_whitespace().map(str::to_owned).collect()
}

/// One thread, no logs, no checks; buffers and splicing as HAProxy has them by default.
fn haproxy_config(listen: SocketAddr, upstream: SocketAddr, connections: usize) -> String {
    let most = connections + 64;
    format!(
        "\
global
    nbthread 1
    maxconn {most}

defaults
    mode tcp
    timeout connect 10s
    timeout client 10m
    timeout server 10m

listen bench
    bind {listen}
    maxconn {most}
    server backend {upstream}
"
    )
}

/// No admin, no access log, and no circuit breaker in the way.
fn envoy_config(listen: SocketAddr, upstream: SocketAddr) -> String {
    let address = |at: SocketAddr| {
        format!("{{ socket_address: {{ address: {}, port_value: {} }} }}", at.ip(), at.port())
    };
    format!(
        "\
static_resources:
  listeners:
  - name: bench
    address: {listen}
    filter_chains:
    - filters:
      - name: envoy.filters.network.tcp_proxy
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy
          stat_prefix: bench
          cluster: backend
  clusters:
  - name: backend
    type: STATIC
    connect_timeout: 10s
    circuit_breakers:
      thresholds:
      - {{ max_connections: 1000000, max_pending_requests: 1000000 }}
    load_assignment:
      cluster_name: backend
      endpoints:
      - lb_endpoints:
        - endpoint: {{ address: {upstream} }}
",
        listen = address(listen),
        upstream = address(upstream),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_are_those_of_the_documented_command_line() {
        let flags = metaproto_flags(
            Contender::MetaprotoExclusive,
            SocketAddr::from(([127, 0, 0, 1], 9000)),
            SocketAddr::from(([127, 0, 0, 1], 9001)),
        );
        let expected = "proxy --protocol awesomerpc --listen 127.0.0.1:9000 \
                        --upstream 127.0.0.1:9001 --workers 1 --upstream-mode exclusive";
        assert_eq!(flags.join(" "), expected);
    }

    #[test]
    fn haproxy_has_room_for_every_connection() {
        let listen = SocketAddr::from(([127, 0, 0, 1], 1));
        let config = haproxy_config(listen, listen, 5000);
        assert_eq!(config.matches("maxconn 5064\n").count(), 2, "{config}");
    }
}
