//! Tests of plane and parallax, on points that a pinhole camera sees.

use super::*;

/// A head's landmarks in distances between the eyes: right, down, towards the camera.
const HEAD: [[f64; 3]; 5] =
    [[-0.5, -0.55, 0.0], [0.5, -0.55, 0.0], [0.0, 0.0, 0.45], [-0.4, 0.55, 0.0], [0.4, 0.55, 0.0]];

/// Seen from `distance`, turned by two angles (degrees), with the nose standing out by `depth` times its usual measure.
fn seen(turn: f64, nod: f64, distance: f64, depth: f64, shift: f64) -> Landmarks {
    let ((ts, tc), (ns, nc)) = (turn.to_radians().sin_cos(), nod.to_radians().sin_cos());
    Landmarks::from_points(HEAD.map(|[x, y, z]| {
        let z = z * depth;
        let (x, z) = (x * tc + z * ts, z * tc - x * ts);
        let (y, z) = (y * nc + z * ns, z * nc - y * ns);
        let scale = 800.0 / (distance - z);
        Point::new(320.0 + scale * (x + shift), 240.0 + scale * y)
    }))
}

fn straight() -> Landmarks {
    seen(0.0, 0.0, 8.0, 1.0, 0.0)
}

#[test]
fn a_head_answers_each_prompt_and_no_other() {
    let answers = [
        (seen(20.0, 0.0, 8.0, 1.0, 0.0), Prompt::TurnLeft),
        (seen(-20.0, 0.0, 8.0, 1.0, 0.0), Prompt::TurnRight),
        (seen(0.0, 18.0, 8.0, 1.0, 0.0), Prompt::Nod),
        (seen(0.0, 0.0, 6.0, 1.0, 0.0), Prompt::Closer),
        (seen(0.0, 0.0, 11.0, 1.0, 0.0), Prompt::Farther),
    ];
    for (landmarks, asked) in answers {
        let motion = Motion::between(&straight(), &landmarks).unwrap();
        for prompt in Prompt::ALL {
            assert_eq!(motion.answers(prompt, 1.0), prompt == asked, "{prompt:?} for {asked:?}: {motion:?}");
        }
        assert!(!motion.is_straight() && !motion.is_of_a_plane(), "{motion:?}");
    }
    assert!(Motion::between(&straight(), &seen(2.0, 1.0, 8.2, 1.0, 0.1)).unwrap().is_straight());
}

#[test]
fn a_plane_has_no_parallax_however_it_is_moved() {
    let photograph = seen(0.0, 0.0, 8.0, 0.0, 0.0);
    for turn in [-60.0, -35.0, 10.0, 40.0, 65.0] {
        for nod in [-30.0, 0.0, 25.0] {
            for distance in [4.0, 8.0, 16.0] {
                let motion = Motion::between(&photograph, &seen(turn, nod, distance, 0.0, 0.7)).unwrap();
                assert!(motion.aside.abs() < 1e-9 && motion.below.abs() < 1e-9, "{turn} {nod}: {motion:?}");
                assert!(motion.is_flat_movement());
                for prompt in [Prompt::TurnLeft, Prompt::TurnRight, Prompt::Nod] {
                    assert!(!motion.answers(prompt, 0.5));
                }
                assert_eq!(motion.is_of_a_plane(), !(0.8..1.25).contains(&motion.squeeze));
            }
        }
    }
    assert!(Motion::between(&photograph, &seen(45.0, 0.0, 8.0, 0.0, 0.0)).unwrap().is_of_a_plane());
}

#[test]
fn landmarks_in_one_line_are_no_face() {
    let line = Landmarks::from_points([1.0, 2.0, 3.0, 4.0, 5.0].map(|x| Point::new(x, x)));
    assert_eq!(Motion::between(&straight(), &line), None);
    assert_eq!(Motion::between(&line, &straight()), None);
    let one = Landmarks::from_points([Point::new(7.0, 7.0); 5]);
    assert_eq!(Motion::between(&one, &one), None);
    let nan = Landmarks::from_points([Point::new(f64::NAN, 7.0); 5]);
    assert_eq!(Motion::between(&straight(), &nan), None);
}
