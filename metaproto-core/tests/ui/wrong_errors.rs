use metaproto_core::{Codec, Frame};

#[derive(Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "no-default", errors(Timeout => -1))]
struct NoDefault {
    #[meta(status(ok = 0))]
    status: i16,
}

#[derive(Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "many", errors(Timeuot => -1, Denied => -2, Denied => -3, Aborted => 0, _ => 40000))]
struct Many {
    #[meta(status(ok = 0))]
    status: i16,
}

#[derive(Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "no-status", errors(_ => -1))]
struct NoStatus {
    id: u32,
}

#[derive(Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "no-errors", error_text = false)]
struct NoErrors {
    id: u32,
}

const OK: i16 = 7;

#[derive(Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "named-ok", errors(_ => OK))]
struct NamedOk {
    #[meta(status(ok = 7))]
    status: i16,
}

fn main() {}
