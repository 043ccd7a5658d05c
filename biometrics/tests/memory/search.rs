//! The writable memory of this process, searched for what should be nowhere in it.

use std::fs::File;
use std::os::unix::fs::FileExt;

/// What is looked for, kept turned around so that it is not found in itself.
pub(crate) struct Needle {
    name: &'static str,
    turned: Vec<u8>,
}

impl Needle {
    pub(crate) fn new(name: &'static str, bytes: &[u8]) -> Self {
        Self { name, turned: bytes.iter().map(|b| !b).collect() }
    }

    fn is_at(&self, bytes: &[u8]) -> bool {
        bytes.len() >= self.turned.len() && bytes.iter().zip(&self.turned).all(|(a, b)| *a == !b)
    }
}

/// How often each needle is in the writable memory of this process.
pub(crate) fn found(needles: &[Needle]) -> Vec<(&'static str, usize)> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let memory = File::open("/proc/self/mem").unwrap();
    let mut counts: Vec<(&'static str, usize)> = needles.iter().map(|needle| (needle.name, 0)).collect();
    // One buffer, looked through in place and wiped after each portion.
    let mut buffer = vec![0_u8; PORTION];
    for line in maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|rights| rights.starts_with("rw"))) {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let [start, end] = [start, end].map(|address| u64::from_str_radix(address, 16).unwrap());
        // The buffer does not look at itself.
        let own = buffer.as_ptr() as u64;
        let parts = [(start, end.min(own)), (start.max(own + PORTION as u64), end)];
        for (mut at, end) in parts {
            while at < end {
                let length = (end - at).min(PORTION as u64) as usize;
                if memory.read_exact_at(&mut buffer[..length], at).is_ok() {
                    for (needle, (_, count)) in needles.iter().zip(&mut counts) {
                        let first = !needle.turned[0];
                        let hits = (0..length).filter(|i| buffer[*i] == first && needle.is_at(&buffer[*i..length]));
                        *count += hits.count();
                    }
                }
                buffer.fill(0);
                at += length as u64 - if length == PORTION { OVERLAP } else { 0 };
            }
        }
    }
    counts
}

const PORTION: usize = 1 << 16;
const OVERLAP: u64 = 64;
