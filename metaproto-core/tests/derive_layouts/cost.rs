//! Bytes that trickle in cost as much as bytes that come at once.

use std::cell::Cell;

use metaproto_core::frame::Located;
use metaproto_core::frame::parts::{Cursor, Progress, Stop};
use metaproto_core::{BytesMut, EncodeError, Frame, FrameLength, Wire};

thread_local! {
    static STEPS: Cell<usize> = const { Cell::new(0) };
}

/// A byte that counts how often it is looked at.
#[derive(Debug, Clone, PartialEq)]
struct Counted(u8);

impl Wire for Counted {
    const MIN_SIZE: usize = 1;
    const SIZE: Option<usize> = Some(1);

    fn skip(cursor: &mut Cursor<'_>, _: &mut Progress) -> Result<(), Stop> {
        STEPS.set(STEPS.get() + 1);
        cursor.advance(1).map(|_| ())
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Stop> {
        cursor.array().map(|[byte]| Counted(byte))
    }

    fn size(&self) -> usize {
        1
    }

    fn write(&self, out: &mut BytesMut) -> Result<(), EncodeError> {
        out.extend_from_slice(&[self.0]);
        Ok(())
    }
}

#[derive(Debug, Clone, PartialEq, Wire)]
struct Row {
    #[frame(bits(more = 0))]
    flags: u8,
    #[frame(prefix = u8)]
    name: String,
    #[frame(count = u16)]
    cells: Vec<Counted>,
    #[frame(when = more, count = u16)]
    others: Option<Vec<Counted>>,
    last: Counted,
}

#[derive(Debug, Clone, PartialEq, Wire)]
#[frame(tag = u8)]
enum Line {
    #[frame(tag = 1)]
    Row(Row),
    #[frame(tag = 2, count = u16)]
    Cells(Vec<Counted>),
}

#[derive(Debug, Clone, PartialEq, Frame)]
struct Table {
    #[frame(count = u8)]
    rows: Vec<Row>,
    #[frame(count = u8, each(count = u8, each(count = u16)))]
    cube: Vec<Vec<Vec<Counted>>>,
    #[frame(count = u8)]
    lines: Vec<Line>,
    row: Row,
}

#[test]
fn what_is_settled_is_not_looked_at_again() {
    let cells = || vec![Counted(7); 1000];
    let row = |flags| Row {
        flags,
        name: "row".to_owned(),
        cells: cells(),
        others: (flags == 1).then(cells),
        last: Counted(1),
    };
    let table = Table {
        rows: vec![row(0), row(1), row(1)],
        cube: vec![vec![cells(), cells()], vec![], vec![cells()]],
        lines: vec![Line::Row(row(1)), Line::Cells(cells()), Line::Row(row(0))],
        row: row(1),
    };
    let mut out = BytesMut::new();
    table.write(&mut out).unwrap();
    STEPS.set(0);
    assert_eq!(Table::frame_length(&out), Ok(FrameLength::Known(out.len())));
    let at_once = STEPS.take();
    let mut located = Located::default();
    for arrived in 0..out.len() {
        let told = Table::frame_length_from(&mut located, &out[..arrived]);
        assert!(matches!(told, Ok(FrameLength::Need(need)) if need > arrived && need <= out.len()));
    }
    Table::frame_length_from(&mut located, &out).unwrap();
    // A byte that has not arrived is looked for once more when it has.
    assert!(STEPS.get() <= 2 * at_once + 50, "{} instead of {at_once}", STEPS.get());
}

#[test]
fn a_long_list_of_short_texts_is_read() {
    #[derive(Debug, Clone, PartialEq, Frame)]
    #[frame(max_header = 1 << 20)]
    struct Texts {
        #[frame(count = u32, each(prefix = u8))]
        texts: Vec<String>,
    }

    let texts = Texts { texts: vec![String::new(); 200_000] };
    let mut out = BytesMut::new();
    texts.write(&mut out).unwrap();
    assert_eq!(Texts::frame_length(&out), Ok(FrameLength::Known(out.len())));
    assert_eq!(Texts::read(out.freeze()), Ok(texts));
}
