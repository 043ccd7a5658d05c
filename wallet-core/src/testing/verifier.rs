//! A verifier without a socket, which checks what it receives as a real one must.

use super::{NOW, Party, field, header, json};
use crate::effect::{Effect, Method, Outcome, Response};
use credentials::consent::{AgreedConsent, ProposedConsent, check_grant, check_mdoc_grant};
use credentials::dcql::{Query, presented_leaves};
use credentials::jwe::{ContentEncryption, DecryptionKey};
use credentials::mdoc::{self, PresentedMdoc, SessionTranscript};
use credentials::request_object::{ClientId, sign};
use credentials::sd_jwt::{Expected, PresentedCredential, verify_presented};
use credentials::signer::Signer as _;
use credentials::trust::{ChainPolicy, TrustAnchors, Usage};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use schemas::consent::{CONSENT_REQUEST_TYPE, ConsentRequest, Controller, PurposeRequest};
use schemas::mdoc::{CONSENT_NAME_SPACE, GRANT};
use schemas::openid4vp::{AuthorizationResponse, RequestObject};
use schemas::purpose::Purpose;
use schemas::{ClaimPath, Seconds};
use serde_json::{Value, json as value};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// How the verifier asks. The default asks for two claims of an identity, encrypted, with a consent for a border.
pub(crate) struct Checkpoint {
    pub(crate) dcql: Value,
    pub(crate) encrypted: bool,
    pub(crate) post: bool,
    pub(crate) purpose: Option<Purpose>,
    /// The claims that the purpose speaks of; those of the query when absent.
    pub(crate) explained: Option<Vec<ClaimPath>>,
    pub(crate) retention: Seconds,
    pub(crate) nonce: &'static str,
    pub(crate) redirect: Option<&'static str>,
    pub(crate) signed: Signed,
    /// Changes the request before it is signed.
    pub(crate) tamper: fn(&mut RequestObject),
}

impl Default for Checkpoint {
    fn default() -> Self {
        Self {
            dcql: asking(&["given_name", "nationalities"]),
            encrypted: true,
            post: true,
            purpose: Some(Purpose::BorderEntry),
            explained: None,
            retention: Seconds::HOUR.times(72),
            nonce: "n-0S6_WzA2Mj7kPq3vXyZb",
            redirect: None,
            signed: Signed::Certificate,
            tamper: |_| {},
        }
    }
}

/// By whom the verifier is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signed {
    Certificate,
    /// By a key in its document.
    DidOnTheWeb,
    /// By nobody: the link is the request.
    Nobody,
}

/// A query for these claims of an identity.
pub(crate) fn asking(names: &[&str]) -> Value {
    let claims: Vec<Value> = names.iter().map(|name| value!({"path": [name]})).collect();
    value!({"credentials": [{
        "id": "id", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:amparo:identity:1"]}, "claims": claims,
    }]})
}

/// The verifier and what it received.
pub(crate) struct Verifier {
    pub(crate) party: Party,
    pub(crate) checkpoint: Checkpoint,
    pub(crate) received: Vec<Post>,
    key: DecryptionKey,
}

/// The body of an answer, kept.
pub(crate) struct Post {
    pub(crate) body: Vec<u8>,
}

/// What was verified.
pub(crate) struct Verified {
    pub(crate) credentials: BTreeMap<String, Vec<PresentedCredential>>,
    pub(crate) documents: BTreeMap<String, Vec<PresentedMdoc>>,
    pub(crate) consent: Option<AgreedConsent>,
}

const ANSWER: &str = "https://verifier.example/response";
pub(crate) const STATE: &str = "state-of-this-session";

impl Verifier {
    pub(crate) fn new(checkpoint: Checkpoint) -> Self {
        let mut rng = ChaCha20Rng::from_seed([5; 32]);
        let party = Party::new("Border Post", &["verifier.example"], Usage::Verifier, &mut rng);
        let key = DecryptionKey::generate(&mut rng).unwrap();
        Self { party, checkpoint, received: Vec::new(), key }
    }

    pub(crate) fn client_id(&self) -> String {
        match self.checkpoint.signed {
            Signed::DidOnTheWeb => return "decentralized_identifier:did:web:verifier.example".into(),
            Signed::Nobody => return format!("redirect_uri:{ANSWER}"),
            Signed::Certificate => {}
        }
        ClientId::x509_hash(&Sha256::digest(self.party.chain.leaf()).into()).as_str().to_owned()
    }

    pub(crate) fn link(&self) -> String {
        let mut link = url::Url::parse("openid4vp://").unwrap();
        if self.checkpoint.signed == Signed::Nobody {
            for (name, member) in serde_json::to_value(self.request_object(None)).unwrap().as_object().unwrap() {
                link.query_pairs_mut()
                    .append_pair(name, &member.as_str().map_or_else(|| member.to_string(), str::to_owned));
            }
            return link.to_string();
        }
        link.query_pairs_mut()
            .append_pair("client_id", &self.client_id())
            .append_pair("request_uri", &format!("https://verifier.example/request/{}", self.checkpoint.nonce));
        if self.checkpoint.post {
            link.query_pairs_mut().append_pair("request_uri_method", "post");
        }
        link.to_string()
    }

    pub(crate) fn query(&self) -> Query {
        Query::parse(self.checkpoint.dcql.to_string().as_bytes()).unwrap()
    }

    pub(crate) fn proposal(&self) -> Option<ProposedConsent> {
        let query = self.query();
        let request = ConsentRequest {
            type_: CONSENT_REQUEST_TYPE.into(),
            credential_ids: query.credentials().iter().map(|credential| credential.id.clone()).collect(),
            transaction_data_hashes_alg: Some(vec!["sha-256".into()]),
            controller: Controller { client_id: self.client_id(), name: "Border\u{202e} Post".into(), contact: None },
            purposes: vec![PurposeRequest {
                code: self.checkpoint.purpose?,
                dpv: None,
                claims: self.checkpoint.explained.clone().unwrap_or_else(|| query.asked_paths()),
                necessity: None,
            }],
            retention: self.checkpoint.retention.iso8601(),
            onward: vec![],
            not_after: NOW.plus(Seconds::new(300)),
            lang: None,
        };
        Some(ProposedConsent::write(&request).unwrap())
    }

    /// The document with the verifier's key.
    pub(crate) fn document(&self) -> Value {
        let did = "did:web:verifier.example";
        let jwk = self.party.key.public_key().to_jwk();
        let method = value!({"id": "#k1", "type": "JsonWebKey", "controller": did, "publicKeyJwk": jwk});
        value!({"id": did, "verificationMethod": [method], "authentication": ["#k1"]})
    }

    pub(crate) fn request(&self, wallet_nonce: Option<String>) -> String {
        let request = self.request_object(wallet_nonce);
        if self.checkpoint.signed == Signed::DidOnTheWeb {
            let header = value!({"alg": "ES256", "typ": "oauth-authz-req+jwt", "kid": "#k1"});
            let payload = serde_json::to_value(&request).unwrap();
            return credentials::jws::sign_object(
                header.as_object().unwrap(),
                payload.as_object().unwrap(),
                &self.party.key,
            )
            .unwrap();
        }
        sign(&request, &self.party.chain, &self.party.key).unwrap()
    }

    fn request_object(&self, wallet_nonce: Option<String>) -> RequestObject {
        let mut jwk = self.key.public_key().to_jwk();
        jwk.extend([("alg".into(), "ECDH-ES".into()), ("kid".into(), "k1".into()), ("use".into(), "enc".into())]);
        let mut metadata = value!({"vp_formats_supported": {
            "dc+sd-jwt": {"kb-jwt_alg_values": ["ES256"]}, "mso_mdoc": {"deviceauth_alg_values": [-9]},
        }});
        if self.checkpoint.encrypted {
            metadata["jwks"] = value!({"keys": [jwk]});
            metadata["encrypted_response_enc_values_supported"] = value!(["A128GCM", "A256GCM"]);
        }
        let mut request: RequestObject = serde_json::from_value(value!({
            "client_id": self.client_id(), "aud": "https://self-issued.me/v2", "response_type": "vp_token",
            "response_mode": if self.checkpoint.encrypted { "direct_post.jwt" } else { "direct_post" },
            "response_uri": ANSWER, "nonce": self.checkpoint.nonce, "state": STATE,
            "dcql_query": self.checkpoint.dcql, "client_metadata": metadata, "wallet_nonce": wallet_nonce,
            "transaction_data": self.proposal().map(|proposal| vec![proposal.raw().to_owned()]),
            "exp": NOW.plus(Seconds::new(300)),
        }))
        .unwrap();
        (self.checkpoint.tamper)(&mut request);
        request
    }

    pub(crate) fn answer(&mut self, effect: &Effect) -> Outcome {
        assert_eq!(effect.url().host_str(), Some("verifier.example"), "nobody else is ever asked");
        if effect.url().path().starts_with("/request/") {
            assert_eq!(effect.method(), if self.checkpoint.post { Method::Post } else { Method::Get });
            assert_eq!(header(effect, "accept"), Some("application/oauth-authz-req+jwt"));
            let body = format!("{}\n", self.request(field(effect, "wallet_nonce"))).into_bytes();
            return Outcome::Response(Response { status: 200, headers: Vec::new(), body });
        }
        if effect.url().path() == "/.well-known/did.json" {
            assert_eq!(effect.max_body(), credentials::did::DidDocument::LONGEST);
            return json(200, &self.document());
        }
        assert_eq!(effect.url().path(), "/response");
        self.received.push(Post { body: effect.body().to_vec() });
        json(200, &self.checkpoint.redirect.map_or(value!({}), |uri| value!({"redirect_uri": uri})))
    }

    /// The error code received last.
    pub(crate) fn error(&self) -> Option<String> {
        form(&self.received.last()?.body).get("error").cloned()
    }

    /// The answer received last, verified as `docs/checks.md` asks.
    pub(crate) fn verified(&self, issuers: &TrustAnchors) -> Verified {
        let form = form(&self.received.last().unwrap().body);
        let (vp_token, state) = match form.get("response") {
            Some(jwe) => {
                let plain = self.key.decrypt(jwe, &ContentEncryption::ALL).unwrap();
                let AuthorizationResponse { vp_token, state } = serde_json::from_slice(&plain).unwrap();
                (vp_token, state)
            }
            None => (serde_json::from_str(&form["vp_token"]).unwrap(), form.get("state").cloned()),
        };
        assert_eq!(form.contains_key("response"), self.checkpoint.encrypted);
        assert_eq!(state.as_deref(), Some(STATE));
        let client_id = self.client_id();
        let expected = Expected::new(ChainPolicy::known_only(issuers), &client_id, self.checkpoint.nonce, NOW);
        let verify = |text: &Value| verify_presented(text.as_str().unwrap(), &expected).unwrap();
        let query = self.query();
        let is_document = |id: &String| query.credential(id).unwrap().format == mdoc::FORMAT;
        let (documents, credentials): (Vec<_>, Vec<_>) = vp_token.into_iter().partition(|(id, _)| is_document(id));
        let credentials: BTreeMap<String, Vec<PresentedCredential>> =
            credentials.into_iter().map(|(id, texts)| (id, texts.iter().map(verify).collect())).collect();
        let thumbprint = self.checkpoint.encrypted.then(|| self.key.public_key().thumbprint());
        let session = SessionTranscript::openid4vp(&client_id, self.checkpoint.nonce, thumbprint.as_ref(), ANSWER);
        let expected = mdoc::Expected::new(ChainPolicy::known_only(issuers), &session, NOW);
        let verify = |text: &Value| {
            mdoc::verify_presented(&credentials::b64::decode(text.as_str().unwrap()).unwrap(), &expected).unwrap()
        };
        let documents: BTreeMap<String, Vec<PresentedMdoc>> =
            documents.into_iter().map(|(id, texts)| (id, texts.iter().map(verify).collect())).collect();
        let in_documents = documents.values().flatten().flat_map(PresentedMdoc::disclosed_paths);
        let disclosed: Vec<ClaimPath> =
            credentials.values().flatten().flat_map(presented_leaves).chain(in_documents).collect();
        let signed: Vec<&PresentedCredential> =
            credentials.values().flatten().filter(|presented| presented.key_binding().consent().is_some()).collect();
        let grant = |presented: &&PresentedMdoc| presented.own_elements().get(CONSENT_NAME_SPACE, GRANT).is_some();
        let signed_documents: Vec<&PresentedMdoc> = documents.values().flatten().filter(grant).collect();
        let consent = self.proposal().map(|proposal| match (&signed[..], &signed_documents[..]) {
            ([presented], []) => {
                check_grant(presented.key_binding(), &proposal, &client_id, &disclosed, NOW, NOW).unwrap()
            }
            ([], [document]) => check_mdoc_grant(document, &proposal, &client_id, &disclosed, NOW, NOW).unwrap(),
            _ => panic!("one presentation signs the consent"),
        });
        let signed = signed.len() + signed_documents.len();
        assert!(consent.is_some() || signed == 0, "no consent where none was proposed");
        Verified { credentials, documents, consent }
    }
}

fn form(body: &[u8]) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(body).into_owned().collect()
}
