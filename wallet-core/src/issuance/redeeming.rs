//! Redeeming an offer: token, nonce, and for each thing offered one request with a key for every copy.

use super::access::{Access, Dpop, MAX_NONCE};
use super::client::{self, Attested, Client, Repeats, Step};
use super::deferred::{Deferred, Doors, Transaction};
use super::delivered::{Batch, Delivered};
use super::encryption::{self, Opener};
use super::error::{Answer, IssuanceError};
use super::notice::Notices;
use super::offered::{Endpoints, KeyProof, Kind, TxCode};
use super::refill::{self, Renewal};
use crate::attestation::{self, Provider};
use crate::effect::{Effect, Errand, Outcome, Progress, Response};
use crate::holdings::Copy;
use crate::wire;
use credentials::proof;
use credentials::signer::SoftwareKey;
use rand_core::CryptoRng;
use schemas::openid4vci::{
    AUTHORIZATION_CODE_GRANT, CredentialRequest, CredentialResponse, NonceResponse, PRE_AUTHORIZED_CODE_GRANT, Proofs,
    REFRESH_TOKEN_GRANT, TokenResponse,
};
use schemas::{Seconds, Timestamp};
use serde_json::{Map, Value};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// An accepted offer is being redeemed.
pub struct Redeeming {
    effect: Effect,
    plan: Plan,
    stage: Stage,
}

/// What was agreed to, and what it takes.
pub(super) struct Plan {
    pub(super) issuer: String,
    pub(super) kinds: Vec<Kind>,
    pub(super) endpoints: Endpoints,
    pub(super) copies: usize,
    pub(super) grant: Grant,
    pub(super) dpop: Option<Dpop>,
    /// What says that a provider vouches for this wallet, where that is demanded.
    pub(super) attested: Option<Attested>,
    /// Who attests the keys of the copies, where that is demanded.
    pub(super) provider: Option<Provider>,
}

/// What a token is asked for with.
pub(super) enum Grant {
    /// Not known yet: the person has to go to the issuer first.
    None,
    PreAuthorized {
        code: Zeroizing<String>,
        tx_code: Option<TxCode>,
    },
    AuthorizationCode {
        code: Zeroizing<String>,
        verifier: Zeroizing<String>,
        redirect_uri: String,
    },
    RefreshToken(Arc<Zeroizing<String>>),
}

enum Stage {
    Token(Step),
    Nonce { session: Session, wish: Wish },
    Keys { session: Session, wish: Wish, c_nonce: String },
    Credential { session: Session, wish: Wish, shown: Shown, opener: Option<Opener>, retried: bool },
}

/// What proofs are made with: the nonce of the issuer, and what is attested of the keys.
#[derive(Default)]
struct Shown {
    c_nonce: Option<String>,
    attestation: Option<String>,
}

/// What the token opens.
pub(super) struct Session {
    pub(super) access: Access,
    pub(super) refresh_token: Option<Zeroizing<String>>,
    wishes: VecDeque<Wish>,
    batches: Vec<Batch>,
    promised: VecDeque<Transaction>,
}

/// One credential request: what is asked for, and the keys for its copies.
struct Wish {
    kind: Kind,
    identifier: Option<String>,
    keys: Vec<SoftwareKey>,
    /// A copy that is shown for new ones.
    shown: Option<Copy>,
    /// A c_nonce was refused once already.
    nonce_refused: bool,
}

impl Session {
    /// The one thing asked for is asked for by showing a copy of it.
    pub(super) fn show(&mut self, copy: Copy) {
        if let Some(wish) = self.wishes.front_mut() {
            wish.shown = Some(copy);
        }
    }
}

impl Redeeming {
    pub(super) fn begin(plan: Plan, now: Timestamp, rng: &mut dyn CryptoRng) -> Result<Self, IssuanceError> {
        let (effect, step) = plan.first_step(now, rng)?;
        Ok(Self { effect, plan, stage: Stage::Token(step) })
    }

    const fn answer(&self) -> Answer {
        match self.stage {
            Stage::Token(Step::Challenge) => Answer::Challenge,
            Stage::Token(Step::Request(_)) => Answer::Token,
            Stage::Nonce { .. } => Answer::Nonce,
            Stage::Keys { .. } => Answer::KeyAttestation,
            Stage::Credential { .. } => Answer::Credential,
        }
    }
}

impl Errand for Redeeming {
    type Ready = Delivered;
    type Error = IssuanceError;

    fn effect(&self) -> &Effect {
        &self.effect
    }

    fn resume(
        self,
        outcome: Outcome,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Progress<Self>, IssuanceError> {
        let answer = self.answer();
        let Outcome::Response(response) = outcome else { return Err(IssuanceError::Unreachable(answer)) };
        let Self { effect: _, mut plan, stage } = self;
        match stage {
            Stage::Token(step) => match plan.next_step(step, &response, now, rng)? {
                Some((effect, step)) => Ok(Progress::Waiting(Self { effect, plan, stage: Stage::Token(step) })),
                None => {
                    let session = plan.read_token(&response, rng)?;
                    plan.next(session, now, rng)
                }
            },
            Stage::Nonce { mut session, wish } => {
                session.access.must_repeat(&response);
                let c_nonce = read_nonce(&response)?;
                if wish.kind.proof != KeyProof::Possession {
                    return plan.attest_keys(session, wish, c_nonce, now).map(Progress::Waiting);
                }
                let shown = Shown { c_nonce: Some(c_nonce), attestation: None };
                plan.credential(session, wish, shown, false, now, rng).map(Progress::Waiting)
            }
            Stage::Keys { session, wish, c_nonce } => {
                let provider = plan.provider.as_ref().ok_or(IssuanceError::AttestationWanted)?;
                let attestation = attestation::read_keys(provider, &response, &wish.keys, &c_nonce)?;
                let shown = Shown { c_nonce: Some(c_nonce), attestation: Some(attestation) };
                plan.credential(session, wish, shown, false, now, rng).map(Progress::Waiting)
            }
            Stage::Credential { mut session, mut wish, shown, opener, retried } => {
                if session.access.must_repeat(&response) && !retried {
                    return plan.credential(session, wish, shown, true, now, rng).map(Progress::Waiting);
                }
                if !wish.nonce_refused && wire::error_code(&response.body).as_deref() == Some("invalid_nonce") {
                    // §8.3.1.2: fetch a new c_nonce; once, or two servers could play ball for ever.
                    wish.nonce_refused = true;
                    return plan.nonce_or_credential(session, wish, now, rng);
                }
                let Wish { kind, keys, .. } = wish;
                let response = encryption::open(opener.as_ref(), response, Answer::Credential)?;
                match read_answer(&response, Answer::Credential, keys.len())? {
                    Answered::Copies { texts, notification_id } => {
                        session.batches.push(Batch { kind, keys, texts, notification_id });
                    }
                    Answered::Later { transaction_id: id, interval } => {
                        session.promised.push_back(Transaction { kind, keys, id, interval });
                    }
                }
                plan.next(session, now, rng)
            }
        }
    }
}

impl Plan {
    /// The same with the grant that the person came back with.
    pub(super) fn with_grant(&self, grant: Grant) -> Self {
        let Self { issuer, kinds, endpoints, copies, grant: _, dpop, attested, provider } = self;
        Self {
            issuer: issuer.clone(),
            kinds: kinds.clone(),
            endpoints: endpoints.clone(),
            copies: *copies,
            grant,
            dpop: dpop.clone(),
            attested: attested.clone(),
            provider: provider.clone(),
        }
    }

    /// By what the authorization server knows this wallet.
    pub(super) const fn client(&mut self) -> Client<'_> {
        Client { dpop: self.dpop.as_mut(), attested: self.attested.as_mut() }
    }

    /// The first exchange with the token endpoint: for a challenge, where one must be had, or for the token.
    pub(super) fn first_step(&self, now: Timestamp, rng: &mut dyn CryptoRng) -> Result<(Effect, Step), IssuanceError> {
        match client::challenge_request(self.attested.as_ref())? {
            Some(effect) => Ok((effect, Step::Challenge)),
            None => Ok((self.token_request(now, rng)?, Step::Request(Repeats::default()))),
        }
    }

    /// The next one, if there must be another before the answer can be read.
    pub(super) fn next_step(
        &mut self,
        step: Step,
        response: &Response,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Option<(Effect, Step)>, IssuanceError> {
        let again = match step {
            Step::Challenge => {
                client::note_challenge(self.attested.as_mut(), response)?;
                Some(Repeats::default())
            }
            Step::Request(mut repeats) => self.client().must_repeat(response, &mut repeats).then_some(repeats),
        };
        match again {
            Some(repeats) => Ok(Some((self.token_request(now, rng)?, Step::Request(repeats)))),
            None => Ok(None),
        }
    }

    /// The token request.
    ///
    /// # Source
    /// OpenID4VCI 1.0 §6.1; RFC 6749 §4.1.3; RFC 7636 §4.5; RFC 9449 §5.
    fn token_request(&self, now: Timestamp, rng: &mut dyn CryptoRng) -> Result<Effect, IssuanceError> {
        let token = &self.endpoints.token;
        let client_id = client::client_id(self.attested.as_ref());
        let fields = match &self.grant {
            Grant::None => Vec::new(),
            Grant::PreAuthorized { code, tx_code } => {
                let code = [("grant_type", PRE_AUTHORIZED_CODE_GRANT), ("pre-authorized_code", code.as_str())];
                code.into_iter().chain(tx_code.as_ref().map(|code| ("tx_code", code.as_str()))).collect()
            }
            Grant::AuthorizationCode { code, verifier, redirect_uri } => vec![
                ("grant_type", AUTHORIZATION_CODE_GRANT),
                ("code", code.as_str()),
                ("client_id", client_id),
                ("redirect_uri", redirect_uri.as_str()),
                ("code_verifier", verifier.as_str()),
            ],
            Grant::RefreshToken(token) => {
                vec![("grant_type", REFRESH_TOKEN_GRANT), ("refresh_token", token.as_str()), ("client_id", client_id)]
            }
        };
        let effect = Effect::post(token.clone()).header("accept", "application/json").form(fields);
        let effect = client::shown(effect, self.attested.as_ref(), now, rng)?;
        match &self.dpop {
            Some(dpop) => Ok(effect.header("dpop", dpop.proof(token, None, now, rng)?)),
            None => Ok(effect),
        }
    }

    /// # Source
    /// OpenID4VCI 1.0 §6.2; RFC 9449 §5 on `token_type`.
    pub(super) fn read_token(&self, response: &Response, rng: &mut dyn CryptoRng) -> Result<Session, IssuanceError> {
        if response.status != 200 {
            return Err(match refused(Answer::Token, response) {
                IssuanceError::Refused { code: Some(code), .. }
                    if code == "invalid_grant" || code == "invalid_tx_code" =>
                {
                    IssuanceError::GrantRefused {
                        with_tx_code: matches!(&self.grant, Grant::PreAuthorized { tx_code: Some(_), .. }),
                    }
                }
                other => other,
            });
        }
        let malformed = |wire::Malformed| IssuanceError::Malformed(Answer::Token);
        let mut members = wire::object(&response.body).map_err(malformed)?;
        let details = members.remove("authorization_details");
        let TokenResponse { access_token, token_type, expires_in: _, refresh_token } =
            wire::shaped(members).map_err(malformed)?;
        let token = Zeroizing::new(access_token);
        // Of no use without a key that it is bound to: nobody could tell the holder from a thief.
        let refresh_token = refresh_token.map(Zeroizing::new).filter(|token| self.dpop.is_some() && is_token(token));
        if !is_token(&token) {
            return Err(IssuanceError::Malformed(Answer::Token));
        }
        let expected = if self.dpop.is_some() { "DPoP" } else { "Bearer" };
        if !token_type.eq_ignore_ascii_case(expected) {
            return Err(if self.dpop.is_some() {
                IssuanceError::TokenNotBound
            } else {
                IssuanceError::Malformed(Answer::Token)
            });
        }
        let wishes = self.wishes(details.as_ref(), rng)?;
        let access = Access { token: Arc::new(token), dpop: self.dpop.clone() };
        Ok(Session { access, refresh_token, wishes, batches: Vec::new(), promised: VecDeque::new() })
    }

    /// One wish for each thing offered; several where the server names several datasets of it.
    ///
    /// # Source
    /// OpenID4VCI 1.0 §6.2 `credential_identifiers`, §8.2 `credential_identifier`.
    fn wishes(&self, details: Option<&Value>, mut rng: &mut dyn CryptoRng) -> Result<VecDeque<Wish>, IssuanceError> {
        let details: Vec<&Map<String, Value>> = details
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_object)
            .take(MAX_DETAILS)
            .collect();
        let mut wishes = VecDeque::new();
        for kind in &self.kinds {
            let own = details.iter().filter(|detail| {
                let names = |member: &str, value: &str| detail.get(member).is_some_and(|v| v == value);
                names("type", "openid_credential") && names("credential_configuration_id", &kind.configuration)
            });
            let named = own.filter_map(|detail| detail.get("credential_identifiers")?.as_array()).flatten();
            let mut identifiers: Vec<Option<String>> =
                named.filter_map(|id| id.as_str().map(|id| Some(id.to_owned()))).take(MAX_DETAILS).collect();
            if identifiers.is_empty() {
                identifiers.push(None);
            }
            for identifier in identifiers {
                let keys = (0..self.copies).map(|_| SoftwareKey::generate(&mut rng)).collect::<Result<_, _>>();
                let keys = keys.map_err(|_| IssuanceError::Key)?;
                wishes.push_back(Wish { kind: kind.clone(), identifier, keys, shown: None, nonce_refused: false });
            }
        }
        Ok(wishes)
    }

    /// The next wish, or all that came.
    pub(super) fn next(
        self,
        mut session: Session,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Progress<Redeeming>, IssuanceError> {
        match session.wishes.pop_front() {
            Some(wish) => self.nonce_or_credential(session, wish, now, rng),
            None => self.end(session, now).map(Progress::Ready),
        }
    }

    /// What came, and what was promised.
    fn end(self, mut session: Session, now: Timestamp) -> Result<Delivered, IssuanceError> {
        let renewal = Renewal::of(&self, &mut session);
        let Session { access, batches, promised, .. } = session;
        let Endpoints { deferred, notification, encryption, .. } = self.endpoints;
        let notices = Notices::new(notification.clone(), access.clone());
        let delivered = Delivered::new(self.issuer.clone(), batches, notices);
        if promised.is_empty() {
            return Ok(delivered.and_renewal(renewal));
        }
        let endpoint = deferred.ok_or(IssuanceError::NowhereToAsk)?;
        let promise = Deferred::new(self.issuer, Doors { endpoint, notification, encryption }, access, promised, now);
        Ok(delivered.and_renewal(renewal.clone()).and_later(promise.and_renewal(renewal)))
    }

    /// # Source
    /// OpenID4VCI 1.0 §7.1.
    fn nonce_or_credential(
        self,
        session: Session,
        wish: Wish,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Progress<Redeeming>, IssuanceError> {
        let Some(url) = self.endpoints.nonce.clone() else {
            if wish.kind.proof != KeyProof::Possession {
                // An attestation for no nonce could be shown again by whoever sees it.
                return Err(IssuanceError::Malformed(Answer::Nonce));
            }
            return self.credential(session, wish, Shown::default(), false, now, rng).map(Progress::Waiting);
        };
        let effect = Effect::post(url).header("accept", "application/json");
        Ok(Progress::Waiting(Redeeming { effect, plan: self, stage: Stage::Nonce { session, wish } }))
    }

    /// The provider is asked to attest the keys for a nonce of the issuer.
    ///
    /// # Source
    /// OpenID4VCI 1.0 Appendix D.
    fn attest_keys(
        self,
        session: Session,
        wish: Wish,
        c_nonce: String,
        now: Timestamp,
    ) -> Result<Redeeming, IssuanceError> {
        let provider = self.provider.as_ref().ok_or(IssuanceError::AttestationWanted)?;
        let effect = attestation::ask_keys(provider, &wish.keys, &c_nonce, now)?;
        Ok(Redeeming { effect, plan: self, stage: Stage::Keys { session, wish, c_nonce } })
    }

    /// The proofs of a credential request: of each key, or of one with an attestation of all, or the attestation alone.
    ///
    /// # Source
    /// OpenID4VCI 1.0 §8.2, Appendix F.1, F.3; HAIP 1.0 §4.5.1.
    fn proofs(&self, wish: &Wish, shown: &Shown, now: Timestamp) -> Result<Proofs, IssuanceError> {
        let none = || Proofs { jwt: Vec::new(), attestation: Vec::new() };
        let key = |_| IssuanceError::Key;
        match (wish.kind.proof, &shown.c_nonce, &shown.attestation) {
            (KeyProof::Possession, c_nonce, _) => {
                let proofs = wish.keys.iter().map(|key| match c_nonce {
                    Some(nonce) => proof::create(&self.issuer, nonce, now, key),
                    None => proof::create_without_nonce(&self.issuer, now, key),
                });
                Ok(Proofs { jwt: proofs.collect::<Result<_, _>>().map_err(key)?, ..none() })
            }
            (KeyProof::Attested, Some(nonce), Some(attestation)) => {
                let first = wish.keys.first().ok_or(IssuanceError::Key)?;
                let proof = proof::create_attested(&self.issuer, nonce, now, first, attestation).map_err(key)?;
                Ok(Proofs { jwt: vec![proof], ..none() })
            }
            (KeyProof::Attestation, _, Some(attestation)) => {
                Ok(Proofs { attestation: vec![attestation.clone()], ..none() })
            }
            _ => Err(IssuanceError::AttestationWanted),
        }
    }

    /// The credential request.
    ///
    /// # Source
    /// OpenID4VCI 1.0 §8.2.
    fn credential(
        self,
        session: Session,
        wish: Wish,
        shown: Shown,
        retried: bool,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Redeeming, IssuanceError> {
        let proofs = self.proofs(&wish, &shown, now)?;
        let copy = match (&wish.shown, &shown.c_nonce) {
            (Some(copy), Some(nonce)) => {
                Some(refill::shown(copy, &self.issuer, &self.endpoints.credential, nonce, now)?)
            }
            // A copy that is shown for no nonce could be shown again by whoever sees it.
            (Some(_), None) => return Err(IssuanceError::Malformed(Answer::Nonce)),
            (None, _) => None,
        };
        let request = CredentialRequest {
            credential_configuration_id: wish.identifier.is_none().then(|| wish.kind.configuration.clone()),
            credential_identifier: wish.identifier.clone(),
            proofs: Some(proofs),
            credential_response_encryption: None,
            shown: copy,
        };
        let Ok(Value::Object(request)) = serde_json::to_value(&request) else { return Err(IssuanceError::Key) };
        let (message, opener) = encryption::seal(self.endpoints.encryption.as_ref(), request, rng)?;
        let effect = session.access.post(&self.endpoints.credential, message, now, rng)?;
        Ok(Redeeming { effect, plan: self, stage: Stage::Credential { session, wish, shown, opener, retried } })
    }
}

/// # Source
/// OpenID4VCI 1.0 §7.2: any 2xx.
fn read_nonce(response: &Response) -> Result<String, IssuanceError> {
    if !(200..300).contains(&response.status) {
        return Err(refused(Answer::Nonce, response));
    }
    let malformed = |wire::Malformed| IssuanceError::Malformed(Answer::Nonce);
    let NonceResponse { c_nonce } =
        wire::shaped(wire::object(&response.body).map_err(malformed)?).map_err(malformed)?;
    if (1..=MAX_NONCE).contains(&c_nonce.len()) { Ok(c_nonce) } else { Err(IssuanceError::Malformed(Answer::Nonce)) }
}

/// What a credential request was answered with.
pub(super) enum Answered {
    /// Copies, and the name under which the issuer wants to hear of them.
    Copies { texts: Vec<Zeroizing<String>>, notification_id: Option<String> },
    /// A promise.
    Later { transaction_id: Zeroizing<String>, interval: Seconds },
}

/// # Source
/// OpenID4VCI 1.0 §8.3, §9.2: copies with 200, or a transaction with 202, never both.
pub(super) fn read_answer(response: &Response, which: Answer, keys: usize) -> Result<Answered, IssuanceError> {
    if !matches!(response.status, 200 | 202) {
        return Err(refused(which, response));
    }
    let malformed = |wire::Malformed| IssuanceError::Malformed(which);
    let answer: CredentialResponse =
        wire::shaped(wire::object(&response.body).map_err(malformed)?).map_err(malformed)?;
    match (response.status, answer.transaction_id, answer.credentials) {
        (202, Some(id), None) if (1..=MAX_TRANSACTION).contains(&id.len()) => {
            // An issuer that gives no interval, or none at all, is asked with patience.
            let interval = answer.interval.unwrap_or(Seconds::MINUTE).max(Seconds::new(1));
            Ok(Answered::Later { transaction_id: Zeroizing::new(id), interval })
        }
        (200, None, copies) => {
            let copies = copies.unwrap_or_default();
            if copies.is_empty() || copies.len() > keys {
                return Err(IssuanceError::CopyCount { got: copies.len(), keys });
            }
            let text = |copy: Value| match copy {
                Value::String(text) => Ok(Zeroizing::new(text)),
                _ => Err(IssuanceError::Malformed(which)),
            };
            let texts = copies.into_iter().map(|copy| text(copy.credential)).collect::<Result<_, _>>()?;
            Ok(Answered::Copies { texts, notification_id: answer.notification_id })
        }
        _ => Err(IssuanceError::Malformed(which)),
    }
}

/// An answer that is no success.
pub(super) fn refused(answer: Answer, response: &Response) -> IssuanceError {
    let status = response.status;
    match wire::error_code(&response.body) {
        code @ Some(_) if (400..500).contains(&status) => IssuanceError::Refused { answer, code },
        _ if matches!(status, 401 | 403) => IssuanceError::Refused { answer, code: None },
        _ => IssuanceError::Status { answer, status },
    }
}

/// Everything in it is a secret or leads to one.
impl fmt::Debug for Redeeming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { effect, plan: _, stage: _ } = self;
        f.debug_struct("Redeeming").field("effect", effect).finish_non_exhaustive()
    }
}

fn is_token(text: &str) -> bool {
    (1..=MAX_TOKEN).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

const MAX_TOKEN: usize = 16 * 1024;
const MAX_TRANSACTION: usize = 1_024;
const MAX_DETAILS: usize = 8;
