//! What is counted, and its names in the metrics.

use crate::counters::{ClusterCounters, ListenerCounters, ProcessCounters};

/// Numbers of one kind, one for each listener or cluster.
pub(super) struct Family<T> {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) help: &'static str,
    pub(super) value: fn(&T) -> u64,
}

const fn counter<T>(name: &'static str, help: &'static str, value: fn(&T) -> u64) -> Family<T> {
    Family { name, kind: "counter", help, value }
}

const fn gauge<T>(name: &'static str, help: &'static str, value: fn(&T) -> u64) -> Family<T> {
    Family { name, kind: "gauge", help, value }
}

/// What is counted for the process.
pub(super) const PROCESS: &[Family<ProcessCounters>] = &[
    gauge(
        "held_bytes",
        "Bytes that buffers and connections take, as max_memory counts them.",
        |c| c.held,
    ),
    gauge("overload_stage", "1 while requests are refused, 2 while connections are, too.", |c| {
        c.overload_stage
    }),
    counter("overloads_total", "Times that requests began to be refused.", |c| c.overloads),
];

/// What is counted by listener.
pub(super) const LISTENER: &[Family<ListenerCounters>] = &[
    counter("downstream_connections_total", "Client connections accepted.", |c| c.connections),
    gauge("downstream_connections_active", "Client connections open now.", |c| {
        c.connections_active
    }),
    counter(
        "downstream_connections_refused_total",
        "Client connections closed at once because of too many, or of an overload.",
        |c| c.connections_refused,
    ),
    counter(
        "downstream_accept_failures_total",
        "Times that no client could be accepted because descriptors or memory had run out.",
        |c| c.accept_failures,
    ),
    counter(
        "downstream_protocol_errors_total",
        "Client connections closed because the client sent what can't be read.",
        |c| c.protocol_errors,
    ),
    counter(
        "downstream_slow_clients_total",
        "Client connections closed because the client did not read its responses.",
        |c| c.slow_clients,
    ),
    counter(
        "downstream_idle_timeouts_total",
        "Client connections closed because nothing happened on them.",
        |c| c.idle_timeouts,
    ),
    counter(
        "downstream_frame_timeouts_total",
        "Client connections closed because the rest of a frame did not come.",
        |c| c.frame_timeouts,
    ),
    counter("downstream_received_bytes_total", "Bytes read from clients.", |c| c.bytes_received),
    counter("downstream_sent_bytes_total", "Bytes written to clients.", |c| c.bytes_sent),
    counter("downstream_pings_total", "Pings of clients that were answered.", |c| c.pings),
    counter(
        "downstream_dropped_total",
        "Messages of clients that are neither requests nor pings.",
        |c| c.dropped,
    ),
    counter(
        "downstream_unread_bodies_total",
        "Requests forwarded although their body could not be read as far as was asked for.",
        |c| c.unread_bodies,
    ),
    counter(
        "downstream_unchanged_responses_total",
        "Responses sent without the changes of their route, for which they have no place.",
        |c| c.unchanged_responses,
    ),
    counter(
        "downstream_overload_closed_total",
        "Client connections closed because of an overload.",
        |c| c.overload_closed,
    ),
    gauge("downstream_buffered_bytes", "Bytes in the buffers of client connections.", |c| {
        c.buffered
    }),
    counter("requests_shed_total", "Requests refused because of an overload.", |c| c.shed),
    counter("requests_started_total", "Requests read.", |c| c.started),
    gauge("requests_active", "Requests read that have not ended.", |c| c.active),
];

/// What is counted by cluster.
pub(super) const CLUSTER: &[Family<ClusterCounters>] = &[
    counter("upstream_connections_total", "Upstream connections made.", |c| c.connections),
    gauge("upstream_connections_active", "Upstream connections open now, or being made.", |c| {
        c.connections_active
    }),
    counter(
        "upstream_connect_failures_total",
        "Upstream connections that could not be made.",
        |c| c.connect_failures,
    ),
    counter(
        "upstream_local_connect_failures_total",
        "Upstream connections that could not be made because descriptors or memory had run out.",
        |c| c.local_connect_failures,
    ),
    counter(
        "upstream_resets_total",
        "Upstream connections that ended with requests in flight.",
        |c| c.resets,
    ),
    counter(
        "upstream_protocol_errors_total",
        "Upstream connections closed because the upstream sent what can't be read.",
        |c| c.protocol_errors,
    ),
    counter("upstream_received_bytes_total", "Bytes read from upstreams.", |c| c.bytes_received),
    counter("upstream_sent_bytes_total", "Bytes written to upstreams.", |c| c.bytes_sent),
    gauge(
        "upstream_buffered_bytes",
        "Bytes in the buffers of upstream connections, and of requests that wait or are kept.",
        |c| c.buffered,
    ),
    counter("upstream_requests_total", "Requests handed to a connection.", |c| c.requests),
    gauge(
        "upstream_requests_active",
        "Requests sent, or waiting for a connection, without a response yet.",
        |c| c.active,
    ),
    counter(
        "upstream_panicked_total",
        "Requests sent while too few endpoints were usable, so that all were used.",
        |c| c.panicked,
    ),
    counter(
        "upstream_spilled_total",
        "Requests sent to endpoints that are not of the first priority.",
        |c| c.spilled,
    ),
    counter(
        "upstream_unkeyed_total",
        "Requests without a key to hash, sent to any endpoint.",
        |c| c.unkeyed,
    ),
    counter(
        "upstream_redispatched_total",
        "Requests moved to another endpoint because the first could not be connected to.",
        |c| c.redispatched,
    ),
    counter("upstream_dns_lookups_total", "Names looked up in the DNS.", |c| c.dns_lookups),
    counter("upstream_dns_failures_total", "Names that could not be looked up in the DNS.", |c| {
        c.dns_failures
    }),
    counter("upstream_health_checks_total", "Health checks that have ended.", |c| c.health_checks),
    counter("upstream_health_check_failures_total", "Health checks that have failed.", |c| {
        c.health_check_failures
    }),
    gauge("upstream_endpoints_healthy", "Endpoints that are checked, and healthy.", |c| {
        c.endpoints_healthy
    }),
    gauge("upstream_endpoints_unhealthy", "Endpoints that are checked, and unhealthy.", |c| {
        c.endpoints_unhealthy
    }),
    counter(
        "upstream_ejections_total",
        "Times that an endpoint was left out because its calls failed.",
        |c| c.ejections,
    ),
    counter(
        "upstream_ejections_refused_total",
        "Times that an endpoint was not left out because too many were.",
        |c| c.ejections_refused,
    ),
    counter("upstream_retries_total", "Requests sent again after a failure.", |c| c.retries),
    counter(
        "upstream_retries_refused_total",
        "Requests not sent again because too many were.",
        |c| c.retries_refused,
    ),
    counter("upstream_mirrored_total", "Copies of requests sent.", |c| c.mirrored),
    counter(
        "upstream_mirror_dropped_total",
        "Copies of requests not sent because too much was under way, or no endpoint was usable.",
        |c| c.mirror_dropped,
    ),
    counter(
        "upstream_mirror_equal_total",
        "Copies answered with a status of the same class as the request.",
        |c| c.mirror_equal,
    ),
    counter(
        "upstream_mirror_different_total",
        "Copies answered with a status of another class than the request.",
        |c| c.mirror_different,
    ),
    counter(
        "upstream_mirror_unanswered_total",
        "Copies not compared because they, or their requests, got no response.",
        |c| c.mirror_unanswered,
    ),
    counter(
        "upstream_refused_connections_total",
        "Requests refused because as many connections were open as may be.",
        |c| c.refused_connections,
    ),
    counter(
        "upstream_refused_pending_total",
        "Requests refused because as many waited for a connection as may.",
        |c| c.refused_pending,
    ),
    counter(
        "upstream_refused_requests_total",
        "Requests refused because as many were in flight as may be.",
        |c| c.refused_requests,
    ),
    counter(
        "upstream_refused_operations_total",
        "Requests refused because as many of their operation were in flight as may be.",
        |c| c.refused_operations,
    ),
    counter(
        "upstream_refused_adaptive_total",
        "Requests refused because answers took too long for so many.",
        |c| c.refused_adaptive,
    ),
    gauge("upstream_requests_pending", "Requests that wait for a connection.", |c| c.pending),
    gauge(
        "upstream_adaptive_limit",
        "Requests that may be in flight, as found by adaptive concurrency; 0 without.",
        |c| c.adaptive_limit,
    ),
    counter("upstream_timeouts_total", "Requests without a response in time.", |c| c.timeouts),
    counter("upstream_pings_total", "Pings of upstreams that were answered.", |c| c.pings),
    counter(
        "upstream_late_responses_total",
        "Responses that came after their request had ended.",
        |c| c.late,
    ),
    counter("upstream_unmatched_responses_total", "Responses that answer no request.", |c| {
        c.unmatched
    }),
    counter(
        "upstream_keepalive_pings_total",
        "Pings sent on upstream connections on which nothing came.",
        |c| c.keepalive_pings,
    ),
    counter(
        "upstream_keepalive_failures_total",
        "Upstream connections closed because nothing came after such a ping.",
        |c| c.keepalive_failures,
    ),
    counter(
        "upstream_unread_bodies_total",
        "Responses forwarded although their body could not be read as far as was asked for.",
        |c| c.unread_bodies,
    ),
];
