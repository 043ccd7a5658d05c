//! A credential that was verified: in its holder's hands, and as a verifier received it.

use super::as_issued::AsIssued;
use super::claims::{ClaimError, NEVER_DISCLOSABLE, Registered};
use super::parse::{ParseError, SdJwtIn};
use super::process::{DisclosureError, Place, process};
use super::selection::{SelectError, Selection};
use crate::algorithm::{HashAlgorithm, SignatureAlgorithm, SignatureAlgorithms};
use crate::key::PublicKey;
use crate::key_binding::KeyBinding;
use crate::trust::VerifiedChain;
use schemas::status::StatusReference;
use schemas::{ClaimPath, Timestamp};
use serde_json::{Map, Value};
use std::fmt;
use std::ops::Range;

/// A disclosure in its place.
#[derive(Clone, PartialEq, Eq)]
pub struct Disclosure {
    place: Place,
    range: Range<usize>,
}

impl Disclosure {
    /// Where its claim stands.
    pub const fn path(&self) -> &ClaimPath {
        self.place.path()
    }

    /// Where its claim stands in what the issuer signed.
    pub(super) fn signed_path(&self) -> &ClaimPath {
        self.place.signed_path()
    }

    pub(super) fn text_in<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.range.clone()).unwrap_or_default()
    }
}

impl fmt::Debug for Disclosure {
    /// The path only: the text holds salt and value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, range: _ } = self;
        write!(f, "Disclosure({})", place.path())
    }
}

/// Why a text kept by its holder cannot be opened again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReopenError {
    /// Not an SD-JWT.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// Disclosures and digests do not fit.
    #[error(transparent)]
    Disclosure(#[from] DisclosureError),
    /// What it says about itself.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// An SD-JWT+KB.
    #[error("a presentation, not a credential as issued")]
    KeyBindingPresent,
}

/// A credential in its holder's hands: verified, with all its disclosures.
#[derive(Clone)]
pub struct SdJwtVc {
    content: Content,
    /// Nobody's word is taken for a text that was only opened again.
    issuer: Option<VerifiedChain>,
    text: String,
    jwt_len: usize,
    algorithm: SignatureAlgorithm,
    hash: HashAlgorithm,
}

/// A credential as a verifier received it: verified, with what the holder chose to show, bound to this request.
#[derive(Clone)]
pub struct PresentedCredential {
    content: Content,
    issuer: VerifiedChain,
    key_binding: KeyBinding,
}

/// What both have.
#[derive(Clone)]
pub(super) struct Content {
    pub(super) registered: Registered,
    pub(super) claims: Map<String, Value>,
    pub(super) disclosures: Vec<Disclosure>,
    /// Elements of arrays that are not disclosed, as positions in what the issuer signed.
    pub(super) hidden: Vec<ClaimPath>,
}

impl Content {
    /// Processes what was parsed, and reads what it says about itself.
    pub(super) fn process<E>(parsed: SdJwtIn<'_>) -> Result<Self, E>
    where
        E: From<DisclosureError> + From<ClaimError>,
    {
        let processed = process(parsed.payload, parsed.disclosures, &parsed.digests, &NEVER_DISCLOSABLE)?;
        let registered = Registered::read(&processed.claims)?;
        // Disclosures follow the JWT, each after one `~`.
        let mut start = memchr::memchr(b'~', parsed.text.as_bytes()).map_or(0, |at| at + 1);
        let ranges = parsed.disclosure_texts.iter().map(|text| {
            let range = start..start + text.len();
            start = range.end + 1;
            range
        });
        let disclosures = processed.places.into_iter().zip(ranges).map(|(place, range)| Disclosure { place, range });
        let (disclosures, hidden) = (disclosures.collect(), processed.hidden);
        Ok(Self { registered, disclosures, hidden, claims: processed.claims })
    }
}

impl SdJwtVc {
    pub(super) fn new(
        content: Content,
        issuer: Option<VerifiedChain>,
        text: String,
        algorithm: SignatureAlgorithm,
        hash: HashAlgorithm,
    ) -> Self {
        let jwt_len = text.find('~').unwrap_or(text.len());
        Self { content, issuer, text, jwt_len, algorithm, hash }
    }

    /// Opens a text again that its holder verified before and has kept where nobody else could change it.
    ///
    /// Checks the form and the digests. Does *not* check signature, chain or times: there is no [`SdJwtVc::issuer`].
    ///
    /// # Errors
    /// [`ReopenError`].
    pub fn reopen(text: &str) -> Result<Self, ReopenError> {
        let parsed = SdJwtIn::parse_accepting(text, SignatureAlgorithms::ALL)?;
        if parsed.key_binding.is_some() {
            return Err(ReopenError::KeyBindingPresent);
        }
        let (algorithm, hash) = (parsed.jws().header().alg, parsed.hash);
        let content = Content::process::<ReopenError>(parsed)?;
        Ok(Self::new(content, None, text.to_owned(), algorithm, hash))
    }

    /// By which algorithm its issuer signed it.
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// Who signed it, when it was verified; `None` when it was opened again.
    pub const fn issuer(&self) -> Option<&VerifiedChain> {
        self.issuer.as_ref()
    }

    /// The text as it was issued.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The paths of everything that the holder may show or keep.
    ///
    /// # Source
    /// Indices are those of the processed payload, as OpenID4VP 1.0 §7 reads them.
    pub fn disclosable_paths(&self) -> Vec<ClaimPath> {
        self.content.disclosures.iter().map(|disclosure| disclosure.path().clone()).collect()
    }

    /// Chooses what to show: for each path what it selects, with what stands above it (or it could not be shown) and below.
    ///
    /// # Errors
    /// [`SelectError::NoSuchClaim`] for a path that selects nothing.
    ///
    /// # Source
    /// RFC 9901 §7.2 step 2.
    pub fn select(&self, paths: &[ClaimPath]) -> Result<Selection<'_>, SelectError> {
        Selection::new(self, paths)
    }

    /// As [`SdJwtVc::select`] without what stands below: a claim whose own claims are disclosable is shown without them.
    ///
    /// # Errors
    /// As [`SdJwtVc::select`].
    pub fn select_exactly(&self, paths: &[ClaimPath]) -> Result<Selection<'_>, SelectError> {
        Selection::exactly(self, paths)
    }

    pub(super) fn issuer_signed(&self) -> &str {
        self.text.get(..self.jwt_len).unwrap_or_default()
    }

    pub(super) const fn hash(&self) -> HashAlgorithm {
        self.hash
    }
}

impl PresentedCredential {
    pub(super) const fn new(content: Content, issuer: VerifiedChain, key_binding: KeyBinding) -> Self {
        Self { content, issuer, key_binding }
    }

    /// Who signed it.
    pub const fn issuer(&self) -> &VerifiedChain {
        &self.issuer
    }

    /// What the holder signed for this request.
    pub const fn key_binding(&self) -> &KeyBinding {
        &self.key_binding
    }

    /// The paths of everything that the holder chose to show. Indices of array elements count those not shown: they are
    /// positions in what the issuer signed, the same for holder and verifier.
    pub fn disclosed_paths(&self) -> Vec<ClaimPath> {
        self.content.disclosures.iter().map(|disclosure| disclosure.place.signed_path().clone()).collect()
    }
}

/// The getters that both have.
macro_rules! getters {
    ($($type:ty),*) => {$(
        impl $type {
            /// The type.
            pub fn vct(&self) -> &str {
                &self.content.registered.vct
            }

            /// The digest that the issuer gives of the type metadata of `vct`, as it stands.
            ///
            /// # Source
            /// SD-JWT VC §5.3.
            pub fn vct_integrity(&self) -> Option<&str> {
                self.content.claims.get("vct#integrity").and_then(Value::as_str)
            }

            /// Its claims by their positions in what was issued.
            pub fn as_issued(&self) -> AsIssued<'_> {
                AsIssued::new(&self.content)
            }

            /// Whether the issuer says it is of type `vct`: by `vct` or by `aka_vcts`, byte for byte.
            ///
            /// # Source
            /// SD-JWT VC §2.2.2.1, §2.2.2.2.
            pub fn is_of_type(&self, vct: &str) -> bool {
                let registered = &self.content.registered;
                registered.vct == vct || registered.other_types.iter().any(|other| other == vct)
            }

            /// The processed payload: what is visible and what is disclosed, registered claims too.
            pub const fn claims(&self) -> &Map<String, Value> {
                &self.content.claims
            }

            /// The disclosures, in the order of the text.
            pub fn disclosures(&self) -> &[Disclosure] {
                &self.content.disclosures
            }

            /// `iss`, where the issuer gave it; then it is a name in the leaf certificate.
            pub fn issuer_identifier(&self) -> Option<&str> {
                self.content.registered.issuer.as_deref()
            }

            /// The key the credential is bound to.
            pub const fn confirmation_key(&self) -> &PublicKey {
                &self.content.registered.confirmation_key
            }

            /// Where its status is found.
            pub const fn status(&self) -> Option<&StatusReference> {
                self.content.registered.status.as_ref()
            }

            /// `iat`.
            pub const fn issued_at(&self) -> Option<Timestamp> {
                self.content.registered.issued_at
            }

            /// `nbf`.
            pub const fn not_before(&self) -> Option<Timestamp> {
                self.content.registered.not_before
            }

            /// `exp`.
            pub const fn expires_at(&self) -> Option<Timestamp> {
                self.content.registered.expires_at
            }
        }
    )*};
}

getters!(SdJwtVc, PresentedCredential);

impl fmt::Debug for SdJwtVc {
    /// Type and times; no claim.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { content, issuer: _, text: _, jwt_len: _, algorithm: _, hash: _ } = self;
        f.debug_struct("SdJwtVc").field("vct", &content.registered.vct).finish_non_exhaustive()
    }
}

impl fmt::Debug for PresentedCredential {
    /// Type only; no claim.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { content, issuer: _, key_binding: _ } = self;
        f.debug_struct("PresentedCredential").field("vct", &content.registered.vct).finish_non_exhaustive()
    }
}
