//! Arbitrary bytes, for fuzz targets.

use crate::conformance::declaration::probe;
use crate::conformance::drive::Chunks;
use crate::conformance::examine::examine;
use crate::conformance::report::{Breach, Law, Verdict};
use crate::conformance::{Rig, Samples};
use crate::{Protocol, Side};

/// Pushes arbitrary bytes through a codec as the engine would, on both sides, and tries every method
/// on what comes out. The first byte decides into which chunks the others are cut.
///
/// What must hold: nothing panics, every step makes progress, the frames do not depend on the
/// chunks, frames are kept bit-exact, facts lie inside the frame, patched ids and mutations read
/// back, error replies read as such, what fails leaves no trace.
///
/// It is the body of the targets in `fuzz/` and runs just as well in a test, over a corpus or over
/// random bytes.
///
/// # Panics
/// With a report, if a law is broken.
pub fn fuzz(protocol: &dyn Protocol, data: &[u8]) {
    let Some((first, stream)) = data.split_first() else { return };
    let samples = Samples::new();
    let rig = Rig::new(protocol, &samples);
    let verdict = try_fuzz(&rig, *first, stream);
    if let Err(breach) = verdict {
        let violation = breach.of_sample(&format!("the fuzz input {data:02x?}"));
        panic!("{} breaks a law.\n\n{violation}\n", protocol.name());
    }
}

fn try_fuzz(rig: &Rig<'_>, first: u8, stream: &[u8]) -> Verdict {
    let _ = probe(rig.protocol, stream)?;
    let chunks = match first {
        0..128 => Chunks::Of(usize::from(first).saturating_add(1)),
        seed => Chunks::Random(u64::from(seed)),
    };
    for side in [Side::Downstream, Side::Upstream] {
        // How it ends may differ: who sees more bytes at once may see earlier that they are wrong.
        let (whole, _) = examine(rig, side, stream, Chunks::Whole)?;
        let (chunked, _) = examine(rig, side, stream, chunks)?;
        if whole != chunked {
            let sizes =
                |frames: &[crate::Bytes]| frames.iter().map(|f| f.len()).collect::<Vec<_>>();
            let expected = format!("frames of {:?} bytes, as from one chunk", sizes(&whole));
            let found = format!("{:?} from {chunks:?}, {side:?} side", sizes(&chunked));
            return Err(Breach::new(Law::Chunking, expected, found));
        }
    }
    Ok(())
}
