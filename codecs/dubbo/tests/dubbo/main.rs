//! The codec of Dubbo, held against bytes of real peers and the laws that codecs must keep.

mod bodies;
mod bounds;
mod captures;
mod changes;
mod conformance;
mod deadlines;
mod events;
mod frames;
mod rare;
mod replies;
mod requests;
mod responses;
