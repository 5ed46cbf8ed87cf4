//! Which calls go where.

use std::time::Duration;

use super::{Hedge, Mirror, Retry};
use metaproto_core::Mutation;
use regex::bytes::Regex;

use super::{HashKey, Labels};

/// Sends the calls that match to a cluster.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Route {
    /// The name in metrics and logs.
    pub name: String,
    /// What must hold of a request: all of them. An empty list matches every request.
    pub matchers: Vec<Matcher>,
    /// Where the calls go, in proportion to the weights; at least one has a weight above zero.
    pub clusters: Vec<WeightedCluster>,
    /// What decides between several clusters: calls of equal keys go to the same one. The first key
    /// that a request has counts. Without keys, and for calls that have none, the clusters take
    /// turns.
    pub sticky: Vec<HashKey>,
    /// What clusters that choose by hash are to hash, instead of their own
    /// [`hash`](super::Cluster::hash).
    pub hash: Vec<HashKey>,
    /// How long a call may take, from the arrival of the request to its response; `None` waits for
    /// as long as the connections live. A shorter timeout that the request brings itself counts.
    pub timeout: Option<Duration>,
    /// When calls are tried again; `None` is never, but that a call whose endpoint can't be connected to
    /// is sent to another.
    pub retry: Option<Retry>,
    /// When calls are sent twice; `None` is never.
    pub hedge: Option<Hedge>,
    /// Clusters that get copies of the calls.
    pub mirrors: Vec<Mirror>,
    /// Changes to requests on their way up.
    pub request: Mutation,
    /// Changes to responses on their way back.
    pub response: Mutation,
}

impl Route {
    /// The default of [`timeout`](Route::timeout): 15 seconds.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15);

    /// A route for every request to one cluster.
    pub fn to(cluster: impl Into<String>) -> Self {
        let cluster = cluster.into();
        Route {
            name: cluster.clone(),
            matchers: Vec::new(),
            clusters: vec![WeightedCluster::new(cluster, 1)],
            sticky: Vec::new(),
            hash: Vec::new(),
            timeout: Some(Self::DEFAULT_TIMEOUT),
            retry: None,
            hedge: None,
            mirrors: Vec::new(),
            request: Mutation::new(),
            response: Mutation::new(),
        }
    }

    /// A route for every request to several clusters, in proportion to their weights.
    pub fn split<C: Into<String>>(clusters: impl IntoIterator<Item = (C, u32)>) -> Self {
        let clusters: Vec<_> = clusters
            .into_iter()
            .map(|(cluster, weight)| WeightedCluster::new(cluster, weight))
            .collect();
        let name = clusters.iter().map(|c| c.cluster.as_str()).collect::<Vec<_>>().join("+");
        Route { clusters, ..Route::to(name) }
    }

    /// The same for requests of which this holds, too.
    #[must_use]
    pub fn when(mut self, property: impl Into<String>, predicate: Predicate) -> Self {
        self.matchers.push(Matcher { property: property.into(), predicate, invert: false });
        self
    }

    /// The same with another timeout.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The same with a further cluster that gets copies.
    #[must_use]
    pub fn mirror(mut self, mirror: Mirror) -> Self {
        self.mirrors.push(mirror);
        self
    }
}

/// A cluster and its share of a route's calls.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WeightedCluster {
    /// The cluster's name.
    pub cluster: String,
    /// Its share, relative to the sum of all weights. Zero gets no calls.
    pub weight: u32,
    /// Only the endpoints that have all these labels are meant; without labels all are.
    pub subset: Labels,
}

impl WeightedCluster {
    /// This share for all of a cluster.
    pub fn new(cluster: impl Into<String>, weight: u32) -> Self {
        WeightedCluster { cluster: cluster.into(), weight, subset: Labels::new() }
    }

    /// The same for the endpoints that have this label, too.
    #[must_use]
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.subset.insert(name.into(), value.into());
        self
    }
}

/// One condition on one property of a request.
#[derive(Debug, Clone)]
pub struct Matcher {
    /// The property's name; case does not matter. `operation` is the operation name unless the
    /// protocol has a property of that name.
    pub property: String,
    /// What must hold of its value. Without a value none holds.
    pub predicate: Predicate,
    /// Whether the request matches when the predicate does *not* hold.
    pub invert: bool,
}

/// What must hold of a value. Numbers are compared by their decimal text, except in a range.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Predicate {
    /// The value is this text.
    Exact(String),
    /// The value starts with this text.
    Prefix(String),
    /// The value ends with this text.
    Suffix(String),
    /// The value contains this text.
    Contains(String),
    /// The whole value matches this expression, which must be anchored at both ends; see
    /// [`Predicate::regex`].
    Regex(Regex),
    /// The value is a decimal number, at least `start` and less than `end`.
    Range {
        /// The least number in the range.
        start: i64,
        /// The least number above the range.
        end: i64,
    },
    /// There is a value.
    Present,
}

impl Predicate {
    /// A predicate for values that match `expression` as a whole.
    ///
    /// # Errors
    /// What is wrong with the expression, or that it is too large when compiled.
    pub fn regex(expression: &str) -> Result<Self, regex::Error> {
        // Checked alone first, so that the message shows what the user wrote.
        Regex::new(expression)?;
        Ok(Predicate::Regex(Regex::new(&format!("^(?:{expression})$"))?))
    }
}
