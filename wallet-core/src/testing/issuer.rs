//! An issuer without a socket, which checks what it is sent as a real one must.

use super::{NOW, Party, field, header, json};
use crate::effect::{Effect, Outcome, Response};
use credentials::json::{Limits, parse};
use credentials::jwe::{ContentEncryption, DecryptionKey, Recipient};
use credentials::key::PublicKey;
use credentials::sd_jwt::{IssuanceDraft, issue};
use credentials::trust::{ChainPolicy, TrustAnchors, Usage};
use credentials::{b64, dpop, key_attestation, mdoc, proof, sd_jwt, wallet_attestation};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use schemas::openid4vci::AnswerEncryption;
use schemas::status::StatusReference;
use schemas::{Seconds, Timestamp};
use serde_json::{Map, Value, json as value};

/// What the desk hands out: who it is about, and how the issuer behaves. The default behaves well.
pub(crate) struct Desk {
    pub(crate) url: String,
    pub(crate) claims: Value,
    pub(crate) vct: String,
    pub(crate) tx_code: Option<&'static str>,
    pub(crate) batch_size: Option<u32>,
    pub(crate) dpop: bool,
    /// The first token and credential requests are sent back for a DPoP nonce.
    pub(crate) dpop_nonce: bool,
    pub(crate) nonce_endpoint: bool,
    /// How many credential requests are sent back for a new c_nonce.
    pub(crate) refuse_nonces: u32,
    pub(crate) identifiers: Option<Value>,
    pub(crate) expires_at: Timestamp,
    /// Changes metadata, by the path it is served at.
    pub(crate) tamper: fn(&str, &mut Value),
    /// Changes the copies before they are delivered.
    pub(crate) spoil: fn(&mut Vec<String>),
    /// Changes the claims of the nth copy.
    pub(crate) vary: fn(usize, &mut Map<String, Value>),
    /// The offer is for the authorization code flow.
    pub(crate) code_flow: bool,
    /// How often the issuer says "later", the first time at the credential endpoint.
    pub(crate) later: u32,
    /// Whether it declines what it said "later" to.
    pub(crate) declines: bool,
    /// The configurations offered.
    pub(crate) configurations: &'static [&'static str],
    /// Changes the documents (mdoc) before they are issued: the nth draft.
    pub(crate) redraft: fn(usize, &mut mdoc::IssuanceDraft),
    /// Whether it signs its metadata, and what is wrong with header and claims then.
    pub(crate) signs: Option<fn(&mut Value, &mut Value)>,
    /// Whose wallets it gives to; to everybody's, when it names none.
    pub(crate) providers: Option<TrustAnchors>,
    /// Whose word on keys it takes.
    pub(crate) key_attesters: Option<TrustAnchors>,
    /// Whether it gives challenges at an endpoint, and not only when it refuses.
    pub(crate) challenge_endpoint: bool,
    /// Whether it leaves a way to new copies.
    pub(crate) refills: bool,
    /// Whether it encrypts, and how well.
    pub(crate) encrypts: Encrypts,
    /// The claims of the nth copy that its holder cannot hide.
    pub(crate) bare: fn(usize) -> &'static [&'static str],
}

impl Default for Desk {
    fn default() -> Self {
        Self {
            url: "https://issuer.example/tenant".into(),
            claims: value!({
                "given_name": "Amina", "family_name": "Diallo", "birth_date": "1999-03-01", "nationalities": ["GN", "FR"],
                "sex": "female", "picture": "", "age_over_18": true, "address": {"locality": "Lyon", "country": "FR"},
            }),
            vct: "urn:amparo:identity:1".into(),
            tx_code: Some("12345678"),
            batch_size: Some(30),
            dpop: true,
            dpop_nonce: true,
            nonce_endpoint: true,
            refuse_nonces: 0,
            identifiers: None,
            expires_at: NOW.plus(Seconds::DAY.times(365)).floor_to(Seconds::DAY),
            tamper: |_, _| {},
            spoil: |_| {},
            vary: |_, _| {},
            code_flow: false,
            later: 0,
            declines: false,
            configurations: &["identity"],
            redraft: |_, _| {},
            signs: None,
            providers: None,
            key_attesters: None,
            challenge_endpoint: true,
            refills: false,
            encrypts: Encrypts::Never,
            bare: |_| &[],
        }
    }
}

/// How an issuer encrypts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encrypts {
    Never,
    Well,
    /// Its answers are in the clear although the wallet wished otherwise.
    NoAnswer,
    /// Its answers are for somebody else.
    ToAnother,
    /// By another algorithm than wished.
    Weaker,
}

/// The issuer and what it saw.
pub(crate) struct Issuer {
    pub(crate) party: Party,
    pub(crate) desk: Desk,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) tokens: u32,
    pub(crate) nonces: u32,
    pub(crate) requests: Vec<Value>,
    /// What went ahead of the person.
    pub(crate) pushed: Option<std::collections::BTreeMap<String, String>>,
    /// What waits for a decision.
    waiting: Option<Value>,
    request_key: DecryptionKey,
    /// How the wallet wishes the current answer.
    wish: Option<AnswerEncryption>,
    /// The wallet attestations that it was shown, each once.
    pub(crate) attestations: Vec<String>,
    /// How many challenges it gave.
    pub(crate) challenges: u32,
    /// How many refresh tokens it gave.
    pub(crate) refreshes: u32,
    /// What was shown to it for new copies.
    pub(crate) shown: Vec<Map<String, Value>>,
    /// The keys that answers were wished to be encrypted to.
    pub(crate) answer_keys: Vec<Value>,
    /// What the wallet told of it.
    pub(crate) notices: Vec<Value>,
}

const CODE: &str = "code-of-256-bits";
const TOKEN: &str = "access.token~1";

impl Issuer {
    pub(crate) fn new(desk: Desk) -> Self {
        let mut rng = ChaCha20Rng::from_seed([9; 32]);
        let party = Party::new("Casa Abierta", &["issuer.example"], Usage::CredentialIssuing, &mut rng);
        Self {
            party,
            desk,
            rng,
            tokens: 0,
            nonces: 0,
            requests: Vec::new(),
            pushed: None,
            waiting: None,
            request_key: DecryptionKey::generate(&mut ChaCha20Rng::from_seed([8; 32])).unwrap(),
            wish: None,
            attestations: Vec::new(),
            challenges: 0,
            refreshes: 0,
            shown: Vec::new(),
            answer_keys: Vec::new(),
            notices: Vec::new(),
        }
    }

    pub(crate) fn offer(&self) -> Value {
        if self.desk.code_flow {
            return value!({
                "credential_issuer": self.desk.url,
                "credential_configuration_ids": self.desk.configurations,
                "grants": {"authorization_code": {"issuer_state": CODE}},
            });
        }
        let mut grant = value!({"pre-authorized_code": CODE});
        if let Some(code) = self.desk.tx_code {
            grant["tx_code"] =
                value!({"input_mode": "numeric", "length": code.len(), "description": "on the paper\u{202e}"});
        }
        value!({
            "credential_issuer": self.desk.url,
            "credential_configuration_ids": self.desk.configurations,
            "grants": {"urn:ietf:params:oauth:grant-type:pre-authorized_code": grant},
        })
    }

    pub(crate) fn link(&self) -> String {
        let mut link = url::Url::parse("openid-credential-offer://").unwrap();
        link.query_pairs_mut().append_pair("credential_offer", &self.offer().to_string());
        link.to_string()
    }

    pub(crate) fn link_by_reference(&self) -> String {
        let mut link = url::Url::parse("openid-credential-offer://").unwrap();
        link.query_pairs_mut().append_pair("credential_offer_uri", &format!("{}/offers/1", self.desk.url));
        link.to_string()
    }

    pub(crate) fn answer(&mut self, effect: &Effect) -> Outcome {
        let url = effect.url().as_str();
        let (origin, path) = (effect.url().origin().ascii_serialization(), effect.url().path().to_owned());
        let base = self.desk.url.clone();
        let mut served = match path.strip_prefix("/tenant").unwrap_or(&path) {
            "/offers/1" => self.offer(),
            "/.well-known/openid-credential-issuer/tenant" => self.metadata(&base),
            "/.well-known/oauth-authorization-server/tenant" => self.server(&base),
            "/token" => return self.token(effect, url),
            "/par" => return self.push(effect, url),
            "/challenge" => {
                self.challenges += 1;
                return json(200, &value!({"attestation_challenge": format!("challenge-{}", self.challenges)}));
            }
            "/nonce" => {
                self.nonces += 1;
                return json(200, &value!({"c_nonce": format!("nonce-{}", self.nonces)}));
            }
            "/credential" => return self.credential(effect, url),
            "/deferred" => return self.deferred(effect, url),
            "/notification" => return self.notification(effect, url),
            _ => panic!("asked for {origin}{path}"),
        };
        (self.desk.tamper)(&path, &mut served);
        let wants_signed = header(effect, "accept").is_some_and(|accept| accept.contains("application/jwt"));
        match self.desk.signs {
            Some(spoil) if wants_signed => self.signed(served, spoil),
            _ => json(200, &served),
        }
    }

    fn signed(&self, mut claims: Value, spoil: fn(&mut Value, &mut Value)) -> Outcome {
        let mut header = value!({
            "alg": "ES256", "typ": "openidvci-issuer-metadata+jwt", "x5c": self.party.chain.to_x5c(),
        });
        claims["sub"] = self.desk.url.clone().into();
        claims["iat"] = value!(NOW);
        claims["exp"] = value!(NOW.plus(Seconds::DAY));
        claims["display"] = value!([{"name": "Signed"}]);
        spoil(&mut header, &mut claims);
        let objects = (header.as_object().unwrap(), claims.as_object().unwrap());
        let text = credentials::jws::sign_object(objects.0, objects.1, &self.party.key).unwrap();
        let headers = vec![("Content-Type".to_owned(), "application/jwt".to_owned())];
        Outcome::Response(Response { status: 200, headers, body: text.into_bytes() })
    }

    fn metadata(&self, base: &str) -> Value {
        let mut metadata = value!({
            "credential_issuer": base,
            "credential_endpoint": format!("{base}/credential"),
            "deferred_credential_endpoint": format!("{base}/deferred"),
            "notification_endpoint": format!("{base}/notification"),
            "display": [{"name": "Casa\u{202e} Abierta", "locale": "en"}],
            "credential_configurations_supported": {
                "identity": {
                    "format": "dc+sd-jwt", "vct": self.desk.vct,
                    "cryptographic_binding_methods_supported": ["jwk"],
                    "credential_signing_alg_values_supported": ["ES256"],
                    "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}},
                },
                "identity-mdoc": {
                    "format": "mso_mdoc", "doctype": "org.amparo.identity.1",
                    "cryptographic_binding_methods_supported": ["cose_key"],
                    "credential_signing_alg_values_supported": [-7],
                    "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}},
                },
                "mdl": {"format": "mso_mdoc", "doctype": "org.iso.18013.5.1.mDL", "credential_signing_alg_values_supported": [-7]},
            },
        });
        if self.desk.encrypts != Encrypts::Never {
            metadata["credential_request_encryption"] = value!({
                "jwks": {"keys": [self.request_key.to_public_jwk("r1")]}, "enc_values_supported": ["A256GCM"],
                "encryption_required": true,
            });
            metadata["credential_response_encryption"] = value!({
                "alg_values_supported": ["ECDH-ES"], "enc_values_supported": ["A128GCM", "A256GCM"],
                "encryption_required": true,
            });
        }
        if self.desk.nonce_endpoint {
            metadata["nonce_endpoint"] = value!(format!("{base}/nonce"));
        }
        if let Some(batch_size) = self.desk.batch_size {
            metadata["batch_credential_issuance"] = value!({"batch_size": batch_size});
        }
        metadata
    }

    fn server(&self, base: &str) -> Value {
        let mut metadata = value!({
            "issuer": base, "token_endpoint": format!("{base}/token"),
            "grant_types_supported": ["urn:ietf:params:oauth:grant-type:pre-authorized_code"],
        });
        if self.desk.code_flow {
            metadata["grant_types_supported"] = value!(["authorization_code"]);
            metadata["authorization_endpoint"] = value!(format!("{base}/authorize?tenant=1"));
            metadata["pushed_authorization_request_endpoint"] = value!(format!("{base}/par"));
            metadata["code_challenge_methods_supported"] = value!(["plain", "S256"]);
            metadata["authorization_response_iss_parameter_supported"] = true.into();
        }
        if self.desk.providers.is_some() {
            metadata["token_endpoint_auth_methods_supported"] = value!(["attest_jwt_client_auth"]);
            if self.desk.challenge_endpoint {
                metadata["challenge_endpoint"] = value!(format!("{base}/challenge"));
            }
        }
        if self.desk.dpop {
            metadata["dpop_signing_alg_values_supported"] = value!(["ES256"]);
        }
        metadata
    }

    /// The request in the clear; notes how the answer is wished.
    fn read(&mut self, effect: &Effect) -> Value {
        let limits = Limits { bytes: 1 << 20, depth: 8 };
        if self.desk.encrypts == Encrypts::Never {
            assert_eq!(header(effect, "content-type"), Some("application/json"));
            return parse(effect.body(), &limits).unwrap();
        }
        assert_eq!(header(effect, "content-type"), Some("application/jwt"));
        let text = std::str::from_utf8(effect.body()).unwrap();
        let clear = self.request_key.decrypt(text, &[ContentEncryption::A256Gcm]).unwrap();
        let mut request = parse(&clear, &limits).unwrap();
        let wish = request.as_object_mut().unwrap().remove("credential_response_encryption");
        self.answer_keys.extend(wish.as_ref().map(|wish| wish["jwk"].clone()));
        self.wish = wish.map(|wish| serde_json::from_value(wish).unwrap());
        request
    }

    /// The answer as the wallet wished it.
    fn reply(&mut self, status: u16, body: &Value) -> Outcome {
        let Some(mut wish) = self.wish.take() else { return json(status, body) };
        match self.desk.encrypts {
            Encrypts::NoAnswer => return json(status, body),
            Encrypts::ToAnother => wish.jwk = self.request_key.to_public_jwk("1"),
            Encrypts::Weaker => wish.enc = "A128GCM".into(),
            Encrypts::Never | Encrypts::Well => {}
        }
        let to = Recipient::of_wallet(&wish).unwrap();
        let text = to.encrypt_at_most(body.to_string().as_bytes(), 1 << 22, &mut self.rng).unwrap();
        let headers = vec![("Content-Type".to_owned(), "application/jwt".to_owned())];
        Outcome::Response(Response { status, headers, body: text.into_bytes() })
    }

    /// Checks the proof; gives the answer when it is not as it should be.
    fn check_dpop(&mut self, effect: &Effect, url: &str, token: Option<&str>) -> Option<Outcome> {
        if !self.desk.dpop {
            assert!(header(effect, "dpop").is_none());
            return None;
        }
        let proof = dpop::verify(header(effect, "dpop").unwrap(), "POST", url, token, NOW).unwrap();
        let expected = format!("dpop-nonce-{}", token.is_some());
        if self.desk.dpop_nonce && proof.nonce.as_ref() != Some(&expected) {
            let headers = vec![("DPoP-Nonce".to_owned(), expected)];
            let body = br#"{"error":"use_dpop_nonce"}"#.to_vec();
            return Some(Outcome::Response(Response {
                status: if token.is_some() { 401 } else { 400 },
                headers,
                body,
            }));
        }
        None
    }

    /// Checks who asks; gives the answer when it is not as it should be.
    fn check_client(&mut self, effect: &Effect) -> Option<Outcome> {
        let (shown, pop) = (header(effect, wallet_attestation::HEADER), header(effect, wallet_attestation::POP_HEADER));
        let Some(providers) = &self.desk.providers else {
            assert!(shown.is_none() && pop.is_none(), "nobody is told who vouches for this wallet without need");
            return None;
        };
        let attestation = wallet_attestation::verify(shown.unwrap(), providers, NOW).unwrap();
        assert_eq!(field(effect, "client_id").unwrap_or_else(|| attestation.client_id.clone()), attestation.client_id);
        let current = format!("challenge-{}", self.challenges);
        let is_current = |challenge: &str| challenge == current;
        match wallet_attestation::verify_pop(pop.unwrap(), &attestation, &self.desk.url, is_current, NOW) {
            Ok(_) => {}
            Err(wallet_attestation::PopError::Challenge) => {
                self.challenges += 1;
                let given = format!("challenge-{}", self.challenges);
                let headers = vec![("OAuth-Client-Attestation-Challenge".to_owned(), given)];
                let body = br#"{"error":"use_attestation_challenge"}"#.to_vec();
                return Some(Outcome::Response(Response { status: 400, headers, body }));
            }
            Err(error) => panic!("{error}"),
        }
        if !self.attestations.iter().any(|known| Some(known.as_str()) == shown) {
            self.attestations.push(shown.unwrap().to_owned());
        }
        None
    }

    fn push(&mut self, effect: &Effect, url: &str) -> Outcome {
        if let Some(back) = self.check_client(effect) {
            return back;
        }
        if let Some(back) = self.check_dpop(effect, url, None) {
            return back;
        }
        let pushed = url::form_urlencoded::parse(effect.body()).into_owned().collect();
        self.pushed = Some(pushed);
        json(201, &value!({"request_uri": "urn:example:request-1", "expires_in": 60}))
    }

    fn token(&mut self, effect: &Effect, url: &str) -> Outcome {
        if let Some(back) = self.check_client(effect) {
            return back;
        }
        if let Some(back) = self.check_dpop(effect, url, None) {
            return back;
        }
        if field(effect, "grant_type").as_deref() == Some("refresh_token") {
            let current = format!("refresh-{}", self.refreshes);
            if !self.desk.refills || field(effect, "refresh_token") != Some(current) {
                return json(400, &value!({"error": "invalid_grant"}));
            }
        } else if self.desk.code_flow {
            let pushed = self.pushed.clone().unwrap();
            let verifier = field(effect, "code_verifier").unwrap();
            let challenge = b64::encode(&<sha2::Sha256 as sha2::Digest>::digest(verifier.as_bytes()));
            assert_eq!(field(effect, "grant_type").as_deref(), Some("authorization_code"));
            assert_eq!(
                (field(effect, "redirect_uri").as_ref(), &challenge),
                (pushed.get("redirect_uri"), &pushed["code_challenge"])
            );
            assert_eq!(field(effect, "client_id").as_ref(), pushed.get("client_id"));
            if field(effect, "code").as_deref() != Some("code-1") {
                return json(400, &value!({"error": "invalid_grant"}));
            }
        } else {
            assert_eq!(field(effect, "pre-authorized_code").as_deref(), Some(CODE));
            if field(effect, "tx_code").as_deref() != self.desk.tx_code {
                return json(400, &value!({"error": "invalid_grant"}));
            }
        }
        self.tokens += 1;
        let kind = if self.desk.dpop { "DPoP" } else { "Bearer" };
        let mut token = value!({"access_token": TOKEN, "token_type": kind, "expires_in": 300});
        if self.desk.refills {
            self.refreshes += 1;
            token["refresh_token"] = format!("refresh-{}", self.refreshes).into();
        }
        if let Some(details) = &self.desk.identifiers {
            token["authorization_details"] = details.clone();
        }
        (self.desk.tamper)("/token", &mut token);
        json(200, &token)
    }

    fn credential(&mut self, effect: &Effect, url: &str) -> Outcome {
        let kind = if self.desk.dpop { "DPoP" } else { "Bearer" };
        assert_eq!(header(effect, "authorization"), Some(format!("{kind} {TOKEN}").as_str()));
        if let Some(back) = self.check_dpop(effect, url, Some(TOKEN)) {
            return back;
        }
        if self.desk.refuse_nonces > 0 {
            self.desk.refuse_nonces -= 1;
            return json(400, &value!({"error": "invalid_nonce"}));
        }
        let request = self.read(effect);
        let current = format!("nonce-{}", self.nonces);
        let as_document = request["credential_configuration_id"] == "identity-mdoc";
        let keys = self.keys(&request["proofs"], &current);
        if let Some(shown) = request.get("org.amparo.shown") {
            let shown = self.read_shown(shown.as_str().unwrap(), as_document, &current);
            self.shown.push(shown);
        }
        let mut copies = Vec::new();
        for (n, key) in keys.iter().enumerate() {
            let mut disclosable = self.desk.claims.as_object().unwrap().clone();
            (self.desk.vary)(n, &mut disclosable);
            let status = StatusReference { idx: 17 * n as u64, uri: "https://status.example/1".into() };
            if as_document {
                let elements = mdoc::elements_of(&schemas::mdoc::IDENTITY_DOCUMENT, &disclosable).unwrap();
                let mut draft = mdoc::IssuanceDraft {
                    doc_type: "org.amparo.identity.1".into(),
                    elements,
                    signed_at: NOW.floor_to(Seconds::DAY),
                    valid_from: NOW.floor_to(Seconds::DAY),
                    valid_until: self.desk.expires_at,
                    expected_update: None,
                    status: Some(status),
                    authorizations: credentials::consent::holder_authorizations(),
                    decoys: true,
                };
                (self.desk.redraft)(n, &mut draft);
                let document = mdoc::issue(&draft, &self.party.chain, key, &self.party.key, &mut self.rng).unwrap();
                copies.push(b64::encode(&document));
                continue;
            }
            let bare = (self.desk.bare)(n).iter().filter_map(|name| disclosable.remove_entry(*name));
            let visible: Map<String, Value> = bare.collect();
            let draft = IssuanceDraft {
                vct: self.desk.vct.clone(),
                issuer: None,
                issued_at: NOW.floor_to(Seconds::DAY),
                not_before: None,
                expires_at: self.desk.expires_at,
                status: Some(status),
                visible,
                disclosable,
                nested: Vec::new(),
                decoys: true,
            };
            copies.push(issue(&draft, &self.party.chain, key, &self.party.key, &mut self.rng).unwrap());
        }
        (self.desk.spoil)(&mut copies);
        self.requests.push(request);
        let credentials: Vec<Value> = copies.into_iter().map(|copy| value!({"credential": copy})).collect();
        let mut answer = value!({"credentials": credentials, "notification_id": format!("n-{}", self.requests.len())});
        (self.desk.tamper)("/credential", &mut answer);
        if self.desk.later > 0 {
            self.desk.later -= 1;
            self.waiting = Some(answer);
            return self.reply(202, &value!({"transaction_id": "t-1", "interval": 3600}));
        }
        self.reply(200, &answer)
    }

    /// The keys that are proven or attested, checked as a real issuer does it.
    fn keys(&self, proofs: &Value, current: &str) -> Vec<PublicKey> {
        let attested = |text: &str| {
            let providers = self.desk.key_attesters.as_ref().expect("nobody is told who attests keys without need");
            key_attestation::verify(text, providers, |nonce| nonce == current, NOW).unwrap().keys
        };
        if let Some(alone) = proofs.get("attestation") {
            let [Value::String(text)] = &alone.as_array().unwrap()[..] else { panic!("{alone}") };
            return attested(text);
        }
        let proofs: Vec<&str> = proofs["jwt"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
        let mut keys = Vec::new();
        for text in &proofs {
            if !self.desk.nonce_endpoint {
                let jws = credentials::jws::JwsIn::parse(text, &Limits::TOKEN).unwrap();
                assert!(!jws.payload_object(&Limits::TOKEN).unwrap().contains_key("nonce"));
                keys.push(PublicKey::from_jwk(jws.header().jwk.as_ref().unwrap()).unwrap());
                continue;
            }
            let verified = proof::verify_attested(text, &self.desk.url, |nonce| nonce == current, NOW).unwrap();
            match verified {
                (key, None) => keys.push(key),
                (key, Some(attestation)) => {
                    keys = attested(&attestation);
                    assert!(proofs.len() == 1 && keys.contains(&key));
                }
            }
        }
        keys
    }

    /// What a copy says that is shown, verified as a real issuer does it.
    fn read_shown(&self, text: &str, as_document: bool, nonce: &str) -> Map<String, Value> {
        let anchors = self.party.anchors();
        let policy = ChainPolicy::known_only(&anchors);
        if as_document {
            let endpoint = format!("{}/credential", self.desk.url);
            let transcript = mdoc::SessionTranscript::openid4vp(&self.desk.url, nonce, None, &endpoint);
            let expected = mdoc::Expected::new(policy, &transcript, NOW);
            let shown = mdoc::verify_presented(&b64::decode(text).unwrap(), &expected).unwrap();
            return mdoc::claims_of(&schemas::mdoc::IDENTITY_DOCUMENT, shown.elements());
        }
        let expected = sd_jwt::Expected::new(policy, &self.desk.url, nonce, NOW);
        sd_jwt::verify_presented(text, &expected).unwrap().claims().clone()
    }

    fn deferred(&mut self, effect: &Effect, url: &str) -> Outcome {
        assert_eq!(header(effect, "authorization"), Some(format!("DPoP {TOKEN}").as_str()));
        if let Some(back) = self.check_dpop(effect, url, Some(TOKEN)) {
            return back;
        }
        let request = self.read(effect);
        assert_eq!(request, value!({"transaction_id": "t-1"}));
        let mut answer = match self.waiting.take() {
            None => return json(400, &value!({"error": "invalid_transaction_id"})),
            Some(_) if self.desk.declines => return json(400, &value!({"error": "credential_request_denied"})),
            Some(answer) if self.desk.later > 0 => {
                self.desk.later -= 1;
                self.waiting = Some(answer);
                value!({"transaction_id": "t-1", "interval": 60})
            }
            Some(answer) => answer,
        };
        (self.desk.tamper)("/deferred", &mut answer);
        self.reply(if answer.get("interval").is_some() { 202 } else { 200 }, &answer)
    }

    fn notification(&mut self, effect: &Effect, url: &str) -> Outcome {
        if let Some(back) = self.check_dpop(effect, url, Some(TOKEN)) {
            return back;
        }
        self.notices.push(parse(effect.body(), &Limits::TOKEN).unwrap());
        Outcome::Response(Response { status: 204, headers: Vec::new(), body: Vec::new() })
    }
}
