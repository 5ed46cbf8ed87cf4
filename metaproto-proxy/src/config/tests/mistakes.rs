//! What users are told when a file is wrong: its place, the path of the key, what would be right.

use std::path::Path;

use super::fake::protocols;
use super::{SHORT, refused};
use crate::config::Config;

/// A whole file with `route` as its only route, and clusters v1 and v2.
pub(super) fn route(route: &str) -> String {
    format!(
        "listeners:\n- address: 127.0.0.1:9000\n  protocol: fake\n  routes:\n  - {route}\n\
         clusters: {{v1: [127.0.0.1:1], v2: [127.0.0.1:2]}}\n"
    )
}

/// A whole file with these keys in its only listener.
pub(super) fn listener(keys: &str) -> String {
    format!("listeners:\n- {{address: 127.0.0.1:9000, protocol: fake, {keys}}}\n")
}

/// A whole file with these keys in its only cluster.
fn cluster(keys: &str) -> String {
    listener(&format!("upstream: {{endpoints: [127.0.0.1:1], {keys}}}"))
}

/// Every mistake is told with its place, the path of its key, and what would be right.
#[test]
fn mistakes_are_told_with_their_path_and_remedy() {
    let table = [
        ("", "line 1, column 1: the file ends too early, or is empty"),
        ("listeners: []", "line 1, column 12: listeners: there must be at least one"),
        ("listeners: {}", "line 1, column 12: listeners: expected a list"),
        ("workers: 2", "line 1, column 1: the key \"listeners\" is missing"),
        (
            "listener: []",
            "line 1, column 1: listener: unknown key \"listener\"; did you mean listeners? known are: workers, drain_timeout, admin, dns, overload, listeners, clusters",
        ),
        ("listeners: []\nlisteners: []", "line 2, column 1: the key \"listeners\" is there twice"),
        ("workers: 0\nlisteners: []", "line 1, column 10: workers: must be at least 1"),
        (
            "workers: -1\nlisteners: []",
            "line 1, column 10: workers: expected a whole number, not below zero",
        ),
        (
            "drain_timeout: none\nlisteners: []",
            "line 1, column 16: drain_timeout: \"none\" is not a duration; write it like 250ms, 1s or 1m30s",
        ),
        (
            "listeners:\n- address: 127.0.0.1:1",
            "line 2, column 3: listeners[0]: the key \"protocol\" is missing",
        ),
        (
            "listeners: [{address: 1, protocol: fake}]",
            "line 1, column 23: listeners[0].address: \"1\" is not an address; write it like 127.0.0.1:9000",
        ),
        (
            "listeners: [{address: [::1]:1, protocol: fake}]",
            "line 1, column 23: listeners[0].address: expected a text; one with brackets, such as an IPv6 address, needs quotes",
        ),
        (
            "listeners: [{address: 127.0.0.1:1, protocol: smoke}]",
            "line 1, column 46: listeners[0].protocol: no protocol named \"smoke\"; there are: fake, lines",
        ),
        (
            "listeners: [{address: 127.0.0.1:1, protocol: {name: fake, options: {x: 1}}}]",
            "line 1, column 72: listeners[0].protocol.options.x: the only option is dialect",
        ),
        (
            "listeners: [{address: 127.0.0.1:1, protocol: fake}]",
            "line 1, column 13: listeners[0]: needs routes, or an upstream",
        ),
    ];
    for (text, error) in table {
        assert_eq!(refused(text), error, "{text}");
    }
}

#[test]
fn mistakes_in_listeners_are_told() {
    let table = [
        (
            "routes: [{cluster: v1}], upstream: [127.0.0.1:1]",
            "column 80: listeners[0].upstream: there are routes, too; move it to clusters and route to it",
        ),
        (
            "upstream: 127.0.0.1:1",
            "column 55: listeners[0].upstream: expected a list of endpoints, or a map with endpoints, not string \"127.0.0.1:1\"",
        ),
        (
            "upstream: [localhost]",
            "column 56: listeners[0].upstream.endpoints[0]: \"localhost\" is not an address; write it like 127.0.0.1:9000",
        ),
        (
            "max_frame: 0, upstream: [127.0.0.1:1]",
            "column 56: listeners[0].max_frame: must be at least 1",
        ),
        (
            "max_frame: 4MB, upstream: [127.0.0.1:1]",
            "column 56: listeners[0].max_frame: \"4MB\" is not a size; write it in bytes or like 64KiB, 4MiB, 1GiB",
        ),
        (
            "max_in_flight: 0, upstream: [127.0.0.1:1]",
            "column 60: listeners[0].max_in_flight: must be at least 1",
        ),
        (
            "buffer: 2MiB, max_buffer: 1MiB, upstream: [127.0.0.1:1]",
            "column 53: listeners[0].buffer: 2097152 bytes are more than max_buffer, which is 1048576",
        ),
        (
            "idle_timeout: 5, upstream: [127.0.0.1:1]",
            "column 59: listeners[0].idle_timeout: \"5\" is not a duration; write it like 250ms, 1s or 1m30s",
        ),
    ];
    for (keys, error) in table {
        assert_eq!(refused(&listener(keys)), format!("line 2, {error}"), "{keys}");
    }
    let twice =
        "listeners:\n- &l {address: 127.0.0.1:9, protocol: fake, upstream: [127.0.0.1:1]}\n- *l\n";
    let error = refused(twice);
    assert!(
        error.ends_with("listeners[1].address: listeners[0] has 127.0.0.1:9 already"),
        "{error}"
    );
    let named = twice.replace("{address", "{name: a, address");
    let error = refused(&named);
    assert!(
        error.ends_with("there is a cluster named \"a\" already; name the listener"),
        "{error}"
    );
}

#[test]
fn mistakes_in_routes_are_told() {
    let table = [
        (
            "cluster: v3",
            "column 14: listeners[0].routes[0].cluster: no cluster named \"v3\"; there are: v1, v2",
        ),
        (
            "clusters: [{cluster: v1}, {cluster: v3}]",
            "column 41: listeners[0].routes[0].clusters[1].cluster: no cluster named \"v3\"; there are: v1, v2",
        ),
        (
            "clusters: [{cluster: v1, weight: 0}]",
            "column 5: listeners[0].routes[0]: no cluster has a weight above zero",
        ),
        (
            "{cluster: v1, clusters: [{cluster: v1}]}",
            "column 15: listeners[0].routes[0].cluster: there is a list of clusters, too; give one of them",
        ),
        (
            "match: {cmd: 1}",
            "column 5: listeners[0].routes[0]: needs a cluster, or a list of clusters",
        ),
        (
            "{cluster: v1, timeout: -1s}",
            "column 28: listeners[0].routes[0].timeout: \"-1s\" is not a duration; write it like 250ms, 1s or 1m30s",
        ),
        (
            "{cluster: v1, retry: {on: []}}",
            "column 31: listeners[0].routes[0].retry.on: needs at least one reason to try again",
        ),
        (
            "{cluster: v1, retry: {on: [rest]}}",
            "column 32: listeners[0].routes[0].retry.on[0]: expected one of connect_failure, reset, timeout, application_error, bad_request, not_found, denied, overloaded, status_timeout, unavailable, internal, or a code of the protocol, not string \"rest\"",
        ),
        (
            "{cluster: v1, hedge: {after: 0}}",
            "column 34: listeners[0].routes[0].hedge.after: must be more than zero",
        ),
        (
            "{cluster: v1, request: {set: {trace: 1}}}",
            "column 42: listeners[0].routes[0].request.set.trace: fake can't set the property \"trace\"",
        ),
        (
            "{cluster: v1, response: {append: {nope: 1}}}",
            "column 45: listeners[0].routes[0].response.append.nope: fake has no property \"nope\"; it has: cmd, trace",
        ),
    ];
    for (keys, error) in table {
        assert_eq!(refused(&route(keys)), format!("line 5, {error}"), "{keys}");
    }
}

#[test]
fn mistakes_in_conditions_are_told() {
    let table = [
        (
            "{cluster: v1, match: {foo: 1}}",
            "column 32: listeners[0].routes[0].match.foo: fake has no property \"foo\"; it has: cmd, trace",
        ),
        (
            "{cluster: v1, match: [{property: foo, exact: 1}]}",
            "column 38: listeners[0].routes[0].match[0].property: fake has no property \"foo\"; it has: cmd, trace",
        ),
        (
            "{cluster: v1, match: [{property: cmd}]}",
            "column 27: listeners[0].routes[0].match[0]: needs exactly one of exact, prefix, suffix, contains, regex, range, present",
        ),
        (
            "{cluster: v1, match: [{property: cmd, exact: 1, prefix: 1}]}",
            "column 27: listeners[0].routes[0].match[0]: needs exactly one of exact, prefix, suffix, contains, regex, range, present",
        ),
        (
            "{cluster: v1, match: [{property: cmd, present: false}]}",
            "column 52: listeners[0].routes[0].match[0].present: must be true; add `invert: true` to match requests without the property",
        ),
        (
            "{cluster: v1, match: [{property: cmd, exact: 1, invert: yes}]}",
            "column 61: listeners[0].routes[0].match[0].invert: expected true or false",
        ),
        (
            "{cluster: v1, match: [{property: cmd, range: {start: 9, end: 9}}]}",
            "column 50: listeners[0].routes[0].match[0].range: no number is at least 9 and less than 9",
        ),
        (
            "{cluster: v1, match: [{property: cmd, exakt: 1}]}",
            "column 43: listeners[0].routes[0].match[0].exakt: unknown key \"exakt\"; did you mean exact? known are: property, exact, prefix, suffix, contains, regex, range, present, invert",
        ),
    ];
    for (keys, error) in table {
        assert_eq!(refused(&route(keys)), format!("line 5, {error}"), "{keys}");
    }
    let error = refused(&route("{cluster: v1, match: [{property: cmd, regex: \"a(\"}]}"));
    assert!(
        error.starts_with("line 5, column 50: listeners[0].routes[0].match[0].regex: "),
        "{error}"
    );
}

#[test]
fn mistakes_in_clusters_are_told() {
    let table = [
        ("connections: 0", "column 95: listeners[0].upstream.connections: must be at least 1"),
        (
            "max_connections: 0",
            "column 99: listeners[0].upstream.max_connections: must be at least 1",
        ),
        (
            "connect_timeout: 0",
            "column 99: listeners[0].upstream.connect_timeout: must be more than zero",
        ),
        (
            "balance: fair",
            "column 91: listeners[0].upstream.balance: unknown value \"fair\"; known are: round_robin, random, least_request, peak_ewma, ring_hash, maglev",
        ),
        (
            "upstream_mode: share",
            "column 97: listeners[0].upstream.upstream_mode: unknown value \"share\"; did you mean shared? known are: shared, exclusive, bound",
        ),
        (
            "keepalive: on",
            "column 93: listeners[0].upstream.keepalive: expected off, or a map with an interval and a timeout, not string \"on\"",
        ),
        (
            "keepalive: {every: 1s}",
            "column 94: listeners[0].upstream.keepalive.every: unknown key \"every\"; known are: interval, timeout",
        ),
        (
            "keepalive: {interval: 0}",
            "column 104: listeners[0].upstream.keepalive.interval: must be more than zero; `keepalive: off` sends no pings",
        ),
        (
            "keepalive: {timeout: 0}",
            "column 103: listeners[0].upstream.keepalive.timeout: must be more than zero; `keepalive: off` sends no pings",
        ),
    ];
    for (keys, error) in table {
        assert_eq!(refused(&cluster(keys)), format!("line 2, {error}"), "{keys}");
    }
    let by_order = cluster("upstream_mode: shared").replace("fake", "lines");
    assert_eq!(
        refused(&by_order),
        "line 2, column 98: listeners[0].upstream.upstream_mode: lines has no request ids, so clients can't share a connection; use exclusive or bound"
    );
    let weight = SHORT.replace("127.0.0.1:9002", "{address: 127.0.0.1:9002, weight: 0}");
    assert_eq!(
        refused(&weight),
        "line 8, column 67: clusters.v1.endpoints[1].weight: must be at least 1; leave the endpoint out instead"
    );
    let dotted = SHORT.replace("v1", "a.b[0]").replace("[127.0.0.1:9001, 127.0.0.1:9002]", "[x]");
    assert_eq!(
        refused(&dotted),
        "line 8, column 17: clusters.a.b[0].endpoints[0]: \"x\" is not an address; write it like 127.0.0.1:9000"
    );
}

#[test]
fn mistakes_in_balancing_are_told() {
    let table = [
        (
            "balance: {policy: random, decay: 1s}",
            "balance.decay: is an option of another policy; leave it out",
        ),
        ("balance: {policy: peak_ewma, decay: 0}", "balance.decay: must be more than zero"),
        (
            "balance: {policy: ring_hash, ring_size: 0}, hash: client_address",
            "balance.ring_size: must be from 1 to 1048576",
        ),
        (
            "balance: {policy: maglev, table_size: 1000}, hash: client_address",
            "balance.table_size: must be a prime number; the next is 1009",
        ),
        (
            "balance: {policy: maglev, table_size: 5000000}, hash: client_address",
            "balance.table_size: must be at most 4999999",
        ),
        (
            "hash: client_address",
            "hash: only ring_hash and maglev choose by hash; leave it out, or set `balance`",
        ),
        (
            "balance: maglev, hash: client",
            "hash: expected client_address, or a map with a property, not string \"client\"",
        ),
        (
            "balance: maglev, hash: {property: nope}",
            "hash.property: fake has no property \"nope\"; it has: cmd, trace",
        ),
        (
            "balance: maglev, hash: [client_address, {property: nope}]",
            "hash[1].property: fake has no property \"nope\"; it has: cmd, trace",
        ),
        (
            "balance: ring_hash, hash: client_address, slow_start: 1s",
            "slow_start: has no effect where the choice is by hash; leave it out",
        ),
        ("panic_threshold: 101", "panic_threshold: is a percentage, at most 100"),
        ("subset_fallback: all", "subset_fallback: unknown value \"all\"; known are: none, any"),
    ];
    for (keys, error) in table {
        let refused = refused(&cluster(keys));
        let told = refused.split_once("listeners[0].upstream.").map_or(&*refused, |(_, told)| told);
        assert_eq!(told, error, "{keys}");
    }
    assert_eq!(
        refused(&cluster("balance: maglev")),
        "line 2, column 55: listeners[0].upstream: chooses by hash and has no key; give it one, as `hash`"
    );
}

#[test]
fn mistakes_in_outlier_detection_are_told() {
    let table = [
        (
            "{statuses: [bad]}",
            "statuses[0]: expected one of application_error, bad_request, not_found, denied, overloaded, timeout, unavailable, internal, not string \"bad\"",
        ),
        ("{failure_rate: 101}", "failure_rate: is a share in percent: at most 100"),
        (
            "{ejection_time: 1m, max_ejection_time: 1s}",
            "max_ejection_time: must not be less than ejection_time",
        ),
        ("{interval: 0}", "interval: must be more than zero"),
    ];
    for (keys, error) in table {
        let refused = refused(&cluster(&format!("outlier_detection: {keys}")));
        let told = refused.split_once("listeners[0].upstream.outlier_detection.");
        assert_eq!(told.map_or(&*refused, |(_, told)| told), error, "{keys}");
    }
}

#[test]
fn bounds_of_clusters_that_let_nothing_through_are_mistakes() {
    let table = [
        (
            "circuit_breakers: {max_requests: 0}",
            "circuit_breakers.max_requests: must be at least 1",
        ),
        ("circuit_breakers: {max_pending: 0}", "circuit_breakers.max_pending: must be at least 1"),
        (
            "circuit_breakers: {max_connections: 0}",
            "circuit_breakers.max_connections: must be at least 1",
        ),
        (
            "circuit_breakers: {operations: {echo: 0}}",
            "circuit_breakers.operations.echo: must be at least 1",
        ),
        ("adaptive_concurrency: {min: 0}", "adaptive_concurrency.min: must be at least 1"),
        (
            "adaptive_concurrency: {min: 9, max: 8}",
            "adaptive_concurrency.max: must be at least as much as min",
        ),
        (
            "adaptive_concurrency: {interval: 0}",
            "adaptive_concurrency.interval: must be more than zero",
        ),
    ];
    for (keys, error) in table {
        let refused = refused(&cluster(keys));
        let told = refused.split_once("listeners[0].upstream.");
        assert_eq!(told.map_or(&*refused, |(_, told)| told), error, "{keys}");
    }
}

#[test]
fn mistakes_in_health_checks_are_told() {
    let table = [
        ("{interval: 1s}", ": the key \"type\" is missing"),
        ("{type: http}", ".type: unknown value \"http\"; known are: tcp, ping"),
        ("{type: ping, port: 7}", ".port: pings go to the port of the endpoint; leave it out"),
        ("{type: tcp, port: 0}", ".port: must be at least 1"),
        ("{type: tcp, interval: 0}", ".interval: must be more than zero"),
        ("{type: tcp, timeout: 0}", ".timeout: must be more than zero"),
        ("{type: tcp, healthy_after: 0}", ".healthy_after: must be at least 1"),
        ("{type: tcp, unhealthy_after: 0}", ".unhealthy_after: must be at least 1"),
    ];
    for (keys, error) in table {
        let refused = refused(&cluster(&format!("health_check: {keys}")));
        let told = refused.split_once("listeners[0].upstream.health_check");
        assert_eq!(told.map_or(&*refused, |(_, told)| told), error, "{keys}");
    }
    let by_order = cluster("health_check: {type: ping}").replace("fake", "lines");
    let error = "listeners[0].upstream.health_check.type: lines has no pings; use tcp";
    assert!(refused(&by_order).ends_with(error), "{}", refused(&by_order));
}

#[test]
fn mistakes_in_endpoints_and_keys_of_routes_are_told() {
    let endpoints = SHORT.replace("127.0.0.1:9002", "{address: nowhere, priority: 1}");
    assert_eq!(
        refused(&endpoints),
        "line 8, column 43: clusters.v1.endpoints[1].address: \"nowhere\" is not an address; write it like 127.0.0.1:9000"
    );
    let servers = [
        ("{weight: 2}", "endpoints[1]: \"\" is not an address; write it like 127.0.0.1:9000"),
        ("{srv: a, address: a:1}", "endpoints[1].srv: there is an address, too; give one of them"),
        ("{srv: a, weight: 1}", "endpoints[1].srv: has weights of its own; leave `weight` out"),
        ("{srv: a..b}", "endpoints[1].srv: \"a..b\" is no name that the DNS could know"),
        (
            "'::1:9000'",
            "endpoints[1]: \"::1:9000\" is not an address; write it like 127.0.0.1:9000",
        ),
        (
            "{address: a:1, weight: 0}",
            "endpoints[1].weight: must be at least 1; leave the endpoint out instead",
        ),
    ];
    for (server, error) in servers {
        let refused = refused(&SHORT.replace("127.0.0.1:9002", server));
        let told = refused.split_once("clusters.v1.").map_or(&*refused, |(_, told)| told);
        assert_eq!(told, error, "{server}");
    }
    let dns = [
        (
            "{servers: [localhost:53]}",
            "line 1, column 17: dns.servers[0]: \"localhost:53\" is not an IP address with a port, like 127.0.0.1:53",
        ),
        ("{refresh: 0}", "line 1, column 16: dns.refresh: must be more than zero"),
    ];
    for (keys, error) in dns {
        assert_eq!(refused(&format!("dns: {keys}\n{SHORT}")), error, "{keys}");
    }
    let table = [
        (
            "{cluster: v1, hash: client_address}",
            "hash: no cluster of the route chooses by hash; leave it out",
        ),
        (
            "{cluster: v1, sticky: client_address}",
            "sticky: there is one cluster only, so nothing to decide; leave it out",
        ),
        (
            "{clusters: [{cluster: v1}, {cluster: v2}], sticky: {property: nope}}",
            "sticky.property: fake has no property \"nope\"; it has: cmd, trace",
        ),
        (
            "{clusters: [{cluster: v1}, {cluster: v2}], subset: {zone: a}}",
            "subset: there is a list of clusters; give each its own",
        ),
    ];
    for (keys, error) in table {
        let refused = refused(&route(keys));
        let told = refused.split_once("routes[0].").map_or(&*refused, |(_, told)| told);
        assert_eq!(told, error, "{keys}");
    }
}

#[test]
fn a_missing_file_is_told() {
    let error = Config::load(Path::new("no/such.yaml"), &protocols()).unwrap_err().to_string();
    assert!(error.starts_with("no/such.yaml: can't be read: "), "{error}");
}
