//! What stands in a field, for people.

use crate::explain::content;
use crate::frame::{BitsInfo, ByteOrder, FieldInfo, Format};

/// A number in decimal and, unless it is to be `brief`, as it stands; or text.
pub(super) fn value(field: &FieldInfo, bytes: &[u8], brief: bool) -> String {
    let (signed, order) = match field.format {
        Format::Unsigned(order) => (false, order),
        Format::Signed(order) => (true, order),
        Format::Float(order) => return float(order, bytes),
        Format::Bytes => return padded(bytes),
    };
    let raw = number(order, bytes);
    let digits = bytes.len().saturating_mul(2);
    let hex = format!("0x{raw:0digits$x}");
    let decimal = match signed {
        true => signed_number(raw, bytes.len()).to_string(),
        false => raw.to_string(),
    };
    match (brief, field.bits.is_empty()) {
        (false, _) => format!("{decimal} ({hex})"),
        (true, true) => decimal,
        // Bits are told one by one.
        (true, false) => hex,
    }
}

/// What some bits of a field say, and, unless it is to be `brief`, which they are.
pub(super) fn bits(field: &FieldInfo, bits: &BitsInfo, bytes: &[u8], brief: bool) -> String {
    let order = match field.format {
        Format::Unsigned(order) | Format::Signed(order) | Format::Float(order) => order,
        Format::Bytes => ByteOrder::Big,
    };
    let shifted = number(order, bytes).checked_shr(bits.low as u32).unwrap_or_default();
    let unused = 128_usize.saturating_sub(bits.len) as u32;
    let found = shifted & u128::MAX.checked_shr(unused).unwrap_or_default();
    let value = match bits.len {
        1 => (found == 1).to_string(),
        _ => found.to_string(),
    };
    match (brief, bits.len) {
        (true, _) => value,
        (false, 1) => format!("{value} (bit {})", bits.low),
        (false, len) => {
            let high = bits.low.saturating_add(len).saturating_sub(1);
            format!("{value} (bits {} to {high})", bits.low)
        }
    }
}

/// Text may be padded with zeros; other bytes are as they are.
fn padded(bytes: &[u8]) -> String {
    let padding = bytes.iter().rev().take_while(|byte| **byte == 0).count();
    let text = bytes.get(..bytes.len().saturating_sub(padding)).unwrap_or_default();
    let shown = content(text);
    if shown.starts_with('"') { shown } else { content(bytes) }
}

fn float(order: ByteOrder, bytes: &[u8]) -> String {
    let bits = number(order, bytes);
    match bytes.len() {
        4 => f32::from_bits(bits as u32).to_string(),
        _ => f64::from_bits(bits as u64).to_string(),
    }
}

fn number(order: ByteOrder, bytes: &[u8]) -> u128 {
    let append = |all: u128, byte: &u8| all << 8 | u128::from(*byte);
    match order {
        ByteOrder::Big => bytes.iter().fold(0, append),
        ByteOrder::Little => bytes.iter().rev().fold(0, append),
    }
}

fn signed_number(raw: u128, width: usize) -> i128 {
    let unused = 128_usize.saturating_sub(width.saturating_mul(8)) as u32;
    let top = raw.checked_shl(unused).unwrap_or_default();
    top.cast_signed().checked_shr(unused).unwrap_or_default()
}
