// What is generated is no reason for a lint to fire, however strict.
#![deny(warnings, missing_docs, unused_qualifications, clippy::all, clippy::pedantic)]
#![forbid(unsafe_code)]
//! A protocol.

mod private {
    use metaproto_core::{Auto, Bytes, Codec, Frame};

    #[derive(Frame, Codec)]
    #[frame(magic = 1_u8)]
    #[meta(protocol = "strict")]
    struct Private {
        #[frame(constant = 2)]
        version: Auto<u8>,
        id: u16,
        #[frame(length(of = body))]
        len: Auto<u64>,
        #[frame(body)]
        body: Bytes,
    }

    pub(crate) fn use_it() {
        let (version, len, body) = (Auto::new(), Auto::new(), Bytes::new());
        let _ = Private { version, id: 1, len, body };
    }
}

fn main() {
    private::use_it();
}
