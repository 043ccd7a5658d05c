//! Ridges made clear: local contrast evened out, then each block filtered along and across its ridges.
//!
//! # Source
//! Hong, Wan, Jain, "Fingerprint image enhancement", IEEE Trans. Pattern Anal. Mach. Intell. 20(8), 1998.

use std::collections::HashMap;
use std::f32::consts::{PI, TAU};

use super::grid::Grid;
use super::ridges::{BLOCK, RidgeMap};

/// Mean 0 and deviation 1 around every pixel, clipped; and the deviation there was.
pub(super) fn normalise(grey: &Grid<f32>) -> (Grid<f32>, Grid<f32>) {
    let mean = grey.box_mean(WINDOW);
    let mut square = grey.map(|v| v * v);
    square = square.box_mean(WINDOW);
    let mut normal = Grid::new(grey.width(), grey.height());
    let mut deviation = Grid::new(grey.width(), grey.height());
    let inputs = grey.cells().iter().zip(mean.cells()).zip(square.cells());
    for (((v, mean), square), (to, spread)) in
        inputs.zip(normal.cells_mut().iter_mut().zip(deviation.cells_mut().iter_mut()))
    {
        *spread = (square - mean * mean).max(0.0).sqrt();
        *to = ((v - mean) / (*spread + FLOOR)).clamp(-CLIP, CLIP);
    }
    (normal, deviation)
}

/// Positive on ridges, negative in valleys, zero outside the foreground.
pub(super) fn enhance(normal: &Grid<f32>, map: &RidgeMap) -> Grid<f32> {
    let (width, height) = (normal.width(), normal.height());
    // A border, so that every block reads whole rows.
    let padded = Grid::from_fn(width + 2 * RADIUS + BLOCK, height + 2 * RADIUS + BLOCK, |x, y| {
        normal.near(x as isize - RADIUS as isize, y as isize - RADIUS as isize)
    });
    let mut kernels: HashMap<(i32, i32), Vec<f32>> = HashMap::new();
    let mut ridges = Grid::new(width, height);
    for by in 0..map.foreground.height() {
        for bx in 0..map.foreground.width() {
            if map.foreground.get(bx as isize, by as isize) != Some(true) {
                continue;
            }
            let direction = (map.angle(bx, by) / PI * ANGLES).round() as i32;
            let period = (map.period.near(bx as isize, by as isize) * PERIODS).round() as i32;
            let kernel = kernels
                .entry((direction, period))
                .or_insert_with(|| kernel(direction as f32 * PI / ANGLES, period as f32 / PERIODS));
            filter_block(&padded, kernel, bx * BLOCK, by * BLOCK, &mut ridges);
        }
    }
    ridges
}

/// One block: every tap added to eight pixels at once.
fn filter_block(padded: &Grid<f32>, kernel: &[f32], left: usize, top: usize, to: &mut Grid<f32>) {
    for y in top..(top + BLOCK).min(to.height()) {
        let mut sums = [0.0_f32; BLOCK];
        for (dy, taps) in kernel.chunks_exact(SIDE).enumerate() {
            let row = padded.run(left, y + dy, SIDE + BLOCK - 1);
            for (tap, window) in taps.iter().zip(row.windows(BLOCK)) {
                sums.iter_mut().zip(window).for_each(|(sum, v)| *sum += tap * v);
            }
        }
        let end = to.width();
        let row = to.row_mut(y).get_mut(left..(left + BLOCK).min(end)).unwrap_or(&mut []);
        row.iter_mut().zip(sums).for_each(|(cell, sum)| *cell = sum);
    }
}

/// A wave across the ridges, faded along and across; sums to nothing, scaled so that ridges of its own kind give about 1.
fn kernel(angle: f32, period: f32) -> Vec<f32> {
    let (sin, cos) = angle.sin_cos();
    let radius = RADIUS as f32;
    let (along_sigma, across_sigma) = (ALONG, ACROSS * period);
    let mut taps = Vec::with_capacity(SIDE * SIDE);
    let mut fades = Vec::with_capacity(SIDE * SIDE);
    for y in 0..SIDE {
        for x in 0..SIDE {
            let (x, y) = (x as f32 - radius, y as f32 - radius);
            let (along, across) = (x * cos + y * sin, y * cos - x * sin);
            let fade = (-0.5 * ((along / along_sigma).powi(2) + (across / across_sigma).powi(2))).exp();
            // Ridges are dark: the sign is turned here.
            taps.push(-fade * (TAU * across / period).cos());
            fades.push(fade);
        }
    }
    let shift = taps.iter().sum::<f32>() / fades.iter().sum::<f32>();
    taps.iter_mut().zip(&fades).for_each(|(tap, fade)| *tap -= shift * fade);
    let size = taps.iter().map(|tap| tap.abs()).sum::<f32>();
    taps.iter_mut().for_each(|tap| *tap /= size);
    taps
}

/// Half the window of the normalisation.
const WINDOW: usize = 16;
/// Grey levels below which contrast is not raised.
const FLOOR: f32 = 2.0;
const CLIP: f32 = 2.5;
/// Half the filter.
const RADIUS: usize = 8;
const SIDE: usize = 2 * RADIUS + 1;
/// Directions and periods are rounded to these parts, so that few kernels are made.
const ANGLES: f32 = 64.0;
const PERIODS: f32 = 2.0;
/// How far the filter reaches along a ridge (pixels) and across (periods).
const ALONG: f32 = 4.0;
const ACROSS: f32 = 0.42;
