//! Making an offer: claims sealed under a code that only the offer bears.

use super::authorization::AuthorizeError;
use super::deferral::{MAX_DECISION_TIME, reference};
use super::{Issuer, randomness};
use crate::claims::ClaimSet;
use crate::configuration::{Configuration, Format};
use crate::grant::{MAX_OFFER_LIFETIME, OFFER_LIFETIME};
use crate::issuing::Span;
use crate::keys::Purpose;
use crate::metadata::{BATCH_SIZE, OFFER_PATH};
use crate::seal::{self, SealError};
use crate::secret::{Handle, OfferName, PreAuthorizedCode, TX_CODE_DIGITS, TxCode};
use crate::store::{NewOffer, StoreError};
use schemas::openid4vci::{
    AuthorizationCodeGrant, CredentialOffer, HAIP_OFFER_SCHEME, OFFER_SCHEME, OfferGrants, PreAuthorizedCodeGrant,
    TxCode as TxCodeHint,
};
use schemas::{Seconds, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::form_urlencoded;
use zeroize::Zeroizing;

/// How a wallet gets its token for an offer. The person gives the desk's code either way: to the wallet, or on our page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grant {
    /// With a pre-authorized code.
    #[default]
    PreAuthorized,
    /// By the authorization code flow.
    AuthorizationCode,
}

/// The link by which a wallet learns of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Link {
    /// How it begins.
    pub scheme: LinkScheme,
    /// It refers to the offer instead of holding it.
    pub by_reference: bool,
}

/// How a link begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum LinkScheme {
    /// `openid-credential-offer://`, which every wallet takes.
    #[default]
    OpenidCredentialOffer,
    /// `haip-vci://` (HAIP 1.0 §4.2).
    HaipVci,
}

impl LinkScheme {
    const fn as_str(self) -> &'static str {
        match self {
            Self::OpenidCredentialOffer => OFFER_SCHEME,
            Self::HaipVci => HAIP_OFFER_SCHEME,
        }
    }
}

/// What the desk orders.
#[derive(Debug)]
pub struct Order {
    /// What is said.
    pub claims: ClaimSet,
    /// In which formats, each once; SD-JWT VC when empty.
    pub formats: Vec<Format>,
    /// How long the credential holds, from its issuance.
    pub valid: Seconds,
    /// How many copies the wallet may have.
    pub count: u32,
    /// How the wallet gets its token.
    pub grant: Grant,
    /// How it learns of the offer.
    pub link: Link,
    /// How long the offer waits.
    pub redeem_within: Seconds,
    /// When somebody must approve the issuance after the wallet has asked: how long they may take.
    pub decision_time: Option<Seconds>,
    /// Whether the wallet may have new copies later by showing an old one.
    pub refill: bool,
}

impl Order {
    /// The copies and times of an ordinary order: 365 days, 30 copies in SD-JWT VC, to be redeemed within ten minutes.
    pub const fn new(claims: ClaimSet) -> Self {
        Self {
            claims,
            formats: Vec::new(),
            valid: Seconds::DAY.times(365),
            count: BATCH_SIZE,
            redeem_within: OFFER_LIFETIME,
            decision_time: None,
            refill: true,
            grant: Grant::PreAuthorized,
            link: Link { scheme: LinkScheme::OpenidCredentialOffer, by_reference: false },
        }
    }
}

impl Order {
    /// The configuration ids of what is ordered.
    fn configurations(&self) -> Vec<String> {
        let mut formats = self.formats.clone();
        formats.sort_unstable();
        formats.dedup();
        if formats.is_empty() {
            formats.push(Format::SdJwtVc);
        }
        let credential_type = self.claims.credential_type();
        formats.into_iter().map(|format| Configuration { credential_type, format }.to_string()).collect()
    }
}

/// An offer that was made.
#[derive(Debug)]
pub struct Offered {
    /// Revokes it, and is kept nowhere else.
    pub handle: Handle,
    /// The link for the wallet: `openid-credential-offer://?credential_offer=…`. It holds the code, or a name as good as it.
    pub link: Zeroizing<String>,
    /// For the person, by another way than the link.
    pub tx_code: TxCode,
    /// When the offer ends.
    pub expires_at: Timestamp,
    /// What `pending` calls it, where somebody must approve.
    pub reference: Option<String>,
    /// The configurations offered.
    pub configuration_ids: Vec<String>,
}

/// Why an offer could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OfferError {
    /// More or fewer copies than a batch may have.
    #[error("an offer has 1 to {BATCH_SIZE} copies, not {got}")]
    Count {
        /// How many were ordered.
        got: u32,
    },
    /// It waits longer than personal data may.
    #[error("an offer waits 1s to {MAX_OFFER_LIFETIME}, not {got}")]
    Lifetime {
        /// How long was ordered.
        got: Seconds,
    },
    /// A decision would take longer than personal data may wait.
    #[error("a decision takes 1s to {MAX_DECISION_TIME}, not {got}")]
    DecisionTime {
        /// How long was ordered.
        got: Seconds,
    },
    /// It would hold for no time.
    #[error("a credential must be valid for some time")]
    NeverValid,
    /// The credential would outlive the issuer's certificate.
    #[error("the credential would be valid until {until}, when the issuer's certificate no longer holds")]
    OutlivesCertificate {
        /// Until when.
        until: Timestamp,
    },
    /// The claims could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What waits, sealed, for the holder.
#[derive(Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) claims: Map<String, Value>,
    pub(super) valid: Seconds,
    pub(super) count: u32,
    pub(super) handle: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) decision_time: Option<Seconds>,
    /// Whether a refresh token goes with the access token.
    #[serde(default)]
    pub(super) refill: bool,
    /// The claims come from a copy that the wallet shows.
    #[serde(default)]
    pub(super) renews: bool,
    /// How the wallet gets its token.
    #[serde(default)]
    pub(super) grant: Grant,
}

impl Issuer {
    /// Makes an offer. The store keeps fingerprints, and the claims sealed under the code; the code leaves with the link.
    ///
    /// # Errors
    /// [`OfferError`].
    ///
    /// # Source
    /// OpenID4VCI 1.0 §4.1.
    pub fn offer(&self, order: &Order) -> Result<Offered, OfferError> {
        let now = self.now();
        if !(1..=BATCH_SIZE).contains(&order.count) {
            return Err(OfferError::Count { got: order.count });
        }
        if order.redeem_within == Seconds::default() || order.redeem_within > MAX_OFFER_LIFETIME {
            return Err(OfferError::Lifetime { got: order.redeem_within });
        }
        if order.valid == Seconds::default() {
            return Err(OfferError::NeverValid);
        }
        if let Some(got) = order.decision_time.filter(|time| *time == Seconds::default() || *time > MAX_DECISION_TIME) {
            return Err(OfferError::DecisionTime { got });
        }
        let expires = now.plus(order.redeem_within);
        // The latest it can be issued is just before the offer ends, or five minutes later with a token, or when somebody
        // has decided.
        let decided = expires.plus(crate::grant::TOKEN_LIFETIME).plus(order.decision_time.unwrap_or_default());
        let until = Span::new(decided, order.valid).until;
        if !self.signs_until(until) {
            return Err(OfferError::OutlivesCertificate { until });
        }

        // A desk without a running service forgets as well: nothing that has expired outlasts the next offer.
        self.store.purge(now)?;
        let rng = &mut randomness();
        let name = order.link.by_reference.then(|| OfferName::generate(rng));
        let code = match &name {
            Some(name) => PreAuthorizedCode::of_name(name.as_str(), &*self.keys),
            None => PreAuthorizedCode::generate(rng),
        };
        let (tx_code, handle) = (TxCode::generate(rng), Handle::generate(rng));
        let waiting = Waiting {
            claims: order.claims.values().clone(),
            valid: order.valid,
            count: order.count,
            handle: handle.as_str().to_owned(),
            decision_time: order.decision_time,
            refill: order.refill,
            renews: false,
            grant: order.grant,
        };
        let handle_key = self.handle(&handle);
        let configurations = order.configurations();
        self.store.put_offer(&NewOffer {
            code: self.keys.fingerprint(Purpose::Code, &[code.as_str().as_bytes()]),
            tx_code: self.tx_code(code.as_str(), tx_code.as_str()),
            handle: handle_key.clone(),
            configurations: configurations.clone(),
            expires,
            sealed: self.seal_waiting(Purpose::SealOffer, code.as_str(), &waiting)?,
        })?;
        Ok(Offered {
            link: match &name {
                Some(name) => self.link_by_reference(name, order.link.scheme),
                None => link(&self.document(&code, configurations.clone(), order.grant), order.link.scheme),
            },
            reference: order.decision_time.map(|_| reference(&handle_key)),
            handle,
            tx_code,
            expires_at: expires,
            configuration_ids: configurations,
        })
    }

    /// A transaction code is fingerprinted together with its offer's code: equal codes of two offers do not look equal.
    pub(super) fn tx_code(&self, code: &str, tx_code: &str) -> crate::keys::Fingerprint {
        self.keys.fingerprint(Purpose::TxCode, &[code.as_bytes(), tx_code.as_bytes()])
    }

    pub(super) fn seal_waiting(&self, purpose: Purpose, secret: &str, waiting: &Waiting) -> Result<Vec<u8>, SealError> {
        let plaintext = Zeroizing::new(serde_json::to_vec(waiting).map_err(|_| SealError::TooLong)?);
        seal::seal(&*self.keys, purpose, secret, &plaintext)
    }

    pub(super) fn open_waiting(&self, purpose: Purpose, secret: &str, sealed: &[u8]) -> Result<Waiting, SealError> {
        let plaintext = seal::open(&*self.keys, purpose, secret, sealed)?;
        serde_json::from_slice(&plaintext).map_err(|_| SealError::Broken)
    }

    /// The offer to which a link refers by `name`, while it waits. Whoever has the name could ask for the token as well.
    ///
    /// # Errors
    /// [`AuthorizeError::Unknown`] when no offer waits under that name; [`AuthorizeError::Store`], [`AuthorizeError::Seal`].
    ///
    /// # Source
    /// OpenID4VCI 1.0 §4.1.3.
    pub fn offer_named(&self, name: &str) -> Result<CredentialOffer, AuthorizeError> {
        let code = PreAuthorizedCode::of_name(name, &*self.keys);
        let record = self.store.offer(&self.code_key(code.as_str()), self.now())?.ok_or(AuthorizeError::Unknown)?;
        let waiting = self.open_waiting(Purpose::SealOffer, code.as_str(), &record.sealed)?;
        Ok(self.document(&code, record.configurations, waiting.grant))
    }

    /// The offer itself.
    fn document(&self, code: &PreAuthorizedCode, configurations: Vec<String>, grant: Grant) -> CredentialOffer {
        let code = code.as_str().to_owned();
        let grants = match grant {
            Grant::PreAuthorized => OfferGrants {
                pre_authorized_code: Some(PreAuthorizedCodeGrant {
                    pre_authorized_code: code,
                    tx_code: Some(TxCodeHint {
                        input_mode: Some("numeric".to_owned()),
                        length: Some(TX_CODE_DIGITS),
                        description: Some("The desk tells you this code in person.".to_owned()),
                    }),
                    authorization_server: None,
                }),
                authorization_code: None,
            },
            Grant::AuthorizationCode => OfferGrants {
                pre_authorized_code: None,
                authorization_code: Some(AuthorizationCodeGrant {
                    issuer_state: Some(code),
                    authorization_server: None,
                }),
            },
        };
        CredentialOffer {
            credential_issuer: self.config.url.as_str().to_owned(),
            credential_configuration_ids: configurations,
            grants: Some(grants),
        }
    }

    /// The name stands in the query, which no log of ours has.
    fn link_by_reference(&self, name: &OfferName, scheme: LinkScheme) -> Zeroizing<String> {
        let place = Zeroizing::new(format!("{}?name={}", self.config.url.join(OFFER_PATH), name.as_str()));
        let query: String = form_urlencoded::byte_serialize(place.as_bytes()).collect();
        Zeroizing::new(format!("{}://?credential_offer_uri={query}", scheme.as_str()))
    }
}

fn link(offer: &CredentialOffer, scheme: LinkScheme) -> Zeroizing<String> {
    let offer = Zeroizing::new(serde_json::to_string(offer).unwrap_or_default());
    let query: String = form_urlencoded::byte_serialize(offer.as_bytes()).collect();
    // `+` for a space is a form's custom; a link's readers differ on it, and `%20` is read alike by all.
    Zeroizing::new(format!("{}://?credential_offer={}", scheme.as_str(), query.replace('+', "%20")))
}
