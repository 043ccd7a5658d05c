//! Mobile documents: npm `@auth0/mdl` 3.0.1 and `@owf/mdoc` 0.6.0 issue, hold and verify; each meets ours on every side.

use super::authority::{Authority, key, now, private_jwk, public_jwk, rng};
use super::place::{ask_node, node};
use credentials::b64;
use credentials::mdoc::{
    DeviceProof, Elements, Expected, IssuanceDraft, KeyAuthorizations, Mdoc, SessionTranscript, VerifyError,
    device_response, issue, verify_issued, verify_presented,
};
use credentials::signer::{Signer as _, SoftwareKey};
use credentials::trust::{CertificateChain, ChainPolicy, Usage};
use schemas::{ClaimPath, Timestamp};
use serde_json::{Value, json};

const TYPE: &str = "org.iso.18013.5.1.mDL";
const SPACE: &str = "org.iso.18013.5.1";
const CLIENT: &str = "x509_san_dns:desk.example";
const NONCE: &str = "exc7gBkxjx1rdc9udRrveKvSsJIq80avlXeLHhGwqtA";
const RESPONSE_URI: &str = "https://desk.example/response";
const LIBRARIES: [&str; 2] = ["auth0", "owf"];

/// Everybody's keys, and what a request of a verifier says.
struct Session {
    authority: Authority,
    issuer: SoftwareKey,
    chain: CertificateChain,
    x5c: Vec<String>,
    holder: SoftwareKey,
    reader: SoftwareKey,
    transcript: SessionTranscript,
    thumbprint: [u8; 32],
}

impl Session {
    fn new() -> Self {
        let (authority, issuer, reader) = (Authority::new(), key(1), key(3));
        let (chain, x5c) = authority.certify(&issuer, Usage::MdocIssuing);
        let thumbprint = reader.public_key().thumbprint();
        let transcript = SessionTranscript::openid4vp(CLIENT, NONCE, Some(&thumbprint), RESPONSE_URI);
        Self { authority, issuer, chain, x5c, holder: key(2), reader, transcript, thumbprint }
    }

    fn policy(&self) -> ChainPolicy<'_> {
        ChainPolicy::known_only(&self.authority.anchors)
    }

    /// What every job of a peer needs, with `nonce` for its session.
    fn job(&self, nonce: &str) -> Value {
        let transcript = SessionTranscript::openid4vp(CLIENT, nonce, Some(&self.thumbprint), RESPONSE_URI);
        json!({
            "docType": TYPE, "nameSpace": SPACE, "anchor": self.authority.anchor, "transcript": b64::encode(transcript.as_bytes()),
            "session": {"clientId": CLIENT, "nonce": nonce, "jwkThumbprint": b64::encode(&self.thumbprint), "responseUri": RESPONSE_URI},
        })
    }

    fn issued_by_us(&self) -> Vec<u8> {
        let now = now();
        let mut elements = Elements::new();
        elements.insert(SPACE, "family_name", "Коваль");
        elements.insert(SPACE, "given_name", "Inés");
        elements.insert(SPACE, "resident_city", "Suchitoto");
        elements.insert(SPACE, "weight", 57);
        let draft = IssuanceDraft {
            doc_type: TYPE.into(),
            elements,
            signed_at: now,
            valid_from: now,
            valid_until: Timestamp::from_unix(now.unix() + 86_400),
            expected_update: None,
            status: None,
            authorizations: KeyAuthorizations::new(),
            decoys: true,
        };
        issue(&draft, &self.chain, self.holder.public_key(), &self.issuer, &mut rng(9)).unwrap()
    }

    /// With identifiers of digests beyond what is allowed where `high`.
    fn issued_by(&self, library: &str, high: bool) -> Vec<u8> {
        let mut job = self.job(NONCE);
        // Without one, @auth0/mdl writes a `kid` that is `undefined`, which is no byte string (RFC 9052 §3.1) and is refused.
        (job["do"], job["kid"], job["high"]) = (json!("issue"), json!("issuer"), json!(high));
        job["elements"] =
            json!({"family_name": "Коваль", "given_name": "Inés", "resident_city": "Suchitoto", "weight": 57});
        (job["issuer"], job["holder"]) = (private_jwk(&self.issuer), public_jwk(&self.holder));
        job["chain"] = json!(self.x5c);
        let answer = ask_node("mdoc.mjs", &[library], &job);
        b64::decode(answer["issued"].as_str().unwrap_or_else(|| panic!("{library}: {answer}"))).unwrap()
    }

    fn presented_by_us(&self, issued: &[u8], proof: DeviceProof) -> Vec<u8> {
        let paths = ["family_name", "weight"].map(|name| ClaimPath::names([SPACE, name]));
        let held = Mdoc::reopen(issued).unwrap();
        let selection = held.select(&paths).unwrap();
        let own = Elements::new();
        let document = match proof {
            DeviceProof::Signature => selection.sign(&self.transcript, &own, &self.holder),
            _ => selection.authenticate(&self.transcript, &own, &self.holder, self.reader.public_key()),
        };
        device_response(&[document.unwrap()])
    }

    fn presented_by(&self, library: &str, issued: &[u8], proof: DeviceProof, mend: bool) -> Vec<u8> {
        let mut job = self.job(NONCE);
        (job["do"], job["issued"], job["mend"]) = (json!("present"), json!(b64::encode(issued)), json!(mend));
        (job["names"], job["holder"]) = (json!(["family_name", "weight"]), private_jwk(&self.holder));
        if proof != DeviceProof::Signature {
            job["reader"] = public_jwk(&self.reader);
        }
        let answer = ask_node("mdoc.mjs", &[library], &job);
        b64::decode(answer["presented"].as_str().unwrap_or_else(|| panic!("{library}: {answer}"))).unwrap()
    }

    /// What the library finds wrong; nothing when it saw the two elements and no others.
    fn faults(&self, library: &str, presented: &[u8], nonce: &str, mend: bool) -> Vec<String> {
        let mut job = self.job(nonce);
        (job["do"], job["presented"], job["mend"]) = (json!("verify"), json!(b64::encode(presented)), json!(mend));
        job["reader"] = private_jwk(&self.reader);
        let answer = ask_node("mdoc.mjs", &[library], &job);
        let faults: Vec<String> =
            serde_json::from_value(answer["faults"].clone()).unwrap_or_else(|_| panic!("{library}: {answer}"));
        if faults.is_empty() {
            assert_eq!(answer["elements"], json!({"family_name": "Коваль", "weight": 57}), "{library}");
        }
        faults
    }

    fn verify(&self, presented: &[u8], transcript: &SessionTranscript) -> Result<DeviceProof, VerifyError> {
        let expected = Expected::new(self.policy(), transcript, now()).with_mac_key(&self.reader);
        let seen = verify_presented(presented, &expected)?;
        assert_eq!(seen.elements().get(SPACE, "family_name"), Some(&"Коваль".into()));
        assert_eq!(seen.elements().get(SPACE, "weight"), Some(&57.into()));
        assert_eq!(seen.elements().len(), 2);
        Ok(seen.proof())
    }
}

/// The same presentation with one letter of a name changed.
fn altered(presented: &[u8]) -> Vec<u8> {
    let name = "Коваль".as_bytes();
    let at = presented.windows(name.len()).position(|w| w == name).unwrap();
    let mut altered = presented.to_vec();
    altered[at + 1] ^= 1;
    altered
}

#[test]
fn peers_verify_a_document_that_we_issue_and_sign() {
    if node().is_none() {
        return;
    }
    let session = Session::new();
    let presented = session.presented_by_us(&session.issued_by_us(), DeviceProof::Signature);
    for library in LIBRARIES {
        assert_eq!(session.faults(library, &presented, NONCE, false), [""; 0], "{library}");
        let other = session.faults(library, &presented, "another nonce", false);
        assert_eq!(other, ["Device signature must be valid"], "{library}: it would refuse another session");
        let altered = session.faults(library, &altered(&presented), NONCE, false);
        assert!(
            altered.iter().any(|f| f.contains("digest")),
            "{library}: it would refuse a changed element: {altered:?}"
        );
    }
}

#[test]
fn peers_verify_the_mac_of_a_document_that_we_issue() {
    if node().is_none() {
        return;
    }
    let session = Session::new();
    let presented = session.presented_by_us(&session.issued_by_us(), DeviceProof::Mac);
    assert_eq!(session.faults("auth0", &presented, NONCE, false), [""; 0]);
    assert_eq!(session.faults("auth0", &presented, "another nonce", false), ["Device MAC must be valid"]);
    // @owf/mdoc compares the name of the algorithm with its number, so takes no MAC at all; beneath that it leaves `external_aad` out
    // of what is authenticated (RFC 9052 §6.3). Around the one and with the other put in, it reads ours.
    let unable = ["Device MAC must use alg 5 (HMAC 256/256)"];
    assert_eq!(session.faults("owf", &presented, NONCE, false), unable);
    assert_eq!(session.faults("owf", &presented, NONCE, true), [""; 0]);
    assert_eq!(session.faults("owf", &presented, "another nonce", true), ["MAC"]);
}

#[test]
fn we_verify_documents_that_peers_issue_and_present() {
    if node().is_none() {
        return;
    }
    let session = Session::new();
    let elsewhere = SessionTranscript::openid4vp(CLIENT, "another nonce", Some(&session.thumbprint), RESPONSE_URI);
    for library in LIBRARIES {
        let issued = session.issued_by(library, false);
        let held = verify_issued(&issued, &session.policy(), now()).unwrap_or_else(|e| panic!("{library}: {e}"));
        assert_eq!(held.device_key(), session.holder.public_key(), "{library}");
        assert_eq!(held.elements().len(), 4, "{library}");
        // What it issued and what we issued, each shown by it and by us.
        for issued in [issued, session.issued_by_us()] {
            let by_them = session.presented_by(library, &issued, DeviceProof::Signature, false);
            let by_us = session.presented_by_us(&issued, DeviceProof::Signature);
            for presented in [by_them, by_us] {
                let seen = session.verify(&presented, &session.transcript);
                assert_eq!(seen.unwrap_or_else(|e| panic!("{library}: {e}")), DeviceProof::Signature, "{library}");
                let refused = session.verify(&presented, &elsewhere);
                assert!(matches!(refused, Err(VerifyError::DeviceAuth(_))), "{library}: {refused:?}");
                assert!(session.verify(&altered(&presented), &session.transcript).is_err(), "{library}");
            }
        }
    }
}

#[test]
fn we_verify_the_mac_of_documents_that_peers_present() {
    if node().is_none() {
        return;
    }
    let session = Session::new();
    let issued = session.issued_by_us();
    let presented = session.presented_by("auth0", &issued, DeviceProof::Mac, false);
    assert_eq!(session.verify(&presented, &session.transcript).unwrap(), DeviceProof::Mac);
    // Without `external_aad` it is no MAC of RFC 9052; with it, it is.
    let presented = session.presented_by("owf", &issued, DeviceProof::Mac, false);
    assert!(matches!(session.verify(&presented, &session.transcript), Err(VerifyError::DeviceAuth(_))));
    let presented = session.presented_by("owf", &issued, DeviceProof::Mac, true);
    assert_eq!(session.verify(&presented, &session.transcript).unwrap(), DeviceProof::Mac);
}

#[test]
fn digest_identifiers_beyond_31_bits_are_refused_though_a_peer_draws_them() {
    if node().is_none() {
        return;
    }
    let session = Session::new();
    let refused = verify_issued(&session.issued_by("owf", true), &session.policy(), now());
    assert!(matches!(refused, Err(VerifyError::Form(_))), "ISO/IEC 18013-5 §9.1.2.5: {refused:?}");
}
