//! The round finger laid flat: along arcs instead of straight across, for a finger as deep as it is wide.

use super::super::grid::Grid;
use super::Handedness;
use super::outline::Outline;

/// A finger laid flat, tip up.
pub(super) struct Unrolled {
    pub(super) grey: Grid<f32>,
    /// Where the finger turns to the camera.
    pub(super) inside: Grid<bool>,
}

/// Lays the finger flat at `scale` pixels for one of the photograph.
///
/// Taken for a surface of revolution: its depth is its width, so that lengths along the middle come from the outline.
/// What is turned away by more than [`MOST_TURN`] is left out.
pub(super) fn unroll(grey: &Grid<f32>, outline: &Outline, scale: f32, handedness: Handedness) -> Unrolled {
    let scale = scale.clamp(0.02, 50.0);
    let distances = along_the_middle(outline, scale);
    let half = ((outline.half_width * MOST_TURN * scale) as usize).clamp(1, MOST_HALF);
    let mut unrolled =
        Unrolled { grey: Grid::new(2 * half, distances.len()), inside: Grid::new(2 * half, distances.len()) };
    for (y, distance) in distances.iter().enumerate() {
        let radius = outline.half_width_at(*distance).max(0.5);
        for x in 0..2 * half {
            let beside = (x as f32 + 0.5 - half as f32) / scale;
            let turn = beside / radius;
            if turn.abs() > MOST_TURN {
                continue;
            }
            let beside = radius * turn.sin();
            // Seen from before, a print is mirrored.
            let beside = if handedness == Handedness::AsSeen { -beside } else { beside };
            let (px, py) = outline.place(*distance, beside);
            if px < 0.0 || py < 0.0 || px >= grey.width() as f32 || py >= grey.height() as f32 {
                continue;
            }
            unrolled.grey.set(x, y, grey.between(px - 0.5, py - 0.5));
            unrolled.inside.set(x, y, true);
        }
    }
    unrolled
}

/// The distance from the tip of each row, such that rows are equally far apart on the skin.
fn along_the_middle(outline: &Outline, scale: f32) -> Vec<f32> {
    let length = outline.length();
    let (mut distances, mut distance) = (Vec::new(), TIP * outline.half_width);
    while distance < length && distances.len() < MOST_ROWS {
        distances.push(distance);
        let reach = 0.1 * outline.half_width;
        let before = (distance - reach).max(0.0);
        let slope =
            (outline.half_width_at(distance + reach) - outline.half_width_at(before)) / (distance + reach - before);
        distance += 1.0 / (scale * slope.hypot(1.0).clamp(1.0, STEEPEST));
    }
    distances
}

/// Radians to either side of the middle.
const MOST_TURN: f32 = 1.1;
/// The foremost part of the tip, in half widths, that is seen too slantingly.
const TIP: f32 = 0.06;
/// The most that skin is longer than it looks.
const STEEPEST: f32 = 2.5;
const MOST_HALF: usize = 500;
const MOST_ROWS: usize = 1_000;
