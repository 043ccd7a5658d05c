//! A person who has a paper printed, and a reader without a network.

use super::*;
use crate::holdings::testing::Memory;
use crate::issuance::{self, TxCode};
use crate::testing::{Desk, Issuer, NOW, run};
use credentials::paper::{Assembly, PaperIn, VerifiedPaper};
use credentials::trust::{ChainPolicy, TrustAnchors};
use rand_chacha::ChaCha20Rng;

struct Wallet {
    memory: Memory,
    rng: ChaCha20Rng,
    issuers: TrustAnchors,
    credential: CredentialId,
}

impl Wallet {
    fn with_an_identity() -> Self {
        let (mut memory, mut rng) = Memory::seeded(3);
        let mut issuer = Issuer::new(Desk::default());
        let code = issuer.desk.tx_code.map(TxCode::new);
        let follow = issuance::follow(&issuer.link()).unwrap();
        let offered = run(follow, &mut Vec::new(), |effect| issuer.answer(effect), NOW, &mut rng).unwrap();
        let redeeming = offered.accept(code, None, NOW, &mut rng).unwrap();
        let delivered = run(redeeming, &mut Vec::new(), |effect| issuer.answer(effect), NOW, &mut rng).unwrap();
        let issuers = issuer.party.anchors();
        let arrived = delivered.verify(&issuers, NOW).unwrap();
        let mut holdings = Holdings::of(&mut memory);
        let summary = arrived.summary(&holdings);
        let kept = arrived.keep(summary.confirmed(), &mut holdings, NOW, &mut rng).unwrap().saved();
        Self { credential: kept.credentials[0], memory, rng, issuers }
    }

    fn wish(&self) -> Wish {
        Wish {
            credential: self.credential,
            only: vec![ClaimPath::names(["given_name"]), ClaimPath::names(["family_name"])],
            purpose: Purpose::BorderEntry,
            lasting: Seconds::DAY,
        }
    }

    fn print(&mut self, wish: Wish) -> Result<Printed, PaperError> {
        let holder = HolderVerified::mint(wish.id(), NOW, true);
        let prepared = wish.prepare(&Holdings::of(&mut self.memory), NOW)?;
        prepared.print(holder, &mut Holdings::of(&mut self.memory), NOW, &mut self.rng).map(Unsaved::saved)
    }

    fn copies(&mut self) -> usize {
        Holdings::of(&mut self.memory).credential(self.credential).unwrap().copies_left()
    }

    fn read(&self, printed: &Printed, now: Timestamp) -> VerifiedPaper {
        let mut assembly = Assembly::new();
        printed.codes().iter().for_each(|code| assembly.add(code).unwrap());
        let paper = PaperIn::parse(&assembly.finish().unwrap()).unwrap();
        paper.verify(ChainPolicy::known_only(&self.issuers), now).unwrap()
    }
}

#[test]
fn what_was_chosen_is_printed_and_noted_and_takes_a_copy() {
    let mut wallet = Wallet::with_an_identity();
    let before = wallet.copies();
    let printed = wallet.print(wallet.wish()).unwrap();
    assert_eq!(wallet.copies(), before - 1);
    let verified = wallet.read(&printed, NOW.plus(Seconds::HOUR));
    let shown: Vec<ClaimPath> = verified.credential().disclosed_paths();
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert_eq!(verified.consent().ends_at(), NOW.plus(Seconds::DAY));
    assert_eq!(verified.consent().id(), printed.consent_id());

    let holdings = Holdings::of(&mut wallet.memory);
    let history = holdings.history().unwrap();
    let last = history.last().unwrap();
    assert_eq!((last.client_id.as_str(), last.disclosed[0].paths.len()), (PAPER_AUDIENCE, 2));
    assert_eq!(holdings.consents(NOW).len(), 1, "it can be looked up until it ends");
    assert!(!format!("{printed:?}").contains("AMPARO1:"), "no code is in any Debug");
}

#[test]
fn two_papers_have_nothing_in_common_but_the_issuer() {
    let mut wallet = Wallet::with_an_identity();
    let (one, other) = (wallet.print(wallet.wish()).unwrap(), wallet.print(wallet.wish()).unwrap());
    let (one, other) = (wallet.read(&one, NOW), wallet.read(&other, NOW));
    assert_ne!(one.credential().confirmation_key(), other.credential().confirmation_key());
    assert_ne!(one.credential().key_binding().nonce(), other.credential().key_binding().nonce());
    assert_ne!(one.consent().id(), other.consent().id());
}

#[test]
fn what_a_paper_cannot_be_is_said_before_anything_is_used_up() {
    let mut wallet = Wallet::with_an_identity();
    let before = wallet.copies();
    let good = wallet.wish();
    let refused = |wallet: &mut Wallet, wish: Wish| wallet.print(wish).unwrap_err();
    assert_eq!(refused(&mut wallet, Wish { only: Vec::new(), ..good.clone() }), PaperError::Nothing);
    assert_eq!(refused(&mut wallet, Wish { lasting: Seconds::new(0), ..good.clone() }), PaperError::Nothing);
    let unknown = vec![ClaimPath::names(["favourite_colour"])];
    assert_eq!(refused(&mut wallet, Wish { only: unknown, ..good.clone() }), PaperError::NotInIt);
    let age = Wish { purpose: Purpose::AgeCheck, ..good.clone() };
    assert!(matches!(refused(&mut wallet, age), PaperError::BeyondPurpose(paths) if paths.len() == 2));

    // Recognised for another paper.
    let other = Wish { lasting: Seconds::HOUR, ..good.clone() };
    let holder = HolderVerified::mint(other.id(), NOW, true);
    let prepared = good.clone().prepare(&Holdings::of(&mut wallet.memory), NOW).unwrap();
    let printed = prepared.print(holder, &mut Holdings::of(&mut wallet.memory), NOW, &mut wallet.rng);
    assert_eq!(printed.unwrap_err(), PaperError::NotRecognised);
    assert_eq!(wallet.copies(), before);
}

#[test]
fn a_paper_holds_no_longer_than_its_purpose_allows() {
    let mut wallet = Wallet::with_an_identity();
    for (purpose, only, most) in [
        (Purpose::AgeCheck, "age_over_18", Seconds::DAY),
        (Purpose::BorderEntry, "given_name", LONGEST),
        (Purpose::SupportService, "given_name", LONGEST),
    ] {
        let only = vec![ClaimPath::names([only])];
        let wish = Wish { only, purpose, lasting: Seconds::DAY.times(365), ..wallet.wish() };
        let printed = wallet.print(wish).unwrap();
        assert_eq!(printed.terms().ends_at, NOW.plus(most), "{purpose}");
        assert_eq!(wallet.read(&printed, NOW).consent().ends_at(), NOW.plus(most));
    }
}
