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
