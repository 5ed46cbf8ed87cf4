//! Values that are written out can be checked here; others are left to the compiler.

use std::ops::RangeInclusive;

use syn::{Expr, ExprLit, Lit};

use crate::mistakes::Mistakes;
use crate::parse::{Int, Scalar, literal};

/// Whether `value` can be one of this type, as far as can be told here.
pub(super) fn fits_int(value: &Expr, int: Int, mistakes: &mut Mistakes) -> bool {
    fits_range(value, int.name, &int.range(), mistakes)
}

/// The same for a number of which the range is known.
pub(super) fn fits_range(
    value: &Expr,
    name: &str,
    range: &RangeInclusive<i128>,
    mistakes: &mut Mistakes,
) -> bool {
    let fits = literal(value).is_none_or(|number| range.contains(&number));
    if !fits {
        let (min, max) = (range.start(), range.end());
        mistakes.at(value, format_args!("does not fit `{name}`, which is {min} to {max}"));
    }
    fits
}

/// As [`fits_int`], for everything that takes a fixed number of bytes.
pub(super) fn fits(value: &Expr, scalar: Scalar, mistakes: &mut Mistakes) -> bool {
    let width = match scalar {
        Scalar::Int(int) => return fits_int(value, int, mistakes),
        Scalar::Bytes(width) => width,
        Scalar::Float(_) | Scalar::Array(..) | Scalar::Custom(_) => return true,
    };
    let fits = match value {
        Expr::Lit(ExprLit { lit: Lit::ByteStr(bytes), .. }) => bytes.value().len() == width,
        Expr::Lit(_) => false,
        _ => true,
    };
    if !fits {
        let text = format_args!("the field is `[u8; {width}]`: write {width} bytes as `b\"..\"`");
        mistakes.at(value, text);
    }
    fits
}
