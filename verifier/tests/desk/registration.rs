//! What a registrar says of the verifier, shown with its requests.

use crate::world::*;
use credentials::registration::RegistrationError;
use rand_core::SeedableRng as _;
use schemas::purpose::Purpose;
use schemas::registration::{FORMAT, RegistrationClaims};
use verifier::policy::{ClientIdPrefix, ResponseMode};
use verifier::service::config::VerifierName;
use verifier::service::registrar::{OwnRegistration, Registrar};
use verifier::service::{Ask, DeskError};

struct Registry {
    registrar: Registrar,
    _dir: tempfile::TempDir,
}

impl Registry {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut rng = rand_chacha::ChaCha20Rng::from_seed([9; 32]);
        let name = VerifierName::parse("Registry").unwrap();
        Registrar::create(dir.path(), &name, NOW, &mut rng).unwrap();
        assert!(matches!(Registrar::create(dir.path(), &name, NOW, &mut rng), Err(DeskError::Exists(_))));
        Self { registrar: Registrar::open(dir.path(), NOW).unwrap(), _dir: dir }
    }

    fn register(&self, sub: &str, days: u64) -> String {
        let claims = RegistrationClaims {
            sub: sub.to_owned(),
            name: "Border".into(),
            purposes: vec![Purpose::BorderEntry.wire().into()],
            credentials: credentials::registration::registered(&ask().query),
            contact: None,
            supervisory_authority: None,
            iat: NOW,
            exp: NOW.plus(schemas::Seconds::DAY.times(days)),
            status: None,
        };
        self.registrar.register(&claims).unwrap()
    }
}

#[tokio::test]
async fn vp_5_1_a_registration_is_shown_by_the_request_or_by_the_service() {
    let world = World::new().await;
    let registry = Registry::new();
    let client_id = world.desk.identity().client_id(ClientIdPrefix::X509Hash).unwrap();
    let (own, of_all) = (registry.register(&client_id, 1), registry.register(&client_id, 2));
    assert_eq!(world.ask_as(ask()).await.object.verifier_info, None);
    let registration = Some(OwnRegistration::parse(&own).unwrap());
    let asked = world.ask_as(Ask { registration, ..ask() }).await;
    let shown = asked.object.verifier_info.clone().unwrap();
    assert_eq!((shown.len(), shown[0].format.as_str(), shown[0].data.as_str()), (1, FORMAT, Some(own.as_str())));
    // The service's own is for those that have none.
    world.desk.register(OwnRegistration::parse(&of_all).unwrap()).unwrap();
    let other = world.ask_as(ask()).await.object.verifier_info.unwrap();
    assert_eq!(other[0].data.as_str(), Some(of_all.as_str()));
    let presented = present(&world.short_lived(), &asked_paths(), &world.binding(&asked));
    assert_eq!(world.post(&asked, &presented).await.status, 200);
    // Nobody signs an unsigned request, so it shows none.
    let unsigned =
        Ask { client_id: Some(ClientIdPrefix::RedirectUri), response_mode: ResponseMode::DirectPost, ..ask() };
    assert!(!world.desk.ask(unsigned).await.unwrap().request_uri.contains("verifier_info"));
}

#[test]
fn a_registrar_whose_making_was_interrupted_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let name = VerifierName::parse("Registry").unwrap();
    let create = |seed| Registrar::create(dir.path(), &name, NOW, &mut rand_chacha::ChaCha20Rng::from_seed([seed; 32]));
    create(1).unwrap();
    std::fs::remove_file(dir.path().join(verifier::service::identity::LEAF_FILE)).unwrap();
    assert!(Registrar::open(dir.path(), NOW).is_err());
    create(2).unwrap();
    Registrar::open(dir.path(), NOW).unwrap();
    assert!(matches!(create(3), Err(DeskError::Exists(_))));
}

#[tokio::test]
async fn a_registration_of_another_or_of_the_past_is_not_shown() {
    let world = World::new().await;
    let registry = Registry::new();
    for (sub, days, error) in [
        ("x509_hash:other", 1, RegistrationError::OtherVerifier),
        (world.desk.config().name.as_str(), 0, RegistrationError::Time),
    ] {
        let own = || OwnRegistration::parse(&registry.register(sub, days)).unwrap();
        let refused = world.desk.ask(Ask { registration: Some(own()), ..ask() }).await.unwrap_err();
        assert!(matches!(refused, DeskError::Registration(got) if got == error), "{refused}");
        assert!(matches!(world.desk.register(own()), Err(DeskError::Registration(got)) if got == error));
    }
    assert!(OwnRegistration::parse("eyJhbGciOiJub25lIn0.e30.").is_err());
}
