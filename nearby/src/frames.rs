//! Messages in a stream of bytes: each after its length, four bytes, the highest first.

/// Bytes of the length before each message.
const HEAD: usize = 4;

/// Why bytes are not messages that are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Longer than is taken.
    #[error("a message of {got} bytes, at most {most} are taken")]
    TooLong {
        /// How long it is.
        got: usize,
        /// How long it may be.
        most: usize,
    },
    /// Nothing at all.
    #[error("an empty message")]
    Empty,
}

/// Cuts a stream of bytes into messages.
pub struct Frames {
    most: usize,
    buffer: Vec<u8>,
}

impl Frames {
    /// For messages of at most `most` bytes.
    pub const fn new(most: usize) -> Self {
        Self { most, buffer: Vec::new() }
    }

    /// Takes bytes as they come. What is kept is no more than what came: take messages out before giving more.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message, if there is one. Its length is judged before its bytes are there.
    ///
    /// # Errors
    /// [`FrameError`]; nothing that comes after it can be understood.
    pub fn take(&mut self) -> Result<Option<Vec<u8>>, FrameError> {
        let Some(head) = self.buffer.first_chunk::<HEAD>() else { return Ok(None) };
        let length = usize::try_from(u32::from_be_bytes(*head)).unwrap_or(usize::MAX);
        fits(length, self.most)?;
        let Some(message) = self.buffer.get(HEAD..HEAD.saturating_add(length)) else { return Ok(None) };
        let message = message.to_vec();
        self.buffer.drain(..HEAD + length);
        Ok(Some(message))
    }
}

/// A message as it is sent.
///
/// # Errors
/// [`FrameError`].
pub fn frame(message: &[u8], most: usize) -> Result<Vec<u8>, FrameError> {
    fits(message.len(), most)?;
    let length = u32::try_from(message.len()).map_err(|_| FrameError::TooLong { got: message.len(), most })?;
    let mut framed = Vec::with_capacity(HEAD + message.len());
    framed.extend_from_slice(&length.to_be_bytes());
    framed.extend_from_slice(message);
    Ok(framed)
}

const fn fits(length: usize, most: usize) -> Result<(), FrameError> {
    match length {
        0 => Err(FrameError::Empty),
        got if got > most => Err(FrameError::TooLong { got, most }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_as_they_went_in_however_the_bytes_fall() {
        let messages: [&[u8]; 3] = [b"one", &[7; 300], b"x"];
        let stream: Vec<u8> = messages.iter().flat_map(|message| frame(message, 300).unwrap()).collect();
        for size in [1, 2, 5, 64, stream.len()] {
            let (mut frames, mut got) = (Frames::new(300), Vec::new());
            for part in stream.chunks(size) {
                frames.push(part);
                while let Some(message) = frames.take().unwrap() {
                    got.push(message);
                }
            }
            assert_eq!(got, messages, "in parts of {size}");
        }
    }

    #[test]
    fn attack_44_a_length_is_judged_before_anything_is_kept_for_it() {
        let mut frames = Frames::new(300);
        frames.push(&[0xff, 0xff, 0xff]);
        assert_eq!(frames.take(), Ok(None));
        frames.push(&[0xff]);
        assert_eq!(frames.take(), Err(FrameError::TooLong { got: 0xffff_ffff, most: 300 }));
        let mut frames = Frames::new(300);
        frames.push(&[0, 0, 0, 0, 1]);
        assert_eq!(frames.take(), Err(FrameError::Empty));
        assert_eq!(frame(&[0; 301], 300), Err(FrameError::TooLong { got: 301, most: 300 }));
        assert_eq!(frame(&[], 300), Err(FrameError::Empty));
    }
}
