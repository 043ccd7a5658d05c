//! The credential types we issue: their neutral names, their claims, and who may see them.

use serde::Serialize;

/// A claim of a [`CredentialType`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ClaimType {
    /// Its name, at the top level.
    pub name: &'static str,
    /// What its JSON value is.
    pub kind: ClaimKind,
    /// Whether every credential of the type has it.
    pub required: bool,
    /// Derived by the issuer from another claim, and never taken from the desk.
    pub derived: bool,
    /// Its name for people, English.
    pub label: &'static str,
}

/// What a claim's JSON value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClaimKind {
    /// A string of at most 256 characters.
    Text,
    /// A calendar date, `YYYY-MM-DD`.
    Date,
    /// An array of strings.
    TextList,
    /// True or false.
    Boolean,
    /// An integer.
    Integer,
    /// An object of strings.
    TextMap,
    /// A JPEG as `data:image/jpeg;base64,…`, at most 12 KiB, or the empty string for "no picture wanted".
    Picture,
}

/// A type of credential that the issuer knows.
///
/// # Source
/// SD-JWT VC §2.2.2.1 `vct`; neutral names: `security.md` §8, SD-JWT VC §8.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CredentialType {
    /// The configuration id in the issuer's metadata.
    pub id: &'static str,
    /// The `vct`, always disclosed: it says nothing about its holder.
    pub vct: &'static str,
    /// The name for people, English, neutral.
    pub label: &'static str,
    /// The claims; every one selectively disclosable.
    pub claims: &'static [ClaimType],
}

const fn claim(name: &'static str, kind: ClaimKind, label: &'static str) -> ClaimType {
    ClaimType { name, kind, required: false, derived: false, label }
}

const fn required(name: &'static str, kind: ClaimKind, label: &'static str) -> ClaimType {
    ClaimType { name, kind, required: true, derived: false, label }
}

const fn derived(name: &'static str, label: &'static str) -> ClaimType {
    ClaimType { name, kind: ClaimKind::Boolean, required: false, derived: true, label }
}

/// Who a person is.
pub const IDENTITY: CredentialType = CredentialType {
    id: "identity",
    vct: "urn:amparo:identity:1",
    label: "Identity",
    claims: &[
        required("given_name", ClaimKind::Text, "Given name"),
        required("family_name", ClaimKind::Text, "Family name"),
        claim("birth_date", ClaimKind::Date, "Date of birth"),
        claim("birth_place", ClaimKind::Text, "Place of birth"),
        claim("nationalities", ClaimKind::TextList, "Nationalities"),
        claim("sex", ClaimKind::Text, "Sex"),
        claim("personal_number", ClaimKind::Text, "Personal number"),
        claim("languages", ClaimKind::TextList, "Languages"),
        claim("address", ClaimKind::TextMap, "Address"),
        claim("email", ClaimKind::Text, "Email"),
        claim("phone_number", ClaimKind::Text, "Telephone"),
        claim("height", ClaimKind::Integer, "Height in cm"),
        claim("eye_color", ClaimKind::Text, "Colour of eyes"),
        claim("document_number", ClaimKind::Text, "Document number"),
        claim("issuing_authority", ClaimKind::Text, "Issuing authority"),
        claim("issuing_country", ClaimKind::Text, "Issuing country"),
        claim("picture", ClaimKind::Picture, "Portrait"),
        derived("age_over_12", "12 or older"),
        derived("age_over_16", "16 or older"),
        derived("age_over_18", "18 or older"),
        derived("age_over_21", "21 or older"),
    ],
};

/// What an organisation attests of a person. The name is neutral on purpose.
pub const ATTESTATION: CredentialType = CredentialType {
    id: "attestation",
    vct: "urn:amparo:attestation:1",
    label: "Attestation",
    claims: &[
        required("attested_by", ClaimKind::Text, "Attested by"),
        required("category", ClaimKind::Text, "Category"),
        claim("services", ClaimKind::TextList, "Services"),
        claim("valid_until", ClaimKind::Date, "Valid until"),
        claim("case_reference", ClaimKind::Text, "Case reference"),
        claim("contact", ClaimKind::Text, "Contact"),
    ],
};

/// All types.
pub const ALL: [&CredentialType; 2] = [&IDENTITY, &ATTESTATION];

/// The type with that configuration id.
pub fn by_id(id: &str) -> Option<&'static CredentialType> {
    ALL.into_iter().find(|t| t.id == id)
}

/// The type with that `vct`, compared byte for byte.
pub fn by_vct(vct: &str) -> Option<&'static CredentialType> {
    ALL.into_iter().find(|t| t.vct == vct)
}
