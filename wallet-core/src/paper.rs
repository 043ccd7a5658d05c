//! Putting a presentation on paper, for a person without a phone: from a wish to the codes that are printed.
//!
//! [`Wish`] → [`Prepared`] → [`Printed`]. `unlock` recognises the holder for [`Wish::id`]; the evidence is spent by
//! [`Prepared::print`]. Nothing is sent anywhere. What is printed cannot be taken back: it ends when its consent ends.

use crate::consent::Given;
use crate::fault::{Blame, Fault};
use crate::history::{ConsentNote, Disclosed, Entry, HistoryError, Outcome};
use crate::holdings::{Credential, CredentialId, Held, Holdings, HoldingsError, Unsaved};
use crate::presentation::{HolderVerified, RequestId, Terms};
use credentials::b64;
use credentials::consent::{self, ConsentError, ConsentId, GrantError};
use credentials::key_binding::KeyBindingClaims;
use credentials::paper::{self, FrameError, LONGEST, PAPER_AUDIENCE};
use rand_core::CryptoRng;
use schemas::purpose::Purpose;
use schemas::{ClaimPath, Seconds, Timestamp};
use std::fmt;

/// What the person wants on paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The credential.
    pub credential: CredentialId,
    /// What of it, and nothing else.
    pub only: Vec<ClaimPath>,
    /// What for.
    pub purpose: Purpose,
    /// How long it holds; at most [`LONGEST`], and at most what the purpose allows.
    pub lasting: Seconds,
}

impl Wish {
    /// Names what will be printed, for [`unlock`](crate::unlock).
    pub fn id(&self) -> RequestId {
        let Self { credential, only, purpose, lasting } = self;
        let only: Vec<String> = only.iter().map(ToString::to_string).collect();
        RequestId::of(&format!("{PAPER_AUDIENCE} {credential} {purpose} {} {}", lasting.get(), only.join(" ")))
    }

    /// Looks at what would be printed.
    ///
    /// # Errors
    /// [`PaperError`].
    pub fn prepare(self, holdings: &Holdings<'_>, now: Timestamp) -> Result<Prepared, PaperError> {
        let id = self.id();
        let held = holdings.credential(self.credential)?;
        let Credential::SdJwtVc(credential) = holdings.look(&held)? else { return Err(PaperError::Format) };
        if self.only.is_empty() {
            return Err(PaperError::Nothing);
        }
        let selection = credential.select(&self.only).map_err(|_| PaperError::NotInIt)?;
        let paths = selection.paths();
        let beyond = consent::over_asking(&[self.purpose], &paths);
        if !beyond.is_empty() {
            return Err(PaperError::BeyondPurpose(beyond));
        }
        let lasting = self.lasting.min(LONGEST).min(consent::caps(self.purpose).lasting);
        if lasting == Seconds::new(0) {
            return Err(PaperError::Nothing);
        }
        let ends_at = held.expires_at().map_or(now.plus(lasting), |end| end.min(now.plus(lasting)));
        let terms = Terms { purposes: vec![self.purpose], ends_at, retention: ends_at.since(now) };
        Ok(Prepared { id, held, paths, terms })
    }
}

/// What would be printed, for the person to look at.
pub struct Prepared {
    id: RequestId,
    held: Held,
    paths: Vec<ClaimPath>,
    terms: Terms,
}

impl Prepared {
    /// The credential.
    pub const fn held(&self) -> &Held {
        &self.held
    }

    /// What of it: everything that could be hidden and will not be.
    pub fn disclosed(&self) -> Disclosed {
        Disclosed { type_: self.held.type_name().to_string(), paths: self.paths.clone() }
    }

    /// What for, and until when.
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Whether a portrait is among it: without one, nobody can tell whose paper it is.
    pub fn has_portrait(&self) -> bool {
        self.paths.iter().any(|path| path == &ClaimPath::names([PORTRAIT]))
    }

    /// Makes the codes: takes a copy of the credential, never to be used again, and signs it with a consent for whoever reads
    /// the paper.
    ///
    /// # Errors
    /// [`PaperError`]. Drop the vault without saving then.
    ///
    /// # Source
    /// RFC 9901 §4.3; `security.md` §4.1; [`credentials::paper`].
    pub fn print(
        self,
        holder: HolderVerified,
        holdings: &mut Holdings<'_>,
        now: Timestamp,
        mut rng: &mut dyn CryptoRng,
    ) -> Result<Unsaved<Printed>, PaperError> {
        if !holder.serves(self.id, now) {
            return Err(PaperError::NotRecognised);
        }
        let disclosed = self.disclosed();
        let Self { id: _, held, paths, terms } = self;
        let credential_id = held.id();
        let consent_id = ConsentId::generate(&mut rng);
        let proposed = paper::proposal(&terms.purposes, &paths, now, terms.ends_at)?;
        let choice =
            consent::Choice { claims: paths.clone(), lasting: Some(terms.retention), ..consent::Choice::default() };
        let secret = holdings.revocation_secret(consent_id);
        let grant = consent::grant(&proposed, &choice, consent_id, &secret, now)?;
        let mut nonce = [0; 16];
        rng.fill_bytes(&mut nonce);
        let nonce = b64::encode(&nonce);
        let claims = KeyBindingClaims {
            audience: PAPER_AUDIENCE.to_owned(),
            nonce: nonce.clone(),
            issued_at: now,
            transaction_data_hashes: Some(vec![proposed.hash().to_owned()]),
            consent: Some(grant),
            amr: holder.amr(),
            acr: Some(holder.acr()),
            auth_time: Some(holder.auth_time()),
        };
        let copy = holdings.spend(credential_id, false, rng)?.ok_or(PaperError::LastCopyUsed(credential_id))?;
        let unsigned = PaperError::Copy(credential_id);
        let Some(Credential::SdJwtVc(opened)) = copy.reopen() else { return Err(unsigned) };
        let selection = opened.select(&paths).map_err(|_| unsigned.clone())?;
        let presentation = selection.bind(&claims, &copy.key).map_err(|_| unsigned.clone())?;
        let bytes = paper::write(&presentation, &nonce, &proposed).map_err(|_| unsigned)?;
        let codes = paper::frames(&bytes)?;

        let mut entry = Entry::new(now, PAPER, PAPER_AUDIENCE, true, Outcome::Delivered);
        entry.purposes.clone_from(&terms.purposes);
        entry.disclosed = vec![disclosed];
        entry.consent = Some(ConsentNote::new(consent_id.to_string(), terms.ends_at, terms.retention));
        holdings.note(entry, now, rng)?;
        let given =
            Given::new(consent_id, PAPER, PAPER_AUDIENCE, terms.purposes.clone(), terms.ends_at, terms.retention);
        holdings.remember(&given, now, rng)?;
        Ok(Unsaved::new(Printed { codes, bytes: bytes.len(), terms, consent_id }))
    }
}

/// The codes of a paper.
pub struct Printed {
    codes: Vec<String>,
    bytes: usize,
    terms: Terms,
    consent_id: ConsentId,
}

impl Printed {
    /// One text for each code.
    pub fn codes(&self) -> &[String] {
        &self.codes
    }

    /// How many bytes the codes hold together.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// What for, and until when.
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The identifier of the consent.
    pub const fn consent_id(&self) -> ConsentId {
        self.consent_id
    }
}

/// The name of the claim with the portrait.
const PORTRAIT: &str = "picture";
/// Who reads a paper, in the history.
const PAPER: &str = "paper";

/// Why nothing was printed. Nothing was used up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PaperError {
    // The person must do something.
    /// Nothing was chosen, or no time.
    #[error("nothing to print: neither claims nor time may be empty")]
    Nothing,
    /// Held in a format that is not put on paper.
    #[error("a mobile document cannot be put on paper")]
    Format,
    /// The credential does not have it.
    #[error("the credential does not have all of these claims")]
    NotInIt,
    /// The purpose cannot need it.
    #[error("the purpose cannot need {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    BeyondPurpose(Vec<ClaimPath>),
    /// The holder was recognised for something else, or too long ago.
    #[error("the holder was not recognised for this paper within the last {} s", HolderVerified::GOOD_FOR.get())]
    NotRecognised,
    /// Every copy was shown before.
    #[error("every copy of credential {0} was shown before")]
    LastCopyUsed(CredentialId),
    /// More than fits on codes.
    #[error("too much for a paper: {0}")]
    TooMuch(#[from] FrameError),

    // The wallet's fault.
    /// The consent cannot be written.
    #[error("the consent cannot be written: {0}")]
    Consent(#[from] ConsentError),
    /// The consent cannot be given.
    #[error(transparent)]
    Grant(#[from] GrantError),
    /// A copy could not be opened or signed.
    #[error("a copy of credential {0} could not be signed")]
    Copy(CredentialId),
    /// The vault.
    #[error(transparent)]
    Holdings(#[from] HoldingsError),
    /// The history.
    #[error(transparent)]
    History(#[from] HistoryError),
}

impl Blame for PaperError {
    fn fault(&self) -> Fault {
        match self {
            Self::Nothing | Self::Format | Self::NotInIt | Self::BeyondPurpose(_) | Self::TooMuch(_) => Fault::Input,
            Self::NotRecognised | Self::LastCopyUsed(_) => Fault::Person,
            Self::Consent(_) | Self::Grant(_) | Self::Copy(_) => Fault::Storage,
            Self::Holdings(error) => error.fault(),
            Self::History(error) => error.fault(),
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Nothing => "name the claims with --only, and a time such as --for 24h",
            Self::Format => "choose the same credential in its other format; `amparo list` shows both",
            Self::NotInIt => "`amparo show` lists the claims of the credential",
            Self::BeyondPurpose(_) => "leave it out, or name another purpose",
            Self::NotRecognised => "unlock again for this paper",
            Self::LastCopyUsed(_) => "ask the issuer for new copies",
            Self::TooMuch(_) => "leave the portrait out, or choose fewer claims",
            Self::Consent(_) | Self::Grant(_) | Self::Copy(_) => "ask the issuer for new copies",
            Self::Holdings(error) => error.hint(),
            Self::History(error) => error.hint(),
        }
    }
}

/// What was chosen, not what it says.
impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, held, paths, terms } = self;
        f.debug_struct("Prepared")
            .field("id", id)
            .field("credential", &held.id())
            .field("paths", paths)
            .field("terms", terms)
            .finish()
    }
}

/// How many codes: what stands in them is the person's.
impl fmt::Debug for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Printed").field("codes", &self.codes.len()).field("terms", &self.terms).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
