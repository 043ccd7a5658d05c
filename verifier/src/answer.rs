//! What a wallet posts, read strictly: presentations, an encrypted answer, or a refusal.

use crate::policy::ResponseMode;
use crate::transaction::{OFFERED_ENCRYPTIONS, Transaction};
use credentials::json::{self, JsonError, Limits};
use credentials::jwe::{DecryptionKey, JweError};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;
use zeroize::Zeroizing;

/// How many bytes a body may have.
pub const MAX_BODY: usize = 512 * 1024;
/// How many presentations an answer may bring in all.
const MAX_PRESENTATIONS: usize = 16;
/// How many parameters a form may have.
const MAX_PARAMETERS: usize = 16;
/// How many characters a text of a refusal may have.
const MAX_TEXT: usize = 256;

/// The body of an answer, read but not opened.
pub enum AnswerIn {
    /// In the clear.
    Plain(OpenedAnswer),
    /// A compact JWE.
    Encrypted(String),
}

/// An answer in the clear, or opened. Nothing in it is verified.
pub struct OpenedAnswer {
    state: Option<String>,
    content: AnswerContent,
}

/// What the answer says.
pub enum AnswerContent {
    /// For each credential query the presentations that answer it.
    Presentations(Presentations),
    /// The wallet, or its holder, refuses.
    Refusal(Refusal),
}

/// The presentations of an answer, by credential query. Unverified.
pub struct Presentations(BTreeMap<String, Vec<Zeroizing<String>>>);

/// A refusal as the wallet words it.
///
/// # Source
/// OpenID4VP 1.0 §8.5 "Error Response".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// `access_denied`: the holder said no, or has nothing that fits; which it was is not told.
    AccessDenied,
    /// `invalid_transaction_data`: the wallet does not know our consent, or the proposal is not in order.
    InvalidTransactionData,
    /// Any other code: the wallet could not use the request.
    Other,
}

/// Why an answer could not be read. None of these spends the nonce.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// Longer than we take.
    #[error("answer of {got} bytes, at most {MAX_BODY} are read")]
    TooLong {
        /// What came.
        got: usize,
    },
    /// A parameter twice, or more parameters than we take.
    #[error("answer has a parameter twice, or more than {MAX_PARAMETERS} of them")]
    Parameters,
    /// None, or more than one, of `vp_token`, `response` and `error`.
    #[error("answer has none or several of vp_token, response and error")]
    Kind,
    /// Not strict JSON.
    #[error("answer is not strict JSON")]
    Json(#[from] JsonError),
    /// `vp_token` is not an object of arrays of texts, each array and the object not empty.
    #[error("vp_token is not an object of non-empty arrays of presentations, {MAX_PRESENTATIONS} at most")]
    VpToken,
    /// A parameter that should be a text is not.
    #[error("a parameter of the answer is of the wrong kind")]
    WrongKind,
    /// Encryption was demanded, and the presentations came in the clear.
    #[error("the answer is not encrypted, and encryption was demanded")]
    NotEncrypted,
    /// Encrypted, though that was not asked for.
    #[error("the answer is encrypted, and that was not asked for")]
    Encrypted,
    /// The JWE was refused or did not open.
    #[error("the encrypted answer: {0}")]
    Jwe(#[from] JweError),
    /// `state` is missing or another transaction's.
    #[error("the answer has no state, or that of another request")]
    State,
}

impl AnswerIn {
    /// Reads an `application/x-www-form-urlencoded` body. Parameters that we do not know are left aside.
    ///
    /// # Errors
    /// [`AnswerError`].
    ///
    /// # Source
    /// OpenID4VP 1.0 §8.1, §8.2, §8.3.1, §8.5.
    pub fn parse(body: &[u8]) -> Result<Self, AnswerError> {
        if body.len() > MAX_BODY {
            return Err(AnswerError::TooLong { got: body.len() });
        }
        let mut parameters: BTreeMap<String, Zeroizing<String>> = BTreeMap::new();
        for (count, (name, value)) in url::form_urlencoded::parse(body).enumerate() {
            let value = Zeroizing::new(value.into_owned());
            if count >= MAX_PARAMETERS || parameters.insert(name.into_owned(), value).is_some() {
                return Err(AnswerError::Parameters);
            }
        }
        let state = parameters.get("state").map(|state| state.as_str().to_owned());
        let get = |name| parameters.get(name).map(|value| value.as_str());
        let content = match (get("vp_token"), get("response"), get("error")) {
            (Some(token), None, None) => {
                let value = json::parse(token.as_bytes(), &limits())?;
                AnswerContent::Presentations(Presentations::read(&value)?)
            }
            (None, Some(response), None) => return Ok(Self::Encrypted(response.to_owned())),
            (None, None, Some(code)) => AnswerContent::Refusal(Refusal::read(code)),
            _ => return Err(AnswerError::Kind),
        };
        Ok(Self::Plain(OpenedAnswer { state, content }))
    }

    /// Opens the answer to `transaction`: decrypts where encryption was demanded, and checks that the `state` is its own.
    ///
    /// A refusal may come in the clear in either mode.
    ///
    /// # Errors
    /// [`AnswerError`]; [`AnswerError::State`] before [`AnswerError::NotEncrypted`], so that the latter is about this very
    /// transaction.
    ///
    /// # Source
    /// OpenID4VP 1.0 §8.3.1 "Response Mode direct_post.jwt", §14.3.2 `state`.
    pub fn open(self, transaction: &Transaction, key: Option<&DecryptionKey>) -> Result<OpenedAnswer, AnswerError> {
        let encryption_demanded = transaction.inquiry().response_mode() == ResponseMode::DirectPostJwt;
        let opened = match (self, key) {
            (Self::Encrypted(jwe), Some(key)) if encryption_demanded => {
                return OpenedAnswer::read(&key.decrypt(&jwe, &OFFERED_ENCRYPTIONS)?)?.of(transaction);
            }
            (Self::Encrypted(_), _) => return Err(AnswerError::Encrypted),
            (Self::Plain(opened), _) => opened.of(transaction)?,
        };
        match &opened.content {
            AnswerContent::Presentations(_) if encryption_demanded => Err(AnswerError::NotEncrypted),
            AnswerContent::Presentations(_) | AnswerContent::Refusal(_) => Ok(opened),
        }
    }
}

impl OpenedAnswer {
    fn read(plaintext: &[u8]) -> Result<Self, AnswerError> {
        let object = json::parse_object(plaintext, &limits())?;
        let text = |name: &str| match object.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(AnswerError::WrongKind),
        };
        let state = text("state")?;
        let content = match (object.get("vp_token"), text("error")?) {
            (Some(token), None) => AnswerContent::Presentations(Presentations::read(token)?),
            (None, Some(code)) => AnswerContent::Refusal(Refusal::read(&code)),
            _ => return Err(AnswerError::Kind),
        };
        Ok(Self { state, content })
    }

    fn of(self, transaction: &Transaction) -> Result<Self, AnswerError> {
        match &self.state {
            Some(state) if transaction.state().matches(state) => Ok(self),
            _ => Err(AnswerError::State),
        }
    }

    /// What it says.
    pub fn into_content(self) -> AnswerContent {
        self.content
    }
}

impl Presentations {
    /// Presentations by the identifier of the credential query that each list answers.
    pub fn new(presentations: impl IntoIterator<Item = (String, Vec<String>)>) -> Self {
        let zeroizing = |texts: Vec<String>| texts.into_iter().map(Zeroizing::new).collect();
        Self(presentations.into_iter().map(|(id, texts)| (id, zeroizing(texts))).collect())
    }

    fn read(value: &Value) -> Result<Self, AnswerError> {
        let object: &Map<String, Value> = value.as_object().ok_or(AnswerError::VpToken)?;
        let mut all = BTreeMap::new();
        let mut count = 0;
        for (id, list) in object {
            let list = list.as_array().filter(|list| !list.is_empty()).ok_or(AnswerError::VpToken)?;
            count += list.len();
            if count > MAX_PRESENTATIONS {
                return Err(AnswerError::VpToken);
            }
            let texts = list.iter().map(|text| text.as_str().map(|text| Zeroizing::new(text.to_owned())));
            all.insert(id.clone(), texts.collect::<Option<Vec<_>>>().ok_or(AnswerError::VpToken)?);
        }
        if all.is_empty() { Err(AnswerError::VpToken) } else { Ok(Self(all)) }
    }

    /// Each with the identifier of the credential query it answers.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|(id, texts)| texts.iter().map(move |text| (id.as_str(), text.as_str())))
    }
}

impl Refusal {
    fn read(code: &str) -> Self {
        match code.get(..MAX_TEXT).unwrap_or(code) {
            "access_denied" => Self::AccessDenied,
            "invalid_transaction_data" => Self::InvalidTransactionData,
            _ => Self::Other,
        }
    }
}

impl fmt::Debug for AnswerIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(opened) => f.debug_tuple("Plain").field(opened).finish(),
            Self::Encrypted(_) => f.write_str("Encrypted(..)"),
        }
    }
}

impl fmt::Debug for OpenedAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { state: _, content } = self;
        f.debug_struct("OpenedAnswer").field("content", content).finish_non_exhaustive()
    }
}

impl fmt::Debug for AnswerContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Presentations(presentations) => presentations.fmt(f),
            Self::Refusal(refusal) => refusal.fmt(f),
        }
    }
}

impl fmt::Debug for Presentations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(all) = self;
        write!(f, "Presentations({})", all.values().map(Vec::len).sum::<usize>())
    }
}

fn limits() -> Limits {
    Limits { bytes: MAX_BODY, ..Limits::TOKEN }
}

#[cfg(test)]
mod tests;
