//! Requests of verifiers that are who they say, and of those that are not.

mod dc_api;
mod unsigned;

use super::*;
use crate::dcql::FORMAT;
use crate::signer::SoftwareKey;
use crate::testing::{Authority, NOW, key, rng};
use crate::trust::{Trust, TrustAnchors, Usage};
use proptest::prelude::*;
use schemas::Seconds;
use schemas::consent::CONSENT_REQUEST_TYPE;
use serde_json::json;

const HOST: &str = "border.example";
const SAN: &str = "x509_san_dns:border.example";

/// A verifier with a certificate for [`HOST`].
struct Verifier {
    authority: Authority,
    chain: CertificateChain,
    key: SoftwareKey,
}

impl Verifier {
    fn new() -> Self {
        Self::under("Anchor")
    }

    fn under(anchor: &str) -> Self {
        let authority = Authority::new(anchor);
        let (chain, key) = authority.leaf(Usage::Verifier, &[HOST], 1);
        Self { authority, chain, key }
    }

    fn hash_id(&self) -> String {
        let verified = self.chain.verify(&self.authority.anchors(), Usage::Verifier, NOW).unwrap();
        ClientId::x509_hash(&verified.leaf_sha256()).to_string()
    }

    fn sign(&self, payload: &Value) -> String {
        let header = json!({"alg": "ES256", "typ": REQUEST_OBJECT_TYP, "x5c": self.chain.to_x5c()});
        jws::sign_object(header.as_object().unwrap(), payload.as_object().unwrap(), &self.key).unwrap()
    }

    fn read(&self, payload: &Value) -> Result<AuthenticatedRequest, RequestObjectError> {
        let client_id = payload["client_id"].as_str().unwrap_or_default();
        self.read_as(payload, client_id, None)
    }

    fn read_as(
        &self,
        payload: &Value,
        client_id: &str,
        wallet_nonce: Option<&str>,
    ) -> Result<AuthenticatedRequest, RequestObjectError> {
        let text = self.sign(payload);
        RequestObjectIn::parse(&text)?.authenticate(client_id, &self.authority.anchors(), NOW, wallet_nonce)
    }
}

fn payload() -> Value {
    json!({
        "client_id": SAN,
        "aud": "https://self-issued.me/v2",
        "response_type": "vp_token",
        "response_mode": "direct_post",
        "response_uri": "https://border.example/answer/1",
        "nonce": "0HZ_wFv2mKcR7tYxPq3dLg",
        "state": "9f86d081884c7d65",
        "dcql_query": {"credentials": [{"id": "sx", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:amparo:identity:1"]},
                                        "claims": [{"path": ["given_name"]}]}]},
        "client_metadata": {"vp_formats_supported": {"dc+sd-jwt": {"sd-jwt_alg_values": ["ES256"]}}},
        "iat": NOW,
        "exp": NOW.plus(Seconds::MINUTE),
    })
}

fn with(member: &str, value: Value) -> Value {
    let mut payload = payload();
    payload[member] = value;
    payload
}

fn without(member: &str) -> Value {
    let mut payload = payload();
    payload.as_object_mut().unwrap().remove(member);
    payload
}

fn consent_request(client_id: &str) -> Value {
    json!({
        "type": CONSENT_REQUEST_TYPE, "credential_ids": ["sx"], "controller": {"client_id": client_id, "name": "Border"},
        "purposes": [{"code": "amparo:border-entry", "claims": [["given_name"]]}], "retention": "PT1H",
        "not_after": NOW.plus(Seconds::MINUTE),
    })
}

fn transaction_data(value: &Value) -> String {
    crate::b64::encode(value.to_string().as_bytes())
}

#[test]
fn request_01_a_request_is_authenticated_by_name_and_by_hash() {
    let verifier = Verifier::new();
    let request = verifier.read(&payload()).unwrap();
    assert_eq!(request.client_id().as_str(), SAN);
    assert_eq!(request.verifier().unwrap().trust(), Trust::Known);
    assert_eq!(request.response_uri().as_str(), "https://border.example/answer/1");
    assert!(request.consent().is_none() && request.recipient().is_none());
    assert_eq!(request.query().credentials().len(), 1);

    let hash = verifier.hash_id();
    // The hash names a certificate, not a host.
    let mut elsewhere = with("response_uri", json!("https://answers.example/1"));
    elsewhere["client_id"] = json!(hash);
    let request = verifier.read(&elsewhere).unwrap();
    assert_eq!((request.client_id().as_str(), request.client_id().host()), (hash.as_str(), None));

    // What our own verifier signs, and a request without what is optional.
    let text = sign(request.request(), &verifier.chain, &verifier.key).unwrap();
    let again = RequestObjectIn::parse(&text).unwrap().authenticate(&hash, &verifier.authority.anchors(), NOW, None);
    assert_eq!(again.unwrap().request(), request.request());
    for member in ["aud", "state", "client_metadata", "iat", "exp"] {
        assert!(verifier.read(&without(member)).is_ok(), "{member}");
    }
    assert!(verifier.read(&with("iss", json!("https://somebody.example"))).is_ok());
    assert!(verifier.read(&with("future", json!({"x": 1}))).is_ok());
}

#[test]
fn request_02_a_stranger_is_let_through_as_one() {
    let verifier = Verifier::new();
    let text = verifier.sign(&payload());
    let request = RequestObjectIn::parse(&text).unwrap().authenticate(SAN, &TrustAnchors::default(), NOW, None);
    assert_eq!(request.unwrap().verifier().unwrap().trust(), Trust::NotKnown);
}

#[test]
fn attack_40_a_key_that_is_not_the_clients_is_refused() {
    let verifier = Verifier::new();
    let anchors = verifier.authority.anchors();
    // The client's certificate over the signature of another key.
    let forged = Verifier { key: key(9), ..Verifier::new() };
    assert_eq!(forged.read(&payload()).unwrap_err(), RequestObjectError::Signature);
    // Another certificate of the same authority, for another name.
    let (chain, key) = verifier.authority.leaf(Usage::Verifier, &["other.example"], 2);
    let other = Verifier { authority: Authority::new("Anchor"), chain, key };
    let text = other.sign(&payload());
    let read = |text: &str, id: &str| RequestObjectIn::parse(text).unwrap().authenticate(id, &anchors, NOW, None);
    assert_eq!(read(&text, SAN).unwrap_err(), RequestObjectError::OtherCertificate);
    let hash = verifier.hash_id();
    let mut by_hash = payload();
    by_hash["client_id"] = json!(hash);
    assert_eq!(read(&other.sign(&by_hash), &hash).unwrap_err(), RequestObjectError::OtherCertificate);
    // A certificate for something else, and none at all.
    let (chain, key) = verifier.authority.leaf(Usage::CredentialIssuing, &[HOST], 3);
    let issuer = Verifier { authority: Authority::new("Anchor"), chain, key };
    assert!(matches!(read(&issuer.sign(&payload()), SAN).unwrap_err(), RequestObjectError::Chain(_)));
    let header = json!({"alg": "ES256", "typ": REQUEST_OBJECT_TYP});
    let bare = jws::sign_object(header.as_object().unwrap(), payload().as_object().unwrap(), &verifier.key).unwrap();
    assert_eq!(read(&bare, SAN).unwrap_err(), RequestObjectError::NoChain);
    // A wildcard stands for itself only.
    let (chain, key) = verifier.authority.leaf(Usage::Verifier, &["*.example"], 4);
    let wildcard = Verifier { authority: Authority::new("Anchor"), chain, key };
    assert_eq!(read(&wildcard.sign(&payload()), SAN).unwrap_err(), RequestObjectError::OtherCertificate);
}

#[test]
fn attack_40_the_whole_client_identifier_is_compared() {
    let verifier = Verifier::new();
    for link in [HOST, "x509_hash:border.example", "x509_san_dns:Border.example", "x509_san_dns:border.example.", ""] {
        assert_eq!(verifier.read_as(&payload(), link, None).unwrap_err(), RequestObjectError::OtherClient, "{link}");
    }
    let refused = |id: &str| match verifier.read(&with("client_id", json!(id))).unwrap_err() {
        RequestObjectError::ClientId(error) => error,
        other => panic!("{other}"),
    };
    assert_eq!(refused(HOST), ClientIdError::NoPrefix);
    assert_eq!(refused("redirect_uri:https://border.example/answer/1"), ClientIdError::NeverSigned("redirect_uri"));
    assert_eq!(refused("origin:https://border.example"), ClientIdError::NeverSigned("origin"));
    let did = refused("decentralized_identifier:did:example:1");
    assert_eq!(did, ClientIdError::Did(crate::did::DidError::Method));
    assert_eq!(refused("verifier_attestation:"), ClientIdError::Malformed);
    for id in ["openid_federation:https://border.example", "X509_SAN_DNS:border.example", "https://border.example"] {
        assert_eq!(refused(id), ClientIdError::Unsupported, "{id}");
    }
    let long_label = format!("x509_san_dns:{}.example", "a".repeat(64));
    for id in [
        "x509_san_dns:",
        "x509_san_dns:a..example",
        "x509_san_dns:127.0.0.1",
        "x509_san_dns:[::1]",
        "x509_san_dns:a/b",
        "x509_san_dns:*.example",
        "x509_san_dns:-a.example",
        "x509_hash:",
        "x509_hash:AAAA",
        "x509_hash:x509_hash:AAAA",
        long_label.as_str(),
    ] {
        assert_eq!(refused(id), ClientIdError::Malformed, "{id}");
    }
    let unknown = ClientId::x509_hash(&[7; 32]).to_string();
    assert_eq!(verifier.read(&with("client_id", json!(unknown))).unwrap_err(), RequestObjectError::OtherCertificate);
}

#[test]
fn attack_41_answers_go_to_the_client_only() {
    let verifier = Verifier::new();
    let refused = |uri: &str| verifier.read(&with("response_uri", json!(uri))).unwrap_err();
    for uri in [
        "https://other.example/1",
        "https://border.example.other.example/1",
        "https://sub.border.example/1",
        "https://127.0.0.1/1",
        "http://localhost/1",
        "https://borderexample/1",
    ] {
        assert_eq!(refused(uri), RequestObjectError::ResponseHost, "{uri}");
    }
    for uri in [
        "http://border.example/1",
        "ftp://border.example/1",
        "https://border.example@other.example/1",
        "https://user@border.example/1",
        "https://border.example/1#x",
        "border.example/1",
        "",
        "javascript:1",
        "http://10.0.0.1/1",
        "http://localhost.example/1",
    ] {
        assert_eq!(refused(uri), RequestObjectError::ResponseUri, "{uri}");
    }
    assert_eq!(verifier.read(&without("response_uri")).unwrap_err(), RequestObjectError::ResponseUri);
    for uri in ["https://BORDER.example/1", "https://border.example:8443/1"] {
        assert!(verifier.read(&with("response_uri", json!(uri))).is_ok(), "{uri}");
    }
    // On this very machine plain http may do; whether it does is for the HTTP client to say.
    for uri in ["http://127.0.0.1:8080/1", "http://[::1]:8080/1", "http://localhost:8080/1"] {
        let mut local = with("response_uri", json!(uri));
        local["client_id"] = json!(verifier.hash_id());
        assert!(verifier.read(&local).is_ok(), "{uri}");
    }
}

#[test]
fn request_03_a_redirect_uri_beside_direct_post_is_refused() {
    let verifier = Verifier::new();
    let refused = verifier.read(&with("redirect_uri", json!("https://border.example/back"))).unwrap_err();
    assert_eq!((refused.code(), refused), (Some("invalid_request"), RequestObjectError::RedirectUri));
}

#[test]
fn request_04_other_types_modes_and_queries_are_refused() {
    let verifier = Verifier::new();
    let refused = |payload: Value| verifier.read(&payload).unwrap_err();
    assert_eq!(refused(with("response_type", json!("vp_token id_token"))), RequestObjectError::ResponseType);
    for mode in ["fragment", "query", "dc_api", "direct_post.JWT", ""] {
        assert_eq!(refused(with("response_mode", json!(mode))), RequestObjectError::ResponseMode);
    }
    assert_eq!(refused(without("dcql_query")), RequestObjectError::NoQuery);
    assert_eq!(refused(with("scope", json!("openid"))), RequestObjectError::NoQuery);
    assert!(matches!(refused(with("dcql_query", json!({"credentials": []}))), RequestObjectError::Query(_)));
    assert_eq!(refused(with("dcql_query", json!([]))), RequestObjectError::Malformed);
    for member in ["client_id", "response_type", "response_mode", "nonce"] {
        assert_eq!(refused(without(member)), RequestObjectError::Malformed, "{member}");
    }
    for formats in [
        json!({"ldp_vc": {}}),
        json!({"mso_mdoc": {"deviceauth_alg_values": [-65537]}}),
        json!({"mso_mdoc": {"issuerauth_alg_values": [-35]}}),
        json!({"dc+sd-jwt": {"sd-jwt_alg_values": ["ES512"]}}),
        json!({"dc+sd-jwt": {"kb-jwt_alg_values": ["EdDSA"]}}),
    ] {
        let refused = refused(with("client_metadata", json!({"vp_formats_supported": formats})));
        assert_eq!(refused.code(), Some("vp_formats_not_supported"));
    }
    for (formats, sd_jwt, document) in [
        (json!({"dc+sd-jwt": {}}), true, false),
        (json!({"mso_mdoc": {}}), false, true),
        (json!({"mso_mdoc": {"issuerauth_alg_values": [-7], "deviceauth_alg_values": [-65537, -9]}}), false, true),
        (
            json!({"mso_mdoc": {"deviceauth_alg_values": [-65537]}, "dc+sd-jwt": {"kb-jwt_alg_values": ["ES256"]}}),
            true,
            false,
        ),
        (json!({}), true, true),
    ] {
        let request = with("client_metadata", json!({"vp_formats_supported": formats}));
        let request = verifier.read(&request).unwrap();
        assert_eq!((request.takes(FORMAT), request.takes(crate::mdoc::FORMAT)), (sd_jwt, document), "{formats}");
    }
    // What an issuer signed by another algorithm is for verifiers that name it, or name none.
    use crate::algorithm::SignatureAlgorithm::{Ed25519, Es256, Es384};
    for (formats, taken) in [
        (json!({}), [true, true, true]),
        (json!({"dc+sd-jwt": {}}), [true, true, true]),
        (json!({"dc+sd-jwt": {"sd-jwt_alg_values": ["ES256"]}}), [true, false, false]),
        (json!({"dc+sd-jwt": {"sd-jwt_alg_values": ["ES384", "ES512"]}}), [false, true, false]),
        (json!({"dc+sd-jwt": {"sd-jwt_alg_values": ["Ed25519", "ES256"]}}), [true, false, true]),
    ] {
        let request = with("client_metadata", json!({"vp_formats_supported": formats}));
        let request = verifier.read(&request).unwrap();
        assert_eq!([Es256, Es384, Ed25519].map(|algorithm| request.takes_signed_by(algorithm)), taken, "{formats}");
    }
}

#[test]
fn request_05_a_nonce_must_be_able_to_be_fresh() {
    let verifier = Verifier::new();
    for nonce in [
        "",
        "n-0S6_WzA2Mj",
        "0HZ_wFv2mKcR7tYxPq3dL",
        "AAAAAAAAAAAAAAAAAAAAAA",
        "abababababababababababab",
        "0HZ+wFv2mKcR7tYxPq3dLg",
        "0HZ wFv2mKcR7tYxPq3dLg",
        "0HZ\u{e9}wFv2mKcR7tYxPq3dLg",
    ] {
        assert_eq!(verifier.read(&with("nonce", json!(nonce))).unwrap_err(), RequestObjectError::Nonce, "{nonce}");
    }
    let too_long = "0123456789abcdef".repeat(33);
    assert_eq!(verifier.read(&with("nonce", json!(too_long))).unwrap_err(), RequestObjectError::Nonce);
    for nonce in ["9f86d081884c7d659a2feaa0c55ad015", "123e4567-e89b-12d3-a456-426614174000", "0HZ.wFv2~KcR7tYxPq3dLg"]
    {
        assert!(verifier.read(&with("nonce", json!(nonce))).is_ok(), "{nonce}");
    }
    assert_eq!(verifier.read(&with("nonce", json!(1))).unwrap_err(), RequestObjectError::Malformed);
    assert_eq!(verifier.read(&with("state", json!("a b"))).unwrap_err(), RequestObjectError::State);
}

#[test]
fn request_06_the_wallets_nonce_must_come_back() {
    let verifier = Verifier::new();
    let read = |payload: Value| verifier.read_as(&payload, SAN, Some("qPmxiNFCR3QTm19POc8u"));
    assert!(read(with("wallet_nonce", json!("qPmxiNFCR3QTm19POc8u"))).is_ok());
    for payload in [payload(), with("wallet_nonce", json!("QPMXINFCR3QTM19POC8U")), with("wallet_nonce", json!(""))] {
        assert_eq!(read(payload).unwrap_err(), RequestObjectError::WalletNonce);
    }
    // One that was not asked for is of no account.
    assert!(verifier.read(&with("wallet_nonce", json!("x"))).is_ok());
}

#[test]
fn request_07_a_request_of_another_time_or_audience_is_refused() {
    let verifier = Verifier::new();
    let refused = |member, value| verifier.read(&with(member, value)).unwrap_err();
    for exp in [NOW, NOW.minus(Seconds::HOUR)] {
        assert_eq!(refused("exp", json!(exp)), RequestObjectError::Ended { ended: exp });
    }
    let later = NOW.plus(Seconds::new(61));
    assert_eq!(refused("iat", json!(later)), RequestObjectError::IssuedLater { issued_at: later });
    assert!(verifier.read(&with("iat", json!(NOW.plus(Seconds::MINUTE)))).is_ok());
    assert_eq!(refused("aud", json!("https://other.example")), RequestObjectError::Audience);
    for (member, value) in [("aud", json!(["https://self-issued.me/v2"])), ("exp", json!("soon")), ("iat", json!(1.5))]
    {
        assert_eq!(refused(member, value), RequestObjectError::Malformed);
    }
}

#[test]
fn request_08_another_type_of_token_is_refused() {
    let verifier = Verifier::new();
    for header in [
        json!({"alg": "ES256", "x5c": verifier.chain.to_x5c()}),
        json!({"alg": "ES256", "typ": "JWT", "x5c": verifier.chain.to_x5c()}),
        json!({"alg": "ES256", "typ": "kb+jwt", "x5c": verifier.chain.to_x5c()}),
    ] {
        let text =
            jws::sign_object(header.as_object().unwrap(), payload().as_object().unwrap(), &verifier.key).unwrap();
        assert_eq!(RequestObjectIn::parse(&text).unwrap_err(), RequestObjectError::WrongType);
    }
    for text in ["", "a.b.c", "eyJhbGciOiJub25lIn0.e30."] {
        assert!(matches!(RequestObjectIn::parse(text).unwrap_err(), RequestObjectError::Jws(_)));
    }
}

#[test]
fn request_09_an_encrypted_answer_needs_a_usable_key() {
    let verifier = Verifier::new();
    let key = crate::jwe::DecryptionKey::generate(&mut rng(5)).unwrap();
    let encrypted = |keys: Value, encs: Value| {
        let mut payload = with("response_mode", json!("direct_post.jwt"));
        payload["client_metadata"] = json!({"jwks": {"keys": keys}, "encrypted_response_enc_values_supported": encs});
        verifier.read(&payload)
    };
    let jwk = key.to_public_jwk("1");
    let request = encrypted(json!([jwk]), json!(["A128GCM", "A256GCM"])).unwrap();
    assert_eq!(request.recipient().unwrap().key(), key.public_key());
    for (keys, encs) in [
        (json!([]), json!(["A128GCM"])),
        (json!([jwk]), json!(["A128CBC-HS256"])),
        (json!([{"kty": "RSA"}]), json!(["A128GCM"])),
    ] {
        let refused = encrypted(keys, encs).unwrap_err();
        assert!(matches!(refused, RequestObjectError::Recipient(_)) && refused.code() == Some("invalid_request"));
    }
    let mut nothing = with("response_mode", json!("direct_post.jwt"));
    nothing.as_object_mut().unwrap().remove("client_metadata");
    assert!(matches!(verifier.read(&nothing).unwrap_err(), RequestObjectError::Recipient(_)));
}

#[test]
fn attack_46_transaction_data_not_understood_spoil_the_request() {
    let verifier = Verifier::new();
    let read = |entries: Value| verifier.read(&with("transaction_data", entries));
    let good = transaction_data(&consent_request(SAN));
    let request = read(json!([good])).unwrap();
    assert_eq!(request.consent().unwrap().raw(), good);
    let unknown = transaction_data(&json!({"type": "payment", "credential_ids": ["sx"]}));
    let other_controller = transaction_data(&consent_request("x509_san_dns:other.example"));
    let mut other_credential = consent_request(SAN);
    other_credential["credential_ids"] = json!(["sy"]);
    let mut ended = consent_request(SAN);
    ended["not_after"] = json!(NOW);
    for entries in [
        json!([]),
        json!([unknown]),
        json!([good, unknown]),
        json!([good, good]),
        json!([other_controller]),
        json!([transaction_data(&other_credential)]),
        json!([transaction_data(&ended)]),
    ] {
        let refused = read(entries.clone()).unwrap_err();
        assert_eq!(refused.code(), Some("invalid_transaction_data"), "{entries}: {refused}");
    }
    assert_eq!(read(json!("x")).unwrap_err(), RequestObjectError::Malformed);
}

#[test]
fn request_10_nobody_is_answered_whom_nobody_knows() {
    let verifier = Verifier::new();
    for refused in [
        verifier.read_as(&payload(), "", None).unwrap_err(),
        verifier.read(&with("response_uri", json!("https://other.example"))).unwrap_err(),
        Verifier { key: key(9), ..Verifier::new() }.read(&payload()).unwrap_err(),
        verifier.read(&with("exp", json!(NOW))).unwrap_err(),
    ] {
        assert_eq!(refused.code(), None, "{refused}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,200}") {
        prop_assert!(RequestObjectIn::parse(&text).is_err());
        let _ = ClientId::parse(&text);
    }

    #[test]
    fn a_client_identifier_is_written_as_it_was_read(name in "[a-z]{1,8}(\\.[a-z]{1,8}){0,3}", hash in any::<[u8; 32]>()) {
        let id = ClientId::x509_san_dns(&name).unwrap();
        prop_assert_eq!(ClientId::parse(&id.to_string()).unwrap(), id);
        let id = ClientId::x509_hash(&hash);
        prop_assert_eq!(ClientId::parse(&id.to_string()).unwrap(), id);
    }
}

/// Signs with a header of one's own.
fn signed_by(key: &SoftwareKey, payload: &Value, more: Value) -> String {
    let mut header = json!({"alg": "ES256", "typ": REQUEST_OBJECT_TYP});
    header.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    jws::sign_object(header.as_object().unwrap(), payload.as_object().unwrap(), key).unwrap()
}

fn authenticated(
    text: &str,
    client_id: &str,
    anchors: &TrustAnchors,
) -> Result<AuthenticatedRequest, RequestObjectError> {
    RequestObjectIn::parse(text)?.authenticate(client_id, anchors, NOW, None)
}

#[test]
fn request_11_a_did_that_is_its_own_key_signs_for_itself_and_is_a_stranger() {
    let (own, other) = (key(11), key(12));
    let jwk = serde_json::to_vec(&own.public_key().to_jwk()).unwrap();
    let did = format!("did:jwk:{}", crate::b64::encode(&jwk));
    let client_id = format!("decentralized_identifier:{did}");
    let payload = with("client_id", json!(client_id));
    let verifier = Verifier::new();
    let anchors = verifier.authority.anchors();
    for kid in [format!("{did}#0"), "#0".to_owned()] {
        let text = signed_by(&own, &payload, json!({"kid": kid}));
        let request = authenticated(&text, &client_id, &anchors).unwrap();
        assert_eq!(
            (request.client_id().as_str(), request.verifier().unwrap().trust()),
            (client_id.as_str(), Trust::NotKnown)
        );
        assert_eq!((request.verifier().unwrap().subject(), request.client_id().host()), (did.as_str(), None));
    }
    for (text, error) in [
        (signed_by(&other, &payload, json!({"kid": "#0"})), RequestObjectError::Signature),
        (signed_by(&own, &payload, json!({})), RequestObjectError::NoKey),
        (signed_by(&own, &payload, json!({"kid": "#1"})), RequestObjectError::NoKey),
        // A certificate, however good, is not the identifier's key.
        (
            signed_by(&verifier.key, &payload, json!({"kid": "#0", "x5c": verifier.chain.to_x5c()})),
            RequestObjectError::Signature,
        ),
    ] {
        assert_eq!(authenticated(&text, &client_id, &anchors).unwrap_err(), error);
        assert_eq!(error.code(), None, "nobody is known to have asked");
    }
}

#[test]
fn request_13_a_did_on_the_web_signs_with_a_key_of_its_document() {
    let (own, other) = (key(11), key(12));
    let did = "did:web:border.example";
    let client_id = format!("decentralized_identifier:{did}");
    let payload = with("client_id", json!(client_id));
    let document = |listed: &str| {
        let method =
            json!({"id": "#k1", "type": "JsonWebKey", "controller": did, "publicKeyJwk": own.public_key().to_jwk()});
        let document = json!({"id": did, "verificationMethod": [method], listed: ["#k1"]});
        crate::did::DidDocument::parse(document.to_string().as_bytes(), did).unwrap()
    };
    let read = |signer: &SoftwareKey, kid: &str, document: Option<crate::did::DidDocument>| {
        let text = signed_by(signer, &payload, json!({"kid": kid}));
        let request = RequestObjectIn::parse(&text)?;
        assert_eq!(request.client_id(), client_id);
        let request = document.into_iter().fold(request, RequestObjectIn::with_document);
        request.authenticate(&client_id, &TrustAnchors::default(), NOW, None)
    };
    for listed in ["authentication", "assertionMethod"] {
        let request = read(&own, "#k1", Some(document(listed))).unwrap();
        // A host that publishes a key is a name for it, and nobody vouches for that.
        let verifier = request.verifier().unwrap();
        assert_eq!((verifier.subject(), verifier.trust()), (did, Trust::NotKnown));
    }
    for (signer, kid, document, error) in [
        (&other, "#k1", Some(document("authentication")), RequestObjectError::Signature),
        (&own, "#k2", Some(document("authentication")), RequestObjectError::NoKey),
        (&own, "#k1", Some(document("keyAgreement")), RequestObjectError::NoKey),
        (&own, "did:web:other.example#k1", Some(document("authentication")), RequestObjectError::NoKey),
        (&own, "#k1", None, RequestObjectError::NoKey),
    ] {
        let refused = read(signer, kid, document).unwrap_err();
        assert_eq!((refused.code(), refused), (None, error), "nobody is known to have asked");
    }
}

#[test]
fn request_12_an_attestation_counts_by_a_key_that_was_made_to_attest() {
    let authority = Authority::new("Anchor");
    let (chain, attester) = authority.leaf(Usage::VerifierAttesting, &["attester.example"], 21);
    let (own, other) = (key(22), key(23));
    let client_id = "verifier_attestation:border";
    let claims = json!({
        "iss": "https://attester.example", "sub": "border", "iat": NOW, "exp": NOW.plus(Seconds::HOUR),
        "cnf": {"jwk": own.public_key().to_jwk()},
    });
    let attest = |claims: &Value, chain: &CertificateChain, key: &SoftwareKey, typ: &str| {
        let header = json!({"alg": "ES256", "typ": typ, "x5c": chain.to_x5c()});
        jws::sign_object(header.as_object().unwrap(), claims.as_object().unwrap(), key).unwrap()
    };
    let typ = "verifier-attestation+jwt";
    let payload = with("client_id", json!(client_id));
    let anchors = authority.anchors();
    let ask = |jwt: &str, key: &SoftwareKey| {
        authenticated(&signed_by(key, &payload, json!({"jwt": jwt})), client_id, &anchors)
    };
    let good = attest(&claims, &chain, &attester, typ);
    let request = ask(&good, &own).unwrap();
    assert_eq!((request.verifier().unwrap().subject(), request.verifier().unwrap().trust()), ("border", Trust::Known));
    assert_eq!(request.client_id().as_str(), client_id);
    assert_eq!(ask(&good, &other).unwrap_err(), RequestObjectError::Signature, "another key than the attested one");

    let changed = |member: &str, value: Value| {
        let mut claims = claims.clone();
        claims[member] = value;
        ask(&attest(&claims, &chain, &attester, typ), &own)
    };
    for (member, value) in [
        ("sub", json!("verifier_attestation:border")),
        ("sub", json!("Border")),
        ("iss", json!("https://other.example")),
        ("exp", json!(NOW)),
        ("exp", json!(null)),
        ("nbf", json!(NOW.plus(Seconds::new(1)))),
        ("cnf", json!({"jkt": "x"})),
        ("redirect_uris", json!("https://border.example/answer/1")),
    ] {
        let refused = changed(member, value.clone()).unwrap_err();
        assert!(matches!(refused, RequestObjectError::Attestation(_)), "{member} {value}: {refused}");
    }
    let place = json!(["https://border.example/answer/1"]);
    assert!(changed("redirect_uris", place).is_ok());
    let elsewhere = json!(["https://border.example/answer/", "https://border.example/answer/12"]);
    assert_eq!(changed("redirect_uris", elsewhere).unwrap_err(), RequestObjectError::ResponseHost);

    // Verifiers do not attest each other, strangers nobody, and another kind of token is none.
    let (verifiers, verifier) = authority.leaf(Usage::Verifier, &["attester.example"], 24);
    assert!(matches!(ask(&attest(&claims, &verifiers, &verifier, typ), &own), Err(RequestObjectError::Chain(_))));
    let stranger = Authority::new("Stranger");
    let (strange, key) = stranger.leaf(Usage::VerifierAttesting, &["attester.example"], 25);
    let refused = ask(&attest(&claims, &strange, &key, typ), &own).unwrap_err();
    assert_eq!(refused, RequestObjectError::Chain(ChainError::UnknownIssuer));
    assert!(ask(&attest(&claims, &chain, &attester, "JWT"), &own).is_err());
    assert!(ask(&attest(&claims, &chain, &other, typ), &own).is_err());
    assert!(authenticated(&signed_by(&own, &payload, json!({})), client_id, &anchors).is_err());
}
