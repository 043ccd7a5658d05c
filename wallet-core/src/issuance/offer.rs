//! The offer: the link an issuer shows, and the metadata that says what it stands for.

use super::error::{Answer, IssuanceError};
use super::metadata::{MetadataIn, ServerIn, read_issuer, read_server};
use super::offered::{Endpoints, Offered};
use super::signed_metadata::{self, Signed};
use super::signers::Signers;
use crate::effect::{Effect, Errand, Loopback, Outcome, Progress, address, identifier, well_known};
use crate::wire;
use credentials::trust::TrustAnchors;
use rand_core::CryptoRng;
use schemas::Timestamp;
use schemas::openid4vci::{
    AuthorizationCodeGrant, CredentialOffer, HAIP_OFFER_SCHEME, OFFER_SCHEME, OfferGrants, PreAuthorizedCodeGrant,
};
use std::collections::BTreeSet;
use url::Url;

/// The offer and the metadata behind it are being fetched.
#[derive(Debug)]
pub struct Fetching {
    effect: Effect,
    stage: Stage,
    /// Those that could vouch for the issuer.
    anchors: TrustAnchors,
    /// Those that did before.
    signers: Signers,
}

#[derive(Debug)]
enum Stage {
    Offer,
    Issuer(OfferIn),
    Server(Box<Located>),
}

/// An offer whose issuer has said where to go on.
#[derive(Debug)]
struct Located {
    offer: OfferIn,
    metadata: MetadataIn,
    server: String,
}

/// An offer with a pre-authorized code. Nothing in it is to be believed (OpenID4VCI 1.0 §13.5).
pub(super) struct OfferIn {
    pub(super) issuer: String,
    pub(super) configurations: Vec<String>,
    pub(super) grant: GrantIn,
}

/// How the offer wants a token to be had.
#[derive(Clone)]
pub(super) enum GrantIn {
    PreAuthorized(PreAuthorizedCodeGrant),
    AuthorizationCode(AuthorizationCodeGrant),
}

impl GrantIn {
    pub(super) const fn server(&self) -> Option<&String> {
        match self {
            Self::PreAuthorized(grant) => grant.authorization_server.as_ref(),
            Self::AuthorizationCode(grant) => grant.authorization_server.as_ref(),
        }
    }
}

/// The code is a secret.
impl std::fmt::Debug for OfferIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { issuer, configurations, grant: _ } = self;
        f.debug_struct("OfferIn")
            .field("issuer", issuer)
            .field("configurations", configurations)
            .finish_non_exhaustive()
    }
}

/// Reads an `openid-credential-offer://` link, or one of HAIP (`haip-vci://`), and sets out to fetch what it stands for.
///
/// # Errors
/// [`IssuanceError`], before anything was sent.
///
/// # Source
/// OpenID4VCI 1.0 §4.1 "Credential Offer"; HAIP 1.0 §4.2.
pub fn follow(link: &str) -> Result<Fetching, IssuanceError> {
    follow_trusting(link, TrustAnchors::default())
}

/// As [`follow`], asking for signed metadata: with it, one of these anchors may vouch for the issuer before a code is given
/// to it, see [`Offered::vouched_by`].
///
/// # Errors
/// [`IssuanceError`], before anything was sent.
///
/// # Source
/// OpenID4VCI 1.0 §12.2.3 "Signed Metadata".
pub fn follow_trusting(link: &str, anchors: TrustAnchors) -> Result<Fetching, IssuanceError> {
    follow_remembering(link, anchors, Signers::default())
}

/// As [`follow_trusting`], and holds an issuer to it when one of its signers is remembered: metadata without a signature, or
/// with another's, are refused then.
///
/// # Errors
/// [`IssuanceError`], before anything was sent.
///
/// # Source
/// OpenID4VCI 1.0 §12.2.3; HAIP 1.0 §4.1 "Issuer Authentication to a higher level than possible with TLS alone".
pub fn follow_remembering(link: &str, anchors: TrustAnchors, signers: Signers) -> Result<Fetching, IssuanceError> {
    let text = link.trim();
    let (scheme, _) = text.split_once(':').ok_or(IssuanceError::NotALink)?;
    let is_offer = [OFFER_SCHEME, HAIP_OFFER_SCHEME].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    if text.len() > MAX_LINK || !is_offer {
        return Err(IssuanceError::NotALink);
    }
    let link = Url::parse(text).map_err(|_| IssuanceError::NotALink)?;
    let mut offers =
        link.query_pairs().filter(|(name, _)| name == "credential_offer" || name == "credential_offer_uri");
    let (name, value) = offers.next().ok_or(IssuanceError::LinkParameters)?;
    if offers.next().is_some() {
        return Err(IssuanceError::LinkParameters);
    }
    if name == "credential_offer" {
        let offer = OfferIn::parse(value.as_bytes())?;
        let loopback = Loopback::as_named_by(&offer.issuer);
        return Fetching::metadata(offer, loopback, anchors, signers);
    }
    let loopback = Loopback::as_named_by(&value);
    let uri = address(&value, loopback).map_err(|error| IssuanceError::Address(Answer::Offer, error))?;
    let effect = Effect::get(uri).header("accept", "application/json");
    Ok(Fetching { effect, stage: Stage::Offer, anchors, signers })
}

impl Fetching {
    fn metadata(
        offer: OfferIn,
        loopback: Loopback,
        anchors: TrustAnchors,
        signers: Signers,
    ) -> Result<Self, IssuanceError> {
        let issuer =
            identifier(&offer.issuer, loopback).map_err(|error| IssuanceError::Address(Answer::Offer, error))?;
        // Nobody can vouch where there is nobody.
        let accept = if anchors.is_empty() { "application/json" } else { signed_metadata::ACCEPT };
        let effect = Effect::get(well_known(&issuer, "openid-credential-issuer")).header("accept", accept);
        Ok(Self { effect, stage: Stage::Issuer(offer), anchors, signers })
    }

    const fn answer(&self) -> Answer {
        match self.stage {
            Stage::Offer => Answer::Offer,
            Stage::Issuer(_) => Answer::IssuerMetadata,
            Stage::Server(_) => Answer::ServerMetadata,
        }
    }
}

impl Errand for Fetching {
    type Ready = Offered;
    type Error = IssuanceError;

    fn effect(&self) -> &Effect {
        &self.effect
    }

    fn resume(self, outcome: Outcome, now: Timestamp, _: &mut dyn CryptoRng) -> Result<Progress<Self>, IssuanceError> {
        let answer = self.answer();
        let Outcome::Response(response) = outcome else { return Err(IssuanceError::Unreachable(answer)) };
        if response.status != 200 {
            return Err(IssuanceError::Status { answer, status: response.status });
        }
        // What a public place says leads nowhere on this machine.
        let loopback = self.effect.loopback();
        match self.stage {
            Stage::Offer => {
                let offer = OfferIn::parse(&response.body)?;
                Self::metadata(offer, loopback, self.anchors, self.signers).map(Progress::Waiting)
            }
            Stage::Issuer(offer) => {
                let malformed = |wire::Malformed| IssuanceError::Malformed(Answer::IssuerMetadata);
                let remembered = self.signers.of(&offer.issuer);
                let (members, vouched) = if !self.anchors.is_empty() && signed_metadata::is_signed(&response) {
                    let Signed { members, by, signer, is_vouched_for } =
                        signed_metadata::verify(&response.body, &offer.issuer, &self.anchors, now)?;
                    if remembered.is_some_and(|known| !known.is_like(&signer)) {
                        return Err(IssuanceError::OtherSigner);
                    }
                    match (is_vouched_for, remembered) {
                        (true, _) => (members, Some((by, signer))),
                        (false, Some(_)) => return Err(IssuanceError::NobodyVouches),
                        // §12.2.3: what nobody vouches for is not used; the issuer is asked for what says no more than that.
                        (false, None) => {
                            let (anchors, signers) = (TrustAnchors::default(), self.signers);
                            return Self::metadata(offer, loopback, anchors, signers).map(Progress::Waiting);
                        }
                    }
                } else if remembered.is_some() {
                    return Err(IssuanceError::OtherSigner);
                } else {
                    (wire::object(&response.body).map_err(malformed)?, None)
                };
                let (mut metadata, server) = read_issuer(members, &offer, loopback)?;
                metadata.vouched = vouched;
                let url = identifier(&server, loopback).map_err(|error| IssuanceError::Address(answer, error))?;
                let effect =
                    Effect::get(well_known(&url, "oauth-authorization-server")).header("accept", "application/json");
                Ok(Progress::Waiting(Self {
                    effect,
                    stage: Stage::Server(Box::new(Located { offer, metadata, server })),
                    anchors: self.anchors,
                    signers: self.signers,
                }))
            }
            Stage::Server(located) => {
                let Located { offer, metadata, server } = *located;
                let ServerIn { token: token_endpoint, dpop, authorization, client } =
                    read_server(&response.body, &server, &offer.grant, loopback)?;
                let MetadataIn { issuer_name, kinds, batch_size, vouched, .. } = metadata;
                let endpoints = Endpoints {
                    token: token_endpoint,
                    nonce: metadata.nonce_endpoint,
                    credential: metadata.credential_endpoint,
                    deferred: metadata.deferred_endpoint,
                    notification: metadata.notification_endpoint,
                    encryption: metadata.encryption,
                    dpop,
                    authorization,
                    client,
                };
                let offered = Offered::new(offer.issuer, issuer_name, offer.grant, kinds, endpoints, batch_size);
                Ok(Progress::Ready(offered.vouched(vouched)))
            }
        }
    }
}

impl OfferIn {
    fn parse(bytes: &[u8]) -> Result<Self, IssuanceError> {
        let malformed = |wire::Malformed| IssuanceError::Malformed(Answer::Offer);
        let offer: CredentialOffer = wire::shaped(wire::object(bytes).map_err(malformed)?).map_err(malformed)?;
        let CredentialOffer { credential_issuer, credential_configuration_ids, grants } = offer;
        let unique: BTreeSet<&String> = credential_configuration_ids.iter().collect();
        let count = credential_configuration_ids.len();
        if count == 0 || count > MAX_CONFIGURATIONS || unique.len() != count {
            return Err(IssuanceError::Malformed(Answer::Offer));
        }
        let OfferGrants { pre_authorized_code, authorization_code } = grants.unwrap_or_default();
        // The code that the desk has given already asks the least of the person.
        let grant = match (pre_authorized_code, authorization_code) {
            (Some(grant), _) => GrantIn::PreAuthorized(grant),
            (None, Some(grant)) => GrantIn::AuthorizationCode(grant),
            (None, None) => return Err(IssuanceError::NoGrant),
        };
        Ok(Self { issuer: credential_issuer, configurations: credential_configuration_ids, grant })
    }
}

const MAX_LINK: usize = 64 * 1024;
const MAX_CONFIGURATIONS: usize = 8;
