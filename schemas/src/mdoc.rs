//! Document types and name spaces: where the claims of our credential types stand in an mdoc.
//!
//! | claim of `identity` | element | form |
//! |---|---|---|
//! | `given_name`, `family_name`, `issuing_authority`, `document_number` | `eu.europa.ec.eudi.pid.1`, same name | `tstr` |
//! | `birth_date` | `eu.europa.ec.eudi.pid.1` `birth_date` | `full-date` |
//! | `birth_place` | `eu.europa.ec.eudi.pid.1` `place_of_birth` | map; our text is its `locality` |
//! | `nationalities` | `eu.europa.ec.eudi.pid.1` `nationality` | array of country codes |
//! | `sex` | `eu.europa.ec.eudi.pid.1` `sex` | `uint`: `not known` 0, `male` 1, `female` 2, `other` 3, `inter` 4, `diverse` 5, `open` 6, `not applicable` 9 |
//! | `personal_number` | `eu.europa.ec.eudi.pid.1` `personal_administrative_number` | `tstr` |
//! | `address`: `formatted`, `country`, `region`, `locality`, `postal_code`, `street_address`, `house_number` | `eu.europa.ec.eudi.pid.1` `resident_address`, `resident_country`, `resident_state`, `resident_city`, `resident_postal_code`, `resident_street`, `resident_house_number` | `tstr` |
//! | `email` | `eu.europa.ec.eudi.pid.1` `email_address` | `tstr` |
//! | `phone_number` | `eu.europa.ec.eudi.pid.1` `mobile_phone_number` | `tstr`, `+` and digits |
//! | `issuing_country` | `eu.europa.ec.eudi.pid.1` `issuing_country` | country code |
//! | `picture` | `eu.europa.ec.eudi.pid.1` `portrait` | `bstr`: the JPEG; empty for "no picture wanted" |
//! | `age_over_NN`, `languages`, `height`, `eye_color`, other members of `address` | `org.amparo.identity.1`, same name | `bool`, array of `tstr`, `int`, `tstr`, map |
//!
//! What does not fit the form of its element (a text above 150 characters, a country that is not a code of two letters)
//! stands in our own name space under the claim's own name, as CBOR of the same shape. So nothing is lost, and nothing in
//! the European name space is of another form than it must be. All claims of `attestation` stand in `org.amparo.attestation.1`.
//!
//! The document type is ours: only notified providers issue documents of the type `eu.europa.ec.eudi.pid.1`, which also
//! must have elements that many a holder cannot prove. A name space may stand in documents of any type.
//!
//! # Source
//! PID Rulebook 1.4 §3.1 (ARF Annex 3.01); ISO/IEC 18013-5 §7.1; RFC 8943 `full-date`.

use crate::credential_type::{ATTESTATION, ClaimKind, CredentialType, IDENTITY};
use crate::{ClaimPath, PathElement};

/// The name space of person identification data.
pub const PID_NAME_SPACE: &str = "eu.europa.ec.eudi.pid.1";
/// The name space of a holder's consent, signed by the device key.
pub const CONSENT_NAME_SPACE: &str = "org.amparo.consent.1";
/// The consent in it: `bstr`, the JSON of a [`crate::consent::Grant`].
pub const GRANT: &str = "grant";
/// The name space of what the wallet says of the holder's presence, signed by the device key; the elements are called and
/// meant like the claims of a KB-JWT.
pub const PRESENCE_NAME_SPACE: &str = "org.amparo.presence.1";
/// The elements in it: `[+ tstr]`, `tstr`, `tdate`.
pub const PRESENCE: [&str; 3] = ["amr", "acr", "auth_time"];

/// The form of an element in the European name space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElementForm {
    /// A text of at most 150 characters.
    Text,
    /// Two capital letters.
    CountryCode,
    /// An array of one or more country codes.
    CountryCodes,
    /// A date, tag 1004.
    FullDate,
    /// One of the numbers for sex.
    Sex,
    /// A map of `country`, `region`, `locality`, at least one of them.
    PlaceOfBirth,
    /// `+` and digits.
    Telephone,
    /// A JPEG as bytes, or no bytes.
    Portrait,
}

/// An element that stands for a claim, or for one member of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ElementType {
    /// The claim.
    pub claim: &'static str,
    /// The member of the claim's object, where the element stands for one.
    pub member: Option<&'static str>,
    /// The element, in [`PID_NAME_SPACE`].
    pub identifier: &'static str,
    /// Its form.
    pub form: ElementForm,
}

/// A document type that the issuer knows: the mdoc side of a [`CredentialType`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentType {
    /// The `docType`, which is also the name space of all that stands in no other.
    pub doc_type: &'static str,
    /// What it is as a credential.
    pub credential_type: &'static CredentialType,
    /// The elements that stand in [`PID_NAME_SPACE`].
    pub elements: &'static [ElementType],
}

const fn element(claim: &'static str, identifier: &'static str, form: ElementForm) -> ElementType {
    ElementType { claim, member: None, identifier, form }
}

const fn address(member: &'static str, identifier: &'static str, form: ElementForm) -> ElementType {
    ElementType { claim: "address", member: Some(member), identifier, form }
}

/// Who a person is.
pub const IDENTITY_DOCUMENT: DocumentType = DocumentType {
    doc_type: "org.amparo.identity.1",
    credential_type: &IDENTITY,
    elements: &[
        element("given_name", "given_name", ElementForm::Text),
        element("family_name", "family_name", ElementForm::Text),
        element("birth_date", "birth_date", ElementForm::FullDate),
        element("birth_place", "place_of_birth", ElementForm::PlaceOfBirth),
        element("nationalities", "nationality", ElementForm::CountryCodes),
        element("sex", "sex", ElementForm::Sex),
        element("personal_number", "personal_administrative_number", ElementForm::Text),
        address("formatted", "resident_address", ElementForm::Text),
        address("country", "resident_country", ElementForm::CountryCode),
        address("region", "resident_state", ElementForm::Text),
        address("locality", "resident_city", ElementForm::Text),
        address("postal_code", "resident_postal_code", ElementForm::Text),
        address("street_address", "resident_street", ElementForm::Text),
        address("house_number", "resident_house_number", ElementForm::Text),
        element("email", "email_address", ElementForm::Text),
        element("phone_number", "mobile_phone_number", ElementForm::Telephone),
        element("document_number", "document_number", ElementForm::Text),
        element("issuing_authority", "issuing_authority", ElementForm::Text),
        element("issuing_country", "issuing_country", ElementForm::CountryCode),
        element("picture", "portrait", ElementForm::Portrait),
    ],
};

/// What an organisation attests of a person.
pub const ATTESTATION_DOCUMENT: DocumentType =
    DocumentType { doc_type: "org.amparo.attestation.1", credential_type: &ATTESTATION, elements: &[] };

/// All document types.
pub const ALL: [&DocumentType; 2] = [&IDENTITY_DOCUMENT, &ATTESTATION_DOCUMENT];

/// The document type of that name, compared byte for byte.
pub fn by_doc_type(doc_type: &str) -> Option<&'static DocumentType> {
    ALL.into_iter().find(|t| t.doc_type == doc_type)
}

/// The document type of a credential type.
pub fn by_credential_type(credential_type: &CredentialType) -> Option<&'static DocumentType> {
    ALL.into_iter().find(|t| t.credential_type.id == credential_type.id)
}

/// The claim of one of our types that the element at `path` (name space, identifier) stands for, in a document of whatever type.
pub fn claim_of(path: &ClaimPath) -> Option<ClaimPath> {
    match path.elements() {
        [PathElement::Name(name_space), PathElement::Name(identifier)] => {
            ALL.into_iter().find_map(|document| document.claim_path(name_space, identifier))
        }
        _ => None,
    }
}

impl DocumentType {
    /// The element of [`PID_NAME_SPACE`] that stands for a claim, or for a member of one.
    pub fn element(&self, claim: &str, member: Option<&str>) -> Option<&'static ElementType> {
        self.elements.iter().find(|element| element.claim == claim && element.member == member)
    }

    /// What kind of claim stands in our own name space under that name.
    pub fn own_kind(&self, identifier: &str) -> Option<ClaimKind> {
        self.credential_type.claims.iter().find(|claim| claim.name == identifier).map(|claim| claim.kind)
    }

    /// The claim that an element stands for, as a path: so that one rule of purposes and one name for people hold for both
    /// formats.
    pub fn claim_path(&self, name_space: &str, identifier: &str) -> Option<ClaimPath> {
        if name_space == self.doc_type {
            return self.own_kind(identifier).map(|_| ClaimPath::names([identifier]));
        }
        let is_it = |element: &&ElementType| name_space == PID_NAME_SPACE && element.identifier == identifier;
        let element = self.elements.iter().find(is_it)?;
        Some(ClaimPath::names([element.claim].into_iter().chain(element.member)))
    }

    /// The elements in which a claim may stand, as paths of name space and identifier: that in the European name space
    /// first. None for a claim that the type does not have.
    pub fn element_paths(&self, claim: &ClaimPath) -> Vec<ClaimPath> {
        let mut names = claim.elements().iter().map(|element| match element {
            PathElement::Name(name) => Some(name.as_str()),
            _ => None,
        });
        let Some(name) = names.next().flatten() else { return Vec::new() };
        let member = names.next().flatten();
        if self.own_kind(name).is_none() {
            return Vec::new();
        }
        let stands_for = |element: &&ElementType| {
            element.claim == name && (member.is_none() || element.member.is_none() || element.member == member)
        };
        let european = self.elements.iter().filter(stands_for).map(|element| [PID_NAME_SPACE, element.identifier]);
        european.chain([[self.doc_type, name]]).map(ClaimPath::names).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_claim_has_a_place_and_no_element_two() {
        for document in ALL {
            let mut places = BTreeSet::new();
            for element in document.elements {
                let kind = document.own_kind(element.claim).expect("a claim of the type");
                assert_eq!(kind == ClaimKind::TextMap, element.member.is_some(), "{}", element.claim);
                assert!(places.insert(element.identifier), "{}", element.identifier);
            }
            for claim in document.credential_type.claims {
                let paths = document.element_paths(&ClaimPath::names([claim.name]));
                assert_eq!(paths.last(), Some(&ClaimPath::names([document.doc_type, claim.name])));
                assert_eq!(paths.iter().collect::<BTreeSet<_>>().len(), paths.len());
            }
        }
    }

    #[test]
    fn paths_lead_back() {
        let document = by_doc_type("org.amparo.identity.1").expect("known");
        for (claim, place) in [
            (vec!["given_name"], [PID_NAME_SPACE, "given_name"]),
            (vec!["picture"], [PID_NAME_SPACE, "portrait"]),
            (vec!["address", "locality"], [PID_NAME_SPACE, "resident_city"]),
            (vec!["age_over_18"], ["org.amparo.identity.1", "age_over_18"]),
        ] {
            let claim = ClaimPath::names(claim);
            assert_eq!(document.claim_path(place[0], place[1]), Some(claim.clone()));
            assert_eq!(document.element_paths(&claim).first(), Some(&ClaimPath::names(place)));
        }
        assert_eq!(document.claim_path("org.iso.18013.5.1", "given_name"), None);
        assert_eq!(claim_of(&ClaimPath::names([PID_NAME_SPACE, "portrait"])), Some(ClaimPath::names(["picture"])));
        assert_eq!(
            claim_of(&ClaimPath::names(["org.amparo.attestation.1", "services"])),
            Some(ClaimPath::names(["services"]))
        );
        assert_eq!(claim_of(&ClaimPath::names(["given_name"])), None);
        assert_eq!(document.claim_path("org.amparo.identity.1", "nope"), None);
        assert!(document.element_paths(&ClaimPath::names(["nope"])).is_empty());
    }
}
