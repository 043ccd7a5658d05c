//! Tests of the challenge on a drawn head: each attack is found, and named.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

use super::grain::Grain;
use super::*;
use crate::engine::FacePlace;
use crate::face::geometry::Point;
use crate::sample::Sample;
use crate::template::{DIMENSION, ModelId};

/// What the actor's head does at one moment.
#[derive(Clone, Copy)]
struct Pose {
    turn: f64,
    nod: f64,
    distance: f64,
}

const STRAIGHT: Pose = Pose { turn: 0.0, nod: 0.0, distance: 8.0 };

/// A whole presentation, one tenth of a second a frame. Every field is one thing an attack changes.
struct Actor {
    /// How far the nose stands out: nothing in a photograph.
    depth: f64,
    /// Tenths of a second before a prompt is answered.
    reaction: usize,
    /// How much the screen's colour shows on the face.
    lit: f64,
    fresh_noise: bool,
    /// From this frame on it is somebody else.
    other_from: usize,
    /// So many frames after the first it has become somebody else, a little more with each.
    other_after: usize,
    /// What is done instead, where it is another movement.
    mistaken: Option<Prompt>,
    grey: bool,
}

const LIVING: Actor = Actor {
    depth: 1.0,
    reaction: 4,
    lit: 0.05,
    fresh_noise: true,
    other_from: usize::MAX,
    other_after: usize::MAX,
    mistaken: None,
    grey: false,
};

impl Actor {
    fn plays(&self, reflection: Reflection, seed: u64) -> Result<usize, Sign> {
        let script = Script::generate(&mut ChaCha20Rng::seed_from_u64(seed));
        let mut challenge = Challenge::begin(script, reflection);
        let (mut pose, mut waited, mut asked) = (STRAIGHT, 0, None);
        for i in 0..400 {
            if challenge.prompt() != asked {
                (asked, waited) = (challenge.prompt(), 0);
            }
            waited += 1;
            let aim = if waited > self.reaction {
                asked.map_or(STRAIGHT, |p| target(self.mistaken.unwrap_or(p)))
            } else {
                pose
            };
            pose = Pose {
                turn: towards(pose.turn, aim.turn, 8.0),
                nod: towards(pose.nod, aim.nod, 8.0),
                distance: towards(pose.distance, aim.distance, 0.7),
            };
            let frame = self.frame(i, &pose, challenge.colour());
            match challenge.observe(frame) {
                Progress::Going(next) => challenge = *next,
                Progress::Present(_) => return Ok(i),
                Progress::Refused(sign) => return Err(sign),
            }
        }
        panic!("neither passed nor refused")
    }

    fn frame(&self, i: usize, pose: &Pose, colour: Option<ScreenColour>) -> Frame {
        // Nobody stands quite still.
        let swaying = Pose { turn: pose.turn + 0.5 * (i as f64).sin(), ..*pose };
        let landmarks = seen(&swaying, self.depth);
        let sample = self.picture(i, &landmarks, colour);
        let place = FacePlace { left: 110, top: 50, width: 160, height: 180 };
        Frame {
            at: Duration::from_millis(100 * i as u64 + 100),
            landmarks,
            embedding: embedding(
                if i >= self.other_from { 1.0 } else { (i as f32 / self.other_after as f32).min(1.0) },
                i,
            ),
            digest: Sha256::digest(sample.as_rgb()).into(),
            grain: Grain::of(&sample, &place),
            tint: Tint::of(&sample, &landmarks),
        }
    }

    /// Stripes that go with the face, noise that does not.
    fn picture(&self, i: usize, landmarks: &Landmarks, colour: Option<ScreenColour>) -> Sample {
        let mut noise = ChaCha20Rng::seed_from_u64(if self.fresh_noise { i as u64 } else { 7 });
        let centre = middle(landmarks);
        let lit = [ScreenColour::Red, ScreenColour::Green, ScreenColour::Blue]
            .map(|c| if Some(c) == colour { 1.0 + self.lit } else { 1.0 });
        let mut rgb = Vec::with_capacity(380 * 280 * 3);
        for y in 0..280 {
            for x in 0..380 {
                let (u, v) = (f64::from(x) - centre.x, f64::from(y) - centre.y);
                let grain = f64::from(noise.next_u32() % 9) - 4.0;
                let light = 110.0 + 20.0 * (u / 15.0).sin() * (v / 12.0).cos() + grain;
                let skin = if self.grey { [1.0; 3] } else { [1.2, 1.0, 0.8] };
                rgb.extend(skin.iter().zip(lit).map(|(s, l)| (light * s * l) as u8));
            }
        }
        Sample::from_rgb(380, 280, rgb).unwrap()
    }
}

fn target(prompt: Prompt) -> Pose {
    match prompt {
        Prompt::TurnLeft => Pose { turn: 25.0, ..STRAIGHT },
        Prompt::TurnRight => Pose { turn: -25.0, ..STRAIGHT },
        Prompt::Nod => Pose { nod: 22.0, ..STRAIGHT },
        Prompt::Closer => Pose { distance: 6.0, ..STRAIGHT },
        Prompt::Farther => Pose { distance: 11.0, ..STRAIGHT },
    }
}

fn towards(from: f64, to: f64, step: f64) -> f64 {
    from + (to - from).clamp(-step, step)
}

fn seen(pose: &Pose, depth: f64) -> Landmarks {
    let head = [[-0.5, -0.55, 0.0], [0.5, -0.55, 0.0], [0.0, 0.0, 0.45], [-0.4, 0.55, 0.0], [0.4, 0.55, 0.0]];
    let ((ts, tc), (ns, nc)) = (pose.turn.to_radians().sin_cos(), pose.nod.to_radians().sin_cos());
    Landmarks::from_points(head.map(|[x, y, z]| {
        let z = z * depth;
        let (x, z) = (x * tc + z * ts, z * tc - x * ts);
        let (y, z) = (y * nc + z * ns, z * nc - y * ns);
        // A head turns about the neck, half an eye distance behind: its middle goes along.
        let scale = 480.0 / (pose.distance - z);
        Point::new(190.0 + scale * (x + 0.5 * ts), 140.0 + scale * (y + 0.5 * ns))
    }))
}

/// A capture of one person, or of another to some share. Two captures of one person agree to about .8, two people hardly.
fn embedding(other: f32, capture: usize) -> Embedding {
    let mut values = vec![0.0_f32; DIMENSION];
    for (seed, share) in [(1, 1.0 - other), (2, other), (1000 + capture as u64, 0.5)] {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        values.iter_mut().for_each(|v| *v += share * (rng.next_u32() as f32 / 2.0_f32.powi(31) - 1.0));
    }
    Embedding::from_output(&values, ModelId::new([1; 32])).unwrap()
}

#[test]
fn a_living_face_passes_in_every_order() {
    for seed in 0..12 {
        let frames = LIVING.plays(Reflection::Required, seed).unwrap();
        assert!((40..200).contains(&frames), "{frames}");
    }
    assert!(Actor { grey: true, lit: 0.0, ..LIVING }.plays(Reflection::Ignored, 1).is_ok());
}

#[test]
fn attack_91_a_still_photograph_moved_about_is_planar() {
    for seed in 0..8 {
        let refused = Actor { depth: 0.0, ..LIVING }.plays(Reflection::Ignored, seed);
        assert_eq!(refused, Err(Sign::PlanarMotion), "order {seed}");
    }
}

#[test]
fn attack_91_constant_noise_is_that_of_a_made_up_camera() {
    for seed in 0..4 {
        assert_eq!(Actor { fresh_noise: false, ..LIVING }.plays(Reflection::Ignored, seed), Err(Sign::ConstantNoise));
    }
}

#[test]
fn attack_91_another_person_in_the_middle_is_noticed_at_the_cut() {
    for from in [1, 5, 20, 35] {
        assert_eq!(Actor { other_from: from, ..LIVING }.plays(Reflection::Ignored, 3), Err(Sign::PersonChanged));
    }
}

#[test]
fn attack_91_a_face_that_becomes_another_little_by_little_is_noticed_at_the_next_look_straight() {
    for after in [20, 30, 40] {
        let mut last: Option<Embedding> = None;
        for i in 0..after {
            let next = embedding(i as f32 / after as f32, i);
            assert!(last.is_none_or(|last| last.cosine(&next).unwrap() > SAME_NEXT), "frame {i} shows the change");
            last = Some(next);
        }
        let refused = Actor { other_after: after, ..LIVING }.plays(Reflection::Ignored, 3);
        assert_eq!(refused, Err(Sign::PersonChanged), "{after}");
    }
}

#[test]
fn attack_91_the_light_must_come_back_where_it_is_asked_for() {
    for (lit, grey) in [(0.0, false), (-0.05, false), (0.0, true)] {
        let actor = Actor { lit, grey, ..LIVING };
        assert_eq!(actor.plays(Reflection::Required, 5), Err(Sign::NoReflection), "{lit}");
        assert!(actor.plays(Reflection::Ignored, 5).is_ok());
    }
}

#[test]
fn answers_too_soon_too_late_or_other_than_asked_are_refused() {
    assert_eq!(Actor { reaction: 60, ..LIVING }.plays(Reflection::Ignored, 1), Err(Sign::TimedOut));
    for seed in 0..8 {
        let script = Script::generate(&mut ChaCha20Rng::seed_from_u64(seed));
        let other = Prompt::ALL.into_iter().find(|p| script.prompts()[0] != *p).unwrap();
        let refused = Actor { mistaken: Some(other), ..LIVING }.plays(Reflection::Ignored, seed);
        assert_eq!(refused, Err(Sign::WrongMotion), "{:?} for {:?}", other, script.prompts()[0]);
    }
}

/// A challenge that has seen three frames, looking straight, and now asks.
fn asked() -> Challenge {
    let mut challenge = Challenge::begin(Script::generate(&mut ChaCha20Rng::seed_from_u64(1)), Reflection::Ignored);
    for i in 0..3 {
        challenge = going(challenge.observe(LIVING.frame(i, &STRAIGHT, None)));
    }
    assert!(challenge.prompt().is_some());
    challenge
}

fn going(progress: Progress) -> Challenge {
    match progress {
        Progress::Going(challenge) => *challenge,
        other => panic!("{other:?}"),
    }
}

fn refused(progress: Progress) -> Sign {
    match progress {
        Progress::Refused(sign) => sign,
        other => panic!("{other:?}"),
    }
}

#[test]
fn attack_91_a_frame_that_came_before_is_a_replay_even_much_later() {
    let challenge = going(asked().observe(LIVING.frame(3, &STRAIGHT, None)));
    let mut again = LIVING.frame(1, &STRAIGHT, None);
    again.at = Duration::from_millis(500);
    assert_eq!(refused(challenge.observe(again)), Sign::ReplayedFrame);
}

#[test]
fn attack_91_a_standing_picture_is_a_made_up_camera_even_if_a_pixel_flickers() {
    let mut challenge = asked();
    for i in 3..20_u8 {
        let mut frame = LIVING.frame(3, &STRAIGHT, None);
        frame.at += Duration::from_millis(100 * u64::from(i));
        frame.digest = [i; 32];
        match challenge.observe(frame) {
            Progress::Going(next) => challenge = *next,
            other => return assert_eq!(refused(other), Sign::ConstantNoise),
        }
    }
    panic!("not noticed");
}

#[test]
fn attack_91_what_knows_the_prompt_beforehand_is_refused() {
    let challenge = asked();
    let pose = target(challenge.prompt().unwrap());
    let sign = refused(challenge.observe(LIVING.frame(3, &pose, None)));
    assert_eq!(sign, Sign::Anticipated);
}

#[test]
fn attack_91_what_one_frame_alone_shows_is_no_answer() {
    let mut challenge = asked();
    let prompt = challenge.prompt();
    let answer = target(prompt.unwrap());
    for (i, pose) in [(3, STRAIGHT), (4, STRAIGHT), (5, STRAIGHT), (6, answer), (7, STRAIGHT), (8, answer)] {
        challenge = going(challenge.observe(LIVING.frame(i, &pose, None)));
        assert_eq!(challenge.prompt(), prompt, "frame {i}");
    }
    // Twice running is one.
    let challenge = going(challenge.observe(LIVING.frame(9, &answer, None)));
    assert_eq!(challenge.prompt(), None);
}

#[test]
fn time_must_go_on_and_the_face_must_stay() {
    let at = |ms| {
        let mut frame = LIVING.frame(4, &STRAIGHT, None);
        frame.at = Duration::from_millis(ms);
        frame
    };
    assert_eq!(refused(asked().observe(at(300))), Sign::OutOfOrder);
    assert_eq!(refused(asked().observe(at(100))), Sign::OutOfOrder);
    assert_eq!(refused(asked().observe(at(2_000))), Sign::FaceLost);
    assert_eq!(refused(asked().observe_nothing(Duration::from_millis(1_400))), Sign::FaceLost);
    assert_eq!(refused(asked().observe_nothing(Duration::from_millis(200))), Sign::OutOfOrder);
    let blinked = going(asked().observe_nothing(Duration::from_millis(900)));
    going(blinked.observe(at(1_200)));
    // Never anybody there.
    let script = Script::generate(&mut ChaCha20Rng::seed_from_u64(1));
    let empty = Challenge::begin(script, Reflection::Ignored);
    assert_eq!(refused(empty.observe_nothing(Duration::from_secs(2))), Sign::FaceLost);
}

#[test]
fn attack_91_a_face_does_not_leap() {
    let mut frame = LIVING.frame(4, &STRAIGHT, None);
    frame.landmarks = Landmarks::from_points(frame.landmarks.points().map(|p| Point::new(p.x + 80.0, p.y)));
    assert_eq!(refused(asked().observe(frame)), Sign::Leap);
}

#[test]
fn scripts_are_drawn_evenly_and_written_ones_checked() {
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let mut orders = std::collections::HashMap::<Vec<Prompt>, usize>::new();
    for _ in 0..12_000 {
        let script = Script::generate(&mut rng);
        assert_eq!((script.prompts().len(), script.colours().len()), (Script::PROMPTS, Script::PHASES));
        assert!(script.colours().windows(2).all(|pair| pair[0] != pair[1]));
        assert!(ScreenColour::ALL.iter().all(|c| script.colours()[..3].contains(c)));
        *orders.entry(script.prompts().to_vec()).or_default() += 1;
    }
    assert_eq!(orders.len(), 120);
    assert!(orders.values().all(|n| (50..160).contains(n)), "{orders:?}");
    let script = Script::generate(&mut rng);
    let text = serde_json::to_string(&script).unwrap();
    assert_eq!(serde_json::from_str::<Script>(&text).unwrap(), script);
    for wrong in [
        r#"{"prompts":["nod"],"colours":[]}"#,
        r#"{"prompts":["nod","nod","closer","farther"],"colours":["red","red","red","red","red","red","red","red","red"]}"#,
        r#"{"prompts":["nod","turn-left","closer","farther"],"colours":["red"]}"#,
    ] {
        assert!(serde_json::from_str::<Script>(wrong).is_err());
    }
}

#[test]
fn nothing_of_a_face_or_of_what_will_be_asked_is_in_a_debug_text() {
    assert_eq!(format!("{:?}", asked()), "Challenge { step: 0, .. }");
    assert_eq!(format!("{:?}", LIVING.frame(0, &STRAIGHT, None)), "Frame { at: 100ms, .. }");
}

#[test]
fn every_sign_has_a_name_of_its_own_and_hints_do_not_teach() {
    let names: HashSet<_> = Sign::ALL.iter().map(|sign| sign.code()).collect();
    assert_eq!(names.len(), Sign::ALL.len());
    for sign in [Sign::ReplayedFrame, Sign::ConstantNoise, Sign::PlanarMotion, Sign::PersonChanged, Sign::NoReflection]
    {
        assert_eq!(sign.hint(), Sign::Leap.hint());
    }
}
