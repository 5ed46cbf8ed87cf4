//! From the facts of a request to a cluster.

mod index;
mod matcher;
mod split;

use std::rc::Rc;
use std::sync::Arc;

use metaproto_core::{Interest, Metadata};

use self::index::Index;
use self::split::Split;
use crate::model;
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
    split: Split,
}

impl RouteTable {
    /// The table of `routes`; `cluster` finds the clusters that they name.
    pub(crate) fn new(
        routes: &[Arc<model::Route>],
        mut cluster: impl FnMut(&str) -> Option<ClusterKey>,
    ) -> Self {
        let index = Index::new(routes);
        let routes = routes.iter().map(|model| {
            let targets =
                model.clusters.iter().filter_map(|t| Some((cluster(&t.cluster)?, t.weight)));
            Rc::new(Route { model: model.clone(), split: Split::new(targets) })
        });
        RouteTable { routes: routes.collect(), index }
    }

    /// The first route whose conditions all hold.
    pub(crate) fn find(&self, request: &Metadata) -> Option<&Rc<Route>> {
        self.index
            .candidates(request)
            .filter_map(|place| self.routes.get(place))
            .find(|route| route.model.matches(request))
    }

    /// The properties that the routes ask for.
    pub(crate) fn interest(&self) -> Interest {
        let matchers = self.routes.iter().flat_map(|route| &route.model.matchers);
        let mut names: Vec<_> = matchers.map(|m| m.property.to_ascii_lowercase()).collect();
        names.sort_unstable();
        names.dedup();
        Interest::Only(names)
    }
}

impl Route {
    /// The cluster for the next call.
    pub(crate) fn cluster(&self) -> Option<ClusterKey> {
        self.split.next()
    }
}
