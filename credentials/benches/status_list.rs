//! How long it takes to load a status list of 2^20 entries, and to look one of them up.

#![allow(missing_docs, clippy::unwrap_used, reason = "a bench may stop where it stands")]

use credentials::signer::{Signer as _, SoftwareKey};
use credentials::status_list::{Bits, StatusList, TokenDraft, VerifiedStatusList, verify, verify_cwt};
use credentials::trust::{CertificateChain, TrustAnchors, oid};
use divan::{Bencher, black_box};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm,
};
use schemas::status::{Status, StatusReference};
use schemas::{Seconds, Timestamp};

const NOW: Timestamp = Timestamp::from_unix(1_795_000_000);
const URI: &str = "https://issuer.example/status/1";
const SIZE: u64 = 1 << 20;

fn main() {
    divan::main();
}

struct LeafKey(Vec<u8>);

impl PublicKeyData for LeafKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

struct Provider {
    anchors: TrustAnchors,
    chain: CertificateChain,
    key: SoftwareKey,
}

fn provider() -> Provider {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, "Anchor");
    let ca_key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&ca_key).unwrap().pem();
    let issuer = Issuer::new(params, ca_key);
    let key = SoftwareKey::generate(&mut ChaCha20Rng::seed_from_u64(1)).unwrap();
    let mut leaf = CertificateParams::new(Vec::new()).unwrap();
    leaf.distinguished_name.push(rcgen::DnType::CommonName, "Status");
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(oid::STATUS_SIGNING.to_vec())];
    let leaf = leaf.signed_by(&LeafKey(key.public_key().to_sec1().to_vec()), &issuer).unwrap();
    Provider {
        anchors: TrustAnchors::from_pem(pem.as_bytes()).unwrap(),
        chain: CertificateChain::from_der([leaf.der().to_vec()]).unwrap(),
        key,
    }
}

/// A list of one bit an entry, of which one in `out_of` is revoked.
fn list(out_of: u64) -> StatusList {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let mut list = StatusList::new(SIZE, Bits::One).unwrap();
    for _ in 0..SIZE / out_of {
        list.set(rng.next_u64() % SIZE, Status::Invalid).unwrap();
    }
    list
}

fn token(provider: &Provider, out_of: u64) -> String {
    list(out_of).to_token(URI, NOW, NOW.plus(Seconds::DAY), Seconds::HOUR, &provider.chain, &provider.key).unwrap()
}

fn loaded(provider: &Provider, token: &str) -> VerifiedStatusList {
    verify(token, URI, &provider.anchors, NOW, None).unwrap()
}

/// Signature, chain, JSON and inflation of 2^20 entries; one entry in so many revoked.
#[divan::bench(args = [2, 100, 10_000])]
fn load(bencher: Bencher<'_, '_>, out_of: u64) {
    let provider = provider();
    let token = token(&provider, out_of);
    bencher.bench(|| loaded(black_box(&provider), black_box(&token)));
}

/// The same as CWT.
#[divan::bench(args = [2, 100, 10_000])]
fn load_cwt(bencher: Bencher<'_, '_>, out_of: u64) {
    let provider = provider();
    let expires_at = NOW.plus(Seconds::DAY);
    let draft = TokenDraft { uri: URI, issued_at: NOW, expires_at, ttl: Seconds::HOUR, aggregation_uri: None };
    let token = list(out_of).sign_cwt(&draft, &provider.chain, &provider.key).unwrap();
    bencher.bench(|| verify_cwt(black_box(&token), URI, &provider.anchors, NOW, None).unwrap());
}

/// One look into a loaded list.
#[divan::bench]
fn check(bencher: Bencher<'_, '_>) {
    let provider = provider();
    let list = loaded(&provider, &token(&provider, 100));
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    bencher
        .with_inputs(|| StatusReference { idx: rng.next_u64() % SIZE, uri: URI.to_owned() })
        .bench_local_refs(|reference| list.status(black_box(reference), NOW));
}

/// Compressing and signing, once for every change.
#[divan::bench(args = [100])]
fn publish(bencher: Bencher<'_, '_>, out_of: u64) {
    let provider = provider();
    let list = list(out_of);
    bencher.bench(|| list.to_token(URI, NOW, NOW.plus(Seconds::DAY), Seconds::HOUR, &provider.chain, &provider.key));
}
