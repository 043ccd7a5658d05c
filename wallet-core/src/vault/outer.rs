//! The outer stream: the whole image under the key of one save, in chunks, so that the file is uniform bytes.
//!
//! No magic, no version, no length that tells: `outer_salt[32]`, then 193 chunks. Nothing in it is ever changed under
//! the same key; each save draws a new one.
//!
//! # Source
//! `security.md` §1.3; C2SP `age.md`, "Payload" (STREAM with an 11-byte counter and a final flag).

use crate::secret::EpochKey;
use crate::vault::committed::SealError;
use crate::vault::image::Image;
use crate::vault::kdf;
use crate::vault::layout::{CHUNK_LEN, CHUNKS, FILE_LEN, IMAGE_LEN, OUTER_SALT_LEN, TAG_LEN};
use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit};
use rand_core::CryptoRng;

/// Encrypts an image into the bytes of a file, under a key that is used for nothing else.
pub(crate) fn seal<R: CryptoRng + ?Sized>(image: &Image, epoch: &EpochKey, rng: &mut R) -> Result<Vec<u8>, SealError> {
    let mut salt = [0; OUTER_SALT_LEN];
    rng.fill_bytes(&mut salt);
    let cipher = Aes256Gcm::new(kdf::outer_key(epoch, &salt).bytes().into());
    let mut file = Vec::with_capacity(FILE_LEN);
    file.extend(salt);
    for (plain, nonce) in image.bytes().chunks(CHUNK_LEN).zip(nonces()) {
        let start = file.len();
        file.extend_from_slice(plain);
        let chunk = file.get_mut(start..).ok_or(SealError)?;
        let tag = cipher.encrypt_inout_detached(&nonce.into(), &[], chunk.into()).map_err(|_| SealError)?;
        file.extend_from_slice(&tag);
    }
    Ok(file)
}

/// Decrypts and authenticates a whole file, or gives nothing at all.
pub(crate) fn open(file: &[u8], epoch: &EpochKey) -> Option<Image> {
    if file.len() != FILE_LEN {
        return None;
    }
    let (salt, stream) = file.split_first_chunk::<OUTER_SALT_LEN>()?;
    let cipher = Aes256Gcm::new(kdf::outer_key(epoch, salt).bytes().into());
    let mut image = Vec::with_capacity(IMAGE_LEN);
    for (sealed, nonce) in stream.chunks(CHUNK_LEN + TAG_LEN).zip(nonces()) {
        let (chunk, tag) = sealed.split_last_chunk::<TAG_LEN>()?;
        let start = image.len();
        image.extend_from_slice(chunk);
        let out = image.get_mut(start..)?;
        cipher.decrypt_inout_detached(&nonce.into(), &[], out.into(), tag.into()).ok()?;
    }
    Image::from_bytes(image)
}

/// An 11-byte counter and a byte that is 1 for the last chunk only.
fn nonces() -> impl Iterator<Item = [u8; 12]> {
    (0..CHUNKS as u64).map(|number| {
        let [a, b, c, d, e, f, g, h] = number.to_be_bytes();
        [0, 0, 0, a, b, c, d, e, f, g, h, u8::from(number + 1 == CHUNKS as u64)]
    })
}

#[cfg(test)]
mod tests;
