//! The finger, after PIN and device key: compared with the impressions inside, by this program's word only.

use crate::enrolment::RECOMMENDED_IMPRESSIONS;
use crate::vault::compartment::Compartment;
use crate::vault::record::RecordKind;
use biometrics::comparison::{Decision, Threshold};
use biometrics::finger::{FingerProbe, FingerReference, FingerTemplate, MAX_IMPRESSIONS, compare};

/// Whether the finger is one of the enrolled impressions'. A record that is damaged counts as none.
pub(super) fn is_enrolled_finger(compartment: &Compartment, bytes: &[u8], finger: &FingerTemplate) -> bool {
    let records = compartment.ids(RecordKind::FINGER).take(MAX_IMPRESSIONS);
    let impressions: Vec<FingerTemplate> = records
        .filter_map(|id| compartment.read(id, bytes).ok())
        .filter_map(|bytes| FingerTemplate::from_bytes(&bytes).ok())
        .collect();
    matches(&impressions.iter().collect::<Vec<_>>(), finger)
}

/// As much work as [`is_enrolled_finger`] has with a usual vault, for nothing.
pub(super) fn compare_in_vain(finger: &FingerTemplate) {
    std::hint::black_box(matches(&[finger; RECOMMENDED_IMPRESSIONS], finger));
}

fn matches(impressions: &[&FingerTemplate], finger: &FingerTemplate) -> bool {
    FingerReference::enrol(impressions.iter().copied()).is_ok_and(|reference| {
        compare(&FingerProbe::new(finger), &reference)
            .is_ok_and(|score| Threshold::FINGER.decide(score) == Decision::Match)
    })
}
