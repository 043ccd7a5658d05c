//! Issuers that sign by another algorithm than ES256: believed where the request says so, and not otherwise.

use crate::issuer::Issuer;
use crate::world::{NOW, World, ask, asked_paths, present};
use serde_json::json;
use verifier::policy::IssuerAlgorithms;
use verifier::service::{Ask, Outcome};

#[tokio::test(flavor = "multi_thread")]
async fn attack_03_issuers_sign_by_es256_unless_the_request_names_more() {
    let world = World::new().await;
    let card = world.issuer.issue_by_eddsa(&Issuer::draft(NOW, None));
    let presented = |asked: &crate::world::Asked| present(&card, &asked_paths(), &world.binding(asked));
    // As always, and with an algorithm that is another's.
    for names in ["ES256", "ES384"] {
        let asked = world.ask_as(Ask { issuer_algorithms: names.parse().unwrap(), ..ask() }).await;
        world.refused(&asked, &presented(&asked), "presentation_invalid").await;
    }
    let asked = world.ask_as(Ask { issuer_algorithms: "ES384, EdDSA".parse().unwrap(), ..ask() }).await;
    let formats = &asked.object.client_metadata.as_ref().unwrap().vp_formats_supported;
    let named = json!({"sd-jwt_alg_values": ["ES256", "ES384", "EdDSA"], "kb-jwt_alg_values": ["ES256"]});
    assert_eq!(formats["dc+sd-jwt"], named, "the wallet is told");
    assert_eq!(world.post(&asked, &presented(&asked)).await.status, 200);
    assert_eq!(world.stands(&asked), (Outcome::Verified, String::new()));
    // ES256 is never left out, and what is no algorithm is none.
    let ours = world.short_lived();
    let asked = world.ask_as(Ask { issuer_algorithms: "EdDSA".parse().unwrap(), ..ask() }).await;
    let shown = present(&ours, &asked_paths(), &world.binding(&asked));
    assert_eq!(world.post(&asked, &shown).await.status, 200);
    for wrong in ["", "none", "HS256", "es384", "ES256,", "ES256 ES384"] {
        assert!(wrong.parse::<IssuerAlgorithms>().is_err(), "{wrong}");
    }
}
