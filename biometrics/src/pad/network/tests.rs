//! Tests of the slot that need no network.

use super::*;

fn sample() -> Sample {
    let rgb = (0..60 * 40_u32).flat_map(|i| [(i % 60) as u8 * 4, (i / 60) as u8 * 6, 9]).collect();
    Sample::from_rgb(60, 40, rgb).unwrap()
}

#[test]
fn the_crop_is_one_and_a_half_times_the_box_and_mirrored_outside() {
    let place = FacePlace { left: 10, top: 4, width: 24, height: 32 };
    let planes = crop(&sample(), &place).unwrap();
    // 48 pixels around (22, 20): from -2 to 46, and from -4 to 44.
    let at = |x: f64, y: f64, plane: usize| {
        let (column, row) = (((x + 2.0) / 48.0 * 128.0) as usize, ((y + 4.0) / 48.0 * 128.0) as usize);
        planes[plane * SIDE * SIDE + row * SIDE + column] * 255.0
    };
    assert!((at(22.0, 20.0, 0) - 4.0 * 21.5).abs() < 3.0 && (at(22.0, 20.0, 1) - 6.0 * 19.5).abs() < 3.0);
    assert!((at(22.0, 20.0, 2) - 9.0).abs() < 1e-3);
    // Two pixels beyond the top edge is two pixels within it.
    assert!((at(22.0, -2.5, 1) - 18.0).abs() < 3.0, "{}", at(22.0, -2.5, 1));
    assert!(crop(&sample(), &FacePlace { width: 0, height: 0, ..place }).is_none());
    assert_eq!([-3, -1, 0, 4, 5, 8, 9].map(|i| mirrored(i, 5)), [3, 1, 0, 4, 3, 0, 1]);
    assert_eq!([-3, 0, 7].map(|i| mirrored(i, 1)), [0, 0, 0]);
}

#[test]
fn attack_92_a_network_of_other_bytes_is_refused_before_it_is_parsed() {
    let zero: ModelHash = "0".repeat(64).parse().unwrap();
    let error = PadNetwork::load(Path::new("/nonexistent"), b"other", &zero).err().unwrap();
    assert!(matches!(error, PadNetworkError::NotTheConfigured { .. }), "{error}");
    let own = ModelHash(Sha256::digest(b"other").into());
    assert_eq!(own.to_string().parse(), Ok(own));
    let error = PadNetwork::load(Path::new("/nonexistent"), b"other", &own).err().unwrap();
    assert_eq!(error, PadNetworkError::Refused(FoldError::NotOnnx));
    for text in ["", "00", &"g".repeat(64), &"0".repeat(63), &"0".repeat(66)] {
        assert_eq!(text.parse::<ModelHash>(), Err(ModelHashError));
    }
}

#[test]
fn the_middle_frame_decides() {
    let median = |scores: &[f64]| {
        PadScore::median(&scores.iter().copied().map(PadScore).collect::<Vec<_>>()).map(PadScore::value)
    };
    assert_eq!(median(&[]), None);
    assert_eq!(median(&[0.7]), Some(0.7));
    assert_eq!(median(&[0.9, 0.1]), Some(0.1));
    assert_eq!(median(&[0.9, 0.1, 0.6]), Some(0.6));
    assert_eq!(median(&[0.9, 0.4, 0.1, 0.6]), Some(0.4));
}
