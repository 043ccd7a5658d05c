//! The slot of a face: a fresh message, which the face releases, and helper data under the one-time pad.

use crate::unlock::evaluation::pad_helper;
use crate::vault::committed::SealError;
use crate::vault::kdf::SlotRoot;
use crate::vault::slot::{self, SlotBinding};
use biometrics::protection::{self, Message, TransformSeed};
use biometrics::template::Reference;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Seals a slot that `face` opens: `root` must come from this very `salt`, which must be fresh.
///
/// # Source
/// `security.md` §1.2 and §2.4.
pub(crate) fn seal_slot<R: CryptoRng + ?Sized>(
    face: &Reference,
    root: &SlotRoot,
    salt: &[u8; 32],
    opened: &slot::Opened,
    binding: SlotBinding<'_>,
    rng: &mut R,
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let message = Message::generate(rng);
    let helper = protection::seal(face, &TransformSeed::from_bytes(&root.transform), &message);
    let padded = pad_helper(helper.as_bytes(), &root.pad);
    slot::seal(opened, &root.secret(Some(message.as_bytes())), salt, &padded, binding)
}
