//! metaproto, with routes, limits and metrics, as an operator has them.

use std::fmt::Write;
use std::net::SocketAddr;

use super::{Place, UPSTREAM_CONNECTIONS};
use crate::compare::Contender;
use crate::protocol::Protocol;

/// Calls in flight for which a shared upstream connection is enough; it takes half as many again.
const IN_FLIGHT_EACH: usize = 32_768;

/// Routes of which the last but one matches, two clusters, limits, and metrics.
pub(crate) fn config(
    contender: Contender,
    place: Place,
    admin: SocketAddr,
    workers: usize,
) -> String {
    let matches = match place.protocol {
        Protocol::Awesomerpc => ["cmd: 100", "cmd: 2", "cmd: 1"],
        Protocol::Dubbo => [
            "interface: org.example.Orders",
            "interface: org.example.Users, method: find",
            "interface: org.example.Users, method: echo",
        ],
        Protocol::Thrift => ["method: order", "method: find", "method: echo"],
    };
    let [orders, find, echo] = matches;
    let routes = format!(
        "  - {{match: {{{orders}}}, cluster: orders}}
  - {{match: {{{find}}}, cluster: users, timeout: 1s}}
  - {{match: {{{echo}}}, cluster: users, timeout: 30s}}
  - {{cluster: orders}}
"
    );
    format!("workers: {workers}\n{}", whole(contender, place, admin, &routes))
}

/// The same with `count` routes that each ask for another command of awesomerpc; that of the load,
/// 1, is the last one.
pub(crate) fn with_routes(place: Place, admin: SocketAddr, count: usize) -> String {
    let mut routes = String::new();
    for command in (1..=count).rev() {
        // Writing to a string can't fail.
        let _ = writeln!(routes, "  - {{match: {{cmd: {command}}}, cluster: users, timeout: 30s}}");
    }
    format!("workers: 1\n{}", whole(Contender::MetaprotoShared, place, admin, &routes))
}

fn whole(contender: Contender, place: Place, admin: SocketAddr, routes: &str) -> String {
    let Place { listen, upstream, connections, in_flight, protocol } = place;
    let most = connections + 64;
    let cluster = match contender {
        Contender::MetaprotoShared => {
            let connections = in_flight.div_ceil(IN_FLIGHT_EACH);
            format!(
                "{{endpoints: [{upstream}], upstream_mode: shared, connections: {connections}}}"
            )
        }
        Contender::MetaprotoBound => format!("{{endpoints: [{upstream}], upstream_mode: bound}}"),
        _ => format!(
            "{{endpoints: [{upstream}], upstream_mode: exclusive, \
             max_connections: {UPSTREAM_CONNECTIONS}}}"
        ),
    };
    format!(
        "\
admin: {{address: {admin}}}
listeners:
- address: {listen}
  protocol: {protocol}
  max_connections: {most}
  max_in_flight: 128
  routes:
{routes}clusters:
  users: {cluster}
  orders: {cluster}
",
        protocol = named(protocol),
    )
}

/// The listener's protocol. Thrift shares connections where the transport is fixed.
fn named(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Thrift => "{name: thrift, options: {transport: framed}}",
        _ => protocol.name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_route_of_the_load_is_the_last_one() {
        let place = Place::example(Protocol::Awesomerpc);
        let config = with_routes(place, place.upstream, 10);
        assert_eq!(config.matches("match:").count(), 10);
        let last = config.rfind("match:").unwrap();
        assert!(config[last..].starts_with("match: {cmd: 1}"), "{config}");
    }
}
