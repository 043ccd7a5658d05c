//! The successive-cancellation list decoder.
//!
//! All sixteen paths walk the code's tree in step. A path that forks takes its parent's buffers over by index; that is
//! safe without counting readers, because a layer's buffers are always rewritten for all paths at once, after the last
//! read of what was there.

use zeroize::{Zeroize, Zeroizing};

use super::super::bits::{CODE_BITS, MESSAGE_BYTES};
use super::super::frozen::{INFORMATION_SET, PolarIndex};
use super::{CANDIDATES, Ratios};

/// The messages of the sixteen best paths, best first.
pub(in crate::protection) fn decode(ratios: &Ratios) -> [Box<Zeroizing<[u8; MESSAGE_BYTES]>>; CANDIDATES] {
    let mut decoder = Decoder::new(ratios);
    decoder.visit(0, Side::Left);
    decoder.messages()
}

/// Which child of its parent a node is.
#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
}

/// One value a path.
type PerPath<T> = [T; CANDIDATES];

struct Decoder {
    /// From the whole code (0) to single bits (9).
    layers: Vec<Layer>,
    /// How unlikely each path is; smaller is better.
    metrics: Zeroizing<PerPath<i64>>,
    /// The message bits decided so far, first in the least significant place.
    decided: Zeroizing<PerPath<u128>>,
    /// How many message bits are decided.
    count: u32,
    /// The next leaf.
    position: PolarIndex,
}

impl Decoder {
    fn new(ratios: &Ratios) -> Self {
        let mut layers: Vec<Layer> = (0..=DEPTH).map(|depth| Layer::new(CODE_BITS >> depth)).collect();
        if let Some(code) = layers.first_mut() {
            for slot in code.ratios.chunks_exact_mut(CODE_BITS) {
                slot.copy_from_slice(ratios.as_slice());
            }
        }
        let mut metrics = Zeroizing::new([UNUSED; CANDIDATES]);
        if let Some(first) = metrics.first_mut() {
            *first = 0;
        }
        Self { layers, metrics, decided: Zeroizing::new([0; CANDIDATES]), count: 0, position: 0 }
    }

    fn visit(&mut self, depth: usize, side: Side) {
        if depth == DEPTH {
            self.decide(side);
            return;
        }
        self.descend(depth, Side::Left);
        self.visit(depth + 1, Side::Left);
        self.descend(depth, Side::Right);
        self.visit(depth + 1, Side::Right);
        self.ascend(depth, side);
    }

    /// Ratios of a node's child, for every path.
    fn descend(&mut self, depth: usize, side: Side) {
        let (above, below) = self.layers.split_at_mut(depth + 1);
        let (Some(parent), Some(child)) = (above.last(), below.first_mut()) else { return };
        let Layer { size, ratios, ratios_at, left, left_at, .. } = child;
        let slots = ratios.chunks_exact_mut(*size).zip(parent.ratios_at.iter()).zip(left_at.iter());
        for ((out, from), bits_from) in slots {
            let (low, high) = slot(&parent.ratios, parent.size, *from).split_at(*size);
            match side {
                Side::Left => {
                    for ((to, a), b) in out.iter_mut().zip(low).zip(high) {
                        *to = check(*a, *b);
                    }
                }
                Side::Right => {
                    let bits = slot(left, *size, *bits_from);
                    for (((to, a), b), bit) in out.iter_mut().zip(low).zip(high).zip(bits) {
                        *to = b + (1 - 2 * i32::from(*bit)) * a;
                    }
                }
            }
        }
        *ratios_at = IDENTITY;
    }

    /// A node's bits out of its children's, for every path.
    fn ascend(&mut self, depth: usize, side: Side) {
        let (above, below) = self.layers.split_at_mut(depth + 1);
        let (Some(parent), Some(child)) = (above.last_mut(), below.first()) else { return };
        let size = parent.size;
        let (bits, bits_at) = parent.bits_mut(side);
        for ((out, left_from), right_from) in bits.chunks_exact_mut(size).zip(child.left_at).zip(child.right_at) {
            let (low, high) = out.split_at_mut(child.size);
            let right = slot(&child.right, child.size, right_from);
            for ((to, l), r) in low.iter_mut().zip(slot(&child.left, child.size, left_from)).zip(right) {
                *to = l ^ r;
            }
            high.copy_from_slice(right);
        }
        *bits_at = IDENTITY;
    }

    /// A leaf: a zero known beforehand, or a message bit, on which every path forks and the better half stays.
    fn decide(&mut self, side: Side) {
        let Some(leaf) = self.layers.last() else { return };
        let mut ratios = Zeroizing::new([0_i32; CANDIDATES]);
        for (to, from) in ratios.iter_mut().zip(leaf.ratios_at) {
            *to = slot(&leaf.ratios, 1, from).first().copied().unwrap_or_default();
        }
        let is_message = INFORMATION_SET.binary_search(&self.position).is_ok();
        self.position += 1;
        let bits = if is_message { self.fork(&ratios) } else { self.freeze(&ratios) };
        if let Some(leaf) = self.layers.last_mut() {
            let (to, at) = leaf.bits_mut(side);
            to.copy_from_slice(bits.as_slice());
            *at = IDENTITY;
        }
    }

    fn freeze(&mut self, ratios: &PerPath<i32>) -> Zeroizing<PerPath<u8>> {
        for (metric, ratio) in self.metrics.iter_mut().zip(ratios) {
            *metric += i64::from((-ratio).max(0));
        }
        Zeroizing::new([0; CANDIDATES])
    }

    fn fork(&mut self, ratios: &PerPath<i32>) -> Zeroizing<PerPath<u8>> {
        let mut keys = Zeroizing::new([0_i64; 2 * CANDIDATES]);
        let forks = self
            .metrics
            .iter()
            .zip(ratios)
            .flat_map(|(metric, ratio)| [metric + i64::from((-ratio).max(0)), metric + i64::from((*ratio).max(0))]);
        for ((key, metric), origin) in keys.iter_mut().zip(forks).zip(0_i64..) {
            // The origin breaks ties, so that the order is the same everywhere.
            *key = (metric << ORIGIN_BITS) | origin;
        }
        sort(&mut keys);

        let mut parents = [0_u8; CANDIDATES];
        let mut bits = Zeroizing::new([0_u8; CANDIDATES]);
        let stay = keys.iter().zip(self.metrics.iter_mut()).zip(parents.iter_mut()).zip(bits.iter_mut());
        for (((key, metric), parent), bit) in stay {
            let [origin, ..] = key.to_le_bytes();
            *metric = key >> ORIGIN_BITS;
            *bit = origin & 1;
            *parent = (origin & ORIGIN_MASK) >> 1;
        }
        for layer in &mut self.layers {
            inherit(&mut layer.ratios_at, &parents);
            inherit(&mut layer.left_at, &parents);
            inherit(&mut layer.right_at, &parents);
        }
        inherit(&mut self.decided, &parents);
        for (decided, bit) in self.decided.iter_mut().zip(bits.iter()) {
            *decided |= u128::from(*bit) << self.count;
        }
        self.count += 1;
        bits
    }

    /// The paths are sorted since the last fork; the zeros known after it may still have moved them.
    /// Boxed, since what is moved leaves a copy that nobody wipes.
    fn messages(&self) -> PerPath<Box<Zeroizing<[u8; MESSAGE_BYTES]>>> {
        let mut keys = Zeroizing::new([i64::MAX; 2 * CANDIDATES]);
        for ((key, metric), origin) in keys.iter_mut().zip(self.metrics.iter()).zip(0_i64..) {
            *key = (metric << ORIGIN_BITS) | origin;
        }
        sort(&mut keys);
        let mut order = [0_u8; CANDIDATES];
        for (to, key) in order.iter_mut().zip(keys.iter()) {
            let [origin, ..] = key.to_le_bytes();
            *to = origin & ORIGIN_MASK;
        }
        let mut sorted = Box::new(Zeroizing::new([0_u128; CANDIDATES]));
        sorted.copy_from_slice(self.decided.as_slice());
        inherit(&mut sorted, &order);
        std::array::from_fn(|path| {
            let bytes = Zeroizing::new(sorted.get(path).copied().unwrap_or_default().to_le_bytes());
            let mut message = Box::new(Zeroizing::new([0; MESSAGE_BYTES]));
            message.iter_mut().zip(bytes.iter()).for_each(|(to, from)| *to = *from);
            message
        })
    }
}

/// The buffers of one depth of the tree: a slot for each path, and where each path finds its own.
struct Layer {
    size: usize,
    ratios: Zeroizing<Vec<i32>>,
    ratios_at: PerPath<u8>,
    left: Zeroizing<Vec<u8>>,
    left_at: PerPath<u8>,
    right: Zeroizing<Vec<u8>>,
    right_at: PerPath<u8>,
}

impl Layer {
    fn new(size: usize) -> Self {
        Self {
            size,
            ratios: Zeroizing::new(vec![0; size * CANDIDATES]),
            ratios_at: IDENTITY,
            left: Zeroizing::new(vec![0; size * CANDIDATES]),
            left_at: IDENTITY,
            right: Zeroizing::new(vec![0; size * CANDIDATES]),
            right_at: IDENTITY,
        }
    }

    fn bits_mut(&mut self, side: Side) -> (&mut [u8], &mut PerPath<u8>) {
        match side {
            Side::Left => (&mut self.left, &mut self.left_at),
            Side::Right => (&mut self.right, &mut self.right_at),
        }
    }
}

/// A path's part of a buffer.
fn slot<T>(buffer: &[T], size: usize, at: u8) -> &[T] {
    let start = usize::from(at) * size;
    buffer.get(start..start + size).unwrap_or_default()
}

/// Each path becomes a copy of its parent.
fn inherit<T: Copy + Default + Zeroize>(values: &mut PerPath<T>, parents: &PerPath<u8>) {
    let before = Zeroizing::new(*values);
    for (to, parent) in values.iter_mut().zip(parents) {
        *to = before.get(usize::from(*parent)).copied().unwrap_or_default();
    }
}

/// Min-sum of a check node: the smaller size, the product of the signs.
fn check(a: i32, b: i32) -> i32 {
    let sign = (a ^ b) >> 31;
    (a.abs().min(b.abs()) ^ sign) - sign
}

/// A sorting network: the same exchanges whatever the keys.
fn sort(keys: &mut [i64; 2 * CANDIDATES]) {
    let mut size = 2;
    while size <= keys.len() {
        for block in keys.chunks_exact_mut(size) {
            let (low, high) = block.split_at_mut(size / 2);
            low.iter_mut().zip(high.iter_mut().rev()).for_each(exchange);
        }
        let mut stride = size / 4;
        while stride >= 1 {
            for block in keys.chunks_exact_mut(2 * stride) {
                let (low, high) = block.split_at_mut(stride);
                low.iter_mut().zip(high.iter_mut()).for_each(exchange);
            }
            stride /= 2;
        }
        size *= 2;
    }
}

fn exchange((a, b): (&mut i64, &mut i64)) {
    (*a, *b) = ((*a).min(*b), (*a).max(*b));
}

/// 2^9 bits.
const DEPTH: usize = 9;
/// The metric of a path not yet in use: above every real one (512 penalties below 2^27), below overflow when shifted.
const UNUSED: i64 = 1 << 40;
/// Thirty-two forks.
const ORIGIN_BITS: u32 = 5;
const ORIGIN_MASK: u8 = 31;
const IDENTITY: PerPath<u8> = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
