//! Frames of nothing but a message in the binary protocol with a version, as most are: of such a
//! message only the number differs between both sides of the proxy.

use std::ops::Range;

use metaproto_core::{Bytes, Output};

/// Where the number of such a message stands; `None` if the frame holds another, or not as much of it.
#[inline]
pub(crate) fn number(frame: &[u8]) -> Option<Range<usize>> {
    let &[_, _, _, _, 0x80, 1, _, _, a, b, c, d] = frame.first_chunk()? else { return None };
    let start = usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?.saturating_add(12);
    let place = start..start.saturating_add(4);
    frame.get(place.clone()).map(|_| place)
}

/// Appends `frame` with another number at `place`. What is behind it is shared, if it is much.
pub(crate) fn renumber(frame: &Bytes, place: &Range<usize>, number: [u8; 4], out: &mut Output) {
    let copied = if frame.len() < Output::SHARE_MIN { frame.len() } else { place.end };
    let at = out.tail().len().saturating_add(place.start);
    out.copy(frame.get(..copied).unwrap_or_default());
    if let Some(told) = out.tail().get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
        *told = number;
    }
    if copied < frame.len() {
        out.share(frame.slice(copied..));
    }
}

#[cfg(test)]
mod tests {
    use metaproto_core::BytesMut;
    use proptest::prelude::*;

    use super::*;
    use crate::dialect::Encoding;
    use crate::envelope::{self, MessageType};

    proptest! {
        #[test]
        fn nothing_but_the_number_becomes_another(
            name in "[a-z:]{0,40}",
            seqids in any::<[i32; 2]>(),
            body in prop_oneof![0..300_usize, Output::SHARE_MIN - 60..Output::SHARE_MIN + 60, Just(20_000)],
            stands in 0..50_usize,
        ) {
            let frame = |seqid: i32| {
                let mut frame = BytesMut::zeroed(4);
                envelope::write(Encoding::Binary, MessageType::Call, name.as_bytes(), seqid, &mut frame);
                frame.extend_from_slice(&vec![7; body]);
                frame.freeze()
            };
            let [before, after] = seqids.map(frame);
            let place = number(&before).unwrap();
            for cut in 0..place.end {
                prop_assert_eq!(number(&before[..cut]), None);
            }
            let mut out = Output::new();
            out.copy(&vec![1; stands]);
            renumber(&before, &place, seqids[1].to_be_bytes(), &mut out);
            let written: Vec<u8> = out.parts().flat_map(|part| part.to_vec()).collect();
            prop_assert_eq!(&written[..stands], &vec![1; stands]);
            prop_assert_eq!(&written[stands..], &after[..]);
        }
    }

    #[test]
    fn other_messages_are_not_plain() {
        for (frame, which) in [
            (&b"\0\0\0\x11\x82\x21\x05\x04ping\x00\0\0\0\0\0\0\0"[..], "compact"),
            (b"\0\0\0\x11\0\0\0\x04ping\x01\0\0\0\x07\0\0\0\0", "of old"),
            (b"\0\0\0\x11\x0f\xff\0\0\0\0\0\x07\0\0\0\0\0\0\0\0", "with a header"),
            (b"\x80\x01\0\x01\0\0\0\x04ping\0\0\0\x07\0\0\0\0", "unframed"),
            (b"\0\0\0\x11\x80\x01\0\x01\xff\xff\xff\xffping\0\0\0\x07", "too long"),
        ] {
            assert_eq!(number(frame), None, "{which}");
        }
    }
}
