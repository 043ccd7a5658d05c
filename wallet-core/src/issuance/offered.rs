//! What an issuer offers, as the person is shown it before anything is asked for.

use super::access::Dpop;
use super::authorizing::{AuthorizationEndpoints, Pushing};
use super::client::{Attested, Demand};
use super::encryption::Encryption;
use super::error::IssuanceError;
use super::offer::GrantIn;
use super::plan::{Grant, Plan};
use super::redeeming::Redeeming;
use super::signers::Signer;
use crate::attestation::{Provider, WalletAttestation};
use crate::display::Shown;
use crate::holdings::{Format, Holdings};
use rand_core::CryptoRng;
use schemas::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use url::Url;
use zeroize::Zeroizing;

/// What an issuer offers.
///
/// All of it is the issuer's own word, unless [`Offered::vouched_by`] says who vouches for it; whether the issuer is known is
/// proved by the signature of what arrives in any case.
pub struct Offered {
    issuer: String,
    issuer_name: Option<String>,
    grant: GrantIn,
    kinds: Vec<Kind>,
    endpoints: Endpoints,
    batch_size: usize,
    vouched: Option<(String, Signer)>,
    attestation: Option<WalletAttestation>,
    provider: Option<Provider>,
}

/// One thing offered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kind {
    pub(super) configuration: String,
    pub(super) format: Format,
    /// The `vct` or the document type.
    pub(super) type_id: String,
    pub(super) label: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) scope: Option<String>,
    #[serde(default)]
    pub(super) proof: KeyProof,
}

/// How an issuer wants to know the keys of the copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) enum KeyProof {
    /// By a proof of possession of each.
    #[default]
    Possession,
    /// By a proof of possession with an attestation in its header.
    Attested,
    /// By an attestation alone.
    Attestation,
}

/// Where to go, and how.
#[derive(Debug, Clone)]
pub(super) struct Endpoints {
    pub(super) token: Url,
    pub(super) nonce: Option<Url>,
    pub(super) credential: Url,
    pub(super) deferred: Option<Url>,
    pub(super) notification: Option<Url>,
    pub(super) encryption: Option<Encryption>,
    pub(super) dpop: bool,
    pub(super) authorization: Option<AuthorizationEndpoints>,
    pub(super) client: Option<Demand>,
}

/// The transaction code that an offer asks for: something the issuer hands out another way, on paper or by word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxCodeWanted {
    /// Whether it has digits only.
    pub numeric: bool,
    /// How many characters it has.
    pub length: Option<u32>,
    /// Where the person finds it, in the issuer's words.
    pub description: Option<Shown>,
}

/// A transaction code. Sent once, wiped afterwards.
pub struct TxCode(Zeroizing<String>);

impl TxCode {
    /// A transaction code as typed; space around it is dropped.
    pub fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.trim().to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The code as it is sent, if it can be right: people write `1234 5678`, and the issuer counts wrong tries.
    fn fitting(self, wanted: &TxCodeWanted) -> Result<Self, IssuanceError> {
        let code = if wanted.numeric {
            Self(Zeroizing::new(self.0.chars().filter(|c| !matches!(c, ' ' | '-' | '\u{a0}')).collect()))
        } else {
            self
        };
        let length_fits = wanted.length.is_none_or(|length| code.0.chars().count() == length as usize);
        let digits_only = !wanted.numeric || code.0.bytes().all(|b| b.is_ascii_digit());
        if length_fits && digits_only && (1..=MAX_TX_CODE).contains(&code.0.len()) {
            Ok(code)
        } else {
            Err(IssuanceError::TxCodeShape { length: wanted.length })
        }
    }
}

impl fmt::Debug for TxCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self;
        f.debug_struct("TxCode").finish_non_exhaustive()
    }
}

impl Offered {
    /// How many copies are asked for when the person does not say, and at most.
    ///
    /// # Source
    /// `security.md` §8.
    pub const COPIES: usize = 30;

    pub(super) const fn new(
        issuer: String,
        issuer_name: Option<String>,
        grant: GrantIn,
        kinds: Vec<Kind>,
        endpoints: Endpoints,
        batch_size: usize,
    ) -> Self {
        Self {
            issuer,
            issuer_name,
            grant,
            kinds,
            endpoints,
            batch_size,
            vouched: None,
            attestation: None,
            provider: None,
        }
    }

    pub(super) fn vouched(self, vouched: Option<(String, Signer)>) -> Self {
        Self { vouched, ..self }
    }

    /// Whether the issuer gives only to wallets that a provider vouches for: then [`Offered::attested`] goes before all else.
    pub const fn wants_attestation(&self) -> bool {
        self.endpoints.client.is_some()
    }

    /// The same with an attestation that is for this offer alone.
    #[must_use]
    pub fn attested(self, attestation: WalletAttestation) -> Self {
        Self { attestation: Some(attestation), ..self }
    }

    /// The same with who attests keys for this wallet, if anybody does, where the issuer wants that.
    #[must_use]
    pub fn attested_by(self, holdings: &Holdings<'_>) -> Self {
        Self { provider: holdings.current_provider(), ..self }
    }

    /// The name in the certificate that signed the issuer's metadata, where a trust anchor of this wallet vouches for it.
    pub fn vouched_by(&self) -> Option<Shown> {
        self.vouched.as_ref().map(|(by, _)| Shown::name(by))
    }

    /// Remembers who vouches for the issuer, so that a later offer without that word is noticed. Save the vault to make it so on
    /// disk.
    ///
    /// # Errors
    /// [`IssuanceError::Holdings`] when there is no room.
    pub fn remember_signer(&self, holdings: &mut Holdings<'_>, rng: &mut dyn CryptoRng) -> Result<(), IssuanceError> {
        match &self.vouched {
            Some((_, signer)) => Ok(holdings.remember_signer(&self.issuer, signer, rng)?),
            None => Ok(()),
        }
    }

    /// The credential issuer identifier: the address that a transaction code would be sent to.
    pub fn issuer(&self) -> Shown {
        Shown::text(&self.issuer)
    }

    /// The name that the issuer gives itself.
    pub fn issuer_name(&self) -> Option<Shown> {
        self.issuer_name.as_deref().map(Shown::name)
    }

    /// Whether a credential of a known issuer came from this address before.
    pub fn met_before(&self, holdings: &Holdings<'_>) -> bool {
        let issuer = self.issuer();
        holdings.credentials().iter().any(|held| held.issuer_known() && held.issuer() == issuer)
    }

    /// The types offered, for people; one that comes in two formats is named once.
    pub fn types(&self) -> Vec<Shown> {
        let mut types: Vec<Shown> = self.kinds.iter().map(Kind::shown).collect();
        types.dedup();
        types
    }

    /// The transaction code that the issuer asks for, if it does.
    pub fn tx_code(&self) -> Option<TxCodeWanted> {
        let GrantIn::PreAuthorized(grant) = &self.grant else { return None };
        grant.tx_code.as_ref().map(|wanted| TxCodeWanted {
            numeric: wanted.input_mode.as_deref() != Some("text"),
            length: wanted.length.filter(|length| (1..=MAX_TX_CODE as u32).contains(length)),
            description: wanted.description.as_deref().map(Shown::text),
        })
    }

    /// How many copies of each there will be, when `wanted` are wished for: fewer where the issuer offers fewer.
    pub fn copies(&self, wanted: Option<usize>) -> usize {
        wanted.unwrap_or(Self::COPIES).clamp(1, Self::COPIES).min(self.batch_size)
    }

    /// Takes the offer up, with the transaction code when one is asked for. The person may try again with another code.
    ///
    /// # Errors
    /// [`IssuanceError::TxCodeMissing`], [`IssuanceError::TxCodeUnwanted`], [`IssuanceError::TxCodeShape`],
    /// [`IssuanceError::AttestationWanted`]: nothing was sent then. [`IssuanceError::Key`].
    pub fn accept(
        &self,
        tx_code: Option<TxCode>,
        copies: Option<usize>,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Redeeming, IssuanceError> {
        let tx_code = match (self.tx_code(), tx_code) {
            (None, None) => None,
            (Some(wanted), Some(code)) => Some(code.fitting(&wanted)?),
            (Some(_), None) => return Err(IssuanceError::TxCodeMissing),
            (None, Some(_)) => return Err(IssuanceError::TxCodeUnwanted),
        };
        let GrantIn::PreAuthorized(grant) = &self.grant else { return Err(IssuanceError::AuthorizationWanted) };
        let code = Zeroizing::new(grant.pre_authorized_code.clone());
        Redeeming::begin(self.plan(Grant::PreAuthorized { code, tx_code }, copies, rng)?, now, rng)
    }

    /// Whether the person has to go to the issuer's own page: then [`Offered::authorize`] goes on, and not
    /// [`Offered::accept`].
    pub const fn wants_authorization(&self) -> bool {
        self.endpoints.authorization.is_some()
    }

    /// Takes the offer up by the authorization code flow; the person comes back at `redirect_uri`.
    ///
    /// # Errors
    /// [`IssuanceError::Key`]; [`IssuanceError::GrantNotSupported`] where the offer has a pre-authorized code;
    /// [`IssuanceError::AttestationWanted`].
    ///
    /// # Source
    /// OpenID4VCI 1.0 §5; RFC 8252 §7.3 on `redirect_uri`.
    pub fn authorize(
        &self,
        redirect_uri: &str,
        copies: Option<usize>,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Pushing, IssuanceError> {
        let (GrantIn::AuthorizationCode(grant), Some(endpoints)) = (&self.grant, &self.endpoints.authorization) else {
            return Err(IssuanceError::GrantNotSupported);
        };
        let state = grant.issuer_state.clone().map(Zeroizing::new);
        let plan = self.plan(Grant::None, copies, rng)?;
        Pushing::begin(plan, endpoints.clone(), state, redirect_uri, now, rng)
    }

    fn plan(&self, grant: Grant, copies: Option<usize>, rng: &mut dyn CryptoRng) -> Result<Plan, IssuanceError> {
        // What nobody attests the keys of cannot be had: before a code is spent, not after.
        let can = |kind: &&Kind| kind.proof == KeyProof::Possession || self.provider.is_some();
        let kinds: Vec<Kind> = self.kinds.iter().filter(can).cloned().collect();
        if kinds.is_empty() {
            return Err(IssuanceError::AttestationWanted);
        }
        Ok(Plan {
            issuer: self.issuer.clone(),
            kinds,
            provider: self.provider.clone(),
            endpoints: self.endpoints.clone(),
            copies: self.copies(copies),
            grant,
            attested: Attested::meeting(self.endpoints.client.as_ref(), self.attestation.as_ref())?,
            dpop: if self.endpoints.dpop { Some(Dpop::generate(rng)?) } else { None },
        })
    }
}

/// The code is a secret.
impl fmt::Debug for Offered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issuer, issuer_name: _, grant: _, kinds, endpoints, batch_size, vouched, attestation, provider: _ } =
            self;
        f.debug_struct("Offered")
            .field("issuer", issuer)
            .field("kinds", kinds)
            .field("endpoints", endpoints)
            .field("batch_size", batch_size)
            .field("vouched_by", &vouched.as_ref().map(|(by, _)| by))
            .field("attestation", attestation)
            .finish_non_exhaustive()
    }
}

const MAX_TX_CODE: usize = 64;
