//! Enrolling with a provider: who it is, and the first attestations.

use super::TellsApart;
use super::cohort::apart;
use super::error::AttestationError;
use super::stock::{Batch, Stock};
use crate::effect::{Effect, Errand, Loopback, Outcome, Progress, identifier, well_known};
use crate::holdings::{Holdings, HoldingsError};
use crate::issuance::{CLIENT_ID, Secret};
use crate::vault::{RecordId, RecordKind};
use crate::wire;
use credentials::b64;
use rand_core::CryptoRng;
use schemas::Timestamp;
use schemas::wallet_provider::{ProviderMetadata, WELL_KNOWN};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use url::Url;

/// The code that all wallets of a provider share.
pub struct ProviderCode(Secret);

impl ProviderCode {
    /// The code in a text; space around it is dropped.
    ///
    /// # Errors
    /// [`AttestationError::Code`].
    pub fn parse(text: &str) -> Result<Self, AttestationError> {
        let text = text.trim();
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        if (1..=MAX_CODE).contains(&text.len()) && is_plain {
            Ok(Self(Secret::new(text)))
        } else {
            Err(AttestationError::Code)
        }
    }
}

impl fmt::Debug for ProviderCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self;
        f.debug_struct("ProviderCode").finish_non_exhaustive()
    }
}

/// A provider as it stands in the vault.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Provider {
    v: u8,
    pub(super) metadata: ProviderMetadata,
    pub(super) code: Secret,
    /// The certificates under its first attestations: from then on the same in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x5c: Option<Value>,
}

/// The provider is being asked who it is, and for attestations.
pub struct Enrolling {
    effect: Effect,
    stage: Stage,
}

enum Stage {
    Metadata { url: String, code: Secret },
    Batch { provider: Box<Provider>, batch: Batch },
}

/// A provider that vouches for this wallet, with its first attestations.
#[must_use = "without it, nobody vouches for this wallet"]
pub struct Enrolled {
    pub(super) provider: Provider,
    pub(super) stock: Stock,
}

/// Sets out to be vouched for by the provider at `url`, the person's own word.
///
/// # Errors
/// [`AttestationError::Address`].
pub fn enrol(url: &str, code: ProviderCode) -> Result<Enrolling, AttestationError> {
    let text = url.trim().trim_end_matches('/');
    let url = identifier(text, Loopback::as_named_by(text))?;
    let effect = Effect::get(well_known(&url, WELL_KNOWN)).header("accept", "application/json");
    Ok(Enrolling { effect, stage: Stage::Metadata { url: text.to_owned(), code: code.0 } })
}

impl Errand for Enrolling {
    type Ready = Enrolled;
    type Error = AttestationError;

    fn effect(&self) -> &Effect {
        &self.effect
    }

    fn resume(
        self,
        outcome: Outcome,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Progress<Self>, AttestationError> {
        let Outcome::Response(response) = outcome else { return Err(AttestationError::Unreachable) };
        match self.stage {
            Stage::Metadata { url, code } => {
                if response.status != 200 {
                    return Err(AttestationError::Status(response.status));
                }
                let malformed = |wire::Malformed| AttestationError::Malformed;
                let metadata: ProviderMetadata =
                    wire::shaped(wire::object(&response.body).map_err(malformed)?).map_err(malformed)?;
                // One client id for all copies of this program: another could be this wallet's alone.
                if metadata.provider != url || metadata.client_id != CLIENT_ID {
                    return Err(AttestationError::OtherProvider);
                }
                let provider = Box::new(Provider { v: VERSION, metadata, code, x5c: None });
                let (effect, batch) = Batch::ask(&provider, rng)?;
                Ok(Progress::Waiting(Self { effect, stage: Stage::Batch { provider, batch } }))
            }
            Stage::Batch { mut provider, batch } => {
                let stock = batch.read(&response, &provider, now)?;
                provider.x5c = stock.first().and_then(x5c);
                Ok(Progress::Ready(Enrolled { provider: *provider, stock }))
            }
        }
    }
}

/// The header of an attestation.
pub(super) fn header(attestation: &str) -> Option<Map<String, Value>> {
    wire::object(&b64::decode(attestation.split('.').next()?).ok()?).ok()
}

/// The certificates in it.
fn x5c(attestation: &str) -> Option<Value> {
    header(attestation)?.remove("x5c")
}

impl Provider {
    /// Refuses an attestation under other certificates than the first: they could be this wallet's alone.
    pub(super) fn expect_header(&self, attestation: &str) -> Result<(), TellsApart> {
        if self.x5c.is_some() && x5c(attestation) != self.x5c { Err(apart("x5c")) } else { Ok(()) }
    }

    /// An endpoint of it: on its own host, nowhere else.
    pub(super) fn endpoint(&self, text: &str) -> Result<Url, AttestationError> {
        let own = identifier(&self.metadata.provider, Loopback::as_named_by(&self.metadata.provider))?;
        let url = identifier(text, Loopback::of(&own))?;
        if url.origin() == own.origin() { Ok(url) } else { Err(AttestationError::OtherProvider) }
    }
}

impl Holdings<'_> {
    /// Keeps a provider and what it gave. Another one before it is left: nothing of it is shown beside what the new one says.
    /// Save the vault to make it so on disk.
    ///
    /// # Errors
    /// [`HoldingsError`] when there is no room.
    pub fn enrol(&mut self, enrolled: Enrolled, rng: &mut dyn CryptoRng) -> Result<(), HoldingsError> {
        let Enrolled { provider, stock } = enrolled;
        self.leave_provider(rng)?;
        self.write(RecordKind::PROVIDER, None, &provider, rng)?;
        self.stock(stock, rng)
    }

    /// Drops the provider and every attestation; gives whether there was one.
    ///
    /// # Errors
    /// [`HoldingsError`].
    pub fn leave_provider(&mut self, rng: &mut dyn CryptoRng) -> Result<bool, HoldingsError> {
        let providers = self.records.ids(RecordKind::PROVIDER);
        let ids: Vec<RecordId> =
            providers.iter().copied().chain(self.records.ids(RecordKind::WALLET_ATTESTATION)).collect();
        for id in ids {
            self.records.remove(id, rng)?;
        }
        Ok(!providers.is_empty())
    }

    /// The address of the provider that vouches for this wallet.
    pub fn provider(&self) -> Option<crate::display::Shown> {
        self.current_provider().map(|provider| crate::display::Shown::text(&provider.metadata.provider))
    }

    pub(crate) fn current_provider(&self) -> Option<Provider> {
        let ids = self.records.ids(RecordKind::PROVIDER).into_iter();
        ids.filter_map(|id| self.parse::<Provider>(id).ok()).find(|provider| provider.v == VERSION)
    }
}

impl Enrolled {
    /// What people call the wallets of this provider.
    pub fn wallet_name(&self) -> crate::display::Shown {
        crate::display::Shown::name(&self.provider.metadata.wallet_name)
    }

    /// How many attestations came.
    pub fn attestations(&self) -> usize {
        self.stock.len()
    }
}

/// The code is a secret.
impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { v: _, metadata, code: _, x5c: _ } = self;
        f.debug_struct("Provider").field("provider", &metadata.provider).finish_non_exhaustive()
    }
}

/// Everything in it is a secret or leads to one.
impl fmt::Debug for Enrolling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { effect, stage: _ } = self;
        f.debug_struct("Enrolling").field("effect", effect).finish_non_exhaustive()
    }
}

/// Keys are in it.
impl fmt::Debug for Enrolled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { provider, stock } = self;
        f.debug_struct("Enrolled").field("provider", provider).field("stock", stock).finish()
    }
}

const VERSION: u8 = 1;
const MAX_CODE: usize = 256;
