//! Envoy.

use std::net::SocketAddr;

use super::{BACKLOG, Place, UPSTREAM_CONNECTIONS};
use crate::compare::Contender;
use crate::protocol::Protocol;

/// Where the types of all filters are.
const TYPES: &str = "type.googleapis.com/envoy.extensions.filters.network";

/// No admin, no access log, and no circuit breaker in the way of a load's connections.
pub(crate) fn config(contender: Contender, place: Place) -> String {
    let filter = match (contender, place.protocol) {
        (Contender::EnvoyFilter, Protocol::Thrift) => thrift_proxy(),
        (Contender::EnvoyFilter, _) => dubbo_proxy(),
        (Contender::EnvoyGeneric, _) => generic_proxy(),
        _ => tcp_proxy(),
    };
    let most = match contender {
        Contender::Envoy => place.connections + 64,
        _ => UPSTREAM_CONNECTIONS,
    };
    format!(
        "\
static_resources:
  listeners:
  - name: bench
    address: {listen}
    tcp_backlog_size: {BACKLOG}
    filter_chains:
    - filters:
{filter}
  clusters:
  - name: backend
    type: STATIC
    connect_timeout: 10s
    circuit_breakers:
      thresholds:
      - {{ max_connections: {most}, max_pending_requests: 1000000, max_requests: 1000000 }}
    load_assignment:
      cluster_name: backend
      endpoints:
      - lb_endpoints:
        - endpoint: {{ address: {upstream} }}
",
        listen = address(place.listen),
        upstream = address(place.upstream),
    )
}

fn address(at: SocketAddr) -> String {
    format!("{{ socket_address: {{ address: {}, port_value: {} }} }}", at.ip(), at.port())
}

fn tcp_proxy() -> String {
    format!(
        "      - name: envoy.filters.network.tcp_proxy
        typed_config:
          \"@type\": {TYPES}.tcp_proxy.v3.TcpProxy
          stat_prefix: bench
          cluster: backend"
    )
}

fn dubbo_proxy() -> String {
    format!(
        "      - name: envoy.filters.network.dubbo_proxy
        typed_config:
          \"@type\": {TYPES}.dubbo_proxy.v3.DubboProxy
          stat_prefix: bench
          protocol_type: Dubbo
          serialization_type: Hessian2
          route_config:
          - name: bench
            interface: org.example.Users
            routes:
            - match: {{ method: {{ name: {{ exact: find }} }} }}
              route: {{ cluster: backend }}
            - match: {{ method: {{ name: {{ exact: echo }} }} }}
              route: {{ cluster: backend }}
          dubbo_filters:
          - name: envoy.filters.dubbo.router
            config: {{ \"@type\": {TYPES}.dubbo_proxy.router.v3.Router }}"
    )
}

fn thrift_proxy() -> String {
    format!(
        "      - name: envoy.filters.network.thrift_proxy
        typed_config:
          \"@type\": {TYPES}.thrift_proxy.v3.ThriftProxy
          stat_prefix: bench
          transport: FRAMED
          protocol: BINARY
          route_config:
            name: bench
            routes:
            - {{ match: {{ method_name: find }}, route: {{ cluster: backend }} }}
            - {{ match: {{ method_name: echo }}, route: {{ cluster: backend }} }}
          thrift_filters:
          - name: envoy.filters.thrift.router
            typed_config: {{ \"@type\": {TYPES}.thrift_proxy.router.v3.Router }}"
    )
}

fn generic_proxy() -> String {
    let generic = format!("{TYPES}.generic_proxy");
    format!(
        "      - name: envoy.filters.network.generic_proxy
        typed_config:
          \"@type\": {generic}.v3.GenericProxy
          stat_prefix: bench
          codec_config:
            name: envoy.generic_proxy.codecs.dubbo
            typed_config: {{ \"@type\": {generic}.codecs.dubbo.v3.DubboCodecConfig }}
          filters:
          - name: envoy.filters.generic.router
            typed_config: {{ \"@type\": {generic}.router.v3.Router }}
          route_config:
            name: bench
            virtual_hosts:
            - name: bench
              hosts: [\"*\"]
              routes:
                matcher_tree:
                  input:
                    name: method
                    typed_config: {{ \"@type\": {generic}.matcher.v3.MethodMatchInput }}
                  exact_match_map:
                    map:
                      echo:
                        action:
                          name: route
                          typed_config:
                            \"@type\": {generic}.action.v3.RouteAction
                            cluster: backend"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_contender_has_its_filter() {
        let filter = |contender, protocol| {
            let config = config(contender, Place::example(protocol));
            let name = config.split("envoy.filters.network.").nth(1).unwrap_or("");
            name.split_whitespace().next().unwrap_or("").to_owned()
        };
        assert_eq!(filter(Contender::Envoy, Protocol::Dubbo), "tcp_proxy");
        assert_eq!(filter(Contender::EnvoyFilter, Protocol::Dubbo), "dubbo_proxy");
        assert_eq!(filter(Contender::EnvoyFilter, Protocol::Thrift), "thrift_proxy");
        assert_eq!(filter(Contender::EnvoyGeneric, Protocol::Dubbo), "generic_proxy");
    }
}
