//! Ours: `credentials`. Everything a verifier does is done: chain (cached), times, type, digests, key binding.

use super::{AUDIENCE, Contestant, Job, NONCE, NOW};
use credentials::key_binding::KeyBindingClaims;
use credentials::sd_jwt::{Expected, IssuanceDraft, SdJwtVc, issue, verify_issued, verify_presented};
use credentials::signer::{Signer, SoftwareKey};
use credentials::trust::{CertificateChain, ChainCache, ChainPolicy, TrustAnchors, oid};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use schemas::{ClaimPath, Timestamp};

pub struct Ours {
    pub draft: IssuanceDraft,
    pub chain: CertificateChain,
    pub anchors: TrustAnchors,
    pub cache: ChainCache,
    pub issuer: SoftwareKey,
    pub holder: SoftwareKey,
    pub paths: Vec<ClaimPath>,
    pub binding: KeyBindingClaims,
    pub rng: ChaCha20Rng,
    pub issued: String,
    pub presented: String,
}

impl Ours {
    pub fn new(job: &Job) -> Self {
        let copy = |key: &SoftwareKey| SoftwareKey::from_scalar(&key.scalar().expect("scalar")).expect("key");
        let (anchor, chain) = certificates(job, &oid::CREDENTIAL_ISSUING);
        let now = Timestamp::from_unix(NOW);
        let mut this = Self {
            draft: IssuanceDraft {
                vct: "urn:amparo:identity:1".into(),
                issuer: None,
                issued_at: now,
                not_before: None,
                expires_at: Timestamp::from_unix(NOW + 86_400 * 30),
                status: None,
                visible: serde_json::Map::new(),
                disclosable: job.claims.clone(),
                nested: Vec::new(),
                decoys: false,
            },
            chain: CertificateChain::from_pem(chain.as_bytes()).expect("chain"),
            anchors: TrustAnchors::from_pem(anchor.as_bytes()).expect("anchor"),
            cache: ChainCache::default(),
            issuer: copy(&job.issuer),
            holder: copy(&job.holder),
            paths: job.presented.iter().map(|name| ClaimPath::names([name.clone()])).collect(),
            binding: KeyBindingClaims {
                audience: AUDIENCE.into(),
                nonce: NONCE.into(),
                issued_at: now,
                transaction_data_hashes: None,
                consent: None,
                amr: Vec::new(),
                acr: None,
                auth_time: None,
            },
            rng: ChaCha20Rng::seed_from_u64(2),
            issued: String::new(),
            presented: String::new(),
        };
        this.issue();
        verify_issued(&this.issued, &ChainPolicy::known_only(&this.anchors), now).expect("issued");
        this.present();
        this.verify();
        this
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
        // From the text, as the others: what a wallet does that opens its vault, not what one does that kept it parsed.
        let credential = SdJwtVc::reopen(&self.issued).expect("reopen");
        self.presented =
            credential.select(&self.paths).expect("select").bind(&self.binding, &self.holder).expect("bind");
    }

    fn verify(&mut self) {
        let policy = ChainPolicy::known_only(&self.anchors).with_cache(&self.cache);
        let expected = Expected::new(policy, AUDIENCE, NONCE, Timestamp::from_unix(NOW));
        let presented = verify_presented(&self.presented, &expected).expect("verify");
        assert!(presented.claims().contains_key("claim_00"));
    }
}

/// An anchor and the chain below it, for the issuer's key and that usage.
pub fn certificates(job: &Job, usage: &[u64]) -> (String, String) {
    let mut parameters = CertificateParams::new(Vec::new()).expect("parameters");
    parameters.distinguished_name.push(rcgen::DnType::CommonName, "Root of the contest");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.not_before = rcgen::date_time_ymd(2026, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(2036, 1, 1);
    let root_key = KeyPair::generate().expect("key");
    let root = parameters.self_signed(&root_key).expect("root");
    let mut leaf = CertificateParams::new(vec!["issuer.example".to_owned()]).expect("parameters");
    leaf.not_before = rcgen::date_time_ymd(2026, 1, 1);
    leaf.not_after = rcgen::date_time_ymd(2036, 1, 1);
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(usage.to_vec())];
    let leaf_key = KeyPair::from_pem(&Job::pem(&job.issuer)).expect("key");
    let issuer = Issuer::from_params(&parameters, &root_key);
    let leaf = leaf.signed_by(&leaf_key, &issuer).expect("leaf");
    (root.pem(), leaf.pem())
}
