//! What every layout must hold to.

use std::fmt::Debug;

use metaproto_core::frame::Located;
use metaproto_core::{Bytes, BytesMut, DecodeError, Frame, FrameLength};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

type Told = Result<FrameLength, DecodeError>;

/// Every value is cut at every byte, so that few of them say much; `PROPTEST_CASES` asks for more.
/// Nothing is written to disk: what fails is shown.
pub(crate) fn config() -> ProptestConfig {
    let usual = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => usual,
        None => ProptestConfig { cases: 64, ..usual },
    }
}

/// What is done to the bytes of a frame: bytes changed, an end cut off, others put behind it.
pub(crate) type Damage = (Vec<(prop::sample::Index, u8)>, prop::sample::Index, Vec<u8>);

pub(crate) fn damage() -> impl Strategy<Value = Damage> {
    let byte = prop_oneof![any::<u8>(), Just(0), Just(0xff), Just(0x7f), Just(0x80)];
    let change = (any::<prop::sample::Index>(), byte);
    (prop::collection::vec(change, 0..4), any::<prop::sample::Index>(), any::<Vec<u8>>())
}

/// A struct that derives `Frame`, random values of it, and a test of the laws.
///
/// The value of a field is random for its type, or from the strategy behind `=`. What depends on other
/// fields is set right by `fix`.
macro_rules! layout {
    (
        $test:ident:
        $(#[$meta:meta])*
        struct $name:ident {
            $($(#[$said:meta])* $field:ident: $type:ty $(= $from:expr)?,)*
        }
        $(fix $fix:expr)?
    ) => {
        #[derive(Debug, Clone, PartialEq, metaproto_core::Frame)]
        $(#[$meta])*
        struct $name { $($(#[$said])* $field: $type,)* }

        sampled!($name { $($field: $type $(= $from)?,)* } $(fix $fix)?);

        proptest::proptest! {
            #![proptest_config(crate::laws::config())]

            #[test]
            fn $test(
                frame in <$name as crate::values::Sample>::sample(),
                damage in crate::laws::damage(),
            ) {
                crate::laws::hold(&frame, &damage)?;
            }
        }
    };
}

/// A struct that derives `Wire`, and random values of it.
macro_rules! wire {
    (
        $(#[$meta:meta])*
        struct $name:ident {
            $($(#[$said:meta])* $field:ident: $type:ty $(= $from:expr)?,)*
        }
        $(fix $fix:expr)?
    ) => {
        #[derive(Debug, Clone, PartialEq, metaproto_core::Wire)]
        $(#[$meta])*
        struct $name { $($(#[$said])* $field: $type,)* }

        sampled!($name { $($field: $type $(= $from)?,)* } $(fix $fix)?);
    };
}

macro_rules! sampled {
    ($name:ident { $($field:ident: $type:ty $(= $from:expr)?,)* } $(fix $fix:expr)?) => {
        impl crate::values::Sample for $name {
            fn sample() -> proptest::strategy::BoxedStrategy<Self> {
                use proptest::strategy::Strategy;
                let all = ($(sampled!(@ $type $(, $from)?),)*);
                let all = all.prop_map(|($($field,)*)| $name { $($field,)* });
                $(
                    let fix: fn(&mut $name) = $fix;
                    let all = all.prop_map(move |mut value| {
                        fix(&mut value);
                        value
                    });
                )?
                all.boxed()
            }
        }
    };
    (@ $type:ty) => { <$type as crate::values::Sample>::sample() };
    (@ $type:ty, $from:expr) => { $from };
}

/// Holds a frame to all of them.
pub(crate) fn hold<F>(frame: &F, damage: &Damage) -> TestCaseResult
where
    F: Frame + Debug + Clone + PartialEq,
{
    let bytes = written(frame)?;
    prop_assert_eq!(frame.size(), bytes.len(), "{:?} is {:?}", frame, &bytes);
    let read = F::read(bytes.clone());
    prop_assert_eq!(read.as_ref(), Ok(frame), "from {:?}", &bytes);
    prop_assert_eq!(trickled::<F>(&bytes)?, Ok(FrameLength::Known(bytes.len())), "{:?}", &bytes);
    let explained = F::explain(&bytes);
    prop_assert_eq!(explained.error(), None, "{}", &explained);
    for end in 0..bytes.len() {
        prop_assert!(F::read(bytes.slice(..end)).is_err(), "{:?} is read up to {}", &bytes, end);
    }
    let (changes, end, behind) = damage;
    let mut longer = bytes.to_vec();
    longer.extend_from_slice(behind);
    prop_assert_eq!(trickled::<F>(&longer)?, Ok(FrameLength::Known(bytes.len())));
    for (place, byte) in changes {
        let at = place.index(bytes.len());
        longer[at] = *byte;
    }
    damaged::<F>(longer.into())?;
    let mut cut = bytes.to_vec();
    cut.truncate(end.index(bytes.len() + 1));
    if let Some((place, byte)) = changes.first().filter(|_| !cut.is_empty()) {
        let at = place.index(cut.len());
        cut[at] = *byte;
    }
    damaged::<F>(cut.into())
}

fn written<F: Frame + Debug>(frame: &F) -> Result<Bytes, TestCaseError> {
    let mut out = BytesMut::from(&b"before"[..]);
    let written = frame.write(&mut out);
    prop_assert!(written.is_ok(), "{:?}: {:?}", frame, written);
    Ok(out.freeze().slice(6..))
}

/// What is told of bytes that arrive one by one. Whatever is told on the way must agree with what is
/// told of all of them at once.
fn trickled<F: Frame>(bytes: &[u8]) -> Result<Told, TestCaseError> {
    let at_once = F::frame_length(bytes);
    let mut located = Located::<F::Starts>::default();
    let mut needed = 0;
    for arrived in 0..=bytes.len() {
        let told = F::frame_length_from(&mut located, &bytes[..arrived]);
        let afresh = F::frame_length(&bytes[..arrived]);
        prop_assert!(agree(told, afresh), "{:?}, {:?} at {} of {:?}", told, afresh, arrived, bytes);
        match told {
            Ok(FrameLength::Need(need)) => {
                prop_assert!(need > arrived, "{} at {} of {:?}", need, arrived, bytes);
                needed = needed.max(need);
            }
            told => {
                prop_assert!(
                    agree(told, at_once),
                    "{:?} at {} but {:?}: {:?}",
                    told,
                    arrived,
                    at_once,
                    bytes
                );
                break;
            }
        }
    }
    if let Ok(FrameLength::Known(length)) = at_once {
        prop_assert!(needed <= length, "{} of {} are needed: {:?}", needed, length, bytes);
        prop_assert!(length > 0);
    }
    Ok(at_once)
}

/// Of what is wrong different things can be said.
fn agree(one: Told, other: Told) -> bool {
    one == other || (one.is_err() && other.is_err())
}

/// Bytes that may be wrong: they are refused, or they are a frame that can be written again; and what is
/// reserved is in proportion to what is there.
fn damaged<F: Frame + Debug>(bytes: Bytes) -> TestCaseResult {
    let told = trickled::<F>(&bytes)?;
    let _ = F::explain(&bytes).to_string();
    let frame = match told {
        Ok(FrameLength::Known(length)) if length <= bytes.len() => bytes.slice(..length),
        _ => bytes.clone(),
    };
    let mut read = None;
    let spent = allocation_counter::measure(|| read = Some(F::read(frame.clone())));
    let allowed = 64 * frame.len() as u64 + 40_000;
    prop_assert!(spent.bytes_max <= allowed, "{} bytes for {:?}", spent.bytes_max, &frame);
    let Some(Ok(read)) = read else { return Ok(()) };
    prop_assert_eq!(told, Ok(FrameLength::Known(frame.len())), "but is read: {:?}", &frame);
    let again = written(&read)?;
    prop_assert_eq!(read.size(), again.len());
    let twice = F::read(again.clone());
    prop_assert!(twice.is_ok(), "{:?} of {:?}: {:?}", &again, &frame, twice);
    prop_assert_eq!(written(&twice.unwrap())?, again);
    Ok(())
}
