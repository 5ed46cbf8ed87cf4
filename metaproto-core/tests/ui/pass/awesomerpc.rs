use metaproto_core::{Auto, Bytes, Codec, Frame};

#[derive(Debug, Clone, PartialEq, Eq, Frame, Codec)]
#[meta(protocol = "awesomerpc", errors(RouteNotFound => -1, _ => -16))]
pub struct AwesomeRpc {
    pub version: i8,
    #[meta(request_id)]
    pub pack_flow: u32,
    #[frame(at = 5, length(of = frame))]
    pub pack_len: Auto<u32>,
    #[meta(operation, property = "cmd")]
    pub req_cmd: i16,
    #[meta(status(ok = 0))]
    pub rsp_code: i16,
    #[frame(at = 13, body)]
    pub body: Bytes,
}

fn main() {
    assert_eq!(AwesomeRpc::HEADER_SIZE, 13);
}
