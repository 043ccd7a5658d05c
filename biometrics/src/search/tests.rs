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
fn all_instructions_give_the_same_bits() {
    let gallery = gallery(&vectors(1_000, 7));
    let ran: Vec<&str> = Instructions::available().iter().map(|i| i.name()).collect();
    println!("ran here: {ran:?}");
    for probe in vectors(20, 8) {
        let sought = Planes::of(Probe::from_frames(&[embedding(&probe)]).unwrap().vector()).upper.0.map(i16::from);
        for (rows, norms) in gallery.upper.chunks(BLOCK).zip(gallery.inverse_norms.chunks(BLOCK)) {
            let run = |instructions| {
                let mut out = [0.0_f32; BLOCK];
                scores(instructions, rows, norms, &sought, &mut out);
                out.map(f32::to_bits)
            };
            let portable = run(Instructions::Portable);
            // Instructions that this machine lacks run portably, and never crash.
            assert_eq!(run(Instructions::Avx2), portable);
            for ((row, norm), bits) in rows.iter().zip(norms).zip(portable) {
                let dot: i64 = row.0.iter().zip(&sought).map(|(a, b)| i64::from(*a) * i64::from(*b)).sum();
                assert_eq!(bits, (dot as f32 * norm).to_bits());
            }
        }
    }
}

#[test]
fn two_planes_are_the_vector_and_extremes_fit() {
    for values in [vec![1.0, -1.0, 0.5], vec![1.0], vec![0.001, -0.7, 0.7]] {
        let mut whole = vec![0.0; DIMENSION];
        whole[..values.len()].copy_from_slice(&values);
        let reference = Reference::fuse(&[embedding(&whole)]).unwrap();
        let planes = Planes::of(reference.vector());
        let largest = reference.vector().iter().map(|v| i32::from(v).abs()).max().unwrap();
        for ((high, low), v) in planes.upper.0.iter().zip(&planes.lower.0).zip(reference.vector().iter()) {
            assert_eq!(i32::from(*high) * 256 + i32::from(*low), i32::from(v) * LARGEST / largest);
            assert_ne!(*high, i8::MIN);
        }
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
