//! A message on its way from one connection to another.

use bytes::{Buf, Bytes};
use metaproto_core::{Codec, EncodeError, Metadata, Mutation, Output};

/// A message that is to be written: as it came, or re-written by a mutation.
#[derive(Debug)]
pub(crate) enum Message {
    /// The frame as it came.
    Frame {
        /// All of it.
        frame: Bytes,
        /// The bytes before the body; the id lies within them.
        header_size: usize,
    },
    /// What the codec has written for a mutation. The id lies within its first stretch.
    Rewritten(Output),
}

impl Message {
    /// The message that `metadata` describes, with `mutation` applied. Takes the frame out of
    /// `metadata`: what is still to be read from it must have been read.
    #[inline]
    pub(crate) fn take(
        metadata: &mut Metadata,
        mutation: &Mutation,
        codec: &dyn Codec,
    ) -> Result<Self, EncodeError> {
        if mutation.is_empty() {
            let header_size = metadata.header_size;
            return Ok(Message::Frame { frame: std::mem::take(&mut metadata.frame), header_size });
        }
        let mut output = Output::new();
        codec.encode(metadata, mutation, &mut output)?;
        Ok(Message::Rewritten(output))
    }

    /// The bytes that the message has.
    pub(crate) fn len(&self) -> usize {
        match self {
            Message::Frame { frame, .. } => frame.len(),
            Message::Rewritten(output) => output.len(),
        }
    }

    /// Appends the message to `out`, with another id if one is given. The body of a large message is
    /// shared; a header is copied, because it is about to be changed. On an error `out` is as it was.
    pub(crate) fn write(
        self,
        out: &mut Output,
        codec: &dyn Codec,
        id: Option<u64>,
    ) -> Result<(), EncodeError> {
        let start = out.len();
        let result = match self {
            Message::Frame { frame, header_size } => {
                write_frame(out, frame, header_size, codec, id)
            }
            Message::Rewritten(output) => write_rewritten(out, output, codec, id),
        };
        result.inspect_err(|_| out.truncate(start))
    }
}

fn write_frame(
    out: &mut Output,
    mut frame: Bytes,
    header_size: usize,
    codec: &dyn Codec,
    id: Option<u64>,
) -> Result<(), EncodeError> {
    let Some(id) = id else {
        out.share(frame);
        return Ok(());
    };
    if frame.len() < Output::SHARE_MIN {
        return patched(out, &frame, codec, id);
    }
    let header = frame.split_to(header_size.min(frame.len()));
    patched(out, &header, codec, id)?;
    out.share(frame);
    Ok(())
}

fn write_rewritten(
    out: &mut Output,
    mut message: Output,
    codec: &dyn Codec,
    id: Option<u64>,
) -> Result<(), EncodeError> {
    let Some(id) = id else {
        out.append(message);
        return Ok(());
    };
    let head = message.copy_to_bytes(message.chunk().len());
    patched(out, &head, codec, id)?;
    out.append(message);
    Ok(())
}

/// Appends a copy of `bytes`, the start of a frame, with `id` in it.
fn patched(out: &mut Output, bytes: &[u8], codec: &dyn Codec, id: u64) -> Result<(), EncodeError> {
    let tail = out.tail();
    let start = tail.len();
    tail.extend_from_slice(bytes);
    codec.patch_request_id(tail.get_mut(start..).unwrap_or_default(), id)
}
