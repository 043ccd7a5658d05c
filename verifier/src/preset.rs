//! Queries that a desk needs every day, each asking for as little as its purpose needs.

use crate::policy::AcceptedFormat;
use schemas::ClaimPath;
use schemas::credential_type::{ATTESTATION, CredentialType, IDENTITY};
use schemas::dcql::{ClaimsQuery, CredentialMeta, CredentialQuery, CredentialSetQuery, DcqlQuery};
use schemas::mdoc::{self, DocumentType};
use std::fmt;
use std::str::FromStr;

/// A query by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Names and nationalities of an `identity`.
    BorderIdentity,
    /// Whether the holder of an `identity` is 18 or older, and nothing else.
    AgeOver18,
    /// Who attested, and which services, of an `attestation`.
    SupportService,
}

/// There is no preset of that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown preset: expected border-identity, age-over-18 or support-service")]
pub struct UnknownPreset;

impl Preset {
    /// All presets.
    pub const ALL: [Self; 3] = [Self::BorderIdentity, Self::AgeOver18, Self::SupportService];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BorderIdentity => "border-identity",
            Self::AgeOver18 => "age-over-18",
            Self::SupportService => "support-service",
        }
    }

    /// The query, for credentials of these formats. Where either will do the holder chooses, SD-JWT VC being preferred.
    ///
    /// # Source
    /// OpenID4VP 1.0 §6.2: the formats are options of one credential set.
    pub fn query(self, formats: AcceptedFormat) -> DcqlQuery {
        let (kind, claims): (_, &[&str]) = match self {
            Self::BorderIdentity => (&IDENTITY, &["given_name", "family_name", "nationalities"]),
            Self::AgeOver18 => (&IDENTITY, &["age_over_18"]),
            Self::SupportService => (&ATTESTATION, &["attested_by", "services"]),
        };
        let sd_jwt = (formats != AcceptedFormat::Mdoc).then(|| in_sd_jwt(kind, claims));
        let document = mdoc::by_credential_type(kind).filter(|_| formats != AcceptedFormat::SdJwtVc);
        let credentials: Vec<CredentialQuery> =
            sd_jwt.into_iter().chain(document.map(|document| in_mdoc(document, claims))).collect();
        let options = || credentials.iter().map(|query| vec![query.id.clone()]).collect();
        let either = (credentials.len() > 1).then(|| vec![CredentialSetQuery { options: options(), required: None }]);
        DcqlQuery { credential_sets: either, credentials }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Preset {
    type Err = UnknownPreset;

    fn from_str(text: &str) -> Result<Self, UnknownPreset> {
        Self::ALL.into_iter().find(|preset| preset.name() == text).ok_or(UnknownPreset)
    }
}

fn in_sd_jwt(kind: &CredentialType, claims: &[&str]) -> CredentialQuery {
    let claims = claims.iter().map(|name| claim(None, ClaimPath::names([*name])));
    CredentialQuery {
        id: kind.id.to_owned(),
        format: credentials::dcql::FORMAT.to_owned(),
        multiple: None,
        meta: CredentialMeta { vct_values: Some(vec![kind.vct.to_owned()]), doctype_value: None },
        trusted_authorities: None,
        require_cryptographic_holder_binding: None,
        claims: Some(claims.collect()),
        claim_sets: None,
    }
}

/// Of an mdoc each claim may stand in the European name space or, where it does not fit there, in ours: one of the places of
/// each is asked for.
fn in_mdoc(document: &DocumentType, claims: &[&str]) -> CredentialQuery {
    let (mut asked, mut sets) = (Vec::new(), vec![Vec::new()]);
    for name in claims {
        let places = document.element_paths(&ClaimPath::names([*name])).into_iter().enumerate();
        let placed: Vec<ClaimsQuery> = places.map(|(n, path)| claim(Some(format!("{name}-{n}")), path)).collect();
        sets = placed.iter().flat_map(|place| sets.iter().map(|set| with(set, place))).collect();
        asked.extend(placed);
    }
    CredentialQuery {
        id: format!("{}-mdoc", document.credential_type.id),
        format: credentials::mdoc::FORMAT.to_owned(),
        multiple: None,
        meta: CredentialMeta { vct_values: None, doctype_value: Some(document.doc_type.to_owned()) },
        trusted_authorities: None,
        require_cryptographic_holder_binding: None,
        claims: Some(asked),
        claim_sets: (sets.len() > 1).then_some(sets),
    }
}

fn with(set: &[String], place: &ClaimsQuery) -> Vec<String> {
    set.iter().cloned().chain(place.id.clone()).collect()
}

const fn claim(id: Option<String>, path: ClaimPath) -> ClaimsQuery {
    ClaimsQuery { id, path, values: None, intent_to_retain: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use credentials::dcql::Query;

    #[test]
    fn presets_are_valid_queries_for_claims_that_exist() {
        for preset in Preset::ALL {
            let query = Query::check(preset.query(AcceptedFormat::Any)).unwrap();
            let [sd_jwt, document] = query.credentials() else { panic!("one of each format") };
            let kind = schemas::credential_type::by_id(&sd_jwt.id).unwrap();
            let known = mdoc::by_doc_type(document.meta.doctype_value.as_deref().unwrap()).unwrap();
            let asked: Vec<ClaimPath> = sd_jwt.claims.iter().flatten().map(|claim| claim.path.clone()).collect();
            for path in &asked {
                assert!(kind.claims.iter().any(|c| *path == ClaimPath::names([c.name])), "{preset}: {path}");
                assert!(
                    document.claims.iter().flatten().any(|c| known.element_paths(path).contains(&c.path)),
                    "{path}"
                );
            }
            let sets = document.claim_sets.clone().unwrap_or_default();
            assert!(sets.iter().all(|set| set.len() == asked.len()), "each claim once: {sets:?}");
            assert_eq!(preset.name().parse(), Ok(preset));
            for (formats, id) in [(AcceptedFormat::SdJwtVc, &sd_jwt.id), (AcceptedFormat::Mdoc, &document.id)] {
                let alone = Query::check(preset.query(formats)).unwrap();
                assert_eq!((alone.credentials().len(), &alone.credentials()[0].id), (1, id));
                assert!(alone.credential_sets().is_empty());
            }
        }
    }

    #[test]
    fn no_preset_names_what_could_betray_a_holder() {
        let text = serde_json::to_string(&Preset::ALL.map(|preset| preset.query(AcceptedFormat::Any))).unwrap();
        for word in ["victim", "shelter", "traffick", "refuge", "case_reference"] {
            assert!(!text.contains(word), "{word}");
        }
    }
}
