//! Hessian 2: what is written in any of its forms is passed over to its end, no more and no less.

mod forms;
mod generate;
mod properties;
mod real;
