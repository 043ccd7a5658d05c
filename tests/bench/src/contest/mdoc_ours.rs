//! Ours: `credentials::mdoc`. Everything a verifier does is done: chain (cached), times, type, every digest, device signature.

use super::mdoc::{Document, SPACE, TYPE, certificates, transcript};
use super::{Contestant, Job, NOW};
use base64ct::{Base64, Encoding};
use credentials::cbor::Value;
use credentials::mdoc::{
    Elements, Expected, IssuanceDraft, KeyAuthorizations, Mdoc, SessionTranscript, device_response, issue,
    verify_issued, verify_presented,
};
use credentials::signer::{Signer, SoftwareKey};
use credentials::trust::{CertificateChain, ChainCache, ChainPolicy, TrustAnchors};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use schemas::{ClaimPath, Timestamp};

pub struct Ours {
    pub draft: IssuanceDraft,
    pub chain: CertificateChain,
    pub anchors: TrustAnchors,
    pub cache: ChainCache,
    pub issuer: SoftwareKey,
    pub holder: SoftwareKey,
    pub paths: Vec<ClaimPath>,
    pub transcript: SessionTranscript,
    pub rng: ChaCha20Rng,
    pub issued: Vec<u8>,
    pub presented: Vec<u8>,
}

impl Ours {
    pub fn new(job: &Job) -> Self {
        let copy = |key: &SoftwareKey| SoftwareKey::from_scalar(&key.scalar().expect("scalar")).expect("key");
        let (anchor, chain) = certificates(job);
        let now = Timestamp::from_unix(NOW);
        let mut elements = Elements::new();
        for (name, value) in &job.claims {
            elements.insert(SPACE, name, element(value));
        }
        let mut this = Self {
            draft: IssuanceDraft {
                doc_type: TYPE.into(),
                elements,
                signed_at: now,
                valid_from: now,
                valid_until: Timestamp::from_unix(NOW + 86_400 * 30),
                expected_update: None,
                status: None,
                authorizations: KeyAuthorizations::new(),
                decoys: false,
            },
            chain: CertificateChain::from_pem(chain.as_bytes()).expect("chain"),
            anchors: TrustAnchors::from_pem(anchor.as_bytes()).expect("anchor"),
            cache: ChainCache::default(),
            issuer: copy(&job.issuer),
            holder: copy(&job.holder),
            paths: job.presented.iter().map(|name| ClaimPath::names([SPACE, name.as_str()])).collect(),
            transcript: transcript(),
            rng: ChaCha20Rng::seed_from_u64(2),
            issued: Vec::new(),
            presented: Vec::new(),
        };
        this.issue();
        verify_issued(&this.issued, &ChainPolicy::known_only(&this.anchors), now).expect("issued");
        this.present();
        this.verify();
        this
    }

    /// What is issued and presented, for the other to begin with.
    pub fn document(&self) -> Document<'_> {
        Document { issued: &self.issued, chain: self.chain.leaf() }
    }
}

/// The value of an element: a picture is bytes here, and text in JSON.
fn element(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Object(members) => {
            Value::Map(members.iter().map(|(name, member)| (name.as_str().into(), element(member))).collect())
        }
        value => {
            let text = value.as_str().expect("text");
            let picture = text.strip_prefix(super::PICTURE);
            picture.map_or_else(|| text.into(), |picture| Base64::decode_vec(picture).expect("base64").into())
        }
    }
}

impl Contestant for Ours {
    fn name(&self) -> &'static str {
        "**ours**"
    }

    fn issue(&mut self) {
        self.issued =
            issue(&self.draft, &self.chain, self.holder.public_key(), &self.issuer, &mut self.rng).expect("issue");
    }

    fn present(&mut self) {
        // From the bytes, as the other: what a wallet does that opens its vault.
        let held = Mdoc::reopen(&self.issued).expect("reopen");
        let selection = held.select(&self.paths).expect("select");
        let document = selection.sign(&self.transcript, &Elements::new(), &self.holder).expect("sign");
        self.presented = device_response(&[document]);
    }

    fn verify(&mut self) {
        let policy = ChainPolicy::known_only(&self.anchors).with_cache(&self.cache);
        let expected = Expected::new(policy, &self.transcript, Timestamp::from_unix(NOW));
        let presented = verify_presented(&self.presented, &expected).expect("verify");
        assert!(presented.elements().get(SPACE, "claim_00").is_some());
    }
}
