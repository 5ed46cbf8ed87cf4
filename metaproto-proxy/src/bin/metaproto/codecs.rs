//! The codecs in this binary: one line and one cargo feature each.

use metaproto_proxy::config::Protocols;

/// The protocols that configuration may name.
pub(crate) fn protocols() -> Protocols {
    let protocols = Protocols::new();
    #[cfg(feature = "awesomerpc")]
    let protocols = protocols.with(metaproto_awesomerpc::AwesomeRpc::protocol());
    #[cfg(feature = "dubbo")]
    let protocols = protocols.with(metaproto_dubbo::Dubbo::protocol());
    #[cfg(feature = "thrift")]
    let protocols = protocols.with(metaproto_thrift::Thrift::protocol());
    protocols
}
