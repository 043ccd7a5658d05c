//! The offer: the link an issuer shows, and the metadata that says what it stands for.

use super::authorizing::AuthorizationEndpoints;
use super::client::Demand;
use super::encryption::Encryption;
use super::error::{Answer, IssuanceError};
use super::offered::{Endpoints, KeyProof, Kind, Offered};
use super::signed_metadata::{self, Signed};
use super::signers::{Signer, Signers};
use crate::effect::{Effect, Errand, Loopback, Outcome, Progress, address, identifier, well_known};
use crate::holdings::Format;
use crate::wire;
use credentials::mdoc;
use credentials::trust::TrustAnchors;
use rand_core::CryptoRng;
use schemas::Timestamp;
use schemas::openid4vci::{
    AUTHORIZATION_CODE_GRANT, AuthorizationCodeGrant, AuthorizationServerMetadata, CredentialConfiguration,
    CredentialOffer, IssuerMetadata, OFFER_SCHEME, OfferGrants, PRE_AUTHORIZED_CODE_GRANT, PreAuthorizedCodeGrant,
    ProofType, SD_JWT_VC_FORMAT,
};
use serde_json::{Map, Value};
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
struct OfferIn {
    issuer: String,
    configurations: Vec<String>,
    grant: GrantIn,
}

/// How the offer wants a token to be had.
#[derive(Clone)]
pub(super) enum GrantIn {
    PreAuthorized(PreAuthorizedCodeGrant),
    AuthorizationCode(AuthorizationCodeGrant),
}

impl GrantIn {
    const fn server(&self) -> Option<&String> {
        match self {
            Self::PreAuthorized(grant) => grant.authorization_server.as_ref(),
            Self::AuthorizationCode(grant) => grant.authorization_server.as_ref(),
        }
    }
}

/// The issuer's metadata, as far as the offer needs it.
#[derive(Debug)]
struct MetadataIn {
    issuer_name: Option<String>,
    kinds: Vec<Kind>,
    credential_endpoint: Url,
    nonce_endpoint: Option<Url>,
    deferred_endpoint: Option<Url>,
    notification_endpoint: Option<Url>,
    encryption: Option<Encryption>,
    batch_size: usize,
    vouched: Option<(String, Signer)>,
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

/// Reads an `openid-credential-offer://` link and sets out to fetch what it stands for.
///
/// # Errors
/// [`IssuanceError`], before anything was sent.
///
/// # Source
/// OpenID4VCI 1.0 §4.1 "Credential Offer".
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
    if text.len() > MAX_LINK || !scheme.eq_ignore_ascii_case(OFFER_SCHEME) {
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
                    match signed_metadata::verify(&response.body, &offer.issuer, &self.anchors, now)? {
                        Some(Signed { signer, .. }) if remembered.is_some_and(|known| !known.is_like(&signer)) => {
                            return Err(IssuanceError::OtherSigner);
                        }
                        Some(Signed { members, by, signer }) => (members, Some((by, signer))),
                        None if remembered.is_some() => return Err(IssuanceError::OtherSigner),
                        // §12.2.3: what nobody vouches for is not used; the issuer is asked for what says no more than that.
                        None => {
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

/// The issuer's metadata and the identifier of the authorization server to use.
///
/// # Source
/// OpenID4VCI 1.0 §12.2.
fn read_issuer(
    mut members: Map<String, Value>,
    offer: &OfferIn,
    loopback: Loopback,
) -> Result<(MetadataIn, String), IssuanceError> {
    let malformed = |wire::Malformed| IssuanceError::Malformed(Answer::IssuerMetadata);
    // Only what is offered is read: another configuration may be of a format whose members we do not know.
    let Some(Value::Object(supported)) =
        members.insert("credential_configurations_supported".into(), Value::Object(Map::new()))
    else {
        return Err(IssuanceError::Malformed(Answer::IssuerMetadata));
    };
    let metadata: IssuerMetadata = wire::shaped(members).map_err(malformed)?;
    if metadata.credential_issuer != offer.issuer {
        return Err(IssuanceError::OtherIssuer);
    }
    let kinds: Vec<Kind> = offer.configurations.iter().filter_map(|id| kind(id, supported.get(id)?)).collect();
    if kinds.is_empty() {
        return Err(IssuanceError::NothingToHold);
    }
    let server = server(&metadata, &offer.grant)?;
    let encryption = Encryption::offered(&metadata)?;
    let reach =
        |text: &str| address(text, loopback).map_err(|error| IssuanceError::Address(Answer::IssuerMetadata, error));
    let read = MetadataIn {
        vouched: None,
        issuer_name: metadata.display.unwrap_or_default().into_iter().find_map(|display| display.name),
        kinds,
        credential_endpoint: reach(&metadata.credential_endpoint)?,
        nonce_endpoint: metadata.nonce_endpoint.as_deref().map(reach).transpose()?,
        deferred_endpoint: metadata.deferred_credential_endpoint.as_deref().map(reach).transpose()?,
        notification_endpoint: metadata.notification_endpoint.as_deref().map(reach).transpose()?,
        encryption,
        batch_size: metadata
            .batch_credential_issuance
            .map_or(1, |batch| usize::try_from(batch.batch_size).unwrap_or(1))
            .max(1),
    };
    Ok((read, server))
}

/// What is offered, if this wallet can hold it.
///
/// # Source
/// OpenID4VCI 1.0 §12.2.4, §A.2.2, §A.3.2.
fn kind(id: &str, configuration: &Value) -> Option<Kind> {
    let configuration: CredentialConfiguration = serde_json::from_value(configuration.clone()).ok()?;
    let CredentialConfiguration {
        format,
        vct,
        doctype,
        cryptographic_binding_methods_supported: bindings,
        credential_signing_alg_values_supported: signed_with,
        proof_types_supported: proofs,
        credential_metadata,
        scope,
    } = configuration;
    // In mdoc the names are numbers: ES256, and ES256 with P-256 named as well (§A.2.2).
    let (format, type_id, binding, algorithms) = match format.as_str() {
        SD_JWT_VC_FORMAT => (Format::SdJwtVc, vct?, "jwk", vec![Value::from("ES256")]),
        mdoc::FORMAT => (Format::Mdoc, doctype?, "cose_key", vec![Value::from(-7), Value::from(-9)]),
        _ => return None,
    };
    let es256 = |list: &[Value]| list.iter().any(|name| name == "ES256");
    let proofs = proofs.unwrap_or_default();
    let usable = |name: &str| proofs.get(name).filter(|proof| es256(&proof.proof_signing_alg_values_supported));
    // An attestation names who vouches for this wallet: only where it is demanded.
    let proof = match (usable("jwt"), usable("attestation")) {
        (Some(ProofType { key_attestations_required: None, .. }), _) => KeyProof::Possession,
        (Some(_), _) => KeyProof::Attested,
        (None, Some(_)) => KeyProof::Attestation,
        (None, None) => return None,
    };
    let bound = bindings.is_none_or(|methods| methods.iter().any(|method| method == binding));
    let signed = signed_with.is_none_or(|names| names.iter().any(|name| algorithms.contains(name)));
    if !bound || !signed {
        return None;
    }
    let label = credential_metadata.and_then(|metadata| metadata.display?.into_iter().find_map(|display| display.name));
    Some(Kind { configuration: id.to_owned(), format, type_id, label, scope, proof })
}

/// Which authorization server to use.
///
/// # Source
/// OpenID4VCI 1.0 §12.2.4 `authorization_servers`, §4.1.1 `authorization_server`.
fn server(metadata: &IssuerMetadata, grant: &GrantIn) -> Result<String, IssuanceError> {
    let own = std::slice::from_ref(&metadata.credential_issuer);
    let servers = metadata.authorization_servers.as_deref().unwrap_or(own);
    match grant.server() {
        Some(named) if servers.contains(named) => Ok(named.clone()),
        Some(_) => Err(IssuanceError::UnlistedServer),
        None => servers.first().cloned().ok_or(IssuanceError::Malformed(Answer::IssuerMetadata)),
    }
}

/// The authorization server's metadata, as far as the offer needs it.
struct ServerIn {
    token: Url,
    /// Whether DPoP proofs with ES256 are taken.
    dpop: bool,
    authorization: Option<AuthorizationEndpoints>,
    /// What it demands to know of wallets.
    client: Option<Demand>,
}

/// # Source
/// RFC 8414 §2 (the default grants), §3.3 (exact match of `issuer`); RFC 9449 §5.1; for codes what keeps them from being
/// stolen or mixed up: RFC 9126 §5, RFC 7636 §4.2, RFC 9207 §3, all demanded by HAIP 1.0 §4.
fn read_server(bytes: &[u8], server: &str, grant: &GrantIn, loopback: Loopback) -> Result<ServerIn, IssuanceError> {
    let malformed = |wire::Malformed| IssuanceError::Malformed(Answer::ServerMetadata);
    let metadata: AuthorizationServerMetadata =
        wire::shaped(wire::object(bytes).map_err(malformed)?).map_err(malformed)?;
    if metadata.issuer != server {
        return Err(IssuanceError::OtherServer);
    }
    let name = match grant {
        GrantIn::PreAuthorized(_) => PRE_AUTHORIZED_CODE_GRANT,
        GrantIn::AuthorizationCode(_) => AUTHORIZATION_CODE_GRANT,
    };
    let client = Demand::of(&metadata, matches!(grant, GrantIn::PreAuthorized(_)));
    if metadata.grant_types_supported.is_some_and(|types| !types.iter().any(|known| known == name)) {
        return Err(IssuanceError::GrantNotSupported);
    }
    let reach =
        |text: &str| address(text, loopback).map_err(|error| IssuanceError::Address(Answer::ServerMetadata, error));
    let authorization = match grant {
        GrantIn::PreAuthorized(_) => None,
        GrantIn::AuthorizationCode(_) => {
            let methods = metadata.code_challenge_methods_supported.unwrap_or_default();
            let safe = methods.iter().any(|method| method == "S256")
                && metadata.authorization_response_iss_parameter_supported == Some(true);
            let (Some(authorize), Some(push), true) =
                (metadata.authorization_endpoint, metadata.pushed_authorization_request_endpoint, safe)
            else {
                return Err(IssuanceError::CodeNotGuarded);
            };
            Some(AuthorizationEndpoints {
                issuer: server.to_owned(),
                authorize: reach(&authorize)?,
                push: reach(&push)?,
            })
        }
    };
    let dpop = metadata.dpop_signing_alg_values_supported.unwrap_or_default().iter().any(|name| name == "ES256");
    Ok(ServerIn { token: reach(&metadata.token_endpoint)?, dpop, authorization, client })
}

const MAX_LINK: usize = 64 * 1024;
const MAX_CONFIGURATIONS: usize = 8;
