//! New copies without the desk: a refresh token bound to a key, and a copy shown in person.
//!
//! The issuer keeps no claim; it signs anew what a copy of its own says that the wallet shows, and forgets it again.

use super::issuance::CredentialError;
use super::issuance::entries_secret;
use super::offering::Waiting;
use super::redemption::{RedeemError, Redeemed, TokenCall};
use super::revocation::open_entries;
use super::{Issuer, randomness};
use crate::configuration::{Configuration, Format};
use crate::grant::TOKEN_LIFETIME;
use crate::issuing::Span;
use crate::keys::{Fingerprint, Purpose};
use crate::metadata::{CREDENTIAL_PATH, TOKEN_PATH};
use crate::seal::SealError;
use crate::secret::{AccessToken, Handle, RefreshToken};
use crate::status::Entry;
use crate::store::{NewRefresh, Renewal};
use credentials::mdoc::{self, SessionTranscript};
use credentials::trust::ChainPolicy;
use credentials::{b64, sd_jwt};
use schemas::Timestamp;
use schemas::status::StatusReference;
use serde_json::{Map, Value};

/// How many batches an offer is good for, the first included: two thousand copies outlast any honest year, and a wallet that
/// asks for ever takes no more of the status lists than this.
pub const MAX_BATCHES: usize = 64;

/// What a copy says that was shown.
pub(super) struct Shown {
    pub(super) claims: Map<String, Value>,
    pub(super) span: Span,
    status: Option<StatusReference>,
}

impl Issuer {
    /// The refresh token that goes with an access token; none where the desk has not allowed it, or where nothing binds it.
    ///
    /// # Source
    /// RFC 9449 §5: a public client's refresh token is bound to its key.
    pub(super) fn new_refresh(
        &self,
        waiting: &Waiting,
        bound: bool,
        now: Timestamp,
    ) -> Result<Option<(RefreshToken, NewRefresh)>, SealError> {
        if !waiting.refill || !bound {
            return Ok(None);
        }
        let issued_by = now.plus(waiting.decision_time.unwrap_or_default()).plus(TOKEN_LIFETIME);
        let renewed = Waiting {
            claims: Map::new(),
            valid: waiting.valid,
            count: waiting.count,
            handle: waiting.handle.clone(),
            decision_time: None,
            refill: true,
            renews: true,
            grant: waiting.grant,
        };
        let expires = Span::new(issued_by, waiting.valid).until;
        self.refresh_token(&renewed, expires).map(Some)
    }

    fn refresh_token(&self, renewed: &Waiting, expires: Timestamp) -> Result<(RefreshToken, NewRefresh), SealError> {
        let token = RefreshToken::generate(&mut randomness());
        let sealed = self.seal_waiting(Purpose::SealRefresh, token.as_str(), renewed)?;
        let kept = NewRefresh { token: self.refresh_key(token.as_str()), expires, sealed };
        Ok((token, kept))
    }

    /// An access token, and the next refresh token, for a refresh token.
    ///
    /// # Errors
    /// [`RedeemError`]. A refresh token whose successor has been used ends all that came of its offer.
    ///
    /// # Source
    /// RFC 6749 §6, §10.4; RFC 9449 §5; RFC 9700 §4.14.2.
    pub(super) fn redeem_refresh(&self, call: &TokenCall<'_>, now: Timestamp) -> Result<Redeemed, RedeemError> {
        let shown = call.refresh_token.ok_or(RedeemError::InvalidRequest("refresh_token is missing"))?;
        let key = self.refresh_key(shown);
        let record = self.store.renewal(&key, now)?.ok_or(RedeemError::InvalidGrant)?;
        // The key first: whoever has the token alone can neither use it nor end it.
        let proof = call.dpop.ok_or(RedeemError::InvalidDpop(None))?;
        if self.spend_dpop(proof, TOKEN_PATH, None, now)? != record.dpop_key {
            return Err(RedeemError::InvalidDpop(None));
        }
        let Some(sealed) = record.sealed else {
            tracing::warn!("a refresh token came back after its successor was used: all of its offer's are ended");
            self.store.burn_renewals(&key)?;
            return Err(RedeemError::InvalidGrant);
        };
        let renewed = self.open_waiting(Purpose::SealRefresh, shown, &sealed)?;
        let (refresh, next) = self.refresh_token(&renewed, record.expires)?;
        let token = AccessToken::generate(&mut randomness());
        let renewal = Renewal {
            shown: key,
            next,
            token: self.token_key(token.as_str()),
            token_expires: now.plus(TOKEN_LIFETIME),
            sealed: self.seal_waiting(Purpose::SealToken, token.as_str(), &renewed)?,
        };
        if !self.store.renew(&renewal, now)? {
            return Err(RedeemError::InvalidGrant);
        }
        Ok(Redeemed { token, bound: true, lifetime: TOKEN_LIFETIME, authorized: None, refresh: Some(refresh) })
    }

    /// Reads the copy that a wallet shows to have new ones: ours, of this very issuance, still good, shown by its holder now.
    ///
    /// # Source
    /// RFC 9901 §7.3; ISO/IEC 18013-5 §9.3.1, §9.1.3; `security.md` §8.
    pub(super) fn shown_copy(
        &self,
        request: &Map<String, Value>,
        configuration: Configuration,
        handle: &Handle,
        nonce: &str,
        now: Timestamp,
    ) -> Result<Shown, CredentialError> {
        let refuse = CredentialError::InvalidProof;
        let text = request.get(MEMBER).and_then(Value::as_str).ok_or(refuse("a copy must be shown for new ones"))?;
        let shown = match configuration.format {
            Format::SdJwtVc => self.shown_sd_jwt(text, configuration, nonce, now),
            Format::Mdoc => self.shown_document(text, configuration, nonce, now),
        };
        let shown = shown.ok_or(refuse("the copy that is shown does not verify"))?;
        let entry = shown.status.as_ref().and_then(|status| Entry::of(status, &self.config.url));
        let entry = entry.ok_or(refuse("the copy that is shown is not of this issuance"))?;
        let parts = self.store.issued(&self.handle(handle), now)?;
        let id = configuration.to_string();
        let of_this = parts.iter().filter(|(part, _)| part.split('/').next() == Some(id.as_str()));
        let mut is_ours = false;
        for (part, sealed) in of_this.clone() {
            is_ours |= open_entries(&*self.keys, &entries_secret(handle, part), sealed)?.contains(&entry);
        }
        if !is_ours {
            return Err(refuse("the copy that is shown is not of this issuance"));
        }
        if self.store.is_revoked(entry)? {
            return Err(CredentialError::Denied("it is revoked"));
        }
        if of_this.count() >= MAX_BATCHES {
            return Err(CredentialError::Denied("too many copies were issued; ask the desk"));
        }
        Ok(shown)
    }

    fn shown_sd_jwt(&self, text: &str, configuration: Configuration, nonce: &str, now: Timestamp) -> Option<Shown> {
        let types = [configuration.credential_type.vct.to_owned()];
        let policy = ChainPolicy::known_only(&self.anchors);
        let expected = sd_jwt::Expected::new(policy, self.config.url.as_str(), nonce, now).with_types(&types);
        let copy = sd_jwt::verify_presented(text, &expected).ok()?;
        Some(Shown {
            claims: given(configuration, copy.claims()),
            span: Span { from: copy.not_before()?, until: copy.expires_at()? },
            status: copy.status().cloned(),
        })
    }

    fn shown_document(&self, text: &str, configuration: Configuration, nonce: &str, now: Timestamp) -> Option<Shown> {
        let known = schemas::mdoc::by_credential_type(configuration.credential_type)?;
        let types = [known.doc_type.to_owned()];
        let transcript = shown_to(self.config.url.as_str(), &self.config.url.join(CREDENTIAL_PATH), nonce);
        let policy = ChainPolicy::known_only(&self.anchors);
        let expected = mdoc::Expected::new(policy, &transcript, now).with_types(&types);
        let copy = mdoc::verify_presented(&b64::decode(text).ok()?, &expected).ok()?;
        Some(Shown {
            claims: given(configuration, &mdoc::claims_of(known, copy.elements())),
            span: Span { from: copy.valid_from(), until: copy.valid_until() },
            status: copy.status().cloned(),
        })
    }

    /// What a further batch is called under its handle: of its own for each, because a secret seals once.
    pub(super) fn next_part(configuration: Configuration) -> String {
        let mut bytes = [0u8; 8];
        rand_core::Rng::fill_bytes(&mut randomness(), &mut bytes);
        format!("{configuration}/{}", b64::encode(&bytes))
    }

    fn refresh_key(&self, token: &str) -> Fingerprint {
        self.keys.fingerprint(Purpose::RefreshToken, &[token.as_bytes()])
    }
}

/// The session in which a document is shown to an issuer: that of OpenID4VP with the issuer for a client, and the credential
/// endpoint for the place that the answer goes to. No verifier has both.
fn shown_to(issuer: &str, endpoint: &str, nonce: &str) -> SessionTranscript {
    SessionTranscript::openid4vp(issuer, nonce, None, endpoint)
}

/// What the desk once gave: not what is derived on the day of issuance, and not what every copy has of its own.
fn given(configuration: Configuration, claims: &Map<String, Value>) -> Map<String, Value> {
    let known = configuration.credential_type.claims.iter().filter(|claim| !claim.derived);
    known.filter_map(|claim| Some((claim.name.to_owned(), claims.get(claim.name)?.clone()))).collect()
}

const MEMBER: &str = "org.amparo.shown";
