//! Tests of the keyed transform.

use proptest::prelude::*;

use super::*;
use crate::template::DIMENSION;

fn vector(values: &[f64]) -> FixedVector {
    let norm = values.iter().map(|v| v * v).sum::<f64>().sqrt();
    let mut unit = [0.0; DIMENSION];
    unit.iter_mut().zip(values).for_each(|(to, from)| *to = from / norm);
    FixedVector::from_unit(&unit)
}

fn dot(a: &[i64], b: &[i64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| *x as f64 * *y as f64).sum()
}

#[test]
fn hadamard_twice_is_the_identity_times_the_length() {
    let mut values: [i64; CODE_BITS] = std::array::from_fn(|i| (i as i64 * 31) % 97 - 48);
    let before = values;
    hadamard(&mut values);
    hadamard(&mut values);
    assert!(values.iter().zip(before).all(|(a, b)| *a == b * CODE_BITS as i64));
}

#[test]
fn permutations_are_permutations_and_spread() {
    let mut first = Vec::new();
    for seed in 0..200_u8 {
        let permutation = KeyStream::new(&[seed; 32]).permutation();
        let mut sorted = permutation.to_vec();
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..512));
        first.push(permutation[0]);
    }
    first.sort_unstable();
    first.dedup();
    // 200 draws of 512 give about 165 different ones.
    assert!(first.len() > 140, "{}", first.len());
}

#[test]
fn every_draw_below_a_bound_occurs_equally_often() {
    let mut stream = KeyStream::new(&[9; 32]);
    let mut counts = [0_u32; 5];
    for _ in 0..10_000 {
        counts[stream.below(5)] += 1;
    }
    assert!(counts.iter().all(|c| (1_850..=2_150).contains(c)), "{counts:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn angles_stay_and_nothing_overflows(
        a in proptest::collection::vec(-1.0_f64..1.0, DIMENSION),
        b in proptest::collection::vec(-1.0_f64..1.0, DIMENSION),
        seed in any::<[u8; 32]>(),
    ) {
        let (a, b) = (vector(&a), vector(&b));
        let (x, y) = (apply(&a, &seed), apply(&b, &seed));
        let cosine = dot(x.as_slice(), y.as_slice())
            / (dot(x.as_slice(), x.as_slice()) * dot(y.as_slice(), y.as_slice())).sqrt();
        prop_assert!((cosine - a.cosine(&b)).abs() < 1e-9);
        prop_assert!(x.iter().all(|v| v.abs() < 1 << 42));
    }
}

#[test]
fn back_is_the_transform_turned_around() {
    let mut values = [0.0_f64; crate::template::DIMENSION];
    for (i, v) in values.iter_mut().enumerate() {
        *v = ((i * 37 % 101) as f64 - 50.0) / 400.0;
    }
    let vector = FixedVector::from_unit(&values);
    let seed = [9; 32];
    let there = apply(&vector, &seed);
    // Each round multiplies by the root of 512, there and back: 512³ in all.
    let back = back(&there, &seed);
    for (i, v) in back.iter().enumerate() {
        let expected = vector.iter().nth(i).map_or(0, i64::from) << 27;
        assert_eq!(*v, expected, "{i}");
    }
}
