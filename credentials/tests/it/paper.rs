//! Papers: what a reader without a network makes of codes, and what it refuses.

use crate::world::{AUDIENCE, NONCE, NOW, WORLD};
use credentials::consent::{Choice, ConsentError, ConsentId, grant};
use credentials::key_binding::{KeyBindingClaims, KeyBindingError};
use credentials::paper::{
    Assembly, FRAME_BYTES, FrameError, LONGEST, MOST_FRAMES, PAPER_AUDIENCE, PaperError, PaperIn, PaperRefused,
    VerifiedPaper, frames, proposal, write,
};
use credentials::sd_jwt::VerifyError;
use proptest::prelude::*;
use schemas::purpose::Purpose;
use schemas::{ClaimPath, Seconds, Timestamp};

/// What a holder makes for a paper.
struct Made {
    shown: Vec<ClaimPath>,
    granted: Vec<ClaimPath>,
    purpose: Purpose,
    lasting: Seconds,
    audience: &'static str,
}

fn names() -> Vec<ClaimPath> {
    vec![ClaimPath::names(["given_name"]), ClaimPath::names(["family_name"])]
}

impl Default for Made {
    fn default() -> Self {
        Self {
            shown: names(),
            granted: names(),
            purpose: Purpose::BorderEntry,
            lasting: Seconds::DAY,
            audience: PAPER_AUDIENCE,
        }
    }
}

impl Made {
    fn presentation(&self) -> (String, credentials::consent::ProposedConsent) {
        let held = WORLD.held(&WORLD.draft());
        let proposed = proposal(&[self.purpose], &self.granted, NOW, NOW.plus(self.lasting)).unwrap();
        let choice = Choice { claims: self.granted.clone(), lasting: Some(self.lasting), ..Choice::default() };
        let granted = grant(&proposed, &choice, ConsentId::generate(&mut crate::world::rng(5)), &[9; 32], NOW).unwrap();
        let claims = KeyBindingClaims {
            audience: self.audience.into(),
            nonce: NONCE.into(),
            issued_at: NOW,
            transaction_data_hashes: Some(vec![proposed.hash().to_owned()]),
            consent: Some(granted),
            amr: Vec::new(),
            acr: None,
            auth_time: None,
        };
        (held.select(&self.shown).unwrap().bind(&claims, &WORLD.holder).unwrap(), proposed)
    }

    fn paper(&self) -> Vec<u8> {
        let (presentation, proposed) = self.presentation();
        write(&presentation, NONCE, &proposed).unwrap()
    }

    fn read(&self, now: Timestamp) -> Result<VerifiedPaper, PaperRefused> {
        PaperIn::parse(&self.paper()).unwrap().verify(WORLD.policy(), now)
    }
}

fn collected<'c>(codes: impl IntoIterator<Item = &'c String>) -> Assembly {
    let mut assembly = Assembly::new();
    codes.into_iter().for_each(|code| assembly.add(code).unwrap());
    assembly
}

#[test]
fn a_paper_is_read_from_its_codes_in_any_order() {
    let paper = Made::default().paper();
    let codes = frames(&paper).unwrap();
    assert!(codes.len() > 1, "this test wants more than one code");
    let in_qr_alphabet = |c: char| c.is_ascii_digit() || c.is_ascii_uppercase() || " $%*+-./:".contains(c);
    for code in &codes {
        assert!(code.chars().all(in_qr_alphabet) && code.len() <= 1368, "{} characters", code.len());
    }
    let lengths: Vec<usize> = codes.iter().map(String::len).collect();
    assert!(lengths.iter().max().unwrap() - lengths.iter().min().unwrap() <= 3, "all codes look alike: {lengths:?}");

    let mut assembly = collected(codes.iter().rev().chain(&codes));
    assert_eq!((assembly.total(), assembly.missing()), (codes.len(), vec![]));
    let read = assembly.finish().unwrap();
    assert_eq!(read, paper);
    assembly.add(&codes[0]).unwrap();
    let verified = PaperIn::parse(&read).unwrap().verify(WORLD.policy(), NOW).unwrap();
    assert_eq!(verified.credential().claims()["given_name"], "Олена");
    assert!(!verified.credential().claims().contains_key("nationalities"), "what was not chosen is not on the paper");
    assert_eq!(verified.consent().purposes(), [Purpose::BorderEntry]);
    assert_eq!(verified.consent().ends_at(), NOW.plus(Seconds::DAY));
}

#[test]
fn a_paper_ends_when_its_holder_said() {
    let made = Made { lasting: Seconds::HOUR, ..Made::default() };
    let at = |seconds: i64| made.read(Timestamp::from_unix(NOW.unix() + seconds));
    at(3599).unwrap();
    for late in [3600, 3601, 86_400 / 2] {
        assert!(matches!(
            at(late),
            Err(PaperRefused::Consent(ConsentError::RequestEnded { .. } | ConsentError::Ended { .. }))
        ));
    }
    // A clock that is wrong by a day does not bring it back, nor forward.
    assert!(matches!(at(-86_400), Err(PaperRefused::Presentation(_))));
}

#[test]
fn a_paper_is_no_answer_and_an_answer_no_paper() {
    let made = Made::default();
    let (presentation, _) = made.presentation();
    let sent = credentials::sd_jwt::verify_presented(&presentation, &WORLD.expected());
    assert!(matches!(sent, Err(VerifyError::KeyBinding(KeyBindingError::Audience))), "{sent:?}");

    let answer = Made { audience: AUDIENCE, ..Made::default() };
    let refused = answer.read(NOW);
    assert!(matches!(refused, Err(PaperRefused::Presentation(VerifyError::KeyBinding(KeyBindingError::Audience)))));
    // Nor one without any consent.
    let held = WORLD.held(&WORLD.draft());
    let claims = KeyBindingClaims { audience: PAPER_AUDIENCE.into(), ..WORLD.key_binding() };
    let bare = held.select(&names()).unwrap().bind(&claims, &WORLD.holder).unwrap();
    let bare = PaperIn::parse(&write(&bare, NONCE, &made.presentation().1).unwrap()).unwrap();
    assert!(matches!(bare.verify(WORLD.policy(), NOW), Err(PaperRefused::Consent(ConsentError::NoGrant))));
}

#[test]
fn what_was_not_granted_is_not_believed() {
    let more = Made { shown: [names(), vec![ClaimPath::names(["nationalities"])]].concat(), ..Made::default() };
    assert!(matches!(more.read(NOW), Err(PaperRefused::Consent(ConsentError::OverDisclosure))));
    // Another paper's consent, glued on.
    let (presentation, _) = Made::default().presentation();
    let (_, other) = Made { lasting: Seconds::HOUR, ..Made::default() }.presentation();
    let glued = PaperIn::parse(&write(&presentation, NONCE, &other).unwrap()).unwrap();
    assert!(matches!(glued.verify(WORLD.policy(), NOW), Err(PaperRefused::Consent(ConsentError::NotSigned))));
    // Another nonce than the one that was signed.
    let (presentation, proposed) = Made::default().presentation();
    let other = PaperIn::parse(&write(&presentation, "another-nonce-0123456789", &proposed).unwrap()).unwrap();
    assert!(matches!(
        other.verify(WORLD.policy(), NOW),
        Err(PaperRefused::Presentation(VerifyError::KeyBinding(KeyBindingError::Nonce)))
    ));
    // A disclosure that somebody else added, or took away.
    let mut parts: Vec<&str> = presentation.split('~').collect();
    parts.remove(1);
    let less = PaperIn::parse(&write(&parts.join("~"), NONCE, &proposed).unwrap()).unwrap();
    assert!(matches!(less.verify(WORLD.policy(), NOW), Err(PaperRefused::Presentation(VerifyError::KeyBinding(_)))));
}

#[test]
fn no_paper_holds_longer_than_a_paper_may() {
    let claims = vec![ClaimPath::names(["given_name"])];
    let made = |lasting| Made {
        shown: claims.clone(),
        granted: claims.clone(),
        purpose: Purpose::SupportService,
        lasting,
        ..Made::default()
    };
    // The purpose itself would allow ninety days.
    assert_eq!(made(Seconds::DAY.times(31)).read(NOW).unwrap_err(), PaperRefused::TooLong);
    made(LONGEST).read(NOW).unwrap();
}

#[test]
fn codes_that_do_not_belong_together_are_told_apart() {
    let (one, other) = (Made::default().paper(), Made { lasting: Seconds::HOUR, ..Made::default() }.paper());
    let (one, other) = (frames(&one).unwrap(), frames(&other).unwrap());
    let mut assembly = collected(&one[..1]);
    assert_eq!(assembly.add(&other[1]), Err(FrameError::OtherPaper));
    assert_eq!(assembly.finish(), Err(FrameError::Missing((2..=one.len()).collect())));
    for stranger in ["", "AMPARO1:", "AMPARO1:%%%", "HC1:6BF", "AMPARO1:00", "https://example.org", &one[0][..13]] {
        assert_eq!(assembly.add(stranger), Err(FrameError::NotOurs), "{stranger}");
    }
    assert_eq!(Assembly::new().finish(), Err(FrameError::NotOurs));
    assert_eq!(assembly.add(&format!("AMPARO1:{}", "0".repeat(100_000))), Err(FrameError::NotOurs), "bounded");

    let frame = |bytes: &[u8]| format!("AMPARO1:{}", base45::encode(bytes));
    let mut assembly = collected(&[frame(&[2, 0, 1, 2, 3, 4, 9])]);
    assert_eq!(assembly.add(&frame(&[2, 0, 1, 2, 3, 4, 8])), Err(FrameError::Contradiction));
    assert_eq!(assembly.add(&frame(&[3, 1, 1, 2, 3, 4, 8])), Err(FrameError::OtherPaper), "another number of codes");
    assert_eq!(assembly.add(&frame(&[2, 2, 1, 2, 3, 4, 8])), Err(FrameError::NotOurs), "a place that is none");
    assert_eq!(assembly.add(&frame(&[255, 2, 1, 2, 3, 4, 8])), Err(FrameError::TooMany));
    assembly.add(&frame(&[2, 1, 1, 2, 3, 4, 8])).unwrap();
    assert_eq!(assembly.finish(), Err(FrameError::Damaged));
    assert_eq!(frames(&vec![0; FRAME_BYTES * MOST_FRAMES + 1]), Err(FrameError::TooMany));
}

#[test]
fn attack_45_papers_are_bounded_and_of_the_form() {
    let bomb = {
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut zlib, &vec![0; 32 << 20]).unwrap();
        zlib.finish().unwrap()
    };
    assert!(bomb.len() < 64 * 1024, "small on the wire");
    assert_eq!(PaperIn::parse(&bomb).unwrap_err(), PaperError::Form);
    let paper = Made::default().paper();
    for cut in 0..paper.len() {
        assert_eq!(PaperIn::parse(&paper[..cut]).unwrap_err(), PaperError::Form, "cut at {cut}");
    }
    assert!(!format!("{:?}", PaperIn::parse(&paper).unwrap()).contains("Олена"));
    let (presentation, proposed) = Made::default().presentation();
    let unbound = &presentation[..=presentation.rfind('~').unwrap()];
    for other in ["", "~", "a.b.c", unbound, "a.b~c~d.e.f"] {
        assert_eq!(write(other, NONCE, &proposed), Err(PaperError::Presentation), "{other}");
    }
}

proptest! {
    #[test]
    fn papers_survive_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400), text in "\\PC{0,80}") {
        let _ = PaperIn::parse(&bytes);
        let mut assembly = Assembly::new();
        let _ = assembly.add(&text);
        let _ = assembly.add(&format!("AMPARO1:{}", base45::encode(&bytes)));
        let _ = assembly.finish();
    }

    #[test]
    fn any_paper_is_cut_and_put_together(paper in proptest::collection::vec(any::<u8>(), 1..5000)) {
        prop_assert_eq!(collected(&frames(&paper).unwrap()).finish().unwrap(), paper);
    }
}
