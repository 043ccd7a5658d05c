//! A face that answered a challenge, as the verifier hears of it.

use super::*;
use crate::unlock::Witness;

#[test]
fn a_face_that_answered_a_challenge_is_presence_to_the_verifier() {
    let mut verifier = Verifier::new(Checkpoint::default());
    let mut wallet = Wallet::knowing(&verifier);
    let consented = wallet.offered(&mut verifier).consent(&Choice::default(), NOW, &mut wallet.rng).unwrap();
    let holder = wallet.recognised(&verifier).by_present_face(Witness::for_a_test());
    let sending =
        consented.answer(holder, &mut Holdings::of(&mut wallet.memory), NOW, &mut wallet.rng).unwrap().saved();
    run(sending, &mut wallet.asked, |effect| verifier.answer(effect), NOW, &mut wallet.rng).unwrap();
    let verified = verifier.verified(&wallet.issuers);
    let binding = verified.credentials["id"][0].key_binding();
    assert_eq!(binding.acr(), Some("urn:amparo:acr:presence-sw-pin"));
    assert_eq!(binding.amr(), ["face", "pin", "swk"]);
}
