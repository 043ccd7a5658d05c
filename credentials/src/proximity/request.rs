//! `DeviceRequest`: what a reader asks for.

use super::reader_auth::{Reader, USAGES, reader_authentication};
use super::{MOST_DOCUMENTS, MOST_ELEMENTS};
use crate::cbor::{FieldError, Fields, Limits, Value, Writer};
use crate::consent::ProposedConsent;
use crate::cose::{CoseError, Sign1In, write_sign1};
use crate::mdoc::SessionTranscript;
use crate::signer::{SignError, Signer};
use crate::trust::{CertificateChain, ChainError, ChainPolicy};
use schemas::mdoc::CONSENT_NAME_SPACE;
use schemas::{ClaimPath, Timestamp};
use std::collections::BTreeMap;

/// Whether a reader says that it will keep an element. A promise, and one that nobody can check; shown to the person.
///
/// # Source
/// ISO/IEC 18013-5 §8.3.2.1.2.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IntentToRetain {
    /// Not longer than the transaction takes.
    No,
    /// Longer.
    Yes,
}

/// What is asked of one document: elements by name space and identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentRequest {
    doc_type: String,
    elements: BTreeMap<String, BTreeMap<String, IntentToRetain>>,
    consent: Option<String>,
}

impl DocumentRequest {
    /// Of documents of this type, nothing yet.
    pub fn new(doc_type: &str) -> Self {
        Self { doc_type: doc_type.to_owned(), elements: BTreeMap::new(), consent: None }
    }

    /// This element too.
    #[must_use]
    pub fn with(mut self, name_space: &str, identifier: &str, intent: IntentToRetain) -> Self {
        self.elements.entry(name_space.to_owned()).or_default().insert(identifier.to_owned(), intent);
        self
    }

    /// With what the reader proposes the holder to agree to, as one entry of `transaction_data`: what for, and how long.
    #[must_use]
    pub fn proposing(self, consent: &ProposedConsent) -> Self {
        Self { consent: Some(consent.raw().to_owned()), ..self }
    }

    /// What the reader proposes, as it came: see [`ProposedConsent::parse`].
    pub fn proposal(&self) -> Option<&str> {
        self.consent.as_deref()
    }

    /// The document type.
    pub fn doc_type(&self) -> &str {
        &self.doc_type
    }

    /// The elements and what becomes of them, in the order of their paths.
    pub fn elements(&self) -> impl Iterator<Item = (ClaimPath, IntentToRetain)> {
        self.elements.iter().flat_map(|(name_space, elements)| {
            elements.iter().map(move |(name, intent)| (ClaimPath::names([name_space, name]), *intent))
        })
    }

    fn count(&self) -> usize {
        self.elements.values().map(BTreeMap::len).sum()
    }

    /// `ItemsRequest`
    fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        let members = 2 + usize::from(self.consent.is_some());
        writer.map(members).text("docType").text(&self.doc_type).text("nameSpaces").map(self.elements.len());
        for (name_space, elements) in &self.elements {
            writer.text(name_space).map(elements.len());
            for (name, intent) in elements {
                writer.text(name).bool(*intent == IntentToRetain::Yes);
            }
        }
        if let Some(consent) = &self.consent {
            writer.text("requestInfo").map(1).text(CONSENT_NAME_SPACE).text(consent);
        }
        writer.into_bytes()
    }

    fn parse(bytes: &[u8]) -> Result<Self, FieldError> {
        let malformed = FieldError::Malformed("nameSpaces");
        let mut fields = Fields::parse(bytes, "ItemsRequest")?;
        let doc_type = fields.text("docType")?;
        let mut read = BTreeMap::new();
        for (name_space, elements) in fields.map("nameSpaces")?.rest() {
            let elements: Option<BTreeMap<String, IntentToRetain>> = elements.into_map().and_then(|elements| {
                let intent = |value: &Value| match value {
                    Value::Bool(true) => Some(IntentToRetain::Yes),
                    Value::Bool(false) => Some(IntentToRetain::No),
                    _ => None,
                };
                elements.into_iter().map(|(name, value)| Some((name.into_text()?, intent(&value)?))).collect()
            });
            let elements = elements.filter(|elements| !elements.is_empty()).ok_or(malformed)?;
            read.insert(name_space.into_text().ok_or(malformed)?, elements);
        }
        if doc_type.is_empty() || read.is_empty() {
            return Err(malformed);
        }
        let consent = match fields.optional("requestInfo") {
            None => None,
            Some(info) => match Fields::of(info, "requestInfo")?.optional(CONSENT_NAME_SPACE) {
                None => None,
                Some(consent) => Some(consent.into_text().ok_or(FieldError::Malformed("requestInfo"))?),
            },
        };
        Ok(Self { doc_type, elements: read, consent })
    }
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// Not of the form.
    #[error(transparent)]
    Form(#[from] FieldError),
    /// No documents, or more documents or elements than are read.
    #[error("no documents, more than {MOST_DOCUMENTS}, or more than {MOST_ELEMENTS} elements")]
    Count,
    /// The reader's signature, or its form.
    #[error("readerAuth: {0}")]
    ReaderAuth(#[source] CoseError),
    /// The reader's certificates.
    #[error("reader's certificates: {0}")]
    Chain(#[from] ChainError),
    /// The reader's key is out of reach.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// Writes a `DeviceRequest`; signed, document by document, when `reader` is given.
///
/// # Errors
/// [`RequestError::Count`], [`RequestError::Sign`].
///
/// # Source
/// ISO/IEC 18013-5 §8.3.2.1.2.1, §9.1.4.4.
pub fn write_request(
    documents: &[DocumentRequest],
    transcript: &SessionTranscript,
    reader: Option<(&CertificateChain, &dyn Signer)>,
) -> Result<Vec<u8>, RequestError> {
    check_counts(documents.iter())?;
    let mut writer = Writer::new();
    writer.map(2).text("version").text("1.0").text("docRequests").array(documents.len());
    for document in documents {
        let items_request = document.encode();
        writer.map(1 + usize::from(reader.is_some())).text("itemsRequest").embedded(&items_request);
        if let Some((chain, signer)) = reader {
            writer.text("readerAuth");
            let payload = reader_authentication(transcript, &items_request);
            write_sign1(&mut writer, &payload, true, Some(chain), signer)?;
        }
    }
    Ok(writer.into_bytes())
}

/// A `DeviceRequest` as it came: nobody knows yet who asks.
#[derive(Debug)]
pub struct RequestIn(Vec<DocumentRequestIn>);

#[derive(Debug)]
struct DocumentRequestIn {
    request: DocumentRequest,
    /// The encoded `ItemsRequest` as received.
    items_request: Vec<u8>,
    reader_auth: Option<Sign1In>,
}

/// What is asked of one document, and who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestedDocument {
    /// What is asked.
    pub request: DocumentRequest,
    /// Who asks.
    pub reader: Reader,
}

impl RequestIn {
    /// Reads one.
    ///
    /// # Errors
    /// [`RequestError`].
    ///
    /// # Source
    /// ISO/IEC 18013-5 §8.3.2.1.2.1. Of `requestInfo`, which has no meaning there, only our own member is looked at.
    pub fn parse(bytes: &[u8]) -> Result<Self, RequestError> {
        let mut fields =
            Fields::of(crate::cbor::parse(bytes, &Limits::MESSAGE).map_err(FieldError::Cbor)?, "DeviceRequest")?;
        if !fields.text("version")?.starts_with("1.") {
            return Err(FieldError::Malformed("version").into());
        }
        let documents = fields.required("docRequests")?.into_array().ok_or(FieldError::Malformed("docRequests"))?;
        if documents.len() > MOST_DOCUMENTS {
            return Err(RequestError::Count);
        }
        let documents = documents.into_iter().map(DocumentRequestIn::read).collect::<Result<Vec<_>, _>>()?;
        check_counts(documents.iter().map(|document| &document.request))?;
        Ok(Self(documents))
    }

    /// Finds out who asks. A signature that does not verify refuses the whole request: somebody lies about who they are.
    ///
    /// # Errors
    /// [`RequestError::ReaderAuth`], [`RequestError::Chain`].
    ///
    /// # Source
    /// ISO/IEC 18013-5 §9.1.4 "mdoc reader authentication".
    pub fn authenticate(
        self,
        readers: &ChainPolicy<'_>,
        transcript: &SessionTranscript,
        now: Timestamp,
    ) -> Result<Vec<RequestedDocument>, RequestError> {
        let authenticate = |document: DocumentRequestIn| {
            let DocumentRequestIn { request, items_request, reader_auth } = document;
            let Some(auth) = reader_auth else {
                return Ok(RequestedDocument { request, reader: Reader::Anonymous });
            };
            let chain = auth.chain().ok_or(ChainError::Empty)?;
            let reader = readers.verify_either(chain, USAGES, now)?;
            let payload = reader_authentication(transcript, &items_request);
            auth.verify_detached(&payload, reader.leaf_key()).map_err(RequestError::ReaderAuth)?;
            Ok(RequestedDocument { request, reader: Reader::Signed(reader) })
        };
        self.0.into_iter().map(authenticate).collect()
    }
}

impl DocumentRequestIn {
    fn read(value: Value) -> Result<Self, RequestError> {
        let mut fields = Fields::of(value, "DocRequest")?;
        let items_request = fields.embedded("itemsRequest")?;
        let request = DocumentRequest::parse(&items_request)?;
        let reader_auth = fields.optional("readerAuth").map(|auth| Sign1In::read(auth, "readerAuth"));
        let reader_auth = reader_auth.transpose().map_err(RequestError::ReaderAuth)?;
        Ok(Self { request, items_request, reader_auth })
    }
}

fn check_counts<'d>(documents: impl ExactSizeIterator<Item = &'d DocumentRequest> + Clone) -> Result<(), RequestError> {
    let elements: usize = documents.clone().map(DocumentRequest::count).sum();
    let is_empty = documents.clone().any(|document| document.count() == 0);
    if documents.len() == 0 || documents.len() > MOST_DOCUMENTS || elements > MOST_ELEMENTS || is_empty {
        return Err(RequestError::Count);
    }
    Ok(())
}
