//! Photographs from the webcam, by `ffmpeg`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why there are no photographs.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CameraError {
    #[error(
        "there is no webcam here (no /dev/video*); leave out --camera to use the official portraits, or give --face"
    )]
    None,
    #[error("--camera needs ffmpeg ({0}); on Debian: apt-get install ffmpeg")]
    NoFfmpeg(std::io::Error),
    #[error("{device} gave no picture: is another program using it?")]
    NoPicture { device: PathBuf },
}

/// Takes six photographs, a second apart: five enrol, the last unlocks.
pub(super) fn take(folder: &Path) -> Result<Vec<PathBuf>, CameraError> {
    let device =
        (0..10).map(|n| PathBuf::from(format!("/dev/video{n}"))).find(|p| p.exists()).ok_or(CameraError::None)?;
    eprintln!("camera: look into {} for six seconds, and move your head a little", device.display());
    let status = Command::new("ffmpeg")
        .args(["-loglevel", "error", "-f", "v4l2", "-i"])
        .arg(&device)
        .args(["-vf", "fps=1", "-frames:v", "6", "-q:v", "2"])
        .arg(folder.join("camera-%d.jpg"))
        .stdin(Stdio::null())
        .status()
        .map_err(CameraError::NoFfmpeg)?;
    let faces: Vec<PathBuf> = (1..=6).map(|n| folder.join(format!("camera-{n}.jpg"))).filter(|p| p.is_file()).collect();
    if status.success() && faces.len() == 6 { Ok(faces) } else { Err(CameraError::NoPicture { device }) }
}
