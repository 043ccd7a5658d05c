//! Codes: pieces of a paper that a camera reads one by one, as text that every reader of QR codes gives back unchanged.

use sha2::{Digest as _, Sha256};

/// The most bytes of a paper in one code. With what surrounds them they fill a QR code of version 25 at error correction M:
/// read from print by an ordinary telephone.
pub const FRAME_BYTES: usize = 900;
/// The most codes of one paper.
pub const MOST_FRAMES: usize = 200;

/// What a code of ours starts with; all of it is of the QR alphanumeric alphabet.
const PREFIX: &str = "AMPARO1:";
/// Number of codes, place of this one, and four bytes that name the paper.
const HEADER: usize = 6;

/// Why a code is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Not one of ours.
    #[error("the code is not a piece of an Amparo paper")]
    NotOurs,
    /// Of another paper than the first.
    #[error("the code is of another paper")]
    OtherPaper,
    /// Two codes say different things about the same place.
    #[error("two codes of the paper contradict each other")]
    Contradiction,
    /// More than a paper has.
    #[error("a paper has at most {MOST_FRAMES} codes")]
    TooMany,
    /// Some are still missing.
    #[error("codes are missing: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Missing(Vec<usize>),
    /// All are there, and do not make the paper that they name.
    #[error("the codes do not fit together")]
    Damaged,
}

/// Cuts a paper into codes: texts of the QR alphanumeric alphabet, each at most 1,368 characters long, all of about the same
/// length, so that all codes look alike.
///
/// # Errors
/// [`FrameError::TooMany`].
///
/// # Source
/// RFC 9285 (Base45): in a QR code it takes 3 % more room than the bytes would.
pub fn frames(paper: &[u8]) -> Result<Vec<String>, FrameError> {
    let count = paper.len().div_ceil(FRAME_BYTES).max(1);
    let total = u8::try_from(count).ok().filter(|_| count <= MOST_FRAMES).ok_or(FrameError::TooMany)?;
    let size = paper.len().div_ceil(count).max(1);
    let name = name(paper);
    Ok((0..total)
        .zip(paper.chunks(size))
        .map(|(place, piece)| {
            let frame = [&[total, place], &name[..], piece].concat();
            format!("{PREFIX}{}", base45::encode(&frame))
        })
        .collect())
}

/// The codes of one paper, as they are read.
#[derive(Debug, Default)]
pub struct Assembly {
    name: Option<[u8; 4]>,
    pieces: Vec<Option<Vec<u8>>>,
}

impl Assembly {
    /// Nothing read yet.
    pub const fn new() -> Self {
        Self { name: None, pieces: Vec::new() }
    }

    /// Takes one code, in any order, any number of times.
    ///
    /// # Errors
    /// [`FrameError`]; what was taken before stays.
    pub fn add(&mut self, code: &str) -> Result<(), FrameError> {
        let text = code.trim().strip_prefix(PREFIX).ok_or(FrameError::NotOurs)?;
        // Two bytes take three characters.
        if text.len() > (HEADER + FRAME_BYTES).div_ceil(2) * 3 {
            return Err(FrameError::NotOurs);
        }
        let frame = base45::decode(text).map_err(|_| FrameError::NotOurs)?;
        let (&[total, place, ref name @ ..], piece) = frame.split_first_chunk::<HEADER>().ok_or(FrameError::NotOurs)?;
        let (total, place) = (usize::from(total), usize::from(place));
        if place >= total || piece.is_empty() || piece.len() > FRAME_BYTES {
            return Err(FrameError::NotOurs);
        }
        if total > MOST_FRAMES {
            return Err(FrameError::TooMany);
        }
        match self.name {
            None => {
                self.name = Some(*name);
                self.pieces = vec![None; total];
            }
            Some(known) if known != *name || self.pieces.len() != total => return Err(FrameError::OtherPaper),
            Some(_) => {}
        }
        match self.pieces.get_mut(place) {
            Some(Some(known)) if known == piece => Ok(()),
            Some(Some(_)) => Err(FrameError::Contradiction),
            Some(empty) => {
                *empty = Some(piece.to_vec());
                Ok(())
            }
            None => Err(FrameError::NotOurs),
        }
    }

    /// How many codes the paper has; 0 before the first was read.
    pub const fn total(&self) -> usize {
        self.pieces.len()
    }

    /// The codes still missing, counted from 1.
    pub fn missing(&self) -> Vec<usize> {
        (1..).zip(&self.pieces).filter(|(_, piece)| piece.is_none()).map(|(number, _)| number).collect()
    }

    /// The paper, when all its codes were read.
    ///
    /// # Errors
    /// [`FrameError::Missing`], [`FrameError::Damaged`], [`FrameError::NotOurs`] when nothing was read.
    pub fn finish(&self) -> Result<Vec<u8>, FrameError> {
        let known = self.name.ok_or(FrameError::NotOurs)?;
        let missing = self.missing();
        if !missing.is_empty() {
            return Err(FrameError::Missing(missing));
        }
        let paper: Vec<u8> = self.pieces.iter().flatten().flatten().copied().collect();
        if name(&paper) == known { Ok(paper) } else { Err(FrameError::Damaged) }
    }
}

/// Tells papers apart; no protection: that is what signatures are for.
fn name(paper: &[u8]) -> [u8; 4] {
    let [a, b, c, d, ..]: [u8; 32] = Sha256::digest(paper).into();
    [a, b, c, d]
}
