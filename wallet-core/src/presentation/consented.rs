//! What the person chose, and the answer that follows from it.

mod in_person;

use super::answer_error::AnswerError;
use super::ask::{Ask, Online};
use super::choice::{Choice, ChoiceError, narrow};
use super::evidence::HolderVerified;
use super::item::Item;
use super::offered::{Offered, OfferedPath};
use super::sending::{Receipt, Sending};
use crate::consent::Given;
use crate::history::{ConsentNote, Disclosed, Entry, EntryNumber, Outcome};
use crate::holdings::{Credential, Holdings, Unsaved};
use credentials::b64;
use credentials::cbor::{DATE_TIME, Value as CborValue};
use credentials::consent::{self, ConsentId};
use credentials::key_binding::KeyBindingClaims;
use credentials::mdoc::{Elements, Mdoc, device_response};
use credentials::trust::Trust;
use rand_core::CryptoRng;
use schemas::consent::Grant;
use schemas::mdoc::{PRESENCE, PRESENCE_NAME_SPACE};
use schemas::openid4vp::AuthorizationResponse;
use schemas::purpose::Purpose;
use schemas::{ClaimPath, Seconds, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use zeroize::Zeroizing;

/// What the person chose.
pub struct Consented<W = Online> {
    ask: Ask<W>,
    items: Vec<Item>,
    granted: Option<Granted>,
    reuse_last_copy: bool,
}

/// What the person grants, as it will be signed.
struct Granted {
    id: ConsentId,
    choice: consent::Choice,
    terms: Terms,
}

/// The terms of a consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// What for.
    pub purposes: Vec<Purpose>,
    /// When it ends.
    pub ends_at: Timestamp,
    /// How long the verifier may keep the data.
    pub retention: Seconds,
}

impl Terms {
    fn of(grant: &Grant) -> Self {
        let retention = Seconds::parse_iso8601(&grant.ret).unwrap_or_default();
        Self { purposes: grant.purpose.clone(), ends_at: grant.exp, retention }
    }
}

impl Offered {
    /// What follows from the person's choice, which can only narrow.
    ///
    /// # Errors
    /// [`ChoiceError`].
    ///
    /// # Source
    /// `security.md` §4.1: the grant may only narrow the request.
    pub fn consent(self, choice: &Choice, now: Timestamp, rng: &mut dyn CryptoRng) -> Result<Consented, ChoiceError> {
        self.consented(choice, now, rng).map_err(|(error, _)| error)
    }
}

impl<W> Offered<W> {
    fn consented(
        self,
        choice: &Choice,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Consented<W>, (ChoiceError, Box<Ask<W>>)> {
        match self.granted(choice, now, rng) {
            Ok((items, granted)) => {
                Ok(Consented { ask: self.ask, items, granted, reuse_last_copy: choice.reuse_last_copy })
            }
            Err(error) => Err((error, Box::new(self.ask))),
        }
    }

    fn granted(
        &self,
        choice: &Choice,
        now: Timestamp,
        mut rng: &mut dyn CryptoRng,
    ) -> Result<(Vec<Item>, Option<Granted>), ChoiceError> {
        let items = self.items(choice)?;
        let ask = &self.ask;
        if ask.trust() != Trust::Known && !choice.accept_unknown_verifier {
            return Err(ChoiceError::VerifierNotKnown);
        }
        let items = narrow(items, choice.only.as_deref())?;
        let shown: Vec<OfferedPath> = items.iter().flat_map(|item| item.with_concerns(&item.paths, ask)).collect();
        choice.check(&shown)?;
        for item in &items {
            let needed = items.iter().filter(|other| other.held.id() == item.held.id()).count();
            if item.held.copies_left() < needed && !choice.reuse_last_copy {
                return Err(ChoiceError::LastCopyUsed(item.held.id()));
            }
        }
        let granted = match &ask.consent {
            None => None,
            Some(proposed) => {
                if !items.iter().any(|item| item.can_sign(proposed)) {
                    return Err(ChoiceError::NothingToSign);
                }
                let mut claims: Vec<ClaimPath> = shown.into_iter().map(|shown| shown.path).collect();
                claims.sort();
                claims.dedup();
                let Choice { lasting, retention, uses, .. } = *choice;
                let choice = consent::Choice { claims, purposes: choice.purposes.clone(), lasting, retention, uses };
                let id = ConsentId::generate(&mut rng);
                // Tried with an empty secret, to know the terms; signed with the real one.
                let terms = Terms::of(&consent::grant(proposed, &choice, id, &[0; 32], now)?);
                Some(Granted { id, choice, terms })
            }
        };
        Ok((items, granted))
    }
}

impl<W> Consented<W> {
    /// The terms that will be signed; none when the verifier proposed none.
    pub fn terms(&self) -> Option<&Terms> {
        self.granted.as_ref().map(|granted| &granted.terms)
    }

    /// What will be shown of which type, with what comes along.
    pub fn disclosed(&self) -> Vec<Disclosed> {
        self.items
            .iter()
            .map(|item| Disclosed {
                type_: item.held.type_name().to_string(),
                paths: item.paths.iter().cloned().chain(item.comes_along(&item.paths)).collect(),
            })
            .collect()
    }

    fn check(&self, holder: &HolderVerified, now: Timestamp) -> Result<(), AnswerError> {
        if holder.serves(self.ask.id, now) { Ok(()) } else { Err(AnswerError::NotRecognised) }
    }

    fn grant(&self, holdings: &Holdings<'_>, now: Timestamp) -> Result<Option<Grant>, AnswerError> {
        let (Some(granted), Some(proposed)) = (&self.granted, &self.ask.consent) else { return Ok(None) };
        let secret = holdings.revocation_secret(granted.id);
        Ok(Some(consent::grant(proposed, &granted.choice, granted.id, &secret, now)?))
    }

    fn signs(&self, item: &Item) -> bool {
        self.ask.consent.as_ref().is_some_and(|proposed| item.can_sign(proposed))
    }

    /// What the holder says for itself in an mdoc, as far as its issuer lets the device key say it: the consent, and how the
    /// holder was recognised.
    ///
    /// # Source
    /// `security.md` §3.3, §4.1; ISO/IEC 18013-5 §9.1.2.4 `KeyAuthorizations`.
    fn own_elements(&self, document: &Mdoc, holder: &HolderVerified, grant: Option<&Grant>) -> Elements {
        let mut own = grant.map(consent::grant_elements).unwrap_or_default();
        let amr = CborValue::Array(holder.amr().into_iter().map(CborValue::Text).collect());
        let auth_time = CborValue::Tag(DATE_TIME, Box::new(CborValue::Text(holder.auth_time().to_string())));
        let presence = [amr, CborValue::Text(holder.acr()), auth_time];
        for (name, value) in PRESENCE.into_iter().zip(presence) {
            if document.authorizations().allow(PRESENCE_NAME_SPACE, name) {
                own.insert(PRESENCE_NAME_SPACE, name, value);
            }
        }
        own
    }

    /// Writes into the vault what is about to be shown, and the consent that goes with it.
    fn record(
        &self,
        receipt: &Receipt,
        grant: Option<&Grant>,
        holdings: &mut Holdings<'_>,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Option<EntryNumber>, AnswerError> {
        let entry = holdings.note(self.entry(receipt, grant, now), now, rng)?;
        if let Some((granted, terms)) = self.granted.as_ref().zip(receipt.consent.as_ref()) {
            let asker = (self.ask.name(), self.ask.client_id.as_str());
            let given =
                Given::new(granted.id, asker.0, asker.1, terms.purposes.clone(), terms.ends_at, terms.retention);
            holdings.remember(&given, now, rng)?;
        }
        Ok(entry)
    }

    fn receipt(&self, grant: Option<&Grant>) -> Receipt {
        Receipt {
            verifier: self.ask.asker().name,
            purposes: grant.map(|grant| grant.purpose.clone()).unwrap_or_default(),
            disclosed: self.disclosed(),
            consent: grant.map(Terms::of),
            consent_id: self.granted.as_ref().map(|granted| granted.id),
        }
    }

    fn entry(&self, receipt: &Receipt, grant: Option<&Grant>, now: Timestamp) -> Entry {
        let known = self.ask.trust() == Trust::Known;
        let mut entry = Entry::new(now, self.ask.name(), &self.ask.client_id, known, Outcome::Sent);
        entry.purposes = receipt.purposes.clone();
        entry.disclosed = receipt.disclosed.clone();
        let retention = receipt.consent.as_ref().map(|terms| terms.retention).unwrap_or_default();
        entry.consent = grant.map(|grant| ConsentNote::new(grant.id.clone(), grant.exp, retention));
        entry
    }
}

impl Consented {
    /// Makes and signs the answer: takes a copy of each credential, never to be used again, binds it to this verifier and
    /// this request, and writes the history.
    ///
    /// The answer comes wrapped in [`Unsaved`]: save the vault first, or a crash would forget that the copies are used. It
    /// is spent by value, and so is the evidence:
    /// ```compile_fail,E0061
    /// use rand_core::CryptoRng;
    /// use schemas::Timestamp;
    /// use wallet_core::{holdings::Holdings, presentation::Consented};
    /// fn unrecognised(consented: Consented, holdings: &mut Holdings<'_>, now: Timestamp, rng: &mut dyn CryptoRng) {
    ///     let _ = consented.answer(holdings, now, rng);
    /// }
    /// ```
    /// ```compile_fail,E0382
    /// use rand_core::CryptoRng;
    /// use schemas::Timestamp;
    /// use wallet_core::{holdings::Holdings, presentation::{Consented, HolderVerified}};
    /// fn twice(a: Consented, b: Consented, holder: HolderVerified, holdings: &mut Holdings<'_>, now: Timestamp, rng: &mut dyn CryptoRng) {
    ///     let _ = a.answer(holder, holdings, now, rng);
    ///     let _ = b.answer(holder, holdings, now, rng);
    /// }
    /// ```
    ///
    /// # Errors
    /// [`AnswerError`]. Drop the vault without saving then, or what was begun stays: a copy less.
    ///
    /// # Source
    /// OpenID4VP 1.0 §8.1 to §8.3, §B.2.5, §B.3.6; RFC 9901 §4.3; `security.md` §3.3, §4.1, §8.
    pub fn answer(
        self,
        holder: HolderVerified,
        holdings: &mut Holdings<'_>,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Unsaved<Sending>, AnswerError> {
        self.check(&holder, now)?;
        if self.ask.way.0.request().exp.is_some_and(|end| now >= end) {
            return Err(AnswerError::RequestEnded);
        }
        let grant = self.grant(holdings, now)?;
        let mut presentations: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        let mut signed = false;
        for item in &self.items {
            // One presentation signs the consent, and only one (OpenID4VP 1.0 §5.1 `credential_ids`).
            let signs = !signed && self.signs(item);
            signed |= signs;
            let text = self.present(item, &holder, grant.as_ref().filter(|_| signs), holdings, now, rng)?;
            presentations.entry(item.query.clone()).or_default().push(Value::from(text));
        }
        let effect = self.post(presentations, rng)?;
        let receipt = self.receipt(grant.as_ref());
        let entry = self.record(&receipt, grant.as_ref(), holdings, now, rng)?;
        Ok(Unsaved::new(Sending::new(effect, receipt, entry)))
    }

    fn key_binding(&self, holder: &HolderVerified, grant: Option<&Grant>, now: Timestamp) -> KeyBindingClaims {
        let hash = grant.and(self.ask.consent.as_ref()).map(|proposed| vec![proposed.hash().to_owned()]);
        KeyBindingClaims {
            audience: self.ask.client_id.clone(),
            nonce: self.ask.way.0.request().nonce.clone(),
            issued_at: now,
            transaction_data_hashes: hash,
            consent: grant.cloned(),
            amr: holder.amr(),
            acr: Some(holder.acr()),
            auth_time: Some(holder.auth_time()),
        }
    }

    /// Takes a copy, for this once, and binds it to this verifier and this request.
    fn present(
        &self,
        item: &Item,
        holder: &HolderVerified,
        grant: Option<&Grant>,
        holdings: &mut Holdings<'_>,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<String, AnswerError> {
        let id = item.held.id();
        let copy = holdings.spend(id, self.reuse_last_copy, rng)?.ok_or(AnswerError::LastCopyUsed(id))?;
        let unusable = || AnswerError::Copy(id);
        match copy.reopen().ok_or_else(unusable)? {
            Credential::SdJwtVc(credential) => {
                let selection = credential.select(&item.paths).map_err(|_| unusable())?;
                selection.bind(&self.key_binding(holder, grant, now), &copy.key).map_err(|_| unusable())
            }
            Credential::Mdoc(document) => {
                let selection = document.select(&item.paths).map_err(|_| unusable())?;
                let (transcript, own) =
                    (self.ask.way.0.session_transcript(), self.own_elements(&document, holder, grant));
                let signed = selection.sign(&transcript, &own, &copy.key).map_err(|_| unusable())?;
                Ok(b64::encode(&device_response(&[signed])))
            }
        }
    }

    /// The answer in the response mode that the request asks for.
    fn post(
        &self,
        vp_token: BTreeMap<String, Vec<Value>>,
        rng: &mut dyn CryptoRng,
    ) -> Result<crate::effect::Effect, AnswerError> {
        let state = self.ask.way.0.request().state.clone();
        let Some(recipient) = self.ask.way.0.recipient() else {
            let token = Zeroizing::new(serde_json::to_string(&vp_token).map_err(|_| AnswerError::Encryption)?);
            let fields =
                [("vp_token", token.as_str())].into_iter().chain(state.as_deref().map(|state| ("state", state)));
            return Ok(self.ask.post(fields));
        };
        let answer = AuthorizationResponse { vp_token, state };
        let plain = Zeroizing::new(serde_json::to_vec(&answer).map_err(|_| AnswerError::Encryption)?);
        let response = recipient.encrypt(&plain, rng).map_err(|_| AnswerError::Encryption)?;
        Ok(self.ask.post([("response", response.as_str())]))
    }
}

impl<W> fmt::Debug for Consented<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ask, items, granted, reuse_last_copy } = self;
        let paths: Vec<&Vec<ClaimPath>> = items.iter().map(|item| &item.paths).collect();
        f.debug_struct("Consented")
            .field("id", &ask.id)
            .field("paths", &paths)
            .field("terms", &granted.as_ref().map(|granted| &granted.terms))
            .field("reuse_last_copy", reuse_last_copy)
            .finish_non_exhaustive()
    }
}
