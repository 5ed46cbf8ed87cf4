// #[derive(Frame)]

#[automatically_derived]
impl ::metaproto_core::frame::Frame for Typical {
    type Header = [::core::primitive::u8; 16];
    type Prefix = [::core::primitive::u8; 16];
    type Sizes = [::core::primitive::usize; 0];
    type Starts = [::core::primitive::usize; 1];
    const TRAILER_SIZE: ::core::primitive::usize = 0;
    const MAX_LENGTH: ::core::primitive::u64 = 4294967311;
    const IS_SCANNED: ::core::primitive::bool = false;
    const FIELDS: &'static [::metaproto_core::frame::FieldInfo] = &[
        ::metaproto_core::frame::FieldInfo::unsigned("magic", 0, 2, &[]),
        ::metaproto_core::frame::FieldInfo::unsigned(
            "flags",
            2,
            1,
            &[
                ::metaproto_core::frame::BitsInfo {
                    name: "request",
                    low: 7,
                    len: 1,
                    single: true,
                },
                ::metaproto_core::frame::BitsInfo {
                    name: "two_way",
                    low: 6,
                    len: 1,
                    single: true,
                },
                ::metaproto_core::frame::BitsInfo {
                    name: "event",
                    low: 5,
                    len: 1,
                    single: true,
                },
                ::metaproto_core::frame::BitsInfo {
                    name: "serialization",
                    low: 0,
                    len: 5,
                    single: false,
                },
            ],
        ),
        ::metaproto_core::frame::FieldInfo::unsigned("status", 3, 1, &[]),
        ::metaproto_core::frame::FieldInfo::unsigned("id", 4, 8, &[]),
        ::metaproto_core::frame::FieldInfo::unsigned("body_len", 12, 4, &[]),
    ];
    const PARTS: &'static [&'static ::core::primitive::str] = &[];
    const CONSTANTS: &'static [::metaproto_core::frame::Constant] = &[
        ::metaproto_core::frame::Constant {
            name: "magic",
            offset: 0,
            bytes: &<::core::primitive::u16>::to_be_bytes(0xdabb_u16),
        },
    ];
    const TEMPLATE: Self::Header = {
        let mut __header = [0_u8; 16];
        ::metaproto_core::__private::put::<
            0,
            2,
            16,
        >(&mut __header, <::core::primitive::u16>::to_be_bytes(0xdabb_u16));
        __header
    };
    #[inline(always)]
    fn length(
        __prefix: &Self::Prefix,
    ) -> ::core::result::Result<
        ::core::option::Option<::core::primitive::usize>,
        ::metaproto_core::DecodeError,
    > {
        let _ = __prefix;
        let __found = ::metaproto_core::__private::take::<0, 2, 16>(__prefix);
        if __found
            != const {
                let __bytes: [::core::primitive::u8; 2] = <::core::primitive::u16>::to_be_bytes(
                    0xdabb_u16,
                );
                __bytes
            }
        {
            return ::core::result::Result::Err(
                ::core::convert::From::from(
                    ::metaproto_core::__private::bad_constant("magic", &__found),
                ),
            );
        }
        ::metaproto_core::__private::total(
            "body_len",
            (<::core::primitive::u32>::from_be_bytes(
                ::metaproto_core::__private::take::<12, 4, 16>(__prefix),
            ) as ::core::primitive::u64),
            16,
            16,
            Self::MAX_LENGTH,
        )
    }
    #[inline]
    fn set_lengths(
        __header: &mut Self::Header,
        __sizes: &Self::Sizes,
        __body: ::core::primitive::usize,
    ) -> ::core::result::Result<(), ::metaproto_core::EncodeError> {
        let _ = &__header;
        let [] = *__sizes;
        let __whole = match ::metaproto_core::__private::wire_length::<
            ::core::primitive::u32,
        >(
            "body_len",
            __body,
            0,
            16,
            <Self as ::metaproto_core::frame::Frame>::MAX_LENGTH,
        ) {
            ::core::result::Result::Ok(__value) => __value,
            ::core::result::Result::Err(__error) => {
                return ::core::result::Result::Err(__error);
            }
        };
        let _ = __whole;
        ::metaproto_core::__private::put::<
            12,
            4,
            16,
        >(__header, <::core::primitive::u32>::to_be_bytes(__whole));
        ::core::result::Result::Ok(())
    }
    #[inline]
    fn read(
        __frame: ::metaproto_core::Bytes,
    ) -> ::core::result::Result<Self, ::metaproto_core::DecodeError> {
        ::metaproto_core::__private::read_plain(__frame)
    }
    fn write(
        &self,
        __out: &mut ::metaproto_core::BytesMut,
    ) -> ::core::result::Result<(), ::metaproto_core::EncodeError> {
        ::metaproto_core::__private::write_plain(self, __out)
    }
    #[inline]
    fn body(&self) -> &[::core::primitive::u8] {
        &self.body
    }
    fn size(&self) -> ::core::primitive::usize {
        let __size: ::core::primitive::usize = 16;
        __size.saturating_add(self.body.len())
    }
}
#[automatically_derived]
impl ::metaproto_core::frame::Plain for Typical {
    #[inline]
    fn from_parts(__header: &Self::Header, __body: ::metaproto_core::Bytes) -> Self {
        Self {
            flags: <::core::primitive::u8>::from_be_bytes(
                ::metaproto_core::__private::take::<2, 1, 16>(__header),
            ),
            status: <::core::primitive::u8>::from_be_bytes(
                ::metaproto_core::__private::take::<3, 1, 16>(__header),
            ),
            id: <::core::primitive::u64>::from_be_bytes(
                ::metaproto_core::__private::take::<4, 8, 16>(__header),
            ),
            body_len: ::metaproto_core::Auto::new(),
            body: __body,
        }
    }
    #[inline]
    fn to_header(
        &self,
    ) -> ::core::result::Result<Self::Header, ::metaproto_core::EncodeError> {
        let mut __header = <Self as ::metaproto_core::frame::Frame>::TEMPLATE;
        match <Self as ::metaproto_core::frame::Frame>::set_lengths(
            &mut __header,
            &[],
            self.body.len(),
        ) {
            ::core::result::Result::Ok(__value) => __value,
            ::core::result::Result::Err(__error) => {
                return ::core::result::Result::Err(__error);
            }
        }
        let _ = &self.body_len;
        ::metaproto_core::__private::put::<
            2,
            1,
            16,
        >(&mut __header, <::core::primitive::u8>::to_be_bytes(self.flags));
        ::metaproto_core::__private::put::<
            3,
            1,
            16,
        >(&mut __header, <::core::primitive::u8>::to_be_bytes(self.status));
        ::metaproto_core::__private::put::<
            4,
            8,
            16,
        >(&mut __header, <::core::primitive::u64>::to_be_bytes(self.id));
        ::core::result::Result::Ok(__header)
    }
}
#[automatically_derived]
#[allow(dead_code)]
impl Typical {
    ///Where `flags` starts, in bytes from the start of the frame.
    pub const OFFSET_FLAGS: ::core::primitive::usize = 2;
    ///Where `status` starts, in bytes from the start of the frame.
    pub const OFFSET_STATUS: ::core::primitive::usize = 3;
    ///Where `id` starts, in bytes from the start of the frame.
    pub const OFFSET_ID: ::core::primitive::usize = 4;
    ///Where `body_len` starts, in bytes from the start of the frame.
    pub const OFFSET_BODY_LEN: ::core::primitive::usize = 12;
}
#[automatically_derived]
#[allow(dead_code)]
impl Typical {
    ///The place of bit 7 of `flags`.
    pub const FLAGS_REQUEST: ::core::primitive::u8 = 128;
    ///What bit 7 of `flags` say.
    #[inline]
    #[must_use]
    pub const fn request(&self) -> ::core::primitive::bool {
        self.flags & Self::FLAGS_REQUEST != 0
    }
    ///Sets bit 7 of `flags`.
    #[inline]
    pub const fn set_request(&mut self, __value: ::core::primitive::bool) {
        self.flags = match __value {
            true => self.flags | Self::FLAGS_REQUEST,
            false => self.flags & !Self::FLAGS_REQUEST,
        };
    }
    ///The place of bit 6 of `flags`.
    pub const FLAGS_TWO_WAY: ::core::primitive::u8 = 64;
    ///What bit 6 of `flags` say.
    #[inline]
    #[must_use]
    pub const fn two_way(&self) -> ::core::primitive::bool {
        self.flags & Self::FLAGS_TWO_WAY != 0
    }
    ///Sets bit 6 of `flags`.
    #[inline]
    pub const fn set_two_way(&mut self, __value: ::core::primitive::bool) {
        self.flags = match __value {
            true => self.flags | Self::FLAGS_TWO_WAY,
            false => self.flags & !Self::FLAGS_TWO_WAY,
        };
    }
    ///The place of bit 5 of `flags`.
    pub const FLAGS_EVENT: ::core::primitive::u8 = 32;
    ///What bit 5 of `flags` say.
    #[inline]
    #[must_use]
    pub const fn event(&self) -> ::core::primitive::bool {
        self.flags & Self::FLAGS_EVENT != 0
    }
    ///Sets bit 5 of `flags`.
    #[inline]
    pub const fn set_event(&mut self, __value: ::core::primitive::bool) {
        self.flags = match __value {
            true => self.flags | Self::FLAGS_EVENT,
            false => self.flags & !Self::FLAGS_EVENT,
        };
    }
    ///The place of the bits 0 to 4 of `flags`.
    pub const FLAGS_SERIALIZATION: ::core::primitive::u8 = 31;
    ///What the bits 0 to 4 of `flags` say.
    #[inline]
    #[must_use]
    pub const fn serialization(&self) -> ::core::primitive::u8 {
        (self.flags & Self::FLAGS_SERIALIZATION) >> 0
    }
    /**Sets the bits 0 to 4 of `flags`.

# Errors
`InvalidValue` if `value` has more bits.*/
    #[inline]
    #[allow(unused_comparisons)]
    pub fn set_serialization(
        &mut self,
        value: ::core::primitive::u8,
    ) -> ::core::result::Result<(), ::metaproto_core::EncodeError> {
        if value > 31 {
            return ::core::result::Result::Err(
                ::metaproto_core::__private::too_wide(
                    "serialization",
                    value as ::core::primitive::u64,
                    31,
                ),
            );
        }
        self.flags = (self.flags & !Self::FLAGS_SERIALIZATION) | (value << 0);
        ::core::result::Result::Ok(())
    }
}

// #[derive(Codec)]

#[automatically_derived]
impl ::metaproto_core::frame::Message for Typical {
    const SPEC: &'static ::metaproto_core::frame::Spec = &::metaproto_core::frame::Spec {
        protocol: "typical",
        aliases: &[],
        sharing: ::core::option::Option::None,
        request_id_bits: ::core::option::Option::Some(64),
        sealed_id: false,
        properties: &[],
        sections: &[],
        status: ::core::option::Option::Some(::metaproto_core::frame::StatusField {
            place: ::metaproto_core::frame::Place::Field(
                ::metaproto_core::frame::FieldInfo::unsigned("status", 3, 1, &[]),
            ),
            ok: {
                let __value: ::core::primitive::u8 = 20;
                __value as ::core::primitive::i64
            },
            classes: &[],
        }),
        errors: ::core::option::Option::Some(::metaproto_core::frame::ErrorTable {
            codes: &[
                (
                    ::metaproto_core::ErrorKind::Timeout,
                    {
                        let __value: ::core::primitive::u8 = 31;
                        __value as ::core::primitive::i64
                    },
                ),
            ],
            other: {
                let __value: ::core::primitive::u8 = 80;
                __value as ::core::primitive::i64
            },
            text: true,
        }),
        kind: ::core::option::Option::Some(::metaproto_core::frame::KindField {
            place: ::metaproto_core::frame::Place::Field(
                ::metaproto_core::frame::FieldInfo::unsigned(
                    "flags",
                    2,
                    1,
                    &[
                        ::metaproto_core::frame::BitsInfo {
                            name: "request",
                            low: 7,
                            len: 1,
                            single: true,
                        },
                        ::metaproto_core::frame::BitsInfo {
                            name: "two_way",
                            low: 6,
                            len: 1,
                            single: true,
                        },
                        ::metaproto_core::frame::BitsInfo {
                            name: "event",
                            low: 5,
                            len: 1,
                            single: true,
                        },
                        ::metaproto_core::frame::BitsInfo {
                            name: "serialization",
                            low: 0,
                            len: 5,
                            single: false,
                        },
                    ],
                ),
            ),
            values: &[
                (
                    {
                        let __value: ::core::primitive::u8 = 0xc2;
                        __value as ::core::primitive::i64
                    },
                    ::metaproto_core::MessageKind::Request,
                ),
                (
                    {
                        let __value: ::core::primitive::u8 = 0x02;
                        __value as ::core::primitive::i64
                    },
                    ::metaproto_core::MessageKind::Response,
                ),
                (
                    {
                        let __value: ::core::primitive::u8 = 0xe2;
                        __value as ::core::primitive::i64
                    },
                    ::metaproto_core::MessageKind::Ping,
                ),
                (
                    {
                        let __value: ::core::primitive::u8 = 0x22;
                        __value as ::core::primitive::i64
                    },
                    ::metaproto_core::MessageKind::Pong,
                ),
            ],
        }),
        kinds: &[
            ::metaproto_core::MessageKind::Request,
            ::metaproto_core::MessageKind::Response,
            ::metaproto_core::MessageKind::Ping,
            ::metaproto_core::MessageKind::Pong,
        ],
    };
    const IS_PLAIN: ::core::primitive::bool = true;
    #[inline(always)]
    fn describe(
        __header: &Self::Header,
        __asked: &::metaproto_core::frame::Asked,
        __metadata: &mut ::metaproto_core::Metadata,
    ) -> ::core::result::Result<(), ::metaproto_core::DecodeError> {
        let _ = (__header, __asked);
        __metadata.request_id = ::core::option::Option::Some(
            <::core::primitive::u64>::from_be_bytes(
                ::metaproto_core::__private::take::<4, 8, 16>(__header),
            ) as ::core::primitive::u64,
        );
        __metadata.kind = match __asked.side {
            ::metaproto_core::Side::Downstream => ::metaproto_core::MessageKind::Request,
            ::metaproto_core::Side::Upstream => ::metaproto_core::MessageKind::Response,
        };
        #[allow(unreachable_patterns)]
        {
            __metadata.kind = match <::core::primitive::u8>::from_be_bytes(
                ::metaproto_core::__private::take::<2, 1, 16>(__header),
            ) {
                0xc2 => ::metaproto_core::MessageKind::Request,
                0x02 => ::metaproto_core::MessageKind::Response,
                0xe2 => ::metaproto_core::MessageKind::Ping,
                0x22 => ::metaproto_core::MessageKind::Pong,
                __unknown => {
                    return ::core::result::Result::Err(
                        ::metaproto_core::__private::unknown_kind(
                            "flags",
                            __unknown as ::core::primitive::i64,
                        ),
                    );
                }
            };
        }
        if let ::metaproto_core::MessageKind::Response = __metadata.kind {
            __metadata.status = ::core::option::Option::Some(
                Self::SPEC
                    .status(
                        <::core::primitive::u8>::from_be_bytes(
                            ::metaproto_core::__private::take::<3, 1, 16>(__header),
                        ) as ::core::primitive::i64,
                    ),
            );
        }
        ::core::result::Result::Ok(())
    }
    fn set_kind(
        __header: &mut Self::Header,
        __kind: ::metaproto_core::MessageKind,
    ) -> ::core::result::Result<(), ::metaproto_core::EncodeError> {
        match __kind {
            ::metaproto_core::MessageKind::Request => {
                ::metaproto_core::__private::put::<
                    2,
                    1,
                    16,
                >(
                    __header,
                    <::core::primitive::u8>::to_be_bytes({
                        let __value: ::core::primitive::u8 = 0xc2;
                        __value
                    }),
                );
                ::core::result::Result::Ok(())
            }
            ::metaproto_core::MessageKind::Response => {
                ::metaproto_core::__private::put::<
                    2,
                    1,
                    16,
                >(
                    __header,
                    <::core::primitive::u8>::to_be_bytes({
                        let __value: ::core::primitive::u8 = 0x02;
                        __value
                    }),
                );
                ::core::result::Result::Ok(())
            }
            ::metaproto_core::MessageKind::Ping => {
                ::metaproto_core::__private::put::<
                    2,
                    1,
                    16,
                >(
                    __header,
                    <::core::primitive::u8>::to_be_bytes({
                        let __value: ::core::primitive::u8 = 0xe2;
                        __value
                    }),
                );
                ::core::result::Result::Ok(())
            }
            ::metaproto_core::MessageKind::Pong => {
                ::metaproto_core::__private::put::<
                    2,
                    1,
                    16,
                >(
                    __header,
                    <::core::primitive::u8>::to_be_bytes({
                        let __value: ::core::primitive::u8 = 0x22;
                        __value
                    }),
                );
                ::core::result::Result::Ok(())
            }
            _ => {
                ::core::result::Result::Err(
                    ::metaproto_core::EncodeError::Unsupported("messages of this kind"),
                )
            }
        }
    }
    #[inline]
    fn set_request_id(
        __header: &mut Self::Header,
        __id: ::core::primitive::u64,
    ) -> ::core::result::Result<(), ::metaproto_core::EncodeError> {
        match ::metaproto_core::__private::request_id::<
            ::core::primitive::u64,
        >("id", __id, 8) {
            ::core::result::Result::Ok(__value) => {
                ::metaproto_core::__private::put::<
                    4,
                    8,
                    16,
                >(__header, <::core::primitive::u64>::to_be_bytes(__value));
                ::core::result::Result::Ok(())
            }
            ::core::result::Result::Err(__error) => ::core::result::Result::Err(__error),
        }
    }
}
#[automatically_derived]
#[allow(dead_code)]
impl Typical {
    /// The protocol whose messages these are.
    #[must_use]
    pub fn protocol() -> ::std::sync::Arc<dyn ::metaproto_core::Protocol> {
        ::std::sync::Arc::new(::metaproto_core::frame::Derived::<Typical>::new())
    }
}
const _: () = ::core::assert!(
    { let __value : ::core::primitive::u8 = 31; __value as ::core::primitive::i64 } != {
    let __value : ::core::primitive::u8 = 20; __value as ::core::primitive::i64 },
    "this is the ok value; an error needs another code",
);
const _: () = ::core::assert!(
    { let __value : ::core::primitive::u8 = 80; __value as ::core::primitive::i64 } != {
    let __value : ::core::primitive::u8 = 20; __value as ::core::primitive::i64 },
    "this is the ok value; an error needs another code",
);
