//! Random values of the types that fields have.

use metaproto_core::{Auto, Bytes, Section};
use proptest::collection::vec;
use proptest::prelude::*;

/// A type that a field can have.
pub(crate) trait Sample: Sized + std::fmt::Debug + 'static {
    fn sample() -> BoxedStrategy<Self>;
}

macro_rules! any_of {
    ($($type:ty)*) => {$(
        impl Sample for $type {
            fn sample() -> BoxedStrategy<Self> {
                // Numbers at the bounds are those that go wrong.
                let zero = <$type>::default();
                prop_oneof![4 => any::<$type>(), 1 => Just(zero), 1 => Just(<$type>::MAX), 1 => Just(<$type>::MIN)]
                    .boxed()
            }
        }
    )*};
}

any_of! { u8 u16 u32 u64 u128 i8 i16 i32 i64 i128 f32 f64 }

impl<T: 'static> Sample for Auto<T> {
    fn sample() -> BoxedStrategy<Self> {
        Just(Auto::new()).boxed()
    }
}

impl Sample for Bytes {
    fn sample() -> BoxedStrategy<Self> {
        vec(any::<u8>(), 0..20).prop_map(Bytes::from).boxed()
    }
}

impl Sample for String {
    fn sample() -> BoxedStrategy<Self> {
        "[a-zé]{0,12}".boxed()
    }
}

impl<T: Sample> Sample for Vec<T> {
    fn sample() -> BoxedStrategy<Self> {
        vec(T::sample(), 0..5).boxed()
    }
}

impl<T: Sample> Sample for Option<T> {
    fn sample() -> BoxedStrategy<Self> {
        proptest::option::of(T::sample()).boxed()
    }
}

impl<T: Sample + Clone, const N: usize> Sample for [T; N] {
    fn sample() -> BoxedStrategy<Self> {
        vec(T::sample(), N).prop_map(|items| items.try_into().unwrap()).boxed()
    }
}

impl Sample for Section {
    fn sample() -> BoxedStrategy<Self> {
        vec(("[a-zA-Z]{0,5}", Bytes::sample()), 0..4)
            .prop_map(|pairs| Section::from_pairs(pairs).unwrap())
            .boxed()
    }
}

/// A section whose names are numbers that fit a byte.
pub(crate) fn numbered() -> BoxedStrategy<Section> {
    let name = any::<u8>().prop_map(|number| number.to_string());
    vec((name, Bytes::sample()), 0..4).prop_map(|pairs| Section::from_pairs(pairs).unwrap()).boxed()
}

/// Bytes that are a multiple of four.
pub(crate) fn words() -> BoxedStrategy<Bytes> {
    vec(any::<[u8; 4]>(), 0..5).prop_map(|words| Bytes::from(words.concat())).boxed()
}

/// Bytes without this one.
pub(crate) fn without(byte: u8) -> BoxedStrategy<Bytes> {
    vec(any::<u8>().prop_map(move |any| if any == byte { !any } else { any }), 0..20)
        .prop_map(Bytes::from)
        .boxed()
}
