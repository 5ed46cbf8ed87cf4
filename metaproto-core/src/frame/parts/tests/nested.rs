use bytes::BytesMut;
use proptest::prelude::*;

use super::*;

/// A number, and any number of the same within.
#[derive(Debug, PartialEq)]
struct Tree {
    number: u64,
    branches: Vec<Tree>,
}

const NUMBER: Number<u64> = Number::new(IntForm::Varint);
const BRANCHES: List<Nested<Tree>> = List::new(Nested::new(), Some(VARINT), None);

impl Wire for Tree {
    const MIN_SIZE: usize = 2;
    const SIZE: Option<usize> = None;

    fn skip(cursor: &mut Cursor<'_>, progress: &mut Progress) -> Result<(), Stop> {
        let begun = progress.restart(cursor);
        NUMBER.skip(cursor, &mut Progress::new())?;
        let branches = cursor.position();
        let passed = BRANCHES.skip(cursor, progress);
        progress.keep(begun, branches, passed)
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Stop> {
        Ok(Tree { number: NUMBER.read(cursor)?, branches: BRANCHES.read(cursor)? })
    }

    fn size(&self) -> usize {
        NUMBER.size(&self.number).saturating_add(BRANCHES.size(&self.branches))
    }

    fn write(&self, out: &mut BytesMut) -> Result<(), EncodeError> {
        NUMBER.write(&self.number, out)?;
        BRANCHES.write(&self.branches, out)
    }
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = any::<u64>().prop_map(|number| Tree { number, branches: Vec::new() });
    leaf.prop_recursive(4, 20, 4, |inner| {
        (any::<u64>(), proptest::collection::vec(inner, 0..4))
            .prop_map(|(number, branches)| Tree { number, branches })
    })
}

proptest! {
    #[test]
    fn types_within_themselves_come_back(tree in tree()) {
        laws::hold(&Nested::new(), &tree)?;
    }

    #[test]
    fn any_bytes_are_of_the_type_or_an_error(bytes: Vec<u8>) {
        laws::survive(&Nested::<Tree>::new(), &bytes, size_of::<Tree>() as u64)?;
    }
}

#[test]
fn what_is_nested_too_deeply_is_refused() {
    let part = Nested::<Tree>::new();
    let bytes = [1; 1_000_000];
    let stop = part.read(&mut Cursor::over(&bytes)).unwrap_err();
    assert_eq!(stop.into_error().fault, Fault::TooDeep);
    let skip = part.skip(&mut Cursor::open(&bytes), &mut Progress::new());
    assert_eq!(skip.unwrap_err().into_error().fault, Fault::TooDeep);
}

proptest! {
    #[test]
    fn padding_goes_up_to_the_next_boundary(
        align in 0..9_usize, skip in 0..5_usize, origin in 0..9_usize, ahead in 0..99_usize,
    ) {
        let padding = Padding::new(skip, align).from(origin);
        let len = padding.len(ahead);
        prop_assert_eq!((ahead + len).checked_rem(align).unwrap_or_default(), 0);
        prop_assert!(skip <= len && len - skip < align.max(1));
        let mut out = BytesMut::new();
        padding.fill(ahead, &mut out);
        prop_assert_eq!(&out[..], &vec![0; len][..]);
        let frame = vec![1; origin + ahead + len];
        let mut cursor = Cursor::over(&frame);
        cursor.seek(origin + ahead);
        padding.read(&mut cursor).unwrap();
        prop_assert_eq!(cursor.position(), frame.len());
    }
}
