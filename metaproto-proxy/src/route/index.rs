//! Finds the routes that a request can match without looking at all of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use metaproto_core::{IntText, Metadata};

use super::matcher::value;
use crate::model::{Predicate, Route};

/// Fewer routes than this are looked at one after the other, which is as fast.
const FEWEST: usize = 8;

/// The places of routes, in rising order.
type Places = Vec<usize>;

/// The routes by the exact value of one property: the one that tells them apart best.
#[derive(Debug, Default)]
pub(super) struct Index {
    property: String,
    by_value: HashMap<Box<[u8]>, Places>,
    /// The routes that ask for no exact value of it.
    others: Places,
}

impl Index {
    pub(super) fn new(routes: &[Arc<Route>]) -> Self {
        let mut values: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for (property, value) in routes.iter().flat_map(|route| exact(route)) {
            values.entry(property).or_default().insert(value);
        }
        let best = values.into_iter().max_by_key(|(_, values)| values.len());
        let property = best.map(|(property, _)| property).unwrap_or_default();
        let mut index = Index { property, ..Index::default() };
        for (place, route) in routes.iter().enumerate() {
            let value = exact(route).find(|(property, _)| *property == index.property);
            match value.filter(|_| routes.len() >= FEWEST) {
                Some((_, value)) => {
                    index.by_value.entry(value.as_bytes().into()).or_default().push(place);
                }
                None => index.others.push(place),
            }
        }
        index
    }

    /// The places of all routes that may match `request`, and perhaps of some that don't, in the order
    /// of the routes.
    pub(super) fn candidates<'a>(
        &'a self,
        request: &Metadata,
    ) -> impl Iterator<Item = usize> + use<'a> {
        let found = self.found(request);
        let (mut exact, mut others) = (found.iter().peekable(), self.others.iter().peekable());
        std::iter::from_fn(move || match (exact.peek(), others.peek()) {
            (Some(one), Some(other)) if one > other => others.next().copied(),
            (Some(_), _) => exact.next().copied(),
            (None, _) => others.next().copied(),
        })
    }

    fn found(&self, request: &Metadata) -> &[usize] {
        if self.by_value.is_empty() {
            return &[];
        }
        let mut room = IntText::default();
        let value = value(&self.property, request);
        let places = value.and_then(|value| self.by_value.get(value.as_bytes(&mut room)));
        places.map_or(&[], Vec::as_slice)
    }
}

/// The properties of which a route asks for an exact value, and these.
fn exact(route: &Route) -> impl Iterator<Item = (String, &str)> {
    route.matchers.iter().filter_map(|matcher| match &matcher.predicate {
        Predicate::Exact(value) if !matcher.invert => {
            Some((matcher.property.to_ascii_lowercase(), value.as_str()))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::model::Matcher;

    fn matcher() -> impl Strategy<Value = Matcher> {
        let property = prop_oneof![Just("a"), Just("B"), Just("operation")];
        let predicate = prop_oneof![
            6 => (0..6_u8).prop_map(|n| Predicate::Exact(n.to_string())),
            1 => Just(Predicate::Prefix("1".to_owned())),
            1 => Just(Predicate::Present),
        ];
        (property, predicate, prop::bool::weighted(0.1)).prop_map(
            |(property, predicate, invert)| Matcher {
                property: property.to_owned(),
                predicate,
                invert,
            },
        )
    }

    fn route() -> impl Strategy<Value = Arc<Route>> {
        vec(matcher(), 0..3).prop_map(|matchers| Arc::new(Route { matchers, ..Route::to("c") }))
    }

    proptest! {
        #[test]
        fn the_first_route_that_matches_is_found_as_if_all_were_looked_at(
            routes in vec(route(), 0..40),
            a in proptest::option::of(0..7_u8),
            b in proptest::option::of(0..7_u8),
            operation in proptest::option::of(0..7_u8),
        ) {
            let mut request = Metadata::new();
            a.into_iter().for_each(|a| request.push_int("A", a));
            b.into_iter().for_each(|b| request.push_int("b", b));
            operation.into_iter().for_each(|name| request.set_operation(name.to_string()));
            let index = Index::new(&routes);
            let mut candidates = index.candidates(&request);
            let found = candidates.find(|place| routes[*place].matches(&request));
            prop_assert_eq!(found, routes.iter().position(|route| route.matches(&request)));
        }
    }

    #[test]
    fn of_many_routes_few_are_looked_at() {
        let exact = |n: usize| Route::to("c").when("id", Predicate::Exact(n.to_string()));
        let routes: Vec<_> = (0..10_000).map(|n| Arc::new(exact(n))).collect();
        let mut request = Metadata::new();
        request.push_int("id", 9_999);
        let candidates: Vec<_> = Index::new(&routes).candidates(&request).collect();
        assert_eq!(candidates, [9_999]);
    }
}
