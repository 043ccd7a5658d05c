//! The convex hull of the minutiae: where the print is known.

use zeroize::Zeroizing;

use super::template::Minutia;

/// Corners, counter-clockwise as seen with y up.
pub(super) struct Hull(Zeroizing<Vec<(f32, f32)>>);

impl Hull {
    pub(super) fn around(minutiae: &[Minutia]) -> Self {
        // No list grows: what is left behind where it grew would not be wiped.
        let mut points: Zeroizing<Vec<(i32, i32)>> =
            Zeroizing::new(minutiae.iter().map(|m| (i32::from(m.x), i32::from(m.y))).collect());
        points.sort_unstable();
        points.dedup();
        if points.len() < 3 {
            return Self(Zeroizing::new(points.iter().copied().map(float).collect()));
        }
        let (lower, upper) = (half(points.iter().copied()), half(points.iter().rev().copied()));
        let mut corners = Zeroizing::new(Vec::with_capacity(lower.len() + upper.len()));
        corners.extend(lower.iter().chain(upper.iter()).copied().map(float));
        Self(corners)
    }

    /// Whether a point is inside, or at most [`MARGIN`] outside.
    pub(super) fn is_near(&self, x: f32, y: f32) -> bool {
        let next = self.0.iter().cycle().skip(1);
        let mut inside = self.0.len() >= 3;
        for (a, b) in self.0.iter().zip(next) {
            let (ex, ey) = (b.0 - a.0, b.1 - a.1);
            let (px, py) = (x - a.0, y - a.1);
            if !inside || ex * py - ey * px < 0.0 {
                inside = false;
                let along = ((px * ex + py * ey) / (ex * ex + ey * ey).max(1e-6)).clamp(0.0, 1.0);
                let (dx, dy) = (px - along * ex, py - along * ey);
                if dx * dx + dy * dy <= MARGIN * MARGIN {
                    return true;
                }
            }
        }
        inside
    }
}

fn float((x, y): (i32, i32)) -> (f32, f32) {
    (x as f32, y as f32)
}

/// Andrew's monotone chain, one side; the last point is left to the other side.
fn half(points: impl ExactSizeIterator<Item = (i32, i32)>) -> Zeroizing<Vec<(i32, i32)>> {
    let mut chain: Zeroizing<Vec<(i32, i32)>> = Zeroizing::new(Vec::with_capacity(points.len()));
    for point in points {
        while let [.., a, b] = chain.as_slice() {
            // A stored template may put minutiae 65,534 pixels apart: the products do not fit in 32 bits.
            let apart = |from: i32, to: i32| i64::from(to) - i64::from(from);
            let turn = apart(a.0, b.0) * apart(a.1, point.1) - apart(a.1, b.1) * apart(a.0, point.0);
            if turn > 0 {
                break;
            }
            chain.pop();
        }
        chain.push(point);
    }
    chain.pop();
    chain
}

/// Pixels around the outermost minutiae that still count as seen.
const MARGIN: f32 = 50.0;
