//! A cluster as a worker runs it: its endpoints, and the choice among them.

mod balance;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use metaproto_core::{Correlation, Protocol, Sharing};

pub(crate) use self::balance::pick;
use crate::counters::ClusterCounters;
use crate::model;
use crate::worker::EndpointKey;

/// A cluster as one protocol uses it.
pub(crate) struct Cluster {
    pub(crate) model: Arc<model::Cluster>,
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
    /// Where the round robin goes on.
    next: usize,
}

impl Cluster {
    /// A cluster without endpoints, for the calls of `listener`.
    pub(crate) fn new(model: Arc<model::Cluster>, listener: &model::Listener) -> Self {
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
            protocol,
            correlation: if by_order { Correlation::Order } else { capabilities.correlation },
            translates: capabilities.translates,
            streaming: capabilities.streaming,
            max_frame: listener.limits.max_frame,
            buffer: listener.buffer,
            endpoints: Vec::new(),
            counters: ClusterCounters::default(),
            retries: Rc::default(),
            next: 0,
        }
    }

    /// Takes on another configuration; endpoints and counters stay.
    pub(crate) fn update(&mut self, model: Arc<model::Cluster>, listener: &model::Listener) {
        let fresh = Cluster::new(model, listener);
        let endpoints = std::mem::take(&mut self.endpoints);
        let counters = std::mem::take(&mut self.counters);
        let retries = self.retries.clone();
        *self = Cluster { endpoints, counters, retries, ..fresh };
    }
}
