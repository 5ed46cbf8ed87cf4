//! Laws that hold for every part, and what each part does besides.
#![expect(clippy::arithmetic_side_effects, reason = "numbers in tests are small")]

mod block;
mod cursor;
mod laws;
mod list;
mod nested;
mod number;
mod section;
mod terminated;

use super::*;
use crate::frame::ByteOrder;

const U8: IntForm = unsigned(1, ByteOrder::Big);
const VARINT: Extent = extent(IntForm::Varint);

const fn unsigned(width: u8, order: ByteOrder) -> IntForm {
    IntForm::Fixed { width, order, signed: false }
}

const fn signed(width: u8, order: ByteOrder) -> IntForm {
    IntForm::Fixed { width, order, signed: true }
}

const fn extent(form: IntForm) -> Extent {
    Extent::Prefix(Prefix::new(form))
}

const fn plus(form: IntForm, plus: i64) -> Prefix {
    Prefix { form, unit: 1, plus }
}

/// Why a part can be neither read nor passed over.
fn fault<P: Part>(part: &P, bytes: &[u8]) -> Fault {
    let skipped = part.skip(&mut Cursor::over(bytes), &mut Progress::new());
    let read = part.read(&mut Cursor::over(bytes)).map(|_| ());
    assert_eq!(skipped, read);
    skipped.unwrap_err().into_error().fault
}
