//! Where everything lies in the file: constant sizes, whatever the vault holds.
//!
//! # Source
//! `security.md` §1.3.

/// Bytes of the whole file, always.
pub const FILE_LEN: usize = OUTER_SALT_LEN + IMAGE_LEN + CHUNKS * TAG_LEN;

/// Bytes of the salt in front.
pub(crate) const OUTER_SALT_LEN: usize = 32;
/// Plaintext bytes of one chunk of the outer stream.
pub(crate) const CHUNK_LEN: usize = 65_536;
/// Bytes of an AES-GCM tag.
pub(crate) const TAG_LEN: usize = 16;
/// Chunks of the outer stream; the last is shorter.
pub(crate) const CHUNKS: usize = IMAGE_LEN.div_ceil(CHUNK_LEN);
/// Bytes inside the outer stream.
pub(crate) const IMAGE_LEN: usize = COMPARTMENTS_AT + COMPARTMENTS * COMPARTMENT_LEN;

/// Bytes of the page of parameters at the front of the image.
pub(crate) const PARAMS_LEN: usize = 4_096;
/// Slots, used or random.
pub(crate) const SLOTS: usize = 8;
/// Bytes of a slot.
pub(crate) const SLOT_LEN: usize = 1_024;
/// Compartments, used or random.
pub(crate) const COMPARTMENTS: usize = 3;
/// Where the compartments start.
pub(crate) const COMPARTMENTS_AT: usize = PARAMS_LEN + SLOTS * SLOT_LEN;
/// Bytes of a compartment.
pub(crate) const COMPARTMENT_LEN: usize = 4_194_304;
/// Bytes of one manifest; each compartment has two places for it, used in turn.
pub(crate) const MANIFEST_LEN: usize = 65_536;
/// Where the records of a compartment start.
pub(crate) const HEAP_AT: usize = 2 * MANIFEST_LEN;

/// Bytes that a sealed blob is longer than what it seals: salt, commitment, tag.
pub(crate) const BLOB_OVERHEAD: usize = 32 + 32 + TAG_LEN;

const _: () = assert!(FILE_LEN == 12_598_320 && IMAGE_LEN == 12_595_200 && CHUNKS == 193);
