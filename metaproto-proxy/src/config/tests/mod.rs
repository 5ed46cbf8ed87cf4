//! Configuration as its users write it.

pub(super) mod fake;
mod mirror;
mod mistakes;

use metaproto_core::{Mutation, Sharing, StatusClass};
use proptest::prelude::*;

use self::fake::protocols;
use self::mistakes::{listener, route};
use super::*;
use crate::model::{
    AdaptiveConcurrency, Balance, Check, Endpoint, HashKey, HealthCheck, Hedge, Keepalive,
    KeepaliveTimes, Labels, Predicate, Retry, RetryOn, SubsetFallback,
};

fn parse(text: &str) -> Config {
    Config::parse(text, &protocols()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn refused(text: &str) -> String {
    Config::parse(text, &protocols()).err().map_or("accepted".to_owned(), |e| e.to_string())
}

const SHORT: &str = "\
listeners:
- address: 127.0.0.1:9000
  protocol: fake
  routes:
  - cluster: v1
clusters:
  v1:
    endpoints: [127.0.0.1:9001, 127.0.0.1:9002]
";

const FULL: &str = r#"
workers: 2
drain_timeout: 5s
admin: {address: 127.0.0.1:9901}
dns: {servers: ['127.0.0.1:5353', '[::1]:53'], refresh: 10s}
overload: {max_memory: 1GiB, max_connections: 50000}
listeners:
- name: front
  address: 127.0.0.1:9000
  protocol: {name: Pretend, options: {dialect: 7}}
  max_frame: 64KiB
  idle_timeout: none
  max_connections: 10
  max_in_flight: 20
  buffer: 32KiB
  max_buffer: 1MiB
  routes:
  - name: by cmd
    match: {cmd: 0100, TRACE: on}
    clusters: [{cluster: v1, weight: 90}, {cluster: v2}]
    timeout: 1m30s
    request: {set: {cmd: 7}}
    sticky: [{property: trace}, client_address]
  - match:
    - {property: cmd, range: {start: -1, end: 9}, invert: true}
    - {property: trace, regex: "a|b"}
    - {property: operation, present: true}
    cluster: v2
    subset: {zone: a, version: 2}
    hash: {property: operation}
    timeout: 0
clusters:
  v1: ["[::1]:9001"]
  v2:
    endpoints:
    - {address: localhost:9002, weight: 5, priority: 1, labels: {zone: a, version: 2}}
    - {address: localhost:9003, priority: 0}
    - 127.0.0.1:9004
    - {srv: _fake._tcp.example, priority: 2, labels: {zone: b}}
    balance: {policy: maglev, table_size: 251}
    hash: {property: cmd}
    panic_threshold: 0
    subset_fallback: any
    health_check: {type: tcp, port: 9, interval: 2s, healthy_after: 1}
    outlier_detection: {consecutive_failures: 0, statuses: [internal], ejection_time: 10m}
    circuit_breakers: {max_requests: 9, max_retries: 0, operations: {echo: 2}}
    adaptive_concurrency: {min: 8, interval: 1s}
    upstream_mode: exclusive
    connections: 3
    max_connections: 4
    connect_timeout: 250ms
    idle_timeout: none
    keepalive: {interval: 30s}
"#;

#[test]
fn a_short_file_has_the_defaults_of_the_model() {
    let config = parse(SHORT);
    assert_eq!((config.workers, config.drain_timeout, config.admin), (None, None, None));
    let [listener] = config.snapshot.listeners.as_slice() else { panic!("one listener") };
    assert_eq!(listener.name, "fake");
    assert_eq!(listener.limits.max_frame, 4 << 20);
    let cluster = &config.snapshot.clusters["v1"];
    assert_eq!(cluster.endpoints.len(), 2);
    assert_eq!((cluster.balance, cluster.sharing), (Balance::RoundRobin, None));
    assert_eq!((cluster.keepalive, cluster.health_check), (Keepalive::IfPossible, None));
}

#[test]
fn a_health_check_by_ping_has_the_defaults_of_the_model() {
    let file = "listeners: [{address: '127.0.0.1:0', protocol: fake, upstream: \
                {endpoints: ['127.0.0.1:1'], health_check: {type: ping}}}]";
    let config = parse(file);
    let check = config.snapshot.clusters.values().next().unwrap().health_check.unwrap();
    assert_eq!(check, HealthCheck::new(Check::Ping));
    assert_eq!((check.interval, check.timeout), (Duration::from_secs(5), Duration::from_secs(1)));
    assert_eq!((check.healthy_after, check.unhealthy_after), (2, 3));
}

#[test]
fn bounds_of_the_process_that_let_nothing_through_are_mistakes() {
    let faults = [
        ("{max_memory: 0}", "overload.max_memory: must be at least 1"),
        ("{max_connections: 0}", "overload.max_connections: must be at least 1"),
        ("{max_memory: much}", "overload.max_memory: \"much\" is not a size"),
        ("{memory: 1}", "overload.memory: unknown key \"memory\""),
    ];
    for (overload, expected) in faults {
        let error = refused(&format!("overload: {overload}\n{SHORT}"));
        assert!(error.contains(expected), "{error}");
    }
    assert_eq!(parse(&format!("overload: {{}}\n{SHORT}")).snapshot.overload.max_memory, None);
}

#[test]
fn a_full_file_reaches_the_model() {
    let config = parse(FULL);
    assert_eq!(config.workers, Some(2));
    assert_eq!(config.drain_timeout, Some(Duration::from_secs(5)));
    assert_eq!(config.admin, Some("127.0.0.1:9901".parse().unwrap()));
    let overload = config.snapshot.overload;
    assert_eq!((overload.max_memory, overload.max_connections), (Some(1 << 30), Some(50_000)));
    let listener = &config.snapshot.listeners[0];
    assert_eq!(listener.name, "front");
    assert!(format!("{:?}", listener.protocol).contains("dialect: \"7\""));
    assert_eq!((listener.limits.max_frame, listener.idle_timeout), (64 << 10, None));
    assert_eq!((listener.max_connections, listener.max_in_flight), (10, 20));
    assert_eq!((listener.buffer, listener.max_buffer), (32 << 10, 1 << 20));
    let [by_cmd, rest] = listener.routes.as_slice() else { panic!("two routes") };
    assert_eq!((by_cmd.name.as_str(), rest.name.as_str()), ("by cmd", "v2"));
    assert_eq!((by_cmd.timeout, rest.timeout), (Some(Duration::from_secs(90)), None));
    assert_eq!((by_cmd.clusters[0].weight, by_cmd.clusters[1].weight), (90, 1));
    assert_eq!(by_cmd.request, Mutation::new().set("cmd", "7"));
    // Values count as they are written, whatever YAML makes of them.
    let exact = |i: usize| format!("{:?}", by_cmd.matchers[i].predicate);
    assert_eq!((exact(0), exact(1)), (r#"Exact("0100")"#.into(), r#"Exact("on")"#.into()));
    assert!(matches!(rest.matchers[0].predicate, Predicate::Range { start: -1, end: 9 }));
    assert!(rest.matchers[0].invert && !rest.matchers[1].invert);
    let property = |name: &str| HashKey::Property(name.into());
    let labels: Labels =
        [("zone", "a"), ("version", "2")].map(|(n, v)| (n.into(), v.into())).into();
    assert_eq!(rest.hash, [property("operation")]);
    assert_eq!(by_cmd.sticky, [property("trace"), HashKey::ClientAddress]);
    assert_eq!((&rest.clusters[0].subset, &by_cmd.clusters[0].subset), (&labels, &Labels::new()));
}

#[test]
fn a_full_cluster_reaches_the_model() {
    let config = parse(FULL);
    let cluster = &config.snapshot.clusters["v2"];
    assert_eq!(cluster.endpoints, [Endpoint::new("127.0.0.1:9004".parse().unwrap())]);
    let [first, second, service] = cluster.names.as_slice() else { panic!("three names") };
    assert_eq!(first.target, Target::Host { host: "localhost".into(), port: 9002 });
    assert_eq!(first.weight, 5);
    let labels: Labels =
        [("zone", "a"), ("version", "2")].map(|(n, v)| (n.into(), v.into())).into();
    assert_eq!((first.priority, &first.labels), (1, &labels));
    assert_eq!((second.weight, second.priority), (1, 0));
    assert_eq!(service.target, Target::Service("_fake._tcp.example".into()));
    assert_eq!((service.priority, service.labels["zone"].as_str()), (2, "b"));
    let dns = &config.snapshot.dns;
    assert_eq!(dns.servers.len(), 2);
    assert_eq!(dns.refresh, Duration::from_secs(10));
    assert_eq!(cluster.balance, Balance::Maglev { table_size: 251 });
    assert_eq!(cluster.sharing, Some(Sharing::Exclusive));
    assert_eq!((cluster.panic_threshold, cluster.subset_fallback), (0, SubsetFallback::Any));
    let check = HealthCheck {
        interval: Duration::from_secs(2),
        healthy_after: 1,
        ..HealthCheck::new(Check::Tcp { port: Some(9) })
    };
    assert_eq!(cluster.health_check, Some(check));
    let outliers = cluster.outlier_detection.as_ref().unwrap();
    assert_eq!((outliers.consecutive_failures, outliers.consecutive_local), (None, Some(5)));
    assert_eq!(outliers.classes, [StatusClass::Internal]);
    assert_eq!(outliers.max_ejection_time, Duration::from_secs(600));
    let breakers = &cluster.circuit_breakers;
    assert_eq!((breakers.max_requests, breakers.max_retries), (Some(9), Some(0)));
    assert_eq!((breakers.max_pending, breakers.operations["echo"]), (None, 2));
    let adaptive = AdaptiveConcurrency {
        min: 8,
        interval: Duration::from_secs(1),
        ..AdaptiveConcurrency::default()
    };
    assert_eq!(cluster.adaptive_concurrency, Some(adaptive));
    let property = |name: &str| HashKey::Property(name.into());
    assert_eq!(cluster.hash, [property("cmd")]);
    assert_eq!((cluster.connections, cluster.max_connections), (3, 4));
    assert_eq!((cluster.connect_timeout.as_millis(), cluster.idle_timeout), (250, None));
    let interval = Duration::from_secs(30);
    let times = KeepaliveTimes { interval, ..KeepaliveTimes::default() };
    assert_eq!(cluster.keepalive, Keepalive::On(times));
}

#[test]
fn an_upstream_in_a_listener_is_a_cluster_of_the_listeners_name() {
    let config = parse(
        "listeners:\n\
         - {address: 127.0.0.1:1, protocol: fake, upstream: [127.0.0.1:9]}\n\
         - {address: 127.0.0.1:2, protocol: fake, upstream: {endpoints: [127.0.0.1:9], connections: 2}}\n",
    );
    assert_eq!(config.snapshot.clusters.keys().collect::<Vec<_>>(), ["fake", "fake-2"]);
    assert_eq!(config.snapshot.clusters["fake-2"].connections, 2);
    assert_eq!(config.snapshot.listeners[1].name, "fake-2");
    assert_eq!(config.snapshot.listeners[1].routes[0].clusters[0].cluster, "fake-2");
}

#[test]
fn balance_is_a_word_or_a_map_with_options() {
    let file = |keys: &str| listener(&format!("upstream: {{endpoints: [127.0.0.1:9], {keys}}}"));
    let seconds = Duration::from_secs;
    for (keys, balance) in [
        ("balance: round_robin", Balance::RoundRobin),
        ("balance: random", Balance::Random),
        ("balance: {policy: least_request}", Balance::LeastRequest),
        ("balance: peak_ewma", Balance::PeakEwma { decay: seconds(10) }),
        ("balance: {policy: peak_ewma, decay: 3s}", Balance::PeakEwma { decay: seconds(3) }),
        ("balance: ring_hash, hash: client_address", Balance::RingHash { ring_size: 1024 }),
        (
            "balance: {policy: ring_hash, ring_size: 5}, hash: [{property: cmd}, client_address]",
            Balance::RingHash { ring_size: 5 },
        ),
        ("balance: maglev, hash: {property: operation}", Balance::Maglev { table_size: 65_537 }),
    ] {
        let config = parse(&file(keys));
        assert_eq!(config.snapshot.clusters["fake"].balance, balance, "{keys}");
        assert_round_trip(&config);
    }
    let slow_start = |text| parse(&file(text)).snapshot.clusters["fake"].slow_start;
    assert_eq!(slow_start("slow_start: 30s"), Some(seconds(30)));
    assert_eq!(slow_start("slow_start: none"), None);
}

#[test]
fn keepalive_is_off_or_a_map_of_times() {
    let file = |keepalive: &str| {
        listener(&format!("upstream: {{endpoints: [127.0.0.1:9], keepalive: {keepalive}}}"))
    };
    let keepalive = |text| parse(&file(text)).snapshot.clusters["fake"].keepalive;
    assert_eq!(keepalive("off"), Keepalive::Off);
    assert_eq!(keepalive("{}"), Keepalive::On(KeepaliveTimes::default()));
    let times = KeepaliveTimes {
        interval: Duration::from_millis(1500),
        timeout: Duration::from_millis(250),
    };
    assert_eq!(keepalive("{interval: 1500ms, timeout: 250ms}"), Keepalive::On(times));
    for text in ["off", "{}", "{timeout: 1s}"] {
        assert_round_trip(&parse(&file(text)));
    }
    // A protocol without pings has no keepalive, and needs not say so.
    let lines = |text: &str| file(text).replace("fake", "lines");
    parse(&lines("off"));
    parse(&listener("upstream: [127.0.0.1:9]").replace("fake", "lines"));
    assert_eq!(
        refused(&lines("{interval: 30s}")),
        "line 2, column 94: listeners[0].upstream.keepalive: lines has no pings; leave it out"
    );
}

#[test]
fn retries_and_hedges_are_the_routes() {
    let file = route(
        "{cluster: v1, hedge: {after: 80ms}, retry: {on: [connect_failure, status_timeout, -3, 80], attempts: 4, per_try_timeout: 1s, backoff: 2s}}",
    );
    let config = parse(&file);
    let route = &config.snapshot.listeners[0].routes[0];
    let on = [
        RetryOn::ConnectFailure,
        RetryOn::Class(StatusClass::Timeout),
        RetryOn::Code(-3),
        RetryOn::Code(80),
    ];
    let mut retry = Retry::on(on);
    (retry.attempts, retry.per_try_timeout) = (4, Some(Duration::from_secs(1)));
    (retry.backoff, retry.max_backoff) = (Duration::from_secs(2), Duration::from_secs(2));
    assert_eq!(route.retry, Some(retry));
    assert_eq!(route.hedge, Some(Hedge { after: Duration::from_millis(80) }));
    assert_round_trip(&config);
}

#[test]
fn changes_remove_first_then_set_then_append_in_the_order_of_the_file() {
    let file = File::parse(
        "listeners:\n\
         - address: 127.0.0.1:1\n  protocol: fake\n  routes:\n  - cluster: c\n    \
         request: {append: {z: 1, a: 2}, set: {y: 3}, remove: [z]}\n",
    );
    let changes = file.unwrap().listeners[0].routes[0].request.clone();
    assert_eq!(changes.append.0, [("z".into(), "1".into()), ("a".into(), "2".into())]);
    let text =
        SHORT.replace("v1\nclusters", "v1\n    request: {set: {cmd: 1}, remove: [cmd]}\nclusters");
    assert_eq!(
        refused(&text),
        "line 6, column 39: listeners[0].routes[0].request.remove[0]: fake can't remove the property \"cmd\""
    );
}

/// The same file, and the same model but for the spans of what it was made of.
fn assert_round_trip(config: &Config) {
    let text = config.to_yaml();
    let again = parse(&text);
    assert_eq!(again.file, config.file, "{text}");
    assert_eq!(format!("{:?}", again.snapshot), format!("{:?}", config.snapshot), "{text}");
    assert_eq!(again.to_yaml(), text);
}

#[test]
fn what_is_printed_reads_as_the_same() {
    assert_round_trip(&parse(SHORT));
    assert_round_trip(&parse(FULL));
    assert_round_trip(&parse(&listener("upstream: [127.0.0.1:9]")));
}

#[test]
fn what_is_printed_leaves_out_what_was_left_out() {
    let expected = SHORT
        .replace("[127.0.0.1:9001, 127.0.0.1:9002]", "\n    - 127.0.0.1:9001\n    - 127.0.0.1:9002")
        .replace("endpoints: \n", "endpoints:\n");
    assert_eq!(parse(SHORT).to_yaml(), expected);
}

#[test]
fn what_the_command_line_has_changed_is_printed() {
    let mut config = parse(SHORT);
    config.workers = Some(3);
    config.admin = Some("127.0.0.1:9901".parse().unwrap());
    assert!(config.to_yaml().starts_with("workers: 3\nadmin:\n  address: 127.0.0.1:9901\n"));
}

#[test]
fn no_text_makes_the_parser_panic() {
    for end in 0..FULL.len() {
        refused(&FULL[..end]);
    }
}

proptest! {
    /// Names and values are free texts: quoting must keep what YAML would take for something else.
    #[test]
    fn any_text_survives_printing(
        name in "\\PC{0,12}",
        value in prop_oneof!["[ -~]{0,12}", "(true|no|null|~|0x1F|1e3|-|\\.inf|<<|=|\\PC{1,8})"],
        cluster in "[ -~é]{1,8}",
        timeout in 0_u64..1_000_000,
        weight in 1_u32..,
    ) {
        let mut file = File::parse(&route("cluster: v1")).unwrap();
        let listener = &mut file.listeners[0];
        listener.name = Some(name.clone());
        let route = &mut listener.routes[0];
        route.matches = schema::Match::Exact(schema::Pairs(vec![("cmd".to_owned(), value.clone())]));
        route.request.set.0.push(("cmd".to_owned(), value.clone()));
        route.timeout = Some(schema::Timeout(Some(Duration::from_millis(timeout.max(1)))));
        route.cluster = None;
        let subset = Labels::from([(value.clone(), name.clone())]);
        let target = |subset: &Labels| schema::Target {
            cluster: cluster.clone(),
            weight: Some(weight),
            subset: subset.clone(),
        };
        route.clusters = vec![target(&subset), target(&Labels::new())];
        route.sticky = Some(schema::HashKeys::One(schema::HashKey::ClientAddress));
        file.clusters.insert(cluster.clone(), schema::Cluster {
            endpoints: vec![schema::Endpoint {
                weight: Some(weight),
                labels: subset,
                ..schema::Endpoint::at("127.0.0.1:1")
            }],
            ..schema::Cluster::default()
        });
        assert_round_trip(&Config::new(file, &protocols()).unwrap());
    }
}
