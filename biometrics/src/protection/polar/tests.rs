//! Tests of the polar code.

use proptest::prelude::*;
use zeroize::Zeroizing;

use super::*;

fn ratios_of(word: &[u8; CODE_BYTES], size: i32) -> Box<Ratios> {
    let mut ratios = Box::new(Zeroizing::new([0; CODE_BITS]));
    for (to, bit) in ratios.iter_mut().zip(unpack(word)) {
        *to = size * (1 - 2 * i32::from(bit));
    }
    ratios
}

#[test]
fn the_information_set_is_sorted_and_in_range() {
    assert!(INFORMATION_SET.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(INFORMATION_SET.iter().all(|position| usize::from(*position) < CODE_BITS));
}

#[test]
fn the_largest_possible_ratios_do_not_overflow() {
    let word = encode(&[0xA5; MESSAGE_BYTES]);
    let certain = ratios_of(&word, i32::try_from(LARGEST).unwrap());
    assert_eq!(**decode(&certain)[0], [0xA5; MESSAGE_BYTES]);
    // All sure and all wrong: decodes to something, without a panic in a build that checks arithmetic.
    let _ = decode(&ratios_of(&[0xFF; CODE_BYTES], i32::try_from(LARGEST).unwrap()));
}

#[test]
fn no_information_still_gives_sixteen() {
    let nothing = Zeroizing::new([0; CODE_BITS]);
    let different: std::collections::BTreeSet<_> = decode(&nothing).iter().map(|m| ***m).collect();
    assert_eq!(different.len(), CANDIDATES);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_code_is_linear(a in any::<[u8; MESSAGE_BYTES]>(), b in any::<[u8; MESSAGE_BYTES]>()) {
        let both: [u8; MESSAGE_BYTES] = std::array::from_fn(|i| a[i] ^ b[i]);
        let (x, y, z) = (encode(&a), encode(&b), encode(&both));
        prop_assert!(x.iter().zip(y.iter()).zip(z.iter()).all(|((x, y), z)| x ^ y == *z));
    }

    #[test]
    fn scattered_errors_are_corrected(message in any::<[u8; MESSAGE_BYTES]>(), wrong in proptest::collection::btree_set(0..CODE_BITS, 0..40)) {
        let mut word = encode(&message);
        for position in wrong {
            word[position / 8] ^= 1 << (position % 8);
        }
        let candidates = decode(&ratios_of(&word, 1 << 12));
        prop_assert!(candidates.iter().any(|candidate| ***candidate == message));
    }

    #[test]
    fn the_first_candidate_is_the_nearest(message in any::<[u8; MESSAGE_BYTES]>(), noise in proptest::collection::vec(-40_000_i32..40_000, CODE_BITS)) {
        let mut ratios = ratios_of(&encode(&message), 30_000);
        ratios.iter_mut().zip(noise).for_each(|(to, n)| *to += n);
        let likeness = |m: &[u8; MESSAGE_BYTES]| -> i64 {
            unpack(encode(m).as_slice()).zip(ratios.iter()).map(|(bit, r)| i64::from(*r) * (1 - 2 * i64::from(bit))).sum()
        };
        let candidates = decode(&ratios);
        let best = candidates.iter().map(|m| likeness(m)).max();
        prop_assert_eq!(Some(likeness(&candidates[0])), best);
    }
}
