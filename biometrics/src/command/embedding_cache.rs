//! Every picture of a list embedded once, and what is made of them.

use std::collections::{BTreeMap, HashMap};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use biometrics::Engine;
use biometrics::face::quality::Quality;
use biometrics::template::{Embedding, EnrolError, Probe, ProbeError, Reference};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::pair_list::Pair;
use super::{Failure, home};

/// The embeddings of all pictures, by path; nothing for those in which no face was found.
pub(super) struct EmbeddingCache {
    embeddings: HashMap<PathBuf, Option<Embedding>>,
    qualities: HashMap<PathBuf, Quality>,
    /// How long each picture took, from file to embedding.
    pub(super) times: Vec<Duration>,
    /// Pictures that gave none.
    pub(super) failures: usize,
    /// What the quality gate says of the pictures, by code; `ok` for those it lets through.
    pub(super) quality: BTreeMap<&'static str, usize>,
}

impl EmbeddingCache {
    /// Embeds every picture of the pairs. With `gate`, only those that the product would take.
    pub(super) fn fill<'p>(
        engine: &mut Engine,
        pairs: impl IntoIterator<Item = &'p Pair>,
        gate: bool,
    ) -> Result<Self, Failure> {
        let mut cache = Self {
            embeddings: HashMap::new(),
            qualities: HashMap::new(),
            times: Vec::new(),
            failures: 0,
            quality: BTreeMap::new(),
        };
        let mut pictures: Vec<&PathBuf> =
            pairs.into_iter().flat_map(|pair| pair.reference.iter().chain(&pair.probe)).collect();
        pictures.sort_unstable();
        pictures.dedup();
        let bar = progress(pictures.len() as u64, "pictures");
        for picture in pictures {
            let start = Instant::now();
            let embedding = cache.embed(engine, picture, gate)?;
            cache.times.push(start.elapsed());
            cache.failures += usize::from(embedding.is_none());
            cache.embeddings.insert(picture.clone(), embedding);
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(cache)
    }

    fn embed(&mut self, engine: &mut Engine, picture: &Path, gate: bool) -> Result<Option<Embedding>, Failure> {
        // Damaged pictures fail to extract; a runtime that fails ends the evaluation.
        let Ok(sample) = home::read_sample(picture) else {
            *self.quality.entry("not-decoded").or_default() += 1;
            return Ok(None);
        };
        let captured = if gate { engine.capture(&sample) } else { engine.capture_ungated(&sample) };
        let name = picture.display().to_string();
        if let Ok(capture) = &captured {
            self.qualities.insert(picture.to_path_buf(), capture.quality().clone());
        }
        let (code, embedding) = match captured {
            Ok(capture) if capture.faces() > 1 => ("several-faces", Some(capture.into_embedding())),
            Ok(capture) => {
                (capture.quality().check().map_or_else(|fault| fault.code(), |()| "ok"), Some(capture.into_embedding()))
            }
            Err(error @ biometrics::CaptureError::Runtime { .. }) => return Err(Failure::capture(&name, &error)),
            Err(error) => (error.code(), None),
        };
        *self.quality.entry(code).or_default() += 1;
        Ok(embedding)
    }

    /// The reference of several captures: those that gave an embedding, fused. Nothing if none did.
    pub(super) fn reference(&self, captures: &[PathBuf]) -> Result<Option<Reference>, Failure> {
        match Reference::fuse(&self.found(captures)) {
            Ok(reference) => Ok(Some(reference)),
            Err(EnrolError::TooFewCaptures { .. } | EnrolError::CapturesCancel) => Ok(None),
            Err(error) => Err(Failure::usage(error.to_string(), error.hint())),
        }
    }

    /// The probe of several frames: those that gave an embedding, averaged. Nothing if none did.
    pub(super) fn probe(&self, frames: &[PathBuf]) -> Result<Option<Probe>, Failure> {
        match Probe::from_frames(&self.found(frames)) {
            Ok(probe) => Ok(Some(probe)),
            Err(ProbeError::NoFrame | ProbeError::FramesCancel) => Ok(None),
            Err(error) => Err(Failure::usage(error.to_string(), "name fewer frames a probe")),
        }
    }

    /// What was measured of a picture; nothing if there was no face.
    pub(super) fn quality_of(&self, picture: &Path) -> Option<&Quality> {
        self.qualities.get(picture)
    }

    fn found(&self, paths: &[PathBuf]) -> Vec<&Embedding> {
        paths.iter().filter_map(|path| self.embeddings.get(path)?.as_ref()).collect()
    }
}

/// A bar on a terminal; nothing elsewhere.
pub(super) fn progress(length: u64, what: &'static str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style =
        ProgressStyle::with_template("{msg} {bar:40} {pos}/{len} {eta}").unwrap_or(ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr()).with_style(style).with_message(what)
}
