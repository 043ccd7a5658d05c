//! Trust lists.

use crate::world::{Authority, NOW, authority_params, key, leaf_params, map};
use credentials::jws;
use credentials::signer::{Signer as _, SoftwareKey};
use credentials::trust::list::{self, TrustListDraft};
use credentials::trust::{CertificateChain, TrustAnchors, Usage};
use schemas::Seconds;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// Who signs lists.
struct Ministry {
    anchors: TrustAnchors,
    chain: CertificateChain,
    key: SoftwareKey,
}

static MINISTRY: LazyLock<Ministry> = LazyLock::new(|| {
    let root = Authority::root(authority_params("Ministry", None));
    let key = key(31);
    let leaf = root.leaf(&leaf_params("Lists", Usage::TrustListSigning), key.public_key());
    let anchors = TrustAnchors::from_pem(root.pem.as_bytes()).unwrap();
    Ministry { anchors, chain: CertificateChain::from_der([leaf]).unwrap(), key }
});

/// A trust list; and claims that its authority signs.
pub fn trust_list(data: &[u8]) {
    let Ministry { anchors: signers, chain, key } = &*MINISTRY;
    let Ok(text) = str::from_utf8(data) else { return };
    assert!(list::verify(text, signers, None, NOW).is_err(), "a list was forged");
    let header = map(json!({"alg": "ES256", "typ": list::TYP, "x5c": chain.to_x5c()}));
    let signed = jws::sign(&header, data, key).unwrap();
    let Ok(list) = list::verify(&signed, signers, None, NOW) else { return };
    let claims = serde_json::from_slice::<Value>(data).unwrap();
    assert_eq!(claims["sub"], list.known().name);
    assert_eq!(claims["seq"], list.sequence());
    assert!(list.issued_at() <= NOW.plus(Seconds::MINUTE) && list.ends_at() > list.issued_at());
    let mut believed = TrustAnchors::default();
    let added = believed.add_listed(&list);
    assert_eq!((believed.add_listed(&list), believed.len()), (0, added), "once is enough");
    assert!(added <= list.entries().iter().filter(|entry| !entry.is_withdrawn()).count());
    assert!(believed.iter().all(|anchor| anchor.list_end() == Some(list.ends_at())));
    // What it says is written and read again alike, where this version knows every word of it.
    if list.entries().iter().all(|entry| entry.is_withdrawn() || !entry.usages().is_empty()) {
        let (issued_at, expires_at) = (list.issued_at(), list.ends_at());
        let (name, sequence, entries) = (list.known().name.as_str(), list.sequence(), list.entries());
        let draft = TrustListDraft { name, sequence, issued_at, expires_at, ttl: Seconds::HOUR, entries };
        let again = list::verify(&draft.sign(chain, key).unwrap(), signers, None, NOW).unwrap();
        assert_eq!(again.entries(), entries);
    }
}
