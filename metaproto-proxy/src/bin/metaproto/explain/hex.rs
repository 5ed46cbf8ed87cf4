//! Bytes written as hex digits, in the ways that people and tools write them.

use metaproto_core::Side;

use super::input::Input;
use super::report::Stop;

/// The longest line, in bytes.
const LONGEST: u64 = 256 << 20;

/// Passes on the bytes of each line, with their sender if the text tells.
pub(super) fn read(
    mut input: Input,
    mut each: impl FnMut(Option<Side>, &[u8]) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut reader = HexReader::default();
    let mut number = 0_u64;
    while let Some(line) = input.line(LONGEST)? {
        number += 1;
        let text = String::from_utf8_lossy(&line);
        match reader.line(&text) {
            Ok(Some((sender, bytes))) => each(sender, &bytes)?,
            Ok(None) => {}
            Err(error) => return Err(Stop::Input(format!("line {number}: {error}"))),
        }
    }
    Ok(())
}

/// Bytes, and who sent them.
type Sent = (Option<Side>, Vec<u8>);

/// Reads lines of hex. What a line means depends on those before it.
#[derive(Debug, Default)]
pub(super) struct HexReader {
    sender: Option<Side>,
    /// The bytes so far of a dump whose lines begin with offsets and no colon.
    dumped: Option<u64>,
}

impl HexReader {
    /// The bytes of a line, and who sent them; `None` for an empty line or a comment.
    pub(super) fn line(&mut self, line: &str) -> Result<Option<Sent>, String> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(None);
        }
        if let Some(rest) = line.strip_prefix(['>', '<']) {
            let client = line.starts_with('>');
            self.sender = Some(if client { Side::Downstream } else { Side::Upstream });
            return Ok(Some((self.sender, plain(rest)?)));
        }
        if line == "*" {
            return Err("lines are left out here: use hexdump -v, od -v or xxd".to_owned());
        }
        let bytes = match self.dump(line)? {
            Some(bytes) => bytes,
            None => plain(line)?,
        };
        Ok((!bytes.is_empty()).then_some((self.sender, bytes)))
    }

    /// The bytes of a line of a dump; `None` if it is not one.
    fn dump(&mut self, line: &str) -> Result<Option<Vec<u8>>, String> {
        if let Some(hex) = behind_colon(line) {
            return plain(hex).map(Some);
        }
        let Some((word, rest)) = offset(line) else { return Ok(None) };
        let before = self.dumped.unwrap_or(0);
        let is = |number: u64| {
            [16, 8, 10].iter().any(|radix| u64::from_str_radix(word, *radix) == Ok(number))
        };
        let columns = rest.split('|').next().unwrap_or_default();
        let bytes = pairs(columns);
        let ends = self.dumped.is_some() && rest.trim().is_empty();
        if bytes.is_empty() && !ends {
            let swapped = word.len() == 7 && is(before);
            let error = "this dump swaps bytes: use hexdump -C, od -t x1 or xxd".to_owned();
            return if swapped { Err(error) } else { Ok(None) };
        }
        let before = if is(before) { before } else { 0 };
        if !is(before) {
            return match self.dumped {
                Some(dumped) => Err(format!("offset {word}, but {dumped} bytes were before it")),
                None => Ok(None),
            };
        }
        self.dumped = Some(before.saturating_add(bytes.len() as u64));
        Ok(Some(bytes))
    }
}

/// What stands between offset and text in lines of xxd (`00000010: 0102 0304  ....`) and tcpdump
/// (`0x0010:  0102 0304  ....`).
fn behind_colon(line: &str) -> Option<&str> {
    let (offset, rest) = line.split_once(':')?;
    let digits = offset.strip_prefix("0x").unwrap_or(offset);
    let is_offset = (4..=16).contains(&digits.len()) && is_hex(digits);
    if !is_offset || !rest.starts_with(' ') {
        return None;
    }
    let rest = rest.trim_start();
    Some(rest.split_once("  ").map_or(rest, |(hex, _)| hex))
}

/// A first word that may be an offset, and what follows it.
fn offset(line: &str) -> Option<(&str, &str)> {
    let (word, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    ((4..=16).contains(&word.len()) && is_hex(word)).then_some((word, rest))
}

/// The bytes of columns of two digits each, up to the text at the end of the line.
fn pairs(columns: &str) -> Vec<u8> {
    let columns = columns.trim_start();
    let hex = columns.split_once("   ").map_or(columns, |(hex, _)| hex);
    let pair = |word: &str| (word.len() == 2).then(|| u8::from_str_radix(word, 16).ok()).flatten();
    hex.split_ascii_whitespace().map_while(pair).take(16).collect()
}

/// The bytes of words of hex digits, with or without `0x`, `\x`, commas and colons.
fn plain(text: &str) -> Result<Vec<u8>, String> {
    let text = text.split('#').next().unwrap_or_default();
    let mut bytes = Vec::with_capacity(text.len() / 2);
    for word in text.split(|c: char| c.is_ascii_whitespace() || c == ',') {
        let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")).unwrap_or(word);
        for digits in digits.split("\\x").flat_map(|part| part.split(':')) {
            append(digits, &mut bytes)?;
        }
    }
    Ok(bytes)
}

fn append(digits: &str, bytes: &mut Vec<u8>) -> Result<(), String> {
    let shown = || digits.chars().take(32).collect::<String>();
    if !is_hex(digits) {
        return Err(format!("{:?} is not hex", shown()));
    }
    if !digits.len().is_multiple_of(2) {
        return Err(format!("{:?} is an odd number of hex digits", shown()));
    }
    for pair in digits.as_bytes().chunks(2) {
        let value = |digit: &u8| char::from(*digit).to_digit(16).unwrap_or_default() as u8;
        bytes.push(pair.iter().fold(0, |byte, digit| byte << 4 | value(digit)));
    }
    Ok(())
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Vec<u8>, String> {
        let mut reader = HexReader::default();
        let mut all = Vec::new();
        for line in text.lines() {
            all.extend(reader.line(line)?.into_iter().flat_map(|(_, bytes)| bytes));
        }
        Ok(all)
    }

    const BYTES: [u8; 18] =
        [1, 1, 2, 3, 4, 0, 0, 0, 0x12, 0xff, 0xf9, 0, 0, b'h', b'e', b'l', b'l', b'o'];

    #[test]
    fn hex_is_read_in_the_ways_that_people_write_it() {
        for text in [
            "0101020304 00000012\tfff9 0000 68656c6c6f",
            "# a call\n01 01020304 # version, id\n\n00000012\nFFF9 0000 68656C6C6F\n",
            "0x01, 0x01, 0x02, 0x03, 0x04, 0x00000012, 0xfff9, 0x0000, 0x68656c6c6f",
            r"\x01\x01\x02\x03\x04\x00\x00\x00\x12\xff\xf9\x00\x00\x68\x65\x6c\x6c\x6f",
            "01:01:02:03:04:00:00:00:12:ff:f9:00:00:68:65:6c:6c:6f",
        ] {
            assert_eq!(read(text).unwrap(), BYTES, "{text}");
        }
    }

    #[test]
    fn hex_is_read_in_the_ways_that_tools_write_it() {
        for text in [
            // xxd
            "00000000: 0101 0203 0400 0000 12ff f900 0068 656c  .............hel\n\
             00000010: 6c6f                                     lo\n",
            // hexdump -C
            "00000000  01 01 02 03 04 00 00 00  12 ff f9 00 00 68 65 6c  |.............hel|\n\
             00000010  6c 6f                                             |lo|\n00000012\n",
            // tcpdump -x
            "\t0x0000:  0101 0203 0400 0000 12ff f900 0068 656c  .............hel\n\
             \t0x0010:  6c6f                                     lo\n",
            // od -A x -t x1, od -t x1
            "000000 01 01 02 03 04 00 00 00 12 ff f9 00 00 68 65 6c\n000010 6c 6f\n000012\n",
            "0000000 01 01 02 03 04 00 00 00 12 ff f9 00 00 68 65 6c\n0000020 6c 6f\n0000022\n",
            // Wireshark; the text looks like hex
            "0000   01 01 02 03 04 00 00 00 12 ff f9 00 00 68 65 6c   .............hel\n\
             0010   6c 6f                                             ab\n",
        ] {
            assert_eq!(read(text).unwrap(), BYTES, "{text}");
        }
    }

    #[test]
    fn marks_tell_who_sent_the_bytes() {
        let mut reader = HexReader::default();
        let mut sent = |line| reader.line(line).unwrap();
        assert_eq!(sent("00"), Some((None, vec![0])));
        assert_eq!(sent("> 01"), Some((Some(Side::Downstream), vec![1])));
        assert_eq!(sent("02"), Some((Some(Side::Downstream), vec![2])));
        assert_eq!(sent("<03"), Some((Some(Side::Upstream), vec![3])));
    }

    #[test]
    fn what_is_not_hex_is_refused_with_a_remedy() {
        let error = |text: &str| read(text).unwrap_err();
        assert_eq!(error("01 0g"), "\"0g\" is not hex");
        assert_eq!(error("012"), "\"012\" is an odd number of hex digits");
        assert_eq!(error("é"), "\"é\" is not hex");
        let dump = "00000000  01 02\n00000004  03 04\n";
        assert_eq!(error(dump), "offset 00000004, but 2 bytes were before it");
        assert!(error("0000000 0101 0302\n").contains("swaps bytes"));
        assert!(error("00000000  00 00\n*\n00000040\n").contains("hexdump -v"));
    }

    #[test]
    fn words_that_could_be_offsets_are_bytes_unless_columns_follow() {
        assert_eq!(read("00000000").unwrap(), [0; 4]);
        assert_eq!(read("00000000 00000012").unwrap(), [0, 0, 0, 0, 0, 0, 0, 0x12]);
        assert_eq!(read("1234 56 78").unwrap(), [0x12, 0x34, 0x56, 0x78]);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[0-9a-fx:|*#<> \\n\\PC]{0,80}") {
            let _ = read(&text);
        }

        #[test]
        fn what_is_written_is_read(bytes: Vec<u8>, width in 1_usize..40) {
            let line = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x} ")).collect::<String>();
            let text: String = bytes.chunks(width).map(|c| line(c) + "\n").collect();
            prop_assert_eq!(read(&text).unwrap(), bytes);
        }
    }
}
