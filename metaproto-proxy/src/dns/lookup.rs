//! One look-up of a name.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime};

use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{Hosts, TokioResolver};

use crate::model::{Dns, Found, Target};

/// The longest that a look-up may take, with all its questions to all servers.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The files that say how the system looks names up.
const SYSTEM_FILES: [&str; 2] = ["/etc/hosts", "/etc/resolv.conf"];

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// In a stable order, each address once; never empty.
    pub(super) found: Vec<Found>,
    /// How long it holds.
    pub(super) ttl: Duration,
    /// Why a part of it is missing, if one is.
    pub(super) missing: Option<String>,
}

/// Asks name servers, or the system's files. Does not remember what it was told: what it is asked is
/// asked because it may have changed.
pub(super) struct Resolver {
    /// Empty unless the system's configuration counts.
    hosts: Hosts,
    /// The system may have no name servers, and need none for what is in its hosts file.
    servers: Result<TokioResolver, String>,
    /// When the system's files last changed; empty if they don't count.
    stamps: Vec<Option<SystemTime>>,
}

/// The addresses of one host, and how long they hold in seconds.
type Addresses = (Vec<IpAddr>, u32);

/// Why a host has no addresses.
enum Fault {
    /// It has none, says the DNS.
    None,
    /// The DNS does not say.
    Other(String),
}

impl Resolver {
    pub(super) fn new(dns: &Dns) -> Self {
        if dns.servers.is_empty() {
            let servers = TokioResolver::builder_tokio().and_then(|mut builder| {
                forget(builder.options_mut());
                builder.build()
            });
            let servers = servers.map_err(|error| format!("/etc/resolv.conf: {error}"));
            let hosts = Hosts::from_system().unwrap_or_default();
            return Resolver { hosts, servers, stamps: stamps() };
        }
        let server = |address: &SocketAddr| {
            let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
            for connection in &mut connections {
                connection.port = address.port();
            }
            NameServerConfig::new(address.ip(), true, connections)
        };
        let servers = dns.servers.iter().map(server).collect();
        let config = ResolverConfig::from_name_servers(servers);
        let provider = TokioRuntimeProvider::default();
        let mut builder = TokioResolver::builder_with_config(config, provider);
        forget(builder.options_mut());
        let servers = builder.build().map_err(|error| error.to_string());
        Resolver { hosts: Hosts::default(), servers, stamps: Vec::new() }
    }

    /// Whether the system's files have changed since it was made.
    pub(super) fn is_stale(&self) -> bool {
        !self.stamps.is_empty() && self.stamps != stamps()
    }

    /// Looks `target` up.
    ///
    /// # Errors
    /// Why it can't be. That there is nothing is an error, too.
    pub(super) async fn look_up(&self, target: &Target) -> Result<Answer, String> {
        let answer = async {
            match target {
                Target::Host { host, port } => self.look_up_host(host, *port).await,
                Target::Service(name) => self.look_up_service(name).await,
            }
        };
        tokio::time::timeout(TIMEOUT, answer)
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {TIMEOUT:?}")))
    }

    async fn look_up_host(&self, host: &str, port: u16) -> Result<Answer, String> {
        let (addresses, ttl) = self.addresses(&parse(host)?).await.map_err(Fault::told)?;
        let found =
            |address| Found { priority: 0, address: SocketAddr::new(address, port), weight: 1 };
        Ok(answer(addresses.into_iter().map(found), ttl, None))
    }

    async fn look_up_service(&self, name: &str) -> Result<Answer, String> {
        let lookup = self.ask(&parse(name)?, RecordType::SRV).await.map_err(Fault::told)?;
        let mut ttl = shortest(&lookup);
        let records = lookup.answers().iter();
        let services: Vec<_> = records
            .filter_map(|record| match &record.data {
                // A root as target says that there is no such service.
                RData::SRV(srv) if !srv.target.is_root() && srv.port != 0 => Some(srv),
                _ => None,
            })
            .collect();
        let levels: BTreeSet<u16> = services.iter().map(|srv| srv.priority).collect();
        let (mut found, mut missing) = (Vec::new(), None);
        for srv in services {
            let level = levels.range(..srv.priority).count();
            match self.addresses(&srv.target).await {
                Ok((addresses, host_ttl)) => {
                    ttl = ttl.min(host_ttl);
                    found.extend(addresses.into_iter().map(|address| Found {
                        priority: u32::try_from(level).unwrap_or(u32::MAX),
                        address: SocketAddr::new(address, srv.port),
                        weight: u32::from(srv.weight).max(1),
                    }));
                }
                Err(Fault::None) => {}
                Err(Fault::Other(why)) => missing = Some(format!("{}: {why}", srv.target)),
            }
        }
        if found.is_empty() {
            return Err(missing.unwrap_or_else(|| Fault::None.told()));
        }
        Ok(answer(found, ttl, missing))
    }

    /// Those of IPv4, or, if the host has none, those of IPv6. That IPv4 could not be asked for is not
    /// to have none.
    async fn addresses(&self, host: &Name) -> Result<Addresses, Fault> {
        for kind in [RecordType::A, RecordType::AAAA] {
            let lookup = match self.hosts.lookup_static_host(&Query::query(host.clone(), kind)) {
                Some(lookup) => lookup,
                // A host in the file that has no address of this kind is no other's business.
                None if self.in_hosts(host) => continue,
                None => match self.ask(host, kind).await {
                    Ok(lookup) => lookup,
                    Err(Fault::None) => continue,
                    Err(fault) => return Err(fault),
                },
            };
            let records = lookup.answers().iter();
            let addresses: Vec<_> = records.filter_map(|record| record.data.ip_addr()).collect();
            if !addresses.is_empty() {
                return Ok((addresses, shortest(&lookup)));
            }
        }
        Err(Fault::None)
    }

    fn in_hosts(&self, host: &Name) -> bool {
        let kinds = [RecordType::A, RecordType::AAAA];
        kinds
            .into_iter()
            .any(|kind| self.hosts.lookup_static_host(&Query::query(host.clone(), kind)).is_some())
    }

    async fn ask(&self, name: &Name, kind: RecordType) -> Result<Lookup, Fault> {
        let servers = self.servers.as_ref().map_err(|why| Fault::Other(why.clone()))?;
        servers.lookup(name.clone(), kind).await.map_err(|error: NetError| {
            match error.is_no_records_found() {
                true => Fault::None,
                false => Fault::Other(error.to_string()),
            }
        })
    }
}

impl Fault {
    fn told(self) -> String {
        match self {
            Fault::None => "the DNS has no address for it".to_owned(),
            Fault::Other(why) => why,
        }
    }
}

fn parse(name: &str) -> Result<Name, String> {
    Name::from_str_relaxed(name).map_err(|error| format!("{name:?} is not a name: {error}"))
}

/// Answers are remembered by whoever asks.
fn forget(options: &mut ResolverOpts) {
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
}

fn stamps() -> Vec<Option<SystemTime>> {
    let modified = |path| std::fs::metadata(path).and_then(|file| file.modified()).ok();
    SYSTEM_FILES.into_iter().map(modified).collect()
}

/// The time to live in seconds of what is in `lookup`, names that lead to other names included.
fn shortest(lookup: &Lookup) -> u32 {
    lookup.answers().iter().map(|record| record.ttl).min().unwrap_or(0)
}

fn answer(found: impl IntoIterator<Item = Found>, ttl: u32, missing: Option<String>) -> Answer {
    let mut found: Vec<_> = found.into_iter().collect();
    found.sort_unstable();
    // Two names of one server: the first level that it is in counts.
    let mut seen = BTreeSet::new();
    found.retain(|one| seen.insert(one.address));
    Answer { found, ttl: Duration::from_secs(ttl.into()), missing }
}

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resolver").finish_non_exhaustive()
    }
}
