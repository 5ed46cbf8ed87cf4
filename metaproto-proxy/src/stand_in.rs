//! Stand-in with the signatures of `proxy.rs`, which needs the engine. DROP AT THE MERGE.

#![allow(missing_docs, clippy::unused_async)]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::counters::Counters;
use crate::model::{Invalid, Snapshot};

#[derive(Debug)]
pub struct Proxy(Handle);
#[derive(Debug, Clone)]
pub struct Handle(Arc<Mutex<Arc<Snapshot>>>);
#[derive(Debug, Default)]
pub struct Builder(Snapshot);
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error("{0}")]
    Worker(#[from] std::io::Error),
}
impl Builder {
    pub const DEFAULT_DRAIN_TIMEOUT: Duration = Duration::from_secs(30);
    pub fn snapshot(self, snapshot: Snapshot) -> Self {
        Builder(snapshot)
    }
    pub fn workers(self, _: usize) -> Self {
        self
    }
    pub fn drain_timeout(self, _: Duration) -> Self {
        self
    }
    pub fn start(self) -> Result<Proxy, StartError> {
        self.0.validate()?;
        Ok(Proxy(Handle(Arc::new(Mutex::new(Arc::new(self.0))))))
    }
}
impl Proxy {
    pub fn builder() -> Builder {
        Builder::default()
    }
    pub fn handle(&self) -> Handle {
        self.0.clone()
    }
    pub fn addresses(&self) -> Vec<(String, SocketAddr)> {
        self.0.addresses()
    }
}
impl Handle {
    pub fn addresses(&self) -> Vec<(String, SocketAddr)> {
        self.snapshot().listeners.iter().map(|l| (l.name.clone(), l.address)).collect()
    }
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.0.lock().expect("stand-in").clone()
    }
    pub async fn apply(&self, snapshot: Snapshot) -> Result<(), StartError> {
        snapshot.validate()?;
        *self.0.lock().expect("stand-in") = Arc::new(snapshot);
        Ok(())
    }
    pub async fn counters(&self) -> Counters {
        Counters::default()
    }
    pub async fn drain(&self, _: Duration) {}
    pub async fn ready(&self) -> bool {
        true
    }
}
