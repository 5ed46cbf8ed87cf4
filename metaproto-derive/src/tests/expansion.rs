//! What the derives make of a typical header, for people to read: `typical.expanded.rs`. Run with
//! `BLESS=1` to write it anew after a change that is meant.

use std::path::Path;

use syn::parse_quote;

use super::*;

/// The most lines that a header of five fields may become, four names of bits among them.
const FRAME_LINES: usize = 300;
const CODEC_LINES: usize = 270;

fn typical() -> DeriveInput {
    parse_quote! {
        #[frame(magic = 0xdabb_u16)]
        #[meta(protocol = "typical", errors(Timeout => 31, _ => 80))]
        pub struct Typical {
            #[frame(bits(request = 7, two_way = 6, event = 5, serialization = 0..=4))]
            #[meta(kind(0xc2 => Request, 0x02 => Response, 0xe2 => Ping, 0x22 => Pong))]
            pub flags: u8,
            #[meta(status(ok = 20))]
            pub status: u8,
            #[meta(request_id)]
            pub id: u64,
            #[frame(length(of = body))]
            pub body_len: Auto<u32>,
            #[frame(body)]
            pub body: Bytes,
        }
    }
}

fn pretty(tokens: TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(tokens).expect("an expansion is made of items"))
}

#[test]
fn the_expansion_of_a_typical_header_stays_readable_and_short() {
    let (frame, codec) = (pretty(expand_frame(&typical())), pretty(expand_codec(&typical())));
    let expanded = format!("// #[derive(Frame)]\n\n{frame}\n// #[derive(Codec)]\n\n{codec}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/typical.expanded.rs");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &expanded).expect("the sources can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(expanded == committed, "look at what has changed: BLESS=1 cargo test, then git diff");
    let (frame, codec) = (frame.lines().count(), codec.lines().count());
    assert!(frame <= FRAME_LINES, "{frame} lines for `Frame`, over {FRAME_LINES}");
    assert!(codec <= CODEC_LINES, "{codec} lines for `Codec`, over {CODEC_LINES}");
}
