//! `ssi` 0.16.0 (p256 0.13). It does not check a key binding by itself: the caller does, as here.

use super::{AUDIENCE, Contestant, Job, NONCE, jwk};
use base64ct::{Base64UrlUnpadded, Encoding};
use futures_executor::block_on;
use serde_json::{Value, json};
use ssi::claims::jwt::{AnyClaims, JWTClaims};
use ssi::claims::sd_jwt::{ConcealJwtClaims, KbJwtPayload, SdAlg, SdJwtBuf};
use ssi::claims::{JwsPayload, VerificationParameters};
use ssi::json_pointer::JsonPointerBuf;
use ssi::jwk::JWK;

pub struct Ssi {
    claims: JWTClaims<AnyClaims>,
    pointers: Vec<JsonPointerBuf>,
    presented_pointers: Vec<JsonPointerBuf>,
    issuer: JWK,
    issuer_public: JWK,
    holder: JWK,
    holder_public: JWK,
    issued: SdJwtBuf,
    presented: SdJwtBuf,
}

impl Ssi {
    pub fn new(job: &Job) -> Self {
        let private = |key| {
            let Value::Object(mut map) = jwk(key) else { panic!("jwk") };
            map.insert("d".into(), json!(Base64UrlUnpadded::encode_string(&key.scalar().expect("scalar")[..])));
            map.insert("alg".into(), json!("ES256"));
            serde_json::from_value::<JWK>(Value::Object(map)).expect("jwk")
        };
        let mut claims = job.claims.clone();
        claims.insert("iss".into(), json!("https://issuer.example"));
        claims.insert("cnf".into(), json!({"jwk": jwk(&job.holder)}));
        let pointer = |k: &String| JsonPointerBuf::new(format!("/{k}")).expect("pointer");
        let empty = || SdJwtBuf::new("e30.e30.AA~".to_owned()).expect("sd-jwt");
        let (issuer, holder) = (private(&job.issuer), private(&job.holder));
        let mut this = Self {
            claims: serde_json::from_value(Value::Object(claims)).expect("claims"),
            pointers: job.claims.keys().map(pointer).collect(),
            presented_pointers: job.presented.iter().map(pointer).collect(),
            issuer_public: issuer.to_public(),
            holder_public: holder.to_public(),
            issuer,
            holder,
            issued: empty(),
            presented: empty(),
        };
        this.issue();
        this.present();
        this.verify();
        this
    }
}

impl Contestant for Ssi {
    fn name(&self) -> &'static str {
        "`ssi` 0.16.0"
    }

    fn issue(&mut self) {
        self.issued =
            block_on(self.claims.conceal_and_sign(SdAlg::Sha256, &self.pointers, &self.issuer)).expect("issue");
    }

    fn present(&mut self) {
        let mut revealed = self.issued.decode_reveal::<AnyClaims>().expect("reveal");
        revealed.retain(&self.presented_pointers);
        let mut presented = revealed.into_encoded();
        let payload = KbJwtPayload::new(AUDIENCE.into(), NONCE.into(), SdAlg::Sha256, &presented);
        let binding = block_on(payload.sign(&self.holder)).expect("bind");
        presented.set_kb(&binding);
        self.presented = presented;
    }

    fn verify(&mut self) {
        let parameters = VerificationParameters::from_resolver(&self.issuer_public);
        let (revealed, verification) =
            block_on(self.presented.decode_reveal_verify::<AnyClaims, _>(&parameters)).expect("verify");
        assert!(verification.is_ok());
        let binding = self.presented.decode_kb().expect("decode").expect("key binding");
        let holder = VerificationParameters::from_resolver(&self.holder_public);
        assert!(block_on(binding.verify(&holder)).expect("key binding").is_ok());
        let payload = &binding.signing_bytes.payload;
        assert!(
            payload.aud == AUDIENCE
                && payload.nonce.0 == NONCE
                && payload.sd_hash.verify(SdAlg::Sha256, &self.presented)
        );
        assert!(revealed.claims().private.get("claim_04").is_some());
    }
}
