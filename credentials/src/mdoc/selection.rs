//! What a holder chooses to show, and the document made of it.

use super::credential::Mdoc;
use super::device_auth::{device_authentication, mac_key};
use super::device_signed::write_device_signed;
use super::elements::names;
use super::issuer_signed::write_issuer_signed;
use super::item::Item;
use super::{Document, Elements, SessionTranscript};
use crate::cbor::Writer;
use crate::cose::{write_mac0, write_sign1};
use crate::key::PublicKey;
use crate::key_agreement::{AgreeError, KeyAgreement};
use crate::signer::{SignError, Signer};
use schemas::ClaimPath;
use std::collections::BTreeMap;
use std::fmt;

/// Why a choice cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectError {
    /// The document has no such element.
    #[error("the document has no element at {0}")]
    NoSuchElement(ClaimPath),
}

/// Why a document cannot be presented.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PresentError {
    /// The key is not the document's device key.
    #[error("the key is not the one the document is bound to")]
    WrongKey,
    /// The issuer did not authorise the device key to say this.
    #[error("the device key is not authorised to sign {0}")]
    NotAuthorized(ClaimPath),
    /// The key is out of reach.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The key is out of reach.
    #[error(transparent)]
    Agree(#[from] AgreeError),
}

/// The elements a holder chose.
#[derive(Clone)]
pub struct Selection<'c> {
    credential: &'c Mdoc,
    chosen: BTreeMap<&'c str, BTreeMap<&'c str, &'c Item>>,
}

impl<'c> Selection<'c> {
    pub(super) fn new(credential: &'c Mdoc, paths: &[ClaimPath]) -> Result<Self, SelectError> {
        let mut chosen: BTreeMap<&str, BTreeMap<&str, &Item>> = BTreeMap::new();
        for path in paths {
            let found = names(path).and_then(|(name_space, identifier)| credential.item(name_space, identifier));
            let (name_space, item) = found.ok_or_else(|| SelectError::NoSuchElement(path.clone()))?;
            chosen.entry(name_space).or_default().insert(&item.identifier, item);
        }
        Ok(Self { credential, chosen })
    }

    /// The elements that a verifier will see.
    pub fn shown(&self) -> Elements {
        let items =
            self.chosen.iter().flat_map(|(name_space, items)| items.values().map(move |item| (name_space, item)));
        items.map(|(name_space, item)| (*name_space, item.identifier.as_str(), item.value.clone())).collect()
    }

    /// The paths of the elements that will be shown.
    pub fn paths(&self) -> Vec<ClaimPath> {
        let names = self.chosen.iter().flat_map(|(name_space, items)| items.keys().map(move |name| (name_space, name)));
        names.map(|(name_space, name)| ClaimPath::names([*name_space, *name])).collect()
    }

    /// Makes the document for this session, with the device key's signature. `own` is what the holder says for itself.
    ///
    /// # Errors
    /// [`PresentError::WrongKey`] when `signer` is not the device key, [`PresentError::NotAuthorized`] for an element of
    /// `own` that the issuer did not allow.
    ///
    /// # Source
    /// ISO/IEC 18013-5 §9.1.3.6 "mdoc ECDSA / EdDSA Authentication".
    pub fn sign(
        &self,
        transcript: &SessionTranscript,
        own: &Elements,
        signer: &dyn Signer,
    ) -> Result<Document, PresentError> {
        self.check(signer.public_key(), own)?;
        let name_spaces = own.encode();
        let payload = device_authentication(transcript, self.credential.doc_type(), &name_spaces);
        let mut auth = Writer::new();
        write_sign1(&mut auth, &payload, true, None, signer)?;
        Ok(self.document(&name_spaces, "deviceSignature", auth.as_bytes()))
    }

    /// Makes the document for this session, with a MAC that only the owner of the key `reader` can check, and that proves
    /// nothing to anybody else. `reader` is the reader's key of this session.
    ///
    /// # Errors
    /// As [`Selection::sign`].
    ///
    /// # Source
    /// ISO/IEC 18013-5 §9.1.3.5 "mdoc MAC Authentication".
    pub fn authenticate(
        &self,
        transcript: &SessionTranscript,
        own: &Elements,
        key: &dyn KeyAgreement,
        reader: &PublicKey,
    ) -> Result<Document, PresentError> {
        self.check(key.agreement_key(), own)?;
        let name_spaces = own.encode();
        let payload = device_authentication(transcript, self.credential.doc_type(), &name_spaces);
        let mut auth = Writer::new();
        write_mac0(&mut auth, &payload, &mac_key(&key.agree(reader)?, transcript));
        Ok(self.document(&name_spaces, "deviceMac", auth.as_bytes()))
    }

    fn check(&self, key: &PublicKey, own: &Elements) -> Result<(), PresentError> {
        if key != self.credential.device_key() {
            return Err(PresentError::WrongKey);
        }
        match self.credential.authorizations().stray(own) {
            Some((name_space, name)) => Err(PresentError::NotAuthorized(ClaimPath::names([name_space, name]))),
            None => Ok(()),
        }
    }

    fn document(&self, name_spaces: &[u8], name: &str, auth: &[u8]) -> Document {
        let mut writer = Writer::new();
        writer.map(3).text("docType").text(self.credential.doc_type()).text("issuerSigned");
        let items = self.chosen.iter();
        let items = items.map(|(space, items)| (*space, items.values().map(|item| item.embedded.as_slice()).collect()));
        write_issuer_signed(&mut writer, items, self.credential.issuer_auth());
        writer.text("deviceSigned");
        write_device_signed(&mut writer, name_spaces, name, auth);
        Document(writer.into_bytes())
    }
}

impl fmt::Debug for Selection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { credential, chosen: _ } = self;
        f.debug_struct("Selection").field("doc_type", &credential.doc_type()).finish_non_exhaustive()
    }
}
