//! A frame that makes sense: what the code is generated from.

use syn::{Expr, Ident, LitStr, Visibility};

use crate::parse::{Order, Scalar};

/// Where everything stands.
pub(crate) struct Layout {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    /// The constant at the front that has no field.
    pub(crate) magic: Option<Magic>,
    /// The fields of the header.
    pub(crate) fields: Vec<Field>,
    /// In bytes.
    pub(crate) header_size: usize,
    /// What follows the header; without it, the frame is the header.
    pub(crate) body: Option<Body>,
    pub(crate) max_len: Option<Expr>,
}

pub(crate) struct Magic {
    pub(crate) value: Expr,
    pub(crate) scalar: Scalar,
    pub(crate) order: Order,
}

pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) name: String,
    /// In bytes from the start of the frame.
    pub(crate) offset: usize,
    pub(crate) scalar: Scalar,
    pub(crate) order: Order,
    pub(crate) role: Role,
}

pub(crate) enum Role {
    /// Holds a value; the default is for frames that nobody has filled in.
    Value { default: Option<Expr> },
    /// Always this.
    Constant(Expr),
    /// Follows from the body.
    Length,
}

pub(crate) struct Body {
    pub(crate) ident: Ident,
    /// The field that tells the length, by its place among the fields.
    pub(crate) length: usize,
    /// Whether that length includes the header.
    pub(crate) counts_header: bool,
}

/// What it means. Fields are named by their place in [`Layout::fields`].
pub(crate) struct Mapping {
    pub(crate) protocol: LitStr,
    pub(crate) aliases: Vec<LitStr>,
    /// The name of a variant of `Sharing`.
    pub(crate) sharing: Option<Ident>,
    pub(crate) request_id: Option<usize>,
    pub(crate) properties: Vec<(String, usize)>,
    pub(crate) operation: Option<usize>,
    pub(crate) status: Option<Status>,
    pub(crate) kind: Option<Kind>,
}

pub(crate) struct Status {
    pub(crate) field: usize,
    pub(crate) ok: Expr,
    pub(crate) errors: Option<ErrorTable>,
}

pub(crate) struct ErrorTable {
    /// The name of a variant of `ErrorKind`, and its code.
    pub(crate) codes: Vec<(Ident, Expr)>,
    pub(crate) other: Expr,
    pub(crate) text: bool,
}

pub(crate) struct Kind {
    pub(crate) field: usize,
    /// The value, and the name of a variant of `MessageKind`.
    pub(crate) values: Vec<(Expr, Ident)>,
}
