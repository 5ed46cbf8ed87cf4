//! A frame that makes sense: what the code is generated from.

use std::ops::RangeInclusive;

use proc_macro2::Span;
use syn::{Expr, Ident, LitByteStr, Path, Type, Visibility};

use crate::parse::{Form, Order, Scalar, SectionFormat};

/// Where everything stands.
pub(crate) struct Layout {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    /// The constant at the front that has no field.
    pub(crate) magic: Option<Magic>,
    /// The fields at the front, up to the first whose place or size is not known here.
    pub(crate) head: Vec<Field>,
    /// In bytes.
    pub(crate) head_size: usize,
    /// The fields behind them.
    pub(crate) parts: Vec<Part>,
    /// What follows the header; without it, the frame is the header.
    pub(crate) body: Option<Ident>,
    /// The fields behind the body. Their offsets count from its end.
    pub(crate) trailer: Vec<Field>,
    /// In bytes.
    pub(crate) trailer_size: usize,
    pub(crate) lengths: Vec<Length>,
    pub(crate) counts: Vec<Count>,
    pub(crate) checksums: Vec<Checksum>,
    pub(crate) framing: Framing,
    pub(crate) max_len: Option<Expr>,
    pub(crate) max_header: Option<Expr>,
}

pub(crate) struct Magic {
    pub(crate) value: Expr,
    pub(crate) scalar: Scalar,
    pub(crate) order: Order,
}

/// A field with a fixed place.
pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) name: String,
    pub(crate) ty: Type,
    /// In bytes from the start of the frame.
    pub(crate) offset: usize,
    pub(crate) scalar: Scalar,
    pub(crate) order: Order,
    pub(crate) role: Role,
    pub(crate) bits: Vec<Bit>,
    /// The module that reads and writes a [`Scalar::Custom`]; without one, its type does.
    pub(crate) with: Option<Path>,
}

/// Some bits of a field.
pub(crate) struct Bit {
    pub(crate) ident: Ident,
    pub(crate) name: String,
    /// The least significant of them.
    pub(crate) low: usize,
    pub(crate) len: usize,
    /// Whether it is true or false rather than a number.
    pub(crate) single: bool,
}

pub(crate) enum Role {
    /// Holds a value; the default is for frames that nobody has filled in.
    Value { default: Option<Expr> },
    /// Always this.
    Constant(Expr),
    /// Tells a length, by its place in [`Layout::lengths`].
    Length(usize),
    /// Tells how many there are, by its place in [`Layout::counts`].
    Count(usize),
    /// Proves other bytes.
    Checksum,
    /// Zero when written, anything when read.
    Reserved,
}

/// A field whose place is known only when the frame is there.
pub(crate) struct Part {
    /// `None` for padding, which has no field.
    pub(crate) ident: Option<Ident>,
    pub(crate) name: String,
    /// The type that the field has, without the `Option` of a part that may be missing.
    pub(crate) ty: Option<Type>,
    pub(crate) shape: Shape,
    pub(crate) role: Role,
    /// The part is there if this is true.
    pub(crate) when: Option<Expr>,
}

/// How a part is written.
pub(crate) enum Shape {
    Number {
        scalar: Scalar,
        form: NumberForm,
    },
    /// `[u8; N]`, `[u16; N]`.
    Array {
        scalar: Scalar,
        order: Order,
    },
    /// `Bytes` or `String` of some length.
    Block(Extent),
    /// `Option<Bytes>`, whose length says whether it is there.
    Nullable {
        prefix: Prefix,
        inner: Type,
    },
    /// `Bytes` or `String` up to a terminator.
    Terminated {
        end: LitByteStr,
        max: Option<Expr>,
    },
    List {
        item: Box<Shape>,
        item_ty: Type,
        count: Option<Extent>,
        bytes: Option<Extent>,
    },
    Section {
        format: SectionFormat,
        order: Order,
        count: Option<Extent>,
        bytes: Option<Extent>,
    },
    /// A type with a layout of its own.
    Nested,
    /// An enum whose variant is told by a value elsewhere.
    Tagged(Expr),
    With(Path),
    Padding {
        skip: usize,
        align: usize,
    },
}

#[derive(Clone, Copy)]
pub(crate) enum NumberForm {
    Fixed(Order),
    Varint,
    ZigZag,
}

/// How long something is, or how many there are.
pub(crate) enum Extent {
    Prefix(Prefix),
    /// Told by a field, by its place in [`Layout::lengths`].
    Length(usize),
    /// Told by a field, by its place in [`Layout::counts`].
    Count(usize),
    /// All that is left.
    Rest,
}

/// A number in front of what it measures.
#[derive(Clone)]
pub(crate) struct Prefix {
    pub(crate) form: Form,
    pub(crate) order: Order,
    pub(crate) unit: u64,
    pub(crate) plus: i64,
}

/// A field that tells a length.
pub(crate) struct Length {
    pub(crate) holder: Holder,
    pub(crate) name: String,
    pub(crate) covers: Cover,
    pub(crate) unit: u64,
    pub(crate) plus: i64,
    pub(crate) span: Span,
}

/// Where a field is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    Head(usize),
    Part(usize),
}

/// What a length counts.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Cover {
    Frame,
    Body,
    /// From the first byte of the frame to where the body starts.
    Header,
    /// All behind the holder.
    Rest,
    /// One part, which has no length of its own.
    Part(usize),
    /// Parts that have lengths of their own, or several of them.
    Window(RangeInclusive<usize>),
}

/// A field that tells how many there are.
pub(crate) struct Count {
    pub(crate) holder: Holder,
    pub(crate) name: String,
    /// The list or section, by its place in [`Layout::parts`].
    pub(crate) part: usize,
    pub(crate) plus: i64,
}

pub(crate) struct Checksum {
    pub(crate) with: Path,
    pub(crate) name: String,
    pub(crate) first: Edge,
    pub(crate) last: Edge,
    /// Where the checksum itself is.
    pub(crate) holder: Edge,
}

/// A field that something begins or ends with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Edge {
    /// The constant at the front that has no field.
    Magic,
    Head(usize),
    Part(usize),
    Body,
    Trailer(usize),
}

/// How the length of the frame is found.
pub(crate) enum Framing {
    /// It is always the same.
    Fixed,
    /// The fields at the front tell it.
    Head(Total),
    /// The parts must be walked through, up to the one that tells how much follows, or all of them.
    Scanned(Option<usize>),
}

pub(crate) enum Total {
    /// This length counts the whole frame.
    Frame(usize),
    /// This length counts what is behind the byte where its field ends.
    Rest(usize, usize),
    /// These lengths, and so many bytes besides.
    Sum(Vec<usize>, usize),
}

/// One of several layouts.
pub(crate) struct Choice {
    pub(crate) ident: Ident,
    pub(crate) by: By,
    pub(crate) alternatives: Vec<Alternative>,
}

/// What tells which.
pub(crate) enum By {
    /// A number in front of the value.
    OwnTag(Form, Order),
    /// A number elsewhere.
    GivenTag,
    /// A number at this place of the frame; only the bits that `mask` keeps, after a shift by `low`,
    /// count.
    TagAt { form: Form, order: Order, at: usize, low: usize, mask: u64 },
    /// The constants in front.
    Magic(Order),
    /// Who has sent the frame.
    Side,
}

pub(crate) struct Alternative {
    pub(crate) ident: Ident,
    /// The tag, as a pattern.
    pub(crate) tag: Option<Expr>,
    pub(crate) magic: Option<(Expr, Scalar)>,
    /// Whether it comes from the client.
    pub(crate) from_client: bool,
    /// Takes all tags that no other has.
    pub(crate) other: bool,
    /// The type of what it holds.
    pub(crate) ty: Option<Type>,
    /// How that is written, unless it is a frame or the tag itself.
    pub(crate) part: Option<Part>,
}

impl Layout {
    /// Parts of which nothing says how they are when nobody has filled them in: of a type of the
    /// user's own, without a default.
    pub(crate) fn never_empty(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| {
            let own = matches!(part.shape, Shape::Nested | Shape::Tagged(_) | Shape::With(_));
            own && !matches!(part.role, Role::Value { default: Some(_) })
        })
    }

    /// A checksum that covers this field of the fixed part and can't be made anew from the fixed part
    /// alone.
    pub(crate) fn sealed_by(&self, field: usize) -> Option<&Checksum> {
        self.proofs(field).into_iter().find(|checksum| !checksum.is_in_head())
    }

    /// The checksums that change with this field of the fixed part, in the order in which they are
    /// filled in.
    pub(crate) fn proofs(&self, field: usize) -> Vec<&Checksum> {
        let mut changed = vec![Edge::Head(field)];
        let mut all = Vec::new();
        for checksum in &self.checksums {
            let covers = |edge: &Edge| (checksum.first..=checksum.last).contains(edge);
            if changed.iter().any(covers) {
                changed.push(checksum.holder);
                all.push(checksum);
            }
        }
        all
    }
}

impl Checksum {
    /// Whether it is in the fixed part, and so is all that it covers.
    pub(crate) fn is_in_head(&self) -> bool {
        let is_in_head = |edge| matches!(edge, Edge::Magic | Edge::Head(_));
        is_in_head(self.last) && is_in_head(self.holder)
    }

    /// Whether it covers the body and nothing else.
    pub(crate) fn is_of_body(&self) -> bool {
        (self.first, self.last) == (Edge::Body, Edge::Body)
    }

    /// Whether it covers the body and something else.
    pub(crate) fn spans_body(&self) -> bool {
        !self.is_of_body() && (self.first..=self.last).contains(&Edge::Body)
    }
}
