//! What someone learns who holds more than they should: measurements for those who must judge the protection.
//!
//! Only agreements and ranks come out of here, no bits and no vectors.
//!
//! # Source
//! ISO/IEC 24745:2022 and 30136 (unlinkability, irreversibility); Gomez-Barrero et al., "General framework to evaluate
//! unlinkability in biometric template protection systems", IEEE Trans. Inf. Forensics Security 13(6), 2018; the
//! plausibility attack: security.md §2.6, after Keller, Osadchy and Dunkelman, arXiv 2012.13293.

use zeroize::Zeroizing;

use super::bits::{CODE_BITS, CODE_BYTES, unpack};
use super::{HelperData, Message, TransformSeed, polar, signs_of, transform};
use crate::template::{DIMENSION, Reference};

/// The signs of a transformed reference: what helper data hide behind a codeword.
pub struct TransformedSigns(Zeroizing<[u8; CODE_BYTES]>);

impl TransformedSigns {
    /// Under this seed.
    #[must_use]
    pub fn of(reference: &Reference, seed: &TransformSeed) -> Self {
        Self(signs_of(reference.vector(), seed))
    }

    /// The share of bits in which two agree, 0 to 1.
    #[must_use]
    pub fn agreement(&self, other: &Self) -> f64 {
        agreement(&self.0, &other.0)
    }
}

/// The share of bits in which two helper data agree, 0 to 1: the score by which someone would link them.
#[must_use]
pub fn helper_agreement(one: &HelperData, other: &HelperData) -> f64 {
    agreement(&one.0, &other.0)
}

/// How many of `others` look more like the sealed message than the message itself does, to someone who has helper data and
/// seed but no face.
///
/// Each message says what the signs would have been, and the signs what the vector: that of a face lies in the embedding's
/// dimensions, that of a wrong message anywhere. Rank 0 is a broken secret.
#[must_use]
pub fn plausibility_rank(helper: &HelperData, seed: &TransformSeed, sealed: &Message, others: &[Message]) -> usize {
    let of_sealed = plausibility(helper, seed, sealed);
    others.iter().filter(|other| plausibility(helper, seed, other) > of_sealed).count()
}

/// What helper data give back of a face to someone who has seed and message: the signs, turned around.
pub struct Inverted(Zeroizing<Vec<f64>>);

impl Inverted {
    /// The face that a message implies.
    #[must_use]
    pub fn of(helper: &HelperData, seed: &TransformSeed, message: &Message) -> Self {
        let implied = implied(helper, seed, message);
        Self(Zeroizing::new(implied.iter().take(DIMENSION).map(|v| *v as f64).collect()))
    }

    /// The cosine to a reference, by which someone would look for it in a gallery.
    #[must_use]
    pub fn likeness(&self, reference: &Reference) -> f64 {
        let length = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
        let other = || reference.vector().iter().map(f64::from);
        let dot: f64 = self.0.iter().zip(other()).map(|(a, b)| a * b).sum();
        dot / (length(&mut self.0.iter().copied()) * length(&mut other())).max(f64::MIN_POSITIVE)
    }
}

/// The squared length of the implied vector within the dimensions that an embedding has.
fn plausibility(helper: &HelperData, seed: &TransformSeed, message: &Message) -> i128 {
    implied(helper, seed, message).iter().take(DIMENSION).map(|v| i128::from(*v) * i128::from(*v)).sum()
}

/// The vector, up to scale, whose signs a message would have hidden.
fn implied(helper: &HelperData, seed: &TransformSeed, message: &Message) -> Box<Zeroizing<[i64; CODE_BITS]>> {
    let word = polar::encode(&message.0);
    let mut values = Zeroizing::new([0_i64; CODE_BITS]);
    let bits = unpack(word.as_slice()).zip(unpack(helper.0.as_slice()));
    for (to, (a, b)) in values.iter_mut().zip(bits) {
        *to = 1 - 2 * i64::from(a ^ b);
    }
    transform::back(&values, seed.as_bytes())
}

fn agreement(one: &[u8; CODE_BYTES], other: &[u8; CODE_BYTES]) -> f64 {
    let differing: u32 = one.iter().zip(other).map(|(a, b)| (a ^ b).count_ones()).sum();
    1.0 - f64::from(differing) / CODE_BITS as f64
}

/// How well scores of mated templates can be told from those of non-mated ones, from 0 (not at all) to 1.
///
/// The global measure D↔sys with equal priors, over equal bins between the lowest and the highest score. Finite counts lift it: compare
/// with what the same estimate makes of scores that have nothing to tell.
#[must_use]
pub fn d_sys(mated: &[f64], non_mated: &[f64]) -> f64 {
    let all = || mated.iter().chain(non_mated).copied();
    let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    if low.partial_cmp(&high) != Some(std::cmp::Ordering::Less) {
        return 0.0;
    }
    let shares = |scores: &[f64]| {
        let mut shares = [0.0_f64; BINS];
        for score in scores {
            let bin = ((score - low) / (high - low) * BINS as f64) as usize;
            if let Some(share) = shares.get_mut(bin.min(BINS - 1)) {
                *share += 1.0 / scores.len() as f64;
            }
        }
        shares
    };
    // D↔(s) = 2 LR / (1 + LR) − 1 where LR > 1, otherwise 0; weighted by the mated scores' density.
    let local = |(mated, non_mated): (f64, f64)| {
        if mated > non_mated { mated * (mated - non_mated) / (mated + non_mated) } else { 0.0 }
    };
    shares(mated).into_iter().zip(shares(non_mated)).map(local).sum()
}

const BINS: usize = 20;

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    use super::super::seal;
    use super::*;
    use crate::template::{Embedding, ModelId};

    fn reference(rng: &mut ChaCha20Rng) -> Reference {
        let values: Vec<f32> = (0..DIMENSION).map(|_| rng.next_u32() as f32 / 2.0_f32.powi(31) - 1.0).collect();
        Reference::fuse(&[Embedding::from_output(&values, ModelId::new([1; 32])).unwrap()]).unwrap()
    }

    #[test]
    fn d_sys_is_nothing_for_equal_scores_and_one_for_separate_ones() {
        let scores: Vec<f64> = (0..2000).map(|i| f64::from(i % 100) / 100.0).collect();
        assert!(d_sys(&scores, &scores).abs() < 1e-9);
        let higher: Vec<f64> = scores.iter().map(|s| s + 2.0).collect();
        assert!((d_sys(&higher, &scores) - 1.0).abs() < 1e-9);
        // Half of the mated scores stand apart.
        let half: Vec<f64> = scores.iter().enumerate().map(|(i, s)| if i % 2 == 0 { s + 1.0 } else { *s }).collect();
        assert!((0.45..0.55).contains(&d_sys(&half, &scores)), "{}", d_sys(&half, &scores));
        assert_eq!(d_sys(&[0.5; 10], &[0.5; 10]), 0.0);
    }

    #[test]
    fn signs_link_under_one_seed_and_not_under_two() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let face = reference(&mut rng);
        let seeds = [TransformSeed::generate(&mut rng), TransformSeed::generate(&mut rng)];
        let [a, b] = seeds.each_ref().map(|seed| TransformedSigns::of(&face, seed));
        assert!((a.agreement(&b) - 0.5).abs() < 0.1);
        assert!((a.agreement(&TransformedSigns::of(&face, &seeds[0])) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn who_has_the_seed_needs_no_face_and_who_has_not_learns_nothing() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let mut guessed = Vec::new();
        for _ in 0..8 {
            let (face, seed) = (reference(&mut rng), TransformSeed::generate(&mut rng));
            let (sealed, other_seed) = (Message::generate(&mut rng), TransformSeed::generate(&mut rng));
            let others: Vec<Message> = (0..200).map(|_| Message::generate(&mut rng)).collect();
            let helper = seal(&face, &seed, &sealed);
            assert_eq!(plausibility_rank(&helper, &seed, &sealed, &others), 0);
            guessed.push(plausibility_rank(&helper, &other_seed, &sealed, &others));
        }
        let mean = guessed.iter().sum::<usize>() / guessed.len();
        assert!((40..160).contains(&mean), "{guessed:?}");
    }

    #[test]
    fn helper_data_give_the_face_back_to_who_has_seed_and_message_and_to_nobody_else() {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let (face, seed, other_seed) =
            (reference(&mut rng), TransformSeed::generate(&mut rng), TransformSeed::generate(&mut rng));
        let (sealed, other) = (Message::generate(&mut rng), Message::generate(&mut rng));
        let helper = seal(&face, &seed, &sealed);
        let likeness = |seed, message| Inverted::of(&helper, seed, message).likeness(&face);
        // 512 signs of 128 numbers: nearly all of the direction.
        assert!(likeness(&seed, &sealed) > 0.9, "{}", likeness(&seed, &sealed));
        assert!(likeness(&other_seed, &sealed).abs() < 0.4 && likeness(&seed, &other).abs() < 0.4);
    }
}
