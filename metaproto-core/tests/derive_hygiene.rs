//! Generated code works where nothing is imported and every name means something else.

#![no_implicit_prelude]

mod shadowed {
    #![allow(non_camel_case_types, dead_code)]

    pub(crate) struct Option;
    pub(crate) struct Result;
    pub(crate) struct Ok;
    pub(crate) struct Err;
    pub(crate) struct Some;
    pub(crate) struct None;
    pub(crate) struct core;
    pub(crate) struct metaproto_core;
    pub(crate) struct usize;
}

mod messages {
    #[allow(unused_imports)]
    use super::shadowed::*;

    const MAGIC: u16 = 0x0a0b;
    const ERROR: i8 = -1;

    #[derive(::metaproto_core::Frame, ::metaproto_core::Codec)]
    #[frame(max_len = 100)]
    #[meta(protocol = "shadowed", errors(_ => ERROR))]
    pub(super) struct Shadowed {
        #[frame(constant = MAGIC)]
        pub(super) header: ::metaproto_core::Auto<u16>,
        #[meta(request_id)]
        pub(super) __header: u32,
        #[meta(kind(1 => Request, 2 => Response))]
        pub(super) kind: u8,
        #[meta(status(ok = 0), property, operation)]
        pub(super) r#type: i8,
        #[frame(length(of = frame))]
        pub(super) value: ::metaproto_core::Auto<u64>,
        #[frame(body)]
        pub(super) __body: ::metaproto_core::Bytes,
    }

    #[derive(::metaproto_core::Frame, ::metaproto_core::Codec)]
    #[meta(protocol = "parts", operation = "{name}/{r#type}", errors(_ => 1))]
    #[meta(kind(r#in && value == 2 => Request, r#in => Ping, value == 3 => Pong, _ => Response))]
    #[meta(make(Response(r#in = false, value = 4), Ping(r#in = true, value = 1)))]
    #[meta(property(value, name = "v"), reply(level = 1))]
    pub(super) struct Parts {
        #[frame(bits(r#in = 0, value = 1..=3, level = 4..=5))]
        pub(super) flags: u8,
        #[meta(timeout, property(names(1 => "one")))]
        pub(super) __value: u16,
        #[meta(status(ok = 0))]
        pub(super) r#type: i8,
        #[frame(length(of = rest))]
        pub(super) __header: ::metaproto_core::Auto<u16>,
        #[frame(prefix = u8)]
        #[meta(property)]
        pub(super) name: ::std::string::String,
        #[frame(when = r#in, varint)]
        #[meta(property(format = "{:x}"))]
        pub(super) r#else: ::std::option::Option<u32>,
        #[frame(count = u8, kv(key = u8, value = u8))]
        #[meta(properties)]
        pub(super) metadata: ::metaproto_core::Section,
        #[frame(body)]
        pub(super) __body: ::metaproto_core::Bytes,
    }

    macro_rules! message {
        ($name:ident, $ty:ty) => {
            #[derive(::metaproto_core::Frame, ::metaproto_core::Codec)]
            #[frame(fixed)]
            #[meta(protocol = "made")]
            pub(super) struct $name {
                #[meta(property)]
                pub(super) x: $ty,
            }
        };
    }
    message!(Made, u32);
}

#[test]
fn generated_code_depends_on_nothing_that_is_in_scope() {
    use ::metaproto_core::{Auto, Bytes, BytesMut, Frame};
    use ::std::{assert, assert_eq};

    let frame = messages::Shadowed {
        header: Auto::new(),
        __header: 1,
        kind: 2,
        r#type: 3,
        value: Auto::new(),
        __body: Bytes::from_static(b"x"),
    };
    let mut out = BytesMut::new();
    frame.write(&mut out).unwrap();
    assert_eq!(&out[..], b"\x0a\x0b\0\0\0\x01\x02\x03\0\0\0\0\0\0\0\x11x");
    let read = messages::Shadowed::read(out.freeze()).unwrap();
    assert!(read.__header == 1 && read.kind == 2 && read.r#type == 3 && read.__body == "x");
    assert_eq!(messages::Shadowed::protocol().name(), "shadowed");
    assert_eq!(messages::Made::OFFSET_X, 0);
    assert_eq!(messages::Parts::protocol().name(), "parts");
    assert_eq!(messages::Made { x: 1 }.x, 1);
}
