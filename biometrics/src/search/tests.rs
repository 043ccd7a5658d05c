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

#[test]
fn two_parts_are_the_vector_in_twelve_bits_and_extremes_fit() {
    for values in [vec![1.0, -1.0, 0.5], vec![1.0], vec![0.001, -0.7, 0.7]] {
        let mut whole = vec![0.0; DIMENSION];
        whole[..values.len()].copy_from_slice(&values);
        let reference = Reference::fuse(&[embedding(&whole)]).unwrap();
        let parts = Parts::of(reference.vector());
        let largest = reference.vector().iter().map(|v| f64::from(v).abs()).fold(0.0, f64::max);
        for ((code, rest), v) in parts.codes.iter().zip(&parts.rest).zip(reference.vector().iter()) {
            assert!(*code < 16);
            let value = i32::from(*code) * 256 + i32::from(*rest) - MIDDLE;
            assert_eq!(f64::from(value), (f64::from(v) * 2047.0 / largest).round());
        }
        let probe = Exact::of(reference.vector());
        assert_eq!(probe.numbers.iter().map(|n| n.unsigned_abs()).max(), Some(LARGEST as u16));
        assert!(
            (dot(&parts.codes, &parts.rest, &probe.numbers) as f64
                * f64::from(parts.inverse_norm)
                * probe.inverse_norm
                - 1.0)
                .abs()
                < 1e-3
        );
    }
}

#[test]
fn ranks_are_those_of_exact_numbers() {
    let known = vectors(5_000, 11);
    let gallery = gallery(&known);
    let (mut same, mut trials) = (0, 0);
    for shown in vectors(30, 12) {
        let probe = Probe::from_frames(&[embedding(&shown)]).unwrap();
        let mut exact: Vec<(f64, usize)> = known
            .iter()
            .enumerate()
            .map(|(i, v)| (Reference::fuse(&[embedding(v)]).unwrap().vector().cosine(probe.vector()), i))
            .collect();
        exact.sort_by(|a, b| b.0.total_cmp(&a.0));
        let found: Vec<usize> = gallery.search(&probe, 10).unwrap().iter().map(|c| c.position().index()).collect();
        same += exact[..10].iter().filter(|(_, i)| found.contains(i)).count();
        trials += 10;
    }
    assert!(same * 1000 >= trials * 993, "{same} of {trials}");
}

#[test]
fn several_probes_at_once_find_what_each_finds_alone() {
    let gallery = gallery(&vectors(700, 13));
    let probes: Vec<Probe> = vectors(9, 14).iter().map(|v| Probe::from_frames(&[embedding(v)]).unwrap()).collect();
    let together = gallery.search_all(&probes.iter().collect::<Vec<_>>(), 7).unwrap();
    for (probe, found) in probes.iter().zip(together) {
        let alone = gallery.search(probe, 7).unwrap();
        assert!(alone.iter().map(Candidate::position).eq(found.iter().map(Candidate::position)));
    }
    assert!(gallery.search_all(&[], 7).unwrap().is_empty());
}

/// The four bits of the first pass must let the right ones through where faces lie close together, as those of one model do.
#[test]
fn the_first_pass_loses_nothing_among_vectors_that_lie_close_together() {
    let (common, own) = (vectors(1, 15), vectors(4_000, 16));
    let known: Vec<Vec<f32>> =
        own.iter().map(|v| v.iter().zip(&common[0]).map(|(a, b)| a + 1.5 * b).collect()).collect();
    let gallery = gallery(&known);
    let references: Vec<Reference> = known.iter().map(|v| Reference::fuse(&[embedding(v)]).unwrap()).collect();
    let mut same = 0;
    for (shown, noise) in known.iter().step_by(100).zip(vectors(40, 17)) {
        let shown: Vec<f32> = shown.iter().zip(&noise).map(|(a, b)| a + 0.8 * b).collect();
        let probe = Probe::from_frames(&[embedding(&shown)]).unwrap();
        let mut exact: Vec<usize> = (0..known.len()).collect();
        let score = |i: usize| references[i].vector().cosine(probe.vector());
        exact.sort_by(|a, b| score(*b).total_cmp(&score(*a)));
        let found: Vec<usize> = gallery.search(&probe, 10).unwrap().iter().map(|c| c.position().index()).collect();
        assert_eq!(found[0], exact[0]);
        same += exact[..10].iter().filter(|i| found.contains(i)).count();
    }
    assert!(same >= 396, "{same} of 400");
}

#[test]
fn the_best_are_kept_as_sorting_would_keep_them() {
    for (most, count) in [(0, 50), (1, 50), (7, 500), (600, 500), (100, 100)] {
        let scores: Vec<f32> = (0..count).map(|i| ((i * 7919) % 211) as f32 / 211.0).collect();
        let mut best = Best::new(most);
        best.offer_all(&scores, 0);
        let mut sorted: Vec<usize> = (0..count).collect();
        sorted.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
        sorted.truncate(most);
        assert_eq!(best.into_sorted().iter().map(|(_, p)| p.index()).collect::<Vec<_>>(), sorted);
    }
}
