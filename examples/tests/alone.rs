//! A frame without a proxy: the program of `docs/derive.md`.

use metaproto_awesomerpc::AwesomeRpc;
use metaproto_core::{Auto, Bytes, BytesMut, Frame, FrameLength, Side};

const GUIDE: &str = include_str!("../../docs/derive.md");

fn is_shown(text: &str) -> bool {
    GUIDE.contains(&format!("```text\n{}\n```", text.trim_end()))
}

#[test]
fn a_frame_is_written_cut_read_and_told() -> Result<(), Box<dyn std::error::Error>> {
    let (pack_len, body) = (Auto::new(), Bytes::from_static(b"hello"));
    let call = AwesomeRpc { version: 1, pack_flow: 7, pack_len, req_cmd: 100, rsp_code: 0, body };

    // Two frames, behind what is there already. If one can't be written, nothing of it is.
    let mut out = BytesMut::new();
    call.write(&mut out)?;
    call.write(&mut out)?;
    assert_eq!(out.len(), 2 * call.size());

    // From a stream: ask for the length, wait for so many bytes, cut the frame off.
    assert_eq!(AwesomeRpc::frame_length(&out[..3])?, FrameLength::Need(9));
    assert_eq!(AwesomeRpc::frame_length(&out[..9])?, FrameLength::Known(18));
    let frame = out.split_to(18).freeze();
    let read = AwesomeRpc::read(frame.clone())?;
    assert_eq!(read, call);

    // In one line for a log, or as an annotated dump for a person.
    println!("{:?}", read.with_offsets());
    println!("{}", AwesomeRpc::explain(&frame));
    assert_eq!((AwesomeRpc::OFFSET_REQ_CMD, AwesomeRpc::HEADER_SIZE), (9, 13));

    assert!(is_shown(&format!("{:?}", read.with_offsets())));
    assert!(is_shown(&AwesomeRpc::explain(&frame).to_string()));
    assert!(is_shown(&AwesomeRpc::explain(&frame[..12]).to_string()));
    let protocol = AwesomeRpc::protocol();
    let told = protocol.explain(Side::Downstream, &frame).to_string();
    assert!(is_shown(&told), "{told}");
    Ok(())
}
