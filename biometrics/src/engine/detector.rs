//! The detector: where faces are, then where exactly their landmarks are.

use std::path::{Path, PathBuf};

use ort::session::Session;
use ort::value::TensorRef;

use super::{CaptureError, EngineError, runtime};
use crate::face::detect::{Face, Placement, StrideOutput, is_same, read, suppress};
use crate::face::geometry::Landmarks;
use crate::face::pyramid::Pyramid;
use crate::onnx::{self, Contract, Port};

/// YuNet, twice: on a close canvas, and, where the face is small in its picture, on a wide one at four times the cost; the latter is
/// loaded when it is wanted first.
pub(super) struct Detector {
    library: PathBuf,
    wide_model: Vec<u8>,
    wide: Option<Session>,
    close: Session,
}

impl Detector {
    pub(super) fn load(library: &Path, model: &[u8]) -> Result<Self, EngineError> {
        let refuse = |fault| EngineError::Refused { model: NAME, fault };
        let model = onnx::fold(model, &WIDE_CONTRACT).map_err(refuse)?;
        let wide_model = model.to_bytes();
        let close = runtime::session(library, NAME, &model.reshaped(&CLOSE_CONTRACT).to_bytes())?;
        Ok(Self { library: library.to_path_buf(), wide_model, wide: None, close })
    }

    /// All faces that are likely, surest first. Looks closer until the surest face is large enough for the canvas that whoever
    /// else could be meant, half as wide, would have been seen too.
    pub(super) fn find(&mut self, pyramid: &Pyramid<'_>) -> Result<Vec<Face>, CaptureError> {
        let mut faces = Vec::new();
        for (side, longest) in [(CLOSE, FRAME_FILLING), (CLOSE, CLOSE as f64), (WIDE, WIDE as f64)] {
            let placement = Placement::whole(pyramid, side, longest);
            faces.extend(self.look(pyramid, &placement, LIKELY)?);
            let settles = |face: &Face| face.score >= SURE && placement.size_of(&face.place) >= SETTLING;
            if faces.iter().any(settles) {
                break;
            }
        }
        Ok(suppress(faces))
    }

    /// The same, and if there is none, with more scales and less certainty.
    pub(super) fn find_anything(&mut self, pyramid: &Pyramid<'_>) -> Result<Vec<Face>, CaptureError> {
        let mut faces = self.find(pyramid)?;
        if faces.is_empty() {
            for longest in [240.0, 110.0, 80.0] {
                faces.extend(self.look(pyramid, &Placement::whole(pyramid, CLOSE, longest), POSSIBLE)?);
            }
            for longest in [480.0, 640.0] {
                faces.extend(self.look(pyramid, &Placement::whole(pyramid, WIDE, longest), POSSIBLE)?);
            }
        }
        Ok(suppress(faces))
    }

    /// Looks again at three sizes and takes the mean: one look's landmarks are off by a pixel or two of its canvas, which
    /// costs more recognition than anything else here (`docs/biometric-evaluation.md`).
    pub(super) fn refine(&mut self, pyramid: &Pyramid<'_>, face: &Face) -> Result<Face, CaptureError> {
        let mut estimates: Vec<Landmarks> = Vec::with_capacity(REFINED_SIZES.len());
        for size in REFINED_SIZES {
            let seen = suppress(self.look(pyramid, &Placement::around(&face.place, CLOSE, size), POSSIBLE)?);
            estimates.extend(seen.iter().find(|other| is_same(&other.place, &face.place)).map(|other| other.landmarks));
        }
        let landmarks = Landmarks::mean(&estimates).unwrap_or(face.landmarks);
        Ok(Face { landmarks, ..*face })
    }

    fn wide(&mut self) -> Result<&mut Session, CaptureError> {
        match &mut self.wide {
            Some(session) => Ok(session),
            none => {
                let session = runtime::session(&self.library, NAME, &self.wide_model);
                Ok(none.insert(session.map_err(|e| CaptureError::Runtime { detail: e.to_string() })?))
            }
        }
    }

    fn look(&mut self, pyramid: &Pyramid<'_>, placement: &Placement, at_least: f64) -> Result<Vec<Face>, CaptureError> {
        let fail = |e: ort::Error| CaptureError::Runtime { detail: e.to_string() };
        let planes = placement.planes(pyramid);
        let session = if placement.side == WIDE { self.wide()? } else { &mut self.close };
        let shape = [1, 3, placement.side, placement.side];
        let input = TensorRef::from_array_view((shape, planes.as_slice())).map_err(fail)?;
        let outputs = session.run(ort::inputs![INPUT => input]).map_err(fail)?;
        let mut faces = Vec::new();
        for (stride, names) in STRIDES {
            let mut values: [&[f32]; 4] = [&[]; 4];
            for (to, name) in values.iter_mut().zip(names) {
                let missing = || CaptureError::Runtime { detail: format!("the detector gave no {name}") };
                *to = outputs.get(name).ok_or_else(missing)?.try_extract_tensor::<f32>().map_err(fail)?.1;
            }
            let [class, objectness, boxes, landmarks] = values;
            read(&StrideOutput { stride, class, objectness, boxes, landmarks }, placement, at_least, &mut faces);
        }
        Ok(faces)
    }
}

impl Drop for Detector {
    /// The runtime's memory held a picture: it holds nothing now. What comes of it does not matter.
    fn drop(&mut self) {
        for (session, side) in [(Some(&mut self.close), CLOSE), (self.wide.as_mut(), WIDE)] {
            let nothing = vec![0.0_f32; 3 * side * side];
            if let (Some(session), Ok(input)) =
                (session, TensorRef::from_array_view(([1, 3, side, side], nothing.as_slice())))
            {
                drop(session.run(ort::inputs![INPUT => input]));
            }
        }
    }
}

const NAME: &str = "the detector";
const INPUT: &str = "input";
/// The model's own canvas.
const WIDE: usize = 640;
/// Half of it.
const CLOSE: usize = 320;
/// Longer side of a picture on the close canvas: a face that fills it is still seen whole.
const FRAME_FILLING: f64 = 160.0;
/// Sizes of the face at which its landmarks are sought.
const REFINED_SIZES: [f64; 3] = [125.0, 175.0, 230.0];
/// A face of this size on its canvas, in pixels, and this sure, needs no larger canvas.
const SETTLING: f64 = 32.0;
const SURE: f64 = 0.8;
const LIKELY: f64 = 0.5;
const POSSIBLE: f64 = 0.3;

const STRIDES: [(usize, [&str; 4]); 3] = [
    (8, ["cls_8", "obj_8", "bbox_8", "kps_8"]),
    (16, ["cls_16", "obj_16", "bbox_16", "kps_16"]),
    (32, ["cls_32", "obj_32", "bbox_32", "kps_32"]),
];

const WIDE_CONTRACT: Contract<'static> = Contract {
    inputs: &[Port { name: INPUT, shape: &[1, 3, 640, 640] }],
    outputs: &[
        Port { name: "cls_8", shape: &[1, 6400, 1] },
        Port { name: "cls_16", shape: &[1, 1600, 1] },
        Port { name: "cls_32", shape: &[1, 400, 1] },
        Port { name: "obj_8", shape: &[1, 6400, 1] },
        Port { name: "obj_16", shape: &[1, 1600, 1] },
        Port { name: "obj_32", shape: &[1, 400, 1] },
        Port { name: "bbox_8", shape: &[1, 6400, 4] },
        Port { name: "bbox_16", shape: &[1, 1600, 4] },
        Port { name: "bbox_32", shape: &[1, 400, 4] },
        Port { name: "kps_8", shape: &[1, 6400, 10] },
        Port { name: "kps_16", shape: &[1, 1600, 10] },
        Port { name: "kps_32", shape: &[1, 400, 10] },
    ],
};
const CLOSE_CONTRACT: Contract<'static> = Contract {
    inputs: &[Port { name: INPUT, shape: &[1, 3, 320, 320] }],
    outputs: &[
        Port { name: "cls_8", shape: &[1, 1600, 1] },
        Port { name: "cls_16", shape: &[1, 400, 1] },
        Port { name: "cls_32", shape: &[1, 100, 1] },
        Port { name: "obj_8", shape: &[1, 1600, 1] },
        Port { name: "obj_16", shape: &[1, 400, 1] },
        Port { name: "obj_32", shape: &[1, 100, 1] },
        Port { name: "bbox_8", shape: &[1, 1600, 4] },
        Port { name: "bbox_16", shape: &[1, 400, 4] },
        Port { name: "bbox_32", shape: &[1, 100, 4] },
        Port { name: "kps_8", shape: &[1, 1600, 10] },
        Port { name: "kps_16", shape: &[1, 400, 10] },
        Port { name: "kps_32", shape: &[1, 100, 10] },
    ],
};
