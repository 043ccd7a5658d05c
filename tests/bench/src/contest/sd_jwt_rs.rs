//! `sd-jwt-rs` 0.7.1 (jsonwebtoken 9, ring).

use super::{AUDIENCE, Contestant, Job, NONCE, NOW, jwk, key_point};
use jsonwebtoken::{DecodingKey, EncodingKey};
use sd_jwt_rs::issuer::ClaimsForSelectiveDisclosureStrategy::Custom;
use sd_jwt_rs::{SDJWTHolder, SDJWTIssuer, SDJWTSerializationFormat::Compact, SDJWTVerifier};
use serde_json::{Map, Value, json};

pub struct SdJwtRs {
    claims: Value,
    paths: Vec<String>,
    disclosed: Map<String, Value>,
    issuer: SDJWTIssuer,
    issuer_key: DecodingKey,
    holder_jwk: Value,
    holder_key: EncodingKey,
    issued: String,
    presented: String,
}

impl SdJwtRs {
    pub fn new(job: &Job) -> Self {
        let mut claims = job.claims.clone();
        claims.insert("iss".into(), json!("https://issuer.example"));
        claims.insert("iat".into(), json!(NOW));
        claims.insert("exp".into(), json!(4_000_000_000i64));
        let mut this = Self {
            claims: Value::Object(claims),
            paths: job.claims.keys().map(|k| format!("$.{k}")).collect(),
            disclosed: job.presented.iter().map(|k| (k.clone(), json!(true))).collect(),
            issuer: SDJWTIssuer::new(EncodingKey::from_ec_pem(Job::pem(&job.issuer).as_bytes()).expect("key"), None),
            issuer_key: DecodingKey::from_ec_der(&key_point(&job.issuer)),
            holder_jwk: jwk(&job.holder),
            holder_key: EncodingKey::from_ec_pem(Job::pem(&job.holder).as_bytes()).expect("key"),
            issued: String::new(),
            presented: String::new(),
        };
        this.issue();
        this.present();
        this.verify();
        this
    }
}

impl Contestant for SdJwtRs {
    fn name(&self) -> &'static str {
        "`sd-jwt-rs` 0.7.1"
    }

    fn issue(&mut self) {
        let holder = serde_json::from_value(self.holder_jwk.clone()).expect("jwk");
        let paths = Custom(self.paths.iter().map(String::as_str).collect());
        self.issued =
            self.issuer.issue_sd_jwt(self.claims.clone(), paths, Some(holder), false, Compact).expect("issue");
    }

    fn present(&mut self) {
        let mut holder = SDJWTHolder::new(self.issued.clone(), Compact).expect("holder");
        self.presented = holder
            .create_presentation(
                self.disclosed.clone(),
                Some(NONCE.into()),
                Some(AUDIENCE.into()),
                Some(self.holder_key.clone()),
                None,
            )
            .expect("present");
    }

    fn verify(&mut self) {
        let key = self.issuer_key.clone();
        let verifier = SDJWTVerifier::new(
            self.presented.clone(),
            Box::new(move |_, _| key.clone()),
            Some(AUDIENCE.into()),
            Some(NONCE.into()),
            Compact,
        )
        .expect("verify");
        assert_eq!(verifier.verified_claims["claim_04"], "the value of claim number 4");
    }
}
