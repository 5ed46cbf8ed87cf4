//! Addresses and names in a configuration file.

use std::net::{SocketAddr, ToSocketAddrs};

use serde::{Deserialize, Serialize};

use super::schema::{Endpoint, Period};
use crate::model::{self, Invalid};

/// How the names of endpoints are looked up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Dns {
    /// See [`model::Dns::servers`]: `host:port`, where the host is an IP address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<String>,
    /// See [`model::Dns::refresh`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<Period>,
}

impl Dns {
    pub(super) fn model(&self) -> Result<model::Dns, Invalid> {
        let server = |(i, text): (usize, &String)| {
            let reason = || format!("{text:?} is not an IP address with a port, like 127.0.0.1:53");
            text.parse().map_err(|_| Invalid::new(format!("dns.servers[{i}]"), reason()))
        };
        let servers: Result<Vec<SocketAddr>, _> =
            self.servers.iter().enumerate().map(server).collect();
        let mut dns = model::Dns::servers(servers?);
        if let Some(Period(refresh)) = self.refresh {
            dns.refresh = refresh;
        }
        Ok(dns)
    }
}

/// A server, as an endpoint tells it.
pub(super) enum Server {
    /// By its address.
    At(SocketAddr),
    /// By a name, which may stand for several.
    Named(model::Name),
}

/// Where an endpoint says which server it is; the short form has no key of its own.
pub(super) fn key(endpoint: &Endpoint) -> &'static str {
    match endpoint {
        Endpoint { srv: Some(_), .. } => ".srv",
        endpoint if endpoint.is_plain() || endpoint.address.is_empty() => "",
        _ => ".address",
    }
}

/// The server of an endpoint, or what is wrong with it.
pub(super) fn server(endpoint: &Endpoint) -> Result<Server, String> {
    let text = &endpoint.address;
    if let Some(service) = &endpoint.srv {
        if !text.is_empty() {
            return Err("there is an address, too; give one of them".to_owned());
        }
        if endpoint.weight.is_some() {
            return Err("has weights of its own; leave `weight` out".to_owned());
        }
        return Ok(Server::Named(model::Name::service(service)));
    }
    if let Ok(address) = text.parse() {
        return Ok(Server::At(address));
    }
    let (host, port) = split(text)?;
    Ok(Server::Named(model::Name::host(host, port)))
}

/// The address to listen on. Names are looked up by the system, once: of those with several addresses
/// the first counts, of those with both IPv4 and IPv6 addresses that of IPv4.
pub(super) fn address(text: &str, path: &str) -> Result<SocketAddr, Invalid> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    split(text).map_err(|reason| Invalid::new(path, reason))?;
    let fault = |e| Invalid::new(path, format!("can't look up {text:?}: {e}"));
    let found = text.to_socket_addrs().map_err(fault)?;
    let first = found.min_by_key(|address| (address.is_ipv6(), *address));
    first.ok_or_else(|| Invalid::new(path, format!("{text:?} has no address")))
}

/// The parts of `host:port`.
fn split(text: &str) -> Result<(&str, u16), String> {
    let parts = text.rsplit_once(':').filter(|(host, _)| !host.is_empty() && !host.contains(':'));
    let parts = parts.and_then(|(host, port)| Some((host, port.parse().ok()?)));
    parts.ok_or_else(|| format!("{text:?} is not an address; write it like 127.0.0.1:9000"))
}
