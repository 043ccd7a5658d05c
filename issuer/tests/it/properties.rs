//! What holds for every input.

use crate::support::now;
use issuer::claims::ClaimSet;
use issuer::config::{IssuerName, IssuerUrl};
use issuer::keys::Purpose;
use issuer::keys::software::SoftwareKeys;
use issuer::secret::Handle;
use issuer::status::ListId;
use issuer::{nonce, seal};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use schemas::credential_type;
use std::sync::LazyLock;
use tempfile::TempDir;

static KEYS: LazyLock<SoftwareKeys> = LazyLock::new(|| {
    let dir = TempDir::new().unwrap();
    let (url, name) = (IssuerUrl::parse("https://issuer.example").unwrap(), IssuerName::parse("x").unwrap());
    issuer::init::init(dir.path(), &url, &name, now(), &mut ChaCha20Rng::seed_from_u64(1)).unwrap();
    SoftwareKeys::open(dir.path()).unwrap()
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_sealed_opens_with_its_secret_only(text in proptest::collection::vec(any::<u8>(), 0..300), secret in ".{1,40}", at: usize, bit in 0u8..8) {
        let sealed = seal::seal(&*KEYS, Purpose::SealOffer, &secret, &text).unwrap();
        let opened = seal::open(&*KEYS, Purpose::SealOffer, &secret, &sealed).unwrap();
        prop_assert_eq!(opened.as_slice(), text.as_slice());
        prop_assert!(seal::open(&*KEYS, Purpose::SealToken, &secret, &sealed).is_err());
        let other = format!("{secret}x");
        prop_assert!(seal::open(&*KEYS, Purpose::SealOffer, &other, &sealed).is_err());
        let mut changed = sealed;
        let at = at % changed.len();
        changed[at] ^= 1 << bit;
        prop_assert!(seal::open(&*KEYS, Purpose::SealOffer, &secret, &changed).is_err());
    }

    #[test]
    fn attack_52_a_nonce_with_one_bit_changed_is_not_ours(seed: u64, at: usize, bit in 0u8..8) {
        let nonce = nonce::generate(&*KEYS, now(), &mut ChaCha20Rng::seed_from_u64(seed));
        prop_assert!(nonce::recognise(&*KEYS, &nonce, now()).is_some());
        let mut bytes = credentials::b64::decode(&nonce).unwrap();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        prop_assert!(nonce::recognise(&*KEYS, &credentials::b64::encode(&bytes), now()).is_none());
    }

    #[test]
    fn strangers_texts_are_read_without_a_panic(text in any::<String>(), bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(nonce::recognise(&*KEYS, &text, now()).is_none());
        if let Some(list) = ListId::parse(&text) {
            prop_assert_eq!(list.to_string(), text.clone());
        }
        if let Ok(url) = IssuerUrl::parse(&text) {
            prop_assert_eq!(IssuerUrl::parse(url.as_str()).unwrap(), url);
        }
        let _ = (IssuerName::parse(&text), Handle::parse(&text));
        let today = issuer::issuing::date(now());
        for known in credential_type::ALL {
            prop_assert!(ClaimSet::parse(known, &bytes, today).is_err());
        }
    }

    #[test]
    fn a_text_is_taken_exactly_when_it_can_be_shown(text in "\\PC{1,300}|[a-z]{250,260}|[\\x00-\\x20]{1,3}") {
        let claims = serde_json::json!({"given_name": text, "family_name": "x"}).to_string();
        let identity = credential_type::by_id("identity").unwrap();
        let taken = ClaimSet::parse(identity, claims.as_bytes(), issuer::issuing::date(now()));
        if let Ok(taken) = &taken {
            prop_assert_eq!(taken.values()["given_name"].as_str().unwrap(), text.as_str());
            prop_assert!(!text.chars().any(char::is_control) && text.chars().count() <= 256);
        } else {
            let plain = text.chars().all(|c| c.is_alphanumeric() || c == ' ') && !text.trim().is_empty();
            prop_assert!(!plain || text.chars().count() > 256);
        }
    }
}
