//! Mobile documents in answers: the same questions, the same refusals, the same claims at the end.

use crate::issuer::{Document, Issuer};
use crate::world::*;
use credentials::b64;
use credentials::consent::{Choice, ConsentId, RequestIn, grant, grant_elements};
use credentials::dcql::Query;
use credentials::jwe::Recipient;
use credentials::mdoc::{Elements, SessionTranscript, device_response};
use credentials::signer::SoftwareKey;
use credentials::trust::AnchorLimits;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use schemas::ClaimPath;
use schemas::Seconds;
use schemas::mdoc::{IDENTITY_DOCUMENT, PID_NAME_SPACE, PRESENCE_NAME_SPACE};
use schemas::status::StatusReference;
use serde_json::json;
use std::process::Command;
use verifier::policy::{AcceptedFormat, ConsentMode, ResponseMode};
use verifier::preset::Preset;
use verifier::service::{Ask, Outcome};

const QUERY: &str = "identity-mdoc";

fn for_documents() -> Ask {
    Ask { query: Query::check(Preset::BorderIdentity.query(AcceptedFormat::Mdoc)).unwrap(), ..ask() }
}

async fn asked(world: &World, response_mode: ResponseMode) -> Asked {
    world.ask_as(Ask { response_mode, ..for_documents() }).await
}

async fn in_the_clear(world: &World) -> Asked {
    asked(world, ResponseMode::DirectPost).await
}

/// The session as the wallet sees it.
fn transcript(asked: &Asked) -> SessionTranscript {
    let object = &asked.object;
    let encrypted = object.response_mode == "direct_post.jwt";
    let thumbprint =
        encrypted.then(|| Recipient::choose(object.client_metadata.as_ref().unwrap()).unwrap().key().thumbprint());
    SessionTranscript::openid4vp(
        &object.client_id,
        &object.nonce,
        thumbprint.as_ref(),
        object.response_uri.as_deref().unwrap(),
    )
}

fn elements(names: &[&str]) -> Vec<ClaimPath> {
    names.iter().map(|name| ClaimPath::names([PID_NAME_SPACE, name])).collect()
}

fn shown() -> Vec<ClaimPath> {
    elements(&["given_name", "family_name", "nationality"])
}

fn present(card: &Document, paths: &[ClaimPath], transcript: &SessionTranscript, own: &Elements) -> String {
    let document = card.mdoc.select(paths).unwrap().sign(transcript, own, &card.holder).unwrap();
    b64::encode(&device_response(&[document]))
}

fn plain(card: &Document, asked: &Asked) -> String {
    present(card, &shown(), &transcript(asked), &Elements::new())
}

fn document(world: &World) -> Document {
    world.issuer.issue_document(&Issuer::document_draft(NOW, None))
}

async fn refused(world: &World, asked: &Asked, presentation: &str, code: &str) {
    let reply = world.post_token(asked, json!({QUERY: [presentation]})).await;
    assert_eq!((reply.status, reply.code()), (400, code), "{reply:?}");
    assert_eq!(world.stands(asked), (Outcome::Refused, code.to_owned()));
    assert_eq!(keys(&world.data()), 0, "nothing is kept of it");
}

#[tokio::test]
async fn vp_b_2_a_document_is_verified_in_every_response_mode_and_says_the_same() {
    let world = World::new().await;
    let card = document(&world);
    for mode in [ResponseMode::DirectPost, ResponseMode::DirectPostJwt] {
        let asked = asked(&world, mode).await;
        let formats = &asked.object.client_metadata.as_ref().unwrap().vp_formats_supported;
        assert_eq!(formats.keys().collect::<Vec<_>>(), ["mso_mdoc"], "no more is told than is asked for");
        let mut own = Elements::new();
        own.insert(PRESENCE_NAME_SPACE, "acr", "urn:amparo:acr:presence-none");
        let presentation = present(&card, &shown(), &transcript(&asked), &own);
        assert_eq!(world.post_token(&asked, json!({QUERY: [presentation]})).await.status, 200);
        let report = world.report(&asked);
        let view = report.held.unwrap();
        let [held] = view.content().credentials() else { panic!("one") };
        assert_eq!(
            serde_json::Value::Object(held.claims().clone()),
            json!({"family_name": "Pérez", "given_name": "Ana", "nationalities": ["ES", "FR"]}),
            "as an SD-JWT VC says it"
        );
        assert_eq!((held.format(), held.type_name()), ("mso_mdoc", IDENTITY_DOCUMENT.doc_type));
        assert_eq!((held.acr(), held.face_is_evidence()), (Some("urn:amparo:acr:presence-none"), false));
        assert_eq!(world.post_token(&asked, json!({QUERY: [plain(&card, &asked)]})).await.status, 404, "once");
    }
}

#[tokio::test]
async fn either_format_answers_where_either_is_taken_and_not_where_one_is() {
    let world = World::new().await;
    let (card, text) = (document(&world), world.short_lived());
    let any = world.ask_as(Ask { response_mode: ResponseMode::DirectPost, ..ask() }).await;
    assert_eq!(world.post_token(&any, json!({QUERY: [plain(&card, &any)]})).await.status, 200);
    let any = world.ask_as(Ask { response_mode: ResponseMode::DirectPost, ..ask() }).await;
    let as_text = crate::world::present(&text, &asked_paths(), &world.binding(&any));
    assert_eq!(world.post_token(&any, json!({"identity": [as_text]})).await.status, 200);

    // One in the other's place.
    let any = world.ask_as(Ask { response_mode: ResponseMode::DirectPost, ..ask() }).await;
    let reply = world.post_token(&any, json!({"identity": [plain(&card, &any)]})).await;
    assert_eq!(reply.code(), "presentation_invalid");
    let documents = in_the_clear(&world).await;
    let as_text = crate::world::present(&text, &asked_paths(), &world.binding(&documents));
    let reply = world.post_token(&documents, json!({QUERY: [as_text]})).await;
    assert_eq!(reply.code(), "presentation_invalid");
}

#[tokio::test]
async fn attack_39_48_a_document_for_another_session_is_refused() {
    let world = World::new().await;
    let card = document(&world);
    let earlier = in_the_clear(&world).await;
    for mode in [ResponseMode::DirectPost, ResponseMode::DirectPostJwt] {
        type Change = fn(&mut Asked, &Asked);
        let changes: [Change; 4] = [
            |asked, earlier| asked.object.nonce = earlier.object.nonce.clone(),
            |asked, earlier| asked.object.response_uri = earlier.object.response_uri.clone(),
            |asked, _| asked.object.client_id = asked.object.client_id.trim_start_matches("x509_hash:").to_owned(),
            |asked, _| asked.object.response_mode = "fragment".to_owned(),
        ];
        for (n, change) in changes.into_iter().enumerate() {
            let asked = asked(&world, mode).await;
            let mut other = Asked { id: asked.id.clone(), link: String::new(), object: asked.object.clone() };
            change(&mut other, &earlier);
            let presentation = present(&card, &shown(), &transcript(&other), &Elements::new());
            if n == 3 && mode == ResponseMode::DirectPost {
                continue; // Neither has a key to name.
            }
            refused(&world, &asked, &presentation, "key_binding_invalid").await;
        }
    }
}

#[tokio::test]
async fn attack_34_39_a_document_signed_by_another_key_or_changed_is_refused() {
    let world = World::new().await;
    let card = document(&world);
    // Another device key: the document of one, the signature of another.
    let thief = document(&world);
    let asked = in_the_clear(&world).await;
    let (own, other) = (plain(&card, &asked), plain(&thief, &asked));
    let (own, other) = (b64::decode(&own).unwrap(), b64::decode(&other).unwrap());
    let signature = |bytes: &[u8]| bytes.windows(15).position(|w| w == b"deviceSignature").unwrap();
    let mut mixed = own[..signature(&own)].to_vec();
    mixed.extend_from_slice(&other[signature(&other)..]);
    refused(&world, &asked, &b64::encode(&mixed), "key_binding_invalid").await;
    // An element that the issuer did not sign so.
    let asked = in_the_clear(&world).await;
    let mut bytes = b64::decode(&plain(&card, &asked)).unwrap();
    let at = bytes.windows(3).position(|w| w == b"Ana").unwrap();
    bytes[at] = b'E';
    refused(&world, &asked, &b64::encode(&bytes), "presentation_invalid").await;
    // Two documents where one belongs, none, no CBOR, no base64url.
    let asked = in_the_clear(&world).await;
    let selection = card.mdoc.select(&shown()).unwrap();
    let one = selection.sign(&transcript(&asked), &Elements::new(), &card.holder).unwrap();
    refused(&world, &asked, &b64::encode(&device_response(&[one.clone(), one])), "presentation_invalid").await;
    for nonsense in [b64::encode(&device_response(&[])), b64::encode(b"x"), "a+b/".to_owned(), String::new()] {
        let asked = in_the_clear(&world).await;
        refused(&world, &asked, &nonsense, "presentation_invalid").await;
    }
    // A MAC for a key of the verifier's that it never showed.
    let asked = in_the_clear(&world).await;
    let reader = SoftwareKey::generate(&mut ChaCha20Rng::seed_from_u64(9)).unwrap();
    let key = credentials::signer::Signer::public_key(&reader);
    let mac = selection.authenticate(&transcript(&asked), &Elements::new(), &card.holder, key).unwrap();
    refused(&world, &asked, &b64::encode(&device_response(&[mac])), "key_binding_invalid").await;
}

#[tokio::test]
async fn attack_36_37_times_types_and_issuers_hold_for_documents() {
    let world = World::new().await;
    let mut other = Issuer::document_draft(NOW, None);
    other.doc_type = "org.iso.18013.5.1.mDL".into();
    let mut over = Issuer::document_draft(NOW, None);
    over.valid_until = NOW.minus(Seconds::new(1));
    let mut early = Issuer::document_draft(NOW, None);
    early.valid_from = NOW.plus(Seconds::new(1));
    for (draft, code) in [(other, "not_as_asked"), (over, "expired"), (early, "not_yet_valid")] {
        let asked = in_the_clear(&world).await;
        refused(&world, &asked, &plain(&world.issuer.issue_document(&draft), &asked), code).await;
    }
    let stranger = Issuer::new(7_039).issue_document(&Issuer::document_draft(NOW, None));
    let asked = in_the_clear(&world).await;
    refused(&world, &asked, &plain(&stranger, &asked), "issuer_not_trusted").await;
    // Trusted for the type as SD-JWT VC, not as document.
    let limits = AnchorLimits { types: Some(vec![crate::issuer::VCT.to_owned()]), status_hosts: None };
    world.reopen().trust(world.issuer.anchor.as_bytes(), Some(&limits)).unwrap();
    let asked = in_the_clear(&world).await;
    refused(&world, &asked, &plain(&document(&world), &asked), "issuer_not_trusted").await;
}

#[tokio::test]
async fn a_revoked_document_is_refused() {
    let world = World::new().await;
    for (revoked, code) in [(&[][..], ""), (&[7], "revoked")] {
        let uri = world.publish(&format!("list-{}", revoked.len()), revoked);
        let card = world.issuer.issue_document(&Issuer::document_draft(NOW, Some(StatusReference { idx: 7, uri })));
        let asked = in_the_clear(&world).await;
        assert_eq!(world.post_token(&asked, json!({QUERY: [plain(&card, &asked)]})).await.code(), code);
    }
}

#[tokio::test]
async fn no_more_and_no_less_of_a_document_than_was_asked_for() {
    let world = World::new().await;
    let card = document(&world);
    for (names, code) in [
        (&["given_name", "family_name", "nationality", "birth_date"][..], "over_disclosure"),
        (&["given_name", "family_name"], "not_as_asked"),
    ] {
        let asked = in_the_clear(&world).await;
        let presentation = present(&card, &elements(names), &transcript(&asked), &Elements::new());
        refused(&world, &asked, &presentation, code).await;
    }
}

type Change = fn(&mut schemas::consent::Grant);

/// The device key's word for a consent, as a wallet of ours grants it.
fn granted(asked: &Asked, paths: &[ClaimPath], lasting: u64, change: Change) -> Elements {
    let proposal = RequestIn::parse(asked.object.transaction_data.as_deref().unwrap_or_default()).unwrap().unwrap();
    let choice = Choice { claims: paths.to_vec(), lasting: Some(Seconds::new(lasting)), ..Choice::default() };
    let id = ConsentId::generate(&mut ChaCha20Rng::seed_from_u64(lasting));
    let mut grant = grant(&proposal, &choice, id, &[7; 32], NOW).unwrap();
    change(&mut grant);
    grant_elements(&grant)
}

#[tokio::test]
async fn attack_68_69_70_a_consent_in_a_document_is_demanded_checked_and_kept_to() {
    let world = World::new().await;
    let card = document(&world);
    let asking = || Ask { consent: ConsentMode::Required, response_mode: ResponseMode::DirectPost, ..for_documents() };
    let asked = world.ask_as(asking()).await;
    let own = granted(&asked, &shown(), 600, |_| {});
    let presentation = present(&card, &shown(), &transcript(&asked), &own);
    assert_eq!(world.post_token(&asked, json!({QUERY: [presentation]})).await.status, 200);
    let consent = world.report(&asked).consent.unwrap();
    assert_eq!(consent.expires_at, NOW.plus(Seconds::new(600)));
    world.later(600);
    assert_eq!(world.stands(&asked).0, Outcome::Ended, "at its end it has ended");
    world.clock.set(NOW.plus(Seconds::new(600)));

    let world = World::new().await;
    let card = document(&world);
    let asked = world.ask_as(asking()).await;
    refused(&world, &asked, &plain(&card, &asked), "consent_missing").await;
    let cases: [(&[&str], Change); 4] = [
        (&["given_name"], |_| {}),
        (&["given_name", "family_name", "nationality"], |grant| grant.aud = "x509_hash:other".into()),
        (&["given_name", "family_name", "nationality"], |grant| grant.exp = NOW.plus(Seconds::DAY.times(91))),
        (&["given_name", "family_name", "nationality"], |grant| grant.req = b64::encode(&[1; 32])),
    ];
    for (names, change) in cases {
        let asked = world.ask_as(asking()).await;
        let own = granted(&asked, &elements(names), 600, change);
        let presentation = present(&card, &shown(), &transcript(&asked), &own);
        refused(&world, &asked, &presentation, "consent_invalid").await;
    }
    // A consent that nobody asked for.
    let first = world.ask_as(asking()).await;
    let own = granted(&first, &shown(), 600, |_| {});
    let asked = in_the_clear(&world).await;
    let presentation = present(&card, &shown(), &transcript(&asked), &own);
    refused(&world, &asked, &presentation, "consent_invalid").await;
}

fn verify(arguments: &[&str]) -> (i32, serde_json::Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_amparo-verifier"));
    let output = command.arg("verify").args(arguments).arg("--json").output().unwrap();
    (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn a_document_in_a_file_is_verified_offline() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let issuer = Issuer::new(7_040);
    let uri = "https://status.example/1".to_owned();
    let card = issuer.issue_document(&Issuer::document_draft(NOW, Some(StatusReference { idx: 3, uri: uri.clone() })));
    let session = SessionTranscript::openid4vp("x509_hash:a", "n", None, "https://verifier.example/r");
    let text = present(&card, &shown(), &session, &Elements::new());
    std::fs::write(path("anchor"), &issuer.anchor).unwrap();
    std::fs::write(path("session"), session.as_bytes()).unwrap();
    let elsewhere = SessionTranscript::openid4vp("x509_hash:b", "n", None, "https://verifier.example/r");
    std::fs::write(path("elsewhere"), elsewhere.as_bytes()).unwrap();
    std::fs::write(path("list"), issuer.list(&uri, NOW, Seconds::DAY, &[4])).unwrap();
    std::fs::write(path("revoked"), issuer.list(&uri, NOW, Seconds::DAY, &[3])).unwrap();
    std::fs::write(path("text"), format!("{text}\n")).unwrap();
    std::fs::write(path("cbor"), b64::decode(&text).unwrap()).unwrap();
    let now = NOW.to_string();
    let (anchor, session, elsewhere, list, revoked) =
        (path("anchor"), path("session"), path("elsewhere"), path("list"), path("revoked"));
    let common = ["--anchor", &anchor, "--now", &now, "--transcript"];
    for file in [path("text"), path("cbor")] {
        let (exit, said) = verify(&[&common[..], &[&session, "--status-list", &list, &file]].concat());
        assert_eq!((exit, &said["verified"]), (0, &json!(true)), "{said}");
        assert_eq!(said["claims"], json!({"family_name": "Pérez", "given_name": "Ana", "nationalities": ["ES", "FR"]}));
        assert_eq!(
            (&said["type"], &said["format"], &said["status"]),
            (&json!("identity"), &json!("mso_mdoc"), &json!("valid"))
        );
    }
    for (arguments, code) in [
        (&[elsewhere.as_str(), "--status-list", &list][..], "key_binding_invalid"),
        (&[&session, "--status-list", &revoked], "revoked"),
        (&[&session], "status_unknown"),
    ] {
        let (exit, said) = verify(&[&common[..], arguments, &[&path("cbor")]].concat());
        assert_eq!((exit, said["error"]["code"].as_str()), (4, Some(code)), "{said}");
    }
}
