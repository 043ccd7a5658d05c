//! Why a credential did not come into the wallet.

use crate::attestation::AttestationError;
use crate::effect::AddressError;
use crate::fault::{Blame, Fault};
use crate::holdings::HoldingsError;
use crate::vault::RecordError;
use credentials::mdoc;
use credentials::sd_jwt::VerifyError;
use credentials::type_metadata::{ResolveError, RuleError};
use schemas::openid4vci::{OFFER_SCHEME, SD_JWT_VC_FORMAT};

/// Which answer of the issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Answer {
    /// The credential offer behind a `credential_offer_uri`.
    Offer,
    /// The credential issuer's metadata.
    IssuerMetadata,
    /// The authorization server's metadata.
    ServerMetadata,
    /// The answer to the pushed authorization request.
    PushedRequest,
    /// What the person came back with from the issuer's page.
    Authorization,
    /// The answer to the request for a challenge.
    Challenge,
    /// The token response.
    Token,
    /// The nonce response.
    Nonce,
    /// What the provider says of the keys.
    KeyAttestation,
    /// The credential response.
    Credential,
    /// The deferred credential response.
    Deferred,
    /// The answer to a notification.
    Notification,
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Offer => "credential offer",
            Self::IssuerMetadata => "issuer metadata",
            Self::ServerMetadata => "authorization server metadata",
            Self::PushedRequest => "pushed authorization response",
            Self::Authorization => "authorization response",
            Self::Challenge => "challenge response",
            Self::Token => "token response",
            Self::Nonce => "nonce response",
            Self::KeyAttestation => "key attestation",
            Self::Credential => "credential response",
            Self::Deferred => "deferred credential response",
            Self::Notification => "notification response",
        })
    }
}

/// Why a credential did not come into the wallet. Nothing was kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssuanceError {
    // What was given cannot be used.
    /// Not a link of that scheme, or longer than 64 KiB.
    #[error("not an {OFFER_SCHEME}:// link")]
    NotALink,
    /// The offer demands a transaction code, none was given.
    #[error("the issuer asks for a transaction code")]
    TxCodeMissing,
    /// A transaction code was given that the offer does not ask for.
    #[error("this offer takes no transaction code")]
    TxCodeUnwanted,
    /// The transaction code cannot be right. It was not sent: the issuer allows few tries.
    #[error("the transaction code does not look as the issuer describes it{}", .length.map(|n| format!(": expected {n} characters")).unwrap_or_default())]
    TxCodeShape {
        /// How many characters it should have.
        length: Option<u32>,
    },

    // The issuer's fault: refused.
    /// Neither or both of `credential_offer` and `credential_offer_uri`, or one of them twice.
    #[error("the link holds no single credential offer")]
    LinkParameters,
    /// An address that is not safe to open.
    #[error("{0} names an address that is not safe to open: {1}")]
    Address(Answer, #[source] AddressError),
    /// Not what it should be.
    #[error("the {0} is malformed")]
    Malformed(Answer),
    /// The offer has neither a pre-authorized code nor the authorization code flow.
    #[error("the offer names no grant that this wallet uses")]
    NoGrant,
    /// The person has to go to the issuer's page first.
    #[error("this offer wants the person to go to the issuer's page")]
    AuthorizationWanted,
    /// Codes that could be stolen or mixed up.
    #[error("the authorization server does not guard its codes by pushed requests, S256 and its own name")]
    CodeNotGuarded,
    /// The address is not where this request comes back, or of another request or server.
    #[error("this is not the address at which the issuer answers this request")]
    NotOurRedirect,
    /// The metadata is signed, and wrongly.
    #[error("the issuer's metadata is signed, but not by this issuer for itself")]
    MetadataSignature,
    /// Signed by the issuer, for another time than this machine's.
    #[error("the issuer's metadata is signed for another time than this machine's clock shows")]
    MetadataTime,
    /// The metadata of this issuer were signed before, and are not now, or by another.
    #[error("the issuer's metadata were signed when you met it before, and are not now, or by another")]
    OtherSigner,
    /// They are signed as before, and nobody vouches for the signer any more.
    #[error(
        "the issuer's metadata are signed as when you met it before, and no trust anchor vouches for the signer any more"
    )]
    NobodyVouches,
    /// The metadata is of another issuer.
    #[error("the metadata is not of the issuer that the offer names")]
    OtherIssuer,
    /// The offer names an authorization server that the issuer does not.
    #[error("the offer names an authorization server that the issuer does not list")]
    UnlistedServer,
    /// The metadata is of another authorization server.
    #[error("the authorization server's metadata is not its own")]
    OtherServer,
    /// The authorization server does not take the grant that the offer names.
    #[error("the authorization server does not take the grant of the offer")]
    GrantNotSupported,
    /// The issuer gives only to wallets that a provider vouches for.
    #[error("the issuer gives only to wallets that a provider vouches for, and none vouches for this one now")]
    AttestationWanted,
    /// The provider did not attest the keys of the copies.
    #[error("the keys of the copies could not be attested: {0}")]
    Provider(#[from] AttestationError),
    /// Nothing offered that this wallet can hold.
    #[error(
        "nothing is offered that this wallet can hold: {SD_JWT_VC_FORMAT} or {} signed with ES256 and bound to a P-256 key",
        mdoc::FORMAT
    )]
    NothingToHold,
    /// The issuer demands a layer of encryption that this wallet has not.
    #[error("the issuer demands requests or answers encrypted in a way that this wallet has not")]
    EncryptionDemanded,
    /// An answer that was to be encrypted is not, or not for this wallet.
    #[error("the {0} is not encrypted as it was asked for")]
    NotEncrypted(Answer),
    /// The issuer answered a request with an error.
    #[error("the issuer refused at the {answer}{}", .code.as_deref().map(|code| format!(": {code}")).unwrap_or_default())]
    Refused {
        /// Which answer.
        answer: Answer,
        /// The OAuth error code.
        code: Option<String>,
    },
    /// The code, or the transaction code, is wrong, used, or its time is over.
    #[error("the issuer did not accept the offer's code{}", if *.with_tx_code { " with this transaction code" } else { "" })]
    GrantRefused {
        /// Whether a transaction code was sent with it.
        with_tx_code: bool,
    },
    /// A bearer token although a DPoP proof was sent.
    #[error("the token is not bound to the key that was shown")]
    TokenNotBound,
    /// The issuer wants to issue later, and does not say where.
    #[error("the issuer wants to issue later, and does not say where to ask")]
    NowhereToAsk,
    /// The issuer left no way to new copies, or the credential's time is over.
    #[error("the issuer left no way to new copies of this credential")]
    NotRefillable,
    /// The issuer does not take the refresh token any more.
    #[error("the issuer gives no new copies of this credential without the desk")]
    NoMoreCopies,
    /// The new copies say something else than those held.
    #[error("the new copies do not say the same as those held")]
    Changed,
    /// No copies, or more than keys.
    #[error("{got} copies came for {keys} keys")]
    CopyCount {
        /// How many copies came.
        got: usize,
        /// How many keys were shown.
        keys: usize,
    },
    /// A copy does not verify.
    #[error("a copy of the credential does not verify: {0}")]
    Copy(#[source] VerifyError),
    /// A copy of a document does not verify.
    #[error("a copy of the document does not verify: {0}")]
    Document(#[source] mdoc::VerifyError),
    /// A copy of a document is not base64url.
    #[error("a copy of the document is not base64url")]
    DocumentEncoding,
    /// A copy of another type than offered.
    #[error("a copy of the credential is of another type than offered")]
    WrongType,
    /// A copy bound to a key that is not ours, or to one that another copy has.
    #[error("a copy of the credential is bound to none of the keys shown, or two to the same")]
    WrongKey,
    /// The copies do not all say the same.
    #[error("the copies of the credential do not all say the same")]
    Unlike,
    /// What the issuer, or whoever describes the type, publishes of the type does not hold.
    #[error("what is published of the credential's type does not hold: {0}")]
    TypeDocument(#[source] ResolveError),
    /// A copy breaks the rules of its own type.
    #[error("a copy of the credential breaks the rules of its type: {0}")]
    TypeRules(#[source] RuleError),
    /// The issuer is not known, and only known ones were allowed.
    #[error("the issuer's certificate leads to no trust anchor of this wallet")]
    NotKnown,

    // The person has not agreed.
    /// What was agreed to is not what came.
    #[error("what was confirmed is not what came")]
    NotConfirmed,

    // The surroundings.
    /// The issuer cannot be reached.
    #[error("the issuer cannot be reached for the {0}")]
    Unreachable(Answer),
    /// An answer with a status that says nothing more.
    #[error("the issuer answered with status {status} for the {answer}")]
    Status {
        /// Which answer.
        answer: Answer,
        /// The status.
        status: u16,
    },
    /// A key could not be made or used.
    #[error("a key could not be made or used")]
    Key,
    /// The vault.
    #[error(transparent)]
    Holdings(#[from] HoldingsError),
}

impl Blame for IssuanceError {
    fn fault(&self) -> Fault {
        match self {
            Self::NotALink | Self::TxCodeMissing | Self::TxCodeUnwanted | Self::TxCodeShape { .. } => Fault::Input,
            Self::NotRefillable => Fault::Input,
            Self::NotConfirmed => Fault::Person,
            Self::Refused { answer: Answer::Authorization, code: Some(code) } if code == "access_denied" => {
                Fault::Person
            }
            Self::Unreachable(_) => Fault::Network,
            Self::Status { status, .. } if *status >= 500 => Fault::Network,
            Self::Holdings(error) => error.fault(),
            Self::Provider(error) => error.fault(),
            Self::Key => Fault::Storage,
            _ => Fault::Peer,
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::NotALink => "give the whole openid-credential-offer:// link that the issuer shows, in quotes",
            Self::TxCodeMissing => "give the transaction code that the issuer handed out, with --tx-code",
            Self::TxCodeUnwanted => "leave the transaction code away",
            Self::TxCodeShape { .. } => "check the transaction code on the paper from the issuer; nothing was sent",
            Self::GrantRefused { with_tx_code: true } => {
                "check the transaction code; if it is right, ask for a new offer: one dies after a few wrong codes, is good once, and for a short time"
            }
            Self::GrantRefused { with_tx_code: false } => {
                "an offer is good once and for a short time: ask the issuer for a new one"
            }
            Self::AttestationWanted => {
                "have this wallet vouched for with `amparo attest`, then try again: the offer was not used"
            }
            Self::Refused { code: Some(code), .. } if code == "invalid_client" => {
                "the issuer does not know who vouches for this wallet: ask it which providers it knows"
            }
            Self::Provider(error) => error.hint(),
            Self::OtherSigner => {
                "nothing was sent: somebody may stand between you and the issuer. Try on another network; if the issuer itself tells you that it signs differently now, add --new-signer"
            }
            Self::NobodyVouches => {
                "the trust list that vouched for it may have ended: take a newer one with `amparo trust --list`, then try again"
            }
            Self::NotOurRedirect => "give the whole address that the browser shows after the issuer's page",
            Self::NotConfirmed => "nothing was kept: look at what came, and confirm it if it is yours",
            Self::NotRefillable | Self::NoMoreCopies => "ask the issuer's desk for a new offer",
            Self::Changed => "nothing was kept: ask the issuer what has changed",
            Self::Unreachable(_) => "check the network, and that the issuer is running, then try again",
            Self::Status { .. } => "try again later, or ask the issuer for a new offer",
            Self::NotKnown => {
                "nothing was kept, and the offer is used up: add the issuer's trust anchor with `amparo trust`, if you have it from someone you trust, and ask for a new offer"
            }
            Self::MetadataTime => {
                "nothing was sent: check this machine's clock, then try again or ask the issuer for a new offer"
            }
            Self::Copy(error) if error.is_about_time() => {
                "nothing was kept: check this machine's clock, then ask the issuer for a new offer"
            }
            Self::Document(mdoc::VerifyError::NotYetValid { .. } | mdoc::VerifyError::Expired { .. }) => {
                "nothing was kept: check this machine's clock, then ask the issuer for a new offer"
            }
            Self::Document(mdoc::VerifyError::Chain(error)) if error.is_about_time() => {
                "nothing was kept: check this machine's clock, then ask the issuer for a new offer"
            }
            Self::Refused { code: Some(code), .. } if code == "invalid_dpop_proof" || code == "invalid_proof" => {
                "check this machine's clock, then try again or ask the issuer for a new offer"
            }
            Self::Copy(_)
            | Self::Document(_)
            | Self::DocumentEncoding
            | Self::WrongType
            | Self::WrongKey
            | Self::Unlike
            | Self::TypeDocument(_)
            | Self::TypeRules(_)
            | Self::CopyCount { .. } => "the issuer made a faulty credential: nothing was kept, tell the issuer",
            Self::Key => {
                "try again; if it stays so, the machine's random generator or cryptographic library is at fault"
            }
            Self::Holdings(HoldingsError::Record(RecordError::Full)) => {
                "the vault is full: forget a credential that is no longer needed"
            }
            Self::Holdings(error) => error.hint(),
            _ => "ask the issuer for a new offer: this one cannot be used safely",
        }
    }
}
