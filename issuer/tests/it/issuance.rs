//! A whole issuance, and what it leaves behind.

use crate::support::{World, ana, keys, link_offer, now};
use base64ct::{Base64, Encoding};
use issuer::desk::{Grant, Link, LinkScheme};
use reqwest::StatusCode;
use schemas::Seconds;
use schemas::openid4vci::{CredentialOffer, PRE_AUTHORIZED_CODE_GRANT};
use serde_json::{Value, json};
use std::collections::HashSet;

fn payload(credential: &str) -> Value {
    let jwt = credential.split('~').next().unwrap();
    let part = jwt.split('.').nth(1).unwrap();
    serde_json::from_slice(&credentials::b64::decode(part).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_verifies_and_its_copies_share_only_what_they_say() {
    let world = World::new().await;
    let offered = world.offer();
    let holders = keys(30, 1);
    let copies = world.receive(&offered, &holders).await;
    assert_eq!(copies.len(), 30);

    let (mut entries, mut lists, mut digests, mut salts) =
        (HashSet::new(), HashSet::new(), HashSet::new(), HashSet::new());
    for (copy, holder) in copies.iter().zip(&holders) {
        let credential = world.verify(copy);
        use credentials::signer::Signer;
        assert_eq!(credential.confirmation_key(), holder.public_key());
        assert_eq!(credential.vct(), "urn:amparo:identity:1");
        assert_eq!(credential.issuer().unwrap().subject(), "Casa Abierta");
        let claims = credential.claims();
        assert_eq!(claims["family_name"], "Vega-Quispe");
        assert_eq!(claims["nationalities"], json!(["PE", "VE"]));
        assert_eq!(claims["address"]["locality"], "Lima");
        assert_eq!((&claims["age_over_18"], &claims["age_over_21"]), (&json!(true), &json!(true)));

        // The times are midnights, equal for the day; `nbf` is not in the future.
        let midnight = now().floor_to(Seconds::DAY);
        assert_eq!(credential.issued_at(), Some(midnight));
        assert_eq!(credential.not_before(), Some(midnight));
        assert_eq!(credential.expires_at(), Some(midnight.plus(Seconds::DAY.times(366))));

        // Nothing but the type with its digest, the times, the key and the status stands in the clear; the digests are filled up.
        let payload = payload(copy);
        let names: HashSet<_> = payload.as_object().unwrap().keys().map(String::as_str).collect();
        let expected = ["iss", "iat", "nbf", "exp", "vct", "vct#integrity", "cnf", "status", "_sd", "_sd_alg"];
        assert_eq!(names, HashSet::from(expected));
        let listed = payload["_sd"].as_array().unwrap();
        assert!([8, 16, 32].contains(&listed.len()));
        for digest in listed {
            assert!(digests.insert(digest.as_str().unwrap().to_owned()), "a digest occurs twice in a batch");
        }
        for disclosure in copy.split('~').skip(1).filter(|d| !d.is_empty()) {
            let value: Value = serde_json::from_slice(&credentials::b64::decode(disclosure).unwrap()).unwrap();
            assert!(salts.insert(value[0].as_str().unwrap().to_owned()), "a salt occurs twice in a batch");
        }
        let status = credential.status().unwrap();
        assert!(status.idx < 1 << 20);
        assert!(entries.insert((status.uri.clone(), status.idx)));
        lists.insert(status.uri.clone());
    }
    assert!(lists.len() >= 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chain_is_sent_without_the_anchor() {
    let world = World::new().await;
    let copies = world.receive(&world.offer(), &keys(1, 2)).await;
    let header = copies[0].split('.').next().unwrap();
    let header: Value = serde_json::from_slice(&credentials::b64::decode(header).unwrap()).unwrap();
    assert_eq!((&header["typ"], &header["alg"]), (&json!("dc+sd-jwt"), &json!("ES256")));
    let x5c = header["x5c"].as_array().unwrap();
    assert_eq!(x5c.len(), 2);
    let anchor = world.anchors();
    let anchor = anchor.iter().next().unwrap().der();
    assert!(x5c.iter().all(|c| Base64::decode_vec(c.as_str().unwrap()).unwrap() != anchor));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_never_holds_a_claim_and_forgets_the_rest() {
    let world = World::new().await;
    let look = || {
        let mut found = Vec::new();
        for name in ["issuer.sqlite", "issuer.sqlite-wal"] {
            let bytes = std::fs::read(world.dir.path().join(name)).unwrap_or_default();
            for needle in ["Vega-Quispe", "1990-05-17", "Ana Mar", "given_name"] {
                if bytes.windows(needle.len()).any(|w| w == needle.as_bytes()) {
                    found.push((name, needle));
                }
            }
        }
        found
    };
    let offered = world.offer();
    assert_eq!(look(), [], "while the offer waits");
    let code = crate::support::code(&offered);
    world.receive(&offered, &keys(3, 3)).await;
    assert_eq!(look(), [], "after the issuance");

    let database = rusqlite::Connection::open(world.dir.path().join("issuer.sqlite")).unwrap();
    let count = |sql: &str| database.query_row(sql, (), |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM offers") + count("SELECT count(*) FROM tokens"), 0);
    assert_eq!(count("SELECT count(*) FROM issuances"), 1);
    assert_eq!(count("SELECT count(*) FROM entries"), 3);
    let bytes = std::fs::read(world.dir.path().join("issuer.sqlite")).unwrap();
    for secret in [code.as_str(), offered.tx_code.as_str(), offered.handle.as_str()] {
        assert!(!bytes.windows(secret.len()).any(|w| w == secret.as_bytes()));
    }

    // When the credentials have ended, nothing about them is kept but which indices are used up.
    world.later(367 * 86_400);
    world.issuer.maintain().unwrap();
    assert_eq!(count("SELECT count(*) FROM issuances") + count("SELECT count(*) FROM spent"), 0);
    assert_eq!(count("SELECT count(*) FROM entries"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unused_offer_is_forgotten() {
    let world = World::new().await;
    world.offer();
    world.later(600);
    world.issuer.maintain().unwrap();
    let database = rusqlite::Connection::open(world.dir.path().join("issuer.sqlite")).unwrap();
    assert_eq!(database.query_row("SELECT count(*) FROM offers", (), |row| row.get::<_, i64>(0)).unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_gets_no_more_copies_than_the_desk_ordered() {
    let world = World::new().await;
    let offered = world.offer_with(|order| order.count = 2);
    let holders = keys(5, 4);
    let copies = world.receive(&offered, &holders).await;
    assert_eq!(copies.len(), 2);
    use credentials::signer::Signer;
    assert_eq!(world.verify(&copies[1]).confirmation_key(), holders[1].public_key());
}

#[tokio::test(flavor = "multi_thread")]
async fn portraits_differ_in_every_copy() {
    let world = World::new().await;
    let pixels = image::RgbImage::from_fn(120, 160, |x, y| image::Rgb([x as u8, y as u8, (x * y) as u8]));
    let mut jpeg = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 70).encode_image(&pixels).unwrap();
    let mut claims = ana();
    claims["picture"] = json!(format!("data:image/jpeg;base64,{}", Base64::encode_string(&jpeg)));
    let offered = world.offer_claims("identity", claims, |_| {});
    let copies = world.receive(&offered, &keys(6, 5)).await;
    let pictures: HashSet<_> =
        copies.iter().map(|c| world.verify(c).claims()["picture"].as_str().unwrap().to_owned()).collect();
    assert_eq!(pictures.len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attestation_is_neutral() {
    let world = World::new().await;
    let claims = json!({"attested_by": "Casa", "category": "A", "services": ["housing", "legal"]});
    let offered = world.offer_claims("attestation", claims, |_| {});
    let copies = world.receive(&offered, &keys(1, 6)).await;
    let credential = world.verify(&copies[0]);
    assert_eq!(credential.vct(), "urn:amparo:attestation:1");
    assert_eq!(credential.claims()["services"], json!(["housing", "legal"]));
    let clear = payload(&copies[0]).to_string();
    assert!(!clear.contains("Casa") && !clear.contains("housing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_offer_says_what_the_wallet_needs() {
    let world = World::new().await;
    let offered = world.offer();
    assert!(offered.link.starts_with("openid-credential-offer://?credential_offer=%7B"));
    assert!(!offered.link.contains(' ') && !offered.link.contains('+'));
    let offer = link_offer(&offered.link);
    assert_eq!(offer.credential_issuer, world.url);
    assert_eq!(offer.credential_configuration_ids, ["identity"]);
    let grant = offer.grants.unwrap().pre_authorized_code.unwrap();
    assert_eq!(grant.pre_authorized_code.len(), 43);
    let tx_code = grant.tx_code.unwrap();
    assert_eq!((tx_code.input_mode.as_deref(), tx_code.length), (Some("numeric"), Some(8)));
    assert_eq!(offered.expires_at, now().plus(Seconds::new(600)));
}

#[tokio::test(flavor = "multi_thread")]
async fn vci_4_1_3_an_offer_by_reference_is_fetched_while_it_waits_and_by_its_name_only() {
    let world = World::new().await;
    for grant in [Grant::PreAuthorized, Grant::AuthorizationCode] {
        let offered = world.offer_with(|order| {
            (order.grant, order.link) = (grant, Link { scheme: LinkScheme::HaipVci, by_reference: true });
        });
        let link = url::Url::parse(&offered.link).unwrap();
        let [(name, place)] = &link.query_pairs().collect::<Vec<_>>()[..] else { panic!("{link}") };
        assert_eq!((link.scheme(), &**name), ("haip-vci", "credential_offer_uri"));
        assert!(place.starts_with(&format!("{}/credential-offer?name=", world.url)));
        let response = world.http.get(&**place).send().await.unwrap();
        assert_eq!(
            (response.status(), &response.headers()["cache-control"]),
            (StatusCode::OK, &"no-store".parse().unwrap())
        );
        assert_eq!(response.headers()["content-type"], "application/json");
        let offer: CredentialOffer = response.json().await.unwrap();
        assert_eq!(
            (&offer.credential_issuer, &offer.credential_configuration_ids[..]),
            (&world.url, &["identity".to_owned()][..])
        );
        let grants = offer.grants.unwrap();
        let code = match grant {
            Grant::PreAuthorized => grants.pre_authorized_code.unwrap().pre_authorized_code,
            Grant::AuthorizationCode => grants.authorization_code.unwrap().issuer_state.unwrap(),
        };
        // The code is not the name, and no name by itself; nobody guesses either.
        assert!(!place.ends_with(&code));
        let elsewhere = |name: &str| world.http.get(format!("{}/credential-offer{name}", world.url)).send();
        let twice = format!("?name={0}&name={0}", place.split_once('=').unwrap().1);
        for wrong in ["", "?name=", "?name=x", &format!("?name={code}"), &twice] {
            assert_eq!(elsewhere(wrong).await.unwrap().status(), StatusCode::NOT_FOUND, "{wrong}");
        }
        if grant == Grant::PreAuthorized {
            let form = [
                ("grant_type", PRE_AUTHORIZED_CODE_GRANT),
                ("pre-authorized_code", code.as_str()),
                ("tx_code", offered.tx_code.as_str()),
            ];
            assert_eq!(world.post_form("/token", &form).await.status(), StatusCode::OK);
            assert_eq!(world.http.get(&**place).send().await.unwrap().status(), StatusCode::NOT_FOUND, "redeemed");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documents_stand_where_the_specifications_insert_them() {
    let world = World::with("/region/7", Default::default(), Default::default()).await;
    let root = format!("http://{}", world.address);
    for at in [
        format!("{root}/.well-known/openid-credential-issuer/region/7"),
        format!("{root}/region/7/.well-known/openid-credential-issuer"),
    ] {
        let response = world.http.get(at).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/json");
        let metadata: Value = response.json().await.unwrap();
        assert_eq!(metadata["credential_issuer"], world.url);
        assert_eq!(metadata["credential_endpoint"], format!("{}/credential", world.url));
        assert_eq!(metadata["nonce_endpoint"], format!("{}/nonce", world.url));
        assert_eq!(metadata["batch_credential_issuance"]["batch_size"], 30);
        assert_eq!(metadata["display"][0]["name"], "Casa Abierta");
        let identity = &metadata["credential_configurations_supported"]["identity"];
        assert_eq!((&identity["format"], &identity["vct"]), (&json!("dc+sd-jwt"), &json!("urn:amparo:identity:1")));
        assert_eq!(identity["cryptographic_binding_methods_supported"], json!(["jwk"]));
        assert_eq!(identity["proof_types_supported"]["jwt"]["proof_signing_alg_values_supported"], json!(["ES256"]));
        assert!(identity["credential_metadata"]["claims"].as_array().unwrap().len() > 20);
    }
    let at = format!("{root}/.well-known/oauth-authorization-server/region/7");
    let metadata: Value = world.http.get(at).send().await.unwrap().json().await.unwrap();
    assert_eq!(metadata["issuer"], world.url);
    assert_eq!(metadata["token_endpoint"], format!("{}/token", world.url));
    assert_eq!(metadata["pre-authorized_grant_anonymous_access_supported"], true);
    assert_eq!(metadata["dpop_signing_alg_values_supported"], json!(["ES256"]));

    // And the whole way below that path.
    let copies = world.receive(&world.offer(), &keys(2, 7)).await;
    assert!(world.verify(&copies[0]).status().unwrap().uri.starts_with(&format!("{}/status/", world.url)));
}

#[tokio::test(flavor = "multi_thread")]
async fn vci_12_2_3_the_metadata_is_signed_for_whoever_asks() {
    use credentials::json::Limits;
    use credentials::jws::JwsIn;
    use credentials::trust::Usage;
    let world = World::new().await;
    let at = format!("{}/.well-known/openid-credential-issuer", world.url);
    let ask = async |accept: &str| world.http.get(&at).header("accept", accept).send().await.unwrap();
    let plain = ask("application/json").await;
    assert_eq!(plain.headers()["content-type"], "application/json");
    assert_eq!(plain.headers()["vary"], "accept");
    let plain: Value = plain.json().await.unwrap();
    let signed = ask("application/json;q=0.5, application/jwt").await;
    assert_eq!(signed.headers()["content-type"], "application/jwt");
    let signed = signed.text().await.unwrap();
    let limits = Limits { bytes: 1 << 18, depth: 16 };
    let jws = JwsIn::parse(&signed, &limits).unwrap();
    jws.expect_type("openidvci-issuer-metadata+jwt").unwrap();
    let chain = jws.header().x5c.as_ref().unwrap();
    let verified = chain.verify(&world.anchors(), Usage::CredentialIssuing, world.issuer.now()).unwrap();
    jws.verify(verified.leaf_key()).unwrap();
    let mut claims = jws.payload_object(&limits).unwrap();
    assert_eq!(claims.remove("sub").unwrap(), world.url);
    assert_eq!(claims.remove("iat").unwrap(), now().unix());
    assert_eq!(claims.remove("exp").unwrap(), now().unix() + 86_400);
    claims.remove("iss");
    assert_eq!(Value::Object(claims), plain, "every parameter is a claim of its own");
}
