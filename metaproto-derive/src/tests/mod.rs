//! The expansion as text.

use proc_macro2::{TokenStream, TokenTree};
use syn::parse_quote;

use super::*;

mod expansion;

fn example() -> DeriveInput {
    parse_quote! {
        #[frame(magic = 0xdabb_u16, max_len = 1 << 20)]
        #[meta(protocol = "example", errors(Timeout => -1, _ => OTHER))]
        pub struct Example {
            #[meta(kind(1 => Request, 2 => Response, 3 => Ping, 4 => Pong))]
            kind: u8,
            #[frame(endian = little)]
            #[meta(request_id)]
            id: u32,
            #[frame(length(of = frame))]
            len: Auto<u32>,
            #[meta(property, operation)]
            name: [u8; 8],
            #[meta(status(ok = 0))]
            code: i16,
            #[frame(body)]
            body: Bytes,
        }
    }
}

/// Kinds by conditions, and everything that has no fixed place.
fn rich_example() -> DeriveInput {
    parse_quote! {
        #[meta(protocol = "rich", sharing = bound, errors(_ => 1), operation = "{name}/{code:x}")]
        #[meta(kind(event && request => Ping, event => Pong, request => Request, _ => Response))]
        #[meta(property(level, names(1 => "low")), reply(level = 1))]
        struct Rich {
            #[frame(bits(event = 0, request = 1, level = 2..=4))]
            flags: u8,
            #[frame(bytes = 3)]
            #[meta(request_id)]
            id: u32,
            #[meta(timeout(unit = us))]
            time: u32,
            #[meta(status(ok = 0, classes(3 => Timeout)))]
            code: u8,
            #[frame(length(of = rest))]
            len: Auto<u16>,
            #[frame(prefix = u8)]
            name: String,
            #[frame(when = event, varint)]
            #[meta(property(format = "{:x}"))]
            more: Option<u32>,
            #[frame(count = u8, kv(key = u8, value = u8))]
            #[meta(properties(prefix = "h."))]
            headers: Section,
            #[frame(body)]
            body: Bytes,
            #[frame(checksum(with = sum))]
            crc: Auto<u32>,
        }
    }
}

fn idents(tokens: TokenStream, all: &mut Vec<String>) {
    for tree in tokens {
        match tree {
            TokenTree::Ident(ident) => all.push(ident.to_string()),
            TokenTree::Group(group) => idents(group.stream(), all),
            _ => {}
        }
    }
}

#[test]
fn generated_code_has_nothing_unsafe_and_nothing_that_panics() {
    let mut found = Vec::new();
    idents(expand_frame(&example()), &mut found);
    idents(expand_codec(&example()), &mut found);
    idents(expand_frame(&rich_example()), &mut found);
    idents(expand_codec(&rich_example()), &mut found);
    for banned in ["unsafe", "unwrap", "expect", "panic", "unreachable", "compile_error"] {
        assert!(!found.iter().any(|ident| ident == banned), "`{banned}` in the expansion");
    }
}

#[test]
fn with_mistakes_there_is_a_stub_and_every_mistake_is_reported_once() {
    let mut input = example();
    input.attrs.push(parse_quote!(#[frame(indian = little)]));
    input.attrs.push(parse_quote!(#[meta(protocl = "x")]));
    let (frame, codec) = (expand_frame(&input).to_string(), expand_codec(&input).to_string());
    assert_eq!(frame.matches("compile_error").count(), 1, "{frame}");
    assert_eq!(codec.matches("compile_error").count(), 1, "{codec}");
    assert!(frame.contains("impl :: metaproto_core :: frame :: Frame for Example"));
    assert!(codec.contains("impl :: metaproto_core :: frame :: Message for Example"));
}
