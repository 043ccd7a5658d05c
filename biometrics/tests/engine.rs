//! The engine with its real models, on real faces. Skipped, saying so, where models or pictures are absent.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test may stop where it stands, and reads files"
)]

use std::path::{Path, PathBuf};

use biometrics::comparison::{Decision, Threshold, compare};
use biometrics::engine::{CaptureError, EngineError};
use biometrics::models::{DETECTOR, EMBEDDER, RUNTIME_LINUX_X86_64};
use biometrics::pad::challenge::{Challenge, Frame, Progress, Reflection, Script, Sign};
use biometrics::pad::network::{PadNetwork, PadNetworkError};
use biometrics::protection::{Message, TransformSeed, release, seal};
use biometrics::simulation::{Performance, Portrait, Seed, Species};
use biometrics::template::{Embedding, Probe, Reference};
use biometrics::{Engine, Sample};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

fn home() -> PathBuf {
    let set = std::env::var_os("AMPARO_HOME").map(PathBuf::from);
    set.unwrap_or_else(|| directories::BaseDirs::new().expect("a home").cache_dir().join("amparo"))
}

fn model_files() -> Option<(PathBuf, Vec<u8>, Vec<u8>)> {
    let read = |name: &str| std::fs::read(home().join("models").join(name)).ok();
    let runtime = home().join("runtime").join(RUNTIME_LINUX_X86_64.file_name);
    let files = (runtime.is_file(), read(DETECTOR.file_name), read(EMBEDDER.file_name));
    let (true, Some(detector), Some(embedder)) = files else {
        println!("skipped: no models in {} (cargo xtask setup fetches them)", home().display());
        return None;
    };
    Some((runtime, detector, embedder))
}

fn engine() -> Option<Engine> {
    let (runtime, detector, embedder) = model_files()?;
    Some(Engine::load(&runtime, &detector, &embedder).unwrap())
}

/// The ORL faces, if they are there: a folder for each person.
fn orl() -> Option<PathBuf> {
    let data = std::env::var_os("AMPARO_DATA").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let further = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let found = data.into_iter().chain([beside, further]).map(|d| d.join("faces/orl")).find(|d| d.is_dir());
    if found.is_none() {
        println!("skipped: no shared/data/faces/orl (AMPARO_DATA says where)");
    }
    found
}

fn embed(engine: &mut Engine, orl: &Path, person: usize, picture: usize) -> Embedding {
    let bytes = std::fs::read(orl.join(format!("s{person}/{picture}.pgm"))).unwrap();
    engine.capture_ungated(&Sample::decode(&bytes).unwrap()).unwrap().into_embedding()
}

/// A face-like picture enlarged from an ORL one, so that the quality gate sees enough pixels.
fn enlarged(orl: &Path, person: usize, picture: usize, factor: usize) -> (u32, u32, Vec<u8>) {
    let bytes = std::fs::read(orl.join(format!("s{person}/{picture}.pgm"))).unwrap();
    let sample = Sample::decode(&bytes).unwrap();
    let (width, height) = (sample.width() as usize, sample.height() as usize);
    let mut rgb = Vec::new();
    for y in 0..height * factor {
        for x in 0..width * factor {
            let at = ((y / factor) * width + x / factor) * 3;
            rgb.extend_from_slice(&sample.as_rgb()[at..at + 3]);
        }
    }
    ((width * factor) as u32, (height * factor) as u32, rgb)
}

#[test]
fn attack_92_swapped_models_do_not_start_the_engine() {
    let Some((runtime, detector, embedder)) = model_files() else { return };
    let mut swapped = embedder.clone();
    *swapped.last_mut().unwrap() ^= 1;
    assert!(matches!(Engine::load(&runtime, &detector, &swapped), Err(EngineError::NotPinned(_))));
    assert!(matches!(Engine::load(&runtime, &embedder, &detector), Err(EngineError::NotPinned(_))));
    assert!(matches!(Engine::load(&runtime, &[], &embedder), Err(EngineError::NotPinned(_))));
    let nowhere = Engine::load(Path::new("/nonexistent/libonnxruntime.so"), &detector, &embedder);
    assert!(matches!(nowhere, Err(EngineError::RuntimeLibrary { .. })));
}

#[test]
fn pictures_that_cannot_be_used_say_why() {
    let (Some(mut engine), Some(orl)) = (engine(), orl()) else { return };
    let grey = Sample::from_rgb(300, 300, vec![128; 300 * 300 * 3]).unwrap();
    assert_eq!(engine.capture(&grey).unwrap_err(), CaptureError::NoFace);
    assert_eq!(engine.capture_ungated(&grey).unwrap_err(), CaptureError::NoFace);
    let tiny = Sample::from_rgb(1, 1, vec![9; 3]).unwrap();
    assert_eq!(engine.capture(&tiny).unwrap_err(), CaptureError::NoFace);

    let small = Sample::decode(&std::fs::read(orl.join("s1/1.pgm")).unwrap()).unwrap();
    let error = engine.capture(&small).unwrap_err();
    assert_eq!((error.code(), error.hint()), ("face-too-small", "come closer to the camera"));

    let (width, height, rgb) = enlarged(&orl, 1, 1, 8);
    let dark = Sample::from_rgb(width, height, rgb.iter().map(|v| v / 16).collect()).unwrap();
    assert!(matches!(engine.capture(&dark).unwrap_err().code(), "too-dark" | "no-face"));

    // Two people side by side.
    let (_, _, other) = enlarged(&orl, 4, 1, 8);
    let row = width as usize * 3;
    let both: Vec<u8> = rgb.chunks(row).zip(other.chunks(row)).flat_map(|(a, b)| a.iter().chain(b).copied()).collect();
    let both = Sample::from_rgb(2 * width, height, both).unwrap();
    assert_eq!(engine.capture(&both).unwrap_err(), CaptureError::SeveralFaces { got: 2 });
}

#[test]
fn the_same_sample_gives_the_same_template_and_faces_small_or_large_are_found() {
    let (Some(mut engine), Some(orl)) = (engine(), orl()) else { return };
    let (width, height, rgb) = enlarged(&orl, 5, 1, 10);
    let sample = Sample::from_rgb(width, height, rgb.clone()).unwrap();
    let once = Reference::fuse(&[engine.capture_ungated(&sample).unwrap().into_embedding()]).unwrap();
    let again = Reference::fuse(&[engine.capture_ungated(&sample).unwrap().into_embedding()]).unwrap();
    assert_eq!(once.to_bytes(), again.to_bytes());

    // The same face, a tenth as wide as the picture.
    let (w, h) = (width as usize, height as usize);
    let mut large = vec![90_u8; w * 7 * h * 7 * 3];
    for y in 0..h {
        let at = ((y + 3 * h) * w * 7 + 3 * w) * 3;
        large[at..at + w * 3].copy_from_slice(&rgb[y * w * 3..(y + 1) * w * 3]);
    }
    let far = Sample::from_rgb(width * 7, height * 7, large).unwrap();
    let probe = Probe::from_frames(&[engine.capture_ungated(&far).unwrap().into_embedding()]).unwrap();
    let score = compare(&probe, &once).unwrap();
    // Around the one there is its own edge, around the other a grey wall, and it was found on a smaller canvas: alike, not equal.
    assert_eq!(Threshold::new(0.55).unwrap().decide(score), Decision::Match, "{}", score.value());
}

#[test]
fn attack_90_no_other_orl_face_is_released() {
    let (Some(mut engine), Some(orl)) = (engine(), orl()) else { return };
    // Five captures enrolled, the other five are genuine attempts; every other person's pictures are impostors'.
    let people = 8;
    let mut faces: Vec<Vec<Embedding>> = Vec::new();
    for person in 1..=people {
        faces.push((1..=10).map(|picture| embed(&mut engine, &orl, person, picture)).collect());
    }
    let mut rng = ChaCha20Rng::seed_from_u64(90);
    let (mut genuine, mut released, mut impostors, mut false_releases) = (0, 0, 0, 0);
    for (i, person) in faces.iter().enumerate() {
        let reference = Reference::enrol(&person[..5]).unwrap();
        let (seed, message) = (TransformSeed::generate(&mut rng), Message::generate(&mut rng));
        let helper = seal(&reference, &seed, &message);
        let opens = |probe: &Probe| {
            release(probe, &seed, &helper).iter().any(|candidate| candidate.as_bytes() == message.as_bytes())
        };
        for (j, other) in faces.iter().enumerate() {
            let attempts = if i == j { &other[5..] } else { &other[..] };
            for frames in attempts.windows(3) {
                let opened = opens(&Probe::from_frames(frames).unwrap());
                if i == j {
                    genuine += 1;
                    released += u32::from(opened);
                } else {
                    impostors += 1;
                    false_releases += u32::from(opened);
                }
            }
        }
    }
    println!("released {released} of {genuine} genuine and {false_releases} of {impostors} impostor attempts");
    assert_eq!((genuine, impostors), (24, 448));
    assert_eq!(false_releases, 0);
    assert!(released >= 22, "{released} of 24");
}

/// A large portrait that `cargo xtask setup` fetches.
fn photograph(name: &str) -> Option<Sample> {
    let bytes = std::fs::read(home().join("photographs").join(name)).ok();
    if bytes.is_none() {
        println!("skipped: no photographs/{name} (cargo xtask setup fetches it)");
    }
    Some(Sample::decode(&bytes?).unwrap())
}

/// Plays a simulated presentation before the real engine.
fn plays(engine: &mut Engine, portraits: [&Portrait<'_>; 2], species: Species, reflection: Reflection) -> Option<Sign> {
    let mut challenge = Challenge::begin(Script::generate(&mut ChaCha20Rng::seed_from_u64(4)), reflection);
    // The same seed gives the same prompts: a recording must be of another challenge than this one.
    let seed = if species == Species::Recording { Seed(5) } else { Seed(4) };
    let mut performance = Performance::new(portraits[0], portraits[1], species, seed);
    loop {
        let (at, sample) = performance.next_frame(&challenge).unwrap();
        let frame = Frame::new(at, &sample, engine.capture_in_motion(&sample).unwrap());
        match challenge.observe(frame) {
            Progress::Going(next) => challenge = *next,
            Progress::Present(presence) => {
                // The probe is the face that answered.
                assert_eq!(presence.into_probe().unwrap().model(), engine.model());
                return None;
            }
            Progress::Refused(sign) => return Some(sign),
        }
    }
}

#[test]
fn attack_91_simulated_presentations_of_each_species() {
    let (Some(mut engine), Some(one), Some(other)) = (engine(), photograph("biden.jpg"), photograph("obama.jpg"))
    else {
        return;
    };
    let captures = [engine.capture(&one).unwrap(), engine.capture(&other).unwrap()];
    let portraits = [Portrait::new(&one, &captures[0]), Portrait::new(&other, &captures[1])];
    let mut plays = |species, reflection| plays(&mut engine, [&portraits[0], &portraits[1]], species, reflection);
    assert_eq!(plays(Species::BonaFide, Reflection::Required), None);
    let expected = [
        (Species::StillPhotograph, Sign::PlanarMotion),
        (Species::LoopedFrames, Sign::ReplayedFrame),
        (Species::Cut, Sign::PersonChanged),
        (Species::ConstantNoise, Sign::ConstantNoise),
    ];
    for (species, sign) in expected {
        assert_eq!(plays(species, Reflection::Ignored), Some(sign), "{species:?}");
    }
    assert_eq!(plays(Species::NoLight, Reflection::Required), Some(Sign::NoReflection));
    // Another order, and other light: which of them is noticed first depends on both.
    assert!(plays(Species::Recording, Reflection::Ignored).is_some());
}

#[test]
fn an_operators_network_tells_the_samples_of_its_makers_apart() {
    let Some(mut engine) = engine() else { return };
    let Some(data) = orl().and_then(|orl| Some(orl.parent()?.parent()?.to_owned())) else { return };
    let Ok(model) = std::fs::read(data.join("models/minifasnet-v2-se.onnx")) else {
        println!("skipped: no shared/data/models/minifasnet-v2-se.onnx");
        return;
    };
    let runtime = home().join("runtime").join(RUNTIME_LINUX_X86_64.file_name);
    let hash = "af2381b88f38769222ed93379e12444e2a50814575de1c46170de570c55a42b6".parse().unwrap();
    let mut network = PadNetwork::load(&runtime, &model, &hash).unwrap();
    for (name, is_bona_fide) in [("image_T1.jpg", true), ("image_F1.jpg", false), ("image_F2.jpg", false)] {
        let sample = Sample::decode(&std::fs::read(data.join("pad").join(name)).unwrap()).unwrap();
        let place = engine.capture_ungated(&sample).unwrap().place();
        assert_eq!(network.examine(&sample, place).unwrap().is_bona_fide(), is_bona_fide, "{name}");
    }
    // The embedder is a network too, but not one of this contract.
    let embedder = std::fs::read(home().join("models").join(EMBEDDER.file_name)).unwrap();
    let own = "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee".parse().unwrap();
    assert!(matches!(PadNetwork::load(&runtime, &embedder, &own), Err(PadNetworkError::Refused(_))));
}

#[test]
fn faults_of_a_picture_are_noticed_before_recognition_fails() {
    use biometrics::simulation::{Degradation, MOST_LEVEL, degraded};
    let Some(mut engine) = engine() else { return };
    let read = |name: &str| std::fs::read(home().join("photographs").join(name)).ok();
    let (Some(one), Some(two), Some(three)) = (read("obama.jpg"), read("obama2.jpg"), read("obama3.jpg")) else {
        println!("skipped: no photographs (cargo xtask setup fetches them)");
        return;
    };
    let [one, two, three] = [one, two, three].map(|bytes| Sample::decode(&bytes).unwrap());
    let captures = [&two, &three].map(|sample| engine.capture(sample).unwrap().into_embedding());
    let reference = Reference::enrol(&captures).unwrap();
    let capture = engine.capture(&one).unwrap();
    let portrait = Portrait::new(&one, &capture);
    for kind in Degradation::ALL {
        let spoilt = |level| degraded(&portrait, kind, level, Seed(5)).unwrap();
        assert!(engine.capture(&spoilt(0)).is_ok(), "{kind:?}: nothing is wrong, and it is refused");
        // Size alone costs little down to what is refused; some turns are not noticed (docs/biometric-evaluation.md).
        if matches!(kind, Degradation::Nodding | Degradation::Turned | Degradation::Shadow) {
            continue;
        }
        let (worst, last) = (spoilt(MOST_LEVEL), engine.capture(&spoilt(MOST_LEVEL)));
        assert!(last.is_err(), "{kind:?} at its worst is taken");
        if kind == Degradation::Small {
            continue;
        }
        let Ok(capture) = engine.capture_ungated(&worst) else { continue };
        let score = compare(&Probe::from_frames(&[capture.into_embedding()]).unwrap(), &reference).unwrap();
        assert_eq!(
            Threshold::new(0.6).unwrap().decide(score),
            Decision::NonMatch,
            "{kind:?} is refused and would release"
        );
    }
}
