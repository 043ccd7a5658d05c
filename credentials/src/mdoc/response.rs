//! `DeviceResponse`: documents on their way to a verifier.

use super::MOST_DOCUMENTS;
use super::device_signed::{DeviceSignedIn, check_errors};
use super::issuer_signed::{IssuerSignedError, IssuerSignedIn, ItemError};
use crate::cbor::{FieldError, Fields, Value, Writer};
use crate::cose::CoseError;
use std::fmt;

/// Why bytes are not a response, or a document, that we read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResponseError {
    /// Not of the form.
    #[error(transparent)]
    Form(#[from] FieldError),
    /// What the issuer signed.
    #[error("issuerAuth: {0}")]
    IssuerAuth(#[source] CoseError),
    /// Items and digests.
    #[error(transparent)]
    Item(#[from] ItemError),
    /// What the device key vouches for.
    #[error("deviceSigned: {0}")]
    DeviceSigned(#[source] CoseError),
    /// More documents than are read.
    #[error("more than {MOST_DOCUMENTS} documents")]
    TooMany,
    /// A status other than 0: the other side could not answer.
    #[error("the response has status {0}")]
    Status(u64),
}

impl From<IssuerSignedError> for ResponseError {
    fn from(error: IssuerSignedError) -> Self {
        match error {
            IssuerSignedError::Form(error) => Self::Form(error),
            IssuerSignedError::Cose(error) => Self::IssuerAuth(error),
            IssuerSignedError::Item(error) => Self::Item(error),
        }
    }
}

/// A document made for one session: selected items, and the device key's word for them.
#[derive(Clone)]
pub struct Document(pub(super) Vec<u8>);

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(bytes) = self;
        write!(f, "Document({} bytes)", bytes.len())
    }
}

/// Writes a `DeviceResponse` with status 0. Without documents it says that none is returned, and not why.
///
/// # Source
/// ISO/IEC 18013-5 §8.3.2.1.2.2, §8.3.2.1.2.3.
pub fn device_response(documents: &[Document]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.map(2 + usize::from(!documents.is_empty())).text("version").text("1.0");
    if !documents.is_empty() {
        writer.text("documents").array(documents.len());
        documents.iter().for_each(|Document(bytes)| {
            writer.raw(bytes);
        });
    }
    writer.text("status").integer(0);
    writer.into_bytes()
}

/// Why a holder's side cannot answer at all.
///
/// # Source
/// ISO/IEC 18013-5 §8.3.2.1.2.3, Table 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseStatus {
    /// 10: something that the other side is told nothing about.
    GeneralError,
    /// 11: the request is not CBOR.
    DecodingError,
    /// 12: the request is CBOR of another form.
    ValidationError,
}

/// Writes a `DeviceResponse` without documents that says why there is no answer. A person's refusal is none of these: it is
/// an answer without documents, [`device_response`] of nothing, as if there were none.
pub fn device_failure(status: ResponseStatus) -> Vec<u8> {
    let status = match status {
        ResponseStatus::GeneralError => 10,
        ResponseStatus::DecodingError => 11,
        ResponseStatus::ValidationError => 12,
    };
    let mut writer = Writer::new();
    writer.map(2).text("version").text("1.0").text("status").integer(status);
    writer.into_bytes()
}

/// A `DeviceResponse` as it came: nothing of it is verified.
pub(super) struct ResponseIn {
    pub(super) documents: Vec<DocumentIn>,
    /// The document types that are not returned.
    pub(super) missing: Vec<String>,
}

/// A document as it came: nothing of it is verified, but that its items are those of its security object.
pub(super) struct DocumentIn {
    pub(super) doc_type: String,
    pub(super) issuer_signed: IssuerSignedIn,
    pub(super) device_signed: DeviceSignedIn,
}

impl ResponseIn {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, ResponseError> {
        let mut fields = Fields::parse(bytes, "DeviceResponse")?;
        if !fields.text("version")?.starts_with("1.") {
            return Err(FieldError::Malformed("version").into());
        }
        let status = fields.unsigned("status")?;
        if status != 0 {
            return Err(ResponseError::Status(status));
        }
        let documents = match fields.optional("documents") {
            Some(value) => {
                let documents = value.into_array().filter(|documents| !documents.is_empty());
                documents.ok_or(FieldError::Malformed("documents"))?
            }
            None => Vec::new(),
        };
        if documents.len() > MOST_DOCUMENTS {
            return Err(ResponseError::TooMany);
        }
        let documents = documents.into_iter().map(DocumentIn::read).collect::<Result<_, _>>()?;
        let missing = fields.optional("documentErrors").map(read_missing).transpose()?.unwrap_or_default();
        Ok(Self { documents, missing })
    }
}

impl DocumentIn {
    fn read(value: Value) -> Result<Self, ResponseError> {
        let mut fields = Fields::of(value, "Document")?;
        let doc_type = fields.text("docType")?;
        let issuer_signed = IssuerSignedIn::read(fields.map("issuerSigned")?)?;
        let device_signed = DeviceSignedIn::read(fields.map("deviceSigned")?).map_err(ResponseError::DeviceSigned)?;
        fields.optional("errors").map(check_errors).transpose()?;
        Ok(Self { doc_type, issuer_signed, device_signed })
    }
}

/// `documentErrors`: an array of maps from document type to code.
fn read_missing(value: Value) -> Result<Vec<String>, FieldError> {
    let malformed = FieldError::Malformed("documentErrors");
    let mut missing = Vec::new();
    for errors in value.into_array().ok_or(malformed)? {
        for (doc_type, code) in errors.into_map().ok_or(malformed)? {
            code.as_integer().ok_or(malformed)?;
            missing.push(doc_type.into_text().ok_or(malformed)?);
        }
    }
    Ok(missing)
}
