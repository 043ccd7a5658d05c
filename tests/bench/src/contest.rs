//! The same job for everyone.

pub mod isomdl;
pub mod mdoc;
pub mod mdoc_ours;
pub mod ours;
pub mod sd_jwt_payload;
pub mod sd_jwt_rs;
pub mod ssi;

use credentials::signer::SoftwareKey;
use rand_core::SeedableRng;
use serde_json::{Map, Value, json};

/// Who issues, presents and verifies. A failure ends the run: a fast refusal is no speed.
pub trait Contestant {
    fn name(&self) -> &'static str;
    fn issue(&mut self);
    fn present(&mut self);
    fn verify(&mut self);
}

/// What is issued, and by which keys.
pub struct Job {
    pub claims: Map<String, Value>,
    pub presented: Vec<String>,
    pub issuer: SoftwareKey,
    pub holder: SoftwareKey,
}

/// How a picture begins in JSON.
pub const PICTURE: &str = "data:image/jpeg;base64,";
pub const AUDIENCE: &str = "x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk";
pub const NONCE: &str = "n-0S6_WzA2Mj-aaaaaaaaaaaaa";
pub const NOW: i64 = 1_795_000_000;

impl Job {
    /// Twenty claims, five of them shown.
    pub fn new() -> Self {
        Self::of(20, 5)
    }

    /// So many claims, so many of them shown, spread over all.
    pub fn of(claims: usize, shown: usize) -> Self {
        let value = |n| json!(format!("the value of claim number {n}"));
        Self::shown((0..claims).map(|n| (format!("claim_{n:02}"), value(n))).collect(), shown)
    }

    /// So many objects of two claims each, so many of the objects shown.
    pub fn in_pairs(objects: usize, shown: usize) -> Self {
        let value = |n| format!("the value of claim number {n}");
        let pair = |n| json!({ "one": value(2 * n), "other": value(2 * n + 1) });
        Self::shown((0..objects).map(|n| (format!("claim_{n:02}"), pair(n))).collect(), shown)
    }

    fn shown(claims: Map<String, Value>, shown: usize) -> Self {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
        let presented = claims.keys().step_by(claims.len() / shown).cloned().collect();
        Self {
            claims,
            presented,
            issuer: SoftwareKey::generate(&mut rng).expect("key"),
            holder: SoftwareKey::generate(&mut rng).expect("key"),
        }
    }

    /// PKCS#8 PEM of a key, as other libraries take it.
    pub fn pem(key: &SoftwareKey) -> String {
        use base64ct::{Base64, Encoding};
        let scalar = key.scalar().expect("scalar");
        let point = key_point(key);
        let mut der = vec![0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07];
        der.extend([
            0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
        ]);
        der.extend([0x04, 0x6d, 0x30, 0x6b, 0x02, 0x01, 0x01, 0x04, 0x20]);
        der.extend(scalar.iter());
        der.extend([0xa1, 0x44, 0x03, 0x42, 0x00]);
        der.extend(point);
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", Base64::encode_string(&der))
    }
}

/// The public point, uncompressed.
pub fn key_point(key: &SoftwareKey) -> [u8; 65] {
    use credentials::signer::Signer;
    key.public_key().to_sec1()
}

/// The public key as a JWK.
pub fn jwk(key: &SoftwareKey) -> Value {
    use credentials::signer::Signer;
    Value::Object(key.public_key().to_jwk())
}
