//! Histograms of linkage scores, as SVG.

use std::error::Error;

use plotters::prelude::*;

use super::protection::Linkage;

/// One chart for each setting, beside each other.
pub(super) fn draw(linkages: &[Linkage]) -> Result<String, Box<dyn Error>> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (1500, 440)).into_drawing_area();
        root.fill(&WHITE)?;
        for (area, linkage) in root.split_evenly((1, linkages.len().max(1))).iter().zip(linkages) {
            chart(area, linkage)?;
        }
        root.present()?;
    }
    Ok(svg)
}

fn chart(area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>, linkage: &Linkage) -> Result<(), Box<dyn Error>> {
    let (mated, non_mated) = (shares(&linkage.mated), shares(&linkage.non_mated));
    let highest = mated.iter().chain(&non_mated).copied().fold(0.01, f64::max) * 1.1;
    let mut chart = ChartBuilder::on(area)
        .caption(linkage.name, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(56)
        .build_cartesian_2d(LOWEST..1.0, 0.0..highest)?;
    chart.configure_mesh().x_desc("agreement: mated (blue), non-mated (red)").y_desc("share of pairs").draw()?;
    for (values, colour) in [(non_mated, RED), (mated, BLUE)] {
        let bars = values.into_iter().enumerate().filter(|(_, share)| *share > 0.0).map(|(i, share)| {
            let left = LOWEST + i as f64 * BIN;
            Rectangle::new([(left, 0.0), (left + BIN, share)], colour.mix(0.4).filled())
        });
        chart.draw_series(bars)?;
    }
    Ok(())
}

fn shares(scores: &[f64]) -> Vec<f64> {
    let mut shares = vec![0.0; ((1.0 - LOWEST) / BIN).round() as usize];
    let last = shares.len().saturating_sub(1);
    for score in scores {
        let bin = (((score - LOWEST) / BIN).max(0.0) as usize).min(last);
        if let Some(share) = shares.get_mut(bin) {
            *share += 1.0 / scores.len() as f64;
        }
    }
    shares
}

const LOWEST: f64 = 0.3;
const BIN: f64 = 0.01;
