//! From the facts of a request to a cluster.

mod index;
mod key;
mod lookups;
mod matcher;
mod mirror;
mod split;

use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use metaproto_core::{Interest, Metadata};

use self::index::Index;
use self::lookups::{Lookups, Numbers};
pub(crate) use self::mirror::{Copied, Mirror};
use self::split::Split;
use crate::cluster::Traffic;
use crate::hash::Purpose;
use crate::model::{self, HashKey, Labels};
use crate::worker::ClusterKey;

/// The routes of a listener, ready to be matched.
#[derive(Debug, Default)]
pub(crate) struct RouteTable {
    routes: Vec<Rc<Route>>,
    index: Index,
}

/// A route, with the clusters that it leads to.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) model: Arc<model::Route>,
    /// The numbers of the properties that its conditions ask for, in the order of these.
    asks: Vec<usize>,
    split: Split<Target>,
    /// Those that get copies; mostly none.
    pub(crate) mirrors: Vec<Mirror>,
}

/// A cluster of a route.
#[derive(Debug, PartialEq)]
struct Target {
    key: ClusterKey,
    /// What is hashed for the choice of an endpoint; nothing where the choice is not by hash.
    hash: Vec<HashKey>,
}

/// Where a call goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Destination {
    pub(crate) cluster: ClusterKey,
    /// The hash of the call's key, where the cluster asks for one and the call has it.
    pub(crate) hash: Option<u64>,
}

impl RouteTable {
    /// The table of `routes`, in place of `before`; `cluster` finds the clusters that they name.
    pub(crate) fn new(
        routes: &[Arc<model::Route>],
        before: &RouteTable,
        cluster: impl Fn(&str, &Labels, Traffic) -> Option<(ClusterKey, Arc<model::Cluster>)>,
    ) -> Self {
        let index = Index::new(routes);
        let target = |route: &model::Route, name: &str, subset: &Labels, traffic: Traffic| {
            let (key, cluster) = cluster(name, subset, traffic)?;
            let own = if route.hash.is_empty() { &cluster.hash } else { &route.hash };
            let hash = if cluster.balance.is_by_hash() { own.clone() } else { Vec::new() };
            Some(Target { key, hash })
        };
        let counts =
            |route: &&Rc<Route>| route.model.clusters.len() > 1 || !route.model.mirrors.is_empty();
        let counting: HashMap<_, _> = before
            .routes
            .iter()
            .filter(counts)
            .map(|route| (route.model.name.as_str(), route))
            .collect();
        let mut numbers = Numbers::default();
        let routes = routes.iter().map(|model| {
            let asks = model.matchers.iter().map(|matcher| numbers.of(&matcher.property)).collect();
            let targets = model.clusters.iter().filter_map(|t| {
                Some((target(model, &t.cluster, &t.subset, Traffic::Calls)?, t.weight))
            });
            let mirrors = model.mirrors.iter().filter_map(|m| {
                Some(Mirror::new(m, target(model, &m.cluster, &m.subset, Traffic::Copies)?))
            });
            let (split, mirrors) = (Split::new(targets), mirrors.collect());
            let route = Route { model: model.clone(), asks, split, mirrors };
            if let Some(before) = counting.get(model.name.as_str()) {
                route.resume(before);
            }
            Rc::new(route)
        });
        RouteTable { routes: routes.collect(), index }
    }

    /// The first route whose conditions all hold.
    pub(crate) fn find(&self, request: &Metadata) -> Option<&Rc<Route>> {
        let mut lookups = Lookups::new(request);
        self.index
            .candidates(request)
            .filter_map(|place| self.routes.get(place))
            .find(|route| route.matches(&mut lookups))
    }

    /// The properties that the routes ask for.
    pub(crate) fn interest(&self) -> Interest {
        let matchers = self.routes.iter().flat_map(|route| &route.model.matchers);
        let hashed = self.routes.iter().flat_map(|route| route.hash_keys());
        let hashed = hashed.filter_map(|key| match key {
            HashKey::Property(name) => Some(name),
            HashKey::ClientAddress => None,
        });
        let all = matchers.map(|matcher| &matcher.property).chain(hashed);
        let mut names: Vec<_> = all.map(|name| name.to_ascii_lowercase()).collect();
        names.sort_unstable();
        names.dedup();
        Interest::Only(names)
    }
}

impl Route {
    /// Whether all its conditions hold.
    fn matches(&self, request: &mut Lookups<'_>) -> bool {
        let mut conditions = self.model.matchers.iter().zip(&self.asks);
        conditions
            .all(|(matcher, number)| matcher.holds_of(request.value(*number, &matcher.property)))
    }

    /// Where a request goes that comes from a client of this address.
    #[inline]
    pub(crate) fn destination(&self, request: &Metadata, client: IpAddr) -> Option<Destination> {
        let sticky = key::hash(&self.model.sticky, request, client, Purpose::Split);
        let target = self.split.next(sticky)?;
        let hash = key::hash(&target.hash, request, client, Purpose::Endpoint);
        Some(Destination { cluster: target.key, hash })
    }

    /// The copies that are to be made of a request that comes from a client of this address.
    pub(crate) fn copies(&self, request: &Metadata, client: IpAddr) -> Vec<Copied> {
        let takers = self.mirrors.iter().enumerate().filter(|(_, mirror)| mirror.takes_next());
        let copied = |(place, mirror): (usize, &Mirror)| {
            let hash = key::hash(&mirror.target.hash, request, client, Purpose::Endpoint);
            Copied { place, to: Destination { cluster: mirror.target.key, hash } }
        };
        takers.map(copied).collect()
    }

    /// Goes on where `before` is, as far as nothing has changed.
    fn resume(&self, before: &Route) {
        self.split.resume(&before.split);
        self.mirrors.iter().zip(&before.mirrors).for_each(|(now, before)| now.resume(before));
    }

    /// Everything that is hashed of its requests.
    fn hash_keys(&self) -> impl Iterator<Item = &HashKey> {
        let targets = self.split.targets().chain(self.mirrors.iter().map(|mirror| &mirror.target));
        self.model.sticky.iter().chain(targets.flat_map(|target| &target.hash))
    }
}
