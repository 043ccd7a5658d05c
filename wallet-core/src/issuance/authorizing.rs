//! The authorization code flow: the request goes ahead, the person goes to the issuer's own page, and comes back with a code.

use super::answered::refused;
use super::client::{self, Repeats, Step};
use super::error::{Answer, IssuanceError};
use super::plan::{Grant, Plan};
use super::redeeming::Redeeming;
use crate::display::Shown;
use crate::effect::{Effect, Errand, Outcome, Progress};
use crate::wire;
use credentials::b64;
use rand_core::CryptoRng;
use schemas::Timestamp;
use schemas::openid4vci::PushedResponse;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt;
use url::Url;
use zeroize::Zeroizing;

/// Where the authorization server is asked.
#[derive(Debug, Clone)]
pub(super) struct AuthorizationEndpoints {
    /// Its identifier, which must come back with the code.
    pub(super) issuer: String,
    pub(super) authorize: Url,
    pub(super) push: Url,
}

/// The request is going ahead of the person.
pub struct Pushing {
    effect: Effect,
    plan: Plan,
    session: Session,
    step: Step,
}

/// What binds the code that comes back to this wallet and this request.
struct Session {
    endpoints: AuthorizationEndpoints,
    issuer_state: Option<Zeroizing<String>>,
    redirect_uri: String,
    state: Zeroizing<String>,
    verifier: Zeroizing<String>,
}

/// The person has to go to the issuer's page.
pub struct Authorization {
    plan: Plan,
    session: Session,
    url: Url,
}

impl Pushing {
    pub(super) fn begin(
        plan: Plan,
        endpoints: AuthorizationEndpoints,
        issuer_state: Option<Zeroizing<String>>,
        redirect_uri: &str,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, IssuanceError> {
        let session = Session {
            endpoints,
            issuer_state,
            redirect_uri: redirect_uri.to_owned(),
            state: random(rng),
            verifier: random(rng),
        };
        let (effect, step) = match client::challenge_request(plan.attested.as_ref())? {
            Some(effect) => (effect, Step::Challenge),
            None => (session.request(&plan, now, rng)?, Step::Request(Repeats::default())),
        };
        Ok(Self { effect, plan, session, step })
    }
}

impl Session {
    /// The pushed authorization request.
    ///
    /// # Source
    /// OpenID4VCI 1.0 §5.1; RFC 9126 §2.1; RFC 7636 §4.3; RFC 9449 §10.1.
    fn request(&self, plan: &Plan, now: Timestamp, rng: &mut dyn CryptoRng) -> Result<Effect, IssuanceError> {
        let challenge = b64::encode(&Sha256::digest(self.verifier.as_bytes()));
        let (name, wanted) = self.wanted(plan);
        let mut fields = vec![
            ("response_type", "code"),
            ("client_id", client::client_id(plan.attested.as_ref())),
            ("redirect_uri", self.redirect_uri.as_str()),
            ("state", self.state.as_str()),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
            (name, wanted.as_str()),
        ];
        fields.extend(self.issuer_state.as_ref().map(|state| ("issuer_state", state.as_str())));
        let url = &self.endpoints.push;
        let effect = Effect::post(url.clone()).header("accept", "application/json").form(fields);
        let effect = client::shown(effect, plan.attested.as_ref(), now, rng)?;
        match &plan.dpop {
            Some(dpop) => Ok(effect.header("dpop", dpop.proof(url, None, now, rng)?)),
            None => Ok(effect),
        }
    }

    /// What is asked for: scopes where every configuration has one, authorization details otherwise.
    fn wanted(&self, plan: &Plan) -> (&'static str, String) {
        let scopes: Option<Vec<&str>> = plan.kinds.iter().map(|kind| kind.scope.as_deref()).collect();
        match scopes {
            Some(scopes) => ("scope", scopes.join(" ")),
            None => {
                let detail = |id: &str| json!({"type": "openid_credential", "credential_configuration_id": id});
                let details = plan.kinds.iter().map(|kind| detail(&kind.configuration)).collect();
                ("authorization_details", Value::Array(details).to_string())
            }
        }
    }
}

impl Errand for Pushing {
    type Ready = Authorization;
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
        let Outcome::Response(response) = outcome else {
            return Err(IssuanceError::Unreachable(Answer::PushedRequest));
        };
        let Self { effect: _, mut plan, session, step } = self;
        let again = match step {
            Step::Challenge => {
                client::note_challenge(plan.attested.as_mut(), &response)?;
                Some(Repeats::default())
            }
            Step::Request(mut repeats) => plan.client().must_repeat(&response, &mut repeats).then_some(repeats),
        };
        if let Some(repeats) = again {
            let effect = session.request(&plan, now, rng)?;
            return Ok(Progress::Waiting(Self { effect, plan, session, step: Step::Request(repeats) }));
        }
        if response.status != 201 {
            return Err(refused(Answer::PushedRequest, &response));
        }
        let malformed = |wire::Malformed| IssuanceError::Malformed(Answer::PushedRequest);
        let PushedResponse { request_uri, expires_in: _ } =
            wire::shaped(wire::object(&response.body).map_err(malformed)?).map_err(malformed)?;
        if !(1..=MAX_REQUEST_URI).contains(&request_uri.len()) {
            return Err(IssuanceError::Malformed(Answer::PushedRequest));
        }
        let mut url = session.endpoints.authorize.clone();
        url.query_pairs_mut()
            .append_pair("client_id", client::client_id(plan.attested.as_ref()))
            .append_pair("request_uri", &request_uri);
        Ok(Progress::Ready(Authorization { plan, session, url }))
    }
}

impl Authorization {
    /// The issuer's page, to be opened in the person's own browser, never inside this program (RFC 8252 §8.12).
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The authorization server whose page it is.
    pub fn server(&self) -> Shown {
        Shown::text(&self.session.endpoints.issuer)
    }

    /// Goes on with the address at which the person came back: whole, or from its path on.
    ///
    /// # Errors
    /// [`IssuanceError::NotOurRedirect`] for an address of another request or another server: keep waiting;
    /// [`IssuanceError::Refused`] when the person or the issuer said no.
    ///
    /// # Source
    /// RFC 6749 §4.1.2, §10.12 (`state`); RFC 9207 §2.4 (`iss`).
    pub fn returned(
        &self,
        redirect: &str,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Redeeming, IssuanceError> {
        let own = Url::parse(&self.session.redirect_uri).map_err(|_| IssuanceError::NotOurRedirect)?;
        let url = own.join(redirect.trim()).map_err(|_| IssuanceError::NotOurRedirect)?;
        let is_own = url.origin() == own.origin() && url.path() == own.path() && redirect.len() <= MAX_REDIRECT;
        let mut pairs: Vec<(String, Zeroizing<String>)> = Vec::new();
        for (name, value) in url.query_pairs() {
            // RFC 6749 §3.1: no parameter twice.
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(IssuanceError::NotOurRedirect);
            }
            pairs.push((name.into_owned(), Zeroizing::new(value.into_owned())));
        }
        let value = |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        if !is_own
            || value("state") != Some(self.session.state.as_str())
            || value("iss") != Some(self.session.endpoints.issuer.as_str())
        {
            return Err(IssuanceError::NotOurRedirect);
        }
        if let Some(code) = value("error") {
            return Err(IssuanceError::Refused { answer: Answer::Authorization, code: wire::plain_code(code) });
        }
        let code = value("code").filter(|code| !code.is_empty()).ok_or(IssuanceError::NotOurRedirect)?;
        let grant = Grant::AuthorizationCode {
            code: Zeroizing::new(code.to_owned()),
            verifier: self.session.verifier.clone(),
            redirect_uri: self.session.redirect_uri.clone(),
        };
        Redeeming::begin(self.plan.with_grant(grant), now, rng)
    }
}

/// 256 random bits, base64url: a state, and the code verifier of RFC 7636 §4.1.
fn random(rng: &mut dyn CryptoRng) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; 32]);
    rng.fill_bytes(bytes.as_mut_slice());
    Zeroizing::new(b64::encode(bytes.as_slice()))
}

/// The same for every copy of this program: it says nothing of who uses it.
pub(crate) const CLIENT_ID: &str = "org.amparo.wallet";
const MAX_REQUEST_URI: usize = 1_024;
const MAX_REDIRECT: usize = 16 * 1024;

/// Everything in it is a secret or leads to one.
impl fmt::Debug for Pushing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { effect, plan: _, session: _, step: _ } = self;
        f.debug_struct("Pushing").field("effect", effect).finish_non_exhaustive()
    }
}

/// The address holds the name of the request.
impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan: _, session, url: _ } = self;
        f.debug_struct("Authorization").field("server", &session.endpoints.issuer).finish_non_exhaustive()
    }
}
