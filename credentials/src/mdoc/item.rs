//! One signed item: a data element with its salt.

use super::mso::DIGEST_IDS;
use crate::cbor::{FieldError, Fields, Value, Writer};

/// The fewest bytes of a salt.
///
/// # Source
/// ISO/IEC 18013-5 §9.1.2.5: at least 16 bytes.
pub(super) const SHORTEST_SALT: usize = 16;

/// An `IssuerSignedItem`. The salt stays in `embedded`, where it is shown only together with the value.
#[derive(Clone)]
pub(super) struct Item {
    pub(super) digest_id: u32,
    pub(super) identifier: String,
    pub(super) value: Value,
    /// `IssuerSignedItemBytes`: tag 24 and the bytes as received. This is what the digest is taken over.
    pub(super) embedded: Vec<u8>,
}

impl Item {
    /// Reads an `IssuerSignedItemBytes`.
    ///
    /// # Source
    /// ISO/IEC 18013-5 §8.3.2.1.2.2.
    pub(super) fn read(value: Value) -> Result<Self, FieldError> {
        let bytes = value.into_embedded().ok_or(FieldError::Malformed("IssuerSignedItemBytes"))?;
        let mut fields = Fields::parse(&bytes, "IssuerSignedItem")?;
        let malformed = FieldError::Malformed("digestID");
        let digest_id = i64::try_from(fields.unsigned("digestID")?).map_err(|_| malformed)?;
        if digest_id >= DIGEST_IDS {
            return Err(malformed);
        }
        if fields.bytes("random")?.len() < SHORTEST_SALT {
            return Err(FieldError::Malformed("random"));
        }
        let identifier = fields.text("elementIdentifier")?;
        let value = fields.required("elementValue")?;
        if !fields.rest().is_empty() {
            return Err(FieldError::Malformed("IssuerSignedItem"));
        }
        let mut embedded = Writer::new();
        embedded.embedded(&bytes);
        let digest_id = u32::try_from(digest_id).map_err(|_| malformed)?;
        Ok(Self { digest_id, identifier, value, embedded: embedded.into_bytes() })
    }

    /// Writes an `IssuerSignedItemBytes`.
    pub(super) fn encode(digest_id: u32, salt: &[u8], identifier: &str, value: &Value) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.map(4).text("digestID").integer(i64::from(digest_id)).text("random").bytes(salt);
        writer.text("elementIdentifier").text(identifier).text("elementValue").value(value);
        let mut embedded = Writer::new();
        embedded.embedded(writer.as_bytes());
        embedded.into_bytes()
    }
}
