//! The answer to a challenge as it lies before us: in a folder, or as it came from a camera.

use super::film::Film;
use super::pictures::{Picture, PictureError};
use super::recording::Recording;
use std::time::Duration;

/// Pictures of one answer, each decoded when it is asked for.
#[derive(Debug)]
pub enum Footage {
    /// Files.
    Recorded(Recording),
    /// What a camera sent.
    Filmed(Film),
}

impl Footage {
    /// The pictures in their order, and when each was taken.
    pub fn pictures(&self) -> Box<dyn Iterator<Item = (Duration, Result<Picture, PictureError>)> + '_> {
        match self {
            Self::Recorded(recording) => {
                Box::new(recording.frames().iter().map(|(path, at)| (*at, Picture::read(path))))
            }
            Self::Filmed(film) => {
                let numbered = film.frames().zip(1_usize..);
                Box::new(numbered.map(|((bytes, at), number)| (at, Picture::sent(bytes, number))))
            }
        }
    }
}
