//! Endpoints by name: a proxy, and a name server whose answers change.
#![cfg(feature = "awesomerpc")]

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::SRV;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use metaproto_awesomerpc::AwesomeRpc;
use metaproto_proxy::config::{Config, Protocols};
use metaproto_proxy::model::{Cluster, Dns, Endpoint, Snapshot, Target};
use metaproto_proxy::{Handle, Proxy, dns};

/// Longer than anything takes, on a machine with too much to do.
const PATIENCE: Duration = Duration::from_secs(20);

type Zone = HashMap<(String, RecordType), Vec<Record>>;

/// A name server on the loopback.
#[derive(Clone)]
struct Server {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    zone: Zone,
    /// Kinds of records that it fails to answer for.
    broken: Vec<RecordType>,
    asked: Vec<(String, RecordType)>,
}

impl Server {
    fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let address = socket.local_addr().expect("an address");
        let server = Server { address, state: Arc::default() };
        let state = server.state.clone();
        // Ends with the process.
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok((length, client)) = socket.recv_from(&mut buffer) {
                let Ok(query) = Message::from_vec(&buffer[..length]) else { continue };
                let answer = lock(&state).answer(&query).to_vec().expect("an answer");
                socket.send_to(&answer, client).expect("the answer is sent");
            }
        });
        server
    }

    /// Has `name` have just these records of their kind.
    fn set(&self, name: &str, ttl: u32, records: &[RData]) {
        let owner = Name::from_ascii(name).expect("a name");
        let records: Vec<_> = records
            .iter()
            .map(|data| Record::from_rdata(owner.clone(), ttl, data.clone()))
            .collect();
        let kind = records[0].record_type();
        self.state().zone.insert((name.to_owned(), kind), records);
    }

    fn remove(&self, name: &str, kind: RecordType) {
        self.state().zone.remove(&(name.to_owned(), kind));
    }

    fn break_for(&self, kinds: &[RecordType]) {
        self.state().broken = kinds.to_vec();
    }

    fn asked(&self) -> usize {
        self.state().asked.len()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn dns(&self, refresh: Duration) -> Dns {
        let mut dns = Dns::servers([self.address]);
        dns.refresh = refresh;
        dns
    }

    /// A proxy of one cluster, with these endpoints as YAML.
    fn proxy(&self, endpoints: &str, refresh: Duration) -> Proxy {
        let snapshot = self.snapshot(endpoints, refresh);
        Proxy::builder().snapshot(snapshot).workers(1).start().expect("a proxy")
    }

    fn snapshot(&self, endpoints: &str, refresh: Duration) -> Snapshot {
        let text = format!(
            "listeners:\n- address: 127.0.0.1:0\n  protocol: awesomerpc\n  name: l\n  \
             upstream: {endpoints}\n"
        );
        let mut snapshot = parse(&text).snapshot;
        snapshot.dns = self.dns(refresh);
        snapshot
    }
}

impl State {
    fn answer(&mut self, query: &Message) -> Message {
        let question = query.queries.first().expect("a question");
        let (name, kind) = (question.name().to_ascii(), question.query_type());
        let mut answer = Message::response(query.metadata.id, OpCode::Query);
        answer.add_query(question.clone());
        answer.metadata.recursion_desired = true;
        answer.metadata.recursion_available = true;
        let exists = self.zone.keys().any(|(owner, _)| *owner == name);
        match self.zone.get(&(name.clone(), kind)) {
            _ if self.broken.contains(&kind) => {
                answer.metadata.response_code = ResponseCode::ServFail;
            }
            Some(records) => {
                answer.add_answers(records.iter().cloned());
            }
            None if !exists => answer.metadata.response_code = ResponseCode::NXDomain,
            None => {}
        }
        self.asked.push((name, kind));
        answer
    }
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn parse(text: &str) -> Config {
    let protocols = Protocols::new().with(AwesomeRpc::protocol());
    Config::parse(text, &protocols).expect("a good file")
}

fn ip(text: &str) -> RData {
    RData::from(text.parse::<IpAddr>().expect("an IP address"))
}

fn srv(priority: u16, weight: u16, port: u16, target: &str) -> RData {
    RData::SRV(SRV::new(priority, weight, port, Name::from_ascii(target).expect("a name")))
}

fn endpoints(snapshot: &Snapshot) -> Vec<Endpoint> {
    snapshot.clusters["l"].all_endpoints().cloned().collect()
}

fn addresses(snapshot: &Snapshot) -> Vec<String> {
    endpoints(snapshot).iter().map(|endpoint| endpoint.address.to_string()).collect()
}

/// Waits until the endpoints are these.
fn wait_for(handle: &Handle, wanted: &[&str]) {
    let since = Instant::now();
    while addresses(&handle.snapshot()) != wanted {
        assert!(since.elapsed() < PATIENCE, "{:?}", addresses(&handle.snapshot()));
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until the server was asked so many times more.
fn wait_for_questions(server: &Server, more: usize) {
    let (since, before) = (Instant::now(), server.asked());
    while server.asked() < before + more {
        assert!(since.elapsed() < PATIENCE, "{} of {more}", server.asked() - before);
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The look-ups of the cluster, and those that failed.
fn counted(handle: &Handle) -> (u64, u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let counters = runtime.block_on(handle.counters());
    let cluster = &counters.clusters["l"];
    (cluster.dns_lookups, cluster.dns_failures)
}

const OFTEN: Duration = Duration::from_millis(20);
const SELDOM: Duration = Duration::from_secs(3600);

#[test]
fn addresses_are_there_at_the_start_and_move_when_they_have_lived() {
    let server = Server::start();
    server.set("users.example.", 1, &[ip("127.0.0.2"), ip("127.0.0.1")]);
    let started = Instant::now();
    let proxy = server.proxy("['users.example:9001', '127.0.0.1:9']", SELDOM);
    let handle = proxy.handle();
    let first = ["127.0.0.1:9", "127.0.0.1:9001", "127.0.0.2:9001"];
    assert_eq!(addresses(&handle.snapshot()), first);
    server.set("users.example.", 1, &[ip("127.0.0.3")]);
    wait_for(&handle, &["127.0.0.1:9", "127.0.0.3:9001"]);
    assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());
    assert!(counted(&handle).0 >= 2);
}

#[test]
fn an_answer_that_lives_long_is_refreshed_all_the_same() {
    let server = Server::start();
    server.set("users.example.", 86_400, &[ip("127.0.0.1")]);
    let proxy = server.proxy("['users.example:9001']", OFTEN);
    server.set("users.example.", 86_400, &[ip("127.0.0.2")]);
    wait_for(&proxy.handle(), &["127.0.0.2:9001"]);
}

#[test]
fn a_failure_keeps_the_addresses_and_is_counted() {
    let server = Server::start();
    server.set("users.example.", 0, &[ip("127.0.0.1")]);
    let proxy = server.proxy("['users.example:9001']", OFTEN);
    let handle = proxy.handle();
    server.break_for(&[RecordType::A]);
    wait_for_questions(&server, 5);
    assert_eq!(addresses(&handle.snapshot()), ["127.0.0.1:9001"]);
    server.break_for(&[]);
    server.remove("users.example.", RecordType::A);
    wait_for_questions(&server, 5);
    assert_eq!(addresses(&handle.snapshot()), ["127.0.0.1:9001"]);
    assert!(counted(&handle).1 >= 1);
    server.set("users.example.", 0, &[ip("127.0.0.4")]);
    wait_for(&handle, &["127.0.0.4:9001"]);
}

#[test]
fn a_name_that_is_not_there_yet_has_no_endpoints_until_it_is() {
    let server = Server::start();
    let proxy = server.proxy("['users.example:9001']", OFTEN);
    let handle = proxy.handle();
    assert!(addresses(&handle.snapshot()).is_empty());
    server.set("users.example.", 0, &[ip("127.0.0.1")]);
    wait_for(&handle, &["127.0.0.1:9001"]);
}

#[test]
fn ipv6_counts_only_where_there_is_no_ipv4() {
    let server = Server::start();
    server.set("both.example.", 0, &[ip("127.0.0.1")]);
    server.set("both.example.", 0, &[ip("::1")]);
    server.set("six.example.", 0, &[ip("::1")]);
    let proxy = server.proxy("['both.example:1', 'six.example:2']", OFTEN);
    let handle = proxy.handle();
    assert_eq!(addresses(&handle.snapshot()), ["127.0.0.1:1", "[::1]:2"]);
    // Not to know the IPv4 addresses is not to have none.
    server.break_for(&[RecordType::A]);
    wait_for_questions(&server, 10);
    assert_eq!(addresses(&handle.snapshot()), ["127.0.0.1:1", "[::1]:2"]);
}

#[test]
fn services_have_ports_priorities_and_weights() {
    let server = Server::start();
    let service = "_rpc._tcp.users.example.";
    server.set("a.example.", 60, &[ip("127.0.0.1")]);
    server.set("b.example.", 60, &[ip("127.0.0.2"), ip("127.0.0.3")]);
    server.set("c.example.", 60, &[ip("::1")]);
    server.set(
        service,
        0,
        &[
            srv(20, 0, 1002, "b.example."),
            srv(10, 7, 1001, "a.example."),
            srv(30, 5, 1003, "c.example."),
            srv(30, 5, 1004, "gone.example."),
        ],
    );
    let upstream = "[{srv: _rpc._tcp.users.example, priority: 1, labels: {zone: x}}]";
    let proxy = server.proxy(upstream, OFTEN);
    let handle = proxy.handle();
    let endpoint = |address: &str, weight, priority| {
        let address = address.parse().expect("an address");
        Endpoint::new(address).weight(weight).priority(priority).label("zone", "x")
    };
    let expected = [
        endpoint("127.0.0.1:1001", 7, 1),
        endpoint("127.0.0.2:1002", 1, 2),
        endpoint("127.0.0.3:1002", 1, 2),
        endpoint("[::1]:1003", 5, 3),
    ];
    assert_eq!(endpoints(&handle.snapshot()), expected);
    // A server that can't be looked up leaves all as it is; one that is gone goes.
    server.break_for(&[RecordType::A, RecordType::AAAA]);
    wait_for_questions(&server, 10);
    assert_eq!(endpoints(&handle.snapshot()), expected);
    server.set(service, 0, &[srv(30, 5, 1003, "c.example.")]);
    server.break_for(&[]);
    wait_for(&handle, &["[::1]:1003"]);
    assert_eq!(endpoints(&handle.snapshot()), [endpoint("[::1]:1003", 5, 1)]);
}

#[test]
fn a_new_configuration_has_its_names_looked_up_and_drops_the_others() {
    let server = Server::start();
    server.set("old.example.", 0, &[ip("127.0.0.1")]);
    server.set("new.example.", 0, &[ip("127.0.0.2")]);
    let proxy = server.proxy("['127.0.0.1:9']", OFTEN);
    let handle = proxy.handle();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    for (name, address) in [("old.example", "127.0.0.1:7"), ("new.example", "127.0.0.2:7")] {
        let snapshot = server.snapshot(&format!("['{name}:7']"), OFTEN);
        runtime.block_on(handle.apply(snapshot)).expect("it is applied");
        assert_eq!(addresses(&handle.snapshot()), [address]);
    }
    // What was asked before may still be under way.
    wait_for_questions(&server, 3);
    let asked = server.asked();
    wait_for_questions(&server, 5);
    let since = server.state().asked.split_off(asked);
    assert!(since.iter().all(|(name, _)| name == "new.example."), "{since:?}");
}

#[test]
fn other_name_servers_are_asked_from_the_next_configuration_on() {
    let (old, new) = (Server::start(), Server::start());
    old.set("users.example.", 3600, &[ip("127.0.0.1")]);
    new.set("users.example.", 3600, &[ip("127.0.0.2")]);
    let proxy = old.proxy("['users.example:7']", SELDOM);
    let handle = proxy.handle();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let snapshot = new.snapshot("['users.example:7']", SELDOM);
    runtime.block_on(handle.apply(snapshot)).expect("it is applied");
    wait_for(&handle, &["127.0.0.2:7"]);
}

#[test]
fn clusters_without_a_name_that_moved_stay_as_they_are() {
    let server = Server::start();
    server.set("users.example.", 0, &[ip("127.0.0.1")]);
    let mut snapshot = server.snapshot("['users.example:7']", OFTEN);
    snapshot = snapshot.cluster(Cluster::new("other", []));
    let proxy = Proxy::builder().snapshot(snapshot).workers(1).start().expect("a proxy");
    let handle = proxy.handle();
    let before = handle.snapshot();
    server.set("users.example.", 0, &[ip("127.0.0.2")]);
    wait_for(&handle, &["127.0.0.2:7"]);
    let after = handle.snapshot();
    assert!(Arc::ptr_eq(&before.clusters["other"], &after.clusters["other"]));
    assert!(Arc::ptr_eq(&before.listeners[0], &after.listeners[0]));
}

#[test]
fn a_configuration_is_checked_with_its_names() {
    let server = Server::start();
    server.set("users.example.", 0, &[ip("127.0.0.1")]);
    let text = format!(
        "dns: {{servers: ['{}'], refresh: 1s}}\nlisteners:\n- address: 127.0.0.1:0\n  \
         protocol: awesomerpc\n  upstream:\n  - users.example:9001\n  - {{srv: _rpc._tcp.example}}\n",
        server.address
    );
    let config = parse(&text);
    let found = dns::look_up(config.snapshot.clone()).expect("a thread");
    let error = config.check_names(&found.failures).expect_err("no such service").to_string();
    assert_eq!(
        error,
        "line 7, column 11: listeners[0].upstream.endpoints[1].srv: can't look up \
         \"_rpc._tcp.example\": the DNS has no address for it"
    );
    let failed: Vec<_> = found.failures.into_keys().collect();
    assert_eq!(failed, [Target::Service("_rpc._tcp.example".to_owned())]);
    let endpoints = found.snapshot.clusters["awesomerpc"].all_endpoints();
    assert_eq!(endpoints.count(), 1);
}
