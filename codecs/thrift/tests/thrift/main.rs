//! The codec of Thrift, held against bytes of real peers and the laws that codecs must keep.

mod captures;
mod changes;
mod conformance;
mod deadlines;
mod messages;
mod reencode;
mod reencoding;
mod replies;
mod streams;
mod support;
mod translate;
