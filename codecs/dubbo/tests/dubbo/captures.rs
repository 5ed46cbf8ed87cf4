//! Connections of real peers: `tests/golden`.

use std::path::{Path, PathBuf};

use metaproto_core::{Bytes, Side};

/// A frame of a capture.
#[derive(Debug, Clone)]
pub(crate) struct Captured {
    /// The folder and the file that it is from.
    pub(crate) name: String,
    /// Which side reads it.
    pub(crate) side: Side,
    pub(crate) bytes: Bytes,
}

impl Captured {
    /// The id of what the body is serialized with.
    pub(crate) fn serialization(&self) -> u8 {
        self.bytes[2] & 0x1f
    }

    /// Whether it is an event, not a call.
    pub(crate) fn is_event(&self) -> bool {
        self.bytes[2] & 0x20 != 0
    }
}

/// Every whole frame of every capture.
pub(crate) fn frames() -> Vec<Captured> {
    let mut files = Vec::new();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    collect(&here.join("tests/golden"), &mut files);
    collect(&here.join("../../metaproto-core/tests/protocols/golden/dubbo"), &mut files);
    files.sort();
    let frames: Vec<_> = files.iter().flat_map(|path| of_file(path)).collect();
    assert!(frames.len() > 100, "only {} frames", frames.len());
    frames
}

/// Those of a file, by the end of its path.
pub(crate) fn of(name: &str) -> Vec<Captured> {
    let frames: Vec<_> = frames().into_iter().filter(|frame| frame.name.ends_with(name)).collect();
    assert!(!frames.is_empty(), "no frames of {name}");
    frames
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the captures are in the repository") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "hex") {
            files.push(path);
        }
    }
}

fn of_file(path: &Path) -> Vec<Captured> {
    let text = std::fs::read_to_string(path).expect("it can be read");
    let parts = path.iter().rev().take(2).map(|part| part.to_string_lossy());
    let name = parts.collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("/");
    let mut frames = Vec::new();
    let mut waiting = [Vec::new(), Vec::new()];
    for line in text.lines() {
        let (side, hex) = match line.split_at_checked(1) {
            Some((">", hex)) => (Side::Downstream, hex),
            Some(("<", hex)) => (Side::Upstream, hex),
            _ => continue,
        };
        let bytes = &mut waiting[usize::from(side == Side::Upstream)];
        bytes.extend(unhex(hex.trim()));
        while let Some(frame) = cut(bytes) {
            frames.push(Captured { name: name.clone(), side, bytes: frame.into() });
        }
    }
    frames
}

/// The frame at the front. Lengths are read by hand here: the codec is what is tested.
fn cut(bytes: &mut Vec<u8>) -> Option<Vec<u8>> {
    let length: [u8; 4] = bytes.get(12..16)?.try_into().ok()?;
    let total = 16 + u32::from_be_bytes(length) as usize;
    (bytes.len() >= total).then(|| bytes.drain(..total).collect())
}

pub(crate) fn unhex(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| {
        let text = std::str::from_utf8(pair).expect("digits");
        u8::from_str_radix(text, 16).expect("hex")
    };
    digits.chunks(2).map(byte).collect()
}
