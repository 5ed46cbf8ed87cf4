//! Hessian 2, as Dubbo's bodies have it: passed over, not built.
