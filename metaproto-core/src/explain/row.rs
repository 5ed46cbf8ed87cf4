//! The lines of an annotated hex dump.

use std::fmt::{self, Write};

/// The bytes of one line.
pub(super) const WIDTH: usize = 8;

/// Lines of hex for one note; what is longer is cut.
pub(super) const LINES: usize = 4;

/// The widest column of names: what is longer sticks out, or one long name would make all lines long.
pub(super) const NAMES: usize = 40;

/// What stands in the columns of one note or gap.
#[derive(Debug)]
pub(super) struct Row<'a> {
    /// Where its bytes start; `None` for a fact.
    pub(super) offset: Option<usize>,
    /// Its bytes, as far as they are there.
    pub(super) bytes: &'a [u8],
    /// How many of its bytes are not there.
    pub(super) missing: usize,
    /// Its bytes are those of its parts: a count of them is enough.
    pub(super) counted: bool,
    pub(super) depth: usize,
    pub(super) name: &'a str,
    pub(super) value: &'a str,
}

/// The widths of the columns, in characters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns {
    pub(super) offset: usize,
    pub(super) name: usize,
}

impl Row<'_> {
    /// The width of the name with its indentation.
    pub(super) fn name_width(&self) -> usize {
        let indent = self.depth.saturating_mul(2);
        indent.saturating_add(Clean(self.name).to_string().chars().count())
    }

    /// Writes the row: its first line has the name and the value, the others only bytes.
    pub(super) fn write(
        &self,
        f: &mut fmt::Formatter<'_>,
        columns: Columns,
        whole: bool,
    ) -> fmt::Result {
        let mut hex = String::new();
        let mut shown = self.bytes.chunks(WIDTH);
        let first = if self.counted { None } else { shown.next() };
        let first = first.unwrap_or_default();
        match self.counted {
            true => hex = count(self.bytes.len().saturating_add(self.missing)),
            false => {
                write_hex(&mut hex, first)?;
                let room = WIDTH.saturating_sub(first.len()).min(self.missing);
                (0..room).try_for_each(|_| hex.write_str("-- "))?;
            }
        }
        let mut line = columns.begin(self.offset, hex.trim_end(), first);
        let indent = self.depth.saturating_mul(2);
        let name = columns.name.saturating_sub(indent);
        write!(line, "{:indent$}{:name$}  ", "", Clean(self.name).to_string())?;
        write!(line, "{}", Clean(self.value))?;
        writeln!(f, "{}", line.trim_end())?;
        if self.counted { Ok(()) } else { self.write_rest(f, columns, whole) }
    }

    fn write_rest(&self, f: &mut fmt::Formatter<'_>, columns: Columns, whole: bool) -> fmt::Result {
        // One more line costs no more room than the line that says that there is one.
        let most = LINES.saturating_add(1);
        let all = whole || self.bytes.len() <= most.saturating_mul(WIDTH);
        let lines = if all { usize::MAX } else { LINES };
        let mut offset = self.offset.unwrap_or_default();
        let mut left = self.bytes.len();
        for (index, bytes) in self.bytes.chunks(WIDTH).enumerate() {
            if index == lines {
                let hex = format!("... {} more", count(left));
                return writeln!(f, "{}", columns.begin(Some(offset), &hex, b"").trim_end());
            }
            if index > 0 {
                let mut hex = String::new();
                write_hex(&mut hex, bytes)?;
                let line = columns.begin(Some(offset), hex.trim_end(), bytes);
                writeln!(f, "{}", line.trim_end())?;
            }
            offset = offset.saturating_add(bytes.len());
            left = left.saturating_sub(bytes.len());
        }
        Ok(())
    }
}

impl Columns {
    /// The line up to the name: offset, hex, text.
    fn begin(self, offset: Option<usize>, hex: &str, bytes: &[u8]) -> String {
        let offset = offset.map(|offset| format!("{offset:04x}")).unwrap_or_default();
        let hex_width = WIDTH.saturating_mul(3).saturating_sub(1);
        let text: String = bytes.iter().map(|byte| printable(*byte)).collect();
        format!("{offset:>0$}  {hex:hex_width$}  {text:WIDTH$}  ", self.offset)
    }
}

/// As text: bytes that aren't printable ASCII are dots.
fn printable(byte: u8) -> char {
    if byte.is_ascii_graphic() || byte == b' ' { char::from(byte) } else { '.' }
}

fn write_hex(to: &mut String, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(to, "{byte:02x} "))
}

/// So many bytes, in words.
pub(crate) fn count(bytes: usize) -> String {
    format!("{bytes} byte{}", if bytes == 1 { "" } else { "s" })
}

/// Text without what a terminal obeys: frames come from strangers.
pub(crate) struct Clean<'a>(pub(crate) &'a str);

impl fmt::Display for Clean<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for char in self.0.chars() {
            match char {
                '"' | '\'' | '\\' => f.write_char(char)?,
                _ => write!(f, "{}", char.escape_debug())?,
            }
        }
        Ok(())
    }
}
