//! From the shape of the file to the model of the engine.

use std::collections::BTreeSet;
use std::sync::Arc;

use metaproto_core::{Change, Limits, Mutation};

use super::protocols::Protocols;
use super::schema::{self, Match, Period, Size, Timeout};
use super::{Error, NamePlace, dns};
use crate::model::{
    Cluster, Endpoint, HashKey, Invalid, Labels, Listener, Matcher, Predicate, Route, Snapshot,
    WeightedCluster,
};

type Result<T> = std::result::Result<T, Invalid>;

/// A snapshot, and where the file has the names in it.
type Converted = (Snapshot, Vec<NamePlace>);

/// Makes the snapshot that `file` describes, and checks it; and the names that are in it, with their
/// places in the file. Looks the host names of listeners up.
///
/// # Errors
/// The first fault. Its path is the one that the file has, whichever form it uses.
pub(super) fn snapshot(file: &schema::File, protocols: &Protocols) -> Result<Converted> {
    if file.listeners.is_empty() {
        return Err(Invalid::new("listeners", "there must be at least one"));
    }
    let mut conversion = Conversion {
        protocols,
        snapshot: Snapshot::new(),
        spellings: Vec::new(),
        names: Vec::new(),
    };
    if let Some(dns) = &file.dns {
        conversion.snapshot.dns = dns.model()?;
    }
    conversion.snapshot.overload = file.overload.unwrap_or_default().into();
    for (name, cluster) in &file.clusters {
        let cluster = conversion.cluster(name, cluster, &format!("clusters.{name}"))?;
        conversion.snapshot = conversion.snapshot.cluster(cluster);
    }
    let names = listener_names(file);
    for (i, (listener, name)) in file.listeners.iter().zip(names).enumerate() {
        let listener = conversion.listener(listener, name, &format!("listeners[{i}]"))?;
        conversion.snapshot = conversion.snapshot.listener(listener);
    }
    let Conversion { snapshot, spellings, names, .. } = conversion;
    match snapshot.validate() {
        Ok(()) => Ok((snapshot, names)),
        Err(invalid) => Err(Invalid::new(spelling(&spellings, invalid.path), invalid.reason)),
    }
}

struct Conversion<'a> {
    protocols: &'a Protocols,
    snapshot: Snapshot,
    /// Where the file's short forms differ from the model: the model's path, and the file's.
    spellings: Vec<(String, String)>,
    /// The names of endpoints, and where the file has them.
    names: Vec<NamePlace>,
}

/// The path in the file for a path in the model.
fn spelling(spellings: &[(String, String)], path: String) -> String {
    let below = |prefix: &str| {
        let rest = path.strip_prefix(prefix)?;
        (rest.is_empty() || rest.starts_with(['.', '['])).then_some(rest)
    };
    let found = spellings.iter().find_map(|(model, file)| Some(format!("{file}{}", below(model)?)));
    found.unwrap_or(path)
}

impl Conversion<'_> {
    fn listener(&mut self, file: &schema::Listener, name: String, path: &str) -> Result<Listener> {
        let protocol = self.protocol(&file.protocol, &format!("{path}.protocol"))?;
        let address = dns::address(&file.address, &format!("{path}.address"))?;
        let mut listener = Listener::new(name, address, protocol);
        if let Some(Size(bytes)) = file.max_frame {
            listener.limits = Limits::max_frame(bytes);
        }
        if let Some(Timeout(timeout)) = file.idle_timeout {
            listener.idle_timeout = timeout;
        }
        if let Some(Timeout(timeout)) = file.frame_timeout {
            listener.frame_timeout = timeout;
        }
        if let Some(Timeout(age)) = file.max_connection_age {
            listener.max_connection_age = age;
        }
        overwrite(&mut listener.max_connections, file.max_connections);
        overwrite(&mut listener.max_in_flight, file.max_in_flight);
        overwrite(&mut listener.buffer, file.buffer.map(|Size(bytes)| bytes));
        overwrite(&mut listener.max_buffer, file.max_buffer.map(|Size(bytes)| bytes));
        match (&file.upstream, file.routes.as_slice()) {
            (Some(cluster), []) => {
                self.upstream(&listener.name, cluster, &format!("{path}.upstream"))?;
                listener.routes.push(Arc::new(Route::to(&listener.name)));
            }
            (None, [_, ..]) => {
                for (i, route) in file.routes.iter().enumerate() {
                    listener = listener.route(self.route(route, &format!("{path}.routes[{i}]"))?);
                }
            }
            (Some(_), _) => {
                let reason = "there are routes, too; move it to clusters and route to it";
                return Err(Invalid::new(format!("{path}.upstream"), reason));
            }
            (None, []) => return Err(Invalid::new(path, "needs routes, or an upstream")),
        }
        Ok(listener)
    }

    fn protocol(
        &self,
        file: &schema::Protocol,
        path: &str,
    ) -> Result<Arc<dyn metaproto_core::Protocol>> {
        let Some(protocol) = self.protocols.find(&file.name) else {
            let known: Vec<_> = self.protocols.iter().map(|p| p.name()).collect();
            let known = match known.as_slice() {
                [] => "this program has none".to_owned(),
                known => format!("there are: {}", known.join(", ")),
            };
            return Err(Invalid::new(path, format!("no protocol named {:?}; {known}", file.name)));
        };
        if file.options.is_empty() {
            return Ok(protocol.clone());
        }
        protocol
            .configure(&file.options)
            .map_err(|e| Invalid::new(format!("{path}.options.{}", e.option), e.reason))
    }

    /// Adds the cluster that stands in a listener, under the listener's name.
    fn upstream(&mut self, name: &str, file: &schema::Cluster, path: &str) -> Result<()> {
        if self.snapshot.clusters.contains_key(name) {
            let reason = format!("there is a cluster named {name:?} already; name the listener");
            return Err(Invalid::new(path, reason));
        }
        let cluster = self.cluster(name, file, path)?;
        // Behind those of the cluster's endpoints, which are more exact.
        self.spellings.push((format!("clusters.{name}"), path.to_owned()));
        self.snapshot.clusters.insert(name.to_owned(), Arc::new(cluster));
        Ok(())
    }

    fn cluster(&mut self, name: &str, file: &schema::Cluster, path: &str) -> Result<Cluster> {
        let mut cluster = Cluster::new(name, []);
        for (i, endpoint) in file.endpoints.iter().enumerate() {
            self.endpoint(&mut cluster, endpoint, &format!("{path}.endpoints[{i}]"))?;
        }
        cluster.options.clone_from(&file.options);
        self.balancing(&mut cluster, file, path)?;
        cluster.sharing = file.upstream_mode.map(Into::into);
        overwrite(&mut cluster.connections, file.connections);
        overwrite(&mut cluster.max_connections, file.max_connections);
        overwrite(&mut cluster.max_mirrored, file.max_mirrored);
        overwrite(
            &mut cluster.connect_timeout,
            file.connect_timeout.map(|Period(timeout)| timeout),
        );
        if let Some(Timeout(timeout)) = file.idle_timeout {
            cluster.idle_timeout = timeout;
        }
        if let Some(Timeout(age)) = file.max_connection_age {
            cluster.max_connection_age = age;
        }
        if let Some(check) = file.health_check {
            let fault = |(key, reason)| Invalid::new(format!("{path}.health_check.{key}"), reason);
            cluster.health_check = Some(check.model().map_err(fault)?);
        }
        cluster.outlier_detection = file.outlier_detection.as_ref().map(Into::into);
        overwrite(&mut cluster.circuit_breakers, file.circuit_breakers.as_ref().map(Into::into));
        cluster.adaptive_concurrency = file.adaptive_concurrency.map(Into::into);
        overwrite(&mut cluster.retry_budget, file.retry_budget.map(Into::into));
        overwrite(&mut cluster.keepalive, file.keepalive.map(Into::into));
        Ok(cluster)
    }

    fn endpoint(
        &mut self,
        cluster: &mut Cluster,
        file: &schema::Endpoint,
        path: &str,
    ) -> Result<()> {
        let key = dns::key(file);
        let mut name = match dns::server(file) {
            Ok(dns::Server::At(address)) => {
                let place = cluster.endpoints.len();
                let model = format!("clusters.{}.endpoints[{place}]", cluster.name);
                self.spellings.push((model, path.to_owned()));
                let mut model = Endpoint::new(address);
                overwrite(&mut model.weight, file.weight);
                overwrite(&mut model.priority, file.priority);
                model.labels.clone_from(&file.labels);
                cluster.endpoints.push(model);
                return Ok(());
            }
            Ok(dns::Server::Named(name)) => name,
            Err(reason) => return Err(Invalid::new(format!("{path}{key}"), reason)),
        };
        let model = format!("clusters.{}.names[{}]", cluster.name, cluster.names.len());
        self.spellings.push((format!("{model}.target"), format!("{path}{key}")));
        self.spellings.push((model, path.to_owned()));
        overwrite(&mut name.weight, file.weight);
        overwrite(&mut name.priority, file.priority);
        name.labels.clone_from(&file.labels);
        let error = Error::new(format!("{path}{key}"), "");
        self.names.push(NamePlace { target: name.target.clone(), error });
        cluster.names.push(name);
        Ok(())
    }

    fn balancing(
        &mut self,
        cluster: &mut Cluster,
        file: &schema::Cluster,
        path: &str,
    ) -> Result<()> {
        if let Some(balance) = file.balance {
            cluster.balance = balance.model().map_err(|(option, reason)| {
                Invalid::new(format!("{path}.balance.{option}"), reason)
            })?;
        }
        let model = format!("clusters.{}.hash", cluster.name);
        cluster.hash = self.hash_keys(file.hash.as_ref(), &model, &format!("{path}.hash"));
        overwrite(&mut cluster.panic_threshold, file.panic_threshold);
        if let Some(Timeout(time)) = file.slow_start {
            cluster.slow_start = time;
        }
        overwrite(&mut cluster.subset_fallback, file.subset_fallback.map(Into::into));
        Ok(())
    }

    /// The keys in the order of the file; a key alone is written without its place.
    fn hash_keys(
        &mut self,
        file: Option<&schema::HashKeys>,
        model: &str,
        path: &str,
    ) -> Vec<HashKey> {
        if let Some(schema::HashKeys::One(_)) = file {
            self.spellings.push((format!("{model}[0]"), path.to_owned()));
        }
        file.map(schema::HashKeys::model).unwrap_or_default()
    }

    fn route(&mut self, file: &schema::Route, path: &str) -> Result<Route> {
        let mut route = match (&file.cluster, file.clusters.as_slice()) {
            (Some(cluster), []) => {
                let model = format!("{path}.clusters[0].cluster");
                self.spellings.push((model, format!("{path}.cluster")));
                let mut route = Route::to(cluster);
                route.clusters = vec![target(cluster, None, &file.subset)];
                route
            }
            (None, targets @ [_, ..]) => {
                let mut route = Route::split(targets.iter().map(|t| (&t.cluster, 1)));
                let models = targets.iter().map(|t| target(&t.cluster, t.weight, &t.subset));
                route.clusters = models.collect();
                route
            }
            (Some(_), _) => {
                let reason = "there is a list of clusters, too; give one of them";
                return Err(Invalid::new(format!("{path}.cluster"), reason));
            }
            (None, []) => return Err(Invalid::new(path, "needs a cluster, or a list of clusters")),
        };
        if !file.clusters.is_empty() && !file.subset.is_empty() {
            let reason = "there is a list of clusters; give each its own";
            return Err(Invalid::new(format!("{path}.subset"), reason));
        }
        let (sticky, hash) = (format!("{path}.sticky"), format!("{path}.hash"));
        route.sticky = self.hash_keys(file.sticky.as_ref(), &sticky, &sticky);
        route.hash = self.hash_keys(file.hash.as_ref(), &hash, &hash);
        overwrite(&mut route.name, file.name.clone());
        if let Some(Timeout(timeout)) = file.timeout {
            route.timeout = timeout;
        }
        route.retry = file.retry.as_ref().map(Into::into);
        route.hedge = file.hedge.map(|hedge| crate::model::Hedge { after: hedge.after.0 });
        if let Some(mirrors) = &file.mirror {
            if let schema::Mirrors::One(_) = mirrors {
                self.spellings.push((format!("{path}.mirror[0]"), format!("{path}.mirror")));
            }
            route.mirrors = mirrors.model();
        }
        route.matchers = self.matchers(&file.matches, path)?;
        route.request = self.mutation(&file.request, &format!("{path}.request"));
        route.response = self.mutation(&file.response, &format!("{path}.response"));
        Ok(route)
    }

    fn matchers(&mut self, file: &Match, path: &str) -> Result<Vec<Matcher>> {
        let model = |j| format!("{path}.match[{j}]");
        match file {
            Match::All(all) => all
                .iter()
                .enumerate()
                .map(|(j, matcher)| convert_matcher(matcher, &model(j)))
                .collect(),
            Match::Exact(pairs) => {
                let matchers = pairs.0.iter().enumerate().map(|(j, (property, value))| {
                    let spelled = format!("{path}.match.{property}");
                    self.spellings.push((format!("{}.property", model(j)), spelled));
                    let predicate = Predicate::Exact(value.clone());
                    Matcher { property: property.clone(), predicate, invert: false }
                });
                Ok(matchers.collect())
            }
        }
    }

    /// Removals come first, so that `remove` and `append` of one property replace its values.
    fn mutation(&mut self, file: &schema::Changes, path: &str) -> Mutation {
        let mut mutation = Mutation::new();
        for (i, name) in file.remove.iter().enumerate() {
            let model = format!("{path}.remove.{name}");
            self.spellings.push((model, format!("{path}.remove[{i}]")));
            mutation.push(Change::Remove { name: name.clone() });
        }
        for (name, value) in &file.set.0 {
            mutation.push(Change::Set { name: name.clone(), value: value.clone() });
        }
        for (name, value) in &file.append.0 {
            mutation.push(Change::Append { name: name.clone(), value: value.clone() });
        }
        mutation
    }
}

fn target(cluster: &str, weight: Option<u32>, subset: &Labels) -> WeightedCluster {
    let mut target = WeightedCluster::new(cluster, weight.unwrap_or(1));
    target.subset.clone_from(subset);
    target
}

fn overwrite<T>(default: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *default = given;
    }
}

/// The listeners' names: as given, or the protocol's name, numbered if it is taken.
fn listener_names(file: &schema::File) -> Vec<String> {
    let mut taken: BTreeSet<String> =
        file.listeners.iter().filter_map(|l| l.name.clone()).collect();
    let mut free = |wanted: &str| {
        let numbered = (2..).map(|n| format!("{wanted}-{n}"));
        let mut names = std::iter::once(wanted.to_owned()).chain(numbered);
        names.find(|name| taken.insert(name.clone())).unwrap_or_default()
    };
    let name = |l: &schema::Listener| l.name.clone().unwrap_or_else(|| free(&l.protocol.name));
    file.listeners.iter().map(name).collect()
}

fn convert_matcher(file: &schema::Matcher, path: &str) -> Result<Matcher> {
    let text =
        |text: &Option<String>, predicate: fn(String) -> Predicate| text.clone().map(predicate);
    let regex = |expression: &String| {
        let fault = |e: regex::Error| Invalid::new(format!("{path}.regex"), e.to_string());
        Predicate::regex(expression).map_err(fault)
    };
    let given = [
        text(&file.exact, Predicate::Exact),
        text(&file.prefix, Predicate::Prefix),
        text(&file.suffix, Predicate::Suffix),
        text(&file.contains, Predicate::Contains),
        file.regex.as_ref().map(regex).transpose()?,
        file.range.map(|schema::Range { start, end }| Predicate::Range { start, end }),
        file.present.map(|_| Predicate::Present),
    ];
    if file.present == Some(false) {
        let reason = "must be true; add `invert: true` to match requests without the property";
        return Err(Invalid::new(format!("{path}.present"), reason));
    }
    let mut given = given.into_iter().flatten();
    match (given.next(), given.next()) {
        (Some(predicate), None) => {
            Ok(Matcher { property: file.property.clone(), predicate, invert: file.invert })
        }
        _ => {
            let reason =
                "needs exactly one of exact, prefix, suffix, contains, regex, range, present";
            Err(Invalid::new(path, reason))
        }
    }
}
