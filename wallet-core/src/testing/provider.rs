//! A provider of wallets without a socket, which may mark those that it vouches for.

use super::{NOW, Party, header, json};
use crate::effect::{Effect, Outcome};
use credentials::json::{Limits, parse};
use credentials::trust::{TrustAnchors, Usage};
use credentials::{jws, proof};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use schemas::Seconds;
use serde_json::{Value, json as value};

/// A provider, and what it does to the nth attestation: its header, its claims.
pub(crate) struct Provider {
    pub(crate) party: Party,
    pub(crate) url: &'static str,
    pub(crate) mark: fn(usize, &mut Value, &mut Value),
    /// Changes what it answers, by the path that it answers at.
    pub(crate) tamper: fn(&str, &mut Value),
    /// What it says of keys: claims beside the usual.
    pub(crate) of_keys: fn(&mut Value),
    /// Every key that it was shown.
    pub(crate) keys: Vec<Value>,
}

impl Provider {
    pub(crate) const CODE: &'static str = "code-of-all-wallets";

    pub(crate) fn new(url: &'static str) -> Self {
        let mut rng = ChaCha20Rng::from_seed([11; 32]);
        let party = Party::new("Wallets", &["wallets.example"], Usage::WalletAttesting, &mut rng);
        Self { party, url, mark: |_, _, _| {}, tamper: |_, _| {}, of_keys: |_| {}, keys: Vec::new() }
    }

    pub(crate) fn anchors(&self) -> TrustAnchors {
        self.party.anchors()
    }

    pub(crate) fn answer(&mut self, effect: &Effect) -> Outcome {
        let path = effect.url().path().to_owned();
        let (status, mut body) = match path.as_str() {
            "/.well-known/amparo-wallet-provider" => (200, self.metadata()),
            "/wallets" if header(effect, "authorization") != Some("Bearer code-of-all-wallets") => {
                (401, value!({"error": "invalid_token"}))
            }
            "/wallets" => (200, value!({"attestations": self.attest(effect)})),
            "/keys" => (200, value!({"attestation": self.attest_keys(effect)})),
            _ => panic!("asked for {path}"),
        };
        (self.tamper)(&path, &mut body);
        json(status, &body)
    }

    fn metadata(&self) -> Value {
        let url = self.url;
        value!({
            "provider": url, "client_id": "org.amparo.wallet", "wallet_name": "Amparo",
            "wallet_attestation_endpoint": format!("{url}/wallets"), "key_attestation_endpoint": format!("{url}/keys"),
            "lifetime": 604_800,
        })
    }

    fn attest_keys(&self, effect: &Effect) -> String {
        assert_eq!(header(effect, "authorization"), Some("Bearer code-of-all-wallets"));
        let request = parse(effect.body(), &Limits::TOKEN).unwrap();
        let nonce = request["nonce"].as_str().unwrap();
        let key = |text: &Value| proof::verify(text.as_str().unwrap(), self.url, |shown| shown == nonce, NOW).unwrap();
        let keys: Vec<Value> =
            request["proofs"].as_array().unwrap().iter().map(|text| key(text).to_jwk().into()).collect();
        let day = NOW.floor_to(Seconds::DAY);
        let header = value!({"alg": "ES256", "typ": "key-attestation+jwt", "x5c": self.party.chain.to_x5c()});
        let mut claims = value!({
            "iss": self.url, "iat": day, "exp": day.plus(Seconds::DAY.times(7)), "nonce": nonce, "attested_keys": keys,
            "key_storage": ["iso_18045_basic"],
        });
        (self.of_keys)(&mut claims);
        jws::sign_object(header.as_object().unwrap(), claims.as_object().unwrap(), &self.party.key).unwrap()
    }

    fn attest(&mut self, effect: &Effect) -> Vec<String> {
        let request = parse(effect.body(), &Limits::TOKEN).unwrap();
        let keys = request["keys"].as_array().unwrap();
        let day = NOW.floor_to(Seconds::DAY);
        let attest = |(n, key): (usize, &Value)| {
            let mut header = value!({
                "alg": "ES256", "typ": "oauth-client-attestation+jwt", "x5c": self.party.chain.to_x5c(),
            });
            let mut claims = value!({
                "iss": self.url, "sub": "org.amparo.wallet", "iat": day, "exp": day.plus(Seconds::DAY.times(7)),
                "wallet_name": "Amparo", "cnf": {"jwk": key},
            });
            (self.mark)(n, &mut header, &mut claims);
            let objects = (header.as_object().unwrap(), claims.as_object().unwrap());
            jws::sign_object(objects.0, objects.1, &self.party.key).unwrap()
        };
        let attested = keys.iter().enumerate().map(attest).collect();
        self.keys.extend(keys.iter().cloned());
        attested
    }
}
