//! The text of the crates.

use std::fmt::Write as _;
use std::path::Path;

/// A field of a header.
#[derive(Clone, Copy)]
struct Field {
    name: &'static str,
    ty: &'static str,
    width: usize,
}

const fn field(name: &'static str, ty: &'static str, width: usize) -> Field {
    Field { name, ty, width }
}

/// The fields of a frame but for its length and body.
const FIELDS: [Field; 7] = [
    field("flags", "u8", 1),
    field("status", "u8", 1),
    field("id", "u64", 8),
    field("code", "i32", 4),
    field("token", "[u8; 4]", 4),
    field("tries", "u16", 2),
    field("sent", "i64", 8),
];
/// Bytes before the fields.
const MAGIC: usize = 2;
/// Where the length stands: behind all fields.
const LENGTH: usize = MAGIC + 28;
/// All before the body.
const HEADER: usize = LENGTH + 4;

pub(crate) fn workspace_manifest(members: &[&str]) -> String {
    format!("[workspace]\nresolver = \"3\"\nmembers = {members:?}\n")
}

pub(crate) fn manifest(name: &str, core: &Path) -> String {
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [dependencies]\nmetaproto-core = {{ path = {core:?} }}\n"
    )
}

/// Frames that the derive reads and writes.
pub(crate) fn derived(frames: usize) -> String {
    let mut text = String::from("use metaproto_core::{Auto, Bytes, BytesMut, Frame};\n");
    for index in 0..frames {
        let mut fields = String::new();
        for (_, Field { name, ty, .. }) in fields_of(index) {
            let _ = writeln!(fields, "    pub {name}: {ty},");
        }
        let _ = write!(
            text,
            "
#[derive(Frame)]
#[frame(magic = {magic}_u16)]
pub struct Frame{index} {{
{fields}    #[frame(length(of = body))]
    pub len: Auto<u32>,
    #[frame(body)]
    pub body: Bytes,
}}
{forward}",
            magic = magic(index),
            forward = forward(index),
        );
    }
    text
}

/// The same with what an expert would write.
pub(crate) fn by_hand(frames: usize) -> String {
    let mut text =
        String::from("use metaproto_core::{Bytes, BytesMut, DecodeError, EncodeError, Fault};\n");
    for index in 0..frames {
        text.push_str(&frame_by_hand(index));
        text.push_str(&forward(index));
    }
    text
}

fn frame_by_hand(index: usize) -> String {
    let (mut fields, mut reads, mut writes) = (String::new(), String::new(), String::new());
    for (at, Field { name, ty, width }) in fields_of(index) {
        let bytes: Vec<_> = (at..at + width).map(|byte| format!("h[{byte}]")).collect();
        let bytes = format!("[{}]", bytes.join(", "));
        let (read, written) = match ty.starts_with('[') {
            true => (bytes, format!("self.{name}")),
            false => {
                (format!("{ty}::from_be_bytes({bytes})"), format!("self.{name}.to_be_bytes()"))
            }
        };
        let _ = writeln!(fields, "    pub {name}: {ty},");
        let _ = writeln!(reads, "            {name}: {read},");
        let _ = writeln!(writes, "        h[{at}..{}].copy_from_slice(&{written});", at + width);
    }
    format!(
        "
pub struct Frame{index} {{
{fields}    pub body: Bytes,
}}

impl Frame{index} {{
    pub fn read(frame: Bytes) -> Result<Self, DecodeError> {{
        let Some(&h) = frame.first_chunk::<{HEADER}>() else {{
            return Err(DecodeError::connection(\"\", Fault::Truncated));
        }};
        let magic = u16::from_be_bytes([h[0], h[1]]);
        if magic != {magic} {{
            return Err(DecodeError::connection(\"magic\", Fault::BadMagic(magic.into())));
        }}
        let len = u32::from_be_bytes([h[{LENGTH}], h[{LENGTH} + 1], h[{LENGTH} + 2], h[{LENGTH} + 3]]);
        if len as usize + {HEADER} != frame.len() {{
            return Err(DecodeError::connection(\"len\", Fault::Truncated));
        }}
        Ok(Frame{index} {{
{reads}            body: frame.slice({HEADER}..),
        }})
    }}

    pub fn write(&self, out: &mut BytesMut) -> Result<(), EncodeError> {{
        let len = u32::try_from(self.body.len()).map_err(|_| EncodeError::InvalidValue {{
            field: \"len\",
            reason: \"the body is too long\".into(),
        }})?;
        let mut h = [0; {HEADER}];
        h[..{MAGIC}].copy_from_slice(&{magic}_u16.to_be_bytes());
{writes}        h[{LENGTH}..].copy_from_slice(&len.to_be_bytes());
        out.reserve(h.len() + self.body.len());
        out.extend_from_slice(&h);
        out.extend_from_slice(&self.body);
        Ok(())
    }}
}}
",
        magic = magic(index),
    )
}

/// A use of both ways: code that nobody calls would be made in one of the crates only.
fn forward(index: usize) -> String {
    format!(
        "
pub fn forward{index}(frame: Bytes, out: &mut BytesMut) -> bool {{
    Frame{index}::read(frame).is_ok_and(|frame| frame.write(out).is_ok())
}}
"
    )
}

/// No two frames are alike, or the compiler would make one of them.
fn magic(index: usize) -> usize {
    0xca00 + index
}

/// The fields and where they start. Their order differs from frame to frame.
fn fields_of(index: usize) -> Vec<(usize, Field)> {
    let mut fields = FIELDS;
    fields.rotate_left(index % FIELDS.len());
    let mut at = MAGIC;
    let place = |field: Field| {
        let start = at;
        at += field.width;
        (start, field)
    };
    fields.into_iter().map(place).collect()
}
