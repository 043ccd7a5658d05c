//! The authorization code flow: the request that goes ahead, the page where the person gives the desk's code, and the code
//! that the wallet takes back.

use super::client::{ClientCall, ClientKey};
use super::offering::Waiting;
use super::redemption::{RedeemError, Redeemed, TokenCall, asks_for};
use super::{Issuer, randomness};
use crate::configuration::Configuration;
use crate::grant::{TOKEN_LIFETIME, Verdict};
use crate::keys::{Fingerprint, Purpose};
use crate::metadata::{PUSH_PATH, TOKEN_PATH};
use crate::redirect::RedirectUri;
use crate::seal::{self, SealError};
use crate::secret::{AccessToken, AuthorizationCode, RequestUri};
use crate::store::{Exchange, Pushed as PushedRecord, Redemption, StoreError};
use credentials::b64;
use schemas::{Seconds, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// How long a pushed request waits for the person: less than ten minutes (FAPI 2.0 §5.3.2.2).
pub const REQUEST_LIFETIME: Seconds = Seconds::new(540);
/// How long a code lives (FAPI 2.0 §5.3.2.1: at most a minute).
pub const CODE_LIFETIME: Seconds = Seconds::new(60);

/// A pushed authorization request, as it came.
#[derive(Default)]
pub struct PushCall<'a> {
    /// `response_type`
    pub response_type: Option<&'a str>,
    /// `client_id`: any name; nothing is believed of it but that the token request has the same.
    pub client_id: Option<&'a str>,
    /// `redirect_uri`
    pub redirect_uri: Option<&'a str>,
    /// `state`
    pub state: Option<&'a str>,
    /// `code_challenge`
    pub code_challenge: Option<&'a str>,
    /// `code_challenge_method`
    pub code_challenge_method: Option<&'a str>,
    /// `scope`
    pub scope: Option<&'a str>,
    /// `authorization_details`
    pub authorization_details: Option<&'a str>,
    /// `issuer_state`, from an offer.
    pub issuer_state: Option<&'a str>,
    /// `dpop_jkt`
    pub dpop_jkt: Option<&'a str>,
    /// `request_uri`, which must not be there.
    pub request_uri: Option<&'a str>,
    /// The DPoP header.
    pub dpop: Option<&'a str>,
    /// Who asks.
    pub client: ClientCall<'a>,
}

/// What waits for the person, sealed under the request's name, and then with the claims under the code.
#[derive(Serialize, Deserialize)]
struct Request {
    client_id: String,
    redirect_uri: RedirectUri,
    state: Option<String>,
    challenge: String,
    dpop_key: Option<[u8; 32]>,
    /// The key of the wallet, where its provider vouches for it.
    client_key: Option<ClientKey>,
    configurations: Vec<String>,
    by_identifier: bool,
    issuer_state: String,
}

/// What waits for the wallet, sealed under the code.
#[derive(Serialize, Deserialize)]
struct Granted {
    request: Request,
    waiting: Waiting,
}

/// What the person is shown.
#[derive(Debug)]
pub struct Asked {
    /// What the wallet wants to receive, for people.
    pub labels: Vec<&'static str>,
    /// Where the person goes from here.
    pub redirect_uri: RedirectUri,
}

/// What came of the person's answer.
#[derive(Debug)]
pub enum Answered {
    /// Go there.
    Redirect(Zeroizing<String>),
    /// Ask again.
    WrongCode {
        /// How many tries are left.
        left: u32,
        /// The page.
        asked: Asked,
    },
}

/// There is no such request, or its time is over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorizeError {
    /// No live request of this client.
    #[error("no live authorization request of this client")]
    Unknown,
    /// What was sealed does not open.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Issuer {
    /// Takes a request that goes ahead of the person.
    ///
    /// # Errors
    /// [`RedeemError`]; the offer is untouched.
    ///
    /// # Source
    /// RFC 9126 §2; OpenID4VCI 1.0 §5.1; RFC 7636 §4.3; RFC 9449 §10.
    pub fn push(&self, call: &PushCall<'_>) -> Result<RequestUri, RedeemError> {
        let now = self.now();
        let client_key = self.authenticate(call.client, call.client_id, now)?;
        let invalid = RedeemError::InvalidRequest;
        if call.request_uri.is_some() {
            return Err(invalid("request_uri has no place in a pushed request"));
        }
        if call.response_type != Some("code") {
            return Err(RedeemError::UnsupportedResponseType);
        }
        let client_id = call.client_id.filter(|id| is_name(id)).ok_or(invalid("client_id is missing or malformed"))?;
        let redirect_uri = call.redirect_uri.ok_or(invalid("redirect_uri is missing"))?;
        let redirect_uri = RedirectUri::parse(redirect_uri).ok_or(invalid(
            "redirect_uri must lead to this device: http on a loopback address, or a scheme of an app",
        ))?;
        let challenge = call.code_challenge.filter(|text| b64::decode_array::<32>(text).is_ok());
        let (Some(challenge), Some("S256")) = (challenge, call.code_challenge_method) else {
            return Err(invalid("code_challenge with the method S256 is needed"));
        };
        if call.state.is_some_and(|state| state.len() > MAX_STATE) {
            return Err(invalid("state is too long"));
        }
        let issuer_state = call.issuer_state.ok_or(invalid("issuer_state of an offer is needed"))?;
        let offer = self.store.offer(&self.code_key(issuer_state), now)?;
        let offer = offer.ok_or(invalid("no live offer with this issuer_state"))?;
        let (configurations, by_identifier) = match (call.authorization_details, call.scope) {
            (Some(text), None) => (asks_for(text, &offer.configurations, self.config.url.as_str())?, true),
            (None, Some(scope)) => (scoped(scope, &offer.configurations)?, false),
            _ => return Err(invalid("scope or authorization_details is needed, not both")),
        };
        // Only now, with a live offer: whoever has none cannot fill the memory of proofs.
        let proven = match call.dpop {
            Some(proof) => Some(self.spend_dpop(proof, PUSH_PATH, None, now)?),
            None => None,
        };
        let named = match call.dpop_jkt {
            Some(text) => Some(b64::decode_array::<32>(text).map_err(|_| invalid("dpop_jkt is malformed"))?),
            None => None,
        };
        if proven.is_some() && named.is_some() && proven != named {
            return Err(RedeemError::InvalidDpop(None));
        }
        let request = Request {
            client_id: client_id.to_owned(),
            redirect_uri,
            state: call.state.map(str::to_owned),
            challenge: challenge.to_owned(),
            dpop_key: proven.or(named),
            client_key,
            configurations,
            by_identifier,
            issuer_state: issuer_state.to_owned(),
        };
        let uri = RequestUri::generate(&mut randomness());
        let plaintext = Zeroizing::new(serde_json::to_vec(&request).map_err(|_| SealError::TooLong)?);
        self.store.push(&PushedRecord {
            request: self.request_key(uri.as_str()),
            offer: self.code_key(issuer_state),
            expires: now.plus(REQUEST_LIFETIME),
            sealed: seal::seal(&*self.keys, Purpose::SealRequest, uri.as_str(), &plaintext)?,
        })?;
        Ok(uri)
    }

    /// What the person is asked.
    ///
    /// # Errors
    /// [`AuthorizeError::Unknown`].
    pub fn asked(&self, client_id: &str, request_uri: &str) -> Result<Asked, AuthorizeError> {
        self.request(client_id, request_uri, self.now()).map(|request| page(&request))
    }

    /// The person gives the desk's code: the offer is judged as at the token endpoint, five wrong codes end it.
    ///
    /// # Errors
    /// [`AuthorizeError`].
    ///
    /// # Source
    /// RFC 6749 §4.1.2; RFC 9207 §2; OpenID4VCI 1.0 §13.6.3.
    pub fn authorize(&self, client_id: &str, request_uri: &str, tx_code: &str) -> Result<Answered, AuthorizeError> {
        let now = self.now();
        let request = self.request(client_id, request_uri, now)?;
        let asked = page(&request);
        let state = request.state.clone();
        let offer = request.issuer_state.clone();
        let key = self.code_key(&offer);
        let denied = |error: &str| {
            let link = asked.redirect_uri.answer("error", error, state.as_deref(), self.config.url.as_str());
            Ok(Answered::Redirect(link))
        };
        let Some(record) = self.store.offer(&key, now)? else { return denied("access_denied") };
        let waiting = self.open_waiting(Purpose::SealOffer, &offer, &record.sealed)?;
        let code = AuthorizationCode::generate(&mut randomness());
        let granted = Granted { request, waiting };
        let plaintext = Zeroizing::new(serde_json::to_vec(&granted).map_err(|_| SealError::TooLong)?);
        let exchange = Exchange {
            offer: key,
            tx_code: self.tx_code(&offer, tx_code),
            request: self.request_key(request_uri),
            code: self.authorization_code_key(code.as_str()),
            expires: now.plus(CODE_LIFETIME),
            sealed: seal::seal(&*self.keys, Purpose::SealCode, code.as_str(), &plaintext)?,
        };
        match self.store.authorize(&exchange, now)? {
            Verdict::Granted => {
                let issuer = self.config.url.as_str();
                let link = asked.redirect_uri.answer("code", code.as_str(), state.as_deref(), issuer);
                Ok(Answered::Redirect(link))
            }
            Verdict::WrongTxCode { left } => Ok(Answered::WrongCode { left, asked }),
            Verdict::Dead | Verdict::NoOffer => denied("access_denied"),
        }
    }

    /// The person says no: the wallet is told, and the offer stays.
    ///
    /// # Errors
    /// [`AuthorizeError`].
    pub fn refuse(&self, client_id: &str, request_uri: &str) -> Result<Zeroizing<String>, AuthorizeError> {
        let request = self.request(client_id, request_uri, self.now())?;
        self.store.forget_request(&self.request_key(request_uri))?;
        let issuer = self.config.url.as_str();
        Ok(request.redirect_uri.answer("error", "access_denied", request.state.as_deref(), issuer))
    }

    /// A token for a code.
    ///
    /// # Errors
    /// [`RedeemError`]. A code shown a second time ends the token that it was exchanged for.
    ///
    /// # Source
    /// RFC 6749 §4.1.3, §10.5; RFC 7636 §4.6; RFC 9449 §10.
    pub(super) fn redeem_code(
        &self,
        call: &TokenCall<'_>,
        client: Option<ClientKey>,
        now: Timestamp,
    ) -> Result<Redeemed, RedeemError> {
        let code = call.authorization_code.ok_or(RedeemError::InvalidRequest("code is missing"))?;
        let verifier = call.code_verifier.ok_or(RedeemError::InvalidRequest("code_verifier is missing"))?;
        let key = self.authorization_code_key(code);
        let record = self.store.code(&key, now)?.ok_or(RedeemError::InvalidGrant)?;
        let Some(sealed) = record else {
            // Shown again: whoever has it, has stolen it, or was stolen from.
            self.store.burn(&key)?;
            return Err(RedeemError::InvalidGrant);
        };
        let plaintext = seal::open(&*self.keys, Purpose::SealCode, code, &sealed)?;
        let Granted { request, waiting } = serde_json::from_slice(&plaintext).map_err(|_| SealError::Broken)?;
        let challenge = b64::encode(&Sha256::digest(verifier.as_bytes()));
        let is_verifier = (43..=128).contains(&verifier.len());
        let fits = bool::from(challenge.as_bytes().ct_eq(request.challenge.as_bytes()))
            && is_verifier
            && call.client_id == Some(request.client_id.as_str())
            && call.redirect_uri == Some(request.redirect_uri.as_str())
            && client == request.client_key;
        if !fits {
            return Err(RedeemError::InvalidGrant);
        }
        let dpop_key = match call.dpop {
            Some(proof) => Some(self.spend_dpop(proof, TOKEN_PATH, None, now)?),
            None => None,
        };
        if request.dpop_key.is_some() && dpop_key != request.dpop_key {
            return Err(RedeemError::InvalidDpop(None));
        }
        if dpop_key.is_none() && (self.demands.dpop || waiting.decision_time.is_some()) {
            return Err(RedeemError::InvalidDpop(None));
        }
        let lifetime = waiting.decision_time.unwrap_or(TOKEN_LIFETIME);
        let token = AccessToken::generate(&mut randomness());
        let Request { configurations, by_identifier, .. } = request;
        let (refresh, kept) = self.new_refresh(&waiting, dpop_key.is_some(), now)?.unzip();
        let redemption = Redemption {
            refresh: kept,
            code: key,
            tx_code: Fingerprint::from_bytes([0; 32]),
            token: self.token_key(token.as_str()),
            token_expires: now.plus(TOKEN_LIFETIME),
            dpop_key,
            configurations: configurations.clone(),
            by_identifier,
            sealed: self.seal_waiting(Purpose::SealToken, token.as_str(), &waiting)?,
        };
        if !self.store.exchange(&redemption, now)? {
            return Err(RedeemError::InvalidGrant);
        }
        let authorized = by_identifier.then_some(configurations);
        Ok(Redeemed { token, bound: dpop_key.is_some(), lifetime, authorized, refresh })
    }

    fn request(&self, client_id: &str, request_uri: &str, now: Timestamp) -> Result<Request, AuthorizeError> {
        let sealed = self.store.request(&self.request_key(request_uri), now)?.ok_or(AuthorizeError::Unknown)?;
        let plaintext = seal::open(&*self.keys, Purpose::SealRequest, request_uri, &sealed)?;
        let request: Request = serde_json::from_slice(&plaintext).map_err(|_| SealError::Broken)?;
        if request.client_id == client_id { Ok(request) } else { Err(AuthorizeError::Unknown) }
    }

    pub(super) fn code_key(&self, code: &str) -> Fingerprint {
        self.keys.fingerprint(Purpose::Code, &[code.as_bytes()])
    }

    fn request_key(&self, request_uri: &str) -> Fingerprint {
        self.keys.fingerprint(Purpose::Request, &[request_uri.as_bytes()])
    }

    fn authorization_code_key(&self, code: &str) -> Fingerprint {
        self.keys.fingerprint(Purpose::AuthorizationCode, &[code.as_bytes()])
    }
}

fn page(request: &Request) -> Asked {
    let known = request.configurations.iter().filter_map(|id| Configuration::by_id(id));
    let mut labels: Vec<&'static str> = known.map(|configuration| configuration.credential_type.label).collect();
    labels.dedup();
    Asked { labels, redirect_uri: request.redirect_uri.clone() }
}

/// The configurations that scopes ask for: each scope is called like its configuration.
fn scoped(scope: &str, offered: &[String]) -> Result<Vec<String>, RedeemError> {
    let mut asked: Vec<String> = Vec::new();
    for name in scope.split(' ') {
        if !offered.iter().any(|offered| offered == name) {
            return Err(RedeemError::InvalidScope);
        }
        if !asked.iter().any(|asked| asked == name) {
            asked.push(name.to_owned());
        }
    }
    Ok(asked)
}

fn is_name(text: &str) -> bool {
    (1..=256).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

const MAX_STATE: usize = 1_024;
