//! The encrypted channel of a session: one key and one counter for each direction.

use crate::key_agreement::SharedSecret;
use crate::mdoc::SessionTranscript;
use crate::mdoc::session_key::{Purpose, derive};
use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead as _, KeyInit as _};
use zeroize::Zeroizing;

/// On whose side of the channel we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Holder,
    Reader,
}

/// Both directions, as one side sees them. The keys are wiped when it is dropped.
pub(super) struct Channel {
    sending: Direction,
    receiving: Direction,
}

struct Direction {
    key: Zeroizing<[u8; 32]>,
    /// Keeps the two directions apart, should their keys ever be the same.
    identifier: [u8; 8],
    /// Messages so far; the first has number 1.
    messages: u32,
}

impl Channel {
    /// Derives `SKReader` and `SKDevice`.
    ///
    /// # Source
    /// ISO/IEC 18013-5 §9.1.1.5.
    pub(super) fn new(secret: &SharedSecret, transcript: &SessionTranscript, side: Side) -> Self {
        let direction = |purpose, last| Direction {
            key: derive(secret, transcript, purpose),
            identifier: [0, 0, 0, 0, 0, 0, 0, last],
            messages: 0,
        };
        let (reader, device) = (direction(Purpose::Reader, 0), direction(Purpose::Device, 1));
        match side {
            Side::Holder => Self { sending: device, receiving: reader },
            Side::Reader => Self { sending: reader, receiving: device },
        }
    }

    /// Ciphertext with its tag; `None` when all numbers are used up.
    pub(super) fn seal(&mut self, plaintext: &[u8]) -> Option<Vec<u8>> {
        let (cipher, nonce) = self.sending.next()?;
        cipher.encrypt(&nonce.into(), plaintext).ok()
    }

    /// The plaintext of the next message of the other side; `None` for any other message, and when all numbers are used up.
    pub(super) fn open(&mut self, ciphertext: &[u8]) -> Option<Vec<u8>> {
        let (cipher, nonce) = self.receiving.next()?;
        cipher.decrypt(&nonce.into(), ciphertext).ok()
    }
}

impl Direction {
    /// The cipher, and a nonce that was never used before: identifier and number of the message.
    fn next(&mut self) -> Option<(Aes256Gcm, [u8; 12])> {
        self.messages = self.messages.checked_add(1)?;
        let mut nonce = [0; 12];
        let (left, right) = nonce.split_at_mut(8);
        left.copy_from_slice(&self.identifier);
        right.copy_from_slice(&self.messages.to_be_bytes());
        Some((Aes256Gcm::new_from_slice(&self.key[..]).ok()?, nonce))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key_agreement::KeyAgreement as _;
    use crate::signer::Signer as _;
    use crate::testing::key;

    fn pair() -> (Channel, Channel) {
        let transcript = SessionTranscript::openid4vp("a", "b", None, "c");
        let channel =
            |ours, theirs, side| Channel::new(&key(ours).agree(key(theirs).public_key()).unwrap(), &transcript, side);
        (channel(1, 2, Side::Holder), channel(2, 1, Side::Reader))
    }

    #[test]
    fn attack_48_messages_replayed_reflected_reordered_or_changed_do_not_open() {
        let (mut holder, mut reader) = pair();
        let first = reader.seal(b"first").unwrap();
        assert_eq!(holder.open(&first).unwrap(), b"first");
        assert!(holder.open(&first).is_none(), "replayed");
        let (mut holder, mut reader) = pair();
        let mine = holder.seal(b"mine").unwrap();
        assert!(holder.open(&mine).is_none(), "reflected");
        let (one, two) = (reader.seal(b"one").unwrap(), reader.seal(b"two").unwrap());
        let (mut other, _) = pair();
        assert!(other.open(&two).is_none(), "reordered");
        let (mut other, _) = pair();
        let mut changed = one;
        changed[0] ^= 1;
        assert!(other.open(&changed).is_none(), "changed");
        let (mut other, _) = pair();
        assert!(other.open(&[]).is_none() && other.open(&[0; 15]).is_none());
    }

    #[test]
    fn no_nonce_is_used_twice_even_at_the_end_of_numbers() {
        let (mut holder, _) = pair();
        holder.sending.messages = u32::MAX - 1;
        assert!(holder.seal(b"last").is_some());
        assert!(holder.seal(b"one more").is_none());
    }
}
