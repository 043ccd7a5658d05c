//! `sd-jwt-payload` 0.5.1: brings neither signer nor verifier, so it gets ours for both.

use super::{AUDIENCE, Contestant, Job, NONCE, NOW, jwk, key_point};
use credentials::json::Limits;
use credentials::jws::JwsIn;
use credentials::key::PublicKey;
use credentials::signer::SoftwareKey;
use futures_executor::block_on;
use sd_jwt_payload::{
    JsonObject, JwsSigner, KeyBindingJwtBuilder, RequiredKeyBinding, SdJwt, SdJwtBuilder, Sha256Hasher,
};
use serde_json::{Map, Value};

struct OurSigner(SoftwareKey);

#[async_trait::async_trait]
impl JwsSigner for OurSigner {
    type Error = String;

    async fn sign(&self, header: &JsonObject, payload: &JsonObject) -> Result<Vec<u8>, String> {
        Ok(credentials::jws::sign_object(header, payload, &self.0).map_err(|e| e.to_string())?.into_bytes())
    }
}

pub struct SdJwtPayload {
    claims: Map<String, Value>,
    concealed: Vec<String>,
    issuer: OurSigner,
    holder: OurSigner,
    issuer_key: PublicKey,
    binding: JsonObject,
    issued: String,
    presented: String,
}

impl SdJwtPayload {
    pub fn new(job: &Job) -> Self {
        let copy = |key: &SoftwareKey| SoftwareKey::from_scalar(&key.scalar().expect("scalar")).expect("key");
        let Value::Object(binding) = jwk(&job.holder) else { panic!("jwk") };
        let mut this = Self {
            claims: job.claims.clone(),
            concealed: job.claims.keys().filter(|k| !job.presented.contains(k)).map(|k| format!("/{k}")).collect(),
            issuer: OurSigner(copy(&job.issuer)),
            holder: OurSigner(copy(&job.holder)),
            issuer_key: PublicKey::from_sec1(&key_point(&job.issuer)).expect("key"),
            binding,
            issued: String::new(),
            presented: String::new(),
        };
        this.issue();
        this.present();
        this.verify();
        this
    }
}

impl Contestant for SdJwtPayload {
    fn name(&self) -> &'static str {
        "`sd-jwt-payload` 0.5.1 with our ES256"
    }

    fn issue(&mut self) {
        let mut builder = SdJwtBuilder::new(&self.claims).expect("builder");
        for name in self.claims.keys() {
            builder = builder.make_concealable(&format!("/{name}")).expect("conceal");
        }
        let builder = builder.require_key_binding(RequiredKeyBinding::Jwk(self.binding.clone()));
        self.issued = block_on(builder.finish(&self.issuer, "ES256")).expect("issue").presentation();
    }

    fn present(&mut self) {
        let hasher = Sha256Hasher::new();
        let mut builder =
            self.issued.parse::<SdJwt>().expect("parse").into_presentation(&hasher).expect("presentation");
        for path in &self.concealed {
            builder = builder.conceal(path).expect("conceal");
        }
        let (mut presented, _) = builder.finish();
        let binding = KeyBindingJwtBuilder::new().aud(AUDIENCE).nonce(NONCE).iat(NOW);
        let binding = block_on(binding.finish(&presented, &hasher, "ES256", &self.holder)).expect("bind");
        presented.attach_key_binding_jwt(binding);
        self.presented = presented.presentation();
    }

    fn verify(&mut self) {
        let hasher = Sha256Hasher::new();
        let (sd_jwt, binding) = self.presented.rsplit_once('~').expect("key binding");
        let jwt = sd_jwt.split('~').next().expect("jwt");
        JwsIn::parse(jwt, &Limits::TOKEN).expect("jws").verify(&self.issuer_key).expect("signature");
        let parsed = self.presented.parse::<SdJwt>().expect("parse");
        // A verifier learns the holder's key from the credential (RFC 9901 §7.3), as the others do here.
        let Some(RequiredKeyBinding::Jwk(holder)) = parsed.required_key_bind() else { panic!("cnf") };
        let holder = PublicKey::from_jwk(holder).expect("key");
        JwsIn::parse(binding, &Limits::TOKEN).expect("jws").verify(&holder).expect("signature");
        let claims = parsed.key_binding_jwt().expect("key binding").claims();
        assert!(claims.aud == AUDIENCE && claims.nonce == NONCE);
        let digest = {
            use sd_jwt_payload::Hasher;
            hasher.encoded_digest(&self.presented[..=sd_jwt.len()])
        };
        assert_eq!(claims.sd_hash, digest);
        let object = parsed.into_disclosed_object(&hasher).expect("disclosed");
        assert_eq!(object["claim_04"], "the value of claim number 4");
    }
}
