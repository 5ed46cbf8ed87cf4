//! A cluster as a worker runs it: its endpoints, and the choice among them.

mod adaptive;
mod balance;
mod circuit;
mod limits;
mod outlier;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use metaproto_core::{Correlation, Protocol, Sharing};
use slotmap::SlotMap;
use tokio::time::Instant;

use self::balance::Balancer;
pub(crate) use self::balance::{Changed, Latency, answered, pick, unanswered};
pub(crate) use self::circuit::{Slot, Usages};
use self::limits::Limits;
pub(crate) use self::outlier::{Record, Seen, observe};
use crate::counters::ClusterCounters;
use crate::model::{self, Labels, SubsetFallback};
use crate::upstream::Endpoint;
use crate::worker::EndpointKey;

/// What a cluster gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Traffic {
    /// Calls, which somebody waits for.
    Calls,
    /// Copies of calls. They have connections of their own, so that no call ever waits behind them.
    Copies,
}

/// A cluster, or a subset of one, as one protocol uses it.
pub(crate) struct Cluster {
    pub(crate) model: Arc<model::Cluster>,
    /// What all its endpoints have; nothing for the whole of the cluster.
    pub(crate) subset: Labels,
    pub(crate) traffic: Traffic,
    pub(crate) protocol: Arc<dyn Protocol>,
    /// How responses find their requests.
    pub(crate) correlation: Correlation,
    /// Whether codecs write messages anew for the connection that they leave on.
    pub(crate) translates: bool,
    /// Whether the protocol has streams.
    pub(crate) streaming: bool,
    /// How connections are used.
    pub(crate) sharing: Sharing,
    /// When silent connections are pinged, if they are.
    pub(crate) keepalive: Option<model::KeepaliveTimes>,
    /// The largest frame of an upstream in bytes.
    pub(crate) max_frame: usize,
    /// The bytes waiting for one upstream connection above which its clients are not read.
    pub(crate) buffer: usize,
    pub(crate) endpoints: Vec<EndpointKey>,
    pub(crate) counters: ClusterCounters,
    /// How many of its calls are further attempts.
    pub(crate) retries: Rc<Cell<usize>>,
    /// The bytes of messages that are kept in case they are sent again.
    pub(crate) kept: Rc<Cell<usize>>,
    /// Set by an endpoint that has become usable, or ceased to be.
    pub(crate) changed: Changed,
    balancer: Balancer,
    /// What it refuses, if it has limits.
    limits: Option<Box<Limits>>,
}

impl Cluster {
    /// A cluster without endpoints, for the calls of `listener` to `subset`, or the copies of them.
    pub(crate) fn new(
        model: Arc<model::Cluster>,
        subset: Labels,
        traffic: Traffic,
        listener: &model::Listener,
    ) -> Self {
        // A protocol that refuses the options was refused with the configuration.
        let protocol = model.protocol(&listener.protocol);
        let protocol = protocol.unwrap_or_else(|_| listener.protocol.clone());
        let capabilities = protocol.capabilities();
        let sharing = model.sharing.unwrap_or(capabilities.sharing);
        let by_order = capabilities.in_order && sharing == Sharing::Exclusive;
        Cluster {
            sharing,
            keepalive: model.keepalive.times(capabilities.ping),
            model,
            subset,
            traffic,
            protocol,
            correlation: if by_order { Correlation::Order } else { capabilities.correlation },
            translates: capabilities.translates,
            streaming: capabilities.streaming,
            max_frame: listener.limits.max_frame,
            buffer: listener.buffer,
            endpoints: Vec::new(),
            counters: ClusterCounters::default(),
            retries: Rc::default(),
            kept: Rc::default(),
            changed: Changed::default(),
            balancer: Balancer::default(),
            limits: None,
        }
    }

    /// Whether it has taken on just this configuration.
    pub(crate) fn is_up_to_date(
        &self,
        model: &Arc<model::Cluster>,
        listener: &model::Listener,
    ) -> bool {
        let same_listener =
            self.max_frame == listener.limits.max_frame && self.buffer == listener.buffer;
        Arc::ptr_eq(&self.model, model) && same_listener
    }

    /// Takes on another configuration; endpoints and counters stay.
    pub(crate) fn update(&mut self, model: Arc<model::Cluster>, listener: &model::Listener) {
        let subset = std::mem::take(&mut self.subset);
        let fresh = Cluster::new(model, subset, self.traffic, listener);
        let endpoints = std::mem::take(&mut self.endpoints);
        let counters = std::mem::take(&mut self.counters);
        let (retries, kept) = (self.retries.clone(), self.kept.clone());
        let limits = self.limits.take();
        let (changed, balancer) = (self.changed.clone(), std::mem::take(&mut self.balancer));
        *self = Cluster { endpoints, counters, retries, kept, changed, balancer, limits, ..fresh };
    }

    /// The endpoints that it should have: those of its subset, or, if there are none and its
    /// configuration says so, all.
    pub(crate) fn wanted(&self) -> Vec<model::Endpoint> {
        let all = || self.model.all_endpoints();
        let subset: Vec<_> = all().filter(|e| e.has(&self.subset)).cloned().collect();
        match self.model.subset_fallback {
            SubsetFallback::Any if subset.is_empty() => all().cloned().collect(),
            _ => subset,
        }
    }

    /// Why no endpoint can be chosen.
    pub(crate) fn why_no_endpoint(&self) -> String {
        let name = &self.model.name;
        let labels: Vec<_> =
            self.subset.iter().map(|(name, value)| format!("{name}={value}")).collect();
        match (self.endpoints.is_empty(), labels.as_slice()) {
            (true, []) => format!("cluster {name} has no endpoints"),
            (true, labels) => format!("cluster {name} has no endpoints with {}", labels.join(", ")),
            (false, _) => format!("no endpoint of cluster {name} is usable"),
        }
    }

    /// Takes on the endpoints `wanted`, which are among `all`.
    pub(crate) fn set_endpoints(
        &mut self,
        wanted: &[(EndpointKey, model::Endpoint)],
        all: &mut SlotMap<EndpointKey, Endpoint>,
        now: Instant,
    ) {
        self.endpoints = wanted.iter().map(|(key, _)| *key).collect();
        let wanted = wanted.iter().map(|(key, endpoint)| (*key, endpoint));
        let before = std::mem::take(&mut self.balancer);
        self.balancer = Balancer::new(before, &self.model, wanted, self.changed.clone());
        // So that endpoints are known to be usable from now on, whenever the next call comes.
        self.balancer.refresh(all, now);
    }
}
