//! Who reads: the reader's signature over what it asks for in this session.

use crate::cbor::Writer;
use crate::mdoc::SessionTranscript;
use crate::trust::{Usage, VerifiedChain};

/// Who asks, as far as that is known. Shown to the person before anything is shown to the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reader {
    /// It does not say who it is.
    Anonymous,
    /// It signed the request; [`VerifiedChain::trust`] says whether anybody we know vouches for its name.
    Signed(VerifiedChain),
}

/// The usages under which a reader may sign: ours, or that of ISO/IEC 18013-5 Annex B.
pub(super) const USAGES: [Usage; 2] = [Usage::Verifier, Usage::MdocReader];

/// `ReaderAuthenticationBytes`; `items_request` is the encoded `ItemsRequest`, exactly as it is sent.
///
/// # Source
/// ISO/IEC 18013-5 §9.1.4.4.
pub(super) fn reader_authentication(transcript: &SessionTranscript, items_request: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.array(3).text("ReaderAuthentication").raw(transcript.as_bytes()).embedded(items_request);
    let mut embedded = Writer::new();
    embedded.embedded(writer.as_bytes());
    embedded.into_bytes()
}
