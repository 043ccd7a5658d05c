//! Queries that a desk needs every day, each asking for as little as its purpose needs.

use schemas::ClaimPath;
use schemas::credential_type::{ATTESTATION, CredentialType, IDENTITY};
use schemas::dcql::{ClaimsQuery, CredentialMeta, CredentialQuery, DcqlQuery};
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

    /// The query.
    pub fn query(self) -> DcqlQuery {
        match self {
            Self::BorderIdentity => one(&IDENTITY, &["given_name", "family_name", "nationalities"]),
            Self::AgeOver18 => one(&IDENTITY, &["age_over_18"]),
            Self::SupportService => one(&ATTESTATION, &["attested_by", "services"]),
        }
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

fn one(kind: &CredentialType, claims: &[&str]) -> DcqlQuery {
    let claims = claims.iter().map(|name| ClaimsQuery {
        id: None,
        path: ClaimPath::names([*name]),
        values: None,
        intent_to_retain: None,
    });
    DcqlQuery {
        credentials: vec![CredentialQuery {
            id: kind.id.to_owned(),
            format: credentials::dcql::FORMAT.to_owned(),
            multiple: None,
            meta: CredentialMeta { vct_values: Some(vec![kind.vct.to_owned()]), doctype_value: None },
            trusted_authorities: None,
            require_cryptographic_holder_binding: None,
            claims: Some(claims.collect()),
            claim_sets: None,
        }],
        credential_sets: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use credentials::dcql::Query;

    #[test]
    fn presets_are_valid_queries_for_claims_that_exist() {
        for preset in Preset::ALL {
            let query = Query::check(preset.query()).unwrap();
            let [credential] = query.credentials() else { panic!("one credential each") };
            let kind = schemas::credential_type::by_id(&credential.id).unwrap();
            for claim in credential.claims.iter().flatten() {
                let name = claim.path.to_string();
                assert!(kind.claims.iter().any(|c| name == format!("[\"{}\"]", c.name)), "{preset}: {name}");
            }
            assert_eq!(preset.name().parse(), Ok(preset));
        }
    }

    #[test]
    fn no_preset_names_what_could_betray_a_holder() {
        let text = serde_json::to_string(&Preset::ALL.map(Preset::query)).unwrap();
        for word in ["victim", "shelter", "traffick", "refuge", "case_reference"] {
            assert!(!text.contains(word), "{word}");
        }
    }
}
