//! The DET curve, the scores' histograms and error versus discard, as SVG.

use std::collections::BTreeMap;
use std::error::Error;

use biometrics::evaluation::{DiscardPoint, Evaluation};
use plotters::prelude::*;

/// Draws both beside each other.
pub(super) fn draw(evaluation: &Evaluation) -> Result<String, Box<dyn Error>> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (1200, 520)).into_drawing_area();
        root.fill(&WHITE)?;
        let (left, right) = root.split_horizontally(600);
        draw_det(evaluation, &left)?;
        draw_histograms(evaluation, &right)?;
        root.present()?;
    }
    Ok(svg)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn draw_det(evaluation: &Evaluation, area: &Area<'_>) -> Result<(), Box<dyn Error>> {
    // Rates of zero have no logarithm: they are drawn at half of what one error would be.
    let floor = 0.5 / (evaluation.mated().len().max(evaluation.non_mated().len()).max(1) as f64);
    let mut chart = ChartBuilder::on(area)
        .caption("DET", ("sans-serif", 20))
        .margin(14)
        .x_label_area_size(46)
        .y_label_area_size(66)
        .build_cartesian_2d((floor..1.0).log_scale(), (floor..1.0).log_scale())?;
    let percent = |rate: &f64| format!("{} %", (rate * 1e6).round() / 1e4);
    chart
        .configure_mesh()
        .x_desc("FMR")
        .y_desc("FNMR")
        .x_label_formatter(&percent)
        .y_label_formatter(&percent)
        .draw()?;
    let curve = thinned(evaluation.det().into_iter().map(|p| (p.fmr.value().max(floor), p.fnmr.value().max(floor))));
    chart.draw_series(LineSeries::new(curve, BLUE.stroke_width(2)))?;
    let diagonal = [(floor, floor), (1.0, 1.0)];
    chart.draw_series(LineSeries::new(diagonal, BLACK.mix(0.3)))?;
    Ok(())
}

/// Only what differs by more than a hundredth from what was drawn before: thousands of points on a pixel help nobody.
fn thinned(points: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let mut kept: Vec<(f64, f64)> = Vec::new();
    let mut skipped = None;
    for (fmr, fnmr) in points {
        let differs = |(x, y): &(f64, f64)| (fmr / x).ln().abs() > 0.01 || (fnmr / y).ln().abs() > 0.01;
        if kept.last().is_none_or(differs) {
            // A step keeps its corner.
            kept.extend(skipped.take());
            kept.push((fmr, fnmr));
        } else {
            skipped = Some((fmr, fnmr));
        }
    }
    kept.extend(skipped);
    kept
}

/// What the FNMR becomes when pairs of low quality are left out: one line a component.
pub(super) fn draw_discard(curves: &BTreeMap<&'static str, Vec<DiscardPoint>>) -> Result<String, Box<dyn Error>> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (900, 520)).into_drawing_area();
        root.fill(&WHITE)?;
        let points = || curves.values().flatten();
        let most = points().map(|p| p.discarded).fold(0.01, f64::max) * 100.0;
        let highest = points().map(|p| p.fnmr.value()).fold(0.001, f64::max) * 110.0;
        let mut chart = ChartBuilder::on(&root)
            .caption("FNMR at a fixed threshold, by share of pairs discarded", ("sans-serif", 20))
            .margin(14)
            .x_label_area_size(46)
            .y_label_area_size(66)
            .build_cartesian_2d(0.0..most, 0.0..highest)?;
        chart.configure_mesh().x_desc("mated pairs discarded, %").y_desc("FNMR of the rest, %").draw()?;
        for (i, (name, curve)) in curves.iter().enumerate() {
            let colour = Palette99::pick(i).stroke_width(2);
            let line = curve.iter().map(|p| (p.discarded * 100.0, p.fnmr.value() * 100.0));
            chart
                .draw_series(LineSeries::new(line, colour))?
                .label(*name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour));
        }
        chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK.mix(0.3)).draw()?;
        root.present()?;
    }
    Ok(svg)
}

fn draw_histograms(evaluation: &Evaluation, area: &Area<'_>) -> Result<(), Box<dyn Error>> {
    let (mated, non_mated) = (shares(evaluation.mated()), shares(evaluation.non_mated()));
    let highest = mated.iter().chain(&non_mated).copied().fold(0.0, f64::max).max(0.01) * 1.1;
    let mut chart = ChartBuilder::on(area)
        .caption("Scores: mated (blue), non-mated (red)", ("sans-serif", 20))
        .margin(14)
        .x_label_area_size(46)
        .y_label_area_size(66)
        .build_cartesian_2d(-1.0..1.0, 0.0..highest)?;
    chart.configure_mesh().x_desc("score").y_desc("share of pairs").draw()?;
    for (values, colour) in [(non_mated, RED), (mated, BLUE)] {
        let bars = values.into_iter().enumerate().filter(|(_, share)| *share > 0.0).map(|(i, share)| {
            let left = -1.0 + i as f64 * BIN;
            Rectangle::new([(left, 0.0), (left + BIN, share)], colour.mix(0.4).filled())
        });
        chart.draw_series(bars)?;
    }
    Ok(())
}

/// The share of scores in each bin from -1 to 1.
fn shares(scores: &[f64]) -> Vec<f64> {
    let mut counts = vec![0.0; (2.0 / BIN).round() as usize];
    let last = counts.len().saturating_sub(1);
    for score in scores {
        let bin = (((score + 1.0) / BIN).floor().max(0.0) as usize).min(last);
        if let Some(count) = counts.get_mut(bin) {
            *count += 1.0 / scores.len().max(1) as f64;
        }
    }
    counts
}

const BIN: f64 = 0.02;
