//! Attestations in store: a key each, had in batches, taken out one by one.

use super::cohort;
use super::error::AttestationError;
use super::provider::Provider;
use crate::effect::{Effect, Errand, Outcome, Progress, Response};
use crate::holdings::{Holdings, HoldingsError, Unsaved};
use crate::issuance::{Secret, key_from_text};
use crate::vault::RecordKind;
use crate::wire;
use credentials::b64;
use credentials::json::Limits;
use credentials::jws::JwsIn;
use credentials::key::PublicKey;
use credentials::signer::{Signer, SoftwareKey};
use credentials::wallet_attestation::{self, TYPE};
use rand_core::CryptoRng;
use schemas::wallet_provider::{WalletAttestationRequest, WalletAttestationResponse};
use schemas::{Seconds, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// How many are asked for at once: a cohort that can be compared, and a time without the provider.
const BATCH: usize = 8;
/// One that ends sooner is not begun with: the person may take their time on the issuer's page.
const LEEWAY: Seconds = Seconds::HOUR;

/// An attestation of this wallet with its key: good for one issuance, and taken out of the vault for it.
#[derive(Clone)]
pub struct WalletAttestation {
    text: Arc<str>,
    client_id: Arc<str>,
    key: Arc<SoftwareKey>,
}

/// Attestations that came, to be kept.
#[must_use = "without it, what the provider gave is lost"]
pub struct Stock {
    provider: String,
    attestations: Vec<(String, SoftwareKey, Timestamp)>,
}

/// Attestations that are asked for: the keys that they are to be for.
pub(super) struct Batch {
    keys: Vec<SoftwareKey>,
}

/// The provider is being asked for further attestations.
pub struct Restocking {
    effect: Effect,
    provider: Provider,
    batch: Batch,
}

/// One as it stands in the vault.
#[derive(Serialize, Deserialize)]
struct Record {
    v: u8,
    /// Whose it is: of another provider than the current one it is never shown.
    provider: String,
    client_id: String,
    text: String,
    key: Secret,
    expires_at: Timestamp,
}

impl WalletAttestation {
    /// The `client_id` that goes with it.
    pub(crate) fn client_id(&self) -> &str {
        &self.client_id
    }

    /// A request that shows it, with a proof for the server `audience`.
    ///
    /// # Source
    /// OpenID4VCI 1.0 Appendix E; draft-ietf-oauth-attestation-based-client-auth-07 §5.2, §6.1.
    pub(crate) fn show(
        &self,
        effect: Effect,
        audience: &str,
        challenge: Option<&str>,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Option<Effect> {
        let mut jti = [0; 16];
        rng.fill_bytes(&mut jti);
        let pop = wallet_attestation::create(&self.client_id, audience, challenge, now, jti, &*self.key).ok()?;
        let effect = effect.header(wallet_attestation::HEADER, &*self.text);
        Some(effect.header(wallet_attestation::POP_HEADER, pop))
    }
}

impl Batch {
    /// Fresh keys, and the request that shows them: the provider never sees one of them again.
    pub(super) fn ask(provider: &Provider, mut rng: &mut dyn CryptoRng) -> Result<(Effect, Self), AttestationError> {
        let keys = (0..BATCH).map(|_| SoftwareKey::generate(&mut rng)).collect::<Result<Vec<_>, _>>();
        let keys = keys.map_err(|_| AttestationError::Key)?;
        let request = WalletAttestationRequest { keys: keys.iter().map(|key| key.public_key().to_jwk()).collect() };
        let url = provider.endpoint(&provider.metadata.wallet_attestation_endpoint)?;
        let body = serde_json::to_vec(&request).map_err(|_| AttestationError::Key)?;
        Ok((ask(url, provider, body), Self { keys }))
    }

    /// Reads what came: for these keys, for now, and telling this wallet from no other.
    pub(super) fn read(
        self,
        response: &Response,
        provider: &Provider,
        now: Timestamp,
    ) -> Result<Stock, AttestationError> {
        let WalletAttestationResponse { attestations } = read(response)?;
        if attestations.len() != self.keys.len() {
            return Err(AttestationError::NotOurs);
        }
        cohort::check(&attestations, &provider.metadata, now)?;
        // All have one header: what is true of the first is true of all.
        if let Some(first) = attestations.first() {
            provider.expect_header(first)?;
        }
        let mut stock = Stock { provider: provider.metadata.provider.clone(), attestations: Vec::new() };
        for (text, key) in attestations.into_iter().zip(self.keys) {
            let expires_at = is_for(&text, key.public_key(), now).ok_or(AttestationError::NotOurs)?;
            stock.attestations.push((text, key, expires_at));
        }
        Ok(stock)
    }
}

/// A request with the code of the provider's wallets.
pub(super) fn ask(url: url::Url, provider: &Provider, body: Vec<u8>) -> Effect {
    let effect = Effect::post(url).header("accept", "application/json");
    let effect = effect.header("authorization", format!("Bearer {}", provider.code.as_str()));
    effect.body_of("application/json", body)
}

/// What the provider answered.
pub(super) fn read<T: serde::de::DeserializeOwned>(response: &Response) -> Result<T, AttestationError> {
    match response.status {
        200 => {}
        401 => return Err(AttestationError::Refused { code: true }),
        400 => return Err(AttestationError::Refused { code: false }),
        status => return Err(AttestationError::Status(status)),
    }
    let malformed = |wire::Malformed| AttestationError::Malformed;
    wire::shaped(wire::object(&response.body).map_err(malformed)?).map_err(malformed)
}

/// When it ends, if it is an attestation of this key and of now. Who signed it is the issuer's business, not ours.
fn is_for(text: &str, key: &PublicKey, now: Timestamp) -> Option<Timestamp> {
    if text.len() > MAX_TEXT {
        return None;
    }
    let jws = JwsIn::parse(text, &Limits::TOKEN).ok()?;
    jws.expect_type(TYPE).ok()?;
    let claims = jws.payload_object(&Limits::TOKEN).ok()?;
    let attested = PublicKey::from_jwk(claims.get("cnf")?.get("jwk")?.as_object()?).ok()?;
    let expires_at = claims.get("exp").and_then(Value::as_i64).map(Timestamp::from_unix)?;
    (attested == *key && now.plus(LEEWAY) < expires_at).then_some(expires_at)
}

impl Errand for Restocking {
    type Ready = Stock;
    type Error = AttestationError;

    fn effect(&self) -> &Effect {
        &self.effect
    }

    fn resume(
        self,
        outcome: Outcome,
        now: Timestamp,
        _: &mut dyn CryptoRng,
    ) -> Result<Progress<Self>, AttestationError> {
        let Outcome::Response(response) = outcome else { return Err(AttestationError::Unreachable) };
        self.batch.read(&response, &self.provider, now).map(Progress::Ready)
    }
}

impl Holdings<'_> {
    /// Sets out to have further attestations of the provider.
    ///
    /// # Errors
    /// [`AttestationError::NotEnrolled`], [`AttestationError::Key`].
    pub fn restock(&self, rng: &mut dyn CryptoRng) -> Result<Restocking, AttestationError> {
        let provider = self.current_provider().ok_or(AttestationError::NotEnrolled)?;
        let (effect, batch) = Batch::ask(&provider, rng)?;
        Ok(Restocking { effect, provider, batch })
    }

    /// Keeps what came; what is there still, and has ended, is dropped. Save the vault to make it so on disk.
    ///
    /// # Errors
    /// [`HoldingsError`] when there is no room.
    pub fn stock(&mut self, stock: Stock, rng: &mut dyn CryptoRng) -> Result<(), HoldingsError> {
        let Stock { provider, attestations } = stock;
        for id in self.records.ids(RecordKind::WALLET_ATTESTATION) {
            let first = attestations.first().map_or(i64::MIN, |(_, _, expires_at)| expires_at.unix());
            // Of an earlier cohort: beside the new ones they would look like another wallet's, and end sooner.
            if self.parse::<Record>(id).map_or(true, |old| old.provider != provider || old.expires_at.unix() != first) {
                self.records.remove(id, rng)?;
            }
        }
        let client_id = self.current_provider().map(|provider| provider.metadata.client_id).unwrap_or_default();
        for (text, key, expires_at) in attestations {
            let scalar = key.scalar().map_err(|_| HoldingsError::Unwritable)?;
            let key = Secret::new(&Zeroizing::new(b64::encode(&*scalar)));
            let (provider, client_id) = (provider.clone(), client_id.clone());
            let record = Record { v: VERSION, provider, client_id, text, key, expires_at };
            self.write(RecordKind::WALLET_ATTESTATION, None, &record, rng)?;
        }
        Ok(())
    }

    /// How many attestations of the current provider are left.
    pub fn attestations_left(&self, now: Timestamp) -> usize {
        self.attestations(now).count()
    }

    /// Takes one out, to be shown in one issuance; none where none is left. Save the vault before it is shown: an attestation that
    /// is shown twice lets two issuers know the person again.
    ///
    /// # Errors
    /// [`HoldingsError`].
    pub fn take_attestation(
        &mut self,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Option<Unsaved<WalletAttestation>>, HoldingsError> {
        let found = self.attestations(now).next();
        let Some((id, Record { client_id, text, key, .. })) = found else { return Ok(None) };
        self.records.remove(id, rng)?;
        let key = key_from_text(key.as_str()).ok_or(HoldingsError::Unreadable(id))?;
        Ok(Some(Unsaved::new(WalletAttestation { text: text.into(), client_id: client_id.into(), key: Arc::new(key) })))
    }

    fn attestations(&self, now: Timestamp) -> impl Iterator<Item = (crate::vault::RecordId, Record)> {
        let current = self.current_provider().map(|provider| provider.metadata.provider);
        let ids = self.records.ids(RecordKind::WALLET_ATTESTATION).into_iter();
        ids.filter_map(|id| Some((id, self.parse::<Record>(id).ok()?))).filter(move |(_, record)| {
            record.v == VERSION && Some(&record.provider) == current.as_ref() && now.plus(LEEWAY) < record.expires_at
        })
    }
}

impl Stock {
    /// One of them.
    pub(super) fn first(&self) -> Option<&str> {
        self.attestations.first().map(|(text, _, _)| text.as_str())
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.attestations.len()
    }

    /// Never: a batch has some.
    pub const fn is_empty(&self) -> bool {
        self.attestations.is_empty()
    }
}

/// It is of one wallet alone.
impl fmt::Debug for WalletAttestation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text: _, client_id, key: _ } = self;
        f.debug_struct("WalletAttestation").field("client_id", client_id).finish_non_exhaustive()
    }
}

/// Keys are in it.
impl fmt::Debug for Stock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { provider, attestations } = self;
        f.debug_struct("Stock").field("provider", provider).field("attestations", &attestations.len()).finish()
    }
}

/// Everything in it is a secret or leads to one.
impl fmt::Debug for Restocking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { effect, provider, batch: _ } = self;
        f.debug_struct("Restocking").field("effect", effect).field("provider", provider).finish_non_exhaustive()
    }
}

const VERSION: u8 = 1;
/// The longest attestation: with its key it fits into a record of 16 KiB, whatever certificates stand in it.
const MAX_TEXT: usize = 12 * 1024;
