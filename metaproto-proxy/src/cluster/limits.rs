//! What a cluster refuses because too much of it is in use.

use std::time::Duration;

use metaproto_core::{Error, ErrorKind, Metadata};
use tokio::time::Instant;

use super::adaptive::Adaptive;
use super::circuit::{Circuit, Slot, Usages};
use super::{Cluster, Traffic};
use crate::model::CircuitBreakers;

/// The limits of a cluster that has any.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    circuit: Option<Circuit>,
    adaptive: Option<Adaptive>,
}

impl Cluster {
    /// Takes on the limits of its configuration; `usages` is what all workers know.
    pub(crate) fn limit(&mut self, usages: &Usages) {
        let before = self.limits.take().map(|limits| *limits).unwrap_or_default();
        if self.traffic == Traffic::Copies {
            return;
        }
        let breakers = &self.model.circuit_breakers;
        let used = (self.counters.connections_active as usize, self.counters.active as usize);
        let circuit = (*breakers != CircuitBreakers::default())
            .then(|| Circuit::new(breakers.clone(), usages, &self.model.name, used));
        let adaptive = self.model.adaptive_concurrency.map(|policy| {
            let mut adaptive = before.adaptive.unwrap_or_else(|| Adaptive::new(policy));
            adaptive.set_policy(policy);
            adaptive
        });
        if circuit.is_some() || adaptive.is_some() {
            self.limits = Some(Box::new(Limits { circuit, adaptive }));
        }
        // The old part of the usage goes only now: nobody sees less than there is.
        drop(before.circuit);
    }

    /// Counts a call that is about to be sent.
    ///
    /// # Errors
    /// There are as many as may be.
    #[inline(always)]
    pub(crate) fn begin_call(&mut self) -> Result<(), Box<Error>> {
        if self.limits.is_some() {
            self.admit()?;
        }
        self.counters.requests += 1;
        self.counters.active += 1;
        Ok(())
    }

    fn admit(&mut self) -> Result<(), Box<Error>> {
        let Some(limits) = self.limits.as_deref_mut() else { return Ok(()) };
        if limits.adaptive.as_mut().is_some_and(|it| !it.admits(self.counters.active)) {
            self.counters.refused_adaptive += 1;
            return Err(self.refusal("its answers take too long for more requests in flight"));
        }
        if limits.circuit.as_mut().is_some_and(|circuit| !circuit.add_request()) {
            self.counters.refused_requests += 1;
            return Err(self.refusal("as many requests are in flight as may be"));
        }
        Ok(())
    }

    fn refusal(&self, why: &str) -> Box<Error> {
        let message = format!("cluster {}: {why}", self.model.name);
        Box::new(Error::new(ErrorKind::Overloaded, message))
    }

    /// A call has ended, or goes elsewhere.
    #[inline(always)]
    pub(crate) fn end_call(&mut self) {
        self.counters.active -= 1;
        if let Some(circuit) = self.circuit() {
            circuit.remove_request();
        }
    }

    /// A call has been answered, or has not been in time: takes note of how long that took.
    #[inline(always)]
    pub(crate) fn note_time(&mut self, micros: u32, now: Instant) {
        if let Some(adaptive) = self.limits.as_mut().and_then(|limits| limits.adaptive.as_mut()) {
            adaptive.ended(Duration::from_micros(micros.into()), now);
        }
    }

    fn circuit(&mut self) -> Option<&mut Circuit> {
        self.limits.as_mut()?.circuit.as_mut()
    }

    /// Counts a connection that is about to be made. Tells whether there may be one more.
    pub(crate) fn begin_connection(&mut self) -> bool {
        let may = self.circuit().is_none_or(Circuit::add_connection);
        self.counters.connections_active += u64::from(may);
        may
    }

    /// A connection has ended, or could not be made.
    pub(crate) fn end_connection(&mut self) {
        self.counters.connections_active -= 1;
        if let Some(circuit) = self.circuit() {
            circuit.remove_connection();
        }
    }

    /// Why there is no connection for a call: all that may be are in use.
    pub(crate) fn no_connection(&mut self) -> Box<Error> {
        if self.circuit().is_some_and(|circuit| circuit.is_full()) {
            self.counters.refused_connections += 1;
            return self.refusal("as many connections are open as may be");
        }
        self.refusal("all connections to the endpoint are in use")
    }

    /// Whether there may be no further connection.
    pub(crate) fn is_full(&self) -> bool {
        let circuit = self.limits.as_ref().and_then(|limits| limits.circuit.as_ref());
        circuit.is_some_and(Circuit::is_full)
    }

    /// A place among the calls that wait for a connection, if these are limited.
    ///
    /// # Errors
    /// There are as many as may be.
    pub(crate) fn pending_slot(&mut self) -> Result<Option<Slot>, Box<Error>> {
        let Some(circuit) = self.circuit() else { return Ok(None) };
        if let Some(slot) = circuit.pending() {
            return Ok(Some(slot));
        }
        self.counters.refused_pending += 1;
        Err(self.refusal("as many requests wait for a connection as may be"))
    }

    /// A place among the calls that are being tried again, if these are limited; `None` in `Some` if
    /// not.
    pub(crate) fn retry_slot(&mut self) -> Option<Option<Slot>> {
        match self.circuit() {
            None => Some(None),
            Some(circuit) => circuit.retry().map(Some),
        }
    }

    /// A place among the calls of an operation, if these are limited.
    ///
    /// # Errors
    /// There are as many as may be.
    #[inline(always)]
    pub(crate) fn operation_slot(
        &mut self,
        request: &Metadata,
    ) -> Result<Option<Slot>, Box<Error>> {
        let Some(circuit) = self.circuit() else { return Ok(None) };
        let Some(operation) = request.operation() else { return Ok(None) };
        if let Ok(slot) = circuit.operation(operation) {
            return Ok(slot);
        }
        self.counters.refused_operations += 1;
        Err(self.refusal(&format!("as many requests for {operation} are in flight as may be")))
    }

    /// The bound that was found for the calls in flight, if there is one.
    pub(crate) fn adaptive_limit(&self) -> Option<usize> {
        self.limits.as_ref()?.adaptive.as_ref().map(Adaptive::limit)
    }
}
