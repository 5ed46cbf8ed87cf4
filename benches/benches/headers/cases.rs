//! What is measured: every operation as every contender does it.

use std::hint::black_box;

use metaproto_awesomerpc::AwesomeRpc;
use metaproto_core::{
    Bytes, BytesMut, Codec, CodecContext, DecodeError, EncodeError, Fault, Frame, FrameLength,
    Limits, Metadata, Side,
};

use super::{
    by_hand, derived, hand_codec, samples, with_binrw, with_deku, with_nom, with_zerocopy,
};

/// Who all others are compared with.
pub(crate) const BY_HAND: &str = "by hand";
/// Whose bar it is.
pub(crate) const DERIVED: &str = "derived";

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    /// How many times the instructions of [`BY_HAND`] ours may take.
    pub(crate) bar: f64,
    /// Whether it may allocate.
    pub(crate) allocates: bool,
}

const fn header(name: &'static str, allocates: bool) -> Operation {
    Operation { name, bar: 1.03, allocates }
}

const fn frame(name: &'static str) -> Operation {
    Operation { name, bar: 1.10, allocates: false }
}

const DUBBO_DECODE: Operation = header("dubbo header, decode", false);
const DUBBO_ENCODE: Operation = header("dubbo header, encode", true);
const DUBBO_FRAME: Operation = frame("dubbo frame");
const AWESOME_DECODE: Operation = header("awesomerpc header, decode", false);
const AWESOME_ENCODE: Operation = header("awesomerpc header, encode", true);
const AWESOME_FRAME: Operation = frame("awesomerpc frame");

/// One operation as one contender does it.
pub(crate) struct Case {
    pub(crate) operation: Operation,
    pub(crate) who: &'static str,
    /// Does so many rounds of [`samples::COUNT`] operations.
    pub(crate) run: Box<dyn FnMut(u64)>,
    /// What comes of a round. It must be the same for all contenders.
    pub(crate) outcome: Box<dyn FnMut() -> String>,
}

/// Reads a header: all that it tells, folded into a number.
type Decode = fn(&[u8]) -> Option<u64>;

/// Writes the header of a message.
type Encode<T, const N: usize> = fn(&T, &mut [u8; N]) -> Result<(), EncodeError>;

/// Makes the codec of a connection.
type MakeCodec = fn(&CodecContext) -> Box<dyn Codec>;

/// All of them; those of an operation follow each other, [`BY_HAND`] first.
pub(crate) fn all() -> Vec<Case> {
    let mut cases = dubbo();
    cases.extend(awesome());
    cases
}

/// The loops around reading and writing a header, with nothing in them. What is around a frame belongs
/// to handing it over.
pub(crate) fn loops() -> Vec<Case> {
    const WHO: &str = "nothing";
    #[inline(never)]
    fn read(_: &[u8]) -> Option<u64> {
        Some(0)
    }
    #[inline(never)]
    fn write<T, const N: usize>(_: &T, _: &mut [u8; N]) -> Result<(), EncodeError> {
        Ok(())
    }
    let (dubbo, awesome) = (samples::dubbo(), samples::awesome());
    let wire = vec![Bytes::from_static(&[0; 16]); samples::COUNT];
    vec![
        decoding(DUBBO_DECODE, WHO, wire.clone(), read),
        decoding(AWESOME_DECODE, WHO, wire, read),
        encoding::<_, 16>(DUBBO_ENCODE, WHO, dubbo, write),
        encoding::<_, 13>(AWESOME_ENCODE, WHO, awesome, write),
    ]
}

fn dubbo() -> Vec<Case> {
    let parts = samples::dubbo();
    let frames: Vec<_> = parts.iter().map(derived::dubbo).collect();
    let wire: Vec<Bytes> = frames.iter().map(written).collect();
    let decode = |who, decode| decoding(DUBBO_DECODE, who, wire.clone(), decode);
    let encode = |who, encode| encoding(DUBBO_ENCODE, who, parts.clone(), encode);
    vec![
        decode(BY_HAND, by_hand::decode_dubbo),
        decode(DERIVED, derived::decode_dubbo),
        decode("zerocopy", with_zerocopy::decode_dubbo),
        decode("binrw", with_binrw::decode_dubbo),
        decode("deku", with_deku::decode_dubbo),
        decode("nom", with_nom::decode_dubbo),
        encode(BY_HAND, by_hand::encode_dubbo),
        encoding(DUBBO_ENCODE, DERIVED, frames.clone(), derived::encode_dubbo),
        encode("zerocopy", with_zerocopy::encode_dubbo),
        encode("binrw", with_binrw::encode_dubbo),
        encode("deku", with_deku::encode_dubbo),
        framing(DUBBO_FRAME, BY_HAND, &wire, |context| {
            Box::new(hand_codec::DubboCodec::new(context))
        }),
        framing(DUBBO_FRAME, DERIVED, &wire, |context| derived::Dubbo::protocol().codec(context)),
    ]
}

fn awesome() -> Vec<Case> {
    let parts = samples::awesome();
    let frames: Vec<_> = parts.iter().map(derived::awesome).collect();
    let wire: Vec<Bytes> = frames.iter().map(written).collect();
    let decode = |who, decode| decoding(AWESOME_DECODE, who, wire.clone(), decode);
    let encode = |who, encode| encoding(AWESOME_ENCODE, who, parts.clone(), encode);
    vec![
        decode(BY_HAND, by_hand::decode_awesome),
        decode(DERIVED, derived::decode_awesome),
        decode("zerocopy", with_zerocopy::decode_awesome),
        decode("binrw", with_binrw::decode_awesome),
        decode("deku", with_deku::decode_awesome),
        decode("nom", with_nom::decode_awesome),
        encode(BY_HAND, by_hand::encode_awesome),
        encoding(AWESOME_ENCODE, DERIVED, frames.clone(), derived::encode_awesome),
        encode("zerocopy", with_zerocopy::encode_awesome),
        encode("binrw", with_binrw::encode_awesome),
        encode("deku", with_deku::encode_awesome),
        framing(AWESOME_FRAME, BY_HAND, &wire, |context| {
            Box::new(hand_codec::AwesomeCodec::new(context))
        }),
        framing(AWESOME_FRAME, DERIVED, &wire, |context| AwesomeRpc::protocol().codec(context)),
    ]
}

fn written<F: Frame>(frame: &F) -> Bytes {
    let mut wire = BytesMut::new();
    frame.write(&mut wire).expect("it fits");
    wire.freeze()
}

/// Reading headers. `decode` is a pointer: the loop around it is the same code for everybody.
fn decoding(operation: Operation, who: &'static str, wire: Vec<Bytes>, decode: Decode) -> Case {
    let again = wire.clone();
    let run = move |rounds| {
        let mut all = 0_u64;
        for _ in 0..rounds {
            for bytes in &wire {
                all = all.rotate_left(1) ^ decode(bytes).unwrap_or_default();
            }
        }
        black_box(all);
    };
    let outcome = move || format!("{:?}", again.iter().map(|b| decode(b)).collect::<Vec<_>>());
    Case { operation, who, run: Box::new(run), outcome: Box::new(outcome) }
}

/// Writing headers, each to a place of its own.
fn encoding<T: 'static, const N: usize>(
    operation: Operation,
    who: &'static str,
    messages: Vec<T>,
    encode: Encode<T, N>,
) -> Case {
    let messages = std::rc::Rc::new(messages);
    let again = messages.clone();
    let mut out = vec![[0; N]; messages.len()];
    let run = move |rounds| {
        let mut failed = 0_u64;
        for _ in 0..rounds {
            for (message, out) in messages.iter().zip(&mut out) {
                failed += u64::from(encode(message, out).is_err());
            }
            black_box(&mut out);
        }
        black_box(failed);
    };
    let outcome = move || {
        let written = again.iter().map(|message| {
            let mut out = [0; N];
            encode(message, &mut out).map(|()| out)
        });
        format!("{:?}", written.collect::<Vec<_>>())
    };
    Case { operation, who, run: Box::new(run), outcome: Box::new(outcome) }
}

/// A frame's way through a codec, as the engine has it: its length, then its facts. The frame is
/// handed over, and let go of with the next one.
fn framing(operation: Operation, who: &'static str, wire: &[Bytes], codec: MakeCodec) -> Case {
    let codec = move || codec(&CodecContext::new(Side::Downstream, Limits::default()));
    let (wire, again) = (wire.to_vec(), wire.to_vec());
    let (mut running, mut metadata) = (codec(), Metadata::new());
    let run = move |rounds| {
        for _ in 0..rounds {
            for frame in &wire {
                let read = read(&mut *running, frame, &mut metadata);
                black_box((read.is_ok(), &mut metadata));
            }
        }
    };
    let outcome = move || {
        let told = again.iter().map(|frame| {
            let mut metadata = Metadata::new();
            let read = read(&mut *codec(), frame, &mut metadata);
            (read, metadata)
        });
        format!("{:?}", told.collect::<Vec<_>>())
    };
    Case { operation, who, run: Box::new(run), outcome: Box::new(outcome) }
}

#[inline(never)]
fn read(codec: &mut dyn Codec, frame: &Bytes, metadata: &mut Metadata) -> Result<(), DecodeError> {
    match codec.frame_length(frame)? {
        FrameLength::Known(length) if length == frame.len() => {}
        _ => return Err(DecodeError::connection("", Fault::Truncated)),
    }
    metadata.clear();
    codec.decode(frame.clone(), metadata)
}
