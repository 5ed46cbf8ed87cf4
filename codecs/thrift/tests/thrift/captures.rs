//! Connections of real peers: `tests/golden`, and what the worked protocols of `metaproto-core` have.

use std::path::{Path, PathBuf};

use metaproto_core::Side;

/// All that one side has said on a connection.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    /// The folder and the file.
    pub(crate) name: String,
    pub(crate) side: Side,
    pub(crate) bytes: Vec<u8>,
}

/// Both sides of every connection.
pub(crate) fn streams() -> Vec<Stream> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let protocols = here.join("../../metaproto-core/tests/protocols/golden");
    let mut files = Vec::new();
    for folder in [here.join("tests/golden"), protocols.join("theader"), protocols.join("ttheader")]
    {
        collect(&folder, &mut files);
    }
    files.sort();
    let streams: Vec<_> = files.iter().flat_map(|path| of_file(path)).collect();
    assert!(streams.len() > 100, "only {} streams", streams.len());
    streams
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

fn of_file(path: &Path) -> Vec<Stream> {
    let text = std::fs::read_to_string(path).expect("it can be read");
    if text.lines().any(|line| line.starts_with("# cut")) {
        return Vec::new(); // its messages are not there whole
    }
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    let name = parts[parts.len() - 2..].join("/");
    let said = |mark: char| -> Vec<u8> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(mark));
        lines.flat_map(|hex| unhex(hex.trim())).collect()
    };
    [(Side::Downstream, '>'), (Side::Upstream, '<')]
        .map(|(side, mark)| Stream { name: name.clone(), side, bytes: said(mark) })
        .into_iter()
        .filter(|stream| !stream.bytes.is_empty())
        .collect()
}

fn unhex(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| {
        let text = std::str::from_utf8(pair).expect("digits");
        u8::from_str_radix(text, 16).expect("hex")
    };
    digits.chunks(2).map(byte).collect()
}
