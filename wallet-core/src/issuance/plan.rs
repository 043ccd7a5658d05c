//! What was agreed to, and the token that opens it.

use super::access::{Access, Dpop};
use super::answered::refused;
use super::client::{self, Attested, Client, Repeats, Step};
use super::deferred::Transaction;
use super::delivered::Batch;
use super::error::{Answer, IssuanceError};
use super::offered::{Endpoints, Kind, TxCode};
use crate::attestation::Provider;
use crate::effect::{Effect, Response};
use crate::holdings::Copy;
use crate::wire;
use credentials::signer::SoftwareKey;
use rand_core::CryptoRng;
use schemas::Timestamp;
use schemas::openid4vci::{AUTHORIZATION_CODE_GRANT, PRE_AUTHORIZED_CODE_GRANT, REFRESH_TOKEN_GRANT, TokenResponse};
use serde_json::{Map, Value};
use std::collections::VecDeque;
use std::sync::Arc;
use zeroize::Zeroizing;

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

/// What the token opens.
pub(super) struct Session {
    pub(super) access: Access,
    pub(super) refresh_token: Option<Zeroizing<String>>,
    pub(super) wishes: VecDeque<Wish>,
    pub(super) batches: Vec<Batch>,
    pub(super) promised: VecDeque<Transaction>,
}

/// One credential request: what is asked for, and the keys for its copies.
pub(super) struct Wish {
    pub(super) kind: Kind,
    pub(super) identifier: Option<String>,
    pub(super) keys: Vec<SoftwareKey>,
    /// A copy that is shown for new ones.
    pub(super) shown: Option<Copy>,
    /// A c_nonce was refused once already.
    pub(super) nonce_refused: bool,
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
}

fn is_token(text: &str) -> bool {
    (1..=MAX_TOKEN).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

const MAX_TOKEN: usize = 16 * 1024;
const MAX_DETAILS: usize = 8;
