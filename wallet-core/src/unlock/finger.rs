//! The finger, after PIN and device key: compared with the impressions inside, by this program's word only.

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
    let is_one = matches(&impressions.iter().collect::<Vec<_>>(), finger);
    // Up to the most, whatever was enrolled: the time must not tell a vault with many from one that was not opened.
    compare_in_vain_so_often(finger, MAX_IMPRESSIONS.saturating_sub(impressions.len()));
    is_one
}

/// As much work as [`is_enrolled_finger`] has, for nothing.
pub(super) fn compare_in_vain(finger: &FingerTemplate) {
    compare_in_vain_so_often(finger, MAX_IMPRESSIONS);
}

fn compare_in_vain_so_often(finger: &FingerTemplate, times: usize) {
    std::hint::black_box(matches(&vec![finger; times], finger));
}

fn matches(impressions: &[&FingerTemplate], finger: &FingerTemplate) -> bool {
    FingerReference::enrol(impressions.iter().copied()).is_ok_and(|reference| {
        let threshold = Threshold::of_impressions(reference.impressions());
        compare(&FingerProbe::new(finger), &reference).is_ok_and(|score| threshold.decide(score) == Decision::Match)
    })
}
