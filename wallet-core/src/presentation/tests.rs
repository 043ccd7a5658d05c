mod attacks;
mod documents;
mod in_person;
mod presence;
mod registered;
mod selection;
mod strangers;

use super::*;
use crate::consent::Given;
use crate::effect::{Effect, Errand, Method, Outcome};
use crate::fault::{Blame, Fault};
use crate::history;
use crate::holdings::testing::Memory;
use crate::holdings::{CredentialId, Holdings};
use crate::issuance::{self, TxCode};
use crate::testing::{Asked, Checkpoint, Desk, Issuer, NOW, Verified, Verifier, asking, json, run};
use credentials::consent::revocation_digest;
use credentials::trust::{Trust, TrustAnchors};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use schemas::purpose::Purpose;
use schemas::{ClaimPath, Seconds, Timestamp};
use serde_json::{Value, json as value};
use std::sync::LazyLock;

/// A wallet with 30 copies of an identity, and its issuer's anchor.
#[derive(Clone)]
struct Wallet {
    memory: Memory,
    rng: ChaCha20Rng,
    asked: Asked,
    anchors: TrustAnchors,
    issuers: TrustAnchors,
}

static HOLDER: LazyLock<Wallet> = LazyLock::new(|| Wallet::with(Desk::default()));

impl Wallet {
    fn empty() -> Self {
        let (memory, rng) = Memory::seeded(3);
        Self { memory, rng, asked: Asked::new(), anchors: TrustAnchors::default(), issuers: TrustAnchors::default() }
    }

    fn with(desk: Desk) -> Self {
        let mut wallet = Self::empty();
        wallet.receive(desk);
        wallet
    }

    fn receive(&mut self, desk: Desk) -> CredentialId {
        let mut issuer = Issuer::new(desk);
        let code = issuer.desk.tx_code.map(TxCode::new);
        let follow = issuance::follow(&issuer.link()).unwrap();
        let offered = run(follow, &mut Vec::new(), |effect| issuer.answer(effect), NOW, &mut self.rng).unwrap();
        let redeeming = offered.accept(code, None, NOW, &mut self.rng).unwrap();
        let delivered = run(redeeming, &mut Vec::new(), |effect| issuer.answer(effect), NOW, &mut self.rng).unwrap();
        self.issuers.add_pem(issuer.party.anchor_pem.as_bytes()).unwrap();
        let arrived = delivered.verify(&self.issuers, NOW).unwrap();
        let mut holdings = Holdings::of(&mut self.memory);
        let summary = arrived.summary(&holdings);
        arrived.keep(summary.confirmed(), &mut holdings, NOW, &mut self.rng).unwrap().saved().credentials[0]
    }

    /// A wallet that knows this verifier.
    fn knowing(verifier: &Verifier) -> Self {
        Self { anchors: verifier.party.anchors(), ..HOLDER.clone() }
    }

    fn authenticated(&mut self, verifier: &mut Verifier) -> Result<Authenticated, Rejected> {
        let link = RequestLink::parse(&verifier.link()).unwrap();
        let fetching = link.fetch(&mut self.rng);
        let received = run(fetching, &mut self.asked, |effect| verifier.answer(effect), NOW, &mut self.rng).unwrap();
        received.authenticate(&self.anchors, NOW)
    }

    fn offered(&mut self, verifier: &mut Verifier) -> Offered {
        let authenticated = self.authenticated(verifier).unwrap();
        authenticated.match_against(&Holdings::of(&mut self.memory), NOW).unwrap()
    }

    fn recognised(&self, verifier: &Verifier) -> HolderVerified {
        HolderVerified::mint(RequestLink::parse(&verifier.link()).unwrap().id(), NOW, true)
    }

    fn sending(&mut self, verifier: &mut Verifier, choice: &Choice) -> Result<Sending, AnswerError> {
        let consented = self.offered(verifier).consent(choice, NOW, &mut self.rng).unwrap();
        let holder = self.recognised(verifier);
        Ok(consented.answer(holder, &mut Holdings::of(&mut self.memory), NOW, &mut self.rng)?.saved())
    }

    fn present(&mut self, verifier: &mut Verifier, choice: &Choice) -> (Answered, Verified) {
        let sending = self.sending(verifier, choice).unwrap();
        let answered = run(sending, &mut self.asked, |effect| verifier.answer(effect), NOW, &mut self.rng).unwrap();
        let verified = verifier.verified(&self.issuers);
        (answered, verified)
    }

    fn choose(&mut self, checkpoint: Checkpoint, choice: &Choice) -> Result<Consented, ChoiceError> {
        let mut verifier = Verifier::new(checkpoint);
        self.anchors = verifier.party.anchors();
        self.offered(&mut verifier).consent(choice, NOW, &mut self.rng)
    }
}

fn path(names: &[&str]) -> ClaimPath {
    ClaimPath::names(names.iter().copied())
}

/// A yes to everything that needs a yes of its own.
fn yes() -> Choice {
    Choice {
        accept_unknown_verifier: true,
        show_beyond_purpose: true,
        show_what_comes_along: true,
        show_portrait: true,
        ..Choice::default()
    }
}

fn shown(verified: &Verified) -> Value {
    let mut claims = verified.credentials["id"][0].claims().clone();
    for name in ["iss", "vct", "iat", "nbf", "exp", "cnf", "status"] {
        claims.remove(name);
    }
    Value::Object(claims)
}

#[test]
fn attack_67_a_whole_presentation_asks_the_verifier_and_nobody_else() {
    for (encrypted, post) in [(true, true), (true, false), (false, true), (false, false)] {
        let mut verifier = Verifier::new(Checkpoint { encrypted, post, ..Checkpoint::default() });
        let mut wallet = Wallet::knowing(&verifier);
        let (answered, verified) = wallet.present(&mut verifier, &Choice::default());
        assert_eq!(shown(&verified), value!({"given_name": "Amina", "nationalities": ["GN", "FR"]}));
        let asked: Vec<(Method, &str)> = wallet.asked.iter().map(|(method, url)| (*method, url.as_str())).collect();
        let request = format!("https://verifier.example/request/{}", verifier.checkpoint.nonce);
        let fetch = if post { Method::Post } else { Method::Get };
        assert_eq!(asked, [(fetch, request.as_str()), (Method::Post, "https://verifier.example/response")]);
        assert_eq!(answered.receipt.verifier.as_str(), "Border Post");
        assert_eq!(answered.receipt.disclosed[0].type_, "identity");
        assert_eq!(answered.receipt.disclosed[0].paths, [path(&["given_name"]), path(&["nationalities"])]);
    }
}

#[test]
fn a_verifier_that_knows_nothing_of_consent_gets_a_plain_answer() {
    let mut verifier = Verifier::new(Checkpoint { purpose: None, ..Checkpoint::default() });
    let mut wallet = Wallet::knowing(&verifier);
    let (answered, verified) = wallet.present(&mut verifier, &Choice::default());
    let binding = verified.credentials["id"][0].key_binding();
    assert!(binding.consent().is_none() && binding.transaction_data_hashes().is_none());
    assert_eq!((answered.receipt.consent, answered.receipt.consent_id), (None, None));
    assert_eq!(Holdings::of(&mut wallet.memory).consents(NOW), []);
}

#[test]
fn a_picture_from_a_file_is_no_presence() {
    let mut verifier = Verifier::new(Checkpoint::default());
    let (_, verified) = Wallet::knowing(&verifier).present(&mut verifier, &Choice::default());
    let binding = verified.credentials["id"][0].key_binding();
    assert_eq!(binding.acr(), Some("urn:amparo:acr:presence-none"));
    assert_eq!(binding.amr(), ["pin", "swk"]);
    assert_eq!(binding.auth_time(), Some(NOW.floor_to(Seconds::MINUTE)));
}

#[test]
fn consent_is_signed_and_can_only_be_narrowed() {
    let mut verifier = Verifier::new(Checkpoint::default());
    let mut wallet = Wallet::knowing(&verifier);
    let choice = Choice {
        only: Some(vec![path(&["given_name"])]),
        lasting: Some(Seconds::MINUTE.times(15)),
        retention: Some(Seconds::HOUR),
        uses: Some(1),
        ..Choice::default()
    };
    let (answered, verified) = wallet.present(&mut verifier, &choice);
    assert_eq!(shown(&verified), value!({"given_name": "Amina"}));
    let agreed = verified.consent.unwrap();
    assert_eq!(
        (agreed.grant().exp, agreed.retention(), agreed.uses()),
        (NOW.plus(Seconds::new(900)), Seconds::HOUR, Some(1))
    );
    assert_eq!(agreed.purposes(), [Purpose::BorderEntry]);
    let terms = answered.receipt.consent.unwrap();
    assert_eq!((terms.ends_at, terms.retention), (agreed.grant().exp, agreed.retention()));

    // The holder can withdraw it: the preimage of `rev` comes from the vault and the identifier alone.
    let holdings = Holdings::of(&mut wallet.memory);
    let id = answered.receipt.consent_id.unwrap();
    assert_eq!(id, agreed.id());
    assert_eq!(revocation_digest(&holdings.revocation_secret(id)), agreed.revocation());
    let [Given { id: noted, ends_at, .. }] = &holdings.consents(NOW)[..] else { panic!() };
    assert_eq!((noted.as_str(), *ends_at), (id.to_string().as_str(), terms.ends_at));
    assert_eq!(holdings.consents(terms.ends_at), [], "at its end it has ended");

    // Wider than proposed is clipped to what was proposed and to the purpose's caps.
    let wide = Choice {
        lasting: Some(Seconds::DAY.times(900)),
        retention: Some(Seconds::DAY.times(900)),
        ..Choice::default()
    };
    let (_, verified) = wallet.present(&mut verifier, &wide);
    assert_eq!(verified.consent.unwrap().retention(), Seconds::HOUR.times(72));
}

#[test]
fn only_what_is_asked_for_can_be_chosen() {
    let mut wallet = HOLDER.clone();
    let only = |paths: &[ClaimPath]| Choice { only: Some(paths.to_vec()), ..Choice::default() };
    let birth_date = path(&["birth_date"]);
    let stray = wallet.choose(Checkpoint::default(), &only(std::slice::from_ref(&birth_date))).unwrap_err();
    assert_eq!(stray, ChoiceError::NotAskedFor(birth_date));
    assert_eq!(wallet.choose(Checkpoint::default(), &only(&[])).unwrap_err(), ChoiceError::NothingLeft);
    let no_time = Choice { lasting: Some(Seconds::new(0)), ..Choice::default() };
    assert!(matches!(wallet.choose(Checkpoint::default(), &no_time), Err(ChoiceError::Grant(_))));
    // A part of what is asked for, where the issuer made it separable, else with what comes along.
    let checkpoint = || Checkpoint { dcql: asking(&["address"]), purpose: None, ..Checkpoint::default() };
    let part = only(&[path(&["address", "locality"])]);
    assert_eq!(
        wallet.choose(checkpoint(), &part).unwrap_err(),
        ChoiceError::ConcernsNotAccepted(vec![path(&["address", "country"])])
    );
    let consented = wallet.choose(checkpoint(), &Choice { show_what_comes_along: true, ..part }).unwrap();
    assert_eq!(consented.disclosed()[0].paths, [path(&["address", "locality"]), path(&["address", "country"])]);
}

#[test]
fn once_03_the_copy_is_gone_before_the_answer_can_be_sent() {
    let mut verifier = Verifier::new(Checkpoint::default());
    let mut wallet = Wallet::knowing(&verifier);
    let before = wallet.memory.clone();
    let sending = wallet.sending(&mut verifier, &Choice::default()).unwrap();
    // Killed here: what stands on disk already knows.
    let mut on_disk = wallet.memory.clone();
    let held = Holdings::of(&mut on_disk).credentials();
    assert_eq!(
        (held[0].copies_left(), before.records.len()),
        (29, on_disk.records.len() + 1 - 2),
        "copy out, history and consent in"
    );
    let outcome = run(sending, &mut Vec::new(), |_| Outcome::Unreachable, NOW, &mut wallet.rng).map(drop);
    assert_eq!(outcome, Err(SendError::Unreachable));
    assert_eq!(Holdings::of(&mut on_disk).history().unwrap()[0].outcome, history::Outcome::Sent);
}

#[test]
fn once_04_two_presentations_have_nothing_in_common() {
    let mut verifier = Verifier::new(Checkpoint { purpose: None, ..Checkpoint::default() });
    let mut wallet = Wallet::knowing(&verifier);
    let (_, first) = wallet.present(&mut verifier, &Choice::default());
    let (_, second) = wallet.present(&mut verifier, &Choice::default());
    let (first, second) = (&first.credentials["id"][0], &second.credentials["id"][0]);
    assert_ne!(first.confirmation_key().to_sec1(), second.confirmation_key().to_sec1());
    assert_ne!(first.status(), second.status());
}

#[test]
fn once_05_after_the_last_copy_the_person_must_agree() {
    let mut wallet = Wallet::with(Desk { batch_size: None, ..Desk::default() });
    let mut verifier = Verifier::new(Checkpoint::default());
    wallet.anchors = verifier.party.anchors();
    wallet.present(&mut verifier, &Choice::default());
    let id = Holdings::of(&mut wallet.memory).credentials()[0].id();
    assert_eq!(wallet.offered(&mut verifier).credentials()[0].copies_left, 0);
    assert_eq!(wallet.choose(Checkpoint::default(), &yes()).unwrap_err(), ChoiceError::LastCopyUsed(id));
    wallet.present(&mut verifier, &Choice { reuse_last_copy: true, ..Choice::default() });
}

#[test]
fn one_credential_for_two_queries_takes_two_copies_and_one_signature_of_consent() {
    let mut dcql = asking(&["given_name"]);
    let mut second = asking(&["family_name"])["credentials"][0].clone();
    second["id"] = "second".into();
    dcql["credentials"].as_array_mut().unwrap().push(second);
    let mut verifier = Verifier::new(Checkpoint { dcql, ..Checkpoint::default() });
    let mut wallet = Wallet::knowing(&verifier);
    let (_, verified) = wallet.present(&mut verifier, &Choice::default());
    assert_eq!(verified.credentials.len(), 2);
    assert_eq!(Holdings::of(&mut wallet.memory).credentials()[0].copies_left(), 28);
    assert_eq!(verified.consent.unwrap().grant().claims.len(), 2, "one consent covers both");
}

#[test]
fn the_fullest_batch_answers_and_an_ended_one_does_not() {
    let mut verifier = Verifier::new(Checkpoint { purpose: None, ..Checkpoint::default() });
    let mut wallet = Wallet::knowing(&verifier);
    let small = wallet.receive(Desk { batch_size: Some(2), ..Desk::default() });
    let chosen = wallet.offered(&mut verifier).credentials()[0].id;
    assert_ne!(chosen, small);
    Holdings::of(&mut wallet.memory).forget(chosen, &mut wallet.rng).unwrap();
    assert_eq!(wallet.offered(&mut verifier).credentials()[0].id, small);
    let authenticated = wallet.authenticated(&mut verifier).unwrap();
    let later: Timestamp = NOW.plus(Seconds::DAY.times(366));
    assert!(authenticated.match_against(&Holdings::of(&mut wallet.memory), later).is_err());
}

#[test]
fn a_verifier_without_an_anchor_is_shown_as_not_known() {
    let mut verifier = Verifier::new(Checkpoint::default());
    let mut wallet = HOLDER.clone();
    let authenticated = wallet.authenticated(&mut verifier).unwrap();
    let asker = authenticated.asker();
    assert_eq!((asker.trust, asker.host.unwrap().as_str()), (Trust::NotKnown, "verifier.example"));
    assert_eq!(asker.proposal.unwrap().controller.as_str(), "Border\\u{202e} Post");
    assert_eq!(authenticated.require_known(), Err(RequestError::NotKnown));
    let refused = wallet.offered(&mut verifier).consent(&Choice::default(), NOW, &mut wallet.rng).unwrap_err();
    assert_eq!((refused.clone(), refused.fault()), (ChoiceError::VerifierNotKnown, Fault::Peer));
    wallet.present(&mut verifier, &Choice { accept_unknown_verifier: true, ..Choice::default() });
}

#[test]
fn the_history_says_what_was_shown_and_never_a_value() {
    let mut verifier = Verifier::new(Checkpoint::default());
    let mut wallet = Wallet::knowing(&verifier);
    let sending = wallet.sending(&mut verifier, &Choice::default()).unwrap();
    let entry = sending.entry().unwrap();
    let answered = run(sending, &mut Vec::new(), |effect| verifier.answer(effect), NOW, &mut wallet.rng).unwrap();
    let mut holdings = Holdings::of(&mut wallet.memory);
    holdings.settle(entry, history::Outcome::Delivered, NOW, &mut wallet.rng).unwrap();
    let [entry] = &holdings.history().unwrap()[..] else { panic!() };
    assert_eq!(
        (entry.verifier.as_str(), entry.known, entry.outcome),
        ("Border Post", true, history::Outcome::Delivered)
    );
    assert_eq!(
        (entry.purposes.as_slice(), &entry.disclosed),
        (&[Purpose::BorderEntry][..], &answered.receipt.disclosed)
    );
    assert_eq!(entry.consent.as_ref().unwrap().id, answered.receipt.consent_id.unwrap().to_string());
    let text = serde_json::to_string(entry).unwrap();
    assert!(["Amina", "Diallo", "GN"].iter().all(|value| !text.contains(value)), "{text}");
}

#[test]
fn where_the_person_goes_on_must_be_safe_to_open() {
    let expected = Some("https://verifier.example/done#response_code=1");
    for (uri, redirect) in [
        ("https://verifier.example/done#response_code=1", expected),
        ("http://verifier.example/done", None),
        ("javascript:alert(1)", None),
        ("http://127.0.0.1/", None),
        ("https://a:b@verifier.example/", None),
    ] {
        let mut verifier = Verifier::new(Checkpoint { redirect: Some(uri), ..Checkpoint::default() });
        let (answered, _) = Wallet::knowing(&verifier).present(&mut verifier, &Choice::default());
        assert_eq!(answered.redirect.as_ref().map(url::Url::as_str), redirect, "{uri}");
    }
}

#[test]
fn a_verifier_that_turns_the_answer_down_is_told_apart_from_one_out_of_reach() {
    let mut verifier = Verifier::new(Checkpoint::default());
    let mut wallet = Wallet::knowing(&verifier);
    let mut send = |outcome: fn() -> Outcome| {
        let sending = wallet.sending(&mut verifier, &Choice::default()).unwrap();
        run(sending, &mut Vec::new(), |_| outcome(), NOW, &mut wallet.rng).unwrap_err()
    };
    let down = send(|| json(400, &value!({"error": "invalid_request"})));
    assert_eq!(down, SendError::TurnedDown { status: 400, code: Some("invalid_request".into()) });
    assert_eq!((down.fault(), down.outcome()), (Fault::Peer, history::Outcome::TurnedDown));
    assert_eq!(send(|| json(302, &value!({}))).fault(), Fault::Peer, "redirects are not followed");
    assert_eq!(send(|| json(500, &value!({}))).fault(), Fault::Network);
    let away = send(|| Outcome::Unreachable);
    assert_eq!((away.fault(), away.outcome()), (Fault::Network, history::Outcome::Undelivered));
}

#[test]
fn what_the_person_sees_and_logs_holds_no_claim() {
    let mut verifier = Verifier::new(Checkpoint::default());
    let mut wallet = Wallet::knowing(&verifier);
    let offered = wallet.offered(&mut verifier);
    let mut text = format!("{offered:?}");
    let consented = offered.consent(&Choice::default(), NOW, &mut wallet.rng).unwrap();
    text.push_str(&format!("{consented:?}"));
    let holder = wallet.recognised(&verifier);
    let unsaved = consented.answer(holder, &mut Holdings::of(&mut wallet.memory), NOW, &mut wallet.rng).unwrap();
    text.push_str(&format!("{unsaved:?}"));
    assert!(["Amina", "Diallo", "\"GN\"", "eyJ"].iter().all(|value| !text.contains(value)), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Whatever is asked and whatever is chosen: what the verifier sees was asked for and chosen.
    #[test]
    fn no_more_is_shown_than_was_asked_and_chosen(asked in 1u8..=255, chosen in 0u8..=255, consent: bool) {
        let names = ["given_name", "family_name", "birth_date", "nationalities", "sex", "picture", "age_over_18", "address"];
        let pick = |bits: u8| names.iter().enumerate().filter(|(n, _)| bits >> n & 1 == 1).map(|(_, name)| *name).collect::<Vec<_>>();
        let purpose = consent.then_some(Purpose::BorderEntry);
        let mut verifier = Verifier::new(Checkpoint { dcql: asking(&pick(asked)), purpose, ..Checkpoint::default() });
        let mut wallet = Wallet::knowing(&verifier);
        let only = pick(chosen & asked).iter().map(|name| path(&[name])).collect();
        let choice = Choice { only: Some(only), ..yes() };
        let offered = wallet.offered(&mut verifier);
        match offered.consent(&choice, NOW, &mut wallet.rng) {
            Ok(_) => {
                let (_, verified) = wallet.present(&mut verifier, &choice);
                let mut seen: Vec<String> = shown(&verified).as_object().unwrap().keys().cloned().collect();
                let mut expected: Vec<String> = pick(chosen & asked).into_iter().map(str::to_owned).collect();
                seen.sort();
                expected.sort();
                prop_assert_eq!(seen, expected);
            }
            Err(error) => prop_assert!(chosen & asked == 0 && error == ChoiceError::NothingLeft, "{}", error),
        }
    }
}
