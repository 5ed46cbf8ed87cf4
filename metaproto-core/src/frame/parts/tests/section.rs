//! Sections against a list of pairs, in every format.

use bytes::{Bytes, BytesMut};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::frame::{Entries, SectionSpec, Spec};
use crate::{Change, Interest, Metadata};

const I32: IntForm = signed(4, ByteOrder::Big);
const NAMES: &[(u64, &str)] = &[(1, "user"), (2, "Trace")];
const COUNT: Extent = extent(unsigned(2, ByteOrder::Little));

static SHORT: EntryFormat = EntryFormat { key: EntryKey::Text(U8), value: U8 };
static WIDE: EntryFormat = EntryFormat { key: EntryKey::Text(I32), value: I32 };
static LEB: EntryFormat =
    EntryFormat { key: EntryKey::Text(IntForm::Varint), value: IntForm::Varint };
static TLV: EntryFormat =
    EntryFormat { key: EntryKey::Number { form: U8, names: NAMES }, value: U8 };

static SPEC: Spec = Spec {
    protocol: "test",
    aliases: &[],
    sharing: None,
    request_id_bits: None,
    sealed_id: false,
    properties: &[],
    sections: &[SectionSpec { field: "section", prefix: "", tags: None }],
    status: None,
    errors: None,
    kind: None,
    kinds: &[],
};

const FORMATS: [&EntryFormat; 4] = [&SHORT, &WIDE, &LEB, &TLV];

/// Names that every format has, in every case.
fn name() -> impl Strategy<Value = String> {
    prop_oneof!["user", "USER", "trace", "[0-9]", "1[0-9]"].prop_map(|name| name.to_owned())
}

fn pairs() -> impl Strategy<Value = Vec<(String, String)>> {
    vec((name(), ".{0,9}"), 0..6)
}

fn every_way(format: &'static EntryFormat, count: usize) -> [Pairs; 5] {
    [
        Pairs::new(format, None, None),
        Pairs::new(format, Some(COUNT), None),
        Pairs::new(format, Some(Extent::Given(count as u64)), None),
        Pairs::new(format, None, Some(VARINT)),
        Pairs::new(format, Some(COUNT), Some(VARINT)),
    ]
}

/// The entries that these bytes are.
fn parse(format: &'static EntryFormat, bytes: impl Into<Bytes>) -> Result<Section, DecodeError> {
    let read = Pairs::new(format, None, None).read(&mut Cursor::whole(&bytes.into()));
    read.map_err(Stop::into_error)
}

fn section(format: &'static EntryFormat, pairs: &[(String, String)]) -> Section {
    let mut out = BytesMut::new();
    for (name, value) in pairs {
        format.write(name.as_bytes(), value.as_bytes(), &mut out).unwrap();
    }
    parse(format, out).unwrap()
}

/// The entries as they stand in a frame.
fn written(section: &Section, format: &'static EntryFormat) -> Bytes {
    let mut out = BytesMut::new();
    Pairs::new(format, None, None).write(section, &mut out).unwrap();
    out.freeze()
}

/// The name as all entries of one key have it.
fn folded(format: &EntryFormat, name: &str) -> String {
    match (format.key, name) {
        (EntryKey::Number { .. }, "1") => "user".to_owned(),
        (EntryKey::Number { .. }, "2") => "trace".to_owned(),
        _ => name.to_ascii_lowercase(),
    }
}

fn model(format: &EntryFormat, pairs: &[(String, String)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| (folded(format, name), value.clone())).collect()
}

fn seen(section: &Section) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let entries = section.iter();
    entries.map(|(key, value)| (text(&key).to_ascii_lowercase(), text(value))).collect()
}

fn change() -> impl Strategy<Value = Change> {
    let set = |(name, value)| Change::Set { name, value };
    let append = |(name, value)| Change::Append { name, value };
    prop_oneof![
        (name(), ".{0,9}").prop_map(set),
        (name(), ".{0,9}").prop_map(append),
        name().prop_map(|name| Change::Remove { name }),
    ]
}

fn apply(model: &mut Vec<(String, String)>, change: &Change, name: String) {
    match change {
        Change::Set { value, .. } => {
            let first = model.iter().position(|(key, _)| *key == name).unwrap_or(model.len());
            let mut at = 0_usize..;
            model.retain(|(key, _)| at.next() == Some(first) || *key != name);
            match model.get_mut(first) {
                Some((_, old)) => old.clone_from(value),
                None => model.push((name, value.clone())),
            }
        }
        Change::Append { value, .. } => model.push((name, value.clone())),
        Change::Remove { .. } => model.retain(|(key, _)| *key != name),
    }
}

proptest! {
    #[test]
    fn sections_come_back(pairs in pairs()) {
        for format in FORMATS {
            let section = section(format, &pairs);
            prop_assert_eq!(section.len(), pairs.len());
            prop_assert_eq!(seen(&section), model(format, &pairs));
            let own = Section::from_pairs(pairs.iter().map(|(name, value)| (name, value))).unwrap();
            prop_assert_eq!(&written(&own, format), &written(&section, format));
            for part in every_way(format, pairs.len()) {
                let wire = laws::hold(&part, &section)?;
                let read = part.read(&mut Cursor::whole(&wire)).unwrap();
                prop_assert_eq!(read.len(), pairs.len());
            }
        }
    }

    #[test]
    fn a_section_changes_as_a_list_of_pairs_does(pairs in pairs(), changes in vec(change(), 0..6)) {
        for format in FORMATS {
            let mut model = model(format, &pairs);
            let section = section(format, &pairs);
            let mut section = section;
            for change in &changes {
                section.apply(change).unwrap();
                apply(&mut model, change, folded(format, change.name()));
            }
            prop_assert_eq!(seen(&section), model.clone());
            prop_assert_eq!(section.len(), model.len());
            for (name, _) in &model {
                let first = model.iter().find(|(key, _)| key == name).unwrap();
                prop_assert_eq!(section.get(name), Some(first.1.as_bytes()));
            }
        }
    }

    #[test]
    fn entries_are_properties(pairs in pairs(), ahead in 0..9_usize) {
        for format in FORMATS {
            let section = section(format, &pairs);
            let part = Pairs::new(format, None, Some(VARINT));
            let mut frame = BytesMut::zeroed(ahead);
            part.write(&section, &mut frame).unwrap();
            let end = frame.len();
            frame.extend_from_slice(b"body");

            let mut metadata = Metadata::new();
            let asked = |interest| Entries { spec: &SPEC, section: 0, interest };
            part.describe(&frame, ahead..end, &asked(&Interest::All), &mut metadata);
            let only = Interest::Only(vec!["trace".to_owned(), "7".to_owned()]);
            let mut few = Metadata::new();
            part.describe(&frame, ahead..end, &asked(&only), &mut few);
            metadata.frame = frame.freeze();
            few.frame = metadata.frame.clone();

            let all = |metadata: &Metadata| -> Vec<_> {
                let properties = metadata.properties();
                properties.map(|(name, value)| (name.to_ascii_lowercase(), value.to_string())).collect()
            };
            let mut model = model(format, &pairs);
            prop_assert_eq!(all(&metadata), model.clone());
            for (name, _) in &model {
                let value = section.get(name).map(|value| String::from_utf8_lossy(value).into_owned());
                prop_assert_eq!(metadata.property(name).map(|value| value.to_string()), value);
            }
            model.retain(|(name, _)| name == "trace" || name == "7");
            prop_assert_eq!(all(&few), model);
        }
    }

    #[test]
    fn any_bytes_are_a_section_or_an_error(bytes: Vec<u8>) {
        for format in FORMATS {
            for part in every_way(format, 3) {
                laws::survive(&part, &bytes, 8)?;
            }
            if let Ok(section) = parse(format, bytes.clone()) {
                prop_assert_eq!(section.iter().count(), section.len());
                prop_assert_eq!(written(&section, format), bytes.clone());
            }
        }
    }
}

#[test]
fn a_name_or_value_that_does_not_fit_changes_nothing() {
    let mut section = section(&TLV, &[("user".to_owned(), "ann".to_owned())]);
    let before = section.clone();
    let error = section.append("nobody", b"").unwrap_err().in_field("tags");
    assert_eq!(error.to_string(), "tags: \"nobody\" is no tag");
    assert!(section.set("256", b"").is_err());
    assert!(section.set("user", [b'x'; 256]).is_err());
    section.remove("nobody");
    assert_eq!((&section, section.len()), (&before, 1));
    assert_eq!(section.get("nobody"), None);
    assert_eq!(section.get("1"), Some(&b"ann"[..]));
    let long = Section::from_pairs([("x".repeat(256), "")]).unwrap();
    assert!(Pairs::new(&SHORT, None, None).write(&long, &mut BytesMut::new()).is_err());
}

#[test]
fn a_value_that_is_nothing_reads_as_empty_and_keeps_its_bytes() {
    let bytes = Bytes::from_static(b"\0\0\0\x01a\xff\xff\xff\xff\0\0\0\x01b\0\0\0\x01c");
    let mut section = parse(&WIDE, bytes.clone()).unwrap();
    assert_eq!(format!("{section:?}"), r#"{"a": "", "b": "c"}"#);
    section.set("b", b"c").unwrap();
    section.append("d", b"e").unwrap();
    section.remove("D");
    assert_eq!(written(&section, &WIDE), bytes);
    let error = parse(&WIDE, Bytes::from_static(&[0xff, 0xff, 0xff, 0xfe])).unwrap_err();
    assert_eq!(error.fault, Fault::UnknownValue(-2));
}

#[test]
fn what_is_settled_of_a_section_is_not_looked_at_again() {
    let part = Pairs::new(&SHORT, Some(COUNT), None);
    let bytes = b"\x02\0\x01a\x01b\x01c\x01d";
    let mut progress = Progress::new();
    let mut settled = Vec::new();
    for there in 1..bytes.len() {
        part.skip(&mut Cursor::open(&bytes[..there]), &mut progress).unwrap_err();
        settled.push((progress.at, progress.left));
    }
    let (none, two, one) = ((0, None), (2, Some(2)), (6, Some(1)));
    assert_eq!(settled, [none, two, two, two, two, one, one, one, one]);
}
