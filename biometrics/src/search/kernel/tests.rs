//! Tests of the kernel: every way of summing against sums by hand. Needs nothing but the kernel and `zeroize`, so that it can run
//! under an emulator of another processor by itself.

use super::*;

/// Numbers without order, the same everywhere.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

fn every_way() -> [Instructions; 4] {
    [Instructions::Portable, Instructions::Neon, Instructions::Avx2, Instructions::Avx512]
}

fn bits(out: &[[f32; BLOCK]; TOGETHER], probes: usize, vectors: usize) -> Vec<u32> {
    out[..probes].iter().flat_map(|row| row[..vectors].iter().map(|score| score.to_bits())).collect()
}

/// All instructions, one to four probes, whole blocks and parts of one: the same bits, and those of sums by hand.
#[test]
fn all_instructions_give_the_same_bits() {
    println!("ran here: {:?}", Instructions::available().iter().map(|i| i.name()).collect::<Vec<_>>());
    let mut draws = Draws(0x5EED);
    // The last rounds hold extremes only: where sums would overflow, they do there.
    for round in 0..12 {
        let extreme = round >= 8;
        let mut code = || match (draws.next() % 16) as u8 {
            c if extreme => [0, 15][usize::from(c % 2)],
            c => c,
        };
        let vectors: Vec<[u8; DIMENSION]> = (0..BLOCK).map(|_| std::array::from_fn(|_| code())).collect();
        let vectors = if round == 11 { vec![[15; DIMENSION]; BLOCK] } else { vectors };
        let probes: Vec<[i8; DIMENSION]> = (0..TOGETHER)
            .map(|_| {
                std::array::from_fn(|_| match (draws.next() % 255) as i16 - 127 {
                    _ if round == 11 => -127,
                    n if extreme => 127 * n.signum() as i8,
                    n => n as i8,
                })
            })
            .collect();
        let norms: Vec<f32> = (0..BLOCK).map(|_| 1.0 / (1 + draws.next() % 900) as f32).collect();
        let mut groups = vec![Group::EMPTY; GROUPS];
        for (i, (codes, norm)) in vectors.iter().zip(&norms).enumerate() {
            groups[i / LANES].set(i % LANES, codes, *norm);
            assert_eq!(groups[i / LANES].codes(i % LANES), *codes);
        }
        for (count, parts) in [(1, GROUPS), (2, GROUPS), (4, GROUPS), (4, 3), (3, 1)] {
            let sought: Vec<Sought> = probes[..count].iter().map(Sought::new).collect();
            let expected: Vec<u32> = probes[..count]
                .iter()
                .flat_map(|probe| {
                    vectors[..parts * LANES].iter().zip(&norms).map(move |(codes, norm)| {
                        let dot: i32 =
                            codes.iter().zip(probe).map(|(c, p)| (2 * i32::from(*c) - 15) * i32::from(*p)).sum();
                        (dot as f32 * norm).to_bits()
                    })
                })
                .collect();
            for instructions in every_way() {
                let mut out = [[f32::NAN; BLOCK]; TOGETHER];
                // Instructions that this machine lacks run portably, and never crash.
                scores(instructions, &groups[..parts], &sought, &mut out);
                assert_eq!(bits(&out, count, parts * LANES), expected, "{} of round {round}", instructions.name());
            }
        }
    }
}
