//! What every layout must do with every frame.

use std::fmt::Debug;

use metaproto_core::frame::{Frames, Located};
use metaproto_core::{Bytes, BytesMut, DecodeError, Explanation, Frame, FrameLength, Side};

use super::golden::{Connection, Golden};
use super::guide;

/// Holds a struct against a frame and returns what it reads.
pub(crate) fn frame<F: Frame + Debug + PartialEq + 'static>(golden: &Golden) -> F {
    let bytes = &golden.bytes;
    framed(golden, &mut Framed::of::<F>());
    let frame = F::read(bytes.clone()).unwrap_or_else(|error| panic!("{golden}: {error}"));
    let mut out = BytesMut::from(&b"before"[..]);
    frame.write(&mut out).unwrap_or_else(|error| panic!("{golden}: {error}"));
    assert_eq!(&out[6..], &bytes[..], "{golden} is not written back as it was: {frame:?}");
    assert_eq!(frame.size(), bytes.len(), "{golden}");
    explained(golden, &F::explain(bytes));
    guide::measures::<F>();
    for end in [0, 1, bytes.len() / 2, bytes.len().saturating_sub(1)] {
        assert!(F::read(bytes.slice(..end)).is_err(), "{golden}, cut off at {end}, is read");
        let _ = F::explain(&bytes[..end]);
    }
    frame
}

/// Holds an enum of structs against a frame and returns what it reads.
pub(crate) fn one_of<F: Frames + Debug + PartialEq + 'static>(golden: &Golden) -> F {
    let (side, bytes) = (golden.side, &golden.bytes);
    framed(golden, &mut Framed::one_of::<F>(side));
    let frame = F::read(side, bytes.clone()).unwrap_or_else(|error| panic!("{golden}: {error}"));
    let mut out = BytesMut::from(&b"before"[..]);
    frame.write(&mut out).unwrap_or_else(|error| panic!("{golden}: {error}"));
    assert_eq!(&out[6..], &bytes[..], "{golden} is not written back as it was: {frame:?}");
    assert_eq!(frame.size(), bytes.len(), "{golden}");
    explained(golden, &F::explain(side, bytes));
    frame
}

/// Cuts all that one side of a connection has sent into its frames, whatever the reads are like.
pub(crate) fn stream(connection: &Connection, side: Side, framed: impl Fn() -> Framed) {
    let sent: Vec<_> = connection.frames.iter().filter(|frame| frame.side == side).collect();
    let all: Vec<u8> = sent.iter().flat_map(|frame| frame.bytes.to_vec()).collect();
    for seed in 0..8 {
        let (mut cuts, mut framed) = (Cuts::new(seed), framed());
        let (mut start, mut arrived, mut lengths) = (0, 0, Vec::new());
        while start < all.len() {
            let known = match arrived > start {
                true => framed.length(&all[start..arrived]).unwrap(),
                false => FrameLength::Need(1),
            };
            match known {
                FrameLength::Known(length) if start + length <= arrived => {
                    lengths.push(length);
                    start += length;
                    framed = framed.next();
                }
                _ if arrived == all.len() => break,
                _ => arrived = (arrived + cuts.next()).min(all.len()),
            }
        }
        let expected: Vec<_> = sent.iter().map(|frame| frame.bytes.len()).collect();
        assert_eq!(lengths, expected, "{}", connection.name);
    }
}

type Told = Result<FrameLength, DecodeError>;

/// Tells the length of the frame that starts with these bytes.
type Length = Box<dyn FnMut(&[u8]) -> Told>;

/// Tells the length of one frame that arrives bit by bit.
pub(crate) struct Framed {
    length: Length,
    again: Box<dyn Fn() -> Framed>,
}

impl Framed {
    pub(crate) fn of<F: Frame + 'static>() -> Self {
        let mut located = Located::<F::Starts>::default();
        Framed {
            length: Box::new(move |head| F::frame_length_from(&mut located, head)),
            again: Box::new(Framed::of::<F>),
        }
    }

    pub(crate) fn one_of<F: Frames + 'static>(side: Side) -> Self {
        Framed {
            length: Box::new(move |head| F::frame_length(side, head)),
            again: Box::new(move || Framed::one_of::<F>(side)),
        }
    }

    fn length(&mut self, head: &[u8]) -> Told {
        (self.length)(head)
    }

    fn next(&self) -> Framed {
        (self.again)()
    }
}

/// The length of a frame is told right, however it is cut, and as soon as can be.
fn framed(golden: &Golden, framed: &mut Framed) {
    let bytes = &golden.bytes;
    let known = Ok(FrameLength::Known(bytes.len()));
    assert_eq!(framed.length(bytes), known, "{golden}");
    let mut more = bytes.to_vec();
    more.extend_from_slice(&bytes[..bytes.len() / 2]);
    assert_eq!(framed.next().length(&more), known, "{golden}, with more behind it");
    let mut cuts = Cuts::new(bytes.len() as u64);
    let random: Vec<_> = (0..bytes.len()).map(|_| cuts.next()).collect();
    for steps in [vec![1; bytes.len()], random] {
        let (mut framed, mut arrived) = (framed.next(), 0);
        for step in steps {
            arrived = (arrived + step).min(bytes.len());
            match framed.length(&bytes[..arrived]) {
                Ok(FrameLength::Need(need)) => {
                    assert!(need > arrived && need <= bytes.len(), "{golden}: {need} at {arrived}");
                }
                told => {
                    assert_eq!(told, known, "{golden}, at {arrived}");
                    break;
                }
            }
        }
    }
}

/// Every byte is told once, and nothing is wrong.
fn explained(golden: &Golden, explanation: &Explanation) {
    assert_eq!(explanation.error(), None, "{golden}\n{explanation}");
    let mut at = 0;
    for range in explanation.notes().iter().filter_map(|note| note.range.clone()) {
        assert!(range.start <= at, "{golden}: nothing is said of byte {at}\n{explanation}");
        at = at.max(range.end);
    }
    assert_eq!(at, golden.bytes.len(), "{golden}\n{explanation}");
    guide::shows(golden, explanation);
}

/// Lengths of reads: mostly small, now and then larger. The same for the same seed.
struct Cuts(u64);

impl Cuts {
    fn new(seed: u64) -> Self {
        Cuts(seed)
    }

    fn next(&mut self) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let most = if self.0 >> 60 == 0 { 400 } else { 12 };
        (self.0 >> 33) as usize % most + 1
    }
}

/// The body of a frame that is shared with it, not copied.
pub(crate) fn is_shared(golden: &Golden, body: &Bytes) -> bool {
    body.is_empty() || golden.bytes.as_ptr_range().contains(&body.as_ptr())
}
