use metaproto_core::{Codec, Frame};

const SAME: u8 = 1;

#[derive(Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "names")]
#[meta(kind(evnt => Ping, event && code == 2 => Reqest, tail => Oneway, 1 => Pong))]
#[meta(kind(_ => Request, event => Response))]
struct Names {
    #[frame(bits(event = 0))]
    flags: u8,
    code: u8,
    tail: [u8; 2],
}

#[derive(Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "order", kind(_ => Request, event => Response))]
struct Order {
    #[frame(bits(event = 0))]
    flags: u8,
}

#[derive(Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "hidden", kind(event => Request, event && other => Pong, _ => Response))]
struct Hidden {
    #[frame(bits(event = 0, other = 1))]
    flags: u8,
}

#[derive(Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "unknown", errors(_ => 1))]
#[meta(kind(event && other => Request, code > 4 => Ping, code == 4 => Pong, _ => Response))]
struct Unknown {
    #[frame(bits(event = 0, other = 1))]
    flags: u8,
    #[meta(status(ok = 0))]
    code: u8,
}

#[derive(Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "made", errors(_ => 1))]
#[meta(kind(event && other => Request, event => Pong, _ => Response))]
#[meta(make(Response(event = true), Pong(other = 1), Ping(event = true), Pong(event = true)))]
struct Made {
    #[frame(bits(event = 0, other = 1))]
    flags: u8,
    #[meta(status(ok = 0))]
    code: u8,
}

#[derive(Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "nothing", make(Response(flags = 1)))]
struct Nothing {
    #[meta(kind(1 => Request, _ => Response))]
    flags: u8,
}

#[derive(Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "twice", kind(flags == 1 => Request))]
struct Twice {
    #[meta(kind(1 => Request))]
    flags: u8,
}

#[derive(Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "same", errors(_ => 1))]
#[meta(kind(flags == 1 => Request, flags == SAME => Response))]
struct Same {
    flags: u8,
    #[meta(status(ok = 0))]
    code: u8,
}

fn main() {}
