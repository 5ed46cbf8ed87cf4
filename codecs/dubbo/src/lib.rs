//! Dubbo 2, the TCP protocol of Apache Dubbo.

pub mod hessian;
