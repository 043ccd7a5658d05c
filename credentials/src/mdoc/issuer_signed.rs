//! What the issuer signed, as it came: items and security object.

use super::item::Item;
use super::mso::SecurityObject;
use super::{Elements, MOST_ITEMS};
use crate::cbor::{FieldError, Fields, Value, Writer};
use crate::cose::{CoseError, Sign1In};
use std::collections::{BTreeMap, BTreeSet};

/// Why items and digests do not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ItemError {
    /// Not of the form.
    #[error(transparent)]
    Form(#[from] FieldError),
    /// More items than are read.
    #[error("more than {MOST_ITEMS} items")]
    TooMany,
    /// An element, or a digest identifier, twice in one name space.
    #[error("an element or a digest identifier twice in one name space")]
    Duplicate,
    /// A digest identifier that the issuer did not sign.
    #[error("an item that the issuer did not sign")]
    Unsigned,
    /// An item whose digest is another than the one that the issuer signed.
    #[error("an item that is not as the issuer signed it")]
    Digest,
}

/// Items by name space and identifier, each once.
#[derive(Clone)]
pub(super) struct Items(pub(super) BTreeMap<String, BTreeMap<String, Item>>);

impl Items {
    /// Reads `IssuerNameSpaces`.
    fn read(value: Value) -> Result<Self, ItemError> {
        let malformed = FieldError::Malformed("nameSpaces");
        let mut read = BTreeMap::new();
        let mut left = MOST_ITEMS;
        for (name_space, items) in Fields::of(value, "nameSpaces")?.rest() {
            let items = items.into_array().filter(|items| !items.is_empty()).ok_or(malformed)?;
            left = left.checked_sub(items.len()).ok_or(ItemError::TooMany)?;
            let (mut by_identifier, mut ids) = (BTreeMap::new(), BTreeSet::new());
            for item in items {
                let item = Item::read(item)?;
                if !ids.insert(item.digest_id) || by_identifier.insert(item.identifier.clone(), item).is_some() {
                    return Err(ItemError::Duplicate);
                }
            }
            read.insert(name_space.into_text().ok_or(malformed)?, by_identifier);
        }
        Ok(Self(read))
    }

    /// Refuses items that the issuer did not sign just so.
    ///
    /// # Source
    /// ISO/IEC 18013-5 §9.3.1 step 3.
    fn check(&self, object: &SecurityObject) -> Result<(), ItemError> {
        for (name_space, items) in &self.0 {
            let digests = object.digests.get(name_space).ok_or(ItemError::Unsigned)?;
            for item in items.values() {
                let digest = digests.get(&item.digest_id).ok_or(ItemError::Unsigned)?;
                if !object.algorithm.matches(&item.embedded, digest) {
                    return Err(ItemError::Digest);
                }
            }
        }
        Ok(())
    }

    /// Their values.
    pub(super) fn elements(&self) -> Elements {
        let spaces = self.0.iter().flat_map(|(name_space, items)| items.values().map(move |item| (name_space, item)));
        spaces.map(|(name_space, item)| (name_space.as_str(), item.identifier.as_str(), item.value.clone())).collect()
    }
}

/// An `IssuerSigned` as it came: nothing of it is verified.
pub(super) struct IssuerSignedIn {
    pub(super) items: Items,
    pub(super) auth: Sign1In,
    pub(super) object: SecurityObject,
}

/// Why an `IssuerSigned` cannot be read. What says which part, stays with the part.
pub(super) enum IssuerSignedError {
    Form(FieldError),
    Cose(CoseError),
    Item(ItemError),
}

impl IssuerSignedIn {
    /// Reads one, and checks every item against the security object in it.
    ///
    /// # Source
    /// ISO/IEC 18013-5 §8.3.2.1.2.2, §9.1.2.4.
    pub(super) fn read(mut fields: Fields) -> Result<Self, IssuerSignedError> {
        let auth = fields.required("issuerAuth").map_err(IssuerSignedError::Form)?;
        let auth = Sign1In::read(auth, "issuerAuth").map_err(IssuerSignedError::Cose)?;
        let payload = auth.payload().ok_or(IssuerSignedError::Cose(CoseError::Payload))?;
        let object = SecurityObject::parse(payload).map_err(IssuerSignedError::Cose)?;
        let items = match fields.optional("nameSpaces") {
            Some(value) => Items::read(value).map_err(IssuerSignedError::Item)?,
            None => Items(BTreeMap::new()),
        };
        // `IssuerSigned` has no room for extensions: another member is one of these two under a changed name.
        if !fields.rest().is_empty() {
            return Err(IssuerSignedError::Form(FieldError::Malformed("issuerSigned")));
        }
        items.check(&object).map_err(IssuerSignedError::Item)?;
        Ok(Self { items, auth, object })
    }

    /// `issuerAuth` again, with nothing unsigned in it but the certificates.
    pub(super) fn encode_auth(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.auth.write(&mut writer);
        writer.into_bytes()
    }
}

/// Writes an `IssuerSigned` of `items` (name space, `IssuerSignedItemBytes`) and `auth`. Name spaces without items are left out.
pub(super) fn write_issuer_signed<'i>(
    writer: &mut Writer,
    items: impl ExactSizeIterator<Item = (&'i str, Vec<&'i [u8]>)>,
    auth: &[u8],
) {
    writer.map(1 + usize::from(items.len() > 0));
    if items.len() > 0 {
        writer.text("nameSpaces").map(items.len());
        for (name_space, items) in items {
            writer.text(name_space).array(items.len());
            items.iter().for_each(|item| {
                writer.raw(item);
            });
        }
    }
    writer.text("issuerAuth").raw(auth);
}
