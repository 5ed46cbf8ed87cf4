//! Code of the embedding program between decoding and routing.

use std::fmt;
use std::sync::Arc;

use metaproto_core::{Error, Metadata, Mutation};

/// Looks at every request before it is routed, and at every response before it goes back.
///
/// Each worker has an instance of its own, made by the factory given to
/// [`Builder::filter`](crate::Builder::filter), so a filter needs no locks. It must not block.
pub trait Filter {
    /// Looks at a request. Changes added to `mutation` are applied before those of the route;
    /// the route is found by the request as it came.
    fn request(&mut self, request: &Metadata, mutation: &mut Mutation) -> Verdict {
        let _ = (request, mutation);
        Verdict::Continue
    }

    /// Looks at a response. Changes added to `mutation` are applied before those of the route.
    fn response(&mut self, response: &Metadata, mutation: &mut Mutation) {
        let _ = (response, mutation);
    }
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// On to the next filter, and to the route.
    Continue,
    /// The request is answered with this error. A one-way request is dropped.
    Reply(Error),
}

/// Makes a filter for a worker.
type Factory = Arc<dyn Fn() -> Box<dyn Filter> + Send + Sync>;

/// The filters of a proxy, in order, yet to be made for each worker.
#[derive(Clone, Default)]
pub(crate) struct FilterFactories(Vec<Factory>);

impl FilterFactories {
    pub(crate) fn push(&mut self, factory: Factory) {
        self.0.push(factory);
    }

    pub(crate) fn build(&self) -> FilterChain {
        FilterChain(self.0.iter().map(|factory| factory()).collect())
    }
}

impl fmt::Debug for FilterFactories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FilterFactories").field(&self.0.len()).finish()
    }
}

/// The filters of a worker, in order.
#[derive(Default)]
pub(crate) struct FilterChain(Vec<Box<dyn Filter>>);

impl FilterChain {
    /// Whether there are none. Nothing needs to be decoded for them then.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Asks every filter about a request, up to the first that answers it. Tells the changes that they
    /// want; nothing if there are no filters.
    #[inline]
    pub(crate) fn request(&mut self, request: &Metadata) -> Result<Option<Mutation>, Error> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let mut mutation = Mutation::new();
        for filter in &mut self.0 {
            if let Verdict::Reply(error) = filter.request(request, &mut mutation) {
                return Err(error);
            }
        }
        Ok(Some(mutation))
    }

    /// Shows every filter a response; the first to see a request is the last to see its response.
    #[inline]
    pub(crate) fn response(&mut self, response: &Metadata) -> Option<Mutation> {
        if self.0.is_empty() {
            return None;
        }
        let mut mutation = Mutation::new();
        for filter in self.0.iter_mut().rev() {
            filter.response(response, &mut mutation);
        }
        Some(mutation)
    }
}
