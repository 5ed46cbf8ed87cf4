//! Who is compared.

use std::fmt;

use clap::ValueEnum;

use crate::protocol::Protocol;

/// Something that can stand between the load and the backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Contender {
    /// No proxy: a backend in the proxy's place.
    Direct,
    /// HAProxy in TCP mode, one thread.
    Haproxy,
    /// Envoy's tcp_proxy, one worker.
    Envoy,
    /// Envoy's own filter for the protocol: dubbo_proxy, thrift_proxy.
    EnvoyFilter,
    /// Envoy's generic_proxy with its codec for Dubbo.
    EnvoyGeneric,
    /// metaproto, many clients sharing few upstream connections.
    MetaprotoShared,
    /// metaproto, pooled upstream connections with one call each.
    MetaprotoExclusive,
    /// metaproto, one upstream connection for each client.
    MetaprotoBound,
}

/// Which program a contender is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// This one, as a backend.
    Own,
    /// HAProxy.
    Haproxy,
    /// Envoy.
    Envoy,
    /// metaproto.
    Metaproto,
}

impl Contender {
    /// Those that run unless others are asked for.
    pub(crate) const USUAL: [Contender; 7] = [
        Contender::Direct,
        Contender::Haproxy,
        Contender::Envoy,
        Contender::EnvoyFilter,
        Contender::EnvoyGeneric,
        Contender::MetaprotoShared,
        Contender::MetaprotoExclusive,
    ];

    /// What has to run.
    pub(crate) fn program(self) -> Program {
        match self {
            Contender::Direct => Program::Own,
            Contender::Haproxy => Program::Haproxy,
            Contender::Envoy | Contender::EnvoyFilter | Contender::EnvoyGeneric => Program::Envoy,
            _ => Program::Metaproto,
        }
    }

    /// True if it can forward `protocol`. Layer 4 forwards anything.
    pub(crate) fn forwards(self, protocol: Protocol) -> bool {
        match self {
            Contender::EnvoyFilter => protocol != Protocol::Awesomerpc,
            Contender::EnvoyGeneric => protocol == Protocol::Dubbo,
            _ => true,
        }
    }

    /// True if it reads the calls that it forwards.
    pub(crate) fn is_layer_7_peer(self) -> bool {
        matches!(self, Contender::EnvoyFilter | Contender::EnvoyGeneric)
    }

    /// How it is called in a table of `protocol`.
    pub(crate) fn title(self, protocol: Protocol) -> &'static str {
        match (self, protocol) {
            (Contender::Direct, _) => "direct",
            (Contender::Haproxy, _) => "HAProxy tcp",
            (Contender::Envoy, _) => "Envoy tcp",
            (Contender::EnvoyFilter, Protocol::Thrift) => "Envoy thrift",
            (Contender::EnvoyFilter, _) => "Envoy dubbo",
            (Contender::EnvoyGeneric, _) => "Envoy generic",
            (Contender::MetaprotoShared, _) => "metaproto shared",
            (Contender::MetaprotoExclusive, _) => "metaproto exclusive",
            (Contender::MetaprotoBound, _) => "metaproto bound",
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Program::Own => "backend",
            Program::Haproxy => "HAProxy",
            Program::Envoy => "Envoy",
            Program::Metaproto => "metaproto",
        })
    }
}

impl Program {
    /// How to have it take part when it is missing.
    pub(crate) fn remedy(self) -> &'static str {
        match self {
            Program::Own => "",
            Program::Haproxy => "install it, or add its folder to PATH",
            Program::Envoy => "name the binary with --envoy, or add its folder to PATH",
            Program::Metaproto => "build it first, or name the binary with --metaproto",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_protocol_has_a_baseline_and_ours() {
        for &protocol in Protocol::value_variants() {
            let forwards = |contender: Contender| contender.forwards(protocol);
            assert!(forwards(Contender::Direct) && forwards(Contender::Haproxy));
            assert!(forwards(Contender::MetaprotoExclusive));
        }
    }
}
