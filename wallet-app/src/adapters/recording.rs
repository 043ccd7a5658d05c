//! Frames that a camera took of an answer to a challenge: which files they are, and when each was taken.

use super::StorageError;
use super::inputs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The frames of one answer, in the order in which they were taken.
#[derive(Debug, PartialEq, Eq)]
pub struct Recording {
    frames: Vec<(PathBuf, Duration)>,
}

impl Recording {
    /// Finds the frames in a folder: those of its list `frames.csv` (`frame,ms`: a picture and the milliseconds since the
    /// recording began), or all its pictures in the order of their names, so many a second. No picture is opened.
    ///
    /// # Errors
    /// [`RecordingError`]
    pub fn find(folder: &Path, frames_a_second: u32) -> Result<Self, RecordingError> {
        let list = folder.join(LIST);
        let frames = if list.is_file() { listed(&list)? } else { in_order(folder, frames_a_second)? };
        match frames.len() {
            0 => Err(RecordingError::Empty { folder: folder.to_path_buf() }),
            1..=MOST_FRAMES => Ok(Self { frames }),
            got => Err(RecordingError::TooMany { most: MOST_FRAMES, got }),
        }
    }

    /// The frames, and when each was taken.
    #[must_use]
    pub fn frames(&self) -> &[(PathBuf, Duration)] {
        &self.frames
    }
}

/// Why there are no frames.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// Folder or list cannot be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The first line is not `frame,ms`.
    #[error("{} does not begin with the line frame,ms", .list.display())]
    NotAList {
        /// Which file.
        list: PathBuf,
    },
    /// A line that is no picture and a time.
    #[error("line {line} of {} is not a picture and its milliseconds", .list.display())]
    Line {
        /// Which file.
        list: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
    /// No frame at all.
    #[error("{} holds no frames", .folder.display())]
    Empty {
        /// Which folder.
        folder: PathBuf,
    },
    /// More than any answer has.
    #[error("an answer has at most {most} frames, this one has {got}")]
    TooMany {
        /// The most.
        most: usize,
        /// How many there are.
        got: usize,
    },
}

fn listed(list: &Path) -> Result<Vec<(PathBuf, Duration)>, RecordingError> {
    let text = inputs::text(list)?;
    let mut lines = text.lines();
    if lines.next() != Some("frame,ms") {
        return Err(RecordingError::NotAList { list: list.to_path_buf() });
    }
    let folder = list.parent().unwrap_or(Path::new(""));
    let read = |line: &str| {
        let (frame, ms) = line.rsplit_once(',')?;
        Some((folder.join(frame), Duration::from_millis(ms.parse().ok()?)))
    };
    let wrong = |line| RecordingError::Line { list: list.to_path_buf(), line };
    lines.zip(2..).map(|(line, number)| read(line).ok_or_else(|| wrong(number))).collect()
}

fn in_order(folder: &Path, frames_a_second: u32) -> Result<Vec<(PathBuf, Duration)>, RecordingError> {
    let failed = |source| StorageError::Read { path: folder.to_path_buf(), source };
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let entries = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths: Vec<PathBuf> = entries.collect::<Result<_, _>>().map_err(failed)?;
    paths.retain(|path| path.is_file() && is_picture(path));
    // 2.jpg before 10.jpg.
    paths.sort_by_key(|path| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        (name.len(), name)
    });
    let at = |number: usize| Duration::from_secs_f64((number as f64 + 1.0) / f64::from(frames_a_second.max(1)));
    Ok(paths.into_iter().enumerate().map(|(number, path)| (path, at(number))).collect())
}

fn is_picture(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| PICTURES.contains(&ending.as_str()))
}

const LIST: &str = "frames.csv";
/// As long as a challenge looks.
pub(super) const MOST_FRAMES: usize = 2700;
const PICTURES: [&str; 10] = ["jpg", "jpeg", "png", "pgm", "ppm", "pnm", "bmp", "webp", "tif", "tiff"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_those_of_the_list_or_the_pictures_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let found = || Recording::find(folder.path(), 10);
        assert!(matches!(found(), Err(RecordingError::Empty { .. })));
        for name in ["10.jpg", "2.JPG", "notes.txt", "challenge.json"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let frame = |name: &str, ms| (folder.path().join(name), Duration::from_millis(ms));
        assert_eq!(found().unwrap().frames(), [frame("2.JPG", 100), frame("10.jpg", 200)]);
        let list = |text: &str| std::fs::write(folder.path().join("frames.csv"), text).unwrap();
        list("frame,ms\n10.jpg,40\r\n2.JPG,80\n");
        assert_eq!(found().unwrap().frames(), [frame("10.jpg", 40), frame("2.JPG", 80)]);
        list("10.jpg,40\n");
        assert!(matches!(found(), Err(RecordingError::NotAList { .. })));
        for wrong in ["10.jpg", "10.jpg,", "10.jpg,-1", "10.jpg,0.5", ""] {
            list(&format!("frame,ms\n2.JPG,80\n{wrong}\n"));
            assert!(matches!(found(), Err(RecordingError::Line { line: 3, .. })), "{wrong}");
        }
        list(&format!("frame,ms\n{}", "2.JPG,80\n".repeat(MOST_FRAMES + 1)));
        assert!(matches!(found(), Err(RecordingError::TooMany { .. })));
        list("frame,ms\n");
        assert!(matches!(found(), Err(RecordingError::Empty { .. })));
        assert!(matches!(Recording::find(&folder.path().join("absent"), 10), Err(RecordingError::Storage(_))));
    }
}
