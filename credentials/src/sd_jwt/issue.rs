//! Issuing: from claims to the text that goes to the holder.

use super::claims::NEVER_DISCLOSABLE;
use super::disclosure::is_reserved;
use super::parse::MOST_DISCLOSURES;
use crate::algorithm::HashAlgorithm;
use crate::b64;
use crate::json::Limits;
use crate::key::PublicKey;
use crate::signer::{SignError, Signer};
use crate::trust::CertificateChain;
use crate::type_metadata::Integrity;
use rand_core::CryptoRng;
use schemas::status::{StatusClaim, StatusReference};
use schemas::{ClaimPath, PathElement, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};

/// What an issuer wants to say.
#[derive(Clone)]
pub struct IssuanceDraft {
    /// The type.
    pub vct: String,
    /// `iss`; where it is given it must be a name of the leaf certificate. Without it the issuer is the leaf's subject.
    pub issuer: Option<String>,
    /// `iat`. Round it: security.md §8.
    pub issued_at: Timestamp,
    /// `nbf`.
    pub not_before: Option<Timestamp>,
    /// `exp`.
    pub expires_at: Timestamp,
    /// `status`.
    pub status: Option<StatusReference>,
    /// Claims that everyone sees; `vct#integrity` may be one of them, if it is integrity metadata.
    pub visible: Map<String, Value>,
    /// Claims each of which the holder may show or keep.
    pub disclosable: Map<String, Value>,
    /// Claims or array elements *within* those, each of which the holder may show or keep by itself. `null` in a path means
    /// every element.
    pub nested: Vec<ClaimPath>,
    /// Whether to fill up each object's digests to 8, 16, 32 … so that their number says little.
    pub decoys: bool,
}

/// Why a credential is not issued. All the caller's fault, but for the last.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// A claim whose name belongs to the format: it has its own field, or must not be there at all.
    #[error("claim {name} is not the issuer's to set as {kind}")]
    ReservedClaim {
        /// Its name.
        name: String,
        /// `visible` or `disclosable`.
        kind: &'static str,
    },
    /// A claim both visible and disclosable.
    #[error("claim {0} is both visible and disclosable")]
    Collision(String),
    /// A path in `nested` that leads to nothing, twice to the same, or to a whole claim.
    #[error("nested path {0} selects nothing below a claim, or the same twice")]
    NestedPath(ClaimPath),
    /// No type.
    #[error("vct is empty")]
    EmptyType,
    /// Nested deeper than anyone reads.
    #[error("claims nested deeper than {most}")]
    TooDeep {
        /// The most.
        most: usize,
    },
    /// More disclosures than anyone reads.
    #[error("{got} disclosures, at most {most} are read")]
    TooMany {
        /// The most.
        most: usize,
        /// What it would be.
        got: usize,
    },
    /// Longer than anyone reads.
    #[error("credential of {got} characters, at most {most} are read")]
    TooLong {
        /// The most.
        most: usize,
        /// What it would be.
        got: usize,
    },
    /// `nbf` is not before `exp`.
    #[error("the credential would never be valid")]
    NeverValid,
    /// The signer's key is not the one in the leaf certificate.
    #[error("the signing key is not the leaf certificate's")]
    WrongKey,
    /// The key is out of reach.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// Issues a credential to the holder of `holder`: ES256, SHA-256, salts of 128 bits, the certificates in `x5c`.
///
/// Not checked: the certificates themselves, beyond the key of the leaf; who verifies the credential will.
///
/// # Errors
/// [`IssueError`].
///
/// # Source
/// RFC 9901 §4; SD-JWT VC §2.2; HAIP 1.0 §6.1 for `x5c` and `cnf.jwk`.
pub fn issue<R: CryptoRng + ?Sized>(
    draft: &IssuanceDraft,
    chain: &CertificateChain,
    holder: &PublicKey,
    signer: &dyn Signer,
    rng: &mut R,
) -> Result<String, IssueError> {
    issue_hashed(draft, HashAlgorithm::Sha256, chain, holder, signer, rng)
}

/// As [`issue`], with another hash for the digests: for issuers whose verifiers ask for it.
///
/// # Errors
/// [`IssueError`].
///
/// # Source
/// RFC 9901 §4.1.1, §9.4.
pub fn issue_hashed<R: CryptoRng + ?Sized>(
    draft: &IssuanceDraft,
    hash: HashAlgorithm,
    chain: &CertificateChain,
    holder: &PublicKey,
    signer: &dyn Signer,
    rng: &mut R,
) -> Result<String, IssueError> {
    check(draft)?;
    if !chain.leaf_is_of(signer.public_key()) {
        return Err(IssueError::WrongKey);
    }
    let mut making =
        Making { rng, hash, decoys: draft.decoys, disclosures: String::new(), count: 0, scratch: Vec::new() };
    let (visible, disclosable);
    let (visible, disclosable) = if draft.nested.is_empty() {
        (&draft.visible, &draft.disclosable)
    } else {
        let mut tree = Nested { visible: draft.visible.clone(), disclosable: draft.disclosable.clone() };
        making.conceal_nested(&mut tree, &draft.nested)?;
        (visible, disclosable) = (tree.visible, tree.disclosable);
        (&visible, &disclosable)
    };
    let mut digests = Vec::with_capacity(disclosable.len());
    for (name, value) in disclosable {
        digests.push(making.disclose(Some(name), value));
    }
    making.fill_up(&mut digests);
    if making.count > MOST_DISCLOSURES {
        return Err(IssueError::TooMany { most: MOST_DISCLOSURES, got: making.count });
    }
    let payload = Payload {
        iss: draft.issuer.as_deref(),
        iat: draft.issued_at,
        nbf: draft.not_before,
        exp: draft.expires_at,
        vct: &draft.vct,
        cnf: Confirmation { jwk: holder.to_jwk() },
        status: draft.status.clone().map(|status_list| StatusClaim { status_list }),
        visible,
        sd: digests,
        sd_alg: hash.name(),
    };
    let payload = serde_json::to_vec(&payload).map_err(|_| SignError::Unavailable)?;
    let mut text = crate::jws::sign_encoded(
        chain.credential_header(|chain| header(chain, signer.public_key())),
        &payload,
        signer,
        making.disclosures.len() + 1,
    )?;
    text.push('~');
    text.push_str(&making.disclosures);
    if text.len() > Limits::TOKEN.bytes {
        return Err(IssueError::TooLong { most: Limits::TOKEN.bytes, got: text.len() });
    }
    Ok(text)
}

/// The digest of the type's metadata document: whoever reads the document can tell that it is the one that was meant.
///
/// # Source
/// SD-JWT VC §6.
const TYPE_INTEGRITY: &str = "vct#integrity";

/// The protected header of a credential under `chain`, base64url: certificates, and the name of `key` for whoever knows the
/// issuer by the keys that it publishes. Base64 needs no escapes in JSON.
///
/// # Source
/// SD-JWT VC §2.5, §4.2 (`kid` recommended).
fn header(chain: &CertificateChain, key: &PublicKey) -> String {
    let x5c = chain.to_x5c().join(r#"",""#);
    let (kid, typ) = (key.key_id(), super::TYPE);
    b64::encode(format!(r#"{{"alg":"ES256","typ":"{typ}","kid":"{kid}","x5c":["{x5c}"]}}"#).as_bytes())
}

#[derive(Serialize)]
struct Payload<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
    iat: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<Timestamp>,
    exp: Timestamp,
    vct: &'a str,
    cnf: Confirmation,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<StatusClaim>,
    #[serde(flatten)]
    visible: &'a Map<String, Value>,
    #[serde(rename = "_sd", skip_serializing_if = "Vec::is_empty")]
    sd: Vec<String>,
    #[serde(rename = "_sd_alg")]
    sd_alg: &'static str,
}

#[derive(Serialize)]
struct Confirmation {
    jwk: Map<String, Value>,
}

/// Refuses drafts that no verifier would accept.
fn check(draft: &IssuanceDraft) -> Result<(), IssueError> {
    if draft.vct.is_empty() {
        return Err(IssueError::EmptyType);
    }
    if draft.not_before.is_some_and(|nbf| nbf >= draft.expires_at) {
        return Err(IssueError::NeverValid);
    }
    for (kind, claims) in [("visible", &draft.visible), ("disclosable", &draft.disclosable)] {
        for (name, value) in claims {
            if kind == "visible"
                && name == TYPE_INTEGRITY
                && value.as_str().is_some_and(|v| Integrity::parse(v).is_ok())
            {
                continue;
            }
            // The two that may be disclosed selectively, and `aka_vcts`, which we do not make.
            let is_ours = name == "iat" || NEVER_DISCLOSABLE.contains(&name.as_str());
            if is_ours || is_reserved(name) {
                return Err(IssueError::ReservedClaim { name: name.clone(), kind });
            }
            check_value(value, 2, kind)?;
        }
    }
    match draft.disclosable.keys().find(|name| draft.visible.contains_key(*name)) {
        Some(name) => Err(IssueError::Collision(name.clone())),
        None => Ok(()),
    }
}

/// Recursion is bounded by `depth`, the number of containers that `value` would make.
fn check_value(value: &Value, depth: usize, kind: &'static str) -> Result<(), IssueError> {
    let most = Limits::TOKEN.depth;
    let within = || if depth > most { Err(IssueError::TooDeep { most }) } else { Ok(()) };
    match value {
        Value::Object(map) => {
            within()?;
            for (name, value) in map {
                if is_reserved(name) {
                    return Err(IssueError::ReservedClaim { name: name.clone(), kind });
                }
                check_value(value, depth + 1, kind)?;
            }
            Ok(())
        }
        Value::Array(items) => {
            within()?;
            items.iter().try_for_each(|item| check_value(item, depth + 1, kind))
        }
        _ => Ok(()),
    }
}

struct Nested {
    visible: Map<String, Value>,
    disclosable: Map<String, Value>,
}

struct Making<'r, R: ?Sized> {
    rng: &'r mut R,
    hash: HashAlgorithm,
    decoys: bool,
    /// Each followed by `~`.
    disclosures: String,
    count: usize,
    scratch: Vec<u8>,
}

impl<R: CryptoRng + ?Sized> Making<'_, R> {
    /// Makes a disclosure with a fresh salt; gives its digest.
    fn disclose(&mut self, name: Option<&str>, value: &Value) -> String {
        let mut salt = [0; 16];
        self.rng.fill_bytes(&mut salt);
        self.scratch.clear();
        let salt = b64::encode(&salt);
        // Writing to memory does not fail, and these are values that serde_json has read or made.
        let written = match name {
            Some(name) => serde_json::to_writer(&mut self.scratch, &(&salt, name, value)),
            None => serde_json::to_writer(&mut self.scratch, &(&salt, value)),
        };
        debug_assert!(written.is_ok());
        let start = self.disclosures.len();
        b64::encode_onto(&self.scratch, &mut self.disclosures);
        let digest = self.hash.digest(self.disclosures.get(start..).unwrap_or_default());
        self.disclosures.push('~');
        self.count += 1;
        digest
    }

    /// Adds decoys where they are wanted, and hides the order of what is there.
    ///
    /// # Source
    /// RFC 9901 §4.2.4.1 (sort), §4.2.5 (decoys: the hash of something random); security.md §8 for the numbers.
    fn fill_up(&mut self, digests: &mut Vec<String>) {
        if self.decoys {
            let mut random = [0; 32];
            for _ in digests.len()..digests.len().next_power_of_two().max(8) {
                self.rng.fill_bytes(&mut random);
                digests.push(self.hash.digest(random));
            }
        }
        digests.sort_unstable();
    }

    /// Replaces what `paths` select by digests, the deepest first, so that digests of the inner stand in the outer.
    fn conceal_nested(&mut self, tree: &mut Nested, paths: &[ClaimPath]) -> Result<(), IssueError> {
        let mut concrete: Vec<Vec<PathElement>> = Vec::new();
        for path in paths {
            let bad = || IssueError::NestedPath(path.clone());
            let (first, rest) = path.elements().split_first().ok_or_else(bad)?;
            let PathElement::Name(name) = first else { return Err(bad()) };
            let claim = tree.disclosable.get(name).or_else(|| tree.visible.get(name)).ok_or_else(bad)?;
            let found = super::selection::concrete(rest, claim, first.clone());
            if rest.is_empty() || found.is_empty() || found.iter().any(|path| concrete.contains(path)) {
                return Err(bad());
            }
            concrete.extend(found);
        }
        // Deepest first; then parent by parent, so that all digests of one object are placed together.
        concrete.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        for siblings in
            concrete.chunk_by(|a, b| a.len() == b.len() && a.split_last().map(|x| x.1) == b.split_last().map(|x| x.1))
        {
            self.conceal_siblings(tree, siblings);
        }
        Ok(())
    }

    /// Replaces members of one object, or elements of one array, that were found to be there.
    fn conceal_siblings(&mut self, tree: &mut Nested, siblings: &[Vec<PathElement>]) {
        let Some(parent) = siblings.first().and_then(|path| path.split_last()).map(|(_, parent)| parent) else {
            return;
        };
        let mut digests = Vec::new();
        for path in siblings {
            match (path.last(), tree.at(parent)) {
                (Some(PathElement::Name(name)), Some(Value::Object(map))) => {
                    if let Some(value) = map.shift_remove(name) {
                        digests.push(self.disclose(Some(name), &value));
                    }
                }
                (Some(PathElement::Index(index)), Some(Value::Array(items))) => {
                    if let Some(item) = usize::try_from(*index).ok().and_then(|index| items.get_mut(index)) {
                        let digest = self.disclose(None, item);
                        *item = Value::Object([("...".to_owned(), Value::String(digest))].into_iter().collect());
                    }
                }
                _ => {}
            }
        }
        if digests.is_empty() {
            return;
        }
        self.fill_up(&mut digests);
        if let Some(Value::Object(map)) = tree.at(parent) {
            map.insert("_sd".to_owned(), digests.into_iter().map(Value::String).collect());
        }
    }
}

impl Nested {
    fn at(&mut self, path: &[PathElement]) -> Option<&mut Value> {
        let (PathElement::Name(name), rest) = path.split_first()? else { return None };
        let claim = self.disclosable.get_mut(name).or_else(|| self.visible.get_mut(name))?;
        rest.iter().try_fold(claim, |value, element| match element {
            PathElement::Name(name) => value.get_mut(name),
            PathElement::Index(index) => value.get_mut(usize::try_from(*index).ok()?),
            PathElement::Every(()) => None,
        })
    }
}
