//! What the fields of a frame mean: the other half of the model.

use proc_macro2::Span;
use syn::{Expr, Ident, LitStr};

use crate::parse::Unit;

/// What a frame means.
pub(crate) struct Mapping {
    pub(crate) protocol: LitStr,
    pub(crate) aliases: Vec<LitStr>,
    /// The name of a variant of `Sharing`.
    pub(crate) sharing: Option<Ident>,
    pub(crate) request_id: Option<RequestId>,
    pub(crate) properties: Vec<Property>,
    pub(crate) sections: Vec<Section>,
    pub(crate) operation: Option<Operation>,
    pub(crate) timeout: Option<Timeout>,
    pub(crate) status: Option<Status>,
    pub(crate) kind: Option<Kind>,
    /// What error replies say besides.
    pub(crate) reply: Vec<Put>,
}

/// Where something stands.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A field of the fixed part, by its place in [`Layout::head`](crate::model::Layout::head).
    Head(usize),
    /// Some bits of it, by their place in [`Field::bits`](crate::model::Field::bits).
    Bits(usize, usize),
    /// A part, by its name.
    Part(String),
}

/// A value to be put somewhere.
pub(crate) struct Put {
    pub(crate) target: Target,
    pub(crate) value: Expr,
}

pub(crate) struct RequestId {
    /// In the fixed part.
    pub(crate) field: usize,
    pub(crate) span: Span,
}

pub(crate) struct Property {
    pub(crate) name: String,
    pub(crate) target: Target,
    pub(crate) show: Show,
    /// Whether it can be set without making another message of it.
    pub(crate) settable: bool,
}

/// How a property shows a value.
pub(crate) enum Show {
    Plain,
    Format(LitStr),
    /// By a name, if it has one.
    Names(Vec<(Expr, LitStr)>),
}

/// A section whose entries are properties.
pub(crate) struct Section {
    /// The part.
    pub(crate) part: String,
    pub(crate) prefix: String,
}

pub(crate) enum Operation {
    Of(Target),
    Composed(Vec<Piece>),
}

pub(crate) enum Piece {
    Text(String),
    /// A value, and how it is to be shown: what is behind the colon.
    Value(Target, String),
}

pub(crate) struct Timeout {
    /// In the fixed part.
    pub(crate) field: usize,
    pub(crate) unit: Unit,
    pub(crate) none: Option<Expr>,
}

pub(crate) struct Status {
    pub(crate) target: Target,
    pub(crate) ok: Expr,
    /// A code, and the name of a variant of `StatusClass`.
    pub(crate) classes: Vec<(Expr, Ident)>,
    pub(crate) errors: Option<ErrorTable>,
}

pub(crate) struct ErrorTable {
    /// The name of a variant of `ErrorKind`, and its code.
    pub(crate) codes: Vec<(Ident, Expr)>,
    pub(crate) other: Expr,
    pub(crate) text: bool,
}

pub(crate) struct Kind {
    pub(crate) rule: Rule,
    /// What makes a message one of a kind, for the kinds that can be made.
    pub(crate) made: Vec<Made>,
    /// Named constants that must not have the same value.
    pub(crate) differ: Vec<Differ>,
}

/// What makes a message one of a kind.
pub(crate) struct Made {
    /// The name of a variant of `MessageKind`.
    pub(crate) kind: Ident,
    pub(crate) puts: Vec<Put>,
}

/// Two expressions that must not have the same value.
pub(crate) type Differ = (Expr, Expr);

/// How the kind is told. Kinds are names of variants of `MessageKind`.
pub(crate) enum Rule {
    Values {
        field: usize,
        values: Vec<(Expr, Ident)>,
    },
    /// The first that holds.
    Conditions {
        arms: Vec<(Expr, Ident)>,
        other: Option<Ident>,
        /// The field that is named if none holds.
        field: Option<usize>,
    },
}

impl Kind {
    /// The kinds that messages can have, each once.
    pub(crate) fn kinds(&self) -> Vec<&Ident> {
        let mut all: Vec<&Ident> = Vec::new();
        let (arms, other) = match &self.rule {
            Rule::Values { values, .. } => (values, None),
            Rule::Conditions { arms, other, .. } => (arms, other.as_ref()),
        };
        for kind in arms.iter().map(|(_, kind)| kind).chain(other) {
            if !all.contains(&kind) {
                all.push(kind);
            }
        }
        all
    }
}
