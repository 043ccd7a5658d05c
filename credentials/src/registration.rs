//! Registrations: what a registrar says that a verifier may ask for, checked by wallets and written by registrars.

#[cfg(test)]
mod tests;

use crate::consent::ProposedConsent;
use crate::dcql::{Query, check_path};
use crate::json::Limits;
use crate::jws::{self, JwsIn};
use crate::request_object::AuthenticatedRequest;
use crate::signer::{SignError, Signer};
use crate::trust::{CertificateChain, Trust, TrustAnchors, Usage, VerifiedChain};
use schemas::dcql::CredentialQuery;
use schemas::openid4vp::VerifierInfo;
use schemas::purpose::Purpose;
use schemas::registration::{FORMAT, RegisteredClaim, RegisteredCredential, RegistrationClaims, TYP};
use schemas::status::{Status, StatusReference};
use schemas::{ClaimPath, Seconds, Timestamp};
use serde_json::{Map, Value};

/// How many registrations a request may bring.
const MOST: usize = 8;
/// How many elements a list in one may have, and how many bytes a text.
const MOST_LIST: usize = 128;
const MOST_TEXT: usize = 512;
/// A registration is made for so long at most: one that names no status list cannot be withdrawn before.
pub const LONGEST: Seconds = Seconds::DAY.times(366);
/// How far ahead of the clock it may have been made.
const AHEAD: Seconds = Seconds::MINUTE;

/// Why a registration of a registrar that is trusted does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistrationError {
    /// More than are read.
    #[error("request brings more than {MOST} registrations")]
    TooMany,
    /// Another kind of token, or one that another key signed.
    #[error("signature of the registration is wrong")]
    Signature,
    /// A member is missing or of the wrong kind.
    #[error("registration has missing or malformed members")]
    Malformed,
    /// It is another verifier's.
    #[error("registration is of another verifier")]
    OtherVerifier,
    /// It has ended, is not good yet, or would be for longer than a registration is.
    #[error("registration is not of this time")]
    Time,
    /// It asks for something else than it is registered for.
    #[error("verifier is not registered for the purpose that it names")]
    Purpose,
    /// The registrar took it back: [`Registrations::after`].
    #[error("registration was withdrawn")]
    Withdrawn,
}

/// A registration that was verified, of the verifier that asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    claims: RegistrationClaims,
    registrar: VerifiedChain,
}

impl Registration {
    /// What it says.
    pub const fn claims(&self) -> &RegistrationClaims {
        &self.claims
    }

    /// Who says so.
    pub const fn registrar(&self) -> &VerifiedChain {
        &self.registrar
    }

    /// Where it is said whether it was withdrawn.
    pub fn status(&self) -> Option<&StatusReference> {
        self.claims.status.as_ref().map(|status| &status.status_list)
    }

    /// The purposes in it that are known.
    pub fn purposes(&self) -> impl Iterator<Item = Purpose> + '_ {
        self.claims.purposes.iter().filter_map(|code| Purpose::ALL.into_iter().find(|purpose| purpose.wire() == code))
    }

    fn covers(&self, query: &CredentialQuery, path: &ClaimPath) -> bool {
        self.claims.credentials.iter().any(|registered| {
            registered.format == query.format
                && is_within(query.meta.vct_values.as_deref(), registered.meta.vct_values.as_deref())
                && is_within(query.meta.doctype_value.as_slice(), registered.meta.doctype_value.as_slice())
                && registered.claims.iter().any(|claim| claim.path.covers(path))
        })
    }
}

/// Whether everything asked for is among what is registered; who asks for any type asks for more than is ever registered.
fn is_within<'l>(asked: impl Into<Option<&'l [String]>>, registered: impl Into<Option<&'l [String]>>) -> bool {
    match (asked.into(), registered.into()) {
        (asked, Some(registered)) => {
            asked.unwrap_or_default().iter().all(|one| registered.contains(one)) && asked.is_some()
        }
        (None | Some([]), None) => true,
        (Some(_), None) => false,
    }
}

/// The registrations of the verifier that asks, all of them verified; none of them when it is not registered with anybody who is
/// trusted for that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registrations(Vec<Registration>);

impl Registrations {
    /// Looks for registrations in a request and verifies them.
    ///
    /// What a registrar signed who is not among `registrars` is nobody's word, and as if it were not there. What one signed who is
    /// must hold: whoever shows another's registration, or one that has ended, is refused.
    ///
    /// What is *not* looked up here is whether it was withdrawn since: see [`Registrations::after`].
    ///
    /// # Errors
    /// [`RegistrationError`].
    ///
    /// # Source
    /// OpenID4VP 1.0 §5.1 `verifier_info`: whoever uses it must check the signature and that it is of this verifier; ETSI TS 119 475.
    pub fn of(
        request: &AuthenticatedRequest,
        registrars: &TrustAnchors,
        now: Timestamp,
    ) -> Result<Self, RegistrationError> {
        // Nobody signed what says so.
        let Some(verifier) = request.verifier() else { return Ok(Self::default()) };
        let entries = request.request().verifier_info.iter().flatten();
        let texts: Vec<&str> = entries.filter_map(text).collect();
        if texts.len() > MOST {
            return Err(RegistrationError::TooMany);
        }
        let mut found = Self::default();
        for text in texts {
            let Some((jws, registrar)) = signed_by_known(text, registrars, now) else { continue };
            let claims = verified(&jws, &registrar, now)?;
            // A stranger chose the name in its certificate itself; its identifier it did not.
            let is_known_by_name = verifier.trust() == Trust::Known && claims.sub == verifier.subject();
            if claims.sub != request.client_id().as_str() && !is_known_by_name {
                return Err(RegistrationError::OtherVerifier);
            }
            found.0.push(Registration { claims, registrar });
        }
        found.check_purposes(request.consent())?;
        Ok(found)
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Registration> {
        self.0.iter()
    }

    /// What is left of them after the status lists that they name, by `stands`: what a current list says of an entry, or
    /// nothing where none is to be had. One of which nobody says that it stands is nobody's word, and as if it were not there.
    ///
    /// # Errors
    /// [`RegistrationError::Withdrawn`] when a list speaks against one; [`RegistrationError::Purpose`] when those that are left
    /// are for something else than the request.
    ///
    /// # Source
    /// Token Status List §8.3; ETSI TS 119 475 `status`; `docs/decisions/0132`.
    pub fn after(
        self,
        stands: impl Fn(&StatusReference) -> Option<Status>,
        proposed: Option<&ProposedConsent>,
    ) -> Result<Self, RegistrationError> {
        let mut left = Self::default();
        for one in self.0 {
            match one.status().map(&stands) {
                None | Some(Some(Status::Valid)) => left.0.push(one),
                Some(Some(_)) => return Err(RegistrationError::Withdrawn),
                Some(None) => {}
            }
        }
        left.check_purposes(proposed)?;
        Ok(left)
    }

    /// # Source
    /// Attack 69: a purpose that is not registered is refused.
    fn check_purposes(&self, proposed: Option<&ProposedConsent>) -> Result<(), RegistrationError> {
        let is_registered = |purpose| self.iter().any(|one| one.purposes().any(|registered| registered == purpose));
        let is_refused = proposed.is_some_and(|proposed| !proposed.purposes().all(is_registered));
        if is_refused && !self.is_empty() { Err(RegistrationError::Purpose) } else { Ok(()) }
    }

    /// Whether the verifier is registered to ask for `path` by that query, for one of `purposes`; for any where none is named.
    pub fn cover(&self, query: &CredentialQuery, path: &ClaimPath, purposes: &[Purpose]) -> bool {
        let is_for =
            |one: &Registration| purposes.is_empty() || one.purposes().any(|purpose| purposes.contains(&purpose));
        self.iter().any(|one| is_for(one) && one.covers(query, path))
    }
}

fn text(info: &VerifierInfo) -> Option<&str> {
    info.data.as_str().filter(|_| info.format == FORMAT)
}

/// The token and who signed it, if that is a registrar who is known.
fn signed_by_known<'t>(text: &'t str, registrars: &TrustAnchors, now: Timestamp) -> Option<(JwsIn<'t>, VerifiedChain)> {
    let jws = JwsIn::parse(text, &Limits::TOKEN).ok()?;
    let registrar = jws.header().x5c.as_ref()?.verify(registrars, Usage::VerifierRegistering, now).ok()?;
    Some((jws, registrar))
}

fn verified(
    jws: &JwsIn<'_>,
    registrar: &VerifiedChain,
    now: Timestamp,
) -> Result<RegistrationClaims, RegistrationError> {
    jws.expect_type(TYP).and_then(|()| jws.expect_no_jwk()).map_err(|_| RegistrationError::Signature)?;
    jws.verify(registrar.leaf_key()).map_err(|_| RegistrationError::Signature)?;
    let claims = claims(jws)?;
    if claims.iat > now.plus(AHEAD) || now >= claims.exp || claims.exp > claims.iat.plus(LONGEST) {
        return Err(RegistrationError::Time);
    }
    Ok(claims)
}

fn claims(jws: &JwsIn<'_>) -> Result<RegistrationClaims, RegistrationError> {
    let payload = jws.payload_object(&Limits::TOKEN).map_err(|_| RegistrationError::Malformed)?;
    let claims: RegistrationClaims =
        serde_json::from_value(Value::Object(payload)).map_err(|_| RegistrationError::Malformed)?;
    let short = |text: &str| (1..=MOST_TEXT).contains(&text.len());
    let authority = claims.supervisory_authority.clone().unwrap_or_default();
    let texts = [&claims.contact, &authority.name, &authority.email, &authority.phone, &authority.uri];
    let paths = || claims.credentials.iter().flat_map(|credential| &credential.claims);
    let holds = short(&claims.sub)
        && short(&claims.name)
        && texts.into_iter().flatten().all(|text| short(text))
        && claims.purposes.len() <= MOST_LIST
        && claims.credentials.len() <= MOST_LIST
        && paths().count() <= MOST_LIST
        && paths().all(|claim| check_path(&claim.path).is_ok());
    if holds { Ok(claims) } else { Err(RegistrationError::Malformed) }
}

/// Reads a registration without believing it: for a verifier that is about to send its own.
///
/// # Errors
/// [`RegistrationError::Malformed`].
pub fn read_own(text: &str) -> Result<RegistrationClaims, RegistrationError> {
    let jws = JwsIn::parse(text, &Limits::TOKEN).map_err(|_| RegistrationError::Malformed)?;
    jws.expect_type(TYP).map_err(|_| RegistrationError::Malformed)?;
    claims(&jws)
}

/// What a query asks for, as it is registered.
pub fn registered(query: &Query) -> Vec<RegisteredCredential> {
    let registered = |credential: &CredentialQuery| RegisteredCredential {
        format: credential.format.clone(),
        meta: credential.meta.clone(),
        claims: credential.claims.iter().flatten().map(|claim| RegisteredClaim { path: claim.path.clone() }).collect(),
    };
    query.credentials().iter().map(registered).collect()
}

/// Signs a registration with the key of the chain's leaf. Checks nothing: a wallet will.
///
/// # Errors
/// [`SignError`] when the key is out of reach.
pub fn sign(claims: &RegistrationClaims, chain: &CertificateChain, signer: &dyn Signer) -> Result<String, SignError> {
    let mut header = Map::new();
    header.insert("alg".to_owned(), Value::from("ES256"));
    header.insert("typ".to_owned(), Value::from(TYP));
    header.insert("x5c".to_owned(), Value::from(chain.to_x5c()));
    let payload = serde_json::to_vec(claims).map_err(|_| SignError::Unavailable)?;
    jws::sign(&header, &payload, signer)
}
