//! Redeeming an offer: token, nonce, and for each thing offered one request with a key for every copy.

use super::delivered::{Batch, Delivered};
use super::error::{Answer, IssuanceError};
use super::offered::{Endpoints, Kind, TxCode};
use crate::effect::{Effect, Errand, Outcome, Progress, Response};
use crate::wire;
use credentials::signer::SoftwareKey;
use credentials::{dpop, proof};
use rand_core::CryptoRng;
use schemas::Timestamp;
use schemas::openid4vci::{
    CredentialRequest, CredentialResponse, NonceResponse, PRE_AUTHORIZED_CODE_GRANT, Proofs, TokenResponse,
};
use serde_json::{Map, Value};
use std::collections::VecDeque;
use std::fmt;
use url::Url;
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
    pub(super) code: Zeroizing<String>,
    pub(super) tx_code: Option<TxCode>,
    pub(super) dpop: Option<Dpop>,
}

/// The key that the access token is bound to: fresh for each offer. And the nonces its servers gave.
pub(super) struct Dpop {
    key: SoftwareKey,
    server_nonce: Option<String>,
    issuer_nonce: Option<String>,
}

enum Stage {
    Token { retried: bool },
    Nonce { session: Session, wish: Wish },
    Credential { session: Session, wish: Wish, c_nonce: Option<String>, retried: bool },
}

/// What the token opens.
struct Session {
    token: Zeroizing<String>,
    wishes: VecDeque<Wish>,
    batches: Vec<Batch>,
}

/// One credential request: what is asked for, and the keys for its copies.
struct Wish {
    kind: Kind,
    identifier: Option<String>,
    keys: Vec<SoftwareKey>,
    /// A c_nonce was refused once already.
    nonce_refused: bool,
}

impl Dpop {
    pub(super) fn generate(mut rng: &mut dyn CryptoRng) -> Result<Self, IssuanceError> {
        let key = SoftwareKey::generate(&mut rng).map_err(|_| IssuanceError::Key)?;
        Ok(Self { key, server_nonce: None, issuer_nonce: None })
    }

    fn proof(
        &self,
        url: &Url,
        token: Option<&str>,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<String, IssuanceError> {
        let mut htu = url.clone();
        htu.set_query(None);
        let mut jti = [0; 16];
        rng.fill_bytes(&mut jti);
        // The authorization server sees no token yet; what it gives as nonce is not the issuer's.
        let nonce = if token.is_some() { &self.issuer_nonce } else { &self.server_nonce };
        dpop::create("POST", htu.as_str(), now, token, nonce.as_deref(), jti, &self.key).map_err(|_| IssuanceError::Key)
    }
}

impl Redeeming {
    pub(super) fn begin(plan: Plan, now: Timestamp, rng: &mut dyn CryptoRng) -> Result<Self, IssuanceError> {
        let effect = plan.token_request(now, rng)?;
        Ok(Self { effect, plan, stage: Stage::Token { retried: false } })
    }

    const fn answer(&self) -> Answer {
        match self.stage {
            Stage::Token { .. } => Answer::Token,
            Stage::Nonce { .. } => Answer::Nonce,
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
        plan.note_dpop_nonce(answer, &response);
        match stage {
            Stage::Token { retried: false } if plan.asks_for_dpop_nonce(&response) => {
                let effect = plan.token_request(now, rng)?;
                Ok(Progress::Waiting(Self { effect, plan, stage: Stage::Token { retried: true } }))
            }
            Stage::Token { .. } => {
                let session = plan.read_token(&response, rng)?;
                plan.next(session, now, rng)
            }
            Stage::Nonce { session, wish } => {
                let c_nonce = read_nonce(&response)?;
                plan.credential(session, wish, Some(c_nonce), false, now, rng).map(Progress::Waiting)
            }
            Stage::Credential { session, wish, c_nonce, retried: false } if plan.asks_for_dpop_nonce(&response) => {
                plan.credential(session, wish, c_nonce, true, now, rng).map(Progress::Waiting)
            }
            Stage::Credential { session, mut wish, .. }
                if !wish.nonce_refused && wire::error_code(&response.body).as_deref() == Some("invalid_nonce") =>
            {
                // §8.3.1.2: fetch a new c_nonce; once, or two servers could play ball for ever.
                wish.nonce_refused = true;
                plan.nonce_or_credential(session, wish, now, rng)
            }
            Stage::Credential { mut session, wish, .. } => {
                let Wish { kind, keys, .. } = wish;
                let texts = read_copies(&response, keys.len())?;
                session.batches.push(Batch { kind, keys, texts });
                plan.next(session, now, rng)
            }
        }
    }
}

impl Plan {
    /// The token request.
    ///
    /// # Source
    /// OpenID4VCI 1.0 §6.1; RFC 9449 §5.
    fn token_request(&self, now: Timestamp, rng: &mut dyn CryptoRng) -> Result<Effect, IssuanceError> {
        let token = &self.endpoints.token;
        let mut fields = vec![("grant_type", PRE_AUTHORIZED_CODE_GRANT), ("pre-authorized_code", self.code.as_str())];
        fields.extend(self.tx_code.as_ref().map(|code| ("tx_code", code.as_str())));
        let effect = Effect::post(token.clone()).header("accept", "application/json").form(fields);
        match &self.dpop {
            Some(dpop) => Ok(effect.header("dpop", dpop.proof(token, None, now, rng)?)),
            None => Ok(effect),
        }
    }

    /// # Source
    /// OpenID4VCI 1.0 §6.2; RFC 9449 §5 on `token_type`.
    fn read_token(&self, response: &Response, rng: &mut dyn CryptoRng) -> Result<Session, IssuanceError> {
        if response.status != 200 {
            return Err(match refused(Answer::Token, response) {
                IssuanceError::Refused { code: Some(code), .. }
                    if code == "invalid_grant" || code == "invalid_tx_code" =>
                {
                    IssuanceError::GrantRefused { with_tx_code: self.tx_code.is_some() }
                }
                other => other,
            });
        }
        let malformed = |wire::Malformed| IssuanceError::Malformed(Answer::Token);
        let mut members = wire::object(&response.body).map_err(malformed)?;
        let details = members.remove("authorization_details");
        let TokenResponse { access_token, token_type, expires_in: _ } = wire::shaped(members).map_err(malformed)?;
        let token = Zeroizing::new(access_token);
        if !(1..=MAX_TOKEN).contains(&token.len()) || !token.bytes().all(|b| b.is_ascii_graphic()) {
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
        Ok(Session { token, wishes, batches: Vec::new() })
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
                wishes.push_back(Wish { kind: kind.clone(), identifier, keys, nonce_refused: false });
            }
        }
        Ok(wishes)
    }

    /// The next wish, or all that came.
    fn next(
        self,
        mut session: Session,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Progress<Redeeming>, IssuanceError> {
        match session.wishes.pop_front() {
            Some(wish) => self.nonce_or_credential(session, wish, now, rng),
            None => Ok(Progress::Ready(Delivered::new(self.issuer, session.batches))),
        }
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
            return self.credential(session, wish, None, false, now, rng).map(Progress::Waiting);
        };
        let effect = Effect::post(url).header("accept", "application/json");
        Ok(Progress::Waiting(Redeeming { effect, plan: self, stage: Stage::Nonce { session, wish } }))
    }

    /// The credential request, with a proof of each key.
    ///
    /// # Source
    /// OpenID4VCI 1.0 §8.2, §F.1.
    fn credential(
        self,
        session: Session,
        wish: Wish,
        c_nonce: Option<String>,
        retried: bool,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Redeeming, IssuanceError> {
        let proofs = wish.keys.iter().map(|key| match &c_nonce {
            Some(nonce) => proof::create(&self.issuer, nonce, now, key),
            None => proof::create_without_nonce(&self.issuer, now, key),
        });
        let request = CredentialRequest {
            credential_configuration_id: wish.identifier.is_none().then(|| wish.kind.configuration.clone()),
            credential_identifier: wish.identifier.clone(),
            proofs: Some(Proofs { jwt: proofs.collect::<Result<_, _>>().map_err(|_| IssuanceError::Key)? }),
            credential_response_encryption: None,
        };
        let body = serde_json::to_vec(&request).map_err(|_| IssuanceError::Key)?;
        let url = self.endpoints.credential.clone();
        let effect = Effect::post(url.clone()).header("accept", "application/json").json(body);
        let effect = match &self.dpop {
            Some(dpop) => {
                let proof = dpop.proof(&url, Some(&session.token), now, rng)?;
                effect.header("authorization", format!("DPoP {}", *session.token)).header("dpop", proof)
            }
            None => effect.header("authorization", format!("Bearer {}", *session.token)),
        };
        Ok(Redeeming { effect, plan: self, stage: Stage::Credential { session, wish, c_nonce, retried } })
    }

    /// # Source
    /// RFC 9449 §8.1, §8.2; OpenID4VCI 1.0 §7.2 for the nonce endpoint.
    fn note_dpop_nonce(&mut self, answer: Answer, response: &Response) {
        let (Some(dpop), Some(nonce)) = (&mut self.dpop, response.header("dpop-nonce")) else { return };
        if (1..=MAX_NONCE).contains(&nonce.len()) && nonce.bytes().all(|b| b.is_ascii_graphic()) {
            let place = if answer == Answer::Token { &mut dpop.server_nonce } else { &mut dpop.issuer_nonce };
            *place = Some(nonce.to_owned());
        }
    }

    /// # Source
    /// RFC 9449 §8, §9: 400 from the authorization server, 401 with `WWW-Authenticate` from the issuer.
    fn asks_for_dpop_nonce(&self, response: &Response) -> bool {
        let in_header = || response.header("www-authenticate").is_some_and(|value| value.contains("use_dpop_nonce"));
        let in_body = || wire::error_code(&response.body).as_deref() == Some("use_dpop_nonce");
        self.dpop.is_some()
            && matches!(response.status, 400 | 401)
            && response.header("dpop-nonce").is_some()
            && (in_header() || in_body())
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

/// # Source
/// OpenID4VCI 1.0 §8.3.
fn read_copies(response: &Response, keys: usize) -> Result<Vec<Zeroizing<String>>, IssuanceError> {
    if response.status == 202 {
        return Err(IssuanceError::Deferred);
    }
    if response.status != 200 {
        return Err(refused(Answer::Credential, response));
    }
    let malformed = |wire::Malformed| IssuanceError::Malformed(Answer::Credential);
    let answer: CredentialResponse =
        wire::shaped(wire::object(&response.body).map_err(malformed)?).map_err(malformed)?;
    if answer.transaction_id.is_some() {
        return Err(IssuanceError::Deferred);
    }
    let copies = answer.credentials.unwrap_or_default();
    if copies.is_empty() || copies.len() > keys {
        return Err(IssuanceError::CopyCount { got: copies.len(), keys });
    }
    let text = |copy: Value| match copy {
        Value::String(text) => Ok(Zeroizing::new(text)),
        _ => Err(IssuanceError::Malformed(Answer::Credential)),
    };
    copies.into_iter().map(|copy| text(copy.credential)).collect()
}

/// An answer that is no success.
fn refused(answer: Answer, response: &Response) -> IssuanceError {
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

const MAX_TOKEN: usize = 16 * 1024;
const MAX_NONCE: usize = 1_024;
const MAX_DETAILS: usize = 8;
