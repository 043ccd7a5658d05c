//! Tests of 1:N search.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::*;
use crate::template::Embedding;

fn vectors(count: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    (0..count).map(|_| (0..DIMENSION).map(|_| rng.next_u32() as f32 / 2.0_f32.powi(31) - 1.0).collect()).collect()
}

fn model() -> ModelId {
    ModelId::new([3; 32])
}

fn embedding(values: &[f32]) -> Embedding {
    Embedding::from_output(values, model()).unwrap()
}

fn gallery(vectors: &[Vec<f32>]) -> Gallery {
    let mut gallery = Gallery::new(model());
    for vector in vectors {
        gallery.insert(&Reference::fuse(&[embedding(vector)]).unwrap()).unwrap();
    }
    gallery
}

#[test]
fn the_nearest_come_first_as_with_exact_numbers() {
    let known = vectors(3_000, 1);
    let gallery = gallery(&known);
    let mut same = 0;
    for (i, noise) in vectors(100, 2).iter().enumerate() {
        let shown: Vec<f32> = known[i * 30].iter().zip(noise).map(|(a, b)| a + 1.2 * b).collect();
        let probe = Probe::from_frames(&[embedding(&shown)]).unwrap();
        let found = gallery.search(&probe, 5).unwrap();
        assert_eq!(found.len(), 5);
        assert!(found.windows(2).all(|pair| pair[0].score >= pair[1].score));
        let exact = (0..known.len())
            .max_by(|a, b| {
                let score =
                    |i: &usize| Reference::fuse(&[embedding(&known[*i])]).unwrap().vector().cosine(probe.vector());
                score(a).total_cmp(&score(b))
            })
            .unwrap();
        same += usize::from(found[0].position().index() == exact);
    }
    assert!(same >= 97, "{same} of 100");
}

#[test]
fn all_are_found_when_fewer_are_there_than_asked_for() {
    let known = vectors(3, 4);
    let gallery = gallery(&known);
    let probe = Probe::from_frames(&[embedding(&known[2])]).unwrap();
    let found = gallery.search(&probe, 10).unwrap();
    assert_eq!(found.len(), 3);
    assert_eq!(found[0].position().index(), 2);
    assert_eq!(found[0].decide(Threshold::DEFAULT), Decision::Match);
    assert_eq!(found[2].decide(Threshold::DEFAULT), Decision::NonMatch);
    assert!(gallery.search(&probe, 0).unwrap().is_empty());
    assert!(Gallery::new(model()).search(&probe, 3).unwrap().is_empty());
    assert_eq!(format!("{:?}", found[0]), "Candidate { position: Position(2), .. }");
}

#[test]
fn another_model_is_refused() {
    let stranger = Embedding::from_output(&vectors(1, 5)[0], ModelId::new([4; 32])).unwrap();
    let mut gallery = gallery(&vectors(2, 6));
    assert_eq!(gallery.insert(&Reference::fuse(&[&stranger]).unwrap()).err(), Some(SearchError::ModelMismatch));
    let probe = Probe::from_frames(&[stranger]).unwrap();
    assert_eq!(gallery.search(&probe, 1).err(), Some(SearchError::ModelMismatch));
}
