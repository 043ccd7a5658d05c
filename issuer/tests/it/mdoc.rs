//! Mobile documents: issued in batches, verified, revoked; both formats on one offer.

use crate::support::{World, ana, keys, refusal, refused};
use base64ct::{Base64, Encoding};
use credentials::mdoc::{self, Mdoc};
use credentials::signer::Signer;
use credentials::trust::ChainPolicy;
use issuer::configuration::Format;
use issuer::desk::{Outcome, Pace};
use reqwest::StatusCode;
use schemas::Seconds;
use schemas::status::Status;
use serde_json::{Value, json};
use std::collections::HashSet;

impl World {
    fn verify_document(&self, text: &str) -> Mdoc {
        let anchors = self.anchors();
        let bytes = credentials::b64::decode(text).unwrap();
        mdoc::verify_issued(&bytes, &ChainPolicy::known_only(&anchors), self.issuer.now()).unwrap()
    }

    /// One credential request; the copies as they came.
    async fn copies(
        &self,
        token: &str,
        configuration: &str,
        holders: &[credentials::signer::SoftwareKey],
    ) -> Vec<String> {
        let proofs = self.proofs(&self.nonce().await, holders);
        let body = json!({"credential_configuration_id": configuration, "proofs": {"jwt": proofs}});
        let response = self.request(token, &body).await;
        assert_eq!(response.status(), StatusCode::OK);
        let body: Value = response.json().await.unwrap();
        let credentials = body["credentials"].as_array().unwrap();
        credentials.iter().map(|c| c["credential"].as_str().unwrap().to_owned()).collect()
    }

    async fn status_of(&self, document: &Mdoc) -> Status {
        let status = document.status().unwrap();
        let token = self.http.get(&status.uri).send().await.unwrap().text().await.unwrap();
        let now = self.issuer.now();
        let list = credentials::status_list::verify(&token, &status.uri, &self.anchors(), now, None).unwrap();
        list.status(status, now).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn vci_a_2_a_batch_of_documents_verifies_and_its_copies_share_only_what_they_say() {
    let world = World::new().await;
    let pixels = image::RgbImage::from_fn(96, 128, |x, y| image::Rgb([x as u8, y as u8, (x * y) as u8]));
    let mut jpeg = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 70).encode_image(&pixels).unwrap();
    let mut claims = ana();
    claims["picture"] = json!(format!("data:image/jpeg;base64,{}", Base64::encode_string(&jpeg)));
    let offered = world.offer_claims("identity", claims, |order| order.formats = vec![Format::Mdoc]);
    assert_eq!(offered.configuration_ids, ["identity-mdoc"]);
    let holders = keys(30, 80);
    let copies = world.receive(&offered, &holders).await;
    assert_eq!(copies.len(), 30);

    let midnight = world.issuer.now().floor_to(Seconds::DAY);
    let (mut entries, mut lists, mut portraits) = (HashSet::new(), HashSet::new(), HashSet::new());
    for (copy, holder) in copies.iter().zip(&holders) {
        let document = world.verify_document(copy);
        assert_eq!(document.doc_type(), "org.amparo.identity.1");
        assert_eq!(document.device_key(), holder.public_key());
        assert_eq!(document.issuer().unwrap().subject(), "Casa Abierta");
        assert_eq!((document.signed_at(), document.valid_from()), (midnight, midnight));
        assert_eq!(document.valid_until(), midnight.plus(Seconds::DAY.times(366)));
        let elements = document.elements();
        let pid = schemas::mdoc::PID_NAME_SPACE;
        assert_eq!(elements.get(pid, "family_name").unwrap().as_text(), Some("Vega-Quispe"));
        let said = mdoc::claims_of(&schemas::mdoc::IDENTITY_DOCUMENT, &elements);
        assert_eq!((&said["age_over_18"], &said["nationalities"]), (&json!(true), &json!(["PE", "VE"])));
        portraits.insert(elements.get(pid, "portrait").unwrap().as_bytes().unwrap().to_vec());
        // The holder's key may sign the consent, and nothing in the issuer's name spaces.
        assert!(document.authorizations().allow("org.amparo.consent.1", "grant"));
        assert!(!document.authorizations().allow(pid, "given_name"));
        let status = document.status().unwrap();
        assert!(entries.insert((status.uri.clone(), status.idx)));
        lists.insert(status.uri.clone());
    }
    assert_eq!((portraits.len(), lists.len() >= 4), (30, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn both_formats_of_one_offer_are_issued_once_each_and_revoked_together() {
    let world = World::new().await;
    let offered = world.offer_with(|order| order.formats = vec![Format::Mdoc, Format::SdJwtVc, Format::Mdoc]);
    assert_eq!(offered.configuration_ids, ["identity", "identity-mdoc"]);
    let token = world.token(&offered).await;
    let documents = world.copies(&token, "identity-mdoc", &keys(5, 81)).await;
    // What is left of the token does no more than it did before.
    let proofs = world.proofs(&world.nonce().await, &keys(1, 82));
    let again = json!({"credential_configuration_id": "identity-mdoc", "proofs": {"jwt": proofs}});
    assert_eq!(refusal(world.request(&token, &again).await).await, refused(403, "insufficient_scope"));
    // A key of the first batch is none for the second.
    let proofs = world.proofs(&world.nonce().await, &keys(5, 81));
    let linked = json!({"credential_configuration_id": "identity", "proofs": {"jwt": proofs}});
    assert_eq!(refusal(world.request(&token, &linked).await).await, refused(400, "invalid_proof"));
    let credentials = world.copies(&token, "identity", &keys(5, 83)).await;
    let proofs = world.proofs(&world.nonce().await, &keys(1, 84));
    let spent = json!({"credential_configuration_id": "identity", "proofs": {"jwt": proofs}});
    assert_eq!(refusal(world.request(&token, &spent).await).await, refused(401, "invalid_token"));

    let documents: Vec<Mdoc> = documents.iter().map(|copy| world.verify_document(copy)).collect();
    let entries: HashSet<_> = documents
        .iter()
        .map(|document| document.status().unwrap().clone())
        .chain(credentials.iter().map(|copy| world.verify(copy).status().unwrap().clone()))
        .map(|status| (status.uri, status.idx))
        .collect();
    assert_eq!(entries.len(), 10, "no two copies of either format share an entry");
    assert_eq!(world.status_of(&documents[0]).await, Status::Valid);
    assert_eq!(world.reopen().revoke(&offered.handle, Pace::Now).unwrap(), Outcome::Revoked);
    for document in &documents {
        assert_eq!(world.status_of(document).await, Status::Invalid);
    }
    for copy in &credentials {
        let status = world.verify(copy).status().unwrap().clone();
        let token = world.http.get(&status.uri).send().await.unwrap().text().await.unwrap();
        let list = credentials::status_list::verify(&token, &status.uri, &world.anchors(), world.issuer.now(), None);
        assert_eq!(list.unwrap().status(&status, world.issuer.now()).unwrap(), Status::Invalid);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn vci_6_1_1_authorization_details_may_take_a_part_of_the_offer() {
    let world = World::new().await;
    let offered = world.offer_with(|order| order.formats = vec![Format::Mdoc, Format::SdJwtVc]);
    let code = crate::support::code(&offered);
    let ask = async |details: Value| {
        let details = details.to_string();
        let form = [
            ("grant_type", schemas::openid4vci::PRE_AUTHORIZED_CODE_GRANT),
            ("pre-authorized_code", code.as_str()),
            ("tx_code", offered.tx_code.as_str()),
            ("authorization_details", details.as_str()),
        ];
        world.post_form("/token", &form).await
    };
    let detail = |id: &str| json!({"type": "openid_credential", "credential_configuration_id": id});
    for details in [json!([]), json!([detail("attestation-mdoc")]), json!([detail("identity"), detail("identity")])] {
        assert_eq!(refusal(ask(details).await).await, refused(400, "invalid_authorization_details"));
    }
    let answer: Value = ask(json!([detail("identity-mdoc")])).await.json().await.unwrap();
    let granted = answer["authorization_details"].as_array().unwrap();
    assert_eq!((granted.len(), &granted[0]["credential_identifiers"]), (1, &json!(["identity-mdoc"])));
    let token = answer["access_token"].as_str().unwrap();
    let proofs = world.proofs(&world.nonce().await, &keys(1, 85));
    let other = json!({"credential_identifier": "identity", "proofs": {"jwt": proofs}});
    assert_eq!(refusal(world.request(token, &other).await).await, refused(400, "unknown_credential_identifier"));
    let own = json!({"credential_identifier": "identity-mdoc", "proofs": {"jwt": proofs}});
    assert_eq!(world.request(token, &own).await.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn vci_a_2_2_the_metadata_describes_documents_by_their_elements() {
    let world = World::new().await;
    let at = format!("{}/.well-known/openid-credential-issuer", world.url);
    let metadata: Value = world.http.get(at).send().await.unwrap().json().await.unwrap();
    let document = &metadata["credential_configurations_supported"]["identity-mdoc"];
    assert_eq!((&document["format"], &document["doctype"]), (&json!("mso_mdoc"), &json!("org.amparo.identity.1")));
    assert!(document.get("vct").is_none());
    assert_eq!(document["credential_signing_alg_values_supported"], json!([-7]));
    assert_eq!(document["cryptographic_binding_methods_supported"], json!(["cose_key"]));
    assert_eq!(document["proof_types_supported"]["jwt"]["proof_signing_alg_values_supported"], json!(["ES256"]));
    let claims = document["credential_metadata"]["claims"].as_array().unwrap();
    let described: Vec<&Value> = claims.iter().map(|claim| &claim["path"]).collect();
    assert!(described.contains(&&json!(["eu.europa.ec.eudi.pid.1", "portrait"])), "{described:?}");
    assert!(described.contains(&&json!(["org.amparo.identity.1", "age_over_18"])));
}
